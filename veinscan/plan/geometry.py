"""Places and distances on a clip: which region a point is in, mm along and down.

Every mm comes from the region's calibration (PS3.3 C.8.5.5); without one
there is none, and two regions are never measured across.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from veinscan.dicom.model import Region, RegionKind
from veinscan.dicom.skin import depth_origin
from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.plan.model import Calibration, Point
from veinscan.plan.normal import stored_point

PICTURES = (RegionKind.TISSUE, RegionKind.COLOR_FLOW)
"""Regions a target may lie in."""


class ClipLike(Protocol):
    """What is used of a `veinscan.dicom` Clip here."""

    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def sop_instance_uid(self) -> str: ...  # noqa: D102
    @property
    def n_frames(self) -> int: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102
    @property
    def columns(self) -> int: ...  # noqa: D102
    @property
    def regions(self) -> tuple[Region, ...]: ...  # noqa: D102
    @property
    def picture_region(self) -> Region | None: ...  # noqa: D102
    def bmode(self, frame_index: int, /) -> npt.NDArray[np.uint8]: ...  # noqa: D102


def checked_frame(clip: ClipLike, frame_index: int) -> int:
    """The frame index, when the clip has it; raises InvalidInputError when it has not."""
    if not isinstance(frame_index, int | np.integer) or isinstance(frame_index, bool):
        raise InvalidInputError(f"frame {frame_index!r} is not a whole number", where=clip.file)
    if not 0 <= frame_index < clip.n_frames:
        raise InvalidInputError(
            f"frame {frame_index} does not exist; the clip has {clip.n_frames}",
            where=clip.file,
            do=f"pass a frame from 0 to {clip.n_frames - 1}",
        )
    return int(frame_index)


def checked_point(clip: ClipLike, point: Iterable[float]) -> Point:
    """The point as it will be stored, when it lies in a picture of the clip.

    Where the clip has regions the point must be in a tissue or colour-flow
    region; where it has none, in the frame.  Raises InvalidInputError.
    """
    row, col = stored_point(point)
    if clip.regions:
        if region_at(clip, (row, col)) is None:
            boxes = [region.box for region in clip.regions if region.kind in PICTURES]
            where = f"in {' or '.join(map(str, boxes))} (row0, col0, row1, col1)" if boxes else ""
            raise InvalidInputError(
                f"the point {row:g},{col:g} is outside the ultrasound picture",
                where=clip.file,
                do=f"pass row,col {where}" if where else "choose a clip that shows a picture",
            )
    elif not (-0.5 <= row < clip.rows - 0.5 and -0.5 <= col < clip.columns - 0.5):
        raise InvalidInputError(
            f"the point {row:g},{col:g} is outside the frame of {clip.rows} rows and {clip.columns} columns",
            where=clip.file,
            do="pass row,col inside it",
        )
    return row, col


def region_at(clip: ClipLike, point: Point) -> Region | None:
    """The tissue or colour-flow region that holds a point: the clip's picture region before any other."""
    candidates = [clip.picture_region] if clip.picture_region is not None else []
    candidates += [region for region in clip.regions if region.kind in PICTURES]
    for region in candidates:
        if region.contains(*point):
            return region
    return None


def calibration_at(clip: ClipLike, point: Point) -> Calibration | None:
    """The calibration of the region that holds a point; None where there is none to use."""
    region = region_at(clip, point)
    if region is None or region.spacing_mm is None:
        return None
    return Calibration(box=region.box, spacing_mm=region.spacing_mm, skin_row=depth_origin(clip, region)[0])


def distance_mm(clip: ClipLike, a: Iterable[float], b: Iterable[float]) -> float:
    """Millimetres between two points `(row, col)` of one region.

    Raises CalibrationError across regions and without calibration.
    """
    start, end = checked_point(clip, a), checked_point(clip, b)
    region = region_at(clip, start)
    if region is not None and not region.contains(*end):
        raise CalibrationError(
            "the two points lie in different regions of the screen", where=clip.file, do="measure inside one"
        )
    row_mm, col_mm = _calibration(clip, start).spacing_mm
    return math.hypot((end[0] - start[0]) * row_mm, (end[1] - start[1]) * col_mm)


def depth_mm(clip: ClipLike, point: Iterable[float]) -> float:
    """Millimetres from the skin line down to a point `(row, col)`; CalibrationError without calibration."""
    place = checked_point(clip, point)
    calibration = _calibration(clip, place)
    return (place[0] - calibration.skin_row) * calibration.spacing_mm[0]


def _calibration(clip: ClipLike, point: Point) -> Calibration:
    calibration = calibration_at(clip, point)
    if calibration is None:
        raise CalibrationError(
            "there is no calibration in mm here",
            where=clip.file,
            do="enter the value by hand, or calibrate the clip",
        )
    return calibration
