"""Overlays: the lines lie where the numbers say, and the scale bar is as long as it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_samples import REGION, PaperClip, target

from veinscan.candidates.model import Candidate
from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.report.pictures import (
    ORANGE,
    SCALE_BAR_MM,
    SKY_BLUE,
    Mark,
    draw_overlay,
    encode,
    marks,
    save_png,
    scale_bar_mm,
)
from veinscan.report.target_pictures import Spot, close_up, whole_picture


def candidate(row: float, col: float, radius: float = 8.0, **values: object) -> Candidate:
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([row + radius * np.sin(angle), col + radius * np.cos(angle)], axis=1).astype(np.float32)
    given: dict[str, object] = {
        "id": "c1", "frame_indices": (4,), "best_frame": 4, "outlines": {4: ring}, "centres": {4: (row, col)},
        "diameter_mm": 1.6, "depth_mm": 3.0, "score": 0.5, "rank": 1,
    }  # fmt: skip
    return Candidate(**(given | values))  # type: ignore[arg-type]


def near(picture: np.ndarray, colour: tuple[int, int, int], within: int = 40) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(axis=2) < within


@settings(max_examples=15, deadline=None)
@given(
    rows=st.integers(60, 500),
    cols=st.integers(60, 700),
    place=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
    colour=st.booleans(),
)
def test_an_outline_is_drawn_where_it_lies(rows: int, cols: int, place: tuple[float, float], colour: bool):
    frame = np.full((rows, cols, 3) if colour else (rows, cols), 90, np.uint8)
    row, col = place[0] * rows, place[1] * cols
    before = frame.copy()
    drawn = draw_overlay(frame, [Mark(label="", colour=SKY_BLUE, outline=candidate(row, col).outline(4))])
    assert np.array_equal(frame, before)
    assert drawn.dtype == np.uint8 and drawn.ndim == 3
    scale = np.array([drawn.shape[0] / rows, drawn.shape[1] / cols])
    assert scale[0] == pytest.approx(scale[1], rel=0.02)
    found = np.argwhere(near(drawn, SKY_BLUE))
    middle = (found.min(axis=0) + found.max(axis=0)) / 2
    assert (middle + 0.5) / scale - 0.5 == pytest.approx((row, col), abs=0.6)
    assert np.ptp(found, axis=0) / scale == pytest.approx((16, 16), abs=2.5)


def test_small_frames_are_enlarged_and_large_ones_kept():
    assert max(draw_overlay(np.zeros((240, 320), np.uint8), []).shape) == 900
    assert draw_overlay(np.zeros((965, 1660), np.uint8), []).shape == (965, 1660, 3)
    assert max(draw_overlay(np.zeros((10, 9000), np.uint8), []).shape) <= 4000


def test_pixels_that_are_not_square_are_drawn_in_true_proportion():
    drawn = draw_overlay(np.zeros((400, 400), np.uint8), [], spacing_mm=(0.05, 0.1))
    assert drawn.shape[1] / drawn.shape[0] == pytest.approx(2, rel=0.01)


@pytest.mark.parametrize("spacing", [(0.04, 0.04), (0.1, 0.1), (0.3, 0.3), (0.05, 0.1)])
def test_the_scale_bar_is_as_long_as_it_says(spacing: tuple[float, float]):
    rows, cols = 480, 640
    frame = np.full((rows, cols), 90, np.uint8)
    drawn = draw_overlay(frame, [], spacing_mm=spacing)
    px_per_mm = drawn.shape[1] / (cols * spacing[1])
    length = scale_bar_mm(drawn.shape[1], px_per_mm)
    white = near(drawn, (255, 255, 255))
    bar = np.flatnonzero(white.sum(axis=1) >= 0.8 * length * px_per_mm)
    assert bar.size
    across = np.flatnonzero(white[bar[0]])
    assert np.ptp(across) == pytest.approx(length * px_per_mm, abs=6)


def test_no_calibration_no_scale_bar():
    assert not near(draw_overlay(np.full((480, 640), 90, np.uint8), []), (255, 255, 255)).any()


@given(width=st.floats(50, 4000), px_per_mm=st.floats(0.01, 500))
def test_the_scale_bar_fits(width: float, px_per_mm: float):
    length = scale_bar_mm(width, px_per_mm)
    if length is None:
        assert min(SCALE_BAR_MM) * px_per_mm > width / 4
    else:
        assert length in SCALE_BAR_MM and length * px_per_mm <= width / 4


def test_only_what_is_on_the_frame_is_drawn():
    there, elsewhere = (
        candidate(50, 60),
        candidate(90, 100, frame_indices=(5,), best_frame=5, outlines={}, rank=2),
    )
    on = target(3, frame_index=4)
    off = target(4, frame_index=9)
    assert [m.label for m in marks([there, elsewhere, on, off], 4)] == ["1", "3"]
    assert [m.label for m in marks([there, on, off])] == ["1", "3", "4"]
    assert [m.colour for m in marks([there, on], 4)] == [SKY_BLUE, ORANGE]


def test_a_box_cuts_the_rest_away():
    frame = np.zeros((200, 300), np.uint8)
    frame[:40] = 255  # a banner
    drawn = draw_overlay(frame, [], box=(40, 0, 200, 300))
    assert drawn.max() == 0


@pytest.mark.parametrize("place", [(0, 0), (0, 319), (239, 0), (239, 319), (-30, 500)])
def test_marks_at_the_border_do_no_harm(place: tuple[float, float]):
    drawn = draw_overlay(
        np.full((240, 320), 90, np.uint8), [candidate(*place, rank=12345678)], caption="x" * 300
    )
    assert drawn.shape[1] == 900


@pytest.mark.parametrize(
    ("frame", "box"),
    [
        (np.zeros((10, 10), np.float32), None),
        (np.zeros((10, 10, 4), np.uint8), None),
        (np.zeros(10, np.uint8), None),
        (np.zeros((10, 10), np.uint8), (20, 20, 30, 30)),
        (np.zeros((0, 10), np.uint8), None),
    ],
)
def test_what_is_no_picture_is_refused(frame: np.ndarray, box: tuple[int, int, int, int] | None):
    with pytest.raises(InvalidInputError):
        draw_overlay(frame, [], box=box)


def test_a_picture_comes_back_from_its_file(tmp_path: Path):
    drawn = draw_overlay(np.full((240, 320), 90, np.uint8), [candidate(100, 100)])
    path = save_png(tmp_path / "a.png", drawn)
    assert np.array_equal(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), drawn)
    assert encode(drawn, ".jpg").startswith(b"\xff\xd8")
    with pytest.raises(NotSavedError):
        save_png(tmp_path / "missing" / "a.png", drawn)


@pytest.mark.parametrize("point", [(21.0, 11.0), (125.0, 160.0), (228.0, 308.0)])
@pytest.mark.parametrize("calibrated", [True, False])
def test_a_target_s_picture_shows_the_target_and_stays_in_its_region(
    point: tuple[float, float], calibrated: bool
):
    pixels = np.full((240, 320), 255, np.uint8)
    row0, col0, row1, col1 = REGION.box
    pixels[row0:row1, col0:col1] = 60
    values = {} if calibrated else {"calibration": None}
    spot = Spot.of_target(target(1, point=point, outline=(), **values))
    shown = close_up(PaperClip(pixels=pixels), spot)
    assert shown.shape[1] / shown.shape[0] == pytest.approx(4 / 3, rel=0.03)
    assert near(shown, ORANGE).sum() > 20
    if not calibrated:
        assert not near(shown, (255, 255, 255)).any()


def test_the_depth_is_drawn_from_the_skin_to_the_near_wall():
    one = target(
        1, point=(90.0, 160.0), outline=(), depth_mm=6.0, diameter_mm=2.0
    )  # skin at row 20, 0.1 mm a row
    clip = PaperClip(pixels=np.full((240, 320), 60, np.uint8))
    with_depth = near(whole_picture(clip, Spot.of_target(one)), ORANGE)
    without = near(whole_picture(clip, Spot.of_target(replace(one, depth_mm=None))), ORANGE)
    rows = np.flatnonzero((with_depth & ~without).any(axis=1))
    scale = with_depth.shape[0] / 210  # the region is 210 rows high, from row 20 on
    assert rows.min() <= 3 * scale
    assert rows.max() == pytest.approx(60 * scale, abs=8 * scale)
