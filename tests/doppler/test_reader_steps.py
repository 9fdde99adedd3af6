"""What a reader does with a strip: clicks, polarity, marks; and the curves that are drawn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hard_strips import region_of

from veinscan.doppler import (
    axes_from_region,
    calibrate_strip,
    confirm_polarity,
    curves,
    measure_reflux,
    move_marks,
    read_strip,
)
from veinscan.errors import InvalidInputError


@pytest.fixture(scope="module")
def strip() -> Any:
    import hard_strips

    made = hard_strips.make(302, "reflux")
    return read_strip(made.frame, axes_from_region(region_of(made)))


@pytest.fixture(scope="module")
def found(strip: Any) -> Any:
    return measure_reflux(strip)


def test_moved_marks_stand_beside_the_measured_ones(strip: Any, found: Any) -> None:
    moved = move_marks(strip, found, "Anna", onset_s=found.onset_s + 0.1, end_s=found.end_s - 0.2)
    assert moved.duration_s == pytest.approx(found.reflux_s - 0.3)
    assert (moved.reflux_s, moved.onset_s, moved.end_s) == (found.reflux_s, found.onset_s, found.end_s)
    assert (moved.corrected_by, moved.is_corrected, found.is_corrected) == ("Anna", True, False)
    assert moved.attempts[found.attempt - 1].corrected_by == "Anna"
    # only the end: the measured onset still counts
    assert move_marks(strip, found, "Anna", end_s=found.end_s).duration_s == pytest.approx(found.reflux_s)


def test_an_end_moved_to_the_newest_edge_is_a_lower_bound(strip: Any, found: Any) -> None:
    moved = move_marks(strip, found, "Anna", end_s=float(strip.times_s[-1]))
    assert moved.duration_is_lower_bound
    assert not found.duration_is_lower_bound
    back = move_marks(strip, moved, "Anna", end_s=found.end_s)
    assert not back.duration_is_lower_bound


@pytest.mark.parametrize(
    ("reader", "marks"),
    [
        ("Anna", {"onset_s": -1.0}),
        ("Anna", {"end_s": 99.0}),
        ("Anna", {"onset_s": 3.0, "end_s": 1.0}),
        (" ", {"end_s": 2.0}),
        ("Anna", {"end_s": float("nan")}),
    ],
)
def test_marks_that_make_no_duration_are_refused(
    strip: Any, found: Any, reader: str, marks: dict[str, float]
) -> None:
    with pytest.raises(InvalidInputError):
        move_marks(strip, found, reader, **marks)


def test_confirming_the_polarity_keeps_moved_marks_and_turning_it_does_not(strip: Any, found: Any) -> None:
    moved = move_marks(strip, found, "Anna", end_s=found.end_s - 0.1)
    confirmed = confirm_polarity(strip, moved, found.antegrade)
    assert confirmed.polarity_confirmed
    assert not found.polarity_confirmed
    assert confirmed.reflux_s == found.reflux_s
    assert confirmed.corrected_end_s == moved.corrected_end_s
    other = confirm_polarity(strip, moved, "down" if found.antegrade == "up" else "up")
    assert not any(one.is_corrected for one in other.attempts)
    with pytest.raises(InvalidInputError):
        confirm_polarity(strip, moved, "left")


def test_curves_lie_where_the_axes_say(strip: Any, found: Any) -> None:
    drawn = curves(strip)
    assert drawn.times_s.size == drawn.columns.size == drawn.mean_rows.size == strip.columns.size
    for rows, values in ((drawn.towards_rows, drawn.towards), (drawn.away_rows, drawn.away)):
        seen = np.isfinite(values)
        assert seen.any()
        again = [strip.axes.value(float(row)) for row in rows[seen]]
        np.testing.assert_allclose(again, values[seen], atol=1e-9)
    assert np.nanmin(drawn.towards) >= 0 >= np.nanmax(drawn.away)
    retrograde = drawn.away if found.antegrade == "up" else drawn.towards
    inside = (drawn.times_s > found.onset_s + 0.05) & (drawn.times_s < found.end_s - 0.05)
    assert np.nanmax(np.abs(retrograde[inside])) == pytest.approx(found.peak_reflux_cm_s, rel=0.25)
    assert measure_reflux(strip, traces=drawn.traces) == found


def test_columns_and_seconds_are_each_other_s_inverse(strip: Any) -> None:
    for k in range(0, strip.columns.size, 37):
        column = int(strip.columns[k])
        assert strip.column_at(strip.seconds_at(column)) == column
        assert strip.seconds_at(column) == pytest.approx(strip.times_s[k])


def test_clicks_take_over_what_the_header_says_of_the_strip_under_them() -> None:
    region = SimpleNamespace(
        is_spectrum=True, box=(100, 0, 200, 300), scroll="sweeping", doppler_correction_angle_deg=60.0,
        transducer_frequency_khz=5000.0,
    )  # fmt: skip
    clip: Any = SimpleNamespace(regions=(region,), file="a")
    clicks = ((110.0, 10.0), (2000.0, 0.0), (190.0, 210.0), (-2000.0, 2.0))
    axes = calibrate_strip(clip, (100, 5, 200, 290), *clicks, unit="Hz")
    assert (axes.scroll, axes.angle_deg, axes.source) == ("sweeping", 60.0, "clicks")
    # v = c f / (2 f0 cos angle)
    assert axes.cm_s_per_unit == pytest.approx(154_000 / (2 * 5e6 * 0.5))
    away = calibrate_strip(clip, (300, 5, 400, 290), *clicks)
    assert (away.scroll, away.angle_deg) == ("", None)
