"""The network's maps of a frame carried on to the next one by the motion between the two.

Two frames of a clip that follow each other show the same lumens, moved by a little.  The motion is found
place by place (dense inverse search: Kroeger, Timofte, Dai and Van Gool, 2016; OpenCV's `DISOpticalFlow`)
in a hundredth of the time that the network takes.  Where the moved frame is not much like the next one
(a fast sweep, a cut) nothing is carried, and the network looks.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from veinscan.candidates.network import Bytes, Floats, LumenMaps

ALIKE = 0.9
"""Correlation of the moved frame with the next one below which nothing is carried."""

COMPARED_SIGMA = 2.0
"""Blur of both before that, in pixels of the maps (0.32 mm): speckle changes, tissue stays."""

LEAST_SIDE = 32
"""Rows and columns of the maps below which the network looks: it takes no time there."""


def carried(maps: LumenMaps, before: Bytes, after: Bytes) -> LumenMaps | None:
    """The maps of `before` moved to where things are on `after`; None where the two are not alike.

    Both frames (rows, cols) uint8 of one shape, that which the maps were made from.
    """
    rows, cols = maps.vessel.shape
    if min(rows, cols) < LEAST_SIDE or before.shape != after.shape:
        return None
    then, now = (
        np.asarray(cv2.resize(frame, (cols, rows), interpolation=cv2.INTER_AREA), np.uint8)
        for frame in (before, after)
    )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    flow = search.calc(now, then, np.zeros((rows, cols, 2), np.float32))
    from_row, from_col = np.mgrid[:rows, :cols].astype(np.float32)
    from_row += flow[..., 1]
    from_col += flow[..., 0]

    def moved(values: Bytes | Floats) -> Floats:
        there = cv2.remap(values, from_col, from_row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(there, np.float32)

    if _correlation(moved(then), now.astype(np.float32)) < ALIKE:
        return None
    return replace(maps, vessel=moved(maps.vessel), nerve=moved(maps.nerve), core=moved(maps.core))


def _correlation(one: Floats, other: Floats) -> float:
    """Of two pictures after a blur; 0 where either is of one level."""
    pair = []
    for picture in (one, other):
        blurred = cv2.GaussianBlur(picture, (0, 0), COMPARED_SIGMA)
        pair.append((blurred - blurred.mean()).ravel())
    length = float(np.linalg.norm(pair[0]) * np.linalg.norm(pair[1]))
    return float(pair[0] @ pair[1]) / length if length > 1e-6 else 0.0
