"""`veinscan record ...` as a person at a terminal uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from veinscan.dicom import open_study
from veinscan.plan import measuring
from veinscan.plan.model import Reader
from veinscan.record import load_record, save_record


def added(cli: Any, study: Path, *more: str) -> Any:
    clips = cli("inspect", study, "--json").json["clips"]
    clip = next(c for c in clips if any(r["kind"] == "tissue" for r in c["regions"]))
    row0, col0, row1, col1 = next(r["box"] for r in clip["regions"] if r["kind"] == "tissue")
    done = cli(
        "targets", "add", study, "--file", clip["file"], "--frame", "0",
        "--point", f"{(row0 + row1) // 2},{(col0 + col1) // 2}", "--reader", "Anna", *more, "--json",
    )  # fmt: skip
    assert done.code == 0
    return done


def test_from_the_first_target_to_a_final_an_amended_and_a_withdrawn_record(
    cli: Any, sample_study_dir: Path
) -> None:
    study = sample_study_dir
    added(cli, study, "--set", "modality=liquid")
    checks = cli("record", "check", study, "--json").json
    assert not checks["ready_to_finalise"] and checks["state"] == "saved"
    assert {(one["rule"], one["level"]) for one in checks["checks"]} >= {("R05", "error"), ("R12", "warning")}
    said = cli("record", "check", study).out
    assert "target 1: " in said and said.endswith("It cannot be finalised yet.\n")

    early = cli("record", "finalise", study, "--reader", "Anna", "--json")
    assert early.code == 1 and "R05" in early.json["error"]["what"]
    target = cli("targets", "list", study, "--json").json["targets"][0]
    export = study.parent / "plan.json"
    cli("targets", "export", study, "-o", export)
    export.write_text(export.read_text().replace('"side": "unknown"', '"side": "left"'))
    assert cli("targets", "import", study, export, "--reader", "Anna").code == 0
    left = [one["rule"] for one in cli("record", "check", study, "--json").json["checks"]
            if one["level"] == "warning"]  # fmt: skip
    done = cli("record", "acknowledge", study, *left, "--reader", "Ben", "--reason", "seen", "--json")
    assert done.code == 0
    assert {one["acknowledged_by"] for one in done.json["acknowledgements"]} == {"Ben"}
    assert cli("record", "acknowledge", study, "R12", "--json").json["error"]["what"] == (
        "nothing of R12 is open"
    )
    ready = cli("record", "check", study, "--json").json
    assert ready["ready_to_finalise"]

    final = cli("record", "finalise", study, "--reader", "Ben", "--json").json
    assert (final["status"]["state"], final["status"]["set_by"]) == ("final", "Ben")
    refused = cli("targets", "import", study, export, "--json")
    assert refused.code == 1 and "is final" in refused.json["error"]["what"]
    amended = cli("record", "amend", study, "--reason", "wrong depth", "--json").json
    assert (amended["status"]["state"], amended["status"]["reason"]) == ("amending", "wrong depth")
    assert cli("record", "finalise", study, "--reader", "Ben", "--json").json["status"]["state"] == "amended"
    gone = cli("record", "withdraw", study, "--reason", "wrong side", "--reader", "Ben", "--json").json
    assert gone["status"]["state"] == "withdrawn"
    assert gone["targets"][0]["id"] == target["id"]
    told = [
        change for entry in cli("history", study, "--json").json["versions"] for change in entry["changes"]
    ]
    assert "withdrawn by Ben: wrong side" in told


def test_clips_are_labelled_and_their_targets_follow(cli: Any, sample_study_dir: Path) -> None:
    file = cli("inspect", sample_study_dir, "--json").json["clips"][0]["file"]
    done = cli(
        "record", "context", sample_study_dir, "--file", file, "--set", "side=left", "--set",
        "posture=standing", "--set", "searched=complete", "--json",
    ).json  # fmt: skip
    assert (done["contexts"][0]["side"], done["contexts"][0]["posture"]) == ("left", "standing")
    assert [one["searched"] for one in done["searches"]] == ["complete"]
    every = cli("record", "context", sample_study_dir, "--set", "side=right", "--json").json
    clips = cli("inspect", sample_study_dir, "--json").json["clips"]
    assert {one["side"] for one in every["contexts"]} == {"right"} and len(every["contexts"]) == len(clips)
    target = added(cli, sample_study_dir).json["targets"][0]
    assert target["side"] == "right"


def test_accepted_outlines_are_written_as_segmentations(cli: Any, sample_study_dir: Path) -> None:
    none = cli("record", "seg", sample_study_dir, "--json")
    assert none.code == 1 and "outline" in none.json["error"]["what"]
    study = open_study(sample_study_dir)
    clip = next(one for one in study.clips if one.picture_region is not None)
    added(cli, sample_study_dir)
    record = load_record(study)
    from dataclasses import replace

    target = replace(record.targets[0], outline=((60.0, 60.0), (60.0, 80.0), (80.0, 70.0)))
    save_record(study, replace(record, targets=(target,)), Reader(name="Anna"))
    done = cli("record", "seg", sample_study_dir, "--json").json
    (path,) = done["files"]
    assert Path(path).read_bytes()[128:132] == b"DICM"
    assert clip.sop_instance_uid == target.sop_instance_uid
    # it is no clip, no record, and nothing that was skipped for a fault
    assert len(open_study(sample_study_dir).clips) == len(study.clips)
    assert cli("targets", "list", sample_study_dir, "--json").json["version"] == 2


def test_conflicts_are_settled_by_name(cli: Any, sample_study_dir: Path) -> None:
    added(cli, sample_study_dir)
    study = open_study(sample_study_dir)
    record = load_record(study)
    from veinscan.plan.editing import update_target

    for notes in ("one", "two"):
        save_record(study, update_target(record, record.targets[0].id, notes=notes), Reader(name=notes))
    assert len(cli("record", "check", sample_study_dir, "--json").json["conflicts"]) == 1
    assert cli("record", "settle", sample_study_dir, "--reader", "Anna").code == 0
    assert cli("record", "check", sample_study_dir, "--json").json["conflicts"] == []
    assert cli("record", "settle", sample_study_dir).code == 1


@pytest.mark.parametrize(
    "call",
    [
        ("context",),
        ("context", "--set", "colour=red"),
        ("context", "--set", "side"),
        ("acknowledge",),
        ("amend",),
        ("withdraw",),
    ],
)
def test_a_wrong_call_is_said_in_one_sentence(
    cli: Any, sample_study_dir: Path, call: tuple[str, ...]
) -> None:
    found = cli("record", call[0], sample_study_dir, *call[1:], "--json")
    assert found.code == 2 and set(found.json["error"]) == {"what", "where", "do"}
    assert cli("history", sample_study_dir, "--json").json["versions"] == []


def test_what_was_measured_with_calipers_is_listed_and_told_in_the_history(
    cli: Any, sample_study_dir: Path
) -> None:
    study = open_study(sample_study_dir)
    clip = study.clips[0]
    row, col = clip.picture_region.box[0] + 60.0, clip.picture_region.box[1] + 60.0
    anna = Reader(name="Anna")
    one = measuring.measured(clip, 3, "distance", [(row, col), (row, col + 20)], anna)
    save_record(study, measuring.add_measurement(load_record(study), one), anna)
    (listed,) = cli("targets", "list", sample_study_dir, "--json").json["measurements"]
    assert (listed["file"], listed["frame_index"], listed["kind"]) == (clip.file, 3, "distance")
    assert (listed["value"], listed["unit"]) == (pytest.approx(20 * clip.spacing_mm[1]), "mm")
    assert listed["calibration"]["box"] == list(clip.picture_region.box)
    (version,) = cli("history", sample_study_dir, "--json").json["versions"]
    assert version["changes"] == ["distance with calipers added"]
