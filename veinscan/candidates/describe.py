"""What a candidate says of itself beyond 'here is a lumen'."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from veinscan.candidates.compression import compression_of
from veinscan.candidates.course import course_of
from veinscan.candidates.model import Candidate
from veinscan.candidates.survey import Survey
from veinscan.candidates.track import Track
from veinscan.candidates.validated import outside_tested
from veinscan.enhance.grid import AnalysisGrid


def described(
    candidate: Candidate,
    track: Track,
    survey: Survey,
    shorter: npt.NDArray[np.float64],
    grid: AnalysisGrid,
    first_row: int,
    spacing_mm: tuple[float, float],
) -> Candidate:
    """The candidate of a track with course, compartment, compression and what was not tested.

    `shorter` (frames,) is the survey's shortening, `first_row` the first row of the grid that was searched.
    """
    compartment, reason = survey.compartment(track.lumens)
    widths = {frame: lumen.diameter_px * grid.pixel_mm for frame, lumen in track.lumens.items()}
    return replace(
        candidate,
        course=course_of(track.lumens, candidate.best_frame, grid, first_row),
        persistence=round(len(track.lumens) / survey.count, 4),
        compartment=compartment,
        compartment_reason=reason,
        compression=compression_of(widths, shorter),
        not_validated=outside_tested(candidate.diameter_mm, candidate.depth_mm, spacing_mm),
    )
