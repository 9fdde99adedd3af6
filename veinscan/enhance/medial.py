"""Symmetric-wall medialness times darkness: how much a place is the middle of a dark lumen of a given width.

For a diameter D the blurred picture B is read on two circles around each
place, just inside and just outside a wall that would lie at D/2.  Along each
of 8 axes both walls must be there, so the smaller of the two steps counts:

    step(n)  = B(p + R_out n) - B(p + R_in n)                 grey levels
    tube     = max over axes of min(step(n), step(-n), and 0 at least)
    blob     = mean over axes of the same
    wall     = (tube + BLOB_GAIN blob) / 2
    darkness = mean of B on the outer circle - B(p), and 0 at least
    response = wall / (wall + HALF_STEP) x darkness / (darkness + HALF_STEP)

Steps are differences of log-compressed grey levels at a distance that grows
with D, so the measure is scale-normalised; nothing in it depends on the rest
of the frame or on the order of the sizes, and it never saturates.  Large sizes
are read on a pyramid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

HALF_STEP = 32.0
"""Grey levels that count as half a wall: 7.5 dB of a 60 dB display."""

BLOB_GAIN = 1.6
"""Weight of the all-round part beside the best axis."""

BLUR_PER_DIAMETER = 0.12
"""Sigma of the blur before reading the circles, as a share of D."""

MIN_BLUR_PX = 0.7

INNER_CIRCLE, OUTER_CIRCLE = 0.30, 0.72
"""Radii of the circles as shares of D: a wall at 0.5 D lies between them."""

SIZES_PER_OCTAVE = 3

AXES = 8
"""Axes tried at each place, evenly over half a turn."""

PIXELS_ACROSS = {"exact": 12.0, "live": 6.0}
"""Least pixels across D that a level of the pyramid must give; the finest serves whatever is smaller."""


@dataclass(frozen=True, slots=True)
class SizeMap:
    """The response at one diameter, on its level of the pyramid."""

    diameter_mm: float
    level: int
    """The grid shrunk by 2 so many times."""
    response: Map
    """(rows, cols) of that level, 0..1."""


def diameters_between(smallest_mm: float, largest_mm: float) -> list[float]:
    """Geometric steps from smallest to largest, three to the octave."""
    count = max(2, round(SIZES_PER_OCTAVE * np.log2(largest_mm / smallest_mm)) + 1)
    return [float(size) for size in np.geomspace(smallest_mm, largest_mm, count)]


def pyramid(image: Map, levels: int) -> list[Map]:
    """The picture and its halves: level k has 1/2^k of the resolution; stops where a side would vanish."""
    out = [image]
    while len(out) <= levels and min(out[-1].shape) >= 8:
        rows, cols = out[-1].shape
        # area means of an odd side would shift the picture: pad to even first
        even = cv2.copyMakeBorder(out[-1], 0, rows % 2, 0, cols % 2, cv2.BORDER_REPLICATE)
        size = even.shape[1] // 2, even.shape[0] // 2
        out.append(np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.float32))
    return out


def level_of(diameter_mm: float, pixel_mm: float, pixels_across: float, levels: int) -> int:
    """The coarsest level at which D still has the wanted pixels across."""
    level = int(np.floor(np.log2(max(diameter_mm / pixel_mm / pixels_across, 1.0)) + 1e-9))
    return min(level, levels)


def lattice(radius: float, axes: int) -> list[tuple[int, int]]:
    """Whole `(row, col)` steps to the points of a circle, one for each axis over half a turn."""
    angles = np.pi * np.arange(axes) / axes
    return [(round(radius * float(np.sin(a))), round(radius * float(np.cos(a)))) for a in angles]


def response_at(image: Map, diameter_px: float, axes: int = AXES) -> Map:
    """(rows, cols) float32 response 0..1 of a picture in grey levels, for one diameter in its pixels.

    The circles are read at whole pixels of the blurred picture: no interpolation, no copies.
    """
    sigma = max(MIN_BLUR_PX, BLUR_PER_DIAMETER * diameter_px)
    inner = INNER_CIRCLE * diameter_px
    # a blur of at least MIN_BLUR_PX widens the wall of the smallest sizes: read a little further out
    outer = max(OUTER_CIRCLE * diameter_px, inner + 1.5)
    pad = int(np.ceil(outer)) + 1
    rows, cols = image.shape
    blurred = cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    wide = np.asarray(cv2.copyMakeBorder(blurred, pad, pad, pad, pad, cv2.BORDER_REPLICATE), np.float32)

    def at(row: int, col: int) -> Map:
        return wide[pad + row : pad + row + rows, pad + col : pad + col + cols]

    tube = np.zeros((rows, cols), np.float32)
    blob = np.zeros_like(tube)
    around = np.zeros_like(tube)
    there, back = np.empty_like(tube), np.empty_like(tube)
    for out, within in zip(lattice(outer, axes), lattice(inner, axes), strict=True):
        ahead, behind = at(*out), at(-out[0], -out[1])
        around += ahead
        around += behind
        np.subtract(ahead, at(*within), out=there)
        np.subtract(behind, at(-within[0], -within[1]), out=back)
        both = np.minimum(there, back, out=there)
        np.maximum(both, 0.0, out=both)
        np.maximum(tube, both, out=tube)
        blob += both
    around *= 1.0 / (2 * axes)
    around -= at(0, 0)
    np.maximum(around, 0.0, out=around)
    blob *= BLOB_GAIN / axes
    tube += blob
    tube *= 0.5
    response = tube * around
    response /= (tube + HALF_STEP) * (around + HALF_STEP)
    return np.asarray(response, np.float32)


def size_maps(
    image: Map, pixel_mm: float, diameters_mm: tuple[float, float], *, grade: str = "exact"
) -> Iterator[SizeMap]:
    """The response at every size of the range, smallest first; the picture in grey levels on the grid."""
    across = PIXELS_ACROSS[grade]
    sizes = diameters_between(*diameters_mm)
    levels = pyramid(image, level_of(sizes[-1], pixel_mm, across, 8))
    for size in sizes:
        level = level_of(size, pixel_mm, across, len(levels) - 1)
        yield SizeMap(size, level, response_at(levels[level], size / pixel_mm / 2**level))


def enlarged(response: Map, level: int, shape: tuple[int, int]) -> Map:
    """A map of a level of the pyramid on the grid of the given shape."""
    if level == 0:
        return response
    rows, cols = (side << level for side in response.shape)
    out = cv2.resize(response, (cols, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out[: shape[0], : shape[1]], np.float32)


def medialness(
    image: Map, pixel_mm: float, diameters_mm: tuple[float, float], *, grade: str = "exact"
) -> Map:
    """The largest response over the sizes, (rows, cols) float32 in 0..1."""
    rows, cols = image.shape
    best = np.zeros((rows, cols), np.float32)
    for entry in size_maps(image, pixel_mm, diameters_mm, grade=grade):
        np.maximum(best, enlarged(entry.response, entry.level, (rows, cols)), out=best)
    return best
