"""The outline that the wall fit and the network agree on.

The wall fit is exact where a wall shows and goes astray where none does; the network's outline is read
off pixels of 0.16 mm and is seldom far off.  So the network's outline is moved to the wall, no further
than the two differ where both are right.  What the network has no outline for keeps its fitted wall.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from veinscan.candidates.joint import AGREE, agreement
from veinscan.candidates.propose import PreparedFrame
from veinscan.candidates.refine import refine_outlines
from veinscan.candidates.shapes import measure_polygons

Array = npt.NDArray[np.float64]

REACH_MM = 0.25
"""How far the network's outline is moved at most: a pixel and a half of its maps.  The overlap with outlines
drawn by an expert is the same from 0.15 to 0.4 mm."""

LONG, LONG_AGREE = 3.0, 0.6
"""Ratio of axes from which an outline is that of a tube seen lengthwise, which is found in pieces that are
joined later; and the intersection over union from which a ring is no piece but all of it."""


def pulled(outline: Array, wall: Array, reach: float) -> Array:
    """(k, 2) `outline`, vertices moved to the nearest point of a closed (m, 2) `wall`, by `reach` at most."""
    run = np.roll(wall, -1, axis=0) - wall
    along = ((outline[:, None] - wall) * run).sum(axis=2) / np.maximum((run**2).sum(axis=1), 1e-12)
    way = wall + np.clip(along, 0.0, 1.0)[..., None] * run - outline[:, None]
    distance = np.hypot(way[..., 0], way[..., 1])
    nearest = distance.argmin(axis=1)
    vertex = np.arange(len(outline))
    share = np.minimum(1.0, reach / np.maximum(distance[vertex, nearest], 1e-9))
    return np.asarray(outline + share[:, None] * way[vertex, nearest], np.float64)


def agreed_outlines(prepared: PreparedFrame, outlines: Array, places: Array) -> Array:
    """(n, k, 2) final outlines of n fitted ones; `places` (m, k, 2) are the network's; pixels of the grid."""
    if not len(outlines):
        return outlines
    centres = measure_polygons(outlines).centre
    fine = refine_outlines(prepared.image, outlines, centres, prepared.pixel_mm)
    low, high = places.min(axis=1), places.max(axis=1)
    extent = measure_polygons(places)
    least = np.where(extent.major >= LONG * extent.minor, LONG_AGREE, AGREE)
    for number, (wall, centre) in enumerate(zip(fine, centres, strict=True)):
        near = np.flatnonzero(((low <= centre) & (centre <= high)).all(axis=1))
        shared = [agreement(places[place], outlines[number]) for place in near]
        best = int(np.argmax(shared)) if shared else -1
        if shared and shared[best] >= least[near[best]]:
            fine[number] = pulled(places[near[best]], wall, REACH_MM / prepared.pixel_mm)
    return fine
