"""The network's maps carried from frame to frame: along with what moves, and not where frames differ."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from veinscan.candidates import find_candidates, per_frame
from veinscan.candidates.carry import carried
from veinscan.candidates.network import lumen_maps
from veinscan.phantom.clips import make_clip

SPACING = 0.09


@pytest.fixture(scope="module")
def frame():
    frames, _ = make_clip(31, spacing_mm=SPACING, shape=(300, 380), n_frames=1)
    return frames[0]


def shifted(picture, rows, cols):
    move = np.array([[1.0, 0.0, cols], [0.0, 1.0, rows]])
    return cv2.warpAffine(picture, move, picture.shape[::-1], borderMode=cv2.BORDER_REFLECT)


@pytest.mark.parametrize("motion", [(0.0, 0.0), (4.0, -3.0), (-6.0, 5.0)])
def test_maps_move_with_the_tissue(frame, motion):
    maps = lumen_maps(frame, SPACING)
    later = shifted(frame, *motion)
    moved = carried(maps, frame, later)
    assert moved is not None
    assert moved.scale == maps.scale
    looked = lumen_maps(later, SPACING)
    inner = np.s_[8:-8, 8:-8]
    for name in ("vessel", "nerve", "core"):
        there, here, seen = (getattr(one, name)[inner] for one in (moved, maps, looked))
        assert there.dtype == np.float32
        assert 0 <= there.min() <= there.max() <= 1
        away = np.abs(there - seen).mean()
        assert away <= 0.01
        if any(motion) and name != "nerve":
            assert away < 0.5 * np.abs(here - seen).mean()


def test_a_change_of_the_pressure_is_followed(frame):
    rows, cols = frame.shape
    pressed = np.ascontiguousarray(cv2.resize(frame, (cols, round(0.96 * rows)))[: round(0.94 * rows)])
    pressed = cv2.copyMakeBorder(pressed, 0, rows - len(pressed), 0, 0, cv2.BORDER_REPLICATE)
    maps, looked = lumen_maps(frame, SPACING), lumen_maps(pressed, SPACING)
    moved = carried(maps, frame, pressed)
    assert moved is not None
    upper = np.s_[: 3 * len(maps.vessel) // 4]
    before = np.abs(maps.vessel - looked.vessel)[upper].mean()
    assert np.abs(moved.vessel - looked.vessel)[upper].mean() < 0.6 * before


def test_nothing_is_carried_to_another_picture(frame):
    maps = lumen_maps(frame, SPACING)
    other, _ = make_clip(77, spacing_mm=SPACING, shape=frame.shape, n_frames=1)
    assert carried(maps, frame, other[0]) is None
    assert carried(maps, frame, np.zeros_like(frame)) is None
    assert carried(maps, frame, frame[:-40]) is None
    small = frame[:40, :40]
    assert carried(lumen_maps(small, SPACING), small, small) is None


@pytest.mark.parametrize(("alike", "looks"), [(True, 3), (False, 5)])
def test_two_frames_that_are_alike_share_one_look(frame, monkeypatch, alike, looks):
    other, _ = make_clip(77, spacing_mm=SPACING, shape=frame.shape, n_frames=1)
    frames = np.stack([frame if alike or not n % 2 else other[0] for n in range(5)])
    seen = []
    look = per_frame.network_view

    def counted(*args):
        seen.append(1)
        return look(*args)

    monkeypatch.setattr(per_frame, "network_view", counted)
    found = find_candidates(frames, SPACING)
    assert len(seen) == looks
    if alike:
        one_by_one = find_candidates(frame[None], SPACING)
        good = [one for one in one_by_one if one.score > 0.3]
        assert len(good) >= 3
        for one in good:
            same = min(found, key=lambda each, one=one: np.hypot(*np.subtract(each.centre(0), one.centre(0))))
            assert same.frame_indices == tuple(range(5))
            assert abs(same.diameter_mm - one.diameter_mm) < 0.05
