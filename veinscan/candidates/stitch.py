"""One vein, one candidate: tracks that end and begin again at the same place are joined.

A vein that is pressed flat, or leaves the plane, is gone for longer than the tracker waits.  When a lumen
of about the same size comes back where the old one lay (the depth corrected by how far the probe
presses), and nothing else was followed there meanwhile, it is the same vein.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from veinscan.candidates.track import REACH_MM, SIZE_COST, Track

Array = npt.NDArray[np.float64]

LONGEST_GAP = 120
"""Frames after which what comes back is taken for another vein: about four seconds."""

MAX_COST = 1.2
"""Cost beyond which two tracks are not the same vein."""

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
    return done


def _at(track: Track, end: bool, skin_row: float, shorter: Array) -> Array:
    """`(row, col)` of a track's last or first lumen as it would lie without pressure."""
    frame = track.last_frame if end else next(iter(track.lumens))
    row, col = track.lumens[frame].centre
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
