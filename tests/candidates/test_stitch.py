"""Tracks that are one vein are joined, tracks that are two are not."""

from __future__ import annotations

import numpy as np
import pytest

from veinscan.candidates.detect import Lumen
from veinscan.candidates.stitch import stitched
from veinscan.candidates.track import Track

PIXEL = 0.125
NO_PRESSURE = np.zeros(200)


def track(frames, *, row=100.0, col=100.0, width=24.0):
    """A round lumen, `width` pixels wide, at one place or along (frames,) rows."""
    rows = np.broadcast_to(row, len(frames))
    out = Track()
    for frame, at in zip(frames, rows, strict=True):
        angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ring = np.stack([at + width / 2 * np.sin(angle), col + width / 2 * np.cos(angle)], axis=1)
        out.add(frame, Lumen(ring, (float(at), col), width, 1.0, np.ones(1), width))
    return out


def frames_of(tracks):
    return [list(one.lumens) for one in tracks]


@pytest.mark.parametrize("gap", [1, 20, 100])
def test_what_comes_back_at_its_place_is_the_same_vein(gap):
    later = list(range(9 + gap, 15 + gap))
    assert frames_of(stitched([track(range(10)), track(later)], NO_PRESSURE, 0.0, PIXEL)) == [
        [*range(10), *later]
    ]


@pytest.mark.parametrize(
    "other",
    [
        track(range(30, 40), col=140.0),
        track(range(30, 40), width=6.0),
        track(range(150, 160)),
        track(range(5, 15), col=120.0),
    ],
    ids=["elsewhere", "much smaller", "much later", "at the same time"],
)
def test_what_is_another_vein_stays_another(other):
    assert len(stitched([track(range(10)), other], NO_PRESSURE, 0.0, PIXEL)) == 2


def test_a_place_that_another_vein_crossed_meanwhile_is_not_joined_over():
    crossing = track(range(12, 28))
    got = stitched(
        [track(range(10), width=26.0), crossing, track(range(30, 40), width=26.0)], NO_PRESSURE, 0.0, PIXEL
    )
    # the one in between is the vein itself, so all are one, and nothing is lost
    assert sorted(frame for one in got for frame in one.lumens) == [
        *range(10),
        *range(12, 28),
        *range(30, 40),
    ]


def test_depth_is_corrected_for_the_pressure():
    pressed = np.where(np.arange(200) >= 20, 0.3, 0.0)
    deep = track(range(10), row=200.0, width=10.0)
    lifted = track(range(25, 35), row=140.0, width=10.0)
    assert len(stitched([deep, lifted], pressed, 0.0, PIXEL)) == 1
    assert len(stitched([deep, lifted], NO_PRESSURE, 0.0, PIXEL)) == 2


def test_what_lies_in_a_gap_of_a_longer_track_is_put_there():
    long = track([*range(10), *range(20, 30)])
    narrow = track([12, 16], width=8.0)
    assert frames_of(stitched([long, narrow], NO_PRESSURE, 0.0, PIXEL)) == [
        sorted([*range(10), 12, 16, *range(20, 30)])
    ]
    beside = track([12, 16], width=8.0, col=160.0)
    assert len(stitched([long, beside], NO_PRESSURE, 0.0, PIXEL)) == 2


def test_the_tracks_given_are_left_as_they_are():
    one, other = track(range(10)), track(range(30, 40))
    stitched([one, other], NO_PRESSURE, 0.0, PIXEL)
    assert frames_of([one, other]) == [list(range(10)), list(range(30, 40))]
    assert stitched([], NO_PRESSURE, 0.0, PIXEL) == []
