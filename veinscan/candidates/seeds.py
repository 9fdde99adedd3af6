"""Where a lumen may be: the maxima of the response over place and size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.enhance.medial import SizeMap, size_maps

SEEDS_PER_SIZE = 12
"""Most maxima kept at one size, strongest first."""

MIN_RESPONSE = 0.01
"""Response below which a maximum is not looked at."""

APART = 0.5
"""Maxima of one size lie at least so far apart, in diameters."""


@dataclass(frozen=True, slots=True)
class Seeds:
    """Places to fit a ring at, in pixels of the grid."""

    centres: npt.NDArray[np.float64]
    """(n, 2) `(row, col)`."""
    half_px: npt.NDArray[np.float64]
    """(n,) half the diameter at which the maximum was found."""
    response: npt.NDArray[np.float64]
    """(n,)"""

    def only(self, kept: npt.NDArray[np.bool_]) -> Seeds:
        """Some of them: `kept` (n,)."""
        return Seeds(self.centres[kept], self.half_px[kept], self.response[kept])


def maxima(entry: SizeMap, diameter_px: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """(n, 2) places and (n,) values of the maxima of one map, strongest first, ties by row and column."""
    reach = max(1, round(APART * diameter_px))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    top = cv2.dilate(entry.response, kernel)
    # numbers of a flat array: far faster than rows and columns of a plane
    flat = np.flatnonzero((entry.response >= top) & (entry.response > MIN_RESPONSE))
    places = np.stack(np.divmod(flat, entry.response.shape[1]), axis=1)
    values = entry.response.ravel()[flat]
    order = np.lexsort((places[:, 1], places[:, 0], -values))[:SEEDS_PER_SIZE]
    return places[order], values[order]


def find_seeds(
    image: npt.NDArray[np.float32],
    mask: npt.NDArray[np.bool_],
    pixel_mm: float,
    diameters_mm: tuple[float, float],
    *,
    grade: str = "maxima",
) -> Seeds:
    """The maxima on tissue of every size's response; the picture on the grid, filled off the mask."""
    centres, halves, responses = [], [], []
    for entry in size_maps(image, pixel_mm, diameters_mm, grade=grade):
        half_px = entry.diameter_mm / pixel_mm / 2.0
        places, values = maxima(entry, 2.0 * half_px / entry.step)
        points = entry.offset + entry.step * places.astype(np.float64)
        row = np.clip(np.round(points[:, 0]).astype(int), 0, mask.shape[0] - 1)
        col = np.clip(np.round(points[:, 1]).astype(int), 0, mask.shape[1] - 1)
        keep = mask[row, col]
        centres.append(points[keep])
        responses.append(values[keep].astype(np.float64))
        halves.append(np.full(int(keep.sum()), half_px))
    return Seeds(np.concatenate(centres), np.concatenate(halves), np.concatenate(responses))
