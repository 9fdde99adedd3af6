"""The distribution of velocities that is fitted to a spectrum, and the peak that follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hard_strips import region_of
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.doppler import axes_from_region, measure_reflux, read_strip, trace
from veinscan.doppler.axes import StripAxes
from veinscan.doppler.velocity_profile import Fitted, fit, peak_velocity, spectrum_of

SPEED = (np.arange(90) + 0.5) * 0.7


@settings(max_examples=25, deadline=None)
@given(
    greatest=st.floats(15, 40),
    bluntness=st.floats(2.0, 7.5),
    rows=st.floats(1.0, 2.5),
    seed=st.integers(0, 9),
)
def test_what_made_a_spectrum_is_found_in_it(
    greatest: float, bluntness: float, rows: float, seed: int
) -> None:
    true = Fitted(greatest, bluntness, rows * 0.7)
    spectrum = spectrum_of(SPEED, true.greatest, true.bluntness, true.blur)
    grain = 1 + 0.03 * np.random.default_rng(seed).standard_normal(SPEED.size)
    found = fit(1000 * spectrum * grain, SPEED, rows * 0.9)
    assert found is not None
    assert found.percentile == pytest.approx(true.percentile, rel=0.02)


@pytest.mark.parametrize("bluntness", [2.0, 4.0, 8.0])
def test_the_percentile_is_that_of_the_distribution(bluntness: float) -> None:
    fine = (np.arange(4000) + 0.5) * 0.01
    share = np.cumsum(spectrum_of(fine, 30.0, bluntness, 0.01))
    at = float(np.interp(0.95, share / share[-1], fine + 0.005))
    assert Fitted(30.0, bluntness, 0.01).percentile == pytest.approx(at, rel=0.003)


def test_what_is_no_such_spectrum_is_not_fitted() -> None:
    two = np.exp(-((SPEED - 10) ** 2) / 8) + np.exp(-((SPEED - 30) ** 2) / 8)
    assert fit(two, SPEED, 1.0) is None
    assert fit(np.zeros_like(SPEED), SPEED, 1.0) is None
    assert fit(np.ones(6), SPEED[:6], 1.0) is None


def test_without_flow_there_is_no_peak() -> None:
    axes = StripAxes(box=(0, 0, 120, 400), time_step_s=0.01, value_step=0.5, unit="cm/s", baseline_row=60.0)
    traces = trace(read_strip(np.zeros((120, 400), np.uint8), axes))
    assert np.isnan(peak_velocity(traces, 1, 200, 150, 250, 0.01))


def test_peaks_of_all_profiles_agree_with_the_truth(made: Any) -> None:
    ratios = []
    for seed in (300, 301, 302, 303, 304, 305):
        strip = made(seed, "reflux")
        found = measure_reflux(read_strip(strip.frame, axes_from_region(region_of(strip))))
        assert found.peak_reflux_cm_s is not None
        ratios.append(found.peak_reflux_cm_s / strip.truth["peak_reflux_cm_s"])
    assert np.all(np.abs(np.asarray(ratios) - 1) < 0.09)
    assert np.std(ratios) < 0.04
