"""One vein in many frames is one candidate."""

from __future__ import annotations

import numpy as np
import pytest

from veinscan.candidates import find_candidates

SPACING = 0.1


def clip(picture, ellipse, places, minors):
    """Frames with one vein whose place and width change; fresh speckle in each."""
    return np.stack(
        [
            picture([ellipse(depth, across, minor, max(minor, 3.6))] if minor else [], seed=number)
            for number, ((depth, across), minor) in enumerate(zip(places, minors, strict=True))
        ]
    )


def test_a_moving_vein_is_one_candidate(picture, ellipse):
    places = [(12 + 0.1 * t, 12 + 0.8 * t) for t in range(10)]
    found = find_candidates(clip(picture, ellipse, places, [3.2] * 10), SPACING)
    best = found[0]
    assert best.frame_indices == tuple(range(10))
    for index, (depth, across) in enumerate(places):
        row, col = best.centre(index)
        assert ((row + 0.5) * SPACING, (col + 0.5) * SPACING) == pytest.approx((depth, across), abs=0.3)
    assert [one for one in found[1:] if one.score > 0.5 * best.score] == []


def test_a_vein_that_collapses_and_returns_is_one_candidate(picture, ellipse):
    minors = [3.2, 3.2, 3.0, 2.0, 0, 0, 0, 0, 2.2, 3.0, 3.2, 3.2]
    found = find_candidates(clip(picture, ellipse, [(12.0, 18.0)] * 12, minors), SPACING)
    assert {0, 11} <= set(found[0].frame_indices)
    assert not set(found[0].frame_indices) & {5, 6}


def test_two_veins_side_by_side_stay_two(picture, ellipse):
    frames = np.stack(
        [
            picture([ellipse(12, 14 + 0.2 * t, 3.2, 3.4), ellipse(12, 20 - 0.05 * t, 3.0, 3.2)], seed=t)
            for t in range(8)
        ]
    )
    found = find_candidates(frames, SPACING)[:2]
    assert all(len(one.frame_indices) == 8 for one in found)
    columns = sorted(one.centre(7)[1] * SPACING for one in found)
    assert columns == pytest.approx([15.4, 19.65], abs=0.4)


def test_what_flashes_up_once_in_a_clip_is_no_candidate(picture, ellipse):
    frames = clip(picture, ellipse, [(12.0, 18.0)] * 10, [0, 0, 0, 3.4, 0, 0, 0, 0, 0, 0])
    assert all(one.score < 0.2 for one in find_candidates(frames, SPACING))
