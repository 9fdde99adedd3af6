"""Edits that are about whole clips: context, how far they were searched, a calibration by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, Protocol

from veinscan.errors import InvalidInputError
from veinscan.plan.context import INHERITED, ClipCalibration, ClipContext, ClipSearch
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.plan.normal import is_uid, now, stored_number, stored_point
from veinscan.plan.signing import check_editable
from veinscan.plan.values import enum_value, number, parsed
from veinscan.plan.vocabulary import Searched

CONTEXT_FIELDS = (
    "side",
    "vein",
    "level",
    "aspect",
    "posture",
    "manoeuvre",
    "plane",
    "landmark",
    "landmark_cm",
)
"""What `set_context` accepts; values may be text."""


class ClipLike(Protocol):
    """What is used of a Clip here."""

    @property
    def sop_instance_uid(self) -> str: ...  # noqa: D102


def context_of(record: Record, clip: ClipLike | str) -> ClipContext:
    """The context of a clip (or of its SOP Instance UID); everything unknown where nobody set it."""
    uid = _uid(clip)
    found = next((one for one in record.contexts if one.sop_instance_uid == uid), None)
    return found or ClipContext(sop_instance_uid=uid)


def set_context(
    record: Record, clips: ClipLike | str | Iterable[ClipLike | str], reader: Reader, **values: Any
) -> Record:
    """The record with some fields of the context of one or many clips set (`CONTEXT_FIELDS`).

    Targets on those clips follow in every field that nobody set on the target
    itself.  Raises InvalidInputError for a field or value that is not usable.
    """
    check_editable(record)
    unknown = sorted(set(values) - set(CONTEXT_FIELDS))
    if unknown:
        raise InvalidInputError(
            f"{unknown[0]!r} is not a field of a clip's context",
            do=f"set one of: {', '.join(CONTEXT_FIELDS)}",
        )
    new = {name: parsed(name, value) for name, value in values.items()}
    for clip in _many(clips):
        before = context_of(record, clip)
        after = replace(before, **new, set_by=reader.name, set_at=now())
        record = replace(
            record,
            contexts=_with(record.contexts, after, lambda one: one.sop_instance_uid),
            targets=tuple(_followed(target, before, after) for target in record.targets),
        )
    return record


def inherited(record: Record, target: InjectionTarget) -> InjectionTarget:
    """The target with what it does not say itself taken over from the context of its clip."""
    if not target.has_place:
        return target
    context = context_of(record, target.sop_instance_uid)
    return _followed(target, ClipContext(sop_instance_uid=target.sop_instance_uid), context)


def search_of(record: Record, clip: ClipLike | str) -> Searched:
    """How far a clip was searched."""
    uid = _uid(clip)
    found = next((one for one in record.searches if one.sop_instance_uid == uid), None)
    return Searched.UNKNOWN if found is None else found.searched


def set_search(
    record: Record,
    clips: ClipLike | str | Iterable[ClipLike | str],
    searched: Searched | str,
    reader: Reader,
    notes: str = "",
) -> Record:
    """The record with how far a reader looked through one or many clips; 'unknown' takes it back."""
    check_editable(record)
    state = enum_value(Searched, searched, "searched")
    for clip in _many(clips):
        one = ClipSearch(
            sop_instance_uid=_uid(clip), searched=state, notes=notes, set_by=reader.name, set_at=now()
        )
        kept = _with(record.searches, one, lambda entry: entry.sop_instance_uid)
        if state is Searched.UNKNOWN:
            kept = tuple(entry for entry in kept if entry.sop_instance_uid != one.sop_instance_uid)
        record = replace(record, searches=kept)
    return record


def set_calibration(
    record: Record,
    clip: ClipLike | str,
    reader: Reader,
    *,
    box: Iterable[int],
    spacing_mm: Iterable[float],
    point_a: Iterable[float],
    point_b: Iterable[float],
    known_mm: float,
) -> Record:
    """The record with a calibration of one region of a clip by a distance that the reader knows.

    `box` half-open `(row0, col0, row1, col1)`, points `(row, col)` in
    whole-frame pixels inside it, `spacing_mm` `(row, col)` as it follows from
    them.  A later calibration of the same region replaces an earlier one.
    Raises InvalidInputError for what does not agree.
    """
    check_editable(record)
    row0, col0, row1, col1 = (int(value) for value in box)
    row_mm, col_mm = (stored_number(float(value), "spacing_mm") for value in spacing_mm)
    a, b = stored_point(point_a), stored_point(point_b)
    known = number("known_mm", known_mm)
    if known is None or row_mm <= 0 or col_mm <= 0 or not (row0 < row1 and col0 < col1):
        raise InvalidInputError("the calibration is not whole", do="pass a box, a spacing, a distance in mm")
    for row, col in (a, b):
        if not (row0 - 0.5 <= row < row1 and col0 - 0.5 <= col < col1):
            raise InvalidInputError(
                f"the point {row:g},{col:g} is outside the region", do="click both points inside one region"
            )
    found = (((b[0] - a[0]) * row_mm) ** 2 + ((b[1] - a[1]) * col_mm) ** 2) ** 0.5
    if abs(found - known) > 0.01 * known:
        raise InvalidInputError(
            f"the two points are {found:.2f} mm apart by that spacing, not {known:g} mm",
            do="work the spacing out from the two points",
        )
    one = ClipCalibration(
        sop_instance_uid=_uid(clip),
        box=(row0, col0, row1, col1),
        spacing_mm=(row_mm, col_mm),
        point_a=a,
        point_b=b,
        known_mm=float(known),
        set_by=reader.name,
        set_at=now(),
    )
    return replace(
        record,
        calibrations=_with(record.calibrations, one, lambda entry: (entry.sop_instance_uid, entry.box)),
    )


def remove_calibration(record: Record, clip: ClipLike | str) -> Record:
    """The record without the calibrations by hand of a clip."""
    check_editable(record)
    uid = _uid(clip)
    return replace(record, calibrations=tuple(o for o in record.calibrations if o.sop_instance_uid != uid))


def calibrations_of(record: Record, clip: ClipLike | str) -> tuple[ClipCalibration, ...]:
    """The calibrations by hand of a clip, one for each region."""
    uid = _uid(clip)
    return tuple(one for one in record.calibrations if one.sop_instance_uid == uid)


def _followed(target: InjectionTarget, before: ClipContext, after: ClipContext) -> InjectionTarget:
    if target.sop_instance_uid != after.sop_instance_uid:
        return target
    defaults = {field.name: field.default for field in fields(ClipContext)}
    new = {
        name: getattr(after, name)
        for name in INHERITED
        if name not in target.own and getattr(target, name) in (defaults[name], getattr(before, name))
    }
    return replace(target, **new)


def _with(members: tuple[Any, ...], new: Any, key: Any) -> tuple[Any, ...]:
    others = [one for one in members if key(one) != key(new)]
    return (*others, new)


def _uid(clip: ClipLike | str) -> str:
    uid = clip if isinstance(clip, str) else str(clip.sop_instance_uid)
    if not is_uid(uid):
        raise InvalidInputError(f"the clip's UID {uid!r} is not a UID")
    return uid


def _many(clips: ClipLike | str | Iterable[ClipLike | str]) -> list[ClipLike | str]:
    if isinstance(clips, str) or hasattr(clips, "sop_instance_uid"):
        return [clips]  # type: ignore[list-item]
    return list(clips)
