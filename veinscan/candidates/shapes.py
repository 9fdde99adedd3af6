"""Areas, centres and axes of polygons, many at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shapes:
    """Measures of n polygons, in the unit of their vertices."""

    area: Array
    centre: Array
    """(n, 2)"""
    minor: Array
    """Minor axis (full length) of the ellipse with the same second moments: exact for an ellipse."""
    major: Array
    angle: Array
    """Direction of the major axis: 0 along columns (lateral), pi/2 along rows (axial), in -pi/2..pi/2."""


def measure_polygons(polygons: Array) -> Shapes:
    """Measures of (n, k, 2) polygons of `(row, col)` vertices, from the exact moments of a polygon."""
    origin = polygons.mean(axis=1, keepdims=True)
    y, x = np.moveaxis(polygons - origin, 2, 0)
    y1, x1 = np.roll(y, -1, axis=1), np.roll(x, -1, axis=1)
    cross = x * y1 - x1 * y
    signed = cross.sum(axis=1) / 2.0
    safe = np.where(np.abs(signed) < 1e-12, 1e-12, signed)
    cx = ((x + x1) * cross).sum(axis=1) / (6 * safe)
    cy = ((y + y1) * cross).sum(axis=1) / (6 * safe)
    xx = ((x * x + x * x1 + x1 * x1) * cross).sum(axis=1) / (12 * safe) - cx**2
    yy = ((y * y + y * y1 + y1 * y1) * cross).sum(axis=1) / (12 * safe) - cy**2
    xy = ((x * y1 + 2 * x * y + 2 * x1 * y1 + x1 * y) * cross).sum(axis=1) / (24 * safe) - cx * cy
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    return Shapes(
        area=np.abs(signed),
        centre=np.stack([cy, cx], axis=-1) + origin[:, 0],
        minor=4.0 * np.sqrt(np.maximum(middle - half, 0.0)),
        major=4.0 * np.sqrt(np.maximum(middle + half, 0.0)),
        angle=0.5 * np.arctan2(2 * xy, xx - yy),
    )
