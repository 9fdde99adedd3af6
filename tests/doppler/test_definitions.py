"""Onset, end, peak and attempts by the definitions, on painted strips of a few exact curves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from veinscan.doppler import measure_reflux, read_strip
from veinscan.doppler.axes import StripAxes

STEP_S, STEP_CM_S, ROWS, COLUMNS = 0.005, 0.5, 200, 700
BOX = (10, 20, 10 + ROWS, 20 + COLUMNS)
TIMES = np.arange(COLUMNS) * STEP_S
Piece = tuple[float, float, float]
"""From, to (s), greatest velocity (cm/s, antegrade positive)."""


def painted(*pieces: Piece) -> np.ndarray:
    """A frame whose spectrum fills each piece evenly from 0 to its velocity; sharp ends, speckle, noise."""
    rng = np.random.default_rng(3)
    speed = (ROWS / 2 - 0.5 - np.arange(ROWS))[:, None] * STEP_CM_S
    top = np.zeros(COLUMNS)
    for start, stop, velocity in pieces:
        top[(start <= TIMES) & (stop > TIMES)] = velocity
    inside = ((speed > 0) & (speed < top)) | ((speed < 0) & (speed > top))
    frame = np.zeros((ROWS + 40, COLUMNS + 60), np.uint8)
    grain = np.clip(190 + 25 * rng.standard_normal((ROWS, COLUMNS)), 0, 255)
    frame[BOX[0] : BOX[2], BOX[1] : BOX[3]] = np.where(inside, grain, 20 + 10 * rng.random((ROWS, COLUMNS)))
    return frame


def axes(**changes: Any) -> StripAxes:
    values: dict[str, Any] = {
        "box": BOX, "time_step_s": STEP_S, "value_step": STEP_CM_S, "unit": "cm/s",
        "baseline_row": BOX[0] + ROWS / 2 - 0.5,
    }  # fmt: skip
    return StripAxes(**(values | changes))


def measured(*pieces: Piece, **changes: Any) -> Any:
    options = {name: changes.pop(name) for name in ("antegrade", "manoeuvre") if name in changes}
    return measure_reflux(read_strip(painted(*pieces), axes(**changes)), **options)


SQUEEZE: Piece = (0.5, 0.9, 40.0)


@pytest.mark.parametrize(("start", "stop"), [(0.92, 1.42), (1.0, 1.15), (1.2, 2.7)])
def test_duration_is_end_less_onset_however_short(start: float, stop: float) -> None:
    found = measured(SQUEEZE, (start, stop, -20.0))
    assert found.reflux_s == pytest.approx(stop - start, abs=0.02)
    assert found.onset_s == pytest.approx(start, abs=0.02)
    assert found.end_s == pytest.approx(stop, abs=0.02)
    assert found.reflux_s == pytest.approx(found.end_s - found.onset_s)
    assert not found.interrupted and not found.is_lower_bound


def test_an_adequate_spike_without_retrograde_flow_is_zero_and_no_spike_is_none() -> None:
    assert measured(SQUEEZE).reflux_s == 0.0
    nothing = measured((0.0, 3.5, 12.0))
    assert (nothing.adequate, nothing.reflux_s, nothing.peak_reflux_cm_s) == (False, None, None)


def test_pauses_under_a_tenth_are_joined_and_longer_ones_interrupt() -> None:
    joined = measured(SQUEEZE, (1.0, 1.6, -20.0), (1.66, 2.2, -20.0))
    assert joined.reflux_s == pytest.approx(1.2, abs=0.03)
    assert not joined.interrupted
    cut = measured(SQUEEZE, (1.0, 1.5, -20.0), (1.7, 2.5, -20.0))
    assert cut.interrupted
    assert cut.reflux_s == pytest.approx(0.8, abs=0.03), "the longest run is measured"
    assert cut.onset_s == pytest.approx(1.7, abs=0.02)


def test_flow_under_one_centimetre_a_second_has_ended() -> None:
    # a mean of half of the edge: 1.6 cm/s of edge are 0.8 cm/s
    found = measured(SQUEEZE, (1.0, 1.8, -20.0), (1.8, 2.6, -1.6))
    assert found.reflux_s == pytest.approx(0.8, abs=0.03)
    assert found.end_rule == "1.0 cm/s"


def test_the_newest_edge_makes_a_lower_bound() -> None:
    found = measured(SQUEEZE, (1.0, 9.0, -20.0))
    assert found.is_lower_bound
    assert found.end_s == pytest.approx(TIMES[-1])


def test_every_squeeze_is_an_attempt() -> None:
    found = measured(SQUEEZE, (1.0, 1.4, -20.0), (2.0, 2.3, 40.0), (2.4, 3.1, -15.0))
    assert [one.attempt for one in found.attempts] == [1, 2]
    assert [one.n_attempts for one in found.attempts] == [2, 2]
    assert [one.reflux_s for one in found.attempts] == pytest.approx([0.4, 0.7], abs=0.03)
    assert found.attempt == 2, "the longest is returned"


def test_the_peak_is_the_percentile_at_the_moment_of_the_greatest_mean() -> None:
    found = measured(SQUEEZE, (1.0, 1.5, -12.0), (1.5, 2.2, -24.0))
    assert found.peak_reflux_cm_s == pytest.approx(0.95 * 24.0, rel=0.05)
    assert found.antegrade_peak_cm_s == pytest.approx(0.95 * 40.0, rel=0.05)


def test_the_peak_is_on_the_strip_s_own_axis_whatever_the_angle() -> None:
    plain = measured(SQUEEZE, (1.0, 2.0, -20.0))
    angled = measured(SQUEEZE, (1.0, 2.0, -20.0), angle_deg=60.0)
    assert angled.peak_reflux_cm_s == plain.peak_reflux_cm_s
    assert (angled.angle_deg, plain.angle_deg) == (60.0, None)


def test_a_strip_in_hertz_ends_at_its_share_of_the_scale_and_says_so() -> None:
    # 100 Hz a row: the scale is 20 kHz, 2 % of it 400 Hz; a mean of 300 Hz has ended
    pieces = (SQUEEZE, (1.0, 1.8, -20.0), (1.8, 2.6, -3.0))
    hertz = measured(*pieces, unit="Hz", value_step=100.0)
    assert (hertz.end_rule, hertz.peak_reflux_cm_s) == ("2 % of the scale", None)
    assert hertz.reflux_s == pytest.approx(0.8, abs=0.03)
    # 154000 / (2 * 5e6 * cos 60) = 0.0308 cm/s a hertz
    known = measured(*pieces, unit="Hz", value_step=100.0, angle_deg=60.0, transducer_frequency_khz=5000.0)
    assert known.end_rule == "1.0 cm/s"
    assert known.peak_reflux_cm_s == pytest.approx(0.95 * 20 * 200 * 0.0308, rel=0.06)


def test_a_valsalva_needs_no_spike_but_the_polarity() -> None:
    strain = ((0.6, 2.6, -20.0),)
    assert measured(*strain, manoeuvre="valsalva").reflux_s is None
    found = measured(*strain, manoeuvre="valsalva", antegrade="up")
    assert found.adequate and found.polarity_confirmed
    assert found.reflux_s == pytest.approx(2.0, abs=0.03)
    assert measured(*strain, manoeuvre="valsalva", antegrade="down").reflux_s == 0.0


@pytest.mark.parametrize("antegrade", ["up", "down"])
def test_polarity_is_unconfirmed_until_a_reader_says_it(antegrade: str) -> None:
    sign = 1 if antegrade == "up" else -1
    pieces = ((0.5, 0.9, 40.0 * sign), (1.0, 2.0, -20.0 * sign))
    found = measured(*pieces)
    assert (found.antegrade, found.polarity_confirmed) == (antegrade, False)
    assert measured(*pieces, antegrade=antegrade).polarity_confirmed


def test_seconds_count_from_right_of_the_wrap_gap() -> None:
    resting: Piece = (0.0, 0.5, 8.0)
    frame = painted(resting, SQUEEZE, (1.0, 2.0, -20.0), (2.0, 3.5, 8.0))
    part = frame[:, BOX[1] : BOX[3]]
    gap, shift = 8, 480
    swept = np.roll(part, shift, axis=1)
    swept[:, shift : shift + gap] = 0
    frame[:, BOX[1] : BOX[3]] = swept
    read = read_strip(frame, axes(scroll="sweeping"))
    assert read.wrap_column == BOX[1] + shift
    assert read.columns[0] == BOX[1] + shift + gap
    found = measure_reflux(read)
    assert found.onset_s == pytest.approx(1.0 - gap * STEP_S, abs=0.02)
    assert found.reflux_s == pytest.approx(1.0, abs=0.02)
    # where a reader says that it is written, nothing is looked for
    assert measure_reflux(
        read_strip(frame, replace(axes(), scroll=""), wrap_column=BOX[1] + shift)
    ).onset_s == pytest.approx(found.onset_s, abs=0.02)
