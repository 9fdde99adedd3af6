"""Change of the revised Venous Clinical Severity Score, leg by leg (Vasquez 2010: ten items, 0 to 30)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from veinscan.follow_up.pairs import Pair
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.treatment import ClinicalValues, Rvcss, TreatmentSession
from veinscan.plan.vocabulary import Side

_ITEMS = tuple(field.name for field in fields(Rvcss) if field.name != "side")


def score_pairs(sessions: Iterable[TreatmentSession], visit: FollowUp | None) -> tuple[Pair, ...]:
    """The score of each leg that either side scored: of the last session that has one, and of the visit.

    `sessions` by day; without a visit there is nothing beside them.  An item
    that nobody scored is not 0: without all ten there is no sum and no difference.
    """
    if visit is None:
        return ()
    before: dict[Side, Rvcss] = {}
    for session in sessions:
        before |= _scores(session.values)
    after = _scores(visit.values)
    return tuple(
        _pair(side, before.get(side), after.get(side))
        for side in (Side.LEFT, Side.RIGHT)
        if side in before or side in after
    )


def total(score: Rvcss | None) -> int | None:
    """Sum of the ten items; None where one of them is not scored."""
    values = [None if score is None else getattr(score, name) for name in _ITEMS]
    return None if None in values else sum(value for value in values if value is not None)


def _pair(side: Side, before: Rvcss | None, after: Rvcss | None) -> Pair:
    a, b = total(before), total(after)
    reason = ""
    for what, score, found in (("the baseline", before, a), ("the follow-up", after, b)):
        if found is None:
            reason = f"not scored at {what}" if score is None else f"not all ten items are scored at {what}"
    return Pair(f"rvcss_{side.value}", "points", a, b, reason)


def _scores(values: ClinicalValues | None) -> dict[Side, Rvcss]:
    return {} if values is None else {one.side: one for one in values.rvcss}
