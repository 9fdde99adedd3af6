"""The contract of `--json`: keys, types, exit codes, and nothing else on stdout."""

from __future__ import annotations

import inspect
import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_studies import CENTRE, RADIUS_PX, SPACING_MM, tree

HEAVY = ("numpy", "pydicom", "cv2", "scipy", "skimage", "reportlab", "highdicom", "napari", "qtpy")


def process(*args: object, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "veinscan", *map(str, args)],
        capture_output=True,
        check=False,
        timeout=120,
        env={**os.environ, **env},
    )


def test_help_imports_nothing_heavy():
    code = f"""
import sys
from veinscan.cli import main
code = main(["--help"])
print([name for name in {HEAVY!r} if name in sys.modules], code, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[] 0"
    for command in ("open", "inspect", "find", "targets", "sample", "report", "doctor"):
        assert f"\n  {command} " in done.stdout


def test_a_process_prints_one_utf8_object_whatever_its_locale(tiny: Path):
    (tiny / "clips" / "IM_0001").rename(tiny / "clips" / "Bein links \u2013 \u00fc.dcm")
    (tiny / os.fsdecode(b"not utf-8 \xff.txt")).write_text("x")
    done = process("inspect", tiny, "--json", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert "clips/Bein links \u2013 \u00fc.dcm" in [clip["file"] for clip in data["clips"]]
    assert len(data["skipped"]) == 2
    human = process("inspect", tiny, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert human.returncode == 0
    assert human.stderr == b""


def test_a_reader_that_goes_away_is_no_fault(tiny: Path):
    with subprocess.Popen(
        [sys.executable, "-m", "veinscan", "inspect", str(tiny)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        said = running.stderr.read()
        running.wait(timeout=60)
    assert said == b""


def test_version(cli):
    from veinscan import __version__

    called = cli("--version")
    assert (called.code, called.out.strip()) == (0, f"veinscan {__version__}")


def test_inspect(cli, tiny: Path):
    called = cli("inspect", tiny, "--json")
    assert (called.code, called.err) == (0, "")
    data = called.json
    assert set(data) == {"study_instance_uid", "clips", "skipped"}
    assert [clip["file"] for clip in data["clips"]] == ["clips/IM_0001", "clips/IM_0002"]
    calibrated, plain = data["clips"]
    assert set(calibrated) == {
        "file", "sop_instance_uid", "kind", "frames", "rows", "columns", "frame_rate_hz", "transfer_syntax",
        "warnings", "regions",
    }  # fmt: skip
    assert (calibrated["kind"], calibrated["frames"]) == ("bmode", 3)
    assert (calibrated["rows"], calibrated["columns"]) == (240, 320)
    assert calibrated["frame_rate_hz"] == pytest.approx(20)
    assert calibrated["transfer_syntax"] == "1.2.840.10008.1.2.1"
    (region,) = calibrated["regions"]
    assert region == {
        "kind": "tissue",
        "box": [20, 10, 230, 310],
        "spacing_mm": [pytest.approx(SPACING_MM)] * 2,
        "time_step_s": None,
        "velocity_step_cm_s": None,
        "baseline_row": None,
    }
    assert plain["regions"] == [] and plain["warnings"]
    (skipped,) = data["skipped"]
    assert set(skipped) == {"file", "reason"} and skipped["file"] == "notes.txt" and skipped["reason"]


def test_inspect_in_words_names_everything(cli, tiny: Path):
    called = cli("inspect", tiny)
    assert called.code == 0
    for word in (
        "clips/IM_0001",
        "clips/IM_0002",
        "bmode",
        "240 x 320",
        "20.0",
        "0.1000",
        "tissue",
        "notes.txt",
    ):
        assert word in called.out


def test_a_single_file_is_called_by_its_name(cli, tiny: Path):
    data = cli("inspect", tiny / "clips" / "IM_0001", "--json").json
    assert [clip["file"] for clip in data["clips"]] == ["IM_0001"]


def test_find_measures_a_known_vein_in_whole_frame_pixels(cli, sample_study_dir: Path):
    truth = json.loads((sample_study_dir / "truth.json").read_text())
    clip = next(c for c in truth["clips"] if c["file"] == "0001_transverse.dcm")
    called = cli("find", sample_study_dir, "--file", clip["file"], "--json")
    assert (called.code, called.err) == (0, "")
    (entry,) = called.json["clips"]
    assert set(entry) == {
        "file", "sop_instance_uid", "warnings", "settings", "not_validated", "candidates",
    }  # fmt: skip
    assert entry["settings"]["diameters_mm"] == [0.5, 8.0]
    assert entry["not_validated"] == []
    assert sorted(c["order"] for c in entry["candidates"]) == list(range(1, len(entry["candidates"]) + 1))
    met = 0
    for candidate in entry["candidates"]:
        assert set(candidate) >= {
            "id", "frame_indices", "best_frame", "centre", "diameter_mm", "depth_mm", "length_mm",
            "flow_fraction", "score", "order", "order_reasons", "major_mm", "persistence", "compartment",
            "compressibility", "compression", "course", "flow", "evidence", "evidence_words", "warnings",
            "not_validated",
        }  # fmt: skip
        assert candidate["order_reasons"]
        assert candidate["diameter_mm"] <= candidate["major_mm"] + 0.2
        assert candidate["best_frame"] in candidate["frame_indices"]
        assert 0 <= candidate["score"] <= 1
        for vessel in clip["vessels"]:
            known = vessel["frames"].get(str(candidate["best_frame"]))
            if known and math.dist(known["centre"], candidate["centre"]) < 6:
                met += 1
                assert candidate["diameter_mm"] == pytest.approx(known["diameter_mm"], abs=0.8)
                assert candidate["depth_mm"] == pytest.approx(known["depth_mm"], abs=0.8)
                assert candidate["compartment"] in (vessel["compartment"], "unknown")
                if candidate["compressibility"] is not None:
                    assert (candidate["compressibility"] > 0.5) == vessel["compressible"]
    assert met >= 3


def test_a_clip_without_calibration_has_no_candidates_and_says_why(cli, tiny: Path):
    calibrated, plain = cli("find", tiny, "--json").json["clips"]
    assert (calibrated["file"], plain["file"]) == ("clips/IM_0001", "clips/IM_0002")
    assert plain["candidates"] == []
    assert any("calibrat" in warning or "region" in warning for warning in plain["warnings"])


def test_find_takes_one_clip_and_its_limits(cli, tiny: Path):
    data = cli("find", tiny, "--file", "clips/IM_0001", "--max-depth-mm", "5", "--json").json
    assert [clip["file"] for clip in data["clips"]] == ["clips/IM_0001"]
    assert all(c["depth_mm"] <= 5 for c in data["clips"][0]["candidates"])


def test_find_refuses_a_depth_range_or_sensitivity_that_is_none(cli, tiny: Path):
    assert cli("find", tiny, "--sensitivity", "extreme").code == 2
    called = cli("find", tiny, "--min-depth-mm", "30", "--max-depth-mm", "20", "--json")
    assert called.code == 2
    assert "--min-depth-mm" in called.json["error"]["where"]


def test_a_higher_sensitivity_shows_weaker_candidates_too_and_says_so(cli, tiny: Path):
    found = {}
    for name in ("low", "high"):
        (entry,) = cli("find", tiny, "--file", "clips/IM_0001", "--sensitivity", name, "--json").json["clips"]
        found[name] = entry
    assert found["low"]["settings"]["min_score"] > found["high"]["settings"]["min_score"]
    assert {c["id"] for c in found["low"]["candidates"]} <= {c["id"] for c in found["high"]["candidates"]}


def test_targets_are_added_and_listed(cli, tiny: Path):
    before = tree(tiny)
    point = f"{CENTRE[0]},{CENTRE[1]}"
    called = cli(
        "targets", "add", tiny, "--file", "clips/IM_0001", "--frame", "1", "--point", point,
        "--reader", "DEMO", "--set", "side=left", "--set", "notes=medial, a=b", "--json",
    )  # fmt: skip
    assert (called.code, called.err) == (0, "")
    listed = cli("targets", "list", tiny, "--json").json
    for data in (called.json, listed):
        assert set(data) >= {"targets", "sessions", "follow_ups", "version", "heads"}
        assert (data["sessions"], data["follow_ups"], data["version"]) == ([], [], 1)
        assert len(data["heads"]) == 1
        (target,) = data["targets"]
        assert target["file"] == "clips/IM_0001"
        assert (target["frame_index"], target["point"]) == (1, list(CENTRE))
        assert (target["side"], target["vein"], target["marked_by"]) == ("left", "unknown", "DEMO")
        assert target["notes"] == "medial, a=b"
        assert target["diameter_mm"] == pytest.approx(2 * RADIUS_PX * SPACING_MM, abs=0.5)
    after = tree(tiny)
    assert {name: after[name] for name in before} == before
    assert len(after) == len(before) + 1
    human = cli("targets", "list", tiny)
    assert "1 target, version 1" in human.out and "DEMO" in human.out and "medial, a=b" in human.out


def test_the_help_names_fields_that_can_be_set(cli):
    from veinscan.plan.editing import EDITABLE_FIELDS

    said = cli("targets", "add", "--help").out
    named = set(EDITABLE_FIELDS) - {"diameter_source", "depth_source"}
    assert all(field in said for field in named)


def test_an_empty_record_lists_as_version_0(cli, tiny: Path):
    data = cli("targets", "list", tiny, "--json").json
    assert (data["targets"], data["version"], data["heads"]) == ([], 0, [])


def test_the_reader_is_the_option_then_the_settings_then_the_user(cli, tiny: Path, monkeypatch):
    def marked_by(*options: str) -> str:
        place = ("--file", "clips/IM_0001", "--frame", "0", "--point", "60,60")
        called = cli("targets", "add", tiny, *place, *options, "--json")
        return str(called.json["targets"][-1]["marked_by"])

    monkeypatch.setenv("LOGNAME", "night-shift")
    assert marked_by() == "night-shift"
    monkeypatch.setenv("VEINSCAN_READER", "Doe^Jane")
    assert marked_by() == "Doe^Jane"
    assert marked_by("--reader", "Roe^Richard") == "Roe^Richard"


def test_report(cli, tiny: Path, tmp_path: Path):
    out = tmp_path / "plan.pdf"
    data = cli("report", tiny, "-o", out, "--json").json
    assert data == {"file": str(out), "pages": 1}
    assert out.read_bytes().startswith(b"%PDF-")


def test_sample_is_one_study_with_its_truth(cli, tmp_path: Path, sample_study_dir: Path, monkeypatch):
    import veinscan.phantom

    signature = inspect.signature(veinscan.phantom.make_study)

    def quick(*args: object, **kwargs: object) -> list[Path]:
        """The study in the repository, which is made by the real function and takes seconds to make."""
        folder = Path(str(signature.bind(*args, **kwargs).args[0]))
        return [Path(shutil.copy(path, folder / path.name)) for path in sorted(sample_study_dir.iterdir())]

    monkeypatch.setattr(veinscan.phantom, "make_study", quick)
    called = cli("sample", tmp_path / "made", "--seed", "3", "--json")
    files = [Path(name) for name in called.json["files"]]
    assert all(path.is_file() and path.parent == tmp_path / "made" for path in files)
    assert sum(path.suffix == ".dcm" for path in files) >= 4
    assert (tmp_path / "made" / "truth.json") in files
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    data = cli("inspect", tmp_path / "made", "--json").json
    assert len(data["clips"]) == sum(path.suffix == ".dcm" for path in files)


def test_doctor(cli):
    called = cli("doctor", "--json")
    data = called.json
    assert called.code == 0 and data["ok"]
    assert data["versions"]["pydicom"] and data["versions"]["python"]
    assert len(data["transfer_syntaxes"]) >= 10
    assert all(syntax["works"] for syntax in data["transfer_syntaxes"])
    assert data["settings"]["values"]["page_size"] == "A4"
    for problem in data["problems"]:
        assert problem["what"] and problem["do"] and not problem["matters"]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_study_that_cannot_be_written_says_where_its_record_went(
    cli, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
):
    from veinscan.record import store

    make_folder = store.make_folder

    def read_only(folder: Path, *, private: bool = False) -> None:
        if folder.is_relative_to(tiny):
            raise store.NotWritableError("not saved: read-only file system", where=str(folder))
        make_folder(folder, private=private)

    monkeypatch.setattr(store, "make_folder", read_only)
    monkeypatch.setattr(store, "user_folder", lambda uid: tmp_path / "mine" / uid)
    before = tree(tiny)
    called = cli(
        "targets", "add", tiny, "--file", "clips/IM_0001", "--frame", "1",
        "--point", f"{CENTRE[0]},{CENTRE[1]}", *options,
    )  # fmt: skip
    assert called.code == 0 and tree(tiny) == before
    (saved,) = (tmp_path / "mine").rglob("*.dcm")
    assert "cannot be written" in called.err and str(saved) in called.err
    assert called.err.count("\n") == 1
    if options:
        assert called.json["saved"] == str(saved)
