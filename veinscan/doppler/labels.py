"""Numbers burned in at the ends of a colour bar, read only where there is no doubt."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.digits import nearest_digit
from veinscan.doppler.colour_bar import ColourBar

Rgb = npt.NDArray[np.uint8]

LEAST_LIKENESS = 0.62
"""Correlation with a digit below which a character is not read."""
LEAST_LEAD = 0.06
"""By which the best digit must beat the next."""


def read_scale(frame: Rgb, bar: ColourBar) -> ColourBar:
    """The bar with the scale its labels give, or as it was where they cannot be read with confidence.

    Both ends must be read, and agree in proportion to where zero lies.  A minus
    at the upper end and none at the lower one is an inverted map; a minus at
    both is none that makes sense.
    """
    top, bottom = _number(frame, bar, upper=True), _number(frame, bar, upper=False)
    if top is None or bottom is None or top == 0 or bottom == 0 or (top < 0 and bottom < 0):
        return bar
    sign = -1.0 if top < 0 else 1.0
    top, bottom = abs(top), abs(bottom)
    share = bar.zero / len(bar.colours)
    expected = (1 - share) / max(share, 1e-6)
    if not 0.8 < (bottom / top) / expected < 1.25:
        return bar
    # below 2.5 with a decimal point only metres per second make sense on a bar
    factor = 100.0 if top < 2.5 and bottom < 2.5 else 1.0
    return bar.with_scale(sign * top * factor, -sign * bottom * factor, source="labels")


def _number(frame: Rgb, bar: ColourBar, *, upper: bool) -> float | None:
    """The number beside, above or below one end of the bar; negative where a minus stands clear before it."""
    row0, col0, row1, col1 = bar.box
    at = row0 if upper else row1
    above, below = (24, 12) if upper else (12, 24)
    rows = slice(max(0, at - above), min(frame.shape[0], at + below))
    cols = slice(max(0, col0 - 44), min(frame.shape[1], col1 + 44))
    grey = frame[rows, cols].max(axis=2)
    chroma = grey.astype(np.int16) - frame[rows, cols].min(axis=2)
    # the bars themselves are no text
    grey = np.where(chroma > 120, 0, grey).astype(np.uint8)
    inside = slice(max(0, col0 - 2 - cols.start), col1 + 2 - cols.start)
    grey[max(0, row0 - rows.start) : max(0, row1 - rows.start), inside] = 0
    return _read_line(grey)


def _read_line(grey: npt.NDArray[np.uint8]) -> float | None:
    scale = 4
    large = np.asarray(
        cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
    bright = float(np.quantile(large, 0.995))
    if bright < 90:
        return None
    ink = (large > 0.5 * bright).astype(np.uint8)
    total, found_labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    labels = np.asarray(found_labels, dtype=np.int32)
    marks = []
    for k in range(1, total):
        left, top, width, height, area = (int(v) for v in stats[k])
        touches = top == 0 or left == 0 or top + height == ink.shape[0] or left + width == ink.shape[1]
        if not touches and area >= 12:
            marks.append((left, top, width, height, k))
    tall = [m for m in marks if 5 * scale <= m[3] <= 16 * scale and 0.2 <= m[2] / m[3] <= 3]
    if not tall:
        return None
    lines: dict[int, list[tuple[int, int, int, int, int]]] = {}
    for mark in tall:
        key = next((y for y in lines if abs(y - (mark[1] + mark[3])) < 2.2 * scale), mark[1] + mark[3])
        lines.setdefault(key, []).append(mark)
    found = []
    for base, line in lines.items():
        value = _read_digits(sorted(line), marks, base, large, labels, scale)
        if value is not None:
            found.append(value)
    return found[0] if len(found) == 1 else None


def _attached(ink: npt.NDArray[np.bool_]) -> tuple[int, str]:
    """Columns at the left that are a point or a minus grown together with the digit, and which it is."""
    tall, width = ink.shape
    if width < 0.8 * tall:
        return 0, ""
    rows = np.arange(tall)[:, None]
    low = ~(ink & (rows < 0.68 * tall)).any(axis=0)
    middle = ~(ink & ((rows < 0.35 * tall) | (rows > 0.85 * tall))).any(axis=0)
    for flags, mark in ((low, "."), (middle, "-")):
        count = int(np.argmin(flags)) if not flags.all() else 0
        if count > 0.12 * tall:
            return count, mark
    return 0, ""


def _is_minus(mark: tuple[int, int, int, int, int], left: int, base: int, height: float) -> bool:
    """Whether a mark is a minus before a digit that begins at a column: flat, half way up, close to it."""
    middle = base - mark[1] - mark[3] / 2
    return (
        0.2 * height <= mark[2] <= 0.9 * height
        and mark[3] <= 0.35 * height
        and abs(middle - 0.45 * height) <= 0.2 * height
        and 0 <= left - (mark[0] + mark[2]) <= 0.7 * height
    )


def _read_digits(
    line: list[tuple[int, int, int, int, int]],
    marks: list[tuple[int, int, int, int, int]],
    base: int,
    large: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int32],
    scale: int,
) -> float | None:
    """Leading digits of a line with an optional point; None when any of them is in doubt."""
    height = float(np.median([m[3] for m in line]))
    text = ""
    before = None
    minus = False
    for left, top, width, tall, k in line:
        if before is not None and left - before > 0.9 * height:
            break
        if tall < 0.85 * height and text:
            break  # small letters of the unit follow the number
        if abs(tall - height) > 0.22 * height:
            return None
        ink = labels[top : top + tall, left : left + width] == k
        own = np.where(ink, large[top : top + tall, left : left + width], 0).astype(np.uint8)
        skip, mark = _attached(ink)
        if mark == "-" and text:
            return None
        if not text:
            # one grown together with its digit may be the bar of a 4: it says nothing of the sign
            minus = mark != "-" and any(_is_minus(m, left, base, height) for m in marks)
        best, likeness, lead = nearest_digit(own[:, skip:])
        if (width - skip) > 1.1 * tall or likeness < LEAST_LIKENESS or lead < LEAST_LEAD:
            return None
        dot = mark == "." or any(
            m[2] <= 0.35 * height
            and m[3] <= 0.35 * height
            and abs(m[1] + m[3] - base) < 0.25 * height
            and (before if before is not None else left - 0.6 * height) - 1 <= m[0] <= left
            for m in marks
        )
        if dot and "." not in text:
            text += "."
        text += best
        before = left + width
    digits = text.strip(".")
    if not digits or len(digits) > 5:
        return None
    return -float(text) if minus else float(text)
