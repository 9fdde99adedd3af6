"""A study opened with its record has on its clips what readers calibrated by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from veinscan.dicom import open_study
from veinscan.plan.clips import set_calibration
from veinscan.plan.context import ClipCalibration
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Reader, Record
from veinscan.record import load_record, open_with_record, save_record, with_record
from veinscan.record.opening import with_calibrations

ANNA = Reader(name="Anna")


def calibrated(record: Record, uid: str, box: tuple[int, int, int, int]) -> Record:
    row0, col0, _, _ = box
    return set_calibration(
        record, uid, ANNA, box=box, spacing_mm=(0.25, 0.25),
        point_a=(row0 + 10, col0 + 10), point_b=(row0 + 50, col0 + 10), known_mm=10.0,
    )  # fmt: skip


def test_a_calibration_of_the_record_is_on_the_clip_when_the_study_is_opened(sample_study_dir: Path) -> None:
    study = open_study(sample_study_dir)
    clip = next(clip for clip in study.clips if clip.picture_region is not None)
    assert clip.picture_region is not None
    box = clip.picture_region.box
    assert clip.spacing_mm != (0.25, 0.25)
    save_record(study, calibrated(load_record(study), clip.sop_instance_uid, box), ANNA)
    again, record, problems = open_with_record(sample_study_dir)
    assert again.clip(clip.file).spacing_mm == pytest.approx((0.25, 0.25))
    (manual,) = again.clip(clip.file).manual_calibrations
    assert (manual.set_by, manual.known_mm, manual.points) == (
        "Anna",
        10.0,
        ((box[0] + 10, box[1] + 10), (box[0] + 50, box[1] + 10)),
    )
    assert len(record.calibrations) == 1 and problems == ()
    others = [one for one in again.clips if one.file != clip.file]
    assert [one.spacing_mm for one in others] == [study.clip(one.file).spacing_mm for one in others]
    assert with_record(study).study.clip(clip.file).spacing_mm == again.clip(clip.file).spacing_mm


def test_a_calibration_that_fits_no_more_is_told_and_stops_nothing(sample_study_dir: Path) -> None:
    study = open_study(sample_study_dir)
    clip = next(clip for clip in study.clips if clip.picture_region is not None)
    one = ClipCalibration(
        sop_instance_uid=clip.sop_instance_uid, box=(0, 0, 99_999, 99_999), spacing_mm=(0.25, 0.25),
        point_a=(10.0, 10.0), point_b=(50.0, 10.0), known_mm=10.0,
    )  # fmt: skip
    gone = replace(one, sop_instance_uid=new_uid())
    found, problems = with_calibrations(study, [one, gone])
    assert len(problems) == 1
    assert found.clip(clip.file).spacing_mm == clip.spacing_mm
