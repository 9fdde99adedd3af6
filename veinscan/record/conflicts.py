"""What two readers changed differently, field by field, and a person's choice between them.

`Record.conflicts` says in sentences that there is something; this says what
each of the saved versions holds, who saved it and when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.plan.editing import accept_conflicts, new_record
from veinscan.plan.model import Record
from veinscan.plan.signing import check_editable
from veinscan.record.merge import by_target, units_of
from veinscan.record.store import StudyLike, merged, record_paths
from veinscan.record.table import PARTS
from veinscan.record.text import shown_name
from veinscan.record.versions import Version, ancestors, common_ancestors, read_versions

REMOVED = "removed"
"""The value of a mark that one reader took out."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one saved version says."""

    reader: str
    saved_at: datetime | None
    values: tuple[Any, ...]
    """One for each of `Difference.fields`; `(REMOVED,)` where the whole mark was taken out."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that readers changed differently."""

    part: str
    """Attribute of `Record`: 'targets', 'reviews', 'contexts', ..."""
    key: Any
    """Which of them."""
    label: str
    """For a person: 'target 2 (GSV)'."""
    fields: tuple[str, ...]
    """Fields that are taken together; empty where the question is whether the mark stays."""
    sides: tuple[Side, ...]
    """In order of saving."""
    shown: int
    """Index of the side that the merged record shows."""


@dataclass(frozen=True, slots=True)
class _Part:
    attribute: str
    key: Callable[[Any], Any]
    label: Callable[[Any], str]

    def marks(self, record: Record) -> dict[Any, Any]:
        """Its members by their key."""
        return {self.key(one): one for one in getattr(record, self.attribute)}


@dataclass(frozen=True, slots=True)
class _Outcomes(_Part):
    """What follow-ups say of single targets."""

    def marks(self, record: Record) -> dict[Any, Any]:
        """See `_Part`."""
        return {(visit.id, key): one for visit in record.follow_ups for key, one in by_target(visit).items()}


_ALL_PARTS = (
    _Part("targets", lambda one: one.id, lambda one: f"target {one.order} ({one.vein})"),
    _Part(
        "reviews",
        lambda one: (one.sop_instance_uid, one.candidate_id),
        lambda one: f"candidate {one.candidate_id}",
    ),
    *(_Part(part.attribute, part.key, part.label) for part in PARTS),
    _Outcomes("outcomes", lambda one: one.target_id, lambda one: f"outcome of a target ({one.outcome})"),
)
_BOOKKEEPING = {"marked_by", "marked_at", "set_by", "set_at", "reviewed_by", "reviewed_at", "order", "own"}


def differences(study: StudyLike, record: Record) -> tuple[Difference, ...]:
    """What the versions that a record was merged from say differently of the same thing.

    A record that was saved after the merge with its conflicts still open is
    traced back to the versions that were merged.  Raises RecordError where
    one of them cannot be read.
    """
    versions, _ = read_versions(record_paths(study), study.study_instance_uid)
    uids = [uid for uid in record.heads if uid in versions]
    while len(uids) == 1:
        uids = [uid for uid in versions[uids[0]].predecessors if uid in versions]
    if len(uids) < 2:
        return ()
    sides = sorted((versions[uid] for uid in uids), key=lambda version: version.when)
    base = _base(sides, versions, replace(new_record(study), reading=record.reading))
    found: list[Difference] = []
    for part in _ALL_PARTS:
        found += _in_part(part, base, sides, record)
    return tuple(found)


def settled(record: Record, choices: Iterable[tuple[Difference, int]]) -> Record:
    """The record with one side's value for each difference, and no conflict open any more.

    `choices` gives the index of the side whose value is taken.  Raises
    InvalidInputError for an index that no side has.
    """
    check_editable(record)
    for difference, index in choices:
        if not 0 <= index < len(difference.sides):
            raise InvalidInputError(f"there is no side {index}", where=difference.label)
        record = _with_side(record, difference, difference.sides[index])
    return accept_conflicts(record)


def _with_side(record: Record, difference: Difference, side: Side) -> Record:
    part = next(one for one in _ALL_PARTS if one.attribute == difference.part)
    marks = part.marks(record)
    mark = marks.get(difference.key)
    if mark is not None and difference.fields:
        marks[difference.key] = replace(mark, **dict(zip(difference.fields, side.values, strict=True)))
    elif side.values == (REMOVED,):
        marks.pop(difference.key, None)
    if isinstance(part, _Outcomes):
        visits = [
            replace(visit, outcomes=tuple(one for (uid, _), one in marks.items() if uid == visit.id))
            for visit in record.follow_ups
        ]
        return replace(record, follow_ups=tuple(visits))
    kept = list(marks.values())
    if part.attribute == "targets":
        kept = [replace(one, order=order) for order, one in enumerate(kept, start=1)]
    changed: dict[str, Any] = {part.attribute: tuple(kept)}
    return replace(record, **changed)


def _base(sides: Sequence[Version], versions: Mapping[str, Version], empty: Record) -> Record:
    behind = ancestors(sides[0].sop_instance_uid, versions)
    for side in sides[1:]:
        behind &= ancestors(side.sop_instance_uid, versions)
    nearest = common_ancestors(behind, behind, versions)
    return merged(nearest, versions, empty) if nearest else empty


def _in_part(part: _Part, base: Record, sides: Sequence[Version], shown: Record) -> list[Difference]:
    origin = part.marks(base)
    marks = [part.marks(side.content.record) for side in sides]
    found = []
    for key, one in part.marks(shown).items():
        there = [index for index, of_side in enumerate(marks) if key in of_side]
        if len(there) < len(sides) and key in origin:
            changed = any(_content(marks[index][key]) != _content(origin[key]) for index in there)
            if changed:
                found.append(_removal(part, one, key, sides, marks))
            continue
        if len(there) < 2:
            continue
        groups = units_of(type(one)) if part.attribute != "reviews" else [("decision", "reason")]
        for group in groups:
            if not set(group) <= _BOOKKEEPING and group != ("outcomes",):
                pairs = [(sides[index], marks[index][key]) for index in there]
                found += _in_group(part, one, key, group, origin.get(key), pairs)
    return found


def _in_group(
    part: _Part,
    one: Any,
    key: Any,
    group: tuple[str, ...],
    origin: Any,
    pairs: Sequence[tuple[Version, Any]],
) -> list[Difference]:
    before = None if origin is None else _values(origin, group)
    told = [
        Side(shown_name(side.observer), side.content.saved_at, _values(mark, group)) for side, mark in pairs
    ]
    if len({side.values for side in told if side.values != before}) < 2:
        return []
    now = _values(one, group)
    shown = next((index for index, side in enumerate(told) if side.values == now), len(told) - 1)
    return [Difference(part.attribute, key, part.label(one), group, tuple(told), shown)]


def _removal(
    part: _Part, one: Any, key: Any, sides: Sequence[Version], marks: Sequence[Mapping[Any, Any]]
) -> Difference:
    told = tuple(
        Side(
            shown_name(side.observer),
            side.content.saved_at,
            ("kept",) if key in of_side else (REMOVED,),
        )
        for side, of_side in zip(sides, marks, strict=True)
    )
    shown = next(index for index, side in enumerate(told) if side.values == ("kept",))
    return Difference(part.attribute, key, part.label(one), (), told, shown)


def _content(mark: Any) -> Any:
    return replace(mark, order=0) if hasattr(mark, "order") else mark


def _values(mark: Any, group: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(mark, name) for name in group)
