"""Veins seen lengthwise: walls, axis, length and bends against drawn ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from veinscan.candidates import find_candidates
from veinscan.candidates.tube import trace_tube

PIXEL = 0.125


def drawn(axis, widths, *, shape=(200, 300), seed=0):
    """Speckle with a dark band between two bright walls around an axis (k, 2) in mm, of `widths` (k,) mm."""
    row, col = np.mgrid[: shape[0], : shape[1]] * PIXEL
    fine = np.linspace(0, 1, 600)
    at = np.linspace(0, 1, len(axis))
    line = np.stack([np.interp(fine, at, axis[:, 0]), np.interp(fine, at, axis[:, 1])])
    half = np.interp(fine, at, widths) / 2
    distance = np.full(shape, np.inf)
    for y, x, h in zip(*line, half, strict=True):
        distance = np.minimum(distance, np.hypot(row - y, col - x) - h)
    amplitude = np.where(distance < 0, 0.02, 0.35) + 1.6 * np.exp(-(((distance - 0.15) / 0.15) ** 2))
    noise = np.random.default_rng(seed).normal(size=(2, *shape))
    envelope = np.hypot(*[cv2.GaussianBlur(part, (0, 0), 1.2) for part in noise])
    decibel = 20 * np.log10(np.maximum(amplitude * envelope / np.median(envelope), 1e-4))
    return np.clip(150 + decibel * 255 / 60, 0, 255).astype(np.float32)


def piece(axis, widths, share=(0.4, 0.6)):
    """The outline of a part of the band, in grid pixels: what a ring finds of it."""
    at = np.linspace(*share, 12)
    middle = np.stack([np.interp(at, np.linspace(0, 1, len(axis)), axis[:, k]) for k in (0, 1)], axis=1)
    half = np.interp(at, np.linspace(0, 1, len(axis)), widths)[:, None] / 2 * np.array([1.0, 0.0])
    return np.concatenate([middle - half, (middle + half)[::-1]]) / PIXEL


COURSES = {
    "straight": np.array([[12.0, 4.0], [12.0, 33.0]]),
    "slanting": np.array([[9.0, 5.0], [15.0, 32.0]]),
    "bent": np.stack([12 + 2.0 * np.sin(np.linspace(0, 2 * np.pi, 60)), np.linspace(4, 33, 60)], axis=1),
}


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("width", [1.5, 4.0])
def test_a_piece_is_followed_to_both_ends_at_the_drawn_width(name, width):
    axis = COURSES[name]
    widths = np.full(len(axis), width)
    tube = trace_tube(drawn(axis, widths), piece(axis, widths), PIXEL)
    true = float(np.hypot(*np.diff(axis, axis=0).T).sum())
    # the drawn ends are round: half a width more than the axis
    assert true - 1.5 <= tube.length_px * PIXEL <= true + width + 1.0
    assert tube.diameter_px * PIXEL == pytest.approx(width, abs=0.25)
    ends = float(np.hypot(*(tube.axis[-1] - tube.axis[0])))
    straight = float(np.hypot(*(axis[-1] - axis[0])))
    assert tube.length_px / ends == pytest.approx(true / straight, abs=0.03)
    # the axis runs in the middle: no step, and never far from the drawn one
    steps = np.hypot(*np.diff(tube.axis, axis=0).T)
    assert steps.max() < 2 * np.median(steps)
    drawn_line = np.stack(
        [np.interp(np.linspace(0, 1, 400), np.linspace(0, 1, len(axis)), axis[:, k]) for k in (0, 1)]
    )
    away = [np.hypot(*(drawn_line - point[:, None] * PIXEL)).min() for point in tube.axis[6:-6]]
    assert max(away) < 0.3


def test_local_diameters_follow_a_vein_that_widens():
    axis = COURSES["straight"]
    widths = np.array([2.0, 4.0])
    tube = trace_tube(drawn(axis, widths), piece(axis, widths), PIXEL)
    order = slice(None) if tube.axis[0, 1] < tube.axis[-1, 1] else slice(None, None, -1)
    along = (tube.axis[order, 1] * PIXEL - 4.0) / 29.0
    inner = (along > 0.1) & (along < 0.9)
    assert tube.widths[order][inner] * PIXEL == pytest.approx(2.0 + 2.0 * along[inner], abs=0.35)


def test_a_vein_that_leaves_the_picture_is_followed_to_its_edge():
    axis = np.array([[12.0, -3.0], [12.0, 40.0]])
    widths = np.full(2, 4.0)
    tube = trace_tube(drawn(axis, widths), piece(axis, widths, (0.4, 0.6)), PIXEL)
    assert tube.axis[:, 1].min() < 8
    assert tube.axis[:, 1].max() > 300 - 8


def test_no_tube_where_no_walls_are_followed():
    noise = np.random.default_rng(3).uniform(60, 120, (200, 300)).astype(np.float32)
    axis = COURSES["straight"]
    assert trace_tube(noise, piece(axis, np.full(2, 3.0)), PIXEL) is None


def test_a_lengthwise_vein_is_one_candidate_with_a_course():
    axis = COURSES["bent"]
    frame = drawn(axis, np.full(len(axis), 3.0)).astype(np.uint8)
    found = find_candidates(frame[None], PIXEL)
    best = found[0]
    assert best.course is not None
    assert best.course.view == "longitudinal"
    assert best.length_mm == best.course.length_mm == best.major_mm
    assert best.length_mm == pytest.approx(np.hypot(*np.diff(axis, axis=0).T).sum(), abs=3.0)
    assert 1.02 < best.tortuosity < 1.12
    assert best.course.points.shape == (len(best.course.diameters_mm), 2)
    assert [one for one in found[1:] if one.score > 0.5] == []
