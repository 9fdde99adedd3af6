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
    half_height: Array
    """Half the extent along rows of that ellipse."""
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
        half_height=2.0 * np.sqrt(np.maximum(yy, 0.0)),
        angle=0.5 * np.arctan2(2 * xy, xx - yy),
    )


BAND_FROM = 2.2
"""Ratio of the axes from which an outline is a tube seen lengthwise rather than an ellipse."""

CHORDS = np.linspace(-0.3, 0.3, 9)
"""Where a band's width is read, as shares of its length from its middle."""


def band_measures(polygons: Array, shapes: Shapes) -> tuple[Array, Array]:
    """(n,) width across the major axis (median of nine chords) and (n,) length along it."""
    y, x = np.moveaxis(polygons - shapes.centre[:, None, :], 2, 0)
    sine, cosine = np.sin(shapes.angle)[:, None], np.cos(shapes.angle)[:, None]
    along, over = x * cosine + y * sine, y * cosine - x * sine
    along1, over1 = np.roll(along, -1, axis=1), np.roll(over, -1, axis=1)
    low, high = along.min(axis=1), along.max(axis=1)
    at = ((low + high) / 2)[:, None] + (high - low)[:, None] * CHORDS
    crosses = (along[:, :, None] <= at[:, None, :]) != (along1[:, :, None] <= at[:, None, :])
    run = np.where(np.abs(along1 - along) < 1e-9, 1e-9, along1 - along)
    cut = over[:, :, None] + (at[:, None, :] - along[:, :, None]) * ((over1 - over) / run)[:, :, None]
    top = np.where(crosses, cut, -np.inf).max(axis=1)
    bottom = np.where(crosses, cut, np.inf).min(axis=1)
    return np.median(np.where(crosses.any(axis=1), top - bottom, 0.0), axis=1), high - low


def inner_diameters(polygons: Array, shapes: Shapes) -> Array:
    """(n,) inner diameter: the minor axis of an ellipse, the width of a band."""
    width, _ = band_measures(polygons, shapes)
    return np.where(shapes.major >= BAND_FROM * shapes.minor, width, shapes.minor)


def near_wall(polygon: Array) -> float:
    """Row of the wall nearest to the skin of a (k, 2) outline.

    The top of the ellipse with the same moments, which one ragged vertex cannot move; for a
    tube seen lengthwise the upper wall above its middle.
    """
    shape = measure_polygons(polygon[None])
    row, col = shape.centre[0]
    if shape.major[0] < BAND_FROM * shape.minor[0]:
        return float(row - shape.half_height[0])
    y, x = polygon.T
    y1, x1 = np.roll(y, -1), np.roll(x, -1)
    crosses = (x <= col) != (x1 <= col)
    if not crosses.any():
        return float(y.min())
    run = np.where(np.abs(x1 - x) < 1e-9, 1e-9, x1 - x)
    return float((y + (col - x) * (y1 - y) / run)[crosses].min())


def surrounds(polygon: Array, point: Array) -> bool:
    """Whether a `(row, col)` point lies within a (k, 2) polygon (even-odd rule)."""
    y, x = (polygon - point).T
    y1, x1 = np.roll(y, -1), np.roll(x, -1)
    crosses = (y > 0) != (y1 > 0)
    height = np.where(y1 == y, 1.0, y1 - y)
    right = x - y * (x1 - x) / height > 0
    return bool((crosses & right).sum() % 2)


def outside(polygon: Array, point: Array) -> float:
    """Distance of a `(row, col)` point from a (k, 2) polygon, 0 within it."""
    if surrounds(polygon, point):
        return 0.0
    start = polygon - point
    side = np.roll(start, -1, axis=0) - start
    length = np.maximum((side**2).sum(axis=1), 1e-12)
    share = np.clip(-(start * side).sum(axis=1) / length, 0.0, 1.0)
    return float(np.hypot(*(start + share[:, None] * side).T).min())
