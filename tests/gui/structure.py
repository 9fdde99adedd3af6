"""The structure of a picture of the window: where something is drawn, not which letters.

A picture is reduced to how much is drawn in each cell of a coarse grid, smoothed over a cell, so that
another font, a line of text more or another number change little, while a part that is missing, blank
or elsewhere changes much.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

CELL = 24
"""Pixels of the window to a cell of the grid: about a line of text."""
LEVELS = 8
"""Grey levels of a stored picture: it is for eyes, and its structure needs no more."""


def pixels(widget: Any) -> npt.NDArray[np.uint8]:
    """A widget as (rows, cols, 3) uint8."""
    from qtpy.QtGui import QImage

    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3)


def stored(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture as it is kept: half as large, grey, few levels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return (np.round(small / 255 * (LEVELS - 1)) * (255 / (LEVELS - 1))).astype(np.uint8)


def structure(kept: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """How much is drawn in each cell of a picture of `stored`."""
    edges = np.abs(cv2.Laplacian(kept, cv2.CV_32F)).clip(0, 160)
    rows, cols = (max(3, round(2 * side / CELL)) for side in kept.shape)
    grid = cv2.resize(edges, (cols, rows), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(grid, (0, 0), 0.8).astype(np.float64)


def likeness(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    """-1 to 1: how far two pictures of `stored` have their parts at the same places; 0 where one is blank."""
    one = structure(a)
    other = cv2.resize(structure(b), one.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if one.std() < 1 or other.std() < 1:
        return 0.0
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def read(path: Path) -> npt.NDArray[np.uint8]:
    """A stored picture."""
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert found is not None, f"{path.name} is missing: make it with STORE_PICTURES=1"
    return found.astype(np.uint8)
