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

SHADOW_CELL_MM, SHADOW_LENGTH_MM, SHADOW_WIDTH_MM = 0.5, 8.0, 12.0
"""Cells in which shadows are looked for, how long one is at least, and how wide at most."""

NO_ECHO, BESIDE = 24.0, 10.0
"""Below a place in a shadow nothing is brighter by so many grey levels; beside it tissue is, by so many."""


def tissue_mask(grid_image: npt.NDArray[np.float32], pixel_mm: float) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool, false on black areas that touch the edge of the picture, text and white pages.

    `grid_image` (rows, cols) grey levels of 0 to 255.
    """
    rows, cols = grid_image.shape
    if np.count_nonzero(grid_image >= WHITE_LEVEL) > PAGE_SHARE * grid_image.size:
        return np.zeros((rows, cols), bool)
    black = (cv2.medianBlur(grid_image.astype(np.uint8), 3) <= BLACK_LEVEL).astype(np.uint8)
    if not (black[0].any() or black[-1].any() or black[:, 0].any() or black[:, -1].any()):
        return np.ones((rows, cols), bool)
    background = _from_edge(black, min(MIN_BACKGROUND_MM2 / pixel_mm**2, 0.5 * black.size))
    mask = ~background
    if not background.any() or not mask.any():
        return np.asarray(mask, bool)
    return without_islands(mask, max(1, round(LETTER_MM / pixel_mm)))


def _from_edge(black: npt.NDArray[np.uint8], least: float) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool: the black (1) areas of at least so many pixels that touch the edge.

    Filled from the edge: far fewer pixels are visited than by labelling every black speck.
    """
    field = black.copy()
    rows, cols = field.shape
    for side, place in (
        (black[0], lambda at: (at, 0)),
        (black[-1], lambda at: (at, rows - 1)),
        (black[:, 0], lambda at: (0, at)),
        (black[:, -1], lambda at: (cols - 1, at)),
    ):
        there = np.flatnonzero(side)
        for at in there[np.diff(there, prepend=-2) > 1].tolist():  # where a run begins
            col, row = place(at)
            if field[row, col] == 1 and cv2.floodFill(field, None, (col, row), 2, flags=4)[0] >= least:
                cv2.floodFill(field, None, (col, row), 3, flags=4)
    return np.asarray(field == 3, bool)


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


def shadows(
    grid_image: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], pixel_mm: float
) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool, true in upright dark bands that go on to the bottom.

    They lie behind bone, gas or a vessel's rim.  A lumen has a far wall and tissue below it, and is not
    as long.  Deep tissue that is dark all over is no shadow, as nothing beside it is brighter.
    """
    none = np.zeros(grid_image.shape, bool)
    step = max(1, round(SHADOW_CELL_MM / pixel_mm))
    cell_mm = step * pixel_mm
    rows, cols = (side // step for side in grid_image.shape)
    if rows * cell_mm <= SHADOW_LENGTH_MM or cols < 2:
        return none

    whole = grid_image[: rows * step, : cols * step]
    cells = cv2.blur(cv2.resize(whole, (cols, rows), interpolation=cv2.INTER_AREA), (1, 5))
    tissue = mask[step // 2 : rows * step : step, step // 2 : cols * step : step]
    grey = np.asarray(cells * tissue, np.float32)
    reach = 2 * round(SHADOW_WIDTH_MM / cell_mm / 2) + 1
    beside = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8))
    # the brightest of what lies below in the same column
    below = np.maximum.accumulate(grey[::-1], axis=0)[::-1]
    below = np.concatenate([below[1:], np.zeros_like(below[:1])])
    dark = (below <= grey + NO_ECHO) & (beside >= grey + BESIDE)
    onwards = np.logical_and.accumulate((dark | ~tissue)[::-1], axis=0)[::-1] & tissue
    long = onwards & (onwards.sum(axis=0) * cell_mm > SHADOW_LENGTH_MM)
    if not long.any():
        return none
    closed = cv2.morphologyEx(long.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    large = cv2.resize(closed, (cols * step, rows * step), interpolation=cv2.INTER_NEAREST)
    # rows and columns beyond the last whole cell belong to it
    rest = grid_image.shape[0] - rows * step, grid_image.shape[1] - cols * step
    return np.asarray(cv2.copyMakeBorder(large, 0, rest[0], 0, rest[1], cv2.BORDER_REPLICATE) > 0, bool)


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
