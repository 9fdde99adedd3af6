"""The gap of a sweeping strip: found where the spectrum is cut, not where flow pauses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hard_strips import region_of

from veinscan.doppler import axes_from_region, read_strip
from veinscan.doppler.gap import find_gap


@pytest.mark.parametrize(("kind", "seed"), [("competent", 20049), ("reflux", 20016), ("attempts", 20042)])
def test_a_gap_beside_quiet_flow_is_found(made: Any, kind: str, seed: int) -> None:
    strip = made(seed, kind)
    read = read_strip(strip.frame, axes_from_region(region_of(strip)))
    assert not read.noise_shown
    assert read.wrap_column == pytest.approx(strip.box[1] + strip.look.sweep_column, abs=3)


@pytest.mark.parametrize(("kind", "seed"), [("interrupted", 20010), ("slow_end", 20021), ("off_edge", 20010)])
def test_a_pause_of_flow_is_no_gap(made: Any, kind: str, seed: int) -> None:
    strip = made(seed, kind)
    assert read_strip(strip.frame, axes_from_region(region_of(strip))).wrap_column is None


def test_a_part_filled_strip_begins_at_its_first_column(made: Any) -> None:
    strip = made(41162, "no_spike")
    read = read_strip(strip.frame, axes_from_region(region_of(strip)))
    assert read.columns[0] == pytest.approx(strip.box[1] + strip.look.filled_from, abs=1)


@pytest.mark.parametrize("scroll", ["", "sweeping"])
def test_sharp_edges_make_a_gap_and_slopes_do_not(scroll: str) -> None:
    rng = np.random.default_rng(1)
    strength = 0.3 * (1 + 0.05 * rng.standard_normal(400))
    empty = np.zeros(400, dtype=bool)
    assert find_gap(strength, empty, (0, 400), scroll, False) is None
    gap = strength.copy()
    gap[200:210] = 0.0
    assert find_gap(gap, gap == 0, (0, 400), scroll, False) == (200, 210)
    assert find_gap(gap, gap == 0, (0, 400), "scrolling", False) is None
    pause = strength * np.clip(np.abs(np.arange(400) - 205) / 20 - 0.25, 0, 1)
    assert find_gap(pause, empty, (0, 400), scroll, False) is None
