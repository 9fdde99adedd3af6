"""Less speckle, more contrast, and the mean of registered frames: options before a filter, none by default.

What each does to finding veins was measured (`docs/finding-veins.md`): helps where it says so,
hurts elsewhere, so nothing here is applied unless it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.enhance.checks import checked_image, checked_spacing
from veinscan.errors import InvalidInputError

Map = npt.NDArray[np.float32]

Smoothing = Literal["none", "median", "tv", "clahe"]
"""`median` and `tv` (total variation) take speckle away, `clahe` evens out the contrast."""

MEDIAN_MM = 0.35
"""Side of the median's window: about a speckle grain of 7 to 12 MHz."""

TV_WEIGHT, TV_STEPS = 0.08, 60
"""Weight and steps of scikit-image's total variation (Chambolle) on grey levels of 0..1."""

CLAHE_CLIP, CLAHE_TILE_MM = 2.0, 6.0
"""Limit of the contrast in a tile's histogram, and side of a tile."""

LEAST_PEAK = 0.03
"""Height of the peak of the phase correlation below which a frame shows something else."""

FURTHEST_MM = 2.0
"""Motion beyond which a frame is left out of a mean."""


def smoothed(
    image: npt.ArrayLike, spacing_mm: float | Sequence[float], method: Smoothing
) -> npt.NDArray[np.float32]:
    """A (rows, cols) picture of grey levels 0..255 with less speckle or more contrast, float32 0..255.

    Raises
    ------
    InvalidInputError
        When a value cannot be used; the sentence says what to pass.
    """
    grey = checked_image(image)
    spacing = checked_spacing(spacing_mm)
    if method not in get_args(Smoothing):
        raise InvalidInputError(f"the smoothing is {method!r}", do='pass "none", "median", "tv" or "clahe"')
    if method == "none" or min(grey.shape) < 2:
        return grey
    if method == "tv":
        from skimage.restoration import denoise_tv_chambolle  # heavy, and only this option needs it

        scaled = grey / np.float32(255)
        out = denoise_tv_chambolle(scaled, weight=TV_WEIGHT, max_num_iter=TV_STEPS)  # type: ignore[no-untyped-call]
        return np.asarray(np.clip(out, 0, 1) * 255, np.float32)
    levels = np.rint(grey).astype(np.uint8)
    if method == "median":
        side = 2 * round(MEDIAN_MM / float(np.sqrt(spacing[0] * spacing[1])) / 2) + 1
        return np.asarray(cv2.medianBlur(levels, max(3, min(side, 31))), np.float32)
    tiles = [max(1, round(count * mm / CLAHE_TILE_MM)) for count, mm in zip(grey.shape, spacing, strict=True)]
    return np.asarray(cv2.createCLAHE(CLAHE_CLIP, (tiles[1], tiles[0])).apply(levels), np.float32)


def registered_mean(
    frames: Sequence[npt.ArrayLike], spacing_mm: float | Sequence[float], index: int | None = None
) -> npt.NDArray[np.float32]:
    """The mean of a window of frames, each moved onto frame `index` (the middle one when not given).

    Motion is one shift of the whole picture, by phase correlation under a Hann window.  A frame that
    does not resemble that one, or lies more than 2 mm off, is left out.

    Parameters
    ----------
    frames : sequence of (rows, cols) arrays
        Grey levels 0..255, all of one shape.
    spacing_mm : float or (row, col)
        Sides of a pixel in mm.
    index : int, optional
        The frame that the others are moved onto.

    Returns
    -------
    (rows, cols) float32, 0..255.

    Raises
    ------
    InvalidInputError
        When there is no frame, shapes differ or a value cannot be used.
    """
    grey = [checked_image(frame) for frame in frames]
    spacing = checked_spacing(spacing_mm)
    if not grey or any(one.shape != grey[0].shape for one in grey):
        shapes = sorted({one.shape for one in grey})
        raise InvalidInputError(f"the frames have shapes {shapes}", do="pass frames of one shape")
    middle = len(grey) // 2 if index is None else index
    if not 0 <= middle < len(grey):
        raise InvalidInputError(f"index is {middle}", do=f"pass a number from 0 to {len(grey) - 1}")
    onto = grey[middle]
    rows, cols = onto.shape
    total, weight = onto.astype(np.float64), np.ones((rows, cols))
    if min(rows, cols) < 16 or float(np.ptp(onto)) == 0.0:
        return onto
    window = cv2.createHanningWindow((cols, rows), cv2.CV_32F)
    for place, one in enumerate(grey):
        if place == middle:
            continue
        # OpenCV 5 writes the windowed pictures over what it is given
        (right, down), peak = cv2.phaseCorrelate(onto.copy(), one.copy(), window)
        if peak < LEAST_PEAK or np.hypot(down * spacing[0], right * spacing[1]) > FURTHEST_MM:
            continue
        back = np.array([[1.0, 0.0, right], [0.0, 1.0, down]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        total += cv2.warpAffine(one, back, (cols, rows), flags=flags)
        weight += cv2.warpAffine(np.ones_like(one), back, (cols, rows), flags=flags)
    return np.asarray(np.clip(total / weight, 0, 255), np.float32)
