"""Calipers, dotted lines, arrows and text drawn over the picture are found and filled; echoes are left."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from veinscan.candidates import find_candidates
from veinscan.enhance.graphics import always_burned_in, burned_in, without_graphics
from veinscan.errors import InvalidInputError

STYLES = ("thin cross", "thick cross", "dotted", "slanted", "text", "arrow")
CENTRE, HALF = (150, 180), 20


def drawn(image: np.ndarray, style: str, level: int) -> np.ndarray:
    """A copy with a measurement across the lumen at `CENTRE`, as scanners draw it."""
    out = image.copy()
    row, col = CENTRE
    ends = (row - HALF, col), (row + HALF, col)
    if style in ("thin cross", "thick cross", "dotted"):
        width = 2 if style == "thick cross" else 1
        for at in ends:
            cv2.line(out, (at[1] - 5, at[0]), (at[1] + 5, at[0]), (level,), width)
            cv2.line(out, (at[1], at[0] - 5), (at[1], at[0] + 5), (level,), width)
    if style == "dotted":
        out[row - HALF + 8 : row + HALF - 7 : 5, col : col + 2] = level
        out[row - HALF + 9 : row + HALF - 6 : 5, col : col + 2] = level
    if style == "slanted":
        for at in ends:
            cv2.line(out, (at[1] - 5, at[0] - 5), (at[1] + 5, at[0] + 5), (level,), 1)
            cv2.line(out, (at[1] - 5, at[0] + 5), (at[1] + 5, at[0] - 5), (level,), 1)
    if style == "text":
        cv2.putText(out, "SFJ R", (col - 30, row - 60), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (level,), 2)
    if style == "arrow":
        cv2.arrowedLine(out, (col + 90, row - 60), (col + 24, row - 10), (level,), 2)
    return out


@pytest.fixture(scope="module")
def tissue(picture):
    return picture([(15.0, 18.0, 4.0)])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("level", [255, 235, 0])
def test_strokes_that_stand_out_are_found_and_echoes_are_not(tissue, style, level):
    assert not burned_in(tissue).any()
    image = drawn(tissue, style, level)
    changed = image != tissue
    seen = changed & (np.abs(image.astype(int) - tissue) > 110)
    marks = burned_in(image)
    assert (marks & seen).sum() >= 0.6 * seen.sum()
    beside = cv2.dilate(changed.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert not marks[~beside].any()


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("level", [255, 0])
def test_the_lumen_under_a_measurement_keeps_its_width_and_nothing_else_is_found(tissue, style, level):
    found = find_candidates(drawn(tissue, style, level)[None], 0.1)
    strong = [one for one in found if one.score > 0.3]
    assert len(strong) == 1
    assert strong[0].centre(0) == pytest.approx((149.5, 179.5), abs=5)
    assert strong[0].diameter_mm == pytest.approx(4.0, abs=0.5)


def test_filling_brings_the_picture_back(tissue):
    image = drawn(tissue, "thick cross", 255)
    plain = without_graphics(image, burned_in(image))
    changed = image != tissue
    wrong = np.abs(image.astype(float) - tissue)[changed].mean()
    assert np.abs(plain.astype(float) - tissue)[changed].mean() < 0.5 * wrong
    far = cv2.dilate(changed.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    np.testing.assert_array_equal(plain[far], image[far])
    nothing = np.zeros(image.shape, bool)
    assert without_graphics(image, nothing) is image


def test_over_a_clip_only_what_stands_still_is_drawn(tissue):
    still = drawn(tissue, "thick cross", 255)
    moved = np.roll(still, 40, axis=1)
    assert always_burned_in([still, still]).any()
    assert not always_burned_in([still, moved]).any()
    with pytest.raises(InvalidInputError, match="frame"):
        always_burned_in([])


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (20, 20)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_plain_and_tiny_pictures_hold_no_graphics(shape, grey):
    image = np.full(shape, grey, np.uint8)
    assert burned_in(image).shape == shape
    assert not burned_in(image).any()


def test_a_bright_fascia_is_no_stroke(tissue):
    image = tissue.copy()
    image[80:83, 20:300] = 255
    assert not burned_in(image)[76:88].any()
