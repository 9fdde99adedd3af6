"""The outer edge of the displayed spectrum: where it lies, what hides it, what scanners printed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import median_filter

from veinscan.doppler import axes_from_clicks, curves, draw_strip, read_strip
from veinscan.doppler.edge import outer_edge

BOX = (20, 30, 220, 430)
BASELINE = 180.0


def _frame(seed: int = 0) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float64]]:
    """A brown strip of 1 cm/s a row with a soft edge at a known row above the baseline, and that row."""
    rng = np.random.default_rng(seed)
    columns = np.arange(BOX[1], BOX[3])
    edge = BASELINE - 90 - 30 * np.sin(columns / 40)
    rows = np.arange(BOX[0], BOX[2])[:, None]
    power = 0.75 / (1 + np.exp((edge[None, :] - rows) / 1.5)) * (rows < BASELINE)
    grain = cv2.GaussianBlur(rng.standard_normal(power.shape), (0, 0), sigmaX=1.0, sigmaY=2.0)
    level = np.clip(power * (1 + 0.4 * grain / grain.std() * 0.5), 0, 1)
    frame = np.zeros((260, 460, 3), dtype=np.uint8)
    frame[BOX[0] : BOX[2], BOX[1] : BOX[3]] = (level[:, :, None] * (255, 190, 120)).astype(np.uint8)
    return frame, edge


def _edge_of(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    axes = axes_from_clicks(BOX, (80, 30), (100, 0), (180, 430), (0, 4))
    found = curves(read_strip(frame, axes))
    assert found.columns.size == BOX[3] - BOX[1]
    return found.towards_maximum


@given(st.floats(0.1, 0.9), st.floats(0.0, 0.4), st.integers(15, 110), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_gain_and_noise_floor_do_not_move_the_edge(gain: float, floor: float, at: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    speed = np.arange(120) + 0.5
    shown = np.where(speed < at, gain, floor * gain)[:, None] * (1 + 0.05 * rng.standard_normal((120, 6)))
    found = outer_edge(shown, speed, np.full(6, 0.95 * at), shown > 0.7 * gain, floor > 0)
    assert np.abs(found - at).max() <= 1.0


def test_noise_beyond_the_last_blood_is_no_edge() -> None:
    rng = np.random.default_rng(4)
    speed = np.arange(120) + 0.5
    shown = 0.3 + 0.1 * rng.standard_normal((120, 200))
    shown[:8] += 0.02
    blood = np.broadcast_to((speed < 8)[:, None], shown.shape)
    assert outer_edge(shown, speed, np.full(200, 6.0), blood, True).max() <= 9.0


def test_what_fills_the_strip_ends_at_its_edge() -> None:
    speed = np.arange(50) + 0.5
    full = np.ones((50, 2), dtype=bool)
    found = outer_edge(np.ones((50, 2)), speed, np.array([30.0, 40.0]), full, True)
    assert found == pytest.approx([50.0, 50.0])


def test_the_edge_of_a_made_spectrum_is_found() -> None:
    """It flows all the time, and goes further up than the strip goes down: no part of it is a wall."""
    frame, edge = _frame()
    error = _edge_of(frame) - (BASELINE - edge)
    assert abs(np.median(error)) < 1.5
    assert np.quantile(np.abs(error), 0.9) < 4


@pytest.mark.parametrize("colour", [(240, 215, 150), (255, 230, 0), (230, 20, 20)])
def test_a_trace_drawn_on_the_edge_does_not_move_it(colour: tuple[int, int, int]) -> None:
    frame, edge = _frame()
    plain = _edge_of(frame)
    points = np.stack([np.arange(BOX[1], BOX[3]), np.round(edge)], axis=1).astype(np.int32)
    cv2.polylines(frame, [points], False, colour, 2)
    drawn = _edge_of(frame)
    assert abs(np.mean(drawn) - np.mean(plain)) < 1.0
    assert np.quantile(np.abs(drawn - (BASELINE - edge)), 0.9) < 4


def test_the_edge_is_drawn_when_asked_for() -> None:
    frame, _ = _frame()
    strip = read_strip(frame, axes_from_clicks(BOX, (80, 30), (100, 0), (180, 430), (0, 4)))
    without, with_it = draw_strip(strip), draw_strip(strip, maximum=True)
    assert 300 < (without != with_it).any(axis=2).sum() < 4000


def _screens() -> Any:
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "doppler_screens.py"
    spec = importlib.util.spec_from_file_location("doppler_screens", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["ge-voluson-umbilical-pw.png", "ge-voluson-uterine-pw.png"])
def test_the_edge_agrees_with_what_a_scanner_printed(shared_data: Path, name: str) -> None:
    screens = _screens()
    folder = shared_data / "real-doppler"
    strip = screens.strip_on(folder, name)
    found = screens.against_printed(folder, name, strip, curves(strip).towards_maximum)
    for key, (value, printed) in found.items():
        assert value == pytest.approx(printed, rel=0.05), key


def test_the_edge_lies_on_the_trace_that_a_scanner_drew(shared_data: Path) -> None:
    screens = _screens()
    name, folder = "ge-voluson-uterine-pw.png", shared_data / "real-doppler"
    strip = screens.strip_on(folder, name)
    own = screens.drawn_by_scanner(folder, name, strip)
    first, last = screens.TRACED[name]
    inside = (strip.columns >= first) & (strip.columns <= last)
    error = (median_filter(curves(strip).towards_maximum, 5) - own)[inside]
    assert abs(np.median(error)) < 1.5  # two rows
    assert np.quantile(np.abs(error), 0.75) < 4.0
