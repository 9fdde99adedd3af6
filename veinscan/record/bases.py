"""What two versions began from, where several versions lie behind both.

Two programs that save in turns, each from what both had saved before, leave a
history in which every pair has two nearest common versions, and those have
two in turn, back to the beginning.  Merging all of them would mean to read
the whole history; this judges from the nearest ones alone: of two values the
one that a version behind holds is the one that was not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from veinscan.plan.model import CandidateReview, InjectionTarget, Record
from veinscan.record.merge import units_of
from veinscan.record.table import PARTS

T = TypeVar("T")


def common_base(bases: Sequence[Record], earlier: Record, later: Record) -> Record:
    """A record to merge `earlier` and `later` against, from the versions behind both (in order of time).

    Where both sides hold different values of versions behind, which one
    stood at the beginning cannot be told; the earlier side's is taken.
    """
    sides = (earlier, later)
    parts: dict[str, Any] = {
        part.attribute: _marks(
            [getattr(base, part.attribute) for base in bases],
            [getattr(side, part.attribute) for side in sides],
            part.key,
        )
        for part in PARTS
    }
    return replace(
        bases[-1],
        targets=_targets(bases, sides),
        reviews=_marks(
            [base.reviews for base in bases],
            [side.reviews for side in sides],
            lambda one: (one.sop_instance_uid, one.candidate_id),
        ),
        status=_unchanged([base.status for base in bases], earlier.status, later.status),
        conflicts=tuple(dict.fromkeys(text for base in bases for text in base.conflicts)),
        **parts,
    )


def _targets(bases: Sequence[Record], sides: Sequence[Record]) -> tuple[InjectionTarget, ...]:
    marks = _marks([base.targets for base in bases], [side.targets for side in sides], lambda one: one.id)
    by_id = {target.id: target for target in marks}
    common = set.intersection(*({target.id for target in record.targets} for record in (*bases, *sides)))
    mine, other, *known = (
        [target.id for target in record.targets if target.id in common] for record in (*sides, *bases)
    )
    order = _unchanged(known, mine, other)
    # the places of the common targets are filled in the order that was not changed
    places = iter(order)
    return tuple(by_id[next(places)] if target.id in common else target for target in marks)


def _marks(
    origins: Sequence[Iterable[T]], sides: Sequence[Iterable[T]], key: Callable[[T], Hashable]
) -> tuple[T, ...]:
    mine, other = ({key(one): one for one in side} for side in sides)
    behind: dict[Hashable, list[T]] = {}
    for origin in origins:
        for one in origin:
            behind.setdefault(key(one), []).append(one)
    return tuple(_mark(known, mine.get(name), other.get(name)) for name, known in behind.items())


def _mark(known: list[Any], mine: Any, other: Any) -> Any:
    latest = known[-1]
    if mine is None or other is None:
        # taken out by one side: whether the other changed it is told by all of it
        kept = mine if other is None else other
        return latest if kept is None else _unchanged([_bare(one) for one in known], _bare(kept), latest)
    if isinstance(latest, CandidateReview):
        return _unchanged(known, mine, other)
    values: dict[str, Any] = {}
    for unit in units_of(type(latest)):
        there = [_values(one, unit) for one in known]
        chosen = _unchanged(there, _values(mine, unit), _values(other, unit))
        values.update(zip(unit, chosen, strict=True))
    return replace(latest, **values)


def _unchanged(known: Sequence[Any], mine: Any, other: Any) -> Any:
    """Of two values the one that was there before; the last known one where neither was."""
    return next((value for value in (mine, other) if value in known), known[-1])


def _bare(mark: Any) -> Any:
    return replace(mark, order=0) if isinstance(mark, InjectionTarget) else mark


def _values(mark: Any, unit: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(mark, name) for name in unit)
