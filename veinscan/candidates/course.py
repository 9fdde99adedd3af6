"""A vein's course from what was followed: along the picture, or through the frames of a sweep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from veinscan.candidates.detect import Lumen
from veinscan.candidates.model import Course
from veinscan.enhance.grid import AnalysisGrid

Array = npt.NDArray[np.float64]

LEAST_FRAMES = 5
"""Frames on which a cross-section must be seen to make a course through a sweep."""

CALM_FRAMES = 1.5
"""Sigma in frames by which a course through a sweep is smoothed."""


def course_of(
    lumens: Mapping[int, Lumen], best_frame: int, grid: AnalysisGrid, first_row: int
) -> Course | None:
    """The course of a track in the pixels of the frames; `first_row` of the grid was the first searched."""
    offset = np.array([first_row, 0.0])
    tube = lumens[best_frame].tube
    if tube is not None:
        points = grid.to_frame(tube.axis + offset)
        length = tube.length_px * grid.pixel_mm
        straight = float(np.hypot(*(tube.axis[-1] - tube.axis[0]))) * grid.pixel_mm
        return Course(
            view="longitudinal",
            frame_indices=(best_frame,),
            points=points.astype(np.float32),
            diameters_mm=(tube.widths * grid.pixel_mm).astype(np.float32),
            length_mm=round(length, 3),
            tortuosity=round(max(length / max(straight, 1e-6), 1.0), 4),
        )
    frames = [frame for frame, lumen in lumens.items() if lumen.tube is None]
    if len(frames) < LEAST_FRAMES:
        return None
    at = np.array(frames, np.float64)
    values = np.array([(*lumens[frame].centre, lumens[frame].diameter_px) for frame in frames])
    weights = np.exp(-0.5 * ((at[:, None] - at) / CALM_FRAMES) ** 2)
    calm = weights @ values / weights.sum(axis=1, keepdims=True)
    return Course(
        view="sweep",
        frame_indices=tuple(frames),
        points=grid.to_frame(calm[:, :2] + offset).astype(np.float32),
        diameters_mm=(calm[:, 2] * grid.pixel_mm).astype(np.float32),
    )
