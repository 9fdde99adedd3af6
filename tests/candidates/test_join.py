"""Pieces of one tube: what is joined and what is not."""

from __future__ import annotations

import numpy as np
import pytest

from veinscan.candidates.join import joined_pieces


def box(top: float, left: float, bottom: float, right: float) -> np.ndarray:
    """(32, 2) `(row, col)` along a rectangle."""
    corners = np.array([[top, left], [top, right], [bottom, right], [bottom, left]], float)
    share = np.linspace(0, 1, 8, endpoint=False)[:, None]
    sides = [
        start + share * (end - start) for start, end in zip(corners, np.roll(corners, -1, 0), strict=True)
    ]
    return np.concatenate(sides)


@pytest.fixture
def tube() -> tuple[np.ndarray, list[np.ndarray]]:
    """A dark band and the outlines of its two halves."""
    image = np.full((120, 240), 120, np.float32)
    image[50:70, 20:220] = 10
    return image, [box(50, 22, 69, 118), box(50, 122, 69, 218)]


def test_two_halves_of_a_band_are_one(tube: tuple[np.ndarray, list[np.ndarray]]) -> None:
    image, halves = tube
    groups, (outline,) = joined_pieces(image, halves, [3.0, 1.0])
    assert groups == [[0, 1]]
    assert np.ptp(outline, axis=0) == pytest.approx([19, 196], abs=3)


def test_a_piece_far_weaker_is_left_alone(tube: tuple[np.ndarray, list[np.ndarray]]) -> None:
    image, halves = tube
    groups, outlines = joined_pieces(image, halves, [3.0, -2.0])
    assert groups == [[0], [1]]
    for outline, half in zip(outlines, halves, strict=True):
        np.testing.assert_array_equal(outline, half)


def test_a_wall_between_keeps_them_apart(tube: tuple[np.ndarray, list[np.ndarray]]) -> None:
    image, halves = tube
    image[:, 112:128] = 200
    assert joined_pieces(image, halves, [3.0, 1.0])[0] == [[0], [1]]
