"""Texture told apart: tissue from text, one picture from two joined ones, time (M-mode) from width."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.dicom.chroma import Mask
from veinscan.dicom.colour import Frame
from veinscan.dicom.model import Box

_BANDS = 8
"""Bands of rows that a seam is looked for in, each by itself: a line drawn across crosses it in one."""
_SEAM_SHARE = 0.7
"""Share of lit bands in which two columns must be strangers.

On the real files and screens at hand single pictures reach 0.62, a real dual
screen 0.75 and pictures joined for the test 0.71 to 1."""
_SEAM_PLACE = 0.08
"""Share of the width by which a seam may lie off the middle."""
_SAME_ROW = 0.4
"""Likeness of columns half a width apart from which the width is time: pictures of real files reach 0.34."""


def textured(grey: Frame) -> Mask:
    """(rows, cols) bool: solid and uneven, as tissue is; strokes of text are thin and banners even."""
    background = int(np.bincount(grey.ravel(), minlength=256).argmax())
    apart = (np.abs(grey.astype(np.int16) - background) > 8).astype(np.uint8)
    solid = cv2.morphologyEx(apart, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)).astype(bool)
    smooth = cv2.blur(grey.astype(np.float32), (7, 7))
    spread = cv2.blur(grey.astype(np.float32) ** 2, (7, 7)) - smooth**2
    return np.asarray(solid & (spread > 4.0), dtype=bool)


def seam_column(grey: Frame, box: Box) -> int | None:
    """Whole-frame column where two pictures that touch are joined, or None for one picture.

    Speckle is several columns wide, so a column resembles the next but one,
    except across a seam.  Lines and layers of tissue go on across columns and
    are taken out first.
    """
    row0, col0, row1, col1 = box
    patch = grey[row0:row1, col0:col1].astype(np.float32)
    rows, columns = patch.shape
    if rows < 8 * _BANDS or columns < 64:
        return None
    fine = _clipped(patch - cv2.blur(patch, (25, 1), borderType=cv2.BORDER_REFLECT))
    lit = cv2.blur(patch, (7, 7)) > 12
    strange = np.zeros(columns - 2)
    used = np.zeros(columns - 2)
    for first, end in zip(*_edges(rows), strict=True):
        left, right = fine[first:end, :-2], fine[first:end, 2:]
        likeness = (left * right).sum(axis=0) / np.sqrt((left**2).sum(axis=0) * (right**2).sum(axis=0) + 1e-3)
        around = cv2.blur(likeness[None].astype(np.float32), (41, 1))[0]
        seen = lit[first:end].mean(axis=0)[1:-1] > 0.5
        used += seen
        strange += seen & (likeness < 0.25 * around) & (around > 0.35)
    share = np.where(used >= _BANDS // 2, strange / np.maximum(used, 1), 0.0)
    low, high = (round((0.5 + side * _SEAM_PLACE) * len(share)) for side in (-1, 1))
    best = low + int(np.argmax(share[low:high]))
    return col0 + best + 1 if share[best] >= _SEAM_SHARE else None


def _edges(rows: int) -> tuple[list[int], list[int]]:
    edges = np.linspace(0, rows, _BANDS + 1).astype(int).tolist()
    return edges[:-1], edges[1:]


def _clipped(fine: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Without the weight of bright lines and marks."""
    most = 3 * float(np.median(np.abs(fine))) + 1
    return np.clip(fine, -most, most)


def width_is_time(grey: Frame, box: Box) -> bool:
    """Whether a textured box is an M-mode trace: one line of tissue, written again in every column.

    Then columns half a width apart are nearly as alike as near ones.  Tissue
    that moves much in all depths, or is drowned in noise, is not told from a
    picture.
    """
    row0, col0, row1, col1 = box
    patch = grey[row0:row1, col0:col1].astype(np.float32)
    if min(patch.shape) < 32:
        return False
    fine = _clipped(patch - cv2.blur(patch, (1, 25), borderType=cv2.BORDER_REFLECT))
    near, far = (_likeness(fine, patch.shape[1] // part) for part in (8, 2))
    return far >= _SAME_ROW and far >= 0.8 * near


def _likeness(fine: npt.NDArray[np.float32], lag: int) -> float:
    left, right = fine[:, :-lag], fine[:, lag:]
    norm = float(np.sqrt((left**2).mean() * (right**2).mean()))
    return float((left * right).mean()) / norm if norm > 0 else 0.0
