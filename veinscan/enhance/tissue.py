"""Where a frame shows tissue: not the black around the sector, not a shadow to the edge, not text."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

BLACK_LEVEL = 2.0
"""Grey level (of 255) up to which a pixel may belong to the screen's background."""

MIN_BACKGROUND_MM2 = 6.0
"""Background touches the edge with at least this area; a lumen cut by the edge is seldom as large."""


LETTER_MM = 3.0
"""What is narrower than this and stands alone on the background is text, a marker or a scale."""

ISLAND_SHARE = 0.05
"""Smallest part of the largest piece of tissue that another piece must have."""


def tissue_mask(grid_image: npt.NDArray[np.float32], pixel_mm: float) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool, false on black areas that touch the edge of the picture and on text upon them."""
    black = (cv2.medianBlur(np.clip(grid_image, 0, 255).astype(np.uint8), 3) <= BLACK_LEVEL).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=4)
    rows, cols = black.shape
    area_px = MIN_BACKGROUND_MM2 / pixel_mm**2
    background = np.zeros(count, bool)
    for label in range(1, count):
        left, top, width, height, area = stats[label]
        touches = left == 0 or top == 0 or left + width == cols or top + height == rows
        background[label] = touches and area >= min(area_px, 0.5 * black.size)
    mask = ~background[labels]
    if not background.any() or not mask.any():
        return np.asarray(mask, bool)
    return without_islands(mask, max(1, round(LETTER_MM / pixel_mm)))


def without_islands(mask: npt.NDArray[np.bool_], width_px: int) -> npt.NDArray[np.bool_]:
    """The mask without what an opening of that width wipes out whole, and without small pieces."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width_px, width_px))
    # beyond the picture's edge tissue goes on
    framed = cv2.copyMakeBorder(
        mask.astype(np.uint8), width_px, width_px, width_px, width_px, cv2.BORDER_REPLICATE
    )
    opened = cv2.morphologyEx(framed, cv2.MORPH_OPEN, kernel)[width_px:-width_px, width_px:-width_px]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= ISLAND_SHARE * areas.max()])
    # give the kept pieces their rims back
    grown = cv2.dilate(kept[labels].astype(np.uint8), kernel)
    return np.asarray(mask & (grown > 0), bool)


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
