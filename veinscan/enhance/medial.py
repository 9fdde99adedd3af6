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
are read on a pyramid.  "live" computes the same with 16-bit numbers at every
other place of a row and column.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
Placed = tuple[npt.NDArray[Any], int, int]
"""A picture, and by how many of its rows and columns a strip of it is moved."""

HALF_STEP = 32.0
"""Grey levels that count as half a wall: 7.5 dB of a 60 dB display."""

BLOB_GAIN = 1.6
"""Weight of the all-round part beside the best axis."""

BLUR_PER_DIAMETER = 0.12
"""Sigma of the blur before reading the circles, as a share of D."""

MIN_BLUR_PX = 0.7

INNER_CIRCLE, OUTER_CIRCLE = 0.30, 0.72
"""Radii of the circles as shares of D: a wall at 0.5 D lies between them."""

LEAST_MORE_BLUR = 0.8
"""Sigma below which a sampled Gaussian blurs less than it says: then the picture is blurred afresh."""

SIZES_PER_OCTAVE = 3

AXES = 8
"""Axes tried at each place, evenly over half a turn."""

STRIP = 1 << 16
"""Places that are worked on at a time, so that the sums stay in the processor's cache."""

FIXED_POINT = 16.0
"""Parts of a grey level in 16-bit numbers: the sum of 16 places of 255 still fits."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How carefully the sizes are read."""

    pixels_across: float
    """Least pixels across D that a level of the pyramid must give; the finest serves whatever is smaller."""
    fixed_point: bool
    """Whether sums are of 16-bit numbers rather than floats: they move half the bytes."""
    every_other_from: float = math.inf
    """Pixels across D from which only every other pixel of every other row is asked at."""


READINGS = {
    "exact": Reading(12.0, False),
    "live": Reading(12.0, True, 7.0),
    "maxima": Reading(6.0, True),
}
"""Readings by name; "maxima" is the one whose maxima the finder's weights were fitted to."""


@dataclass(frozen=True, slots=True)
class SizeMap:
    """The response at one diameter, on its level of the pyramid."""

    diameter_mm: float
    step: int
    """Pixels of the grid from one place asked at to the next."""
    offset: float
    """The first place: place i lies at offset + step i of the grid, along rows and columns."""
    response: Map
    """(rows, cols) of the places, 0..1."""


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


def blur_of(diameter_px: float) -> float:
    """Sigma of the blur before the circles of a diameter are read, in pixels."""
    return max(MIN_BLUR_PX, BLUR_PER_DIAMETER * diameter_px)


def response_at(blurred: Map, diameter_px: float, reading: Reading) -> tuple[Map, int]:
    """Response 0..1 for one diameter in pixels, and how far apart it was asked.

    `blurred` is the picture in grey levels, blurred by `blur_of` that diameter.  The circles are
    read at its whole pixels: no interpolation.  The response has the (rows, cols) of the picture at
    step 1, half of either, rounded up, at step 2.
    """
    inner = INNER_CIRCLE * diameter_px
    # a blur of at least MIN_BLUR_PX widens the wall of the smallest sizes: read a little further out
    outer = max(OUTER_CIRCLE * diameter_px, inner + 1.5)
    scale, step = 1.0, 1
    fixed: npt.NDArray[Any] = blurred
    if reading.fixed_point:
        scale = FIXED_POINT
        fixed = cv2.addWeighted(blurred, scale, blurred, 0.0, 0.0, None, cv2.CV_16U)
    if diameter_px >= reading.every_other_from:
        step = 2
    pad = step * (int(np.ceil(outer)) // step + 1)
    wide = cv2.copyMakeBorder(fixed, pad, pad + step - 1, pad, pad + step - 1, cv2.BORDER_REPLICATE)
    # one picture of whole rows and columns for each remainder, so that shifted views stay contiguous
    every = range(step)
    phases = [[np.ascontiguousarray(wide[row::step, col::step]) for col in every] for row in every]
    rows, cols = (-(-side // step) for side in blurred.shape)

    def placed(row: int, col: int) -> Placed:
        (down, row_phase), (right, col_phase) = divmod(row + pad, step), divmod(col + pad, step)
        return phases[row_phase][col_phase], down, right

    # outer and inner circle of each axis, ahead and behind
    circles = [
        (placed(*far), placed(-far[0], -far[1]), placed(*near), placed(-near[0], -near[1]))
        for far, near in zip(lattice(outer, AXES), lattice(inner, AXES), strict=True)
    ]
    middle = placed(0, 0)
    response = np.empty((rows, cols), np.float32)
    height = min(max(STRIP // cols, 1), rows)
    numbers = np.empty((5, height, cols), wide.dtype)
    floats = np.empty((3, height, cols), np.float32)
    for top in range(0, rows, height):
        count = min(height, rows - top)

        def at(place: Placed, top: int = top, count: int = count) -> npt.NDArray[Any]:
            phase, down, right = place
            return phase[top + down : top + down + count, right : right + cols]

        out = response[top : top + count]
        _strip_response(at, middle, circles, scale, numbers[:, :count], floats[:, :count], out)
    return response, step


def _strip_response(
    at: Callable[[Placed], npt.NDArray[Any]],
    middle: Placed,
    circles: list[tuple[Placed, Placed, Placed, Placed]],
    scale: float,
    numbers: npt.NDArray[Any],
    floats: Map,
    out: Map,
) -> None:
    """The response of a strip of rows into `out`; `numbers` and `floats` are room for its sums.

    `at` gives the strip moved by whole pixels, `middle` unmoved.  OpenCV adds and subtracts shifted views
    two to three times as fast as NumPy does.
    """
    tube, blob, around, there, back = numbers
    for number, places in enumerate(circles):
        ahead, behind, inner_ahead, inner_behind = map(at, places)
        cv2.subtract(ahead, inner_ahead, there)  # 16-bit differences stop at 0
        cv2.subtract(behind, inner_behind, back)
        both = there if number else tube
        np.minimum(there, back, out=both)
        if both.dtype == np.float32:
            np.maximum(both, 0, out=both)
        if number == 0:
            cv2.add(ahead, behind, around)
            blob[:] = tube
            continue
        cv2.add(around, ahead, around)
        cv2.add(around, behind, around)
        np.maximum(tube, both, out=tube)
        np.add(blob, both, out=blob)
    wall, dark, product = floats
    np.multiply(around, np.float32(0.5 / len(circles)), out=dark)
    dark -= at(middle)
    np.maximum(dark, 0.0, out=dark)
    np.multiply(blob, np.float32(BLOB_GAIN / len(circles)), out=wall)
    wall += tube
    wall *= 0.5
    np.multiply(wall, dark, out=product)
    wall += HALF_STEP * scale
    dark += HALF_STEP * scale
    wall *= dark
    np.divide(product, wall, out=out)


def size_maps(
    image: Map, pixel_mm: float, diameters_mm: tuple[float, float], *, grade: str = "exact"
) -> Iterator[SizeMap]:
    """The response at every size of the range, smallest first; the picture in grey levels on the grid.

    `grade` names one of `READINGS`.
    """
    reading = READINGS[grade]
    across = reading.pixels_across
    sizes = diameters_between(*diameters_mm)
    levels = pyramid(image, level_of(sizes[-1], pixel_mm, across, 8))
    blurred, last_level, last_sigma = image, -1, 0.0
    for size in sizes:
        level = level_of(size, pixel_mm, across, len(levels) - 1)
        diameter_px = size / pixel_mm / 2**level
        sigma = blur_of(diameter_px)
        if sigma != last_sigma or level != last_level:
            # blurring what is blurred already takes a smaller kernel: the squares of the sigmas add up
            more = math.sqrt(max(sigma**2 - last_sigma**2, 0.0))
            if not reading.fixed_point or level != last_level or more < LEAST_MORE_BLUR:
                blurred, more = levels[level], sigma
            blurred = np.asarray(
                cv2.GaussianBlur(blurred, (0, 0), more, borderType=cv2.BORDER_REPLICATE), np.float32
            )
        last_level, last_sigma = level, sigma
        response, step = response_at(blurred, diameter_px, reading)
        yield SizeMap(size, step << level, ((1 << level) - 1) / 2, response)


def enlarged(response: Map, step: int, offset: float, shape: tuple[int, int]) -> Map:
    """A map of places `step` pixels apart, the first at `offset`, on the grid of the given shape (cubic)."""
    if step == 1:
        return response
    to_places = np.array([[1 / step, 0, -offset / step], [0, 1 / step, -offset / step]])
    out = cv2.warpAffine(
        response,
        to_places,
        (shape[1], shape[0]),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(np.maximum(out, 0.0), np.float32)


def medialness(
    image: Map, pixel_mm: float, diameters_mm: tuple[float, float], *, grade: str = "exact"
) -> Map:
    """The largest response over the sizes, (rows, cols) float32 in 0..1."""
    rows, cols = image.shape
    best: dict[tuple[int, float], Map] = {}
    for entry in size_maps(image, pixel_mm, diameters_mm, grade=grade):
        places = entry.step, entry.offset
        if places in best:
            np.maximum(best[places], entry.response, out=best[places])
        else:
            best[places] = entry.response
    out = np.zeros((rows, cols), np.float32)
    for (step, offset), response in best.items():
        np.maximum(out, enlarged(response, step, offset, (rows, cols)), out=out)
    return out
