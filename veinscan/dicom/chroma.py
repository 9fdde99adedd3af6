"""Colour told apart from grey: Doppler colours, colour bars, and tints that are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.colour import Frame
from veinscan.dicom.model import Box, Region

COLOUR_THRESHOLD = 28
"""Grey levels by which red or blue must depart from green, beyond the picture's tint.

JPEG's subsampled chroma moves greys by up to some 12 levels on the real files;
the darkest colours of a colour bar depart by 40 and more."""
_MAX_TINT = 40
_BIN = 16
_LEAST_PAINT = 0.05
"""Share of the screen below which colour is not looked at for being one single colour."""

Mask = npt.NDArray[np.bool_]


def colour_pixels(frame: Frame, region: Region | None = None) -> Mask:
    """(rows, cols) bool: pixels that are coloured, not grey.

    Scanners also show grey pictures in a tint (sepia, blue).  A tint is a
    function of brightness: the median departure from grey at each brightness
    within the picture region, where it is small and so cannot be Doppler.
    """
    if frame.ndim == 2:
        return np.zeros(frame.shape, dtype=bool)
    red, green, blue = cv2.split(frame)
    departures = [cv2.subtract(channel, green, dtype=cv2.CV_16S) for channel in (red, blue)]
    if not any(one.any() for one in departures):
        return np.zeros(frame.shape[:2], dtype=bool)
    mask = np.zeros(frame.shape[:2], np.uint8)
    for departure in departures:
        tint = _tint(green, departure, region)
        if tint is not None:
            departure = cv2.subtract(departure, cv2.LUT(green, np.repeat(tint, _BIN)))
        mask |= cv2.inRange(departure, -COLOUR_THRESHOLD, COLOUR_THRESHOLD) == 0
    # An opening by 2 x 2 takes out lines of one pixel; the anchors keep it from moving what is left.
    square = np.ones((2, 2), np.uint8)
    eroded = cv2.erode(mask, square, anchor=(0, 0))
    return np.asarray(cv2.dilate(eroded, square, anchor=(1, 1)), dtype=bool)


def _tint(
    green: npt.NDArray[Any], departure: npt.NDArray[Any], region: Region | None
) -> npt.NDArray[np.int16] | None:
    """(256 / _BIN,) median departure at each brightness, or None where every one is 0."""
    row0, col0, row1, col1 = region.box if region else (0, 0, *green.shape)
    bins = (green[row0:row1:2, col0:col1:2] // _BIN).ravel()
    values = departure[row0:row1:2, col0:col1:2].ravel()
    small = np.abs(values) <= _MAX_TINT  # more is Doppler colour and says nothing of the tint
    width = 2 * _MAX_TINT + 1
    places = bins[small].astype(np.int32) * width + (values[small] + _MAX_TINT)
    counts = np.bincount(places, minlength=256 // _BIN * width).reshape(-1, width)
    levels, medians = [], []
    for level, (total, below) in enumerate(zip(counts.sum(axis=1), counts.cumsum(axis=1), strict=True)):
        if total >= 50:
            # of a whole number of values the median is the mean of the two in the middle
            middle = [
                int(np.searchsorted(below, place, side="right")) for place in ((total - 1) // 2, total // 2)
            ]
            levels.append(level)
            medians.append(sum(middle) / 2 - _MAX_TINT)
    if not any(medians):
        return None
    return np.interp(np.arange(256 // _BIN), levels, medians).astype(np.int16)


@dataclass(frozen=True, slots=True)
class ColourParts:
    """What the coloured pixels of a screen are."""

    flow: Mask
    """(rows, cols) bool: Doppler colour, bars, banners and small marks left out."""
    bars: tuple[Box, ...]
    """Colour bars."""
    bar_is_warm: bool | None
    """Whether the bar holds no blue (power Doppler); None without a bar."""


def colour_parts(frame: Frame, region: Region | None = None) -> ColourParts:
    """Sort the coloured pixels of a frame into flow, colour bars and the rest.

    A bar and a banner have the same colour all along a row; a bar is upright
    and changes from row to row.
    """
    mask = colour_pixels(frame, region)
    flow = np.zeros(mask.shape, bool)
    if not mask.any():
        return ColourParts(flow, (), None)
    painted = _painted(frame, mask)
    if painted.any():
        frame = np.where(painted[..., None], np.uint8(0), frame)
        mask = colour_pixels(frame, region)  # anew: the paint passed for the picture's tint
    least = max(30, mask.size // 20_000)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    bars: list[Box] = []
    for label in range(1, count):
        left, top, width, height, area = (int(v) for v in stats[label])
        if area < least:
            continue
        box = (top, left, top + height, left + width)
        part = labels[top : top + height, left : left + width] == label
        even = area >= 0.75 * width * height and _even_rows(
            frame[top : top + height, left : left + width], part
        )
        if not even:
            flow[top : top + height, left : left + width] |= part
        elif height >= 2 * width or (
            height >= 16 and height >= 0.6 * width and width <= 0.08 * mask.shape[1]
        ):
            bars.append(box)
    if region is not None:
        inside = np.zeros_like(flow)
        row0, col0, row1, col1 = region.box
        inside[row0:row1, col0:col1] = True
        flow &= inside
    return ColourParts(flow, tuple(bars), _is_warm(frame, bars) if bars else None)


def _painted(frame: Frame, mask: Mask) -> Mask:
    """Coloured areas that are one single colour: a fill, or a palette gone wrong, not Doppler.

    Flow shows many velocities, and so many colours: on the real colour files
    the commonest one has at most a fifth of them.
    """
    out = np.zeros_like(mask)
    if mask.mean() < _LEAST_PAINT:
        return out
    coarse = frame.astype(np.int32) // 4
    codes = (coarse[..., 0] * 64 + coarse[..., 1]) * 64 + coarse[..., 2]
    counts = np.bincount(codes[mask])
    if counts.max() < 0.5 * mask.sum():
        return out
    flat = (mask & (codes == counts.argmax())).astype(np.uint8)
    # specks within it and its ragged edge belong to it
    closed = cv2.morphologyEx(flat, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    return np.asarray(cv2.dilate(closed, np.ones((25, 25), np.uint8)), dtype=bool)


def _even_rows(patch: Frame, part: Mask) -> bool:
    """Whether each row has one colour: the median spread along rows is small."""
    spreads = []
    for row in range(0, patch.shape[0], max(1, patch.shape[0] // 40)):
        pixels = patch[row][part[row]]
        edge = min(3, len(pixels) // 4)  # a narrow bar's sides are blurred by compression
        pixels = pixels[edge : len(pixels) - edge]
        if len(pixels) >= 3:
            core = np.sort(pixels.astype(np.int16), axis=0)[len(pixels) // 8 : len(pixels) - len(pixels) // 8]
            spreads.append(int((core[-1] - core[0]).max()))
    return bool(spreads) and float(np.median(spreads)) <= 24


def _is_warm(frame: Frame, bars: list[Box]) -> bool:
    cold = total = 0
    for row0, col0, row1, col1 in bars:
        pixels = frame[row0:row1, col0:col1].reshape(-1, 3).astype(np.int16)
        cold += int((pixels[:, 2] - pixels[:, 0] > COLOUR_THRESHOLD).sum())
        total += len(pixels)
    return cold < 0.05 * total
