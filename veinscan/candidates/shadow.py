"""Shadow of bone or gas: a dark place that goes on darkly to the bottom has no far wall."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.propose import PreparedFrame

Array = npt.NDArray[np.float64]

SKIP_MM, BELOW_MM = 0.6, 9.0
"""The strip below the far wall that is read: from the first to the second."""

COLUMNS_READ, ROWS_READ = 9, 24

OPEN_MM = 3.0
"""Depth below the far wall that is looked at for tissue."""

RISE = 14.0
"""Grey levels above the lumen from which there is tissue: about 3 dB of a 60 dB display."""


def shadow_below(prepared: PreparedFrame, outlines: Array) -> Array:
    """(n,) share of the strip under each (k, 2) outline that is as dark as its inside, 0..1.

    A vessel passes sound on, so tissue shows below it; bone does not.  Near the bottom of the
    picture the strip is short; where there is none the share is 0.
    """
    count = len(outlines)
    rows = prepared.image.shape[0]
    smooth = cv2.GaussianBlur(prepared.image, (0, 0), max(0.3 / prepared.pixel_mm, 0.5))
    low, high = outlines.min(axis=1), outlines.max(axis=1)
    middle, half = (low + high) / 2, (high - low) / 2
    across = np.linspace(-0.7, 0.7, COLUMNS_READ)
    cols = middle[:, 1, None] + half[:, 1, None] * across

    def read(at_rows: Array, at_cols: Array) -> Array:
        return np.asarray(
            cv2.remap(
                smooth,
                np.ascontiguousarray(at_cols.reshape(count, -1), np.float32),
                np.ascontiguousarray(at_rows.reshape(count, -1), np.float32),
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            ),
            np.float64,
        )

    inner_rows = middle[:, 0, None] + half[:, 0, None] * np.linspace(-0.5, 0.5, COLUMNS_READ)
    grid_rows, grid_cols = np.broadcast_arrays(
        inner_rows[:, :, None], (middle[:, 1, None] + 0.7 * (cols - middle[:, 1, None]))[:, None, :]
    )
    lumen = np.median(read(grid_rows, grid_cols), axis=1)
    depth = np.linspace(SKIP_MM, BELOW_MM, ROWS_READ) / prepared.pixel_mm
    strip_rows, strip_cols = np.broadcast_arrays((high[:, 0, None] + depth)[:, :, None], cols[:, None, :])
    there = strip_rows.reshape(count, -1) <= rows - 1
    dark = (read(strip_rows, strip_cols) <= lumen[:, None] + RISE) & there
    return np.asarray(dark.sum(axis=1) / np.maximum(there.sum(axis=1), 1), np.float64)


def open_below(prepared: PreparedFrame, outlines: Array) -> Array:
    """(n,) share of the next 3 mm under each (k, 2) outline that is black to the edge of the picture, 0..1.

    Shares up to a half count as 0.

    Bone's shadow is often cut by the frame of the colour box, which then looks like a far wall.
    """
    count = len(outlines)
    last = prepared.mask.shape[0] - 1
    low, high = outlines.min(axis=1), outlines.max(axis=1)
    middle, half = (low + high)[:, 1] / 2, (high - low)[:, 1] / 2
    cols = middle[:, None] + half[:, None] * np.linspace(-0.7, 0.7, COLUMNS_READ)
    depth = np.linspace(0.2 * SKIP_MM, OPEN_MM, ROWS_READ) / prepared.pixel_mm
    rows = high[:, 0, None] + depth
    at_rows, at_cols = np.broadcast_arrays(rows[:, :, None], cols[:, None, :])
    at = (
        np.clip(np.round(at_rows).astype(int), 0, last),
        np.clip(np.round(at_cols).astype(int), 0, prepared.mask.shape[1] - 1),
    )
    there = (at_rows <= last).reshape(count, -1)
    black = ~prepared.mask[at].reshape(count, -1) & there
    share = black.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    # where the whole picture fades out at that depth, black says nothing of bone
    tissue = prepared.mask.mean(axis=1)[np.clip(np.round(rows).astype(int), 0, last)].mean(axis=1)
    faded = np.clip((tissue - 0.5) / 0.25, 0.0, 1.0)
    return np.asarray(np.clip(2.0 * share - 1.0, 0.0, 1.0) * faded, np.float64)
