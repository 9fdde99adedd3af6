"""Pictures with candidates and targets drawn on them.

Colours are those of Okabe and Ito (2008), told apart by people with any kind
of colour vision; every line has a dark rim, so that it shows on bright tissue
and on colour Doppler alike.  Small frames are enlarged before anything is
drawn: lines and numbers stay sharp and legible.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Candidate
from veinscan.errors import InvalidInputError
from veinscan.plan.model import InjectionTarget, Point
from veinscan.report.files import write_whole

Rgb = npt.NDArray[np.uint8]
"""(rows, cols, 3) uint8."""

SKY_BLUE = (86, 180, 233)
"""Candidates, as in the window."""
ORANGE = (230, 159, 0)
"""Targets, as in the window."""
WHITE = (255, 255, 255)
"""Scale bar and text."""
_RIM = (0, 0, 0)

SCALE_BAR_MM = (0.5, 1, 2, 5, 10, 20, 50, 100)
"""Lengths a scale bar may have."""

_SHIFT = 4
"""Bits of sub-pixel precision in OpenCV's drawing."""
_LARGEST_SIDE = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something to draw: an outline, a cross, a number; coordinates `(row, col)` in whole-frame pixels."""

    label: str
    colour: tuple[int, int, int]
    outline: npt.NDArray[np.float32] | None = None
    """(k, 2)."""
    cross: Point | None = None
    ruler: tuple[Point, Point] | None = None
    """A line with a bar at each end; the label then stands beside its middle."""


def marks(
    items: Iterable[Candidate | InjectionTarget | Mark], frame_index: int | None = None
) -> tuple[Mark, ...]:
    """Marks of candidates (outline and rank) and targets (outline, cross and order).

    With a `frame_index` only what lies on that frame; without, each candidate as on its best frame.
    """
    found: list[Mark] = []
    for item in items:
        if isinstance(item, Mark):
            found.append(item)
        elif isinstance(item, Candidate):
            index = item.best_frame if frame_index is None else frame_index
            if index in item.outlines:
                outline = np.asarray(item.outline(index), dtype=np.float32)
                found.append(Mark(label=str(item.rank), colour=SKY_BLUE, outline=outline))
        elif frame_index is None or item.frame_index == frame_index:
            ring = np.asarray(item.outline, dtype=np.float32).reshape(-1, 2) if item.outline else None
            found.append(Mark(label=str(item.order), colour=ORANGE, outline=ring, cross=item.point))
    return tuple(found)


def draw_overlay(
    frame: npt.NDArray[np.uint8],
    items: Iterable[Candidate | InjectionTarget | Mark],
    *,
    frame_index: int | None = None,
    spacing_mm: tuple[float, float] | None = None,
    box: tuple[int, int, int, int] | None = None,
    longest_px: int = 900,
    weight: float = 1.0,
    caption: str = "",
) -> Rgb:
    """A frame with outlines, numbers and, where calibrated, a scale bar in mm.

    Parameters
    ----------
    frame : (rows, cols) or (rows, cols, 3) uint8
        Grey or RGB; it is not changed.
    items : candidates, targets or marks
        What to draw.
    frame_index : int, optional
        Which frame of the clip this is: only what lies on it is drawn.
    spacing_mm : (row, col), optional
        Size of a pixel.  None: no scale bar.  Pixels that are not square are drawn in true proportion.
    box : (row0, col0, row1, col1), optional
        Part to show: a scanner's banner, with the patient's name, lies outside the picture region.
    longest_px : int
        A smaller picture is enlarged until its longer side has about this many pixels.
    weight : float
        Thickness of lines and size of text; more than 1 for a picture that is printed small.
    caption : str
        A line under the picture; ASCII.

    Returns
    -------
    (rows, cols, 3) uint8 RGB

    Raises
    ------
    InvalidInputError
        The frame is not a uint8 picture, or the box does not meet it.
    """
    picture, origin = _cut(frame, box)
    scale = _scale(picture.shape[:2], spacing_mm, longest_px)
    size = (max(1, round(picture.shape[1] * scale[1])), max(1, round(picture.shape[0] * scale[0])))
    enlarging = scale[0] >= 1 and scale[1] >= 1
    # Whole pixels round the enlargement: lines are drawn with the one that resize really applies.
    scale = (size[1] / picture.shape[0], size[0] / picture.shape[1])
    how = cv2.INTER_CUBIC if enlarging else cv2.INTER_AREA
    canvas: Rgb = np.ascontiguousarray(cv2.resize(picture, size, interpolation=how), np.uint8)
    unit = weight * max(canvas.shape[:2]) / 900
    drawn = marks(items, frame_index)
    for mark in drawn:
        _draw_lines(canvas, mark, origin, scale, unit)
    for mark in drawn:  # numbers last, so that no outline crosses them
        _draw_label(canvas, mark, origin, scale, unit)
    if spacing_mm is not None:
        _draw_scale_bar(canvas, scale[1] / spacing_mm[1], unit)
    return _with_caption(canvas, caption, unit) if caption else canvas


def encode(rgb: Rgb, suffix: str = ".png", quality: int = 92) -> bytes:
    """The picture as the bytes of a PNG or JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 6]
    done, data = cv2.imencode(suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    if not done:  # pragma: no cover  (OpenCV cannot fail on a uint8 RGB array)
        raise InvalidInputError(f"no picture of shape {rgb.shape} can be written", do="pass uint8 RGB")
    return bytes(data)


def save_png(path: str | Path, rgb: Rgb) -> Path:
    """Write a picture as PNG, whole or not at all.

    Raises
    ------
    NotSavedError
        It could not be written; an earlier file is untouched.
    """
    path = Path(path)
    write_whole(path, encode(rgb))
    return path


def _cut(frame: npt.NDArray[np.uint8], box: tuple[int, int, int, int] | None) -> tuple[Rgb, tuple[int, int]]:
    if frame.dtype != np.uint8 or not (frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)):
        raise InvalidInputError(
            f"a picture is uint8 (rows, cols) or (rows, cols, 3), not {frame.dtype} {frame.shape}",
            do="pass clip.frame(i)",
        )
    rows, cols = frame.shape[:2]
    row0, col0, row1, col1 = box or (0, 0, rows, cols)
    row0, col0, row1, col1 = max(row0, 0), max(col0, 0), min(row1, rows), min(col1, cols)
    if row0 >= row1 or col0 >= col1:
        raise InvalidInputError(
            f"the box {box} does not meet a frame of {rows} x {cols} pixels", do="pass a box within the frame"
        )
    part = frame[row0:row1, col0:col1]
    rgb = cv2.cvtColor(part, cv2.COLOR_GRAY2RGB) if part.ndim == 2 else part
    return np.ascontiguousarray(rgb), (row0, col0)


def _scale(
    shape: tuple[int, ...], spacing: tuple[float, float] | None, longest_px: int
) -> tuple[float, float]:
    """Enlargement `(row, col)`, isotropic in mm."""
    row, col = (1.0, 1.0) if spacing is None else (spacing[0] / min(spacing), spacing[1] / min(spacing))
    longest = max(shape[0] * row, shape[1] * col)
    factor = max(1.0, longest_px / longest) if longest < _LARGEST_SIDE else _LARGEST_SIDE / longest
    return row * factor, col * factor


def _fixed(
    points: npt.NDArray[np.floating[Any]], origin: tuple[int, int], scale: tuple[float, float]
) -> npt.NDArray[np.int32]:
    """(k, 2) `(row, col)` to OpenCV's `(x, y)` in fixed point; pixel centres stay pixel centres."""
    moved = (np.asarray(points, np.float64) - origin + 0.5) * scale - 0.5
    return np.asarray(np.rint(moved[:, ::-1] * (1 << _SHIFT)), np.int32)


def _draw_lines(
    canvas: Rgb, mark: Mark, origin: tuple[int, int], scale: tuple[float, float], unit: float
) -> None:
    thin = max(1, round(2 * unit))
    rim = thin + 2 * max(1, round(unit))
    for colour, width in ((_RIM, rim), (mark.colour, thin)):
        if mark.ruler is not None:
            tips = _fixed(np.array(mark.ruler), origin, scale)
            bar = np.array([round(5 * unit * (1 << _SHIFT)), 0])
            for a, b in ((tips[0], tips[1]), *((tip - bar, tip + bar) for tip in tips)):
                cv2.line(canvas, a.tolist(), b.tolist(), colour, width, cv2.LINE_AA, _SHIFT)
        if mark.outline is not None and len(mark.outline) > 1:
            ring = _fixed(mark.outline, origin, scale)[:, None]
            cv2.polylines(canvas, [ring], True, colour, width, cv2.LINE_AA, _SHIFT)
        if mark.cross is not None:
            arm, gap = 11 * unit, 3 * unit
            row, col = mark.cross
            centre = _fixed(np.array([[row, col]]), origin, scale)[0]
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                ends = [
                    centre + np.rint(np.array([dx, dy]) * r * (1 << _SHIFT)).astype(np.int32)
                    for r in (gap, arm)
                ]
                cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), colour, width, cv2.LINE_AA, _SHIFT)


def _draw_label(
    canvas: Rgb, mark: Mark, origin: tuple[int, int], scale: tuple[float, float], unit: float
) -> None:
    """The number to the upper right of the outline or cross, kept inside the picture."""
    if mark.outline is not None and len(mark.outline):
        points = _fixed(mark.outline, origin, scale) / (1 << _SHIFT)
        x, y = float(points[:, 0].max()), float(points[:, 1].min())
    elif mark.cross is not None:
        x, y = _fixed(np.array([mark.cross]), origin, scale)[0] / (1 << _SHIFT)
        x, y = x + 10 * unit, y - 8 * unit
    elif mark.ruler is None:
        return
    size = max(0.45, 0.85 * unit)
    thick = max(1, round(2 * unit))
    (wide, high), _ = cv2.getTextSize(mark.label, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    if mark.ruler is not None:
        x, y = _fixed(np.array(mark.ruler), origin, scale).mean(axis=0) / (1 << _SHIFT)
        x, y = x - wide - 10 * unit, y + high / 2 + 2 * unit
    left = int(min(max(x + 2 * unit, 1), canvas.shape[1] - wide - 2))
    base = int(min(max(y - 2 * unit, high + 2), canvas.shape[0] - 3))
    _text(canvas, mark.label, (left, base), size, thick, mark.colour)


def _text(
    canvas: Rgb, text: str, at: tuple[int, int], size: float, thick: int, colour: tuple[int, int, int]
) -> None:
    """Text with a dark rim, the same with the stroked font of OpenCV 4 and the outline font of OpenCV 5."""
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    rim = max(2, round(high / 7))
    margin = rim + thick + 2
    ink = np.zeros((high + below + 2 * margin, wide + 2 * margin), np.uint8)
    cv2.putText(ink, text, (margin, margin + high), cv2.FONT_HERSHEY_SIMPLEX, size, 255, thick, cv2.LINE_AA)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1))
    dark = cv2.GaussianBlur(cv2.dilate(ink, disc), (3, 3), 0)
    top, left = at[1] - high - margin, at[0] - margin
    row0, col0 = max(top, 0), max(left, 0)
    row1, col1 = min(top + ink.shape[0], canvas.shape[0]), min(left + ink.shape[1], canvas.shape[1])
    if row0 >= row1 or col0 >= col1:
        return
    inner = (slice(row0 - top, row1 - top), slice(col0 - left, col1 - left))
    part = canvas[row0:row1, col0:col1].astype(np.float32)
    for layer, paint in ((dark, _RIM), (ink, colour)):
        share = layer[inner][..., None].astype(np.float32) / 255
        part += (np.asarray(paint, np.float32) - part) * share
    canvas[row0:row1, col0:col1] = np.rint(part).astype(np.uint8)


def scale_bar_mm(width_px: float, px_per_mm: float) -> float | None:
    """Length of a scale bar of at most a quarter of the width; None when the smallest is longer."""
    fitting = [mm for mm in SCALE_BAR_MM if mm * px_per_mm <= width_px / 4]
    return fitting[-1] if fitting else None


def _draw_scale_bar(canvas: Rgb, px_per_mm: float, unit: float) -> None:
    rows, cols = canvas.shape[:2]
    length = scale_bar_mm(cols, px_per_mm)
    if length is None or length * px_per_mm < 8:
        return
    size, thick = max(0.4, 0.7 * unit), max(1, round(2 * unit))
    x0, x1 = 12 * unit, 12 * unit + length * px_per_mm
    y, tick = rows - 14 * unit, 5 * unit
    for colour, width in ((_RIM, thick + 2 * max(1, round(unit))), (WHITE, thick)):
        for a, b in (((x0, y), (x1, y)), ((x0, y - tick), (x0, y + tick)), ((x1, y - tick), (x1, y + tick))):
            ends = [[round(v * (1 << _SHIFT)) for v in point] for point in (a, b)]
            cv2.line(canvas, ends[0], ends[1], colour, width, cv2.LINE_AA, _SHIFT)
    _text(canvas, f"{length:g} mm", (round(x0), round(y - 9 * unit)), size, thick, WHITE)


def _with_caption(canvas: Rgb, caption: str, unit: float) -> Rgb:
    size, thick = max(0.4, 0.55 * unit), max(1, round(unit))
    (wide, high), _ = cv2.getTextSize(caption, cv2.FONT_HERSHEY_SIMPLEX, size, thick)
    if wide > canvas.shape[1] - 16:
        size = max(0.3, size * (canvas.shape[1] - 16) / wide)
    strip = np.zeros((round(high * 2.4), canvas.shape[1], 3), np.uint8)
    at = (8, round(high * 1.7))
    cv2.putText(strip, caption, at, cv2.FONT_HERSHEY_SIMPLEX, size, (210, 210, 210), thick, cv2.LINE_AA)
    return np.vstack([canvas, strip])
