"""Small pictures of clips, made off the window's thread."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from qtpy.QtGui import QIcon, QImage, QPixmap

from veinscan.dicom import Clip

THUMBNAIL = (60, 80)
"""(rows, cols) of a thumbnail."""


def thumbnail(clip: Clip) -> npt.NDArray[np.uint8]:
    """(60, 80, 3) uint8 RGB: the middle frame on black.  Raises `DecodeError` where it is damaged."""
    frame = clip.frame(clip.n_frames // 2)
    rgb = frame if frame.ndim == 3 else np.repeat(frame[:, :, None], 3, axis=2)
    rows, cols = THUMBNAIL
    scale = min(rows / rgb.shape[0], cols / rgb.shape[1])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    card = np.zeros((rows, cols, 3), dtype=np.uint8)
    top, left = (rows - small.shape[0]) // 2, (cols - small.shape[1]) // 2
    card[top : top + small.shape[0], left : left + small.shape[1]] = small
    return card


def icon_of(rgb: npt.NDArray[np.uint8]) -> QIcon:
    """An icon of a (rows, cols, 3) uint8 picture."""
    rows, cols, _ = rgb.shape
    data = np.ascontiguousarray(rgb)
    image = QImage(data.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888)
    pixmap = QPixmap.fromImage(image.copy())  # the copy owns its pixels
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt tints the chosen clip's picture
    return icon


def blank_icon() -> QIcon:
    """What stands in the list until the picture is there."""
    return icon_of(np.zeros((*THUMBNAIL, 3), dtype=np.uint8))
