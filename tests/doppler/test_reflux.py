"""Reflux on strips whose truth the code does not see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hard_strips import region_of

from veinscan.doppler import axes_from_clicks, axes_from_region, measure_reflux, read_strip
from veinscan.doppler.axes import StripAxes
from veinscan.errors import CalibrationError, InvalidInputError

SEEDS = range(300, 308)


def measured(strip: Any, **options: Any) -> Any:
    return measure_reflux(read_strip(strip.frame, axes_from_region(region_of(strip))), **options)


def test_durations_and_peaks_of_sharp_reflux(made: Any) -> None:
    errors, ratios, steps = [], [], []
    for seed in SEEDS:
        strip = made(seed, "reflux")
        found = measured(strip)
        assert found.adequate
        assert found.reflux_s is not None and found.peak_reflux_cm_s is not None
        assert not found.polarity_confirmed
        assert found.antegrade == ("up" if strip.look.antegrade_up else "down")
        errors.append(abs(found.reflux_s - strip.truth["reflux_s"]))
        steps.append(strip.time_step_s)
        ratios.append(found.peak_reflux_cm_s / strip.truth["peak_reflux_cm_s"])
    assert np.median(errors) <= 0.020
    assert np.quantile(np.asarray(errors) / np.maximum(0.04, 2 * np.asarray(steps)), 0.95) <= 1.5
    assert 0.95 <= np.median(ratios) <= 1.05
    assert np.std(ratios) < 0.08


@pytest.mark.parametrize("seed", [400, 402, 41014, 41106, 60158, 70132])
def test_no_reflux_where_there_is_none(made: Any, seed: int) -> None:
    found = measured(made(seed, "competent"))
    assert found.adequate
    assert found.reflux_s == 0.0
    assert found.peak_reflux_cm_s is None


@pytest.mark.parametrize("seed", [500, 502, 20019, 41162, 60161, 70017])
def test_no_spike_is_inadequate_and_says_so(made: Any, seed: int) -> None:
    found = measured(made(seed, "no_spike"))
    assert not found.adequate
    assert found.reflux_s is None
    assert any("inadequate" in warning for warning in found.warnings)


@pytest.mark.parametrize("seed", range(600, 604))
def test_flow_at_the_newest_edge_is_a_lower_bound(made: Any, seed: int) -> None:
    strip = made(seed, "off_edge")
    found = measured(strip)
    assert found.is_lower_bound
    assert found.reflux_s == pytest.approx(strip.truth["reflux_s"], abs=0.1)


def test_every_attempt_is_kept_and_the_longest_returned(made: Any) -> None:
    strip = made(701, "attempts")
    found = measured(strip)
    assert len(found.attempts) == found.n_attempts == 2
    assert [m.attempt for m in found.attempts] == [1, 2]
    assert found.reflux_s == max(m.reflux_s for m in found.attempts)


def test_a_pause_of_more_than_a_tenth_interrupts(made: Any) -> None:
    strip = made(803, "interrupted")
    found = measured(strip)
    assert found.interrupted
    assert found.reflux_s == pytest.approx(strip.truth["reflux_s"], abs=0.06)


def test_turned_upside_down_nothing_but_the_polarity_changes(made: Any) -> None:
    strip = made(302, "reflux")
    box = strip.box
    turned = strip.frame.copy()
    turned[box[0] : box[2]] = turned[box[0] : box[2]][::-1]
    axes = axes_from_region(region_of(strip))
    other = replace(axes, baseline_row=box[0] + box[2] - 1 - axes.baseline_row)
    first, second = measure_reflux(read_strip(strip.frame, axes)), measure_reflux(read_strip(turned, other))
    assert {first.antegrade, second.antegrade} == {"up", "down"}
    assert first.reflux_s is not None
    assert second.reflux_s == pytest.approx(first.reflux_s, abs=3 * strip.time_step_s)


def test_velocities_scale_with_the_axis_and_seconds_do_not(made: Any) -> None:
    strip = made(303, "reflux")
    axes = axes_from_region(region_of(strip))
    one = measure_reflux(read_strip(strip.frame, axes))
    two = measure_reflux(
        read_strip(strip.frame, replace(axes, value_step=axes.value_step * 2, angle_deg=60.0))
    )
    assert one.peak_reflux_cm_s is not None and one.reflux_s is not None
    # the angle is kept and not applied a second time
    assert two.peak_reflux_cm_s == pytest.approx(2 * one.peak_reflux_cm_s)
    assert two.angle_deg == 60.0
    assert two.reflux_s == pytest.approx(one.reflux_s, abs=0.05)


def test_a_strip_in_hertz_gives_seconds_but_no_velocity_without_angle(made: Any) -> None:
    strip = made(304, "reflux")
    axes = axes_from_region(region_of(strip))
    hertz = replace(axes, unit="Hz", value_step=axes.value_step * 40)
    plain = measure_reflux(read_strip(strip.frame, hertz))
    assert plain.end_rule == "2 % of the scale"
    assert plain.peak_reflux_cm_s is None
    assert plain.reflux_s == pytest.approx(strip.truth["reflux_s"], abs=0.1)
    known = measure_reflux(
        read_strip(strip.frame, replace(hertz, angle_deg=0.0, transducer_frequency_khz=3080.0))
    )
    # 154000 / (2 * 3080000) cm/s a hertz = 1/40
    truth = measure_reflux(read_strip(strip.frame, axes))
    assert known.peak_reflux_cm_s == pytest.approx(truth.peak_reflux_cm_s, rel=1e-6)
    assert known.end_rule == "1.0 cm/s"


def test_valsalva_needs_the_polarity_and_takes_no_spike(made: Any) -> None:
    strip = made(305, "reflux")
    without = measured(strip, manoeuvre="valsalva")
    assert not without.adequate and without.reflux_s is None
    up = strip.look.antegrade_up
    given = measured(strip, manoeuvre="valsalva", antegrade="up" if up else "down")
    assert given.adequate and given.polarity_confirmed
    assert given.reflux_s == pytest.approx(strip.truth["reflux_s"], abs=0.1)


def test_a_reader_moves_the_marks_and_the_measured_ones_stay(made: Any) -> None:
    found = measured(made(302, "reflux"))
    moved = found.corrected("Dr Reader", end_s=found.end_s + 0.2)
    assert moved.reflux_s == found.reflux_s
    assert moved.duration_s == pytest.approx(found.reflux_s + 0.2)
    assert moved.end_s == found.end_s
    with pytest.raises(InvalidInputError):
        found.corrected("Dr Reader", end_s=found.onset_s - 1)
    with pytest.raises(InvalidInputError):
        found.corrected(" ", end_s=3.0)


def test_seconds_of_a_sweeping_strip_count_from_right_of_the_gap(made: Any) -> None:
    strip = next(
        s for s in (made(seed, "reflux") for seed in range(300, 330)) if s.look.sweep_column is not None
    )
    read = read_strip(strip.frame, axes_from_region(region_of(strip)))
    assert read.wrap_column == pytest.approx(strip.box[1] + strip.look.sweep_column, abs=3)
    assert read.columns[0] > read.columns[-1]
    assert measure_reflux(read).onset_s == pytest.approx(strip.truth["onset_s"], abs=0.08)


def test_two_clicks_give_the_axes_of_the_region(made: Any) -> None:
    strip = made(302, "reflux")
    axes = axes_from_region(region_of(strip))
    points = ((strip.box[0] + 10.0, strip.box[1] + 5.0), (strip.box[2] - 12.0, strip.box[3] - 30.0))
    values = [(axes.value(row), (col - strip.box[1]) * axes.time_step_s + 7.0) for row, col in points]
    clicked = axes_from_clicks(strip.box, points[0], values[0], points[1], values[1])
    assert clicked.source == "clicks"
    assert clicked.time_step_s == pytest.approx(axes.time_step_s)
    assert clicked.value_step == pytest.approx(axes.value_step)
    assert clicked.baseline_row == pytest.approx(axes.baseline_row)
    assert measure_reflux(read_strip(strip.frame, clicked)).calibration == "clicks"


@pytest.mark.parametrize(
    ("second", "value"),
    [
        ((10.0, 200.0), (0.0, 1.0)),
        ((90.0, 10.0), (-40.0, 1.0)),
        ((90.0, 200.0), (40.0, 1.0)),
        ((90.0, 200.0), (-40.0, -1.0)),
    ],
)
def test_clicks_that_make_no_axis_are_refused(
    second: tuple[float, float], value: tuple[float, float]
) -> None:
    with pytest.raises(CalibrationError):
        axes_from_clicks((0, 0, 100, 300), (10.0, 10.0), (40.0, 0.0), second, value)


@pytest.mark.parametrize("missing", ["time_step_s", "velocity_step_cm_s", "baseline_row"])
def test_without_calibration_there_is_no_number(made: Any, missing: str) -> None:
    region = region_of(made(302, "reflux"), **{missing: None})
    with pytest.raises(CalibrationError, match="two clicks"):
        axes_from_region(region)


def test_black_and_white_strips_are_inadequate_not_a_crash() -> None:
    axes = StripAxes(box=(0, 0, 120, 400), time_step_s=0.01, value_step=0.5, unit="cm/s", baseline_row=60.0)
    for value in (0, 255):
        found = measure_reflux(read_strip(np.full((120, 400), value, np.uint8), axes))
        assert not found.adequate
    noise = np.random.default_rng(0).integers(0, 255, (120, 400), dtype=np.uint8)
    assert not measure_reflux(read_strip(noise, axes)).adequate


def test_options_that_are_not_known_are_refused(made: Any) -> None:
    strip = made(302, "reflux")
    with pytest.raises(InvalidInputError):
        measured(strip, antegrade="left")
    with pytest.raises(InvalidInputError):
        measured(strip, manoeuvre="squeeze")
