"""Candidates that a person drew: their measures, and their course through the clip by the same wall fit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np

from veinscan.candidates.measure import measure_within
from veinscan.candidates.model import Candidate, LumenMeasure
from veinscan.candidates.shapes import inner_diameters, measure_polygons, near_wall
from veinscan.dicom.skin import depth_origin
from veinscan.errors import DecodeError, InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom import Clip

DRAWN = "drawn-"
"""How the ids of candidates begin that a person drew."""

SIZE_CHANGE = 1.8
"""Largest ratio of diameters on neighbouring frames that is still the same lumen."""

REACH_MM = 0.6
"""Motion between neighbouring frames that is believed; half the diameter is added, as for the finder's."""

MISSES = 8
"""Frames in a row without a wall (pressed shut, out of plane) after which it is followed no further."""

Progress = Callable[[int, int], None]


def is_drawn(candidate_id: str) -> bool:
    """Whether a person drew the candidate with this id."""
    return candidate_id.startswith(DRAWN)


def measure_outline(
    outline: Iterable[Iterable[float]], spacing_mm: tuple[float, float], skin_row: float
) -> LumenMeasure:
    """Diameter, depth and centre of an outline (k, 2) of `(row, col)` in pixels, as of a fitted one.

    Raises InvalidInputError where it encloses nothing.
    """
    corners = np.array([tuple(point) for point in outline], np.float64).reshape(-1, 2)
    in_mm = (corners * np.asarray(spacing_mm))[None]
    shape = measure_polygons(in_mm)
    if not np.isfinite(corners).all() or shape.area[0] < 1e-3:
        raise InvalidInputError("the outline encloses nothing", do="draw it round the lumen")
    row, col = shape.centre[0] / np.asarray(spacing_mm)
    return LumenMeasure(
        outline=corners.astype(np.float32),
        centre=(float(row), float(col)),
        diameter_mm=round(float(inner_diameters(in_mm, shape)[0]), 3),
        depth_mm=round((near_wall(corners) - skin_row) * spacing_mm[0], 3),
    )


def measure_in_clip(
    clip: Clip,
    frame_index: int,
    point: tuple[float, float],
    *,
    diameters_mm: tuple[float, float] = (0.5, 20.0),
) -> LumenMeasure | None:
    """The lumen around a point `(row, col)` of a frame, in whole-frame pixels; None where there is none.

    Raises
    ------
    InvalidInputError
        Where the clip has no calibrated picture, or the point lies off it.
    DecodeError
        When the frame cannot be decoded.
    """
    region = clip.picture_region
    if region is None or region.spacing_mm is None:
        raise InvalidInputError(
            "the picture is not calibrated in mm", where=clip.file, do="calibrate the clip first"
        )
    if not region.contains(*point):
        raise InvalidInputError("the place lies outside the picture", where=clip.file, do="click in a lumen")
    return measure_within(
        clip.bmode(frame_index),
        region.box,
        point,
        region.spacing_mm,
        depth_origin(clip, region)[0],
        diameters_mm=diameters_mm,
    )


def follow(
    clip: Clip, frame_index: int, drawn: LumenMeasure, *, progress: Progress | None = None
) -> dict[int, LumenMeasure]:
    """A lumen drawn on one frame, found again by the wall fit on the frames before and after it.

    From frame to frame the fit starts where the lumen was, moved as it moved
    before; a wall too far away or of too different a size is not it.  Stops at
    the ends of the clip and where it is lost.

    Parameters
    ----------
    clip : Clip
    frame_index : int
        The frame it was drawn on.
    drawn : LumenMeasure
        What was drawn, in whole-frame pixels.
    progress : callable, optional
        Called as `progress(done, total)`; CancelledError raised in it comes out.

    Returns
    -------
    dict
        Frame index to the lumen there, ascending, the drawn one among them.

    Raises
    ------
    InvalidInputError
        Where the clip has no calibrated picture.
    """
    found = {frame_index: drawn}
    total = max(1, clip.n_frames - 1)
    done = 0
    for step in (1, -1):
        last, speed, misses = drawn, (0.0, 0.0), 0
        frames = range(frame_index + step, clip.n_frames if step > 0 else -1, step)
        for gap_free, index in enumerate(frames):
            if misses > MISSES:
                done += len(frames) - gap_free
                break
            place = last.centre[0] + speed[0], last.centre[1] + speed[1]
            here = _again(clip, index, place, last, misses)
            done += 1
            if progress is not None:
                progress(done, total)
            if here is None:
                misses, speed = misses + 1, (0.0, 0.0)
                continue
            if not misses:
                speed = here.centre[0] - last.centre[0], here.centre[1] - last.centre[1]
            last, misses = here, 0
            found[index] = here
    return dict(sorted(found.items()))


def _again(
    clip: Clip, index: int, place: tuple[float, float], last: LumenMeasure, misses: int
) -> LumenMeasure | None:
    """The lumen near a place of a frame, when it can be the one that was seen last."""
    region = clip.picture_region
    assert region is not None and region.spacing_mm is not None  # noqa: S101  # measure_in_clip says so first
    # from the smallest on: a fit of large lumens alone would be on a coarser grid
    sizes = 0.5, max(1.0, last.diameter_mm * SIZE_CHANGE)
    for start in (place, last.centre):
        if not region.contains(*start):
            continue
        try:
            here = measure_in_clip(clip, index, start, diameters_mm=sizes)
        except DecodeError:
            return None
        if here is None:
            continue
        moved = math.hypot(
            *((a - b) * mm for a, b, mm in zip(here.centre, last.centre, region.spacing_mm, strict=True))
        )
        ratio = here.diameter_mm / max(last.diameter_mm, 1e-6)
        reach = (REACH_MM + 0.5 * last.diameter_mm) * (1 + misses)
        if moved <= reach and 1 / SIZE_CHANGE <= ratio <= SIZE_CHANGE:
            return here
    return None


def drawn_candidate(
    frame_index: int,
    lumens: Mapping[int, LumenMeasure],
    *,
    candidate_id: str = "",
    rank: int = 1,
) -> Candidate:
    """A candidate of what a person drew on `frame_index` and what was found of it on other frames.

    Its score is 0 and it has no evidence: the program did not propose it.
    """
    drawn = lumens[frame_index]
    return Candidate(
        id=candidate_id or f"{DRAWN}{uuid4().hex[:10]}",
        frame_indices=tuple(sorted(lumens)),
        best_frame=frame_index,
        outlines={index: lumen.outline for index, lumen in sorted(lumens.items())},
        centres={index: lumen.centre for index, lumen in sorted(lumens.items())},
        diameter_mm=drawn.diameter_mm,
        depth_mm=drawn.depth_mm,
        score=0.0,
        rank=rank,
    )
