"""The analysis grid: isotropic pixels of a size in mm, so that every filter works in mm."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

GRID_MM = 0.125
"""Side of a pixel of the analysis grid.  Finer pixels cost time and show speckle, not vessels."""


@dataclass(frozen=True, slots=True)
class AnalysisGrid:
    """Maps between a frame's pixels and an isotropic grid; points are `(row, col)` of pixel centres."""

    shape: tuple[int, int]
    """`(rows, cols)` of the frame."""
    grid_shape: tuple[int, int]
    pixel_mm: float
    """Side of a pixel of the grid."""

    @property
    def steps(self) -> tuple[float, float]:
        """Frame pixels per pixel of the grid, `(row, col)`."""
        return self.shape[0] / self.grid_shape[0], self.shape[1] / self.grid_shape[1]

    def resample(self, image: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The (rows, cols) frame on the grid: area means where it shrinks, linear where it grows."""
        if self.shape == self.grid_shape:
            return image
        size = self.grid_shape[1], self.grid_shape[0]
        shrinks = min(self.steps) >= 1.0
        out = cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return np.asarray(out, np.float32)

    def restore(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """A map on the grid, linearly interpolated to the frame's pixels."""
        if self.shape == self.grid_shape:
            return values
        out = cv2.resize(values, (self.shape[1], self.shape[0]), interpolation=cv2.INTER_LINEAR)
        return np.asarray(out, np.float32)

    def to_frame(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """(..., 2) grid points in frame pixels."""
        steps = np.asarray(self.steps)
        return np.asarray((np.asarray(points, np.float64) + 0.5) * steps - 0.5, np.float64)

    def to_grid(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """(..., 2) frame points in grid pixels."""
        steps = np.asarray(self.steps)
        return np.asarray((np.asarray(points, np.float64) + 0.5) / steps - 0.5, np.float64)


def analysis_grid(
    shape: tuple[int, int], spacing_mm: tuple[float, float], smallest_mm: float = 0.5
) -> AnalysisGrid:
    """The grid for a frame: at most as fine as its finer side, and 0.125 mm where the frame is finer.

    A smallest diameter below 0.5 mm asks for a finer grid: at least four pixels across.
    """
    pixel_mm = max(min(spacing_mm), min(GRID_MM, smallest_mm / 4.0))
    rows, cols = (
        max(1, round(count * side / pixel_mm)) for count, side in zip(shape, spacing_mm, strict=True)
    )
    return AnalysisGrid(shape, (rows, cols), pixel_mm)
