from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.plan import editing
from veinscan.plan.model import Reader
from veinscan.plan.normal import normalised
from veinscan.plan.strips import (
    axes_of,
    remove_strip_calibrations,
    set_strip_calibration,
    strip_calibrations_of,
)

ANNA = Reader(name="Anna")
CLIP: Any = SimpleNamespace(sop_instance_uid="1.2.4", regions=())
CLICKS: dict[str, Any] = {
    "box": (20, 10, 220, 610),
    "point_a": (40.0, 10.0),
    "value_a": 60.0,
    "time_a_s": -6.0,
    "point_b": (190.0, 510.0),
    "value_b": -15.0,
    "time_b_s": -1.0,
}


def test_two_clicks_are_kept_with_who_made_them_and_give_the_axes_again() -> None:
    record = set_strip_calibration(editing.new_record("1.2.3"), CLIP, ANNA, **CLICKS, wrap_column=300)
    (kept,) = strip_calibrations_of(record, CLIP)
    assert (kept.set_by, kept.wrap_column) == ("Anna", 300)
    assert kept.set_at is not None
    axes = axes_of(CLIP, kept)
    assert (axes.time_step_s, axes.value_step, axes.baseline_row) == (0.01, 0.5, 160.0)
    assert axes.source == "clicks"
    assert normalised(record) == record
    assert remove_strip_calibrations(record, CLIP).strip_calibrations == ()


def test_a_later_calibration_of_the_same_strip_replaces_it() -> None:
    record = set_strip_calibration(editing.new_record("1.2.3"), CLIP, ANNA, **CLICKS)
    record = set_strip_calibration(record, CLIP, Reader(name="Ben"), **(CLICKS | {"value_a": 30.0}))
    record = set_strip_calibration(record, CLIP, ANNA, **(CLICKS | {"box": (300, 10, 400, 610)}))
    assert [one.set_by for one in record.strip_calibrations] == ["Ben", "Anna"]


@pytest.mark.parametrize(
    "wrong", [{"point_b": (40.0, 510.0)}, {"time_b_s": -6.0}, {"value_b": 60.0}, {"time_b_s": -9.0}]
)
def test_clicks_that_make_no_axis_are_not_kept(wrong: dict[str, Any]) -> None:
    with pytest.raises(CalibrationError):
        set_strip_calibration(editing.new_record("1.2.3"), CLIP, ANNA, **(CLICKS | wrong))
    with pytest.raises(InvalidInputError):
        set_strip_calibration(editing.new_record("1.2.3"), CLIP, Reader(name=" "), **CLICKS)
