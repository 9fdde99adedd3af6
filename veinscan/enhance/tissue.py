"""Where a frame shows tissue: not the black around the sector, not the shadow that reaches the edge."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

BLACK_LEVEL = 2.0
"""Grey level (of 255) up to which a pixel may belong to the screen's background."""

MIN_BACKGROUND_MM2 = 6.0
"""Background touches the edge with at least this area; a lumen cut by the edge is seldom as large."""


def tissue_mask(grid_image: npt.NDArray[np.float32], pixel_mm: float) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool, false on black areas that touch the edge of the picture."""
    black = (cv2.medianBlur(np.clip(grid_image, 0, 255).astype(np.uint8), 3) <= BLACK_LEVEL).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=4)
    rows, cols = black.shape
    area_px = MIN_BACKGROUND_MM2 / pixel_mm**2
    background = np.zeros(count, bool)
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        touches = left == 0 or top == 0 or left + width == cols or top + height == rows
        background[label] = touches and area >= min(area_px, 0.5 * black.size)
    return np.asarray(~background[labels], bool)


def filled(image: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """The picture with everything off the mask replaced by a smooth continuation of the mask's inside.

    A push-pull pyramid: each place off the mask takes the mean of the nearest coarser
    level that holds any tissue, so that the sector's edge is no wall to any filter.
    """
    if mask.all():
        return image
    if not mask.any():
        return np.zeros_like(image)
    weights = [mask.astype(np.float32)]
    values = [image * weights[0]]
    while max(values[-1].shape) > 1:
        size = ((values[-1].shape[1] + 1) // 2, (values[-1].shape[0] + 1) // 2)
        values.append(cv2.resize(values[-1], size, interpolation=cv2.INTER_AREA).reshape(size[::-1]))
        weights.append(cv2.resize(weights[-1], size, interpolation=cv2.INTER_AREA).reshape(size[::-1]))
    fill = values[-1] / np.maximum(weights[-1], 1e-6)
    for value, weight in zip(values[-2::-1], weights[-2::-1], strict=True):
        size = value.shape[1], value.shape[0]
        coarse = cv2.resize(fill, size, interpolation=cv2.INTER_LINEAR).reshape(value.shape)
        share = np.minimum(weight * 1.0001, 1.0)
        fill = np.where(
            weight > 1e-3, value / np.maximum(weight, 1e-3) * share + coarse * (1 - share), coarse
        )
    return np.where(mask, image, fill).astype(np.float32)
