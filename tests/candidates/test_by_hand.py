"""Candidates by hand: measures of a drawn outline, and the same lumen found again on other frames."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.candidates.by_hand import drawn_candidate, follow, is_drawn, measure_in_clip, measure_outline
from veinscan.dicom.model import Region, RegionKind
from veinscan.errors import CancelledError, InvalidInputError

BOX = (40, 30, 190, 230)
SPACING = (0.1, 0.1)


def ellipse_corners(row: float, col: float, half_rows: float, half_cols: float) -> np.ndarray:
    at = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    return np.stack([row + half_rows * np.sin(at), col + half_cols * np.cos(at)], axis=1)


@settings(max_examples=60, deadline=None)
@given(
    row=st.floats(50, 150),
    col=st.floats(50, 150),
    minor_mm=st.floats(0.8, 8.0),
    aspect=st.floats(1.0, 1.9),
    spacing=st.sampled_from([(0.05, 0.05), (0.1, 0.12), (0.2, 0.1)]),
)
def test_a_drawn_ellipse_has_its_minor_axis_and_the_depth_of_its_top(row, col, minor_mm, aspect, spacing):
    half_rows = minor_mm / 2 / spacing[0]
    ring = ellipse_corners(row, col, half_rows, aspect * minor_mm / 2 / spacing[1])
    found = measure_outline(ring, spacing, skin_row=10.0)
    assert found.diameter_mm == pytest.approx(minor_mm, rel=0.01)
    assert found.centre == pytest.approx((row, col), abs=0.05)
    assert found.depth_mm == pytest.approx((row - half_rows - 10.0) * spacing[0], abs=0.03)


@pytest.mark.parametrize(
    "corners", [[(1, 1), (2, 2), (3, 3)], [(5, 5)] * 4, [(1, 1), (float("nan"), 2), (3, 1)]]
)
def test_what_encloses_nothing_is_refused(corners):
    with pytest.raises(InvalidInputError, match="encloses nothing"):
        measure_outline(corners, SPACING, 0.0)


@pytest.fixture(scope="module")
def clip(picture, ellipse):
    """A vein that moves sideways by 0.3 mm a frame and is shut on the fourth; another below stays."""
    frames = []
    for index in range(7):
        veins = [ellipse(12.0, 12.0, 3.0, 3.2)]
        if index != 3:
            veins.append(ellipse(5.0, 6.0 + 0.3 * index, 2.0, 2.4))
        part = picture(veins, size_mm=(15, 20), seed=index)
        whole = np.zeros((200, 240), np.uint8)
        whole[BOX[0] : BOX[2], BOX[1] : BOX[3]] = part
        frames.append(whole)
    region = Region(kind=RegionKind.TISSUE, box=BOX, spacing_mm=SPACING, skin_row=float(BOX[0]))
    return SimpleNamespace(
        picture_region=region, n_frames=len(frames), file="a.dcm", bmode=lambda index: frames[index]
    )


def place(index: int) -> tuple[float, float]:
    return BOX[0] + 50.0, BOX[1] + 10 * (6.0 + 0.3 * index)


def test_a_lumen_is_followed_through_motion_and_a_gap_and_no_other_is_taken_for_it(clip):
    drawn = measure_in_clip(clip, 1, place(1))
    assert drawn is not None
    assert drawn.diameter_mm == pytest.approx(2.0, abs=0.4)
    told = []
    found = follow(clip, 1, drawn, progress=lambda done, total: told.append((done, total)))
    assert list(found) == [0, 1, 2, 4, 5, 6]
    for index, lumen in found.items():
        assert lumen.centre == pytest.approx(place(index), abs=4), index
    assert told == [(done, 6) for done in range(1, 7)]


def test_a_lumen_that_is_gone_is_not_found_elsewhere(clip):
    still = SimpleNamespace(**vars(clip))
    still.bmode = lambda index: clip.bmode(0 if index == 0 else 3)
    drawn = measure_in_clip(still, 0, place(0))
    assert drawn is not None
    assert list(follow(still, 0, drawn)) == [0]


def test_following_can_be_stopped(clip):
    def stop(_done: int, _total: int) -> None:
        raise CancelledError("stopped by the reader")

    drawn = measure_in_clip(clip, 1, place(1))
    assert drawn is not None
    with pytest.raises(CancelledError):
        follow(clip, 1, drawn, progress=stop)


def test_without_calibration_or_off_the_picture_it_says_so(clip):
    bare = SimpleNamespace(picture_region=None, file="a.dcm")
    with pytest.raises(InvalidInputError, match="calibrate"):
        measure_in_clip(bare, 0, (60, 60))
    with pytest.raises(InvalidInputError, match="outside the picture"):
        measure_in_clip(clip, 0, (5, 5))


def test_a_drawn_candidate_says_that_it_is_one(clip):
    drawn = measure_in_clip(clip, 1, place(1))
    assert drawn is not None
    one, other = (drawn_candidate(1, {1: drawn}) for _ in range(2))
    assert is_drawn(one.id)
    assert not is_drawn("c123")
    assert one.id != other.id
    assert (one.best_frame, one.score, dict(one.evidence)) == (1, 0.0, {})
    np.testing.assert_array_equal(one.outline(1), drawn.outline)
