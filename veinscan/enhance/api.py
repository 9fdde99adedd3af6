"""`vesselness`: the one door to the filters."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.enhance.checks import checked_diameters, checked_image, checked_mask, checked_spacing
from veinscan.enhance.graphics import burned_in, without_graphics
from veinscan.enhance.grid import analysis_grid
from veinscan.enhance.medial import diameters_between, medialness
from veinscan.enhance.tissue import filled, shadows, tissue_mask
from veinscan.errors import InvalidInputError

Grade = Literal["exact", "live"]
"""How carefully: "live" asks at fewer places with fewer bits, for scrubbing."""

Method = Literal["default", "frangi", "sato", "meijering"]
"""Which filter; the last three are scikit-image's own, for comparison."""

SIGMA_PER_DIAMETER = 1.0 / (2.0 * np.sqrt(2.0))
"""Sigma at which the second derivative across a dark bar of width D answers most strongly, in units of D."""


def vesselness(
    image: npt.ArrayLike,
    spacing_mm: float | Sequence[float],
    diameters_mm: Sequence[float] = (0.5, 8.0),
    *,
    grade: Grade = "exact",
    method: Method = "default",
    mask: npt.ArrayLike | None = None,
) -> npt.NDArray[np.float32]:
    """How much each place looks like the inside of a dark vessel.

    Parameters
    ----------
    image : (rows, cols) array
        Grey levels 0..255, uint8 or numbers on that scale.
    spacing_mm : float or (row, col)
        Sides of a pixel in mm; they may differ.
    diameters_mm : (smallest, largest)
        Inner diameters looked for, in mm.
    grade : "exact" or "live"
        "live" is faster and nearly the same (correlation above 0.995).
    method : "default", "frangi", "sato" or "meijering"
        "default" is symmetric-wall medialness times darkness, an absolute measure: the
        same place gives the same value in whatever frame it lies.  The others are
        scikit-image's filters on the same grid, divided by their largest value in the
        frame because they have no absolute scale.
    mask : (rows, cols) array of bool, optional
        Where the picture is tissue.  By default everything but black areas at the edge.

    Returns
    -------
    (rows, cols) float32, 0..1; 0 off the tissue and in upright shadows that go on to the bottom.
        Text and calipers drawn over tissue are filled from around them first.

    Raises
    ------
    InvalidInputError
        When a value cannot be used; the sentence says what to pass.
    """
    grey = checked_image(image)
    spacing = checked_spacing(spacing_mm)
    sizes = checked_diameters(diameters_mm)
    if grade not in get_args(Grade):
        raise InvalidInputError(f"grade is {grade!r}", do='pass "exact" or "live"')
    if method not in get_args(Method):
        raise InvalidInputError(f"method is {method!r}", do='pass "default", "frangi", "sato" or "meijering"')
    rows, cols = grey.shape
    grid = analysis_grid((rows, cols), spacing, sizes[0])
    grey = _without_strokes(grey)
    small = grid.resample(grey)
    if mask is None:
        inside = tissue_mask(small, grid.pixel_mm)
    else:
        inside = grid.resample(checked_mask(mask, (rows, cols)).astype(np.float32)) >= 0.5
    if not inside.any():
        return np.zeros((rows, cols), np.float32)
    # a pixel of the grid at the rim holds some of the black beside it: left in, it were a dark line
    rim = np.ones((3, 3), np.uint8)
    inside = np.asarray(cv2.erode(inside.astype(np.uint8), rim) > 0, bool)
    shadow = shadows(small, inside, grid.pixel_mm)
    small = filled(small, inside)
    if method == "default":
        response = medialness(small, grid.pixel_mm, sizes, grade=grade)
    else:
        response = _scikit_image(small, method, sizes, grid.pixel_mm)
    response *= inside & ~shadow
    out = grid.restore(np.minimum(response, np.float32(1.0), out=response))
    if grid.shape != grid.grid_shape and not inside.all():
        out[grid.restore(inside.astype(np.float32)) < 0.5] = 0.0
    return out


def _without_strokes(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The picture with burned-in text, calipers and arrows filled from around them."""
    levels = np.rint(grey).astype(np.uint8)
    marks = burned_in(levels)
    if not marks.any():
        return grey
    return np.where(marks, without_graphics(levels, marks).astype(np.float32), grey)


def _scikit_image(
    image: npt.NDArray[np.float32], method: str, sizes: tuple[float, float], pixel_mm: float
) -> npt.NDArray[np.float32]:
    """scikit-image's filter of that name for dark ridges, divided by its largest value."""
    from skimage import filters  # heavy, and only the comparison needs it

    if min(image.shape) < 3 or np.ptp(image) == 0:
        return np.zeros_like(image)
    sigmas = [size * SIGMA_PER_DIAMETER / pixel_mm for size in diameters_between(*sizes)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # flat places divide by zero inside scikit-image
        response = getattr(filters, method)(image / np.float32(255.0), sigmas=sigmas, black_ridges=True)
    response = np.nan_to_num(np.asarray(response, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    top = float(response.max())
    return np.asarray(response / max(top, 1e-12), np.float32)
