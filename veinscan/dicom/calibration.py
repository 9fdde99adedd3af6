"""Calibration by hand: a known distance on the picture, set by a named person.

It stands in for what the file does not say (PS3.3 C.8.5.5) and is told apart
from it everywhere: `Region.source` is 'manual'.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from veinscan.dicom.model import Box, Region, RegionKind, SpacingMm
from veinscan.dicom.regions import MAX_DEPTH_MM, MIN_DEPTH_MM
from veinscan.errors import CalibrationError, InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom.depth_scale import ProposedCalibration

LEAST_DISTANCE_PX = 10.0
"""Points nearer to each other would make a pixel's size a matter of luck."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualCalibration:
    """What a person set: everything needed to apply it again and to say where it came from."""

    sop_instance_uid: str
    """The clip."""
    box: Box
    """The picture it holds for, half-open `(row0, col0, row1, col1)`."""
    spacing_mm: SpacingMm
    """Size of a pixel `(row, col)`."""
    set_by: str
    """Reader's name."""
    set_at: str
    """ISO 8601 with time zone."""
    points: tuple[Point, Point] | None = None
    """The two points `(row, col)` that were measured between; None where a spacing was given."""
    known_mm: float | None = None
    """The known distance of the two points."""
    from_proposal: bool = False
    """Whether the proposal from burned-in ticks was taken."""

    @property
    def sentence(self) -> str:
        """How it came about, in one sentence without names."""
        if self.points is not None and self.known_mm is not None:
            how = f"by hand: two points {self.known_mm:g} mm apart"
        else:
            how = "from the burned-in ticks, taken by a reader" if self.from_proposal else "by hand"
        return f"calibrated {how} (a pixel is {self.spacing_mm[0]:.4g} x {self.spacing_mm[1]:.4g} mm)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualColourScale:
    """The scale of a colour bar as a person read it off the screen."""

    sop_instance_uid: str
    """The clip."""
    box: Box
    """The bar, half-open `(row0, col0, row1, col1)`."""
    top: float
    """Value at its upper end; towards the probe is positive."""
    bottom: float
    unit: str = "cm/s"
    """'cm/s' or 'kHz'."""
    set_by: str = ""

    @property
    def sentence(self) -> str:
        """What was given, in one sentence without names."""
        return f"colour scale given by a reader: {self.top:g} to {self.bottom:g} {self.unit}"


def check_colour_scale(scale: ManualColourScale, clip: Calibratable) -> None:
    """Raise InvalidInputError where a scale is of another clip or cannot hold for this one."""
    if scale.sop_instance_uid != clip.sop_instance_uid:
        raise InvalidInputError("the colour scale belongs to another clip", where=clip.file)
    row0, col0, row1, col1 = scale.box
    if not (0 <= row0 < row1 <= clip.rows and 0 <= col0 < col1 <= clip.columns):
        raise InvalidInputError(f"the colour bar's box {scale.box} is not in the picture", where=clip.file)


class Calibratable(Protocol):
    """What is used of a clip here."""

    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def sop_instance_uid(self) -> str: ...  # noqa: D102
    @property
    def rows(self) -> int: ...  # noqa: D102
    @property
    def columns(self) -> int: ...  # noqa: D102
    @property
    def regions(self) -> tuple[Region, ...]: ...  # noqa: D102
    @property
    def found_regions(self) -> tuple[Region, ...]: ...  # noqa: D102
    @property
    def picture_region(self) -> Region | None: ...  # noqa: D102
    @property
    def whole(self) -> Region: ...  # noqa: D102
    @property
    def proposed_calibration(self) -> ProposedCalibration | None: ...  # noqa: D102


def manual_calibration(
    clip: Calibratable,
    *,
    by: str,
    points: Sequence[Iterable[float]] | None,
    known_mm: float | None,
    spacing_mm: Sequence[float] | None,
    take_proposal: bool,
) -> ManualCalibration:
    """What a person sets on a clip now; parameters and errors as `Clip.calibrated`."""
    ways = (points is not None, spacing_mm is not None, take_proposal)
    if sum(ways) != 1 or (known_mm is not None) != ways[0] or not by.strip():
        raise InvalidInputError(
            "a calibration needs two points and known_mm, or a spacing, or the proposal, and who sets it",
            where=clip.file,
        )
    pair: tuple[Point, Point] | None = None
    if points is not None and known_mm is not None:
        if len(points) != 2:
            raise InvalidInputError(f"{len(points)} points were given", where=clip.file, do="pass two")
        spacing: Sequence[float] = spacing_of_points(points[0], points[1], known_mm)
        pair = (_point(points[0]), _point(points[1]))
        pictures = [r for r in clip.regions if r.is_picture] or [
            r for r in clip.found_regions if r.is_picture
        ]
        region = picture_for(pictures or [clip.whole], pair, where=clip.file)
    else:
        region = clip.picture_region or clip.whole
        spacing = spacing_mm if spacing_mm is not None else _proposed(clip)
    return ManualCalibration(
        sop_instance_uid=clip.sop_instance_uid,
        box=region.box,
        spacing_mm=checked_spacing(spacing, region.box, where=clip.file),
        set_by=by.strip(),
        set_at=datetime.now().astimezone().isoformat(timespec="seconds"),
        points=pair,
        known_mm=None if known_mm is None else float(known_mm),
        from_proposal=take_proposal,
    )


def _proposed(clip: Calibratable) -> SpacingMm:
    proposal = clip.proposed_calibration
    if proposal is None:
        raise CalibrationError(
            "no depth scale was found that a calibration could be taken from", where=clip.file
        )
    return proposal.spacing_mm


def check_calibration(calibration: ManualCalibration, clip: Calibratable) -> None:
    """Raise InvalidInputError where a calibration is of another clip or cannot hold for this one."""
    if calibration.sop_instance_uid != clip.sop_instance_uid:
        raise InvalidInputError("the calibration belongs to another clip", where=clip.file)
    row0, col0, row1, col1 = calibration.box
    if not (0 <= row0 < row1 <= clip.rows and 0 <= col0 < col1 <= clip.columns):
        raise InvalidInputError(
            f"the calibration's box {calibration.box} is not in the picture", where=clip.file
        )
    checked_spacing(calibration.spacing_mm, calibration.box, where=clip.file)


def spacing_of_points(a: Iterable[float], b: Iterable[float], known_mm: float) -> SpacingMm:
    """Size of a square pixel in mm when `a` and `b`, `(row, col)`, are `known_mm` apart.

    Raises InvalidInputError where the points or the distance make no sense.
    """
    (row_a, col_a), (row_b, col_b) = _point(a), _point(b)
    if not (isinstance(known_mm, int | float) and math.isfinite(known_mm) and known_mm > 0):
        raise InvalidInputError(f"a known distance of {known_mm!r} mm", do="pass millimetres above 0")
    pixels = math.hypot(row_a - row_b, col_a - col_b)
    if pixels < LEAST_DISTANCE_PX:
        raise InvalidInputError(
            f"the two points are {pixels:.1f} pixels apart",
            do=f"choose points at least {LEAST_DISTANCE_PX:g} pixels apart, as far as the scale allows",
        )
    return known_mm / pixels, known_mm / pixels


def _point(value: Iterable[float]) -> Point:
    try:
        row, col = (float(v) for v in value)
    except (TypeError, ValueError) as problem:
        raise InvalidInputError("a point is not a pair of numbers", do="pass (row, col)") from problem
    if not (math.isfinite(row) and math.isfinite(col)):
        raise InvalidInputError(f"a point at {row:g},{col:g}", do="pass (row, col) in pixels")
    return row, col


def checked_spacing(spacing_mm: Sequence[float], box: Box, *, where: str) -> SpacingMm:
    """A spacing that makes the picture of a believable size; raises InvalidInputError otherwise."""
    try:
        row, col = (float(v) for v in spacing_mm)
    except (TypeError, ValueError) as problem:
        raise InvalidInputError(
            f"a pixel size of {spacing_mm!r}", where=where, do="pass (row, col) in mm"
        ) from problem
    if not (math.isfinite(row) and math.isfinite(col) and row > 0 and col > 0):
        raise InvalidInputError(f"a pixel of {row:g} x {col:g} mm", where=where, do="pass mm above 0")
    deep, wide = row * (box[2] - box[0]), col * (box[3] - box[1])
    if not (MIN_DEPTH_MM <= deep <= MAX_DEPTH_MM and MIN_DEPTH_MM <= wide <= 2 * MAX_DEPTH_MM):
        raise InvalidInputError(
            f"the picture would be {deep:.3g} mm deep and {wide:.3g} mm wide",
            where=where,
            do="check the two points and the distance in mm",
        )
    return row, col


def picture_for(regions: Sequence[Region], points: Sequence[Point], *, where: str) -> Region:
    """The picture that points lie in; CalibrationError where they do not lie in one."""
    pictures = [r for r in regions if r.is_picture]
    if not pictures:
        raise CalibrationError("the clip shows no picture to calibrate", where=where)
    holding = [r for r in pictures if all(r.contains(*p) for p in points)]
    if holding:
        return holding[0]
    # The scale's ticks stand beside the picture: two points off it are taken for the one picture there is.
    outside = not any(r.contains(*p) for r in pictures for p in points)
    if len(pictures) == 1 or outside:
        if len(pictures) == 1:
            return pictures[0]
        middle = sum(p[1] for p in points) / len(points)
        return min(pictures, key=lambda r: abs((r.box[1] + r.box[3]) / 2 - middle))
    raise CalibrationError(
        "the two points lie in different pictures", where=where, do="take both in one, or on its scale"
    )


def applied(regions: Sequence[Region], calibrations: Sequence[ManualCalibration]) -> tuple[Region, ...]:
    """Regions with manual calibrations put in; a box that no region has becomes a region of its own."""
    out = list(regions)
    for calibration in calibrations:
        for i, region in enumerate(out):
            if region.is_picture and region.box == calibration.box:
                out[i] = _calibrated(region, calibration)
                break
        else:
            out.append(_calibrated(Region(kind=RegionKind.TISSUE, box=calibration.box), calibration))
    return tuple(out)


def _calibrated(region: Region, calibration: ManualCalibration) -> Region:
    return replace(
        region,
        spacing_mm=calibration.spacing_mm,
        proposed_spacing_mm=None,
        units=("mm", "mm"),
        deltas=calibration.spacing_mm,
        source="manual",
        warnings=(*region.warnings, calibration.sentence),
    )
