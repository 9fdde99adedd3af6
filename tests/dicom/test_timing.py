"""The time axis of a clip and the order of clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from us_files import STUDY, save, speckle, us

from veinscan.dicom import open_study
from veinscan.dicom.timing import time_axis

VECTOR, STEP = 0x00181065, 0x00181063


def axis(frames=5, **tags):
    return time_axis(us(frames, **{"FrameTime": None, "FrameIncrementPointer": None, **tags}), frames)


def test_frame_time_in_ms():
    """FrameTime (0018,1063), named by FrameIncrementPointer (C.7.6.6.1.1)."""
    found = axis(FrameTime=40.0, FrameIncrementPointer=STEP)
    assert found.times_s == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])
    assert found.rate_hz == pytest.approx(25)
    assert found.warnings == ()


@pytest.mark.parametrize("first", [0.0, 33.3])
def test_frame_time_vector_begins_with_an_increment_of_no_interval(first):
    """C.7.6.5.1.2: the first frame has increment 0; an ACUSON writes one all the same."""
    found = axis(FrameTimeVector=[first, 20, 30, 40, 10], FrameIncrementPointer=VECTOR, FrameTime=99.0)
    assert found.times_s == pytest.approx([0, 0.02, 0.05, 0.09, 0.10])
    assert found.rate_hz == pytest.approx(40)


@given(st.lists(st.floats(1, 200), min_size=2, max_size=30))
def test_times_start_at_zero_and_ascend(steps):
    found = axis(len(steps), FrameTimeVector=[f"{s:.3f}" for s in steps], FrameIncrementPointer=VECTOR)
    assert found.times_s is not None
    assert found.times_s[0] == 0
    assert found.times_s.dtype == np.float64
    assert np.all(np.diff(found.times_s) > 0)
    assert np.diff(found.times_s) * 1000 == pytest.approx([round(s, 3) for s in steps[1:]])


def test_vector_of_wrong_length_is_said():
    """FrameTimeVector has one value a frame (C.7.6.5)."""
    found = axis(FrameTimeVector=[20, 20, 20, 20], FrameIncrementPointer=VECTOR)
    assert found.times_s == pytest.approx([0, 0.02, 0.04, 0.06, 0.08])
    assert any("one entry short" in w for w in found.warnings)
    found = axis(FrameTimeVector=[0, 20], FrameIncrementPointer=VECTOR, CineRate=10)
    assert found.rate_hz == 10
    assert any("2 entries for 5 frames" in w for w in found.warnings)
    found = axis(FrameTimeVector=[0, 20, -30, 20, 20], FrameIncrementPointer=VECTOR, FrameTime=50.0)
    assert found.rate_hz == pytest.approx(20)


@pytest.mark.parametrize(
    ("tags", "rate"),
    [
        ({"RecommendedDisplayFrameRate": 30, "CineRate": 10}, 30),
        ({"CineRate": 10, "ActualFrameDuration": 50}, 10),
        ({"ActualFrameDuration": 50}, 20),
    ],
)
def test_rates_stand_in_where_no_frame_time_is_given(tags, rate):
    """RecommendedDisplayFrameRate, CineRate, ActualFrameDuration (C.7.6.5)."""
    found = axis(**tags)
    assert found.rate_hz == pytest.approx(rate)
    assert found.times_s == pytest.approx(np.arange(5) / rate)
    assert any("no frame time" in w for w in found.warnings)


@pytest.mark.parametrize("bad", [0.0, -40.0])
def test_no_time_at_all_is_none_and_a_warning(bad):
    """FrameTime is of type 1C (C.7.6.5)."""
    for found in (axis(), axis(FrameTime=bad, FrameIncrementPointer=STEP)):
        assert found.times_s is None
        assert found.rate_hz is None
        assert any("does not say when" in w for w in found.warnings)


def test_still_has_one_time_and_no_rate():
    found = axis(1)
    assert found.times_s == pytest.approx([0])
    assert found.rate_hz is None
    assert found.warnings == ()


def make(folder: Path, name: str, **tags) -> None:
    save(us(**tags), folder / name, speckle().tobytes())


def order(folder: Path) -> list[str]:
    return [clip.file for clip in open_study(folder).clips]


def test_clips_of_all_series_in_the_order_they_were_taken(tmp_path):
    """AcquisitionDateTime, else AcquisitionDate and Time, else ContentDate and Time (C.7.6.1)."""
    make(
        tmp_path,
        "a.dcm",
        SeriesInstanceUID=STUDY + ".9",
        SeriesNumber=9,
        AcquisitionDateTime="20250102101500",
    )
    make(tmp_path, "b.dcm", AcquisitionDate="20250102", AcquisitionTime="100000.5", ContentTime="235959")
    make(tmp_path, "c.dcm", ContentDate="20250102", ContentTime="1010")
    make(tmp_path, "d.dcm", ContentDate="20250101", ContentTime="235959")
    assert order(tmp_path) == ["d.dcm", "b.dcm", "c.dcm", "a.dcm"]


def test_equal_times_go_by_instance_number(tmp_path):
    for name, number in (("a.dcm", 10), ("b.dcm", 9), ("c.dcm", 1)):
        make(tmp_path, name, InstanceNumber=number, ContentDate="20250101", ContentTime="120000")
    assert order(tmp_path) == ["c.dcm", "b.dcm", "a.dcm"]


def test_missing_times_follow_their_series(tmp_path):
    make(tmp_path, "a.dcm", InstanceNumber=1, ContentDate="20250101", ContentTime="120000")
    make(tmp_path, "b.dcm", InstanceNumber=2)
    make(tmp_path, "c.dcm", InstanceNumber=3, ContentDate="20250101", ContentTime="120500")
    make(
        tmp_path,
        "d.dcm",
        SeriesInstanceUID=STUDY + ".2",
        SeriesNumber=2,
        InstanceNumber=1,
        ContentDate="20250101",
        ContentTime="120100",
    )
    assert order(tmp_path) == ["a.dcm", "b.dcm", "d.dcm", "c.dcm"]


def test_no_times_at_all_go_by_series_and_instance_number(tmp_path):
    make(tmp_path, "a.dcm", SeriesInstanceUID=STUDY + ".2", SeriesNumber=2, InstanceNumber=1)
    make(tmp_path, "b.dcm", SeriesNumber=1, InstanceNumber=20)
    make(tmp_path, "c.dcm", SeriesNumber=1, InstanceNumber=3)
    assert order(tmp_path) == ["c.dcm", "b.dcm", "a.dcm"]


@pytest.mark.parametrize("bad", ["", "noon", "99", "12:61:xx"])
def test_times_that_are_none_do_not_disturb(tmp_path, bad):
    make(tmp_path, "a.dcm", InstanceNumber=1, ContentDate="2025", ContentTime=bad)
    make(tmp_path, "b.dcm", InstanceNumber=2, ContentDate="20250101", ContentTime="120000")
    assert order(tmp_path) == ["a.dcm", "b.dcm"]
