"""Where exactly the inner wall lies: the -6 dB place of the rise, on the finest level.

The ring of `walls` follows the steepest rise of a blurred picture of logarithms,
which lies inside the true wall.  Where a beam's width blurs a step of amplitude,
half of the amplitude (6 dB below the wall's echo) is reached at the step itself:
so each ray is read again, finely, and the wall is put where the grey level
leaves the wall's echo by that much on the way inwards.  The echo is the first
one behind the steepest rise: behind an artery's dark media lies a brighter layer
that is not its inner wall.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

STEP_MM = 0.05
INWARDS_MM, OUTWARDS_MM = 0.35, 0.75
"""How far from the ring the wall may be; both grow with the radius by `REACH_SHARE`."""
REACH_SHARE = 0.12

WALL_DROP = 25.5
"""Grey levels of 6 dB on a display of 60 dB."""

LEAST_CONTRAST = 16.0
"""Grey levels from lumen to wall below which the ring is left as it is."""

LATEST_RISE_MM = 0.5
"""How far outside the ring the steepest rise may be."""

ECHO_WITHIN_MM = 0.3
"""How far behind the steepest rise the echo of the inner wall lies at most: an artery's intima and media
measure 0.4 to 1 mm together, a vein's wall less."""

SPECKLE_SIGMA_MM = 0.10
NEIGHBOURS = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0


def refine_outlines(
    image: npt.NDArray[np.float32], outlines: Array, centres: Array, pixel_mm: float
) -> Array:
    """(n, k, 2) outlines with every vertex moved along its ray to the wall, in pixels of the grid.

    `image` is the finest level, `centres` (n, 2) the points the rays start from.
    """
    if not len(outlines):
        return outlines
    ray = outlines - centres[:, None, :]
    radius = np.maximum(np.hypot(ray[..., 0], ray[..., 1]), 1e-6)
    unit = ray / radius[..., None]
    step = STEP_MM / pixel_mm
    # across the wall, not along the ray: a stretched ring meets its walls at a slant
    before, after = np.roll(outlines, 1, axis=1), np.roll(outlines, -1, axis=1)
    along = after - before
    normal = np.stack([along[..., 1], -along[..., 0]], axis=-1)
    length = np.maximum(np.hypot(normal[..., 0], normal[..., 1]), 1e-9)
    normal = normal / length[..., None]
    outward = np.sign((normal * unit).sum(axis=-1))
    normal = normal * np.where(outward == 0, 1.0, outward)[..., None]
    thin = np.median(np.abs((ray * normal).sum(axis=-1)), axis=1)
    inwards = int(np.ceil((INWARDS_MM / pixel_mm + REACH_SHARE * thin.max()) / step))
    outwards = int(np.ceil((OUTWARDS_MM / pixel_mm + REACH_SHARE * thin.max()) / step))
    offsets = np.arange(-inwards, outwards + 1) * step
    rows = outlines[..., 0, None] + normal[..., 0, None] * offsets
    cols = outlines[..., 1, None] + normal[..., 1, None] * offsets
    smooth = cv2.GaussianBlur(image, (0, 0), max(SPECKLE_SIGMA_MM / pixel_mm, 0.5))
    flat = (rows.shape[0], -1)
    grey = cv2.remap(
        smooth,
        cols.reshape(flat).astype(np.float32),
        rows.reshape(flat).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).reshape(rows.shape)
    grey = sum(
        weight * np.roll(grey, shift, axis=1) for shift, weight in zip(range(-2, 3), NEIGHBOURS, strict=True)
    )
    reach_in = np.minimum(INWARDS_MM / pixel_mm + REACH_SHARE * thin, 0.6 * thin)[:, None, None]
    reach_out = (np.minimum(OUTWARDS_MM / pixel_mm, 0.5 * thin) + REACH_SHARE * thin)[:, None, None]
    allowed = (offsets >= -reach_in) & (offsets <= reach_out)
    lumen = np.where(allowed, grey, np.inf).min(axis=2)
    number = np.arange(len(offsets))
    rise = np.zeros_like(grey)
    rise[..., 1:-1] = grey[..., 2:] - grey[..., :-2]
    near = allowed & (offsets <= LATEST_RISE_MM / pixel_mm)
    steepest = np.where(near, rise, -np.inf).argmax(axis=2)[..., None]
    beyond = allowed & (number >= steepest) & (number <= steepest + round(ECHO_WITHIN_MM / STEP_MM))
    peak_at = np.where(beyond, grey, -np.inf).argmax(axis=2)
    peak = np.take_along_axis(grey, peak_at[..., None], axis=2)[..., 0]
    level = np.maximum(peak - WALL_DROP, lumen + 0.5 * (peak - lumen))
    # the last place below that level before the wall's echo
    below = (grey < level[..., None]) & (number <= peak_at[..., None]) & allowed
    last = np.where(below.any(axis=2), len(offsets) - 1 - below[..., ::-1].argmax(axis=2), 0)
    following = np.minimum(last + 1, len(offsets) - 1)
    low = np.take_along_axis(grey, last[..., None], axis=2)[..., 0]
    high = np.take_along_axis(grey, following[..., None], axis=2)[..., 0]
    share = np.clip((level - low) / np.maximum(high - low, 1e-3), 0.0, 1.0)
    move = (last - inwards + share) * step
    usable = below.any(axis=2) & (peak - lumen >= LEAST_CONTRAST)
    move = np.where(usable, move, 0.0)
    # one ray alone is speckle: the median of three, then a mean over neighbours
    three = np.stack([np.roll(move, 1, axis=1), move, np.roll(move, -1, axis=1)])
    move = np.median(three, axis=0)
    move = sum(
        weight * np.roll(move, shift, axis=1)
        for shift, weight in zip((-1, 0, 1), (0.25, 0.5, 0.25), strict=True)
    )
    return np.asarray(outlines + normal * move[..., None], np.float64)
