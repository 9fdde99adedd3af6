"""Whole numbers burned into a screen beside a mark, read only where there is little doubt."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.colour import Frame

_SIZE = (20, 14)
_LEAST_LIKENESS = 0.66
_LEAST_LEAD = 0.05
_ENLARGED = 4


@cache
def _templates() -> tuple[tuple[str, ...], npt.NDArray[np.float32]]:
    """Digits in several plain typefaces, as unit vectors."""
    names: list[str] = []
    shapes: list[npt.NDArray[np.float32]] = []
    faces = ((cv2.FONT_HERSHEY_SIMPLEX, 2.4), (cv2.FONT_HERSHEY_DUPLEX, 2.4), (cv2.FONT_HERSHEY_PLAIN, 4.8))
    for digit in "0123456789":
        images = []
        for face, scale in faces:
            for thick in (2, 4, 7):
                canvas = np.zeros((90, 90), np.uint8)
                cv2.putText(canvas, digit, (15, 75), face, scale, 255, thick)
                images.append(canvas)
        images.extend(_sans(digit))
        for image in images:
            names.append(digit)
            shapes.append(_unit(_normal(image)))
    return tuple(names), np.stack(shapes)


def _sans(digit: str) -> list[Frame]:
    """The digit in the sans typeface that comes with the report library, plain and bold."""
    from pathlib import Path

    try:
        import reportlab
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:  # pragma: no cover - both come with the required parts
        return []
    out: list[Frame] = []
    for name in ("Vera.ttf", "VeraBd.ttf"):
        file = Path(reportlab.__file__).parent / "fonts" / name
        if file.is_file():
            picture = Image.new("L", (90, 90))
            ImageDraw.Draw(picture).text((20, 5), digit, fill=255, font=ImageFont.truetype(str(file), 64))
            out.append(np.asarray(picture, dtype=np.uint8))
    return out


def _normal(image: Frame) -> npt.NDArray[np.float32]:
    """The character cut out and brought to one size; a '1' stays narrow."""
    rows, cols = np.flatnonzero(image.max(axis=1) > 90), np.flatnonzero(image.max(axis=0) > 90)
    if not rows.size or not cols.size:
        return np.zeros(_SIZE, np.float32)
    cut = image[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    wide = max(cut.shape[1], round(cut.shape[0] * 0.62))
    left = (wide - cut.shape[1]) // 2
    cut = np.pad(cut, ((0, 0), (left, wide - cut.shape[1] - left)))
    how = cv2.INTER_AREA if cut.shape[0] > _SIZE[0] else cv2.INTER_LINEAR
    small = cv2.resize(cut, _SIZE[::-1], interpolation=how)
    return np.asarray(cv2.GaussianBlur(small.astype(np.float32), (0, 0), 0.9), dtype=np.float32)


def _unit(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    flat = (image - image.mean()).ravel()
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-6), dtype=np.float32)


def read_number(patch: Frame, middle_row: float) -> int | None:
    """The one whole number on the line of `middle_row` in a grey patch; None in any doubt.

    Parameters
    ----------
    patch : (rows, cols) uint8
        Part of a screen, light writing on dark.
    middle_row : float
        Row of the patch that the middle of the number lies near.
    """
    if min(patch.shape) < 6 or int(patch.max()) < 60:
        return None
    large = np.asarray(
        cv2.resize(patch, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
    brightest = float(np.quantile(large, 0.99))
    ink = (large > 0.5 * brightest).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    found: list[tuple[int, int, int, int, int]] = []
    for k in range(1, count):
        left, top, width, height, _area = (int(v) for v in stats[k])
        middle = (top + height / 2) / _ENLARGED
        aside = left == 0 or left + width == ink.shape[1]
        if aside and height >= 6 * _ENLARGED and abs(middle - middle_row) <= 6:
            return None  # part of a longer text
        if (
            not (aside or top == 0 or top + height == ink.shape[0])
            and 6 * _ENLARGED <= height <= 26 * _ENLARGED
            and 0.12 * height <= width <= 1.1 * height
            and abs(middle - middle_row) <= max(4.0, 0.6 * height / _ENLARGED)
        ):
            found.append((left, top, width, height, k))
    found.sort()
    if not 1 <= len(found) <= 2:
        return None
    if len(found) == 2:
        (a_left, a_top, a_width, a_tall, _), (b_left, b_top, _, b_tall, _) = found
        beside = b_left - (a_left + a_width) <= 0.6 * max(a_tall, b_tall)
        if not beside or abs(a_tall - b_tall) > 0.2 * a_tall or abs(a_top - b_top) > 0.2 * a_tall:
            return None
    text = ""
    for left, top, width, height, k in found:
        own = np.where(labels[top : top + height, left : left + width] == k, 255, 0)
        best = _digit(own.astype(np.uint8))
        if best is None:
            return None
        text += best
    return int(text)


def _digit(character: Frame) -> str | None:
    digit, likeness, lead = nearest_digit(character)
    return digit if likeness >= _LEAST_LIKENESS and lead >= _LEAST_LEAD else None


def nearest_digit(character: Frame) -> tuple[str, float, float]:
    """The digit that a character is most like, how much (correlation), and by how much more than the next.

    Parameters
    ----------
    character : (rows, cols) uint8
        Light writing on black, a few times its size on the screen.
    """
    names, shapes = _templates()
    likeness = shapes @ _unit(_normal(character))
    order = np.argsort(likeness)[::-1]
    best = names[order[0]]
    rival = next(float(likeness[j]) for j in order if names[j] != best)
    return best, float(likeness[order[0]]), float(likeness[order[0]]) - rival
