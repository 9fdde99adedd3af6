"""The whole way on the phantom: open, click, save, open again; a folder, a zip and a single file."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from veinscan.candidates import find_in_clip
from veinscan.dicom import open_study
from veinscan.plan import editing
from veinscan.plan.as_json import record_json
from veinscan.plan.model import Decision, Reader
from veinscan.record import history, load_record, save_record

READER = Reader(name="DEMO")


def scripted(folder: Path) -> dict[str, object]:
    return json.loads((folder / "truth.json").read_text("utf-8"))["scripted_target"]


@pytest.mark.parametrize("form", ["folder", "file", "zip"])
def test_the_scripted_target_is_there_when_the_study_is_opened_again(
    sample_study_dir: Path, tmp_path: Path, form: str
) -> None:
    script = scripted(sample_study_dir)
    path, beside = sample_study_dir, sample_study_dir
    if form == "file":
        path = sample_study_dir / str(script["file"])
    elif form == "zip":
        path, beside = tmp_path / "zipped" / "study.zip", tmp_path / "zipped"
        beside.mkdir()
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(sample_study_dir.glob("*.dcm")):
                archive.write(file, file.name)
    before = {file: file.read_bytes() for file in beside.iterdir() if file.is_file()}
    study = open_study(path)
    clip = study.clip(str(script["file"]))
    values = {name: script[name] for name in ("side", "vein", "notes")}
    target = editing.target_at_point(clip, script["frame_index"], script["point"], READER, **values)  # type: ignore[arg-type]
    saved = save_record(study, editing.add_target(load_record(study), target), READER)
    assert saved.path.parent == beside / "veinscan"
    again = open_study(path)
    loaded = load_record(again)
    assert loaded == saved.record
    (found,) = loaded.targets
    assert found.point == pytest.approx(script["point"], abs=1e-4)
    assert (found.side, found.vein, found.notes) == (script["side"], script["vein"], script["notes"])
    assert found.diameter_mm is not None and found.depth_mm is not None
    assert record_json(loaded, again)["targets"][0]["file"] == clip.file
    assert saved.path in again.record_paths
    assert len(again.clips) == len(study.clips) and len(again.skipped) == len(study.skipped)
    assert {file: file.read_bytes() for file in before} == before
    if shutil.which("dciodvfy"):
        run = subprocess.run(["dciodvfy", str(saved.path)], capture_output=True, check=False)
        assert run.returncode == 0
        assert b"\nError" not in b"\n" + run.stderr + run.stdout


def test_a_plan_that_travels_in_a_zip_is_read_from_it_and_goes_on(
    sample_study_dir: Path, tmp_path: Path
) -> None:
    script = scripted(sample_study_dir)
    study = open_study(sample_study_dir)
    clip = study.clip(str(script["file"]))
    target = editing.target_at_point(clip, script["frame_index"], script["point"], READER)  # type: ignore[arg-type]
    saved = save_record(study, editing.add_target(load_record(study), target), READER)
    (tmp_path / "elsewhere").mkdir()
    packed = tmp_path / "elsewhere" / "study.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(sample_study_dir.rglob("*.dcm")):
            archive.write(file, file.relative_to(sample_study_dir).as_posix())
    there = open_study(packed)
    loaded = load_record(there)
    assert loaded == saved.record
    following = save_record(there, loaded, READER)
    assert (following.record.version, following.path.parent) == (2, packed.parent / "veinscan")
    assert load_record(open_study(packed)) == following.record
    assert [entry.version for entry in history(there)] == [1, 2]


def test_candidates_become_targets_and_labels(sample_study_dir: Path) -> None:
    study = open_study(sample_study_dir)
    clip = next(entry for entry in study.clips if entry.picture_region is not None)
    found = find_in_clip(clip).candidates
    assert found
    record = load_record(study)
    for candidate in found[:3]:
        record = editing.review(record, clip, candidate, Decision.VEIN, READER)
        target = editing.target_from_candidate(clip, candidate, READER)
        assert editing.depth_mm(clip, target.point) >= (target.depth_mm or 0) - 0.5
        record = editing.add_target(record, target)
    saved = save_record(study, record, READER)
    assert load_record(open_study(sample_study_dir)) == saved.record
    assert len(history(study)) == 1


def test_nothing_is_left_beside_a_study_that_was_only_looked_at(sample_study_dir: Path) -> None:
    before = sorted(sample_study_dir.iterdir())
    study = open_study(sample_study_dir)
    load_record(study)
    history(study)
    assert sorted(sample_study_dir.iterdir()) == before


def test_the_record_of_one_clip_names_targets_on_clips_that_are_not_open(sample_study_dir: Path) -> None:
    script = scripted(sample_study_dir)
    study = open_study(sample_study_dir)
    target = editing.target_at_point(
        study.clip(str(script["file"])),
        script["frame_index"],  # type: ignore[arg-type]
        script["point"],  # type: ignore[arg-type]
        READER,
    )
    saved = save_record(study, editing.add_target(load_record(study), target), READER)
    other = next(entry.file for entry in study.clips if entry.file != script["file"])
    alone = open_study(sample_study_dir / other)
    loaded = load_record(alone)
    assert loaded == saved.record
    assert record_json(loaded, alone)["targets"][0]["file"] is None
    again = save_record(alone, loaded, READER)
    assert load_record(study) == again.record
