"""Where a frame shows tissue: not the black around the sector, not a shadow to the edge, not text."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

BLACK_LEVEL = 2.0
"""Grey level (of 255) up to which a pixel may belong to the screen's background."""

WHITE_LEVEL, PAGE_SHARE = 250, 0.5
"""A picture that is white over more than this part of its area is a page, not echoes."""

MIN_BACKGROUND_MM2 = 6.0
"""Background touches the edge with at least this area; a lumen cut by the edge is seldom as large."""


LETTER_MM = 3.0
"""What is narrower than this and stands alone on the background is text, a marker or a scale."""

ACROSS_LETTER = 6
"""Pixels of that width on which text is told from tissue."""

ISLAND_SHARE = 0.05
"""Smallest part of the largest piece of tissue that another piece must have."""


def tissue_mask(grid_image: npt.NDArray[np.float32], pixel_mm: float) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool, false on black areas that touch the edge of the picture, text and white pages."""
    rows, cols = grid_image.shape
    if (grid_image >= WHITE_LEVEL).sum() > PAGE_SHARE * grid_image.size:
        return np.zeros((rows, cols), bool)
    black = (cv2.medianBlur(np.clip(grid_image, 0, 255).astype(np.uint8), 3) <= BLACK_LEVEL).astype(np.uint8)
    if not (black[0].any() or black[-1].any() or black[:, 0].any() or black[:, -1].any()):
        return np.ones((rows, cols), bool)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(black, connectivity=4)
    area_px = MIN_BACKGROUND_MM2 / pixel_mm**2
    left, top, width, height, area = stats.T
    background = (left == 0) | (top == 0) | (left + width == cols) | (top + height == rows)
    background &= area >= min(area_px, 0.5 * black.size)
    background[0] = False
    mask = ~background[labels]
    if not background.any() or not mask.any():
        return np.asarray(mask, bool)
    return without_islands(mask, max(1, round(LETTER_MM / pixel_mm)))


def without_islands(mask: npt.NDArray[np.bool_], width_px: int) -> npt.NDArray[np.bool_]:
    """The mask without what an opening of that width wipes out whole, and without small pieces."""
    # a wide opening at full size would cost more than all the rest
    coarser = max(1, width_px // ACROSS_LETTER)
    rows, cols = (-(-side // coarser) for side in mask.shape)
    small = cv2.resize(mask.astype(np.float32), (cols, rows), interpolation=cv2.INTER_AREA) >= 0.5
    width = max(1, round(width_px / coarser))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    # beyond the picture's edge tissue goes on
    framed = cv2.copyMakeBorder(small.astype(np.uint8), width, width, width, width, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(framed, cv2.MORPH_OPEN, kernel)[width:-width, width:-width]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= ISLAND_SHARE * areas.max()])
    # give the kept pieces their rims back
    grown = cv2.dilate(kept[labels].astype(np.uint8), kernel)
    size = mask.shape[1], mask.shape[0]
    return np.asarray(mask & (cv2.resize(grown, size, interpolation=cv2.INTER_NEAREST) > 0), bool)


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
    fill = np.asarray(values[-1] / np.maximum(weights[-1], 1e-6), np.float32)
    for value, weight in zip(values[-2:0:-1], weights[-2:0:-1], strict=True):
        size = value.shape[1], value.shape[0]
        coarse = cv2.resize(fill, size, interpolation=cv2.INTER_LINEAR).reshape(value.shape)
        share = np.minimum(weight * 1.0001, 1.0)
        fill = np.where(
            weight > 1e-3, value / np.maximum(weight, 1e-3) * share + coarse * (1 - share), coarse
        )
    if fill.shape != image.shape:
        size = image.shape[1], image.shape[0]
        coarse = cv2.resize(fill, size, interpolation=cv2.INTER_LINEAR).reshape(image.shape)
        return np.where(mask, image, coarse).astype(np.float32)
    return np.where(mask, image, fill).astype(np.float32)
