"""The form in which a record is kept: every value exactly as the file will give it back.

A DICOM SR holds coordinates as float32 counted from the corner of the top
left pixel (PS3.3 C.18.6.1.2), times to whole seconds here, and numbers that
are finite.  `normalised` brings a record into that form or refuses it, so
that what is on the screen, what is saved and what is read back are equal.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from weakref import WeakValueDictionary

import numpy as np

from veinscan.errors import InvalidInputError
from veinscan.plan.model import (
    CandidateReview,
    Decision,
    InjectionTarget,
    OutlineOnFrame,
    Point,
    Record,
    RejectReason,
)
from veinscan.plan.places import BaselinePlace, Calibration, ImagePlace
from veinscan.plan.vocabulary import Level

Mark = TypeVar("Mark", InjectionTarget, CandidateReview)
_UID = re.compile(r"[0-9]+(\.[0-9]+)+")
_MAX_PIXEL = float(2**16)
"""Rows and Columns are 16 bit numbers (PS3.3 C.7.6.3.1)."""


def is_uid(text: object) -> bool:
    """Whether a text is a UID: numbers and dots, at most 64 characters (PS3.5 section 9.1).

    Leading zeros break that rule, but studies have them, and a record refers
    to a study as the scanner wrote it.
    """
    return isinstance(text, str) and len(text) <= 64 and _UID.fullmatch(text) is not None


def stored_point(point: Iterable[float]) -> Point:
    """The nearest `(row, col)` that survives the way through SR GraphicData unchanged.

    GraphicData is float32 and counts from the corner, half a pixel away: a
    value is kept to the precision of `value + 0.5`, which is 1/32768 pixel
    or finer on any screen up to 256 pixels and 1/2048 up to 4096.

    Raises InvalidInputError for anything but two finite numbers of a picture's size.
    """
    try:
        row, col = (float(value) for value in point)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{point!r} is not a point", do="pass row and column, two numbers") from None
    return stored_coordinate(row), stored_coordinate(col)


def stored_coordinate(value: float) -> float:
    """One coordinate of `stored_point`."""
    if not math.isfinite(value) or abs(value) > _MAX_PIXEL:
        raise InvalidInputError(f"{value!r} is not a place in a picture", do="pass row and column in pixels")
    # Twice through float32: once for values near zero, once for the shift by half a pixel.
    shifted = np.float32(float(np.float32(value)) + 0.5)
    return float(np.float32(float(shifted) - 0.5)) + 0.0


def stored_outline(points: Iterable[Iterable[float]]) -> tuple[Point, ...]:
    """`stored_point` of every vertex; no vertices where there is no outline."""
    given = [tuple(point) for point in points]
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.shape != (len(given), 2) or not (np.abs(values) <= _MAX_PIXEL).all():
        return tuple(stored_point(point) for point in given)  # names the one that is wrong
    shifted = (values.astype(np.float32).astype(np.float64) + 0.5).astype(np.float32)
    stored = (shifted.astype(np.float64) - 0.5).astype(np.float32).astype(np.float64) + 0.0
    return tuple((row, col) for row, col in stored.tolist())


def stored_time(moment: datetime) -> datetime:
    """The same moment in whole seconds, with a zone; a time without one is taken as local time."""
    if moment.tzinfo is None:
        moment = moment.astimezone()
    offset = moment.utcoffset() or timedelta()
    # DICOM's DT knows zones from -12 to +14 hours in whole minutes (PS3.5 table 6.2-1)
    if offset % timedelta(minutes=1) or not timedelta(hours=-12) <= offset <= timedelta(hours=14):
        moment = moment.astimezone(UTC)
    return moment.replace(microsecond=0)


def now() -> datetime:
    """The present moment in whole seconds with the zone of this machine."""
    return stored_time(datetime.now().astimezone())


def stored_number(value: float, name: str) -> float:
    """A finite float; raises InvalidInputError for the rest (`name` goes into the message)."""
    number = float(value)
    if not math.isfinite(number):
        raise InvalidInputError(f"{name} is {number}", do="pass a finite number, or leave it empty")
    return number + 0.0


def optional_number(value: float | None, name: str) -> float | None:
    """`stored_number`, or None for None."""
    return None if value is None else stored_number(value, name)


def normalised(record: Record) -> Record:
    """The record in the form a file gives back; equal to the argument when it was in it already.

    Targets are ordered 1..n, points and times rounded as they are stored,
    a source without its number dropped, a reason without a rejection dropped,
    a conflict told once.

    Raises InvalidInputError for what no record may hold: a target without a
    UID, a frame below 0, numbers that are not finite.
    """
    if not is_uid(record.reading.id):
        raise InvalidInputError(f"the reading's id {record.reading.id!r} is not a UID")
    targets = tuple(_normal_target(target, order) for order, target in enumerate(record.targets, start=1))
    ids = [target.id for target in targets]
    if len(set(ids)) != len(ids):
        raise InvalidInputError("two targets have the same id", do="give each target its own UID")
    reviews: dict[tuple[str, str], CandidateReview] = {}
    for review in record.reviews:
        reviews[review.sop_instance_uid, review.candidate_id] = _normal_review(review)
    parts: dict[str, Any] = {
        part: tuple(_normal(member) for member in getattr(record, part)) for part in _KEYS
    }
    for part, key in _KEYS.items():
        keys = [key(member) for member in parts[part]]
        if len(set(keys)) != len(keys):
            raise InvalidInputError(f"two {part.replace('_', '-')} are of the same id", do="keep one of them")
    return replace(
        record,
        targets=targets,
        reviews=tuple(reviews.values()),
        status=_normal(record.status),
        conflicts=tuple(dict.fromkeys(record.conflicts)),
        **parts,
    )


_KEYS: dict[str, Callable[[Any], Any]] = {
    "contexts": lambda one: one.sop_instance_uid,
    "searches": lambda one: one.sop_instance_uid,
    "calibrations": lambda one: (one.sop_instance_uid, one.box),
    "strip_calibrations": lambda one: (one.sop_instance_uid, one.box),
    "colour_scales": lambda one: one.sop_instance_uid,
    "measurements": lambda one: one.id,
    "sessions": lambda one: one.id,
    "follow_ups": lambda one: one.id,
    "acknowledgements": lambda one: (one.rule, one.subject, one.sentence),
}
_POINTS = ("skin_entry", "point", "point_a", "point_b")


def _normal(value: Any, name: str = "") -> Any:
    """A value of the model as it is kept: finite numbers, whole seconds with a zone, true UIDs."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for field in fields(value):
            old = getattr(value, field.name)
            if field.name == "outline":
                continue  # hundreds of vertices: its owner's own rule (`stored_outline`)
            new = _normal(old, field.name)
            if new is not old:
                changed[field.name] = new
        if isinstance(value, ImagePlace | BaselinePlace):
            _check_place(value)
        if isinstance(value, ImagePlace) and value.outline:
            changed["outline"] = stored_outline(value.outline)
        if isinstance(value, Calibration):
            changed |= _normal_calibration(value)
        return replace(value, **changed) if changed else value
    if name in _POINTS and value is not None:
        return stored_point(value)
    if isinstance(value, tuple):
        return tuple(_normal(member, f"{name}[]") for member in value)
    if isinstance(value, bool | StrEnum):
        return value
    if isinstance(value, float):
        return stored_number(value, name)
    if isinstance(value, int):
        if abs(value) >= 10**12:
            raise InvalidInputError(f"{name} is {value}", do="pass a smaller number")
        return value
    if isinstance(value, datetime):
        return stored_time(value)
    if (
        isinstance(value, str)
        and (name in _UIDS or name.endswith(("_id", "_uid")))
        and name != "candidate_id"
        and not is_uid(value)
        and (value or name == "id")
    ):
        raise InvalidInputError(f"{name} {value!r} is not a UID", do="let veinscan make it")
    return value


_UIDS = ("id", "subject", "feeds[]", "session_ids[]", "baseline_record_uids[]")


_last: WeakValueDictionary[str, InjectionTarget] = WeakValueDictionary()
"""By id, the target last seen in normal form: an edit costs what it changed, not the record."""
_known: WeakValueDictionary[int, CandidateReview] = WeakValueDictionary()
"""Verdicts in normal form, by their place in memory."""


def in_normal_form(record: Record) -> Record:
    """The same record, known to be in normal form: it was, when it was written, and has been read again."""
    for target in record.targets:
        _remembered(target)
    for review in record.reviews:
        _remembered(review)
    return record


def _remembered(mark: Mark) -> Mark:
    if isinstance(mark, InjectionTarget):
        _last[mark.id] = mark
    else:
        _known[id(mark)] = mark
    return mark


_ALL_BUT_ORDER = tuple(field.name for field in fields(InjectionTarget) if field.name != "order")


def differ_in_order_only(a: InjectionTarget, b: InjectionTarget) -> bool:
    """Whether two targets hold the very same objects, so that no two spellings of a value count as one."""
    return a is b or all(getattr(a, name) is getattr(b, name) for name in _ALL_BUT_ORDER)


def _normal_target(given: InjectionTarget, order: int) -> InjectionTarget:
    if not is_uid(given.id):
        raise InvalidInputError(f"the target's id {given.id!r} is not a UID", do="let veinscan make it")
    known = _last.get(given.id)
    if known is not None and differ_in_order_only(given, known):
        return given if given.order == order else _remembered(replace(given, order=order))
    target = given
    if target.has_place:
        _check_place(target)
    elif target.map_point is None and target.landmark_cm is None and target.level is Level.UNKNOWN:
        raise InvalidInputError(
            "the target has no place", do="give a clip, a frame and a point, or a place on the leg map"
        )
    else:
        # what only means something on a frame is dropped, so that equal targets are equal
        target = replace(
            target, frame_index=0, point=(0.0, 0.0), outline=(), calibration=None, skin_entry=None
        )
    target = _normal(target)
    diameter_mm = optional_number(target.diameter_mm, "diameter_mm")
    depth_mm = optional_number(target.depth_mm, "depth_mm")
    normal: InjectionTarget = replace(
        target,
        order=order,
        point=stored_point(target.point),
        outline=stored_outline(target.outline),
        diameter_mm=diameter_mm,
        diameter_source=None if diameter_mm is None else target.diameter_source,
        depth_mm=depth_mm,
        depth_source=None if depth_mm is None else target.depth_source,
        length_mm=optional_number(target.length_mm, "length_mm"),
        candidate_score=optional_number(target.candidate_score, "candidate_score"),
        marked_at=None if target.marked_at is None else stored_time(target.marked_at),
    )
    return _remembered(normal)


def _normal_calibration(calibration: Calibration) -> dict[str, Any]:
    row_mm, col_mm = (float(value) for value in calibration.spacing_mm)
    if not (0 < row_mm < math.inf and 0 < col_mm < math.inf):
        raise InvalidInputError(f"a mark's spacing is {calibration.spacing_mm}", do="pass positive mm")
    row0, col0, row1, col1 = (int(value) for value in calibration.box)
    if not (0 <= row0 < row1 <= _MAX_PIXEL and 0 <= col0 < col1 <= _MAX_PIXEL):
        raise InvalidInputError(f"a mark's region {calibration.box} is not a box")
    return {
        "box": (row0, col0, row1, col1),
        "spacing_mm": (row_mm, col_mm),
        "skin_row": stored_number(calibration.skin_row, "skin_row"),
    }


def _normal_review(review: CandidateReview) -> CandidateReview:
    if _known.get(id(review)) is review:
        return review
    if not review.candidate_id:
        raise InvalidInputError("a verdict names no candidate")
    _check_place(review)
    reason = review.reason
    if review.decision is not Decision.REJECTED:
        reason = None
    elif reason is None:
        reason = RejectReason.UNSTATED
    normal = replace(
        review,
        centre=stored_point(review.centre),
        outline=stored_outline(review.outline),
        diameter_mm=optional_number(review.diameter_mm, "diameter_mm"),
        depth_mm=optional_number(review.depth_mm, "depth_mm"),
        score=stored_number(review.score, "score"),
        reason=reason,
        reviewed_at=None if review.reviewed_at is None else stored_time(review.reviewed_at),
        course=_normal_course(review),
    )
    return _remembered(normal)


def _normal_course(review: CandidateReview) -> tuple[OutlineOnFrame, ...]:
    """By frame, each once, the verdict's own frame and empty outlines left out."""
    by_frame: dict[int, OutlineOnFrame] = {}
    for one in review.course:
        if one.frame_index < 0:
            raise InvalidInputError(
                f"frame {one.frame_index} of a candidate's course", do="frames count from 0"
            )
        if one.frame_index != review.frame_index and len(one.outline):
            by_frame[one.frame_index] = replace(one, outline=stored_outline(one.outline))
    return tuple(by_frame[index] for index in sorted(by_frame))


def _check_place(mark: InjectionTarget | CandidateReview | ImagePlace | BaselinePlace) -> None:
    if not is_uid(mark.sop_instance_uid):
        raise InvalidInputError(f"the clip's UID {mark.sop_instance_uid!r} is not a UID")
    if mark.frame_index < 0:
        raise InvalidInputError(f"frame {mark.frame_index} does not exist", do="count frames from 0")
