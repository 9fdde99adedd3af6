"""The scale of a colour bar in the record: saved, put back on opening, told when it fits no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from veinscan.dicom import Clip, ClipKind, open_study
from veinscan.dicom.calibration import ManualColourScale
from veinscan.doppler import bar_of, flow_of
from veinscan.errors import InvalidInputError
from veinscan.plan.colour_scales import colour_scale_of, set_colour_scale
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Reader
from veinscan.record import load_record, open_with_record, save_record
from veinscan.record.opening import with_calibrations

ANNA = Reader(name="Anna")


def colour_clip(folder: Path) -> Clip:
    return next(clip for clip in open_study(folder).clips if clip.kind is ClipKind.COLOUR)


def test_a_scale_of_the_record_is_on_the_clip_when_the_study_is_opened(sample_study_dir: Path) -> None:
    study, clip = open_study(sample_study_dir), colour_clip(sample_study_dir)
    before = flow_of(clip, 0)
    bar = bar_of(clip)
    assert bar is not None and bar.top is not None and bar.bottom is not None
    record = set_colour_scale(load_record(study), clip, ANNA, top=2 * bar.top, bottom=2 * bar.bottom)
    save_record(study, record, ANNA)
    again, kept, problems = open_with_record(sample_study_dir)
    found = again.clip(clip.file)
    assert problems == ()
    assert colour_scale_of(kept, found) == colour_scale_of(record, clip)
    assert any("colour scale given by a reader" in warning for warning in found.warnings)
    after = flow_of(found, 0)
    assert after.source == "given" and before.source != "given"
    np.testing.assert_allclose(after.flow_cm_s, 2 * before.flow_cm_s, rtol=1e-4)
    others = [one for one in again.clips if one.file != clip.file]
    assert all(one.colour_scale is None for one in others)


def test_a_calibration_in_mm_keeps_the_colour_scale(sample_study_dir: Path) -> None:
    study, clip = open_study(sample_study_dir), colour_clip(sample_study_dir)
    record = set_colour_scale(load_record(study), clip, ANNA, top=20, bottom=-20)
    study, _ = with_calibrations(study, (), record.colour_scales)
    both = study.clip(clip.file).calibrated(by="Anna", spacing_mm=(0.1, 0.1))
    assert both.colour_scale is not None and both.spacing_mm == (0.1, 0.1)


def test_a_scale_that_fits_no_more_is_told_and_stops_nothing(sample_study_dir: Path) -> None:
    study, clip = open_study(sample_study_dir), colour_clip(sample_study_dir)
    record = set_colour_scale(load_record(study), clip, ANNA, top=20, bottom=-20)
    (one,) = record.colour_scales
    wrong = replace(one, box=(0, 0, 99_999, 99_999))
    gone = replace(one, sop_instance_uid=new_uid())
    found, problems = with_calibrations(study, (), [wrong, gone])
    assert len(problems) == 1 and isinstance(problems[0], InvalidInputError)
    assert found.clip(clip.file).colour_scale is None
    other = ManualColourScale(sop_instance_uid="1.2.3", box=(0, 0, 9, 9), top=1.0, bottom=-1.0)
    with pytest.raises(InvalidInputError):
        clip.with_colour_scale(other)
