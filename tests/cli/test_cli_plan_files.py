"""`targets export / import` and `history` as a person at a terminal uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def added(cli: Any, study: Path, *more: str) -> Any:
    clips = cli("inspect", study, "--json").json["clips"]
    clip = next(c for c in clips if any(r["kind"] == "tissue" for r in c["regions"]))
    row0, col0, row1, col1 = next(r["box"] for r in clip["regions"] if r["kind"] == "tissue")
    return cli(
        "targets", "add", study, "--file", clip["file"], "--frame", "0",
        "--point", f"{(row0 + row1) // 2},{(col0 + col1) // 2}", "--reader", "Anna", *more,
    )  # fmt: skip


def test_a_plan_goes_out_as_json_and_comes_back(cli, sample_study_dir: Path, tmp_path: Path):
    assert added(cli, sample_study_dir, "--set", "side=left", "--set", "level=knee").code == 0
    path = tmp_path / "plan.json"
    said = cli("targets", "export", sample_study_dir, "-o", path, "--json").json
    assert said["file"] == str(path)
    plan = json.loads(path.read_text(encoding="ascii"))
    assert plan["targets"][0]["level"] == "knee"
    plan["targets"][0]["level"] = "ankle"
    path.write_text(json.dumps(plan))
    done = cli("targets", "import", sample_study_dir, path, "--reader", "Ben", "--json").json
    assert (done["imported"], done["version"], done["targets"][0]["level"]) == (1, 2, "ankle")

    versions = cli("history", sample_study_dir, "--json").json["versions"]
    assert [(v["version"], v["reader"], v["is_head"]) for v in versions] == [
        (1, "Anna", False),
        (2, "Ben", True),
    ]
    assert versions[1]["changes"] == ["target 1: level from knee to ankle"]
    assert "level from knee to ankle" in cli("history", sample_study_dir).out


def test_a_file_that_is_no_plan_changes_nothing(cli, sample_study_dir: Path, tmp_path: Path):
    path = tmp_path / "plan.json"
    path.write_text('{"format": "veinscan-plan"}')
    failed = cli("targets", "import", sample_study_dir, path, "--json")
    assert failed.code == 1 and "schema" in failed.json["error"]["what"]
    assert cli("history", sample_study_dir, "--json").json["versions"] == []
