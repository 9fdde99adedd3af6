"""Clean frames of a clip, masks of its labels, and PNG files that hold pixels alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.deidentify.pixels import blacked
from veinscan.errors import VeinscanError
from veinscan.export.model import Category, Mark
from veinscan.record.segmentation import mask_of

if TYPE_CHECKING:
    from veinscan.export.study import ClipCase

Frame = npt.NDArray[np.uint8]

LABELS = {"background": 0, "vein": 1, "artery": 2}
"""Values of a mask.  What was rejected as anything but an artery is background."""


def clean_frame(case: ClipCase, index: int) -> Frame:
    """(rows, cols) or (rows, cols, 3) uint8: a frame, black outside what is kept.  Raises as `Clip.frame`."""
    return blacked(case.clip.frame(index), case.keep.mask(case.clip.rows, case.clip.columns))


def label_mask(marks: Iterable[Mark], rows: int, columns: int) -> Frame:
    """(rows, cols) uint8 with `LABELS`; an artery wins where outlines overlap."""
    out = np.zeros((rows, columns), np.uint8)
    for value in (LABELS["vein"], LABELS["artery"]):
        for mark in marks:
            if label_of(mark) == value:
                out[mask_of(mark.outline, rows, columns)] = value
    return out


def label_of(mark: Mark) -> int:
    """The value of a mark in a mask; 0 where it is not part of it."""
    if mark.category in (Category.TARGET, Category.VEIN):
        return LABELS["vein"]
    artery = mark.category is Category.REJECTED and mark.attributes.get("reason") == "artery"
    return LABELS["artery"] if artery else 0


def png(frame: Frame) -> bytes:
    """A frame as PNG: header, pixels and end, no text and no time.  Equal frames give equal bytes."""
    shown = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".png", shown, [cv2.IMWRITE_PNG_COMPRESSION, 6])
    if not done:
        raise VeinscanError("a frame cannot be written as PNG")
    return data.tobytes()


def rgb(frame: Frame) -> Frame:
    """The frame with three channels."""
    return frame if frame.ndim == 3 else np.repeat(frame[:, :, None], 3, axis=2)
