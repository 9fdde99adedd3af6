"""One vein, one candidate: tracks that end and begin again at the same place are joined.

A vein that is pressed flat, or leaves the plane, is gone for longer than the tracker waits.  When a lumen
of about the same size comes back where the old one lay (the depth corrected by how far the probe
presses), and nothing else was followed there meanwhile, it is the same vein.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from veinscan.candidates.detect import Lumen
from veinscan.candidates.track import REACH_MM, SIZE_COST, Track

Array = npt.NDArray[np.float64]

LONGEST_GAP = 120
"""Frames after which what comes back is taken for another vein: about four seconds."""

MAX_COST = 1.2
"""Cost beyond which two tracks are not the same vein."""

GAP_WIDTH = 1.25
"""What lies in a gap of a track, where it must have been, is at most so many times as wide."""

STRAY = 2
"""Lumens of a track put into a gap that may be left out."""

LOOK = 8
"""Frames at either end whose largest diameter stands for the track: before a collapse it gets small."""


def stitched(tracks: Sequence[Track], shorter: Array, skin_row: float, pixel_mm: float) -> list[Track]:
    """The tracks with those joined that are the same vein, in the order of their first frames.

    `shorter` (frames,) is the shortening of tissue by pressure, NaN where unknown; `skin_row` in grid pixels.
    """
    pieces = sorted(
        tracks, key=lambda track: (next(iter(track.lumens)), _at(track, False, skin_row, shorter)[0])
    )
    done: list[Track] = []
    for piece in pieces:
        begins = next(iter(piece.lumens))
        best, where = MAX_COST, -1
        for place, earlier in enumerate(done):
            gap = begins - earlier.last_frame
            if not 1 <= gap <= LONGEST_GAP:
                continue
            cost = _cost(earlier, piece, skin_row, shorter, pixel_mm)
            if cost < best and not _taken(pieces, earlier, piece, pixel_mm):
                best, where = cost, place
        if where < 0:
            done.append(Track(dict(piece.lumens), piece.speed))
        else:
            done[where].lumens.update(piece.lumens)
            done[where].speed = piece.speed
    return _with_gaps_filled(done, shorter, skin_row, pixel_mm)


def _with_gaps_filled(
    tracks: Sequence[Track], shorter: Array, skin_row: float, pixel_mm: float
) -> list[Track]:
    """The tracks, with short ones that lie mostly in the gaps of a longer one put in there."""
    left = list(tracks)
    for small in sorted(tracks, key=lambda track: len(track.lumens)):
        for long in left:
            if long is small or len(small.lumens) >= len(long.lumens):
                continue
            fits = [
                frame for frame in small.lumens if _in_gap(small, frame, long, shorter, skin_row, pixel_mm)
            ]
            # a stray lumen or two may have been taken for it before
            if len(fits) < 0.5 * len(small.lumens) or len(small.lumens) - len(fits) > STRAY:
                continue
            lumens = long.lumens | {frame: small.lumens[frame] for frame in fits}
            long.lumens = {frame: lumens[frame] for frame in sorted(lumens)}
            left = [track for track in left if track is not small]
            break
    return left


def _in_gap(small: Track, frame: int, long: Track, shorter: Array, skin_row: float, pixel_mm: float) -> bool:
    """Whether a lumen lies between frames of a longer track, where that one must have been."""
    frames = np.array(list(long.lumens))
    if frame in long.lumens or not frames[0] < frame < frames[-1]:
        return False
    after = int(np.searchsorted(frames, frame))
    ends = [int(frames[after - 1]), int(frames[after])]
    size = max(long.lumens[end].diameter_px for end in ends)
    before, behind = (_rest(long.lumens[end], end, skin_row, shorter) for end in ends)
    place = before + (behind - before) * (frame - ends[0]) / (ends[1] - ends[0])
    lumen = small.lumens[frame]
    away = float(np.hypot(*(_rest(lumen, frame, skin_row, shorter) - place)))
    return lumen.diameter_px <= GAP_WIDTH * size and away <= REACH_MM / pixel_mm + 0.5 * size


def _at(track: Track, end: bool, skin_row: float, shorter: Array) -> Array:
    """`(row, col)` of a track's last or first lumen as it would lie without pressure."""
    frame = track.last_frame if end else next(iter(track.lumens))
    return _rest(track.lumens[frame], frame, skin_row, shorter)


def _rest(lumen: Lumen, frame: int, skin_row: float, shorter: Array) -> Array:
    """`(row, col)` of a lumen's centre as it would lie without pressure."""
    row, col = lumen.centre
    pressed = float(shorter[frame]) if frame < len(shorter) and np.isfinite(shorter[frame]) else 0.0
    return np.array([skin_row + (row - skin_row) / (1.0 - min(pressed, 0.5)), col])


def _size(track: Track, end: bool) -> float:
    sizes = [lumen.diameter_px for lumen in track.lumens.values()]
    return max(sizes[-LOOK:] if end else sizes[:LOOK])


def _cost(earlier: Track, later: Track, skin_row: float, shorter: Array, pixel_mm: float) -> float:
    """How unlike the end of one track and the beginning of another are; 1 is a whole reach away."""
    before, after = _size(earlier, True), _size(later, False)
    reach = REACH_MM / pixel_mm + 0.5 * min(before, after)
    away = _at(later, False, skin_row, shorter) - _at(earlier, True, skin_row, shorter)
    octaves = abs(np.log2(max(after, 1e-3) / max(before, 1e-3)))
    return float(np.hypot(*away) / reach + SIZE_COST * octaves)


def _taken(tracks: Sequence[Track], earlier: Track, later: Track, pixel_mm: float) -> bool:
    """Whether another track was followed through the same place between the two."""
    begin, end = earlier.last_frame, next(iter(later.lumens))
    place = np.array(later.lumens[end].centre)
    reach = 0.5 * _size(later, False)
    for other in tracks:
        if other is later:
            continue
        for frame, lumen in other.lumens.items():
            if begin < frame < end and np.hypot(*(np.array(lumen.centre) - place)) < reach:
                return True
    return False
