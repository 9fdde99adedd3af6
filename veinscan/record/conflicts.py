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
from veinscan.plan.model import InjectionTarget, Record, RecordStatus
from veinscan.plan.signing import check_editable
from veinscan.plan.vocabulary import RecordState
from veinscan.record.merge import by_target, outcome_label, units_of, woven
from veinscan.record.store import StudyLike, merged, record_paths
from veinscan.record.table import PARTS
from veinscan.record.text import shown_name
from veinscan.record.versions import Version, ancestors, common_ancestors, direct_predecessors, read_versions

REMOVED = "removed"
"""The value of a mark that one reader took out."""
ORDER, STATUS = "order", "status"
"""`Difference.part` of the order of injection and of the record's own state."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one saved version says."""

    reader: str
    saved_at: datetime | None
    values: tuple[Any, ...]
    """One for each of `Difference.fields`; `(REMOVED,)` where the whole mark was taken out."""
    words: str = ""
    """The values for a person, where they do not speak for themselves."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that readers changed differently."""

    part: str
    """Attribute of `Record`: 'targets', 'reviews', 'contexts', ...; 'order' for the order of injection."""
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
    _Outcomes("outcomes", lambda one: one.target_id, outcome_label),
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
        uids = direct_predecessors(versions[uids[0]], versions)
    if len(uids) < 2:
        return ()
    sides = sorted((versions[uid] for uid in uids), key=lambda version: version.when)
    base = _base(sides, versions, replace(new_record(study), reading=record.reading))
    found = _in_status(base, sides, record)
    for part in _ALL_PARTS:
        found += _in_part(part, base, sides, record)
    return (*found, *_in_order(base, sides, record))


def settled(record: Record, choices: Iterable[tuple[Difference, int]]) -> Record:
    """The record with one side's value for each difference, and no conflict open any more.

    `choices` gives the index of the side whose value is taken.  Raises
    InvalidInputError for an index that no side has, RecordError for a record
    that must not be changed.  One that a reader withdrew is no longer where
    the choice is that it goes on, and is what it was, but for the conflicts, where not.
    """
    chosen = list(choices)
    for difference, index in chosen:
        if not 0 <= index < len(difference.sides):
            raise InvalidInputError(f"there is no side {index}", where=difference.label)
        if difference.part == STATUS:
            (status,) = difference.sides[index].values
            if status.state is RecordState.WITHDRAWN:
                return replace(record, status=status, conflicts=())
            record = replace(record, status=RecordStatus())
    check_editable(record)
    for difference, index in chosen:
        if difference.part != STATUS:
            record = _with_side(record, difference, difference.sides[index])
    return accept_conflicts(record)


def _with_side(record: Record, difference: Difference, side: Side) -> Record:
    if difference.part == ORDER:
        targets = {target.id: target for target in record.targets}
        ordered = [targets[uid] for uid in woven(side.values[0], targets, targets)]
        return replace(record, targets=_numbered(ordered))
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
    numbered = _numbered(kept) if part.attribute == "targets" else tuple(kept)
    changed: dict[str, Any] = {part.attribute: numbered}
    return replace(record, **changed)


def _numbered(targets: Iterable[InjectionTarget]) -> tuple[InjectionTarget, ...]:
    return tuple(replace(one, order=order) for order, one in enumerate(targets, start=1))


def _in_status(base: Record, sides: Sequence[Version], shown: Record) -> list[Difference]:
    """A withdrawal against a version that goes on: the one state of a record that a person can choose."""
    states = [side.content.record.status for side in sides]
    withdrawn = [one for one in states if one.state is RecordState.WITHDRAWN and one != base.status]
    if not withdrawn or all(one.state is RecordState.WITHDRAWN for one in states):
        return []
    told = tuple(
        _side(side, (status,), f"withdrawn: {status.reason}" if status in withdrawn else "goes on, not final")
        for side, status in zip(sides, states, strict=True)
    )
    now = next((index for index, one in enumerate(states) if one == shown.status), len(states) - 1)
    return [Difference(STATUS, "", "state of the record", ("state",), told, now)]


def _in_order(base: Record, sides: Sequence[Version], shown: Record) -> list[Difference]:
    """The order of injection, where two readers changed it differently, by the numbers on show."""
    records = [base, *(side.content.record for side in sides)]
    numbers = {target.id: target.order for target in shown.targets}
    common = set(numbers).intersection(*({target.id for target in one.targets} for one in records))
    before, *orders = [tuple(t.id for t in one.targets if t.id in common) for one in records]
    if len({one for one in orders if one != before}) < 2:
        return []
    told = tuple(
        _side(
            side,
            (tuple(target.id for target in side.content.record.targets),),
            ", ".join(f"T{numbers[uid]}" for uid in one),
        )
        for side, one in zip(sides, orders, strict=True)
    )
    now = tuple(target.id for target in shown.targets if target.id in common)
    at = orders.index(now) if now in orders else len(orders) - 1
    return [Difference(ORDER, "", "order of injection", (ORDER,), told, at)]


def _side(version: Version, values: tuple[Any, ...], words: str = "") -> Side:
    return Side(shown_name(version.observer), version.content.saved_at, values, words)


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
    told = [_side(side, _values(mark, group)) for side, mark in pairs]
    if len({side.values for side in told if side.values != before}) < 2:
        return []
    now = _values(one, group)
    shown = next((index for index, side in enumerate(told) if side.values == now), len(told) - 1)
    return [Difference(part.attribute, key, part.label(one), group, tuple(told), shown)]


def _removal(
    part: _Part, one: Any, key: Any, sides: Sequence[Version], marks: Sequence[Mapping[Any, Any]]
) -> Difference:
    told = tuple(
        _side(side, ("kept",) if key in of_side else (REMOVED,))
        for side, of_side in zip(sides, marks, strict=True)
    )
    shown = next(index for index, side in enumerate(told) if side.values == ("kept",))
    return Difference(part.attribute, key, part.label(one), (), told, shown)


def _content(mark: Any) -> Any:
    return replace(mark, order=0) if hasattr(mark, "order") else mark


def _values(mark: Any, group: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(mark, name) for name in group)
