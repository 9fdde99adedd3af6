"""Merging two versions of a record that were saved from the same parent.

Targets are matched by tracking UID, verdicts by clip and candidate.  What
one side changed is taken; what both changed differently is a conflict, is
told in one sentence, and the value of the later save is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import fields, replace
from typing import Any, TypeVar

from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.model import CandidateReview, InjectionTarget, Record, RecordStatus
from veinscan.plan.vocabulary import RecordState
from veinscan.record.table import PARTS

T = TypeVar("T")

_UNITS: tuple[tuple[str, ...], ...] = (
    ("sop_instance_uid", "frame_index", "point", "outline", "calibration"),
    ("sop_instance_uid", "frame_index", "kind", "value", "point_a", "point_b", "calibration", "strip"),
    ("diameter_mm", "diameter_source"),
    ("depth_mm", "depth_source"),
    ("candidate_id", "candidate_score"),
    ("marked_by", "marked_at"),
    ("set_by", "set_at"),
    ("acknowledged_by", "acknowledged_at", "reason"),
    ("map_view", "map_point"),
    ("landmark", "landmark_cm"),
)
"""Fields that mean something only together, and are taken together."""
_NAMES = {"sop_instance_uid": "place", "candidate_id": "candidate", "marked_by": "reader", "set_by": "reader"}


def merge(base: Record, earlier: Record, later: Record) -> Record:
    """Both sets of changes since `base` in one record.

    `later` is the one whose value is shown in a conflict; the result's
    `conflicts` hold those of both sides and the new ones.  `version` and
    `heads` are joined.
    """
    conflicts: list[str] = []
    targets = _merge_marks(
        {target.id: target for target in base.targets},
        {target.id: target for target in earlier.targets},
        {target.id: target for target in later.targets},
        lambda target: f"target {target.order} ({target.vein})",
        conflicts,
        _merge_fields,
    )
    order = _order(base, earlier, later, targets, conflicts)
    reviews = _merge_marks(
        _by_candidate(base),
        _by_candidate(earlier),
        _by_candidate(later),
        lambda review: f"candidate {review.candidate_id}",
        conflicts,
        _merge_review,
    )
    parts: dict[str, Any] = {
        part.attribute: tuple(
            _merge_marks(
                {part.key(one): one for one in getattr(base, part.attribute)},
                {part.key(one): one for one in getattr(earlier, part.attribute)},
                {part.key(one): one for one in getattr(later, part.attribute)},
                part.label,
                conflicts,
                _merge_fields,
            ).values()
        )
        for part in PARTS
    }
    status = _status(base, earlier, later, conflicts)
    return replace(
        later,
        **parts,
        status=status,
        targets=tuple(replace(targets[uid], order=place) for place, uid in enumerate(order, start=1)),
        reviews=tuple(reviews.values()),
        version=max(earlier.version, later.version),
        heads=tuple(sorted({*earlier.heads, *later.heads})),
        conflicts=_joined(base.conflicts, earlier.conflicts, later.conflicts, conflicts),
        read_only=later.read_only or earlier.read_only,
    )


def _by_candidate(record: Record) -> dict[tuple[str, str], CandidateReview]:
    return {(review.sop_instance_uid, review.candidate_id): review for review in record.reviews}


def _joined(base: Iterable[str], *sides: Iterable[str]) -> tuple[str, ...]:
    """Conflicts of both sides; one that a side has settled (it was in the base and is gone) is settled."""
    earlier, later, new = (tuple(side) for side in sides)
    settled = {text for text in base if text not in earlier or text not in later}
    return tuple(dict.fromkeys(text for text in (*earlier, *later, *new) if text not in settled))


def _merge_marks(
    base: dict[Any, T],
    earlier: dict[Any, T],
    later: dict[Any, T],
    label: Callable[[T], str],
    conflicts: list[str],
    both: Callable[[T | None, T, T, str, list[str]], T],
) -> dict[Any, T]:
    merged: dict[Any, T] = {}
    for key in dict.fromkeys([*earlier, *later]):
        mine, other = earlier.get(key), later.get(key)
        origin = base.get(key)
        if mine is not None and other is not None:
            merged[key] = both(origin, mine, other, label(other), conflicts)
            continue
        kept = mine if mine is not None else other
        if kept is None:
            continue
        if origin is None:
            merged[key] = kept
        elif _without_order(kept) != _without_order(origin):
            conflicts.append(f"{label(kept)}: removed by one reader and changed by another; it is kept")
            merged[key] = kept
    return merged


def _without_order(mark: Any) -> Any:
    return replace(mark, order=0) if isinstance(mark, InjectionTarget) else mark


def _status(base: Record, earlier: Record, later: Record, conflicts: list[str]) -> RecordStatus:
    """Two versions together are what nobody has finalised; a withdrawal stands until a person lifts it."""
    mine, other, origin = earlier.status, later.status, base.status
    if mine == other:
        if mine.state is RecordState.WITHDRAWN or replace(earlier, heads=()) == replace(later, heads=()):
            return mine
        kept = mine
    else:
        withdrawn = [one for one in (mine, other) if one.state is RecordState.WITHDRAWN and one != origin]
        if withdrawn:
            conflicts.append("one reader withdrew the record while another changed it; it stays withdrawn")
            return withdrawn[-1]
        kept = other if mine == origin else mine if other == origin else other
    if kept.state in (RecordState.FINAL, RecordState.AMENDED):
        conflicts.append("one of two versions was final; the two together are not until finalised again")
        return RecordStatus()
    return kept


def units_of(kind: type) -> list[tuple[str, ...]]:
    """Fields of a mark in the groups that are merged together."""
    names = [field.name for field in fields(kind)]
    grouped = {name for unit in _UNITS for name in unit if set(unit) <= set(names)}
    return [
        *(unit for unit in _UNITS if set(unit) <= set(names)),
        *((name,) for name in names if name not in {*grouped, "id", "order"}),
    ]


def _merge_fields(base: Any, earlier: Any, later: Any, label: str, conflicts: list[str]) -> Any:
    units = units_of(type(later))
    taken: dict[str, Any] = {}
    for unit in units:
        mine, other = _values(earlier, unit), _values(later, unit)
        origin = None if base is None else _values(base, unit)
        if mine in (other, origin):
            continue
        if other == origin:
            taken.update(zip(unit, mine, strict=True))
        elif unit == ("outcomes",):
            taken["outcomes"] = _merge_outcomes(base, earlier, later, label, conflicts)
        else:
            conflicts.append(_differs(label, unit, mine, other))
    return replace(later, **taken)


def _merge_outcomes(
    base: FollowUp | None, earlier: FollowUp, later: FollowUp, label: str, conflicts: list[str]
) -> tuple[TargetOutcome, ...]:
    """Two readers who looked at different targets on one visit have both looked."""
    merged = _merge_marks(
        {} if base is None else by_target(base),
        by_target(earlier),
        by_target(later),
        lambda one: f"{label}, {outcome_label(one)}",
        conflicts,
        _merge_fields,
    )
    return tuple(merged.values())


def outcome_label(one: TargetOutcome) -> str:
    """For a person and in `Record.conflicts`: 'outcome of the target ending in 12345678 (patent_reflux)'."""
    return f"{outcome_name(one.target_id)} ({one.outcome})"


def outcome_name(target_id: str) -> str:
    """What tells in a sentence of `Record.conflicts` whose outcome it is about, whatever was found."""
    return f"outcome of the target ending in {target_id[-8:]}"


def by_target(visit: FollowUp) -> dict[tuple[str, int], TargetOutcome]:
    """Outcomes of a visit by their target; a target that is there twice keeps both."""
    found: dict[tuple[str, int], TargetOutcome] = {}
    for one in visit.outcomes:
        count = sum(target_id == one.target_id for target_id, _ in found)
        found[one.target_id, count] = one
    return found


def _merge_review(
    base: CandidateReview | None,
    earlier: CandidateReview,
    later: CandidateReview,
    label: str,
    conflicts: list[str],
) -> CandidateReview:
    if earlier in (later, base):
        return later
    if later == base:
        return earlier
    if (earlier.decision, earlier.reason) != (later.decision, later.reason):
        mine, other = (
            f"{side.decision.value}{f' ({side.reason.value})' if side.reason else ''}"
            for side in (earlier, later)
        )
        conflicts.append(f"{label}: one verdict is {mine}, another {other}; {other} is shown")
    return later


def _values(mark: Any, unit: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(mark, name) for name in unit)


def _differs(label: str, unit: tuple[str, ...], mine: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    name = _NAMES.get(unit[0], unit[0])
    if name in ("place", "reader", "candidate") or isinstance(mine[0], tuple):
        return f"{label}, {name}: changed by two readers; the later change is shown"
    return f"{label}, {name}: {_text(mine[0])} and {_text(other[0])}; {_text(other[0])} is shown"


def _text(value: Any) -> str:
    if value is None or value == "":
        return "empty"
    text = str(getattr(value, "value", value))
    return repr(text if len(text) <= 60 else f"{text[:57]}...") if isinstance(value, str) else text


def _order(
    base: Record, earlier: Record, later: Record, targets: dict[Any, InjectionTarget], conflicts: list[str]
) -> list[str]:
    """Tracking UIDs in order: one side's reordering is kept, new targets keep their neighbour."""
    sequences = [[target.id for target in record.targets] for record in (base, earlier, later)]
    common = set(sequences[1]) & set(sequences[2]) & set(targets)
    in_base = common & set(sequences[0])
    first, mine, other = ([uid for uid in sequence if uid in in_base] for sequence in sequences)
    backbone, guest = sequences[2], sequences[1]
    if mine != other:
        if other == first:
            backbone, guest = sequences[1], sequences[2]
        elif mine != first:
            conflicts.append("order of injection: changed by two readers; the later order is shown")
    return woven(backbone, guest, set(targets))


def woven(backbone: Iterable[str], guest: Iterable[str], there: Container[str]) -> list[str]:
    """The ids that are there, in the backbone's order; the guest's own stay after their neighbour."""
    order = [uid for uid in backbone if uid in there]
    previous: str | None = None
    for uid in guest:
        if uid in there and uid not in order:
            order.insert(order.index(previous) + 1 if previous in order else 0, uid)
        if uid in order:
            previous = uid
    return order
