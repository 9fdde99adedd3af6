"""Scales of colour bars that a reader gave, kept in the record with who gave them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from veinscan.errors import CalibrationError, InvalidInputError
from veinscan.plan.clips import ClipLike
from veinscan.plan.context import ColourScale
from veinscan.plan.model import Reader, Record
from veinscan.plan.normal import is_uid, now, stored_number
from veinscan.plan.signing import check_editable

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.dicom.model import Box

UNITS = {"cm/s": 400.0, "kHz": 50.0}
"""Units of a scale, and the greatest value in each that is believed: no scanner shows more."""


def set_colour_scale(
    record: Record,
    clip: Clip,
    reader: Reader,
    *,
    top: float,
    bottom: float,
    unit: str = "cm/s",
    box: Box | None = None,
    frame_index: int = 0,
) -> Record:
    """The record with the values at both ends of a clip's colour bar; a later one replaces it.

    Parameters
    ----------
    top, bottom : float
        Values at the bar's upper and lower end, in `unit`; towards the probe is positive.
    box : (row0, col0, row1, col1), optional
        Where the bar is; it is looked for by default.
    frame_index : int
        Frame in which it is looked for.

    Raises
    ------
    CalibrationError
        No colour bar was found, or it shows power, which has no direction.
    InvalidInputError
        The values make no scale, or the reader has no name.
    """
    check_editable(record)
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
    uid = _uid(clip)
    check_ends(top, bottom, unit)
    one = ColourScale(
        sop_instance_uid=uid,
        box=bar_box(clip, box, frame_index),
        top=stored_number(float(top), "top"),
        bottom=stored_number(float(bottom), "bottom"),
        unit=unit,
        set_by=reader.name,
        set_at=now(),
    )
    others = tuple(other for other in record.colour_scales if other.sop_instance_uid != uid)
    return replace(record, colour_scales=(*others, one))


def check_ends(top: float, bottom: float, unit: str) -> None:
    """Raise InvalidInputError where two values at the ends of a bar make no scale."""
    if unit not in UNITS:
        raise InvalidInputError(f"the unit '{unit}' is not known", where="colour scale", do="use cm/s or kHz")
    most = UNITS[unit]
    if not (math.isfinite(top) and math.isfinite(bottom)) or max(abs(top), abs(bottom)) > most:
        raise InvalidInputError(
            f"{top:g} and {bottom:g} {unit} at the ends of the bar",
            where="colour scale",
            do=f"give two numbers of at most {most:g} {unit}; m/s are 100 cm/s",
        )
    if top == bottom or top * bottom > 0:
        raise InvalidInputError(
            f"a bar from {top:g} to {bottom:g} {unit} has no zero",
            where="colour scale",
            do="give the end that stands for flow away from the probe its minus",
        )


def bar_box(clip: Clip, box: Box | None = None, frame_index: int = 0) -> Box:
    """Where the colour bar of a clip is, or CalibrationError where there is none with two directions."""
    from veinscan.doppler.colour_bar import bar_of

    bar = bar_of(clip, frame_index, box=box)
    if bar is None:
        raise CalibrationError(
            "no colour bar was found" if box is None else f"there is no colour bar in {box}",
            where=clip.file,
            do="choose a frame with colour, or say where the bar is (find --colour-bar)",
        )
    if bar.kind == "power":
        raise CalibrationError("power Doppler shows no velocity and no direction", where=clip.file)
    row0, col0, row1, col1 = (int(edge) for edge in bar.box)
    return row0, col0, row1, col1


def remove_colour_scale(record: Record, clip: ClipLike | str) -> Record:
    """The record without the colour scale of a clip."""
    check_editable(record)
    uid = _uid(clip)
    return replace(
        record, colour_scales=tuple(one for one in record.colour_scales if one.sop_instance_uid != uid)
    )


def colour_scale_of(record: Record, clip: ClipLike | str) -> ColourScale | None:
    """The scale that a reader gave a clip's colour bar; None where nobody did."""
    uid = _uid(clip)
    return next((one for one in record.colour_scales if one.sop_instance_uid == uid), None)


def _uid(clip: ClipLike | str) -> str:
    uid = clip if isinstance(clip, str) else str(clip.sop_instance_uid)
    if not is_uid(uid):
        raise InvalidInputError(f"the clip's UID {uid!r} is not a UID")
    return uid
