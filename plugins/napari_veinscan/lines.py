"""Outlines and crosses as the pieces of lines that napari's vectors layer draws; pure geometry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from veinscan.plan.model import Point

Segments = npt.NDArray[np.float32]
"""(n, 2, 3) float32: start `(frame, row, col)` and step of each piece of a line."""

NO_SEGMENTS: Segments = np.zeros((0, 2, 3), dtype=np.float32)

DASHES = 10
"""Dashes round an outline, whatever its size."""


def line_segments(
    corners: npt.ArrayLike, frame: int, dash: tuple[int, int], *, closed: bool = True
) -> Segments:
    """A polygon of `(row, col)` corners as a full or dashed line on one frame.

    `dash` is (drawn, skipped) pieces in turn; (1, 0) is a full line.
    """
    points = np.asarray(corners, dtype=np.float32).reshape(-1, 2)
    if len(points) < 2:
        return NO_SEGMENTS
    ends = np.roll(points, -1, axis=0) if closed else points[1:]
    starts = points if closed else points[:-1]
    drawn, skipped = dash
    if skipped:
        # cut into pieces of equal length, so that the dashes look alike all round
        starts, ends = _cut(starts, ends, DASHES * (drawn + skipped))
        keep = np.arange(len(starts)) % (drawn + skipped) < drawn
        starts, ends = starts[keep], ends[keep]
    segments = np.zeros((len(starts), 2, 3), dtype=np.float32)
    segments[:, 0, 0] = frame
    segments[:, 0, 1:] = starts
    segments[:, 1, 1:] = ends - starts
    return segments


def _cut(
    starts: npt.NDArray[np.float32], ends: npt.NDArray[np.float32], pieces: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The same line in `pieces` parts of equal length."""
    path = np.concatenate([starts, ends[-1:]])
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*(ends - starts).T))])
    wanted = np.linspace(0.0, at[-1], pieces + 1)
    cut = np.stack([np.interp(wanted, at, path[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
    return cut[:-1], cut[1:]


def cross(point: Point, frame: int, arm: float) -> Segments:
    """An upright cross of `arm` pixels at a point."""
    row, col = point
    down = line_segments([(row - arm, col), (row + arm, col)], frame, (1, 0), closed=False)
    across = line_segments([(row, col - arm), (row, col + arm)], frame, (1, 0), closed=False)
    return np.concatenate([down, across])


def beside(outline: npt.ArrayLike, clear: float) -> tuple[float, float]:
    """`(row, col)` at the upper right of an outline, `clear` pixels off: a number must not hide the lumen."""
    corners = np.asarray(outline, dtype=float)
    (top, _), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    return float(top + 0.15 * (bottom - top)), float(right + clear)
