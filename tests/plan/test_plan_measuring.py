"""Calipers: what is measured, with which scale it is kept, and what is refused with the reason."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veinscan.dicom.model import Region, RegionKind
from veinscan.errors import CalibrationError, InvalidInputError, RecordError
from veinscan.plan import editing, measuring
from veinscan.plan.as_json import record_json
from veinscan.plan.exchange import import_plan, parse_plan, plan_text
from veinscan.plan.model import Measurement, Reader
from veinscan.plan.regions import time_s, velocity_cm_s
from veinscan.plan.strips import set_strip_calibration, strip_calibrations_of

ANNA = Reader(name="Anna")
PICTURE = Region(
    kind=RegionKind.TISSUE, box=(0, 0, 100, 200), spacing_mm=(0.1, 0.2), skin_row=10.0, units=("mm", "mm")
)
OTHER = replace(PICTURE, box=(0, 200, 100, 400), spacing_mm=(0.3, 0.3))
STRIP = Region(
    kind=RegionKind.SPECTRAL_PW,
    box=(100, 0, 200, 400),
    time_step_s=0.01,
    velocity_step_cm_s=0.5,
    baseline_row=150.0,
    up_is_positive=True,
    units=("cm/s", "s"),
)
M_MODE = Region(
    kind=RegionKind.M_MODE,
    box=(200, 0, 300, 400),
    time_step_s=0.02,
    units=("mm", "s"),
    deltas=(0.25, 0.02),
)


in_m_mode = st.tuples(st.floats(200, 299), st.floats(0, 399))


def clip_of(*regions: Region) -> Any:
    return SimpleNamespace(
        sop_instance_uid="1.2.4",
        file="a.dcm",
        n_frames=3,
        rows=300,
        columns=400,
        regions=regions,
        picture_region=next((region for region in regions if region.is_picture), None),
    )


CLIP = clip_of(PICTURE, OTHER, STRIP, M_MODE)
STUDY: Any = SimpleNamespace(study_instance_uid="1.2.3", clips=(CLIP,), clip=lambda uid: CLIP)
in_picture = st.tuples(st.floats(12, 99), st.floats(0, 199))
in_strip = st.tuples(st.floats(100, 199), st.floats(0, 399))


@given(in_picture, in_picture, in_strip, in_strip)
def test_every_kind_follows_from_its_points_and_the_scale_that_is_kept(
    a: Any, b: Any, c: Any, d: Any
) -> None:
    def take(kind: str, *points: Any) -> Measurement | None:
        try:
            return measuring.measured(CLIP, 1, kind, points, ANNA)
        except InvalidInputError as error:
            assert "from 0" in str(error) or "above 0" in str(error)
            return None

    found = {
        "distance": take("distance", a, b),
        "depth": take("depth", a, b),
        "from_skin": take("depth", b),
        "time": take("time", c, d),
        "velocity": take("velocity", c),
    }
    expected = {
        "distance": math.hypot((a[0] - b[0]) * 0.1, (a[1] - b[1]) * 0.2),
        "depth": abs(a[0] - b[0]) * 0.1,
        "from_skin": (b[0] - 10.0) * 0.1,
        "time": abs(c[1] - d[1]) * 0.01,
        "velocity": (150.0 - c[0]) * 0.5,
    }
    for name, one in found.items():
        if one is None:
            assert expected[name] < 1e-3  # two clicks at one place are no measurement
            continue
        assert one.value == pytest.approx(expected[name], abs=1e-3)
        assert measuring.value_of(one) == one.value
        assert one.unit == {"time": "s", "velocity": "cm/s"}.get(name, "mm")
        assert (one.frame_index, one.set_by) == (1, "Anna")
        record = measuring.add_measurement(editing.new_record("1.2.3"), one)
        assert record.measurements == (one,), "it was not in the form that is kept"
        # through the plan as a file, and back
        assert (
            import_plan(editing.new_record("1.2.3"), parse_plan(plan_text(record, "1.2.3")), STUDY) == record
        )


def test_a_depth_is_straight_down_whatever_column_the_skin_was_clicked_in() -> None:
    found = measuring.measured(CLIP, 0, "depth", [(20.0, 5.0), (60.0, 90.0)], ANNA)
    assert (found.point_a, found.point_b, found.value) == ((20.0, 90.0), (60.0, 90.0), pytest.approx(4.0))


def test_a_velocity_is_signed_by_the_strip_and_its_scale_tells_so() -> None:
    down = clip_of(replace(STRIP, up_is_positive=False))
    assert velocity_cm_s(CLIP, (140.0, 10.0)) == 5.0
    assert velocity_cm_s(down, (140.0, 10.0)) == -5.0
    kept = measuring.measured(down, 0, "velocity", [(140.0, 10.0)], ANNA)
    assert kept.strip is not None and kept.strip.velocity_step_cm_s == 0.5
    assert time_s(CLIP, (250.0, 300.0), (260.0, 100.0)) == pytest.approx(4.0), "M-mode has times"


@pytest.mark.parametrize(
    ("regions", "kind", "points", "reason"),
    [
        ((PICTURE, OTHER), "distance", [(50, 100), (50, 300)], "different regions.*its own scale"),
        ((PICTURE, STRIP), "distance", [(50, 100), (150, 100)], "one on the picture, the other on a spec"),
        ((PICTURE, STRIP), "time", [(150, 100), (50, 100)], "one on a spectral strip, the other on the pic"),
        ((STRIP, M_MODE), "time", [(150, 10), (250, 20)], "different regions"),
        ((STRIP,), "diameter", [(110, 10), (120, 10)], "lies on a spectral strip.*time or velocity"),
        ((PICTURE,), "time", [(10, 10), (10, 20)], "lies on the picture"),
        ((PICTURE,), "velocity", [(250, 10)], "no strip that the file describes"),
        ((M_MODE,), "velocity", [(250, 10)], "M-mode strip shows no velocities"),
        ((replace(PICTURE, spacing_mm=None),), "distance", [(10, 10), (20, 10)], "no calibration in mm"),
        ((replace(PICTURE, spacing_mm=None),), "depth", [(20, 10)], "no calibration in mm"),
        ((replace(STRIP, velocity_step_cm_s=None, frequency_step_hz=40.0),), "velocity", [(150, 1)], "in Hz"),
        ((replace(STRIP, baseline_row=None),), "velocity", [(150, 1)], "no usable baseline"),
        ((replace(STRIP, velocity_step_cm_s=None),), "velocity", [(150, 1)], "no usable velocity scale"),
        ((replace(STRIP, time_step_s=None),), "time", [(150, 1), (150, 9)], "no usable time scale"),
        ((replace(STRIP, flags=16),), "time", [(150, 1), (150, 9)], "time jumps"),
    ],
)  # fmt: skip
def test_refusals_say_why(regions: Any, kind: str, points: Any, reason: str) -> None:
    with pytest.raises(CalibrationError, match=reason) as caught:
        measuring.measured(clip_of(*regions), 0, kind, points, ANNA)
    assert caught.value.do, "it does not say what to do"


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("depth", [(5, 10)]),  # above the skin
        ("distance", [(5, 10)]),
        ("velocity", [(150, 10), (150, 20)]),
        ("distance", [(float("nan"), 10), (5, 10)]),
        ("distance", [(50, 10), (50, 10)]),
        ("girth", [(50, 10), (50, 20)]),
        ("distance", [(50, 10), (-50, 10)]),
    ],
)
def test_what_is_no_measurement_is_refused(kind: str, points: Any) -> None:
    with pytest.raises(InvalidInputError):
        measuring.measured(CLIP, 0, kind, points, ANNA)
    for frame, reader in ((3, ANNA), (0, Reader(name=" "))):
        with pytest.raises(InvalidInputError):
            measuring.measured(CLIP, frame, "distance", [(50, 10), (60, 10)], reader)


def test_a_strip_calibrated_by_hand_is_measured_by_hand() -> None:
    bare = clip_of()
    record = set_strip_calibration(
        editing.new_record("1.2.3"), bare, ANNA, box=(100, 10, 200, 310), point_a=(110.0, 10.0), value_a=40.0,
        time_a_s=0.0, point_b=(190.0, 210.0), value_b=-40.0, time_b_s=4.0, wrap_column=200,
    )  # fmt: skip
    by_hand = strip_calibrations_of(record, bare)
    found = measuring.measured(bare, 0, "velocity", [(130.0, 20.0)], ANNA, calibrations=by_hand)
    assert found.value == pytest.approx(20.0)
    assert found.strip is not None and found.strip.calibrated_by == "clicks"
    assert time_s(bare, (130.0, 20.0), (130.0, 120.0), by_hand) == pytest.approx(2.0)
    with pytest.raises(CalibrationError, match="time jumps"):
        time_s(bare, (130.0, 20.0), (130.0, 220.0), by_hand)
    with pytest.raises(CalibrationError, match="outside the strip"):
        time_s(bare, (130.0, 20.0), (130.0, 350.0), by_hand)
    in_hz = tuple(replace(one, unit="Hz") for one in by_hand)
    with pytest.raises(CalibrationError, match="in Hz"):
        velocity_cm_s(bare, (130.0, 20.0), in_hz)


def test_kept_noted_listed_and_taken_away() -> None:
    one = measuring.measured(CLIP, 2, "diameter", [(30.0, 50.0), (60.0, 50.0)], ANNA)
    record = measuring.add_measurement(editing.new_record("1.2.3"), one)
    with pytest.raises(RecordError, match="already"):
        measuring.add_measurement(record, one)
    record = measuring.note_measurement(record, one.id, "at the junction")
    (listed,) = record_json(record, STUDY)["measurements"]
    assert (listed["kind"], listed["value"], listed["unit"]) == ("diameter", pytest.approx(3.0), "mm")
    assert (listed["file"], listed["frame_index"], listed["notes"]) == ("a.dcm", 2, "at the junction")
    assert [m.id for m in measuring.measurements_of(record, CLIP)] == [one.id]
    assert measuring.measurements_of(record, "1.2.5") == ()
    assert measuring.remove_measurement(record, one.id).measurements == ()
    for act in (measuring.remove_measurement, measuring.find_measurement):
        with pytest.raises(RecordError, match="no measurement"):
            act(record, "1.2.3.4")


@pytest.mark.parametrize(
    "wrong",
    [{"value": 30.0}, {"value": -3.0}, {"calibration": None}, {"point_b": None}, {"frame_index": 3},
     {"sop_instance_uid": "1.2.9"}],
)  # fmt: skip
def test_a_plan_whose_measurement_does_not_agree_is_refused(wrong: dict[str, Any]) -> None:
    one = measuring.measured(CLIP, 2, "diameter", [(30.0, 50.0), (60.0, 50.0)], ANNA)
    record = replace(editing.new_record("1.2.3"), measurements=(replace(one, **wrong),))
    with pytest.raises(InvalidInputError):
        import_plan(editing.new_record("1.2.3"), parse_plan(plan_text(record, "1.2.3")), STUDY)


@given(in_m_mode, in_m_mode, st.sampled_from(["distance", "diameter", "depth"]))
def test_lengths_down_an_m_mode_are_of_rows_alone_and_keep_its_scale(a: Any, b: Any, kind: str) -> None:
    if abs(a[0] - b[0]) < 1:
        b = (a[0] - 2 if a[0] > 250 else a[0] + 2, b[1])
    found = measuring.measured(CLIP, 0, kind, [a, b], ANNA)
    assert found.value == pytest.approx(abs(a[0] - b[0]) * 0.25, abs=1e-3)
    assert (found.unit, found.calibration) == ("mm", None)
    assert found.strip is not None
    assert (found.strip.depth_step_mm, found.strip.box) == (0.25, M_MODE.box)
    assert found.point_b is not None
    assert found.point_a[1] == found.point_b[1], "drawn straight down: columns are times"
    text = plan_text(measuring.add_measurement(editing.new_record(STUDY), found), "1.2.3")
    (again,) = import_plan(editing.new_record(STUDY), parse_plan(text), STUDY).measurements
    assert again == found


def test_an_m_mode_without_a_depth_scale_measures_no_length() -> None:
    blind = clip_of(replace(M_MODE, deltas=(None, 0.02)))
    with pytest.raises(CalibrationError, match="no usable depth scale"):
        measuring.measured(blind, 0, "distance", [(210, 10), (220, 10)], ANNA)
    with pytest.raises(CalibrationError, match="M-mode"):
        measuring.measured(CLIP, 0, "depth", [(250, 10)], ANNA)
    with pytest.raises(CalibrationError, match="different regions"):
        measuring.measured(CLIP, 0, "distance", [(250, 10), (50, 10)], ANNA)
