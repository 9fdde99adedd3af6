"""What the filters and the search accept; everything else is one sentence that says what to pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.errors import InvalidInputError

MAX_ANISOTROPY = 20.0
"""Largest ratio of the sides of a pixel.  Scanners stay below 3; beyond 20 the numbers are a mistake."""

SPACING_LIMITS_MM = (1e-3, 10.0)
"""Sides of a pixel that can belong to an ultrasound picture, in mm."""

DIAMETER_LIMITS_MM = (0.1, 100.0)
"""Sizes that can be searched for, in mm."""

MAX_PIXELS = 1 << 26
"""Largest frame that is filtered: 67 million pixels, eight screens of 4K."""


def checked_array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """The values as an array; raises InvalidInputError where they form none."""
    try:
        return np.asarray(values)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"the {name} form no array: their rows differ in length or kind", do="pass a NumPy array"
        ) from None


def checked_number(value: float, name: str, low: float, high: float, do: str) -> float:
    """A finite number from `low` to `high`; raises InvalidInputError, with `do` as what to do, on another."""
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or not low <= number <= high:
        raise InvalidInputError(f"{name} is {value!r}", do=do)
    return number


def checked_point(point: Sequence[float]) -> tuple[float, float]:
    """`(row, col)`; raises InvalidInputError where it is not two numbers (which need not be finite)."""
    try:
        row, col = (float(value) for value in point)
    except (TypeError, ValueError):
        raise InvalidInputError(f"the point is {point!r}", do="pass (row, col) in pixels") from None
    return row, col


def checked_spacing(spacing_mm: float | Sequence[float]) -> tuple[float, float]:
    """`(row, col)` in mm from one number or a pair.

    Raises
    ------
    InvalidInputError
        When a side is not a positive finite number, or no ultrasound pixel has such sides.
    """
    try:
        if isinstance(spacing_mm, bool):
            raise TypeError
        # one number is a square pixel; a sequence of one is a mistake
        sides: Sequence[Any] = (spacing_mm,) * 2 if np.ndim(spacing_mm) == 0 else tuple(spacing_mm)  # type: ignore[arg-type]
        row, col = (float(side) for side in sides)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"spacing_mm is {spacing_mm!r}", do="pass the side of a pixel in mm, or (row, col)"
        ) from None
    low, high = SPACING_LIMITS_MM
    if not all(math.isfinite(side) and low <= side <= high for side in (row, col)):
        raise InvalidInputError(
            f"spacing_mm is ({row:g}, {col:g})", do=f"pass sides of a pixel between {low:g} and {high:g} mm"
        )
    if max(row, col) / min(row, col) > MAX_ANISOTROPY:
        raise InvalidInputError(
            f"spacing_mm is ({row:g}, {col:g}): one side is more than {MAX_ANISOTROPY:g} times the other",
            do="check that both are in mm",
        )
    return row, col


def checked_diameters(diameters_mm: Sequence[float]) -> tuple[float, float]:
    """`(smallest, largest)` in mm; raises InvalidInputError when reversed, empty or out of limits."""
    try:
        smallest, largest = (float(value) for value in diameters_mm)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"diameters_mm is {diameters_mm!r}", do="pass (smallest, largest) in mm"
        ) from None
    low, high = DIAMETER_LIMITS_MM
    if not (math.isfinite(smallest) and math.isfinite(largest) and low <= smallest and largest <= high):
        raise InvalidInputError(
            f"diameters_mm is ({smallest:g}, {largest:g})", do=f"pass sizes between {low:g} and {high:g} mm"
        )
    if smallest >= largest:
        raise InvalidInputError(
            f"diameters_mm is ({smallest:g}, {largest:g})", do="pass the smaller diameter first"
        )
    return smallest, largest


def checked_image(image: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """(rows, cols) float32 grey levels on the scale 0..255.

    Raises
    ------
    InvalidInputError
        When the image is not two-dimensional, is empty or too large, or holds
        values that are not finite or not between 0 and 255.
    """
    array = checked_array(image, "grey levels of the image")
    if array.ndim == 3 and array.shape[-1] in (3, 4):
        raise InvalidInputError(
            f"the image has shape {array.shape}, which is colour", do="pass its grey picture, clip.bmode(i)"
        )
    if array.ndim != 2 or array.size == 0:
        raise InvalidInputError(f"the image has shape {array.shape}", do="pass one frame (rows, cols)")
    if array.size > MAX_PIXELS:
        raise InvalidInputError(
            f"the image has {array.size} pixels", do=f"pass at most {MAX_PIXELS}: crop it or shrink it"
        )
    if array.dtype == np.uint8:
        return array.astype(np.float32)
    if array.dtype.kind not in "iuf":
        raise InvalidInputError(
            f"the image has values of type {array.dtype}", do="pass grey levels from 0 to 255 as uint8"
        )
    if not np.isfinite(array).all():
        raise InvalidInputError(
            "the image holds NaN or infinity", do="replace them, with 0 where no picture is"
        )
    if array.min() < 0 or array.max() > 255:
        raise InvalidInputError(
            f"the image holds values from {array.min():g} to {array.max():g}",
            do="pass grey levels from 0 to 255",
        )
    return array.astype(np.float32)


def checked_mask(mask: npt.ArrayLike, shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(rows, cols) bool, true where the picture is tissue; raises InvalidInputError on another shape."""
    array = np.asarray(mask)
    if array.shape != shape:
        raise InvalidInputError(
            f"the mask has shape {array.shape} and the image {shape}", do="pass a mask of the image's shape"
        )
    return array.astype(bool)
