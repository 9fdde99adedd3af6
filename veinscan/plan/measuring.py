"""Measurements with calipers: lengths on a picture or down an M-mode, time and velocity on a strip.

Every value follows from the calibration of the one region that holds its
points (PS3.3 C.8.5.5) or from a person's two clicks on a strip's axes; both
are kept beside it.  Across regions, and without calibration, nothing is
measured and the reason is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from veinscan.errors import CalibrationError, InvalidInputError, RecordError
from veinscan.plan.context import StripCalibration
from veinscan.plan.geometry import (
    PICTURES,
    ClipLike,
    calibration_at,
    checked_frame,
    distance_mm,
    region_at,
)
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Measurement, Point, Reader, Record
from veinscan.plan.normal import is_uid, normalised, now, stored_point
from veinscan.plan.regions import in_one_region, m_mode_at, strip_at
from veinscan.plan.signing import check_editable
from veinscan.plan.values import enum_value, number
from veinscan.plan.vocabulary import MeasurementKind

_LIMIT = {
    MeasurementKind.DISTANCE: "distance_mm",
    MeasurementKind.DEPTH: "depth_mm",
    MeasurementKind.DIAMETER: "diameter_mm",
    MeasurementKind.TIME: "time_s",
    MeasurementKind.VELOCITY: "velocity_cm_s",
}
"""Whose limits in `values.LIMITS` a measurement has."""
ON_PICTURE = (MeasurementKind.DISTANCE, MeasurementKind.DEPTH, MeasurementKind.DIAMETER)
"""Kinds that are measured on a picture or down an M-mode; the others on a strip."""


def measured(
    clip: ClipLike,
    frame_index: int,
    kind: MeasurementKind | str,
    points: Iterable[Iterable[float]],
    reader: Reader,
    *,
    calibrations: Iterable[StripCalibration] = (),
    notes: str = "",
) -> Measurement:
    """A measurement at points `(row, col)` of a frame, whole-frame pixels.

    A velocity takes one point, the others two.  A depth is straight down from
    the row of the first point (the skin) to the second; from one point alone
    it counts from the skin line of the clip.  Down an M-mode strip, whose
    columns are times, every length is that between the two rows.

    Raises
    ------
    CalibrationError
        Across regions, without calibration, or on a region of another sort.
    InvalidInputError
        A point off the picture, another number of points, a value outside `LIMITS`.
    """
    sort = enum_value(MeasurementKind, kind, "kind")
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
    uid = str(clip.sop_instance_uid)
    if not is_uid(uid):
        raise InvalidInputError(f"the clip's UID {uid!r} is not a UID")
    places = tuple(stored_point(point) for point in points)
    clicked = places
    if sort is MeasurementKind.DEPTH and len(places) == 1:
        places = (_skin_above(clip, places[0]), *places)
    wanted = 1 if sort is MeasurementKind.VELOCITY else 2
    if len(places) != wanted:
        raise InvalidInputError(
            f"a {sort} was given {len(places)} point(s)", do=f"pass {wanted}: row and column each"
        )
    scale = _scale(clip, sort, clicked, tuple(calibrations))
    if sort is MeasurementKind.DEPTH or (sort in ON_PICTURE and "strip" in scale):
        places = ((places[0][0], places[1][1]), places[1])
    found = Measurement(
        id=new_uid(),
        kind=sort,
        value=0.0,
        sop_instance_uid=uid,
        frame_index=checked_frame(clip, frame_index),
        point_a=places[0],
        point_b=places[1] if wanted == 2 else None,
        notes=notes,
        set_by=reader.name,
        set_at=now(),
        **scale,
    )
    found = replace(found, value=value_of(found))
    check_measurement(found)
    return found


def value_of(measurement: Measurement) -> float:
    """What follows from the points and the scale that a measurement keeps, in its unit.

    Raises InvalidInputError where a point or the scale is missing.
    """
    a, b, kind = measurement.point_a, measurement.point_b, measurement.kind
    picture, strip = measurement.calibration, measurement.strip
    if kind in ON_PICTURE and picture is not None and b is not None:
        row_mm, col_mm = picture.spacing_mm
        across = 0.0 if kind is MeasurementKind.DEPTH else (b[1] - a[1]) * col_mm
        return math.hypot((b[0] - a[0]) * row_mm, across)
    if kind in ON_PICTURE and strip is not None and strip.depth_step_mm is not None and b is not None:
        return abs(b[0] - a[0]) * strip.depth_step_mm
    if kind is MeasurementKind.TIME and strip is not None and strip.time_step_s is not None and b is not None:
        return abs(b[1] - a[1]) * strip.time_step_s
    if kind is MeasurementKind.VELOCITY and strip is not None:
        step, baseline = strip.velocity_step_cm_s, strip.baseline_row
        if step is not None and baseline is not None:
            return (a[0] - baseline) * step + 0.0
    raise InvalidInputError(f"the {kind} is not whole", do="measure it again")


def check_measurement(measurement: Measurement) -> None:
    """Refuse a value that is not plausible or does not follow from its points; raises InvalidInputError."""
    if not is_uid(measurement.id):
        raise InvalidInputError(f"the id {measurement.id!r} is not a UID", do="let veinscan make it")
    number(_LIMIT[measurement.kind], measurement.value)
    found = value_of(measurement)
    if not math.isclose(found, measurement.value, rel_tol=0.01, abs_tol=0.01):
        raise InvalidInputError(
            f"the {measurement.kind} is {measurement.value:g} {measurement.unit}, {found:g} by its points",
            do="measure it again",
        )


def add_measurement(record: Record, measurement: Measurement) -> Record:
    """The record with a measurement; RecordError where one of its id is there already."""
    check_editable(record)
    check_measurement(measurement)
    if any(one.id == measurement.id for one in record.measurements):
        raise RecordError("this measurement is in the record already", do="make another")
    return normalised(replace(record, measurements=(*record.measurements, measurement)))


def note_measurement(record: Record, measurement_id: str, notes: str) -> Record:
    """The record with a person's words on a measurement; RecordError where there is none of that id."""
    check_editable(record)
    find_measurement(record, measurement_id)
    return replace(
        record,
        measurements=tuple(
            replace(one, notes=notes) if one.id == measurement_id else one for one in record.measurements
        ),
    )


def remove_measurement(record: Record, measurement_id: str) -> Record:
    """The record without a measurement; RecordError where there is none of that id."""
    check_editable(record)
    gone = find_measurement(record, measurement_id)
    return replace(record, measurements=tuple(one for one in record.measurements if one is not gone))


def find_measurement(record: Record, measurement_id: str) -> Measurement:
    """The measurement with an id; RecordError where there is none."""
    for one in record.measurements:
        if one.id == measurement_id:
            return one
    raise RecordError(f"there is no measurement {measurement_id!r}", do="list them to see their ids")


def measurements_of(record: Record, clip: ClipLike | str) -> tuple[Measurement, ...]:
    """The measurements on a clip, in the order in which they were made."""
    uid = clip if isinstance(clip, str) else str(clip.sop_instance_uid)
    return tuple(one for one in record.measurements if one.sop_instance_uid == uid)


def _scale(
    clip: ClipLike,
    kind: MeasurementKind,
    places: tuple[Point, ...],
    calibrations: tuple[StripCalibration, ...],
) -> dict[str, Any]:
    """What the measurement keeps as its scale; raises CalibrationError where it cannot be made."""
    if kind in ON_PICTURE and len(places) > 1 and (m_mode := m_mode_at(clip, places)) is not None:
        m_mode.depth_step()
        return {"strip": m_mode.scale}
    if kind in ON_PICTURE:
        in_one_region(clip, places, PICTURES, "measure time or velocity there, and lengths on the picture")
        distance_mm(clip, places[0], places[-1])
        return {"calibration": calibration_at(clip, places[-1])}
    strip = strip_at(clip, places, calibrations)
    if kind is MeasurementKind.TIME:
        strip.seconds(*places)
    else:
        strip.velocity(places[0])
    return {"strip": strip.scale}


def _skin_above(clip: ClipLike, point: Point) -> Point:
    """Where the skin line is crossed straight above a point of the picture."""
    from veinscan.dicom.skin import depth_origin

    in_one_region(clip, (point,), PICTURES, "measure a depth on the picture")
    region = region_at(clip, point)
    if region is None or region.spacing_mm is None:
        raise CalibrationError(
            "there is no calibration in mm here", where=clip.file, do="calibrate the clip first"
        )
    skin_row, is_skin = depth_origin(clip, region)
    if not is_skin:
        raise CalibrationError(
            "the skin line was not found in this clip", where=clip.file, do="click the skin, then the vein"
        )
    if point[0] <= skin_row:
        raise InvalidInputError(
            "the point lies above the skin line", where=clip.file, do="click below it, or click the skin too"
        )
    # a reference pixel may lie a little above the screen, where an SR has no place (C.18.6.1.2)
    return stored_point((max(skin_row, -0.5), point[1]))
