"""Graphics burned into the picture: calipers, dotted lines, arrows and text upon tissue.

Drawn strokes are a few pixels wide, hard-edged and of one level; echoes are blurred by the beam.
So what stands out of an opening, is about as bright as anything in the picture and falls off to
its surroundings within a pixel is taken for a stroke.  Strokes in colour arrive as 0 (`Clip.bmode`)
and are found the same way, as thin black lines.  What is found is filled from around it, so that a
caliper in a lumen leaves the lumen dark and a letter in tissue leaves no hole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from veinscan.errors import InvalidInputError

Grey = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

WIDEST = 5
"""Pixels a stroke is narrower than."""

STANDS_OUT = 70
"""Least grey levels of a bright stroke above the opened picture."""

BRIGHT = 140
"""Least grey level of a bright stroke."""

HARD = 0.62
"""Least part of a stroke's height that is gone one pixel outside it; echoes fall more softly."""

ONE_LEVEL = 14
"""Grey levels around a stroke's own level within which its pixels lie."""

SHARE_AT_LEVEL = 0.6
"""Least part of a stroke's pixels that lie there."""

LEAST_PIXELS, ALONE_PIXELS = 3, 9
"""Smaller spots are speckle; the second where no level stands out as the one that is drawn with."""

LYING_WIDTH, LYING_HEIGHT = 12, 4
"""Pixels from which and up to which a bright piece is a fascia or a skin echo, however thin and even."""

LEAST_AT_LEVEL, PEAK, MOST_LEVELS = 12, 4.0, 4
"""Pixels of one level, how many times those of the levels around, that are drawn; levels looked at."""

BLACK_STANDS_OUT = 60
"""Least grey levels of a black stroke below the closed picture."""

BLACK_WIDEST = 4
"""Pixels a black stroke is narrower than: a vein of half a millimetre is wider at 0.12 mm per pixel."""

NOTCH = 2
"""Pixels around wider black in which thin black belongs to it."""

AROUND = 1
"""Pixels around a stroke that are filled with it: smoothed edges and compression."""

FILL_RADIUS = 3.0
"""Distance in pixels from which a stroke is filled."""


def burned_in(grey: Grey) -> Flags:
    """(rows, cols) bool, true on strokes drawn over the (rows, cols) uint8 picture and just around them."""
    if min(grey.shape) < 3 * WIDEST:
        return np.zeros(grey.shape, bool)
    marks = _bright_strokes(grey) | _black_strokes(grey)
    if not marks.any():
        return marks
    kernel = np.ones((2 * AROUND + 1,) * 2, np.uint8)
    return np.asarray(cv2.dilate(marks.astype(np.uint8), kernel) > 0, bool)


def always_burned_in(frames: Iterable[Grey]) -> Flags:
    """`burned_in` of every frame alike: what is drawn over a clip stands still, echoes do not."""
    marks: Flags | None = None
    for frame in frames:
        here = burned_in(frame)
        marks = here if marks is None else marks & here
    if marks is None:
        raise InvalidInputError("no frame to look for graphics on", do="pass one frame or more")
    return marks


def without_graphics(grey: Grey, marks: Flags) -> Grey:
    """The (rows, cols) uint8 picture with the marked strokes filled from around; itself where none are."""
    if not marks.any():
        return grey
    return np.asarray(cv2.inpaint(grey, marks.astype(np.uint8), FILL_RADIUS, cv2.INPAINT_TELEA), np.uint8)


@dataclass(frozen=True, slots=True)
class _Places:
    """Pixels that may be of bright strokes, in the order of rows and columns."""

    rows: npt.NDArray[np.int64]
    cols: npt.NDArray[np.int64]
    levels: Grey
    fallen: npt.NDArray[np.float32]
    """Part of the height above the opened picture that is gone at the darkest of the eight neighbours."""

    def only(self, kept: Flags) -> _Places:
        """Some of them."""
        return _Places(self.rows[kept], self.cols[kept], self.levels[kept], self.fallen[kept])


def _bright_strokes(grey: Grey) -> Flags:
    opened = np.asarray(cv2.morphologyEx(grey, cv2.MORPH_OPEN, np.ones((WIDEST,) * 2, np.uint8)), np.uint8)
    above = np.asarray(cv2.subtract(grey, opened), np.uint8)
    marks = np.zeros(grey.shape, bool)
    flat = np.flatnonzero((above >= STANDS_OUT) & (grey >= BRIGHT))
    if not len(flat):
        return marks
    rows, cols = np.divmod(flat, grey.shape[1])
    levels = grey.ravel()[flat]
    least = np.asarray(cv2.erode(grey, np.ones((3, 3), np.uint8)), np.uint8).ravel()[flat]
    tall = np.maximum(above.ravel()[flat].astype(np.float32), 1.0)
    fallen = np.asarray((levels - least.astype(np.float32)) / tall, np.float32)
    places = _Places(rows, cols, levels, fallen)
    marks.ravel()[flat] = _strokes_among(places, ALONE_PIXELS)
    # a stroke that runs into bright echoes is one piece with them: apart by its one level
    for level in _drawn_levels(levels):
        drawn = levels == level
        marks.ravel()[flat[drawn]] |= _strokes_among(places.only(drawn), LEAST_PIXELS)
    return marks


def _drawn_levels(levels: Grey) -> list[int]:
    """Levels that far more of these pixels have than have the levels around."""
    counts = np.bincount(levels, minlength=256).astype(np.float64)
    around = np.convolve(counts, np.r_[np.ones(4), 0, np.ones(4)] / 8.0, mode="same")
    peaks = np.flatnonzero((counts >= LEAST_AT_LEVEL) & (counts >= PEAK * (around + 1.0)))
    return [int(level) for level in peaks[np.argsort(-counts[peaks], kind="stable")][:MOST_LEVELS]]


def _strokes_among(places: _Places, at_least: int) -> Flags:
    """(n,) which places are of a connected piece of so many pixels, of one level and hard-edged."""
    count, parts = _pieces(places.rows, places.cols)
    pixels = np.bincount(parts, minlength=count)
    levels = places.levels.astype(np.float32)
    # a stroke's level: the mean of its brighter half, which smoothed edges do not pull down
    mean = np.bincount(parts, levels, count) / pixels
    upper = levels >= mean[parts]
    level = np.bincount(parts[upper], levels[upper], count) / np.maximum(
        np.bincount(parts[upper], minlength=count), 1
    )
    at_level = np.bincount(parts[np.abs(levels - level[parts]) <= ONE_LEVEL], minlength=count) / pixels
    fallen = np.bincount(parts, places.fallen, count) / pixels
    width, height = _extent(parts, places.cols), _extent(parts, places.rows)
    fascia = (width >= LYING_WIDTH) & (height <= LYING_HEIGHT)
    good = (pixels >= at_least) & (at_level >= SHARE_AT_LEVEL) & (fallen >= HARD) & ~fascia
    return np.asarray(good[parts], bool)


def _pieces(rows: npt.NDArray[np.int64], cols: npt.NDArray[np.int64]) -> tuple[int, npt.NDArray[np.int32]]:
    """How many pieces of neighbours (of eight) some places form, and (n,) the piece of each, from 0.

    Places come in the order of rows and columns.  They are few: far fewer than the pixels of a picture.
    """
    width = int(cols.max()) + 3
    key = rows * width + cols + 1
    ones, others = [], []
    for step in (1, width - 1, width, width + 1):
        at = np.minimum(np.searchsorted(key, key + step), len(key) - 1)
        met = np.flatnonzero(key[at] == key + step)
        ones.append(met)
        others.append(at[met])
    one, other = np.concatenate(ones), np.concatenate(others)
    edges = np.ones(len(one), np.uint8), (one, other)
    graph = coo_array(edges, shape=(len(key), len(key)))  # type: ignore[no-untyped-call]
    count, parts = connected_components(graph, directed=False)
    return int(count), np.asarray(parts, np.int32)


def _extent(parts: npt.NDArray[np.int32], values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(pieces,) how many rows or columns each piece spans."""
    order = np.argsort(parts, kind="stable")
    begins = np.flatnonzero(np.diff(parts[order], prepend=-1))
    there = values[order]
    return np.asarray(np.maximum.reduceat(there, begins) - np.minimum.reduceat(there, begins) + 1, np.int64)


def _black_strokes(grey: Grey) -> Flags:
    closed = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((BLACK_WIDEST, BLACK_WIDEST), np.uint8))
    black = grey == 0
    thin: Flags = np.asarray(black & (closed >= BLACK_STANDS_OUT), bool)
    if not thin.any():
        return thin
    # a notch in the black around the picture or in a lumen is no stroke
    thick = cv2.morphologyEx(black.astype(np.uint8), cv2.MORPH_OPEN, np.ones((BLACK_WIDEST,) * 2, np.uint8))
    thin &= cv2.dilate(thick, np.ones((2 * NOTCH + 1,) * 2, np.uint8)) == 0
    flat = np.flatnonzero(thin)
    if len(flat):
        _, parts = _pieces(*np.divmod(flat, grey.shape[1]))
        thin.ravel()[flat] = np.bincount(parts)[parts] >= LEAST_PIXELS
    return thin
