"""Pieces of one tube seen lengthwise become one lumen.

A ring reaches only so far along a tube, so a vein that crosses the picture is
found in pieces.  Two pieces belong together when their convex hull holds little
more than the two (they lie in one line and are alike in width) and the way from
one middle to the other is as dark as they are (no wall lies between them).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.shapes import BAND_FROM, measure_polygons

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.uint8]

HULL_EXCESS = 1.25
"""Largest area of the hull, in areas of the two pieces together."""

STILL_DARK = 0.5
"""The way between the middles may be so far from the lumens' level towards their surroundings'."""

BETWEEN = 48
"""Points read on that way; a tenth of them may be brighter."""

WEAKER = 4.0
"""A piece may be weaker than the tube's strongest by this much of the logit: anything is dark somewhere."""

STRAIGHT = 1.15
"""Up to this excess the hull is the outline itself."""

VERTICES = 64
"""Vertices of a joined outline."""


def joined_pieces(
    image: npt.NDArray[np.float32], outlines: Sequence[Array], logits: npt.ArrayLike
) -> tuple[list[list[int]], list[Array]]:
    """Groups of indices that are one tube, strongest first, and their outlines (grid pixels).

    `outlines` are (k, 2) `(row, col)` polygons with their `logits` (n,), strongest first; an outline
    that joins nothing is returned as it is.
    """
    strength = np.asarray(logits, np.float64)
    groups = [[index] for index in range(len(outlines))]
    shapes = [np.asarray(outline, np.float64) for outline in outlines]
    bands = [_is_band(shape) for shape in shapes]
    if not any(bands):
        return groups, shapes
    masks = [_raster(shape, image.shape) for shape in shapes]
    first = 0
    while first < len(groups):
        for second in range(first + 1, len(groups)):
            if not (bands[first] or bands[second]):
                continue
            if strength[groups[first][0]] - strength[groups[second][0]] > WEAKER:
                continue
            tube = _tube(image, (shapes[first], shapes[second]), (masks[first], masks[second]))
            if tube is not None:
                groups[first] = sorted(groups[first] + groups[second])
                masks[first], shapes[first] = tube
                bands[first] = _is_band(shapes[first])
                del groups[second], masks[second], shapes[second], bands[second]
                break
        else:
            first += 1
    return groups, shapes


def _is_band(outline: Array) -> bool:
    shape = measure_polygons(outline[None])
    return bool(shape.major[0] >= BAND_FROM * shape.minor[0])


def _raster(outline: Array, shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline[:, ::-1]).astype(np.int32)], (1,))
    return mask


def _tube(
    image: npt.NDArray[np.float32], outlines: tuple[Array, Array], masks: tuple[Mask, Mask]
) -> tuple[Mask, Array] | None:
    """The mask and outline of the tube that two pieces form, or None."""
    both = masks[0] | masks[1]
    corners = np.concatenate(outlines)[:, ::-1].astype(np.float32)
    hull_corners = np.asarray(cv2.convexHull(corners), np.float64).reshape(-1, 2)[:, ::-1]
    hull = _raster(hull_corners, image.shape)
    area = int(both.sum())
    if area == 0 or int(hull.sum()) > HULL_EXCESS * area:
        return None
    around = cv2.dilate(hull, np.ones((5, 5), np.uint8)) > hull
    ends = measure_polygons(outlines[0][None]).centre[0], measure_polygons(outlines[1][None]).centre[0]
    line = ends[0] + np.linspace(0, 1, BETWEEN)[:, None] * (ends[1] - ends[0])
    between = cv2.remap(
        image, line[:, 1:].astype(np.float32), line[:, :1].astype(np.float32), cv2.INTER_LINEAR
    )
    lumen = float(image[both > 0].mean())
    wall = float(image[around].mean()) if around.any() else lumen
    if float(np.percentile(between, 90)) > lumen + STILL_DARK * max(wall - lumen, 0.0):
        return None
    width = max(3, round(0.5 * min(float(measure_polygons(one[None]).minor[0]) for one in outlines)))
    round_kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    closed_up = cv2.morphologyEx(both, cv2.MORPH_CLOSE, round_kernel)
    # the tighter one when it is in one piece and the tube bends; the hull has no notches
    for mask in (hull,) if hull.sum() <= STRAIGHT * area else (closed_up, hull):
        lines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if len(lines) == 1:
            line = np.asarray(lines[0], np.float64).reshape(-1, 2)[:, ::-1]
            if len(line) < 8:
                return None
            at = np.linspace(0, len(line), VERTICES, endpoint=False)
            along = np.arange(len(line) + 1)
            closed = np.concatenate([line, line[:1]])
            outline = np.stack([np.interp(at, along, closed[:, axis]) for axis in (0, 1)], axis=1)
            return np.asarray(mask, np.uint8), np.asarray(outline, np.float64)
    return None
