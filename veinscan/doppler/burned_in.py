"""What is drawn over a spectrum: lines, grid, text, cursors, traces.  Found, so that it is not measured."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Level = npt.NDArray[np.float32]

HUE_TOLERANCE = 34.0
"""Grey levels by which a pixel may leave the strip's own colour map (JPEG moves chroma by up to 20)."""
DOT_CONTRAST = 0.09
"""Level by which the dots of a dotted line are brighter than what lies between them."""
LINE_SHARE = 0.72
"""Share of a line's pixels that have the line's one level."""
CURVE_CONTRAST = 0.1
"""Brightness by which a drawn curve stands out from what lies `CURVE_REACH` pixels to both sides."""
CURVE_REACH = 3
CURVE_COLUMNS = 24
"""Least width of a piece of it; the grain of a spectrum is far narrower."""


def coloured_graphics(rgb: npt.NDArray[np.uint8]) -> Mask:
    """(rows, cols): pixels off the strip's own map from black to white (grey, brown, blue ...).

    The map is a curve of chroma over luminance; it is read off as the median
    chroma of each luminance, so that any tint is its own reference.
    """
    image = rgb.astype(np.float32)
    light = image.max(axis=2)
    chroma = np.stack([image[:, :, 0] - image[:, :, 1], image[:, :, 1] - image[:, :, 2]])
    edges = np.arange(0, 257, 16)
    centres, medians = [0.0], [np.zeros(2)]
    for low, high in pairwise(edges):
        inside = (light >= low) & (light < high)
        if low and int(inside.sum()) >= max(40, light.size // 4000):
            centres.append(float(low + 8))
            medians.append(np.median(chroma[:, inside], axis=1))
    usual = np.stack([np.interp(light, centres, [m[k] for m in medians]) for k in range(2)])
    # chroma is stored coarser than light: a fine bright pixel may have less of the tint, not another one
    length = np.maximum((usual**2).sum(axis=0), 1e-6)
    part = np.clip((chroma * usual).sum(axis=0) / length, 0, 1.15)
    off = np.abs(chroma - part * usual).max(axis=0)
    graphics = off > HUE_TOLERANCE
    return np.asarray(cv2.dilate(graphics.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def lines(level: Level) -> tuple[Mask, Mask]:
    """Rows and columns `(rows,), (cols,)` with a straight line on them: baseline, grid, cursor, ticks."""
    return _lines(level), _lines(np.ascontiguousarray(level.T), solid_share=0.9, dotted=True)


def _lines(level: Level, solid_share: float = LINE_SHARE, dotted: bool = False) -> Mask:
    """(rows,): rows that are one level nearly all along, or brighter than both neighbours in many places."""
    count = level.shape[0]
    found = np.zeros(count, dtype=bool)
    if count < 8 or level.shape[1] < 8:
        return found
    middle = np.median(level, axis=1)
    even = (np.abs(level - middle[:, None]) < 0.05).mean(axis=1)
    around = np.stack([np.roll(middle, k) for k in (-4, -3, 3, 4)]).max(axis=0)
    found |= (even > solid_share) & (middle > 0.15) & (middle > around + 0.05)
    # dotted: brighter than what lies two pixels to both sides, again and again where that is dark
    beside = np.maximum(np.roll(level, 2, axis=0), np.roll(level, -2, axis=0))
    above = level - beside
    dark = beside < 0.3
    seen = dark.sum(axis=1)
    often = ((above > 0.1) & dark).sum(axis=1) / np.maximum(seen, 1)
    often[:2] = often[-2:] = 0
    usual = float(np.median(often))
    peak = (often >= np.roll(often, 1)) & (often >= np.roll(often, -1))
    stands_out = peak & (often > 2.5 * usual + 0.1) & (seen > 0.15 * level.shape[1])
    regular = _regular(level)
    # speckle is drawn out along columns too: there only regular dots make a line
    found |= regular if dotted else stands_out | regular
    excess = np.clip(above, -0.3, 0.3).mean(axis=1)
    spread = 1.4826 * float(np.median(np.abs(excess - np.median(excess)))) + 0.002
    # JPEG and smoothing spread a line to its neighbours
    spill = found & (middle > 0.05)
    wide = np.convolve(spill, [1, 1, 1], mode="same") > 0
    return np.asarray(found | (wide & (excess > np.median(excess) + 4 * spread)))


def _regular(level: Level) -> Mask:
    """(rows,): rows with dots at equal distances of 2 to 12 pixels: one phase is brighter than the others."""
    rows, cols = level.shape
    found = np.zeros(rows, dtype=bool)
    spread = level.std(axis=1) + 1e-3
    for period in range(2, 13):
        turns = cols // period
        if turns < 10:
            continue
        phases = level[:, : turns * period].reshape(rows, turns, period).mean(axis=1)
        best = phases.max(axis=1)
        rest = (phases.sum(axis=1) - best) / (period - 1)
        sure = (best - rest) / (spread / np.sqrt(turns))
        found |= (best - rest > DOT_CONTRAST) & (sure > 7)
    return found


def text(level: Level, baseline: float) -> Mask:
    """(rows, cols): compact bright marks that stand alone on a darker ground: labels and caliper marks."""
    bright = (level > 0.42).astype(np.uint8)
    total, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    _, whole, extents, _ = cv2.connectedComponentsWithStats((level > 0.16).astype(np.uint8), connectivity=8)
    marks = np.zeros(level.shape, dtype=np.uint8)
    rows, cols = level.shape
    for k in range(1, total):
        left, top, width, height, area = stats[k]
        if area < 6 or height > 22 or width > 44 or height < 4:
            continue
        if top - 3 <= baseline <= top + height + 3:
            continue
        if top <= 1 or top + height >= rows - 1:
            # aliased flow that comes in at one edge where it went out at the other is no label
            across = level[-3:] if top <= 1 else level[:3]
            if float((across[:, left : left + width] > 0.16).mean()) > 0.6:
                continue
        # letters end where they end; the bright core of a spectrum lies in something larger
        around = extents[whole[labels == k][0]]
        if around[2] > width + 8 or around[3] > height + 8:
            continue
        r0, r1 = max(0, top - 4), min(rows, top + height + 4)
        c0, c1 = max(0, left - 4), min(cols, left + width + 4)
        ground = level[r0:r1, c0:c1][labels[r0:r1, c0:c1] != k]
        own = level[labels == k] if area < 400 else np.array([1.0])
        if ground.size and float(np.quantile(ground, 0.7)) < 0.22 and float(own.mean()) > 0.5:
            marks[labels == k] = 1
    return np.asarray(cv2.dilate(marks, np.ones((3, 3), np.uint8)) > 0)


def drawn_curve(brightness: Level) -> Mask:
    """(rows, cols): a thin bright curve, as a scanner draws its trace over a spectrum, with its rim.

    For curves in a colour of the strip's own map; other colours are found by `coloured_graphics`.
    Clutter along the baseline looks like one too: for the edge of a spectrum only.
    """
    stands_out = np.zeros(brightness.shape, dtype=bool)
    for axis in (0, 1):
        beside = np.maximum(
            np.roll(brightness, CURVE_REACH, axis=axis), np.roll(brightness, -CURVE_REACH, axis=axis)
        )
        stands_out |= brightness > beside + CURVE_CONTRAST
    _, labels, stats, _ = cv2.connectedComponentsWithStats(stands_out.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_WIDTH] >= CURVE_COLUMNS
    keep[0] = False
    wide = np.ones((2 * CURVE_REACH + 1, 2 * CURVE_REACH + 1), np.uint8)
    return np.asarray(cv2.dilate(keep[labels].astype(np.uint8), wide) > 0)
