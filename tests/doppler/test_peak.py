"""The width that the transform gives a spectrum, and what is left without it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hard_strips import region_of

from veinscan.doppler import axes_from_region, read_strip
from veinscan.doppler.peak import grain_rows, sharpened


@pytest.mark.parametrize("rows", [1.0, 2.0, 3.0])
def test_a_blurred_edge_is_brought_back(rows: float) -> None:
    speed = np.arange(200, dtype=float)
    true = ((speed > 20) & (speed < 120)).astype(float)
    kernel = np.exp(-(np.arange(-15, 16) ** 2) / (2 * rows**2))
    blurred = np.convolve(true, kernel / kernel.sum(), mode="same")
    again = sharpened(blurred, rows)
    assert np.abs(again - true).sum() < 0.8 * np.abs(blurred - true).sum()
    assert again.sum() == pytest.approx(true.sum(), rel=0.02)
    assert again.min() >= 0


def test_nothing_to_take_out_changes_nothing() -> None:
    spectrum = np.array([0.0, 1, 2, 3, 0])
    assert sharpened(spectrum, 0.1) is spectrum
    assert not sharpened(np.zeros(9), 2.0).any()


def test_the_window_is_seen_in_the_grain(made: Any) -> None:
    seen, true = [], []
    for seed in (300, 302, 303, 304):
        strip = made(seed, "reflux")
        look = strip.look
        hertz = 2 * look.mhz * 1e6 * np.cos(np.radians(look.angle)) / 154_000.0
        true.append(0.6 / look.window_s / hertz / strip.step_cm_s)
        seen.append(grain_rows(read_strip(strip.frame, axes_from_region(region_of(strip)))))
    # JPEG and the strip's own rows add some
    assert np.all(np.asarray(seen) > 0.6 * np.asarray(true))
    assert np.all(np.asarray(seen) < 1.6 * np.hypot(true, 0.6))
