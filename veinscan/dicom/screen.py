"""What stands where on a screen, found in the pixels for want of calibrated regions.

Everything found here is a place and nothing more: it carries no spacing, no
times and no velocities.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.chroma import Mask, colour_parts
from veinscan.dicom.colour import Frame, grey_of
from veinscan.dicom.model import Box, Region, RegionKind
from veinscan.dicom.texture import seam_column, textured, width_is_time

FOUND = "found in the pixels: the file has no region here"
"""The warning that every region from pixels carries."""
LEAST_PICTURE = 0.03
"""Share of the screen below which a textured area is no picture."""
LEAST_BASELINE = 0.3
"""Share of the screen's width that the baseline of a strip spans."""
LEAST_TOUCHING = 0.1
"""Share of columns in which something must stand on a strip's baseline (real strips from 0.33 on)."""
DARK_BESIDE = 0.12
"""Share of lit pixels beside the spectrum, in its strip, above which it is a picture of tissue."""


@dataclass(frozen=True, slots=True)
class FoundStrip:
    """A spectral strip: its box and the row of its baseline."""

    box: Box
    baseline_row: int


def find_pictures(
    frames: Sequence[Frame], strip: FoundStrip | None = None, trace: Box | None = None
) -> list[Box]:
    """Boxes of two-dimensional pictures, left to right; two where they stand side by side or joined.

    Parameters
    ----------
    frames : sequence of (rows, cols) or (rows, cols, 3) uint8
        A few frames of one clip.
    strip : FoundStrip, optional
        Left out of what is looked at.
    trace : Box, optional
        An M-mode trace, left out too.
    """
    grey = _brightest(frames)
    boxes = _textured_boxes(grey, [b for b in (strip.box if strip else None, trace) if b is not None])
    boxes = _without_inner(_stacked(boxes, grey.shape[0]))
    if not boxes:
        return []
    largest = max(_area(box) for box in boxes)
    first = max(boxes, key=_area)
    # a second picture is one of like height on the same rows; panels of text are not
    boxes = [
        box
        for box in boxes
        if _area(box) >= 0.5 * largest
        and min(box[2], first[2]) - max(box[0], first[0]) >= 0.8 * (first[2] - first[0])
    ]
    if len(boxes) == 1:
        row0, col0, row1, col1 = boxes[0]
        seam = seam_column(grey_of(frames[len(frames) // 2]), boxes[0])
        if seam is not None:
            boxes = [(row0, col0, row1, seam), (row0, seam, row1, col1)]
    return sorted(boxes, key=lambda box: (box[1], box[0]))


def find_m_mode(frame: Frame) -> Box | None:
    """The box of an M-mode trace in a frame, or None: wide, textured, the same in every column."""
    grey = grey_of(frame)
    wide = [b for b in _textured_boxes(grey, ()) if b[3] - b[1] >= LEAST_BASELINE * grey.shape[1]]
    traces = [box for box in wide if width_is_time(grey, box)]
    return max(_stacked(traces, grey.shape[0]), key=_area, default=None)


def _brightest(frames: Sequence[Frame]) -> Frame:
    return np.asarray(np.max([grey_of(f) for f in frames], axis=0), dtype=np.uint8)


def _textured_boxes(grey: Frame, leave_out: Sequence[Box]) -> list[Box]:
    """Boxes of what has the texture of tissue and the size of a picture."""
    mask = textured(grey)
    for row0, col0, row1, col1 in leave_out:
        mask[row0:row1, col0:col1] = False
    rows, columns = mask.shape
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    reach = max(11, rows // 48) | 1
    solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    neck = max(9, rows // 40) | 1  # bars and text that touch the picture hang on by less
    solid = cv2.morphologyEx(solid, cv2.MORPH_OPEN, np.ones((neck, neck), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    return [
        (int(top), int(left), int(top + height), int(left + width))
        for left, top, width, height, area in stats[1:count]
        if area >= LEAST_PICTURE * rows * columns and height >= 0.1 * rows and width >= 0.08 * columns
    ]


def _stacked(boxes: list[Box], rows: int) -> list[Box]:
    """Boxes above each other made one: a dark vein along the picture divides its tissue."""
    out: list[Box] = []
    for box in sorted(boxes):
        for i, other in enumerate(out):
            shared = min(box[3], other[3]) - max(box[1], other[1])
            alike = shared >= 0.8 * max(box[3] - box[1], other[3] - other[1])
            if alike and box[0] - other[2] <= 0.15 * rows:
                out[i] = (other[0], min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
                break
        else:
            out.append(box)
    return out


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _inside(box: Box, other: Box) -> bool:
    """Whether the middle of a box lies well within another."""
    row, col = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    margin = 0.1 * (other[3] - other[1])
    return other[0] < row < other[2] and other[1] + margin < col < other[3] - margin


def _without_inner(boxes: list[Box]) -> list[Box]:
    out: list[Box] = []
    for box in sorted(boxes, key=_area, reverse=True):
        if not any(
            box[0] >= o[0] - 4 and box[1] >= o[1] - 4 and box[2] <= o[2] + 4 and box[3] <= o[3] + 4
            for o in out
        ):
            out.append(box)
    return out


def find_strip(frame: Frame) -> FoundStrip | None:
    """The spectral strip of a screen, or None: a long level baseline with a spectrum standing on it."""
    grey = np.asarray(frame if frame.ndim == 2 else frame.max(axis=2), dtype=np.uint8)
    least = int(LEAST_BASELINE * grey.shape[1])
    best: tuple[float, FoundStrip] | None = None
    tissue = textured(grey)
    for row, col0, col1 in _level_lines(grey, least):
        found = _standing(grey, row, col0, col1)
        if found is None:
            continue
        top, _, bottom, _ = found[1].box
        beside = np.c_[tissue[top:bottom, max(0, col0 - 60) : col0], tissue[top:bottom, col1 : col1 + 60]]
        # a layer of tissue goes on beyond the part of it that is level
        filled = tissue[top:bottom, col0:col1].mean()
        if (
            (not beside.size or beside.mean() < 0.3)
            and filled < 0.65
            and (best is None or found[0] > best[0])
        ):
            best = found
    return None if best is None else best[1]


def _level_lines(grey: Frame, least: int) -> list[tuple[int, int, int]]:
    """(row, first column, end column) of level lines of one brightness, at least `least` columns long."""
    out: list[tuple[int, int, int]] = []
    rows, _ = grey.shape
    value = grey.astype(np.int16)
    # a line keeps its brightness along its row, whatever stands above and below
    level = (np.abs(np.diff(value, axis=1)) <= 16) & (value[:, 1:] > 40)
    closed = cv2.morphologyEx(level.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 9), np.uint8))
    long = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((1, least), np.uint8))
    for row in np.flatnonzero(long.any(axis=1)):
        if not 0.12 * rows < row < 0.985 * rows:
            continue
        edges = np.flatnonzero(np.diff(np.r_[0, long[row], 0].astype(np.int8)))
        first, end = max(
            zip(edges[::2], edges[1::2], strict=True), key=lambda pair: int(pair[1]) - int(pair[0])
        )
        along = value[row, first:end]
        if (np.abs(along - np.median(along)) <= 14).mean() >= 0.75:
            out.append((int(row), int(first), int(end) + 1))
    merged: list[tuple[int, int, int]] = []
    for line in out:
        if merged and line[0] - merged[-1][0] <= 4:
            continue
        merged.append(line)
    return merged if len(merged) <= 60 else []


def _standing(grey: Frame, row: int, col0: int, col1: int) -> tuple[float, FoundStrip] | None:
    """(likeness, strip) where a spectrum stands on a line, else None."""
    rows, _ = grey.shape
    reach = int(0.3 * rows)
    upper = np.asarray(grey[max(0, row - reach) : row - 4, col0:col1][::-1], dtype=np.uint8)
    lower = np.asarray(grey[row + 5 : row + reach, col0:col1], dtype=np.uint8)
    (up, lit_above, near_above), (down, lit_below, near_below) = _heights(upper), _heights(lower)
    if max(near_above, near_below) < LEAST_TOUCHING:
        return None  # a heart's current at rest: nothing but writing in sight of it
    high = 0.03 * rows
    taller = np.maximum(up, down)
    share = float((taller >= high).mean())
    tall = float((taller >= 2 * high).mean())
    side = up if up.sum() >= down.sum() else down
    # a spectrum is ragged along its edge and dark beyond it; tissue goes on
    ragged = float(np.abs(np.diff(side)).mean()) / max(float(side.mean()), 1.0)
    if share < 0.12 or tall < 0.05 or ragged < 0.02 or max(lit_above, lit_below) > DARK_BESIDE:
        return None
    above = int(min(np.percentile(up, 99.5) * 1.25 + 8, row))
    below = int(min(np.percentile(down, 99.5) * 1.25 + 8, rows - row - 1))
    box = (row - above, col0, row + below + 1, col1)
    # a strip stands free above and below, a layer of tissue lies in tissue
    smooth = cv2.blur(grey, (9, 9))
    edges = (smooth[max(0, box[0] - 8) : box[0], col0:col1], smooth[box[2] : box[2] + 8, col0:col1])
    if any(edge.size and float((edge > 40).mean()) > 0.2 for edge in edges):
        return None
    return share * (col1 - col0), FoundStrip(box, row)


def _heights(band: Frame) -> tuple[npt.NDArray[np.int64], float, float]:
    """By column the height of what stands on the line; shares of lit pixels beyond, of lit columns at it."""
    if band.shape[0] < 12:
        return np.zeros(band.shape[1], np.int64), 0.0, 0.0
    smooth = cv2.blur(band.astype(np.float32), (3, 5))
    # noise is shown too, well below the flow
    some = (smooth > max(26.0, 0.3 * float(np.percentile(smooth, 97)))).astype(np.uint8)
    lit = np.asarray(cv2.morphologyEx(some, cv2.MORPH_CLOSE, np.ones((9, 1), np.uint8)), dtype=bool)
    rows = np.arange(band.shape[0])[:, None]
    # a trace need not touch its baseline
    first = np.where(lit.any(axis=0), lit.argmax(axis=0), band.shape[0])
    dark = ~lit & (rows > first[None, :])
    end = np.where(dark.any(axis=0), dark.argmax(axis=0), band.shape[0])
    heights = np.where(first <= 0.25 * band.shape[0], end, 0).astype(np.int64)
    edge = int(np.percentile(heights, 95)) + 6
    beyond = rows >= heights[None, :] + 3
    beyond[edge + 30 :] = False  # what stands higher on the screen is none of the strip's
    return heights, float(lit[beyond].mean()) if beyond.any() else 0.0, float(some[:12].any(axis=0).mean())


def find_colour_boxes(frame: Frame, flow: Mask) -> list[Box]:
    """Boxes around the outlined areas that hold Doppler colour; where no outline is seen, around the colour.

    Parameters
    ----------
    frame : (rows, cols, 3) uint8
    flow : (rows, cols) bool
        Pixels with Doppler colour.
    """
    if frame.ndim == 2 or not flow.any():
        return []
    bright = np.asarray(frame.max(axis=2), dtype=np.uint8)
    ground = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((4, 4), np.uint8))
    thin = ((cv2.subtract(bright, ground) > 40) & ~flow).astype(np.uint8)
    lines = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    least = 0.04 * min(flow.shape)
    outlines = [
        k for k in range(1, count) if min(stats[k][2], stats[k][3]) > least and stats[k][4] < 0.3 * flow.size
    ]
    total = int(flow.sum())
    found: list[tuple[int, Box]] = []
    for k in outlines:
        left, top, width, height, area = (int(v) for v in stats[k])
        if area > 0.5 * width * height:
            continue
        inside = int(flow[top : top + height, left : left + width].sum())
        density = inside / (width * height)
        if (
            inside >= 0.1 * total
            and density > 0.005
            and _closed(labels[top : top + height, left : left + width] == k)
        ):
            found.append((inside, (top, left, top + height, left + width)))
    boxes = _without_inner([box for _, box in found])
    covered = sum(int(flow[b[0] : b[2], b[1] : b[3]].sum()) for b in boxes)
    if boxes and covered >= 0.6 * total:
        return sorted(boxes, key=lambda box: box[1])
    rows, cols = np.flatnonzero(flow.any(axis=1)), np.flatnonzero(flow.any(axis=0))
    return [(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)]


def _closed(part: Mask) -> bool:
    """Whether lines enclose most of their own bounding box, small gaps aside."""
    grown = cv2.dilate(np.pad(part.astype(np.uint8), 8), np.ones((7, 7), np.uint8))
    outside = grown.copy()
    cv2.floodFill(outside, None, (0, 0), 2)
    return bool((outside == 0).sum() + part.sum() >= 0.35 * part.size)


def _whole_bars(parts: list[Box], rows: int) -> list[Box]:
    """Bars of their halves: a velocity bar falls into two at its dark middle.  Small ones are icons."""
    bars: list[Box] = []
    for box in sorted(set(parts)):
        for i, other in enumerate(bars):
            beside = abs(box[1] - other[1]) <= 3 and abs(box[3] - other[3]) <= 3
            if beside and box[0] - other[2] <= max(12, rows // 40):
                bars[i] = (other[0], min(box[1], other[1]), max(box[2], other[2]), max(box[3], other[3]))
                break
        else:
            bars.append(box)
    return [b for b in bars if b[2] - b[0] >= max(30, rows // 20) and b[3] - b[1] >= 6]


def found_regions(frames: Sequence[Frame]) -> tuple[Region, ...]:
    """Regions of a screen without calibration: pictures, colour bars, the strip, an M-mode trace.

    They come without any scale, each with the warning `FOUND`.
    """
    middle = frames[len(frames) // 2]
    strip = find_strip(middle)
    parts = [colour_parts(f) for f in frames] if middle.ndim == 3 else []
    flow = np.any([p.flow for p in parts], axis=0) if parts else np.zeros(middle.shape[:2], bool)
    out: list[Region] = []
    trace = None if strip is not None else find_m_mode(middle)
    pictures = find_pictures(frames, strip, trace)
    for box in pictures:
        coloured = flow[box[0] : box[2], box[1] : box[3]].sum() >= 0.002 * _area(box)
        kind = RegionKind.COLOR_FLOW if coloured else RegionKind.TISSUE
        out.append(Region(kind=kind, box=box, source="pixels", warnings=(FOUND,)))
    out.extend(
        Region(kind=RegionKind.COLOR_BAR, box=bar, source="pixels", warnings=(FOUND,))
        for bar in _whole_bars([bar for p in parts for bar in p.bars], middle.shape[0])
        if not any(_inside(bar, box) for box in pictures)  # a vessel may be as even as a bar
    )
    if strip is not None:
        out.append(Region(kind=RegionKind.SPECTRAL_PW, box=strip.box, source="pixels", warnings=(FOUND,)))
    if trace is not None:
        out.append(Region(kind=RegionKind.M_MODE, box=trace, source="pixels", warnings=(FOUND,)))
    return tuple(out)


def bars_on_both_sides(regions: Sequence[Region]) -> bool:
    """Whether colour bars stand on the same rows on both sides: each of two screens has its own."""
    bars = [r.box for r in regions if r.kind is RegionKind.COLOR_BAR]
    pictures = [r.box for r in regions if r.is_picture]
    for i, a in enumerate(bars):
        for b in bars[i + 1 :]:
            same_rows = abs(a[0] - b[0]) <= 6 and abs(a[2] - b[2]) <= 6
            left, right = sorted((a, b), key=lambda box: box[1])
            if same_rows and any(
                (left[1] + left[3]) / 2 < p[1] + 0.25 * (p[3] - p[1])
                and (right[1] + right[3]) / 2 > p[3] - 0.25 * (p[3] - p[1])
                for p in pictures
            ):
                return True
    return False


def find_wrap_column(frame: Frame, box: Box) -> int | None:
    """Whole-frame column at which a sweeping strip is being written, or None where none is seen.

    Scanners leave a gap of empty columns ahead of it; of several gaps the one
    beside which the spectrum stops most abruptly.
    """
    row0, col0, row1, col1 = box
    patch = np.asarray(frame if frame.ndim == 2 else frame.max(axis=2), dtype=np.float32)[
        row0:row1, col0:col1
    ]
    patch = patch[patch.std(axis=1) > 12]  # a baseline is the same in all columns
    if patch.shape[0] < 8:
        return None
    lit = (patch > np.percentile(patch, 5) + 18).sum(axis=0)
    empty = lit <= max(1, patch.shape[0] // 100)
    edges = np.flatnonzero(np.diff(np.r_[False, empty, False].astype(np.int8)))
    best: tuple[float, int] | None = None
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        if first < 3 or end > patch.shape[1] - 3 or not 3 <= end - first <= patch.shape[1] // 5:
            continue
        sides = (lit[max(0, first - 6) : first], lit[end : end + 6])
        abrupt = min(float(np.median(sides[0])), float(np.median(sides[1])))
        if best is None or abrupt > best[0]:
            best = (abrupt, int(first))
    return None if best is None or best[0] < 0.03 * patch.shape[0] else col0 + best[1]
