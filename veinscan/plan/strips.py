"""Calibrations of spectral strips by two clicks, kept in the record with who set them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from veinscan.doppler.by_hand import calibrate_strip
from veinscan.errors import InvalidInputError
from veinscan.plan.clips import ClipLike
from veinscan.plan.context import StripCalibration
from veinscan.plan.model import Reader, Record
from veinscan.plan.normal import is_uid, now, stored_number, stored_point
from veinscan.plan.signing import check_editable

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.doppler import StripAxes


def set_strip_calibration(
    record: Record,
    clip: Clip,
    reader: Reader,
    *,
    box: tuple[int, int, int, int],
    point_a: tuple[float, float],
    value_a: float,
    time_a_s: float,
    point_b: tuple[float, float],
    value_b: float,
    time_b_s: float,
    unit: str = "cm/s",
    wrap_column: int | None = None,
) -> Record:
    """The record with two clicks on the axes of a strip of a clip; a later one of the same box replaces it.

    `box` half-open `(row0, col0, row1, col1)`, points `(row, col)` in
    whole-frame pixels, values in `unit` as the burned-in axis says, towards
    the probe positive; times may count from anywhere.

    Raises
    ------
    CalibrationError
        The clicks make no axis.
    InvalidInputError
        The reader has no name, or the clip no UID.
    """
    check_editable(record)
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
    uid = _uid(clip)
    row0, col0, row1, col1 = (int(edge) for edge in box)
    if row0 < 0 or col0 < 0:
        raise InvalidInputError(f"the box {box} begins outside the picture", do="draw it on the picture")
    one = StripCalibration(
        sop_instance_uid=uid,
        box=(row0, col0, row1, col1),
        point_a=_point(point_a),
        point_b=_point(point_b),
        value_a=stored_number(float(value_a), "value_a"),
        value_b=stored_number(float(value_b), "value_b"),
        time_a_s=stored_number(float(time_a_s), "time_a_s"),
        time_b_s=stored_number(float(time_b_s), "time_b_s"),
        unit=unit,
        wrap_column=None if wrap_column is None else int(wrap_column),
        set_by=reader.name,
        set_at=now(),
    )
    axes_of(clip, one)  # what makes no axis is not kept
    others = tuple(
        other for other in record.strip_calibrations if (other.sop_instance_uid, other.box) != (uid, one.box)
    )
    return replace(record, strip_calibrations=(*others, one))


def remove_strip_calibrations(record: Record, clip: ClipLike | str) -> Record:
    """The record without the two-click calibrations of a clip's strips."""
    check_editable(record)
    uid = _uid(clip)
    kept = tuple(one for one in record.strip_calibrations if one.sop_instance_uid != uid)
    return replace(record, strip_calibrations=kept)


def strip_calibrations_of(record: Record, clip: ClipLike | str) -> tuple[StripCalibration, ...]:
    """The two-click calibrations of a clip, one for each strip."""
    uid = _uid(clip)
    return tuple(one for one in record.strip_calibrations if one.sop_instance_uid == uid)


def axes_of(clip: Clip, calibration: StripCalibration) -> StripAxes:
    """The axes that a kept calibration gives, for `strip_of(clip, axes=..., wrap_column=...)`.

    Raises as `calibrate_strip`.
    """
    return calibrate_strip(
        clip,
        calibration.box,
        calibration.point_a,
        (calibration.value_a, calibration.time_a_s),
        calibration.point_b,
        (calibration.value_b, calibration.time_b_s),
        unit=calibration.unit,
    )


def _point(point: tuple[float, float]) -> tuple[float, float]:
    if not all(math.isfinite(value) for value in point):
        raise InvalidInputError(f"the point {point} is not finite", do="click again")
    return stored_point(point)


def _uid(clip: ClipLike | str) -> str:
    uid = clip if isinstance(clip, str) else str(clip.sop_instance_uid)
    if not is_uid(uid):
        raise InvalidInputError(f"the clip's UID {uid!r} is not a UID")
    return uid
