"""Edits of sessions and follow-ups, and what is worked out from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import Reader, Record
from veinscan.plan.normal import normalised, now
from veinscan.plan.signing import check_editable
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.plan.values import check
from veinscan.plan.vocabulary import Outcome

_OCCLUDED = (Outcome.OCCLUDED_FULL, Outcome.OCCLUDED_PARTIAL, Outcome.NOT_VISIBLE)
_OPEN = (Outcome.PATENT_NO_REFLUX, Outcome.PATENT_REFLUX)


@dataclass(frozen=True, slots=True)
class PlannedGiven:
    """Planned against given, of one injection."""

    target_id: str
    planned_volume_ml: float | None
    given_volume_ml: float | None
    planned_concentration_percent: float | None
    given_concentration_percent: float | None

    @property
    def as_planned(self) -> bool | None:
        """Whether both agree; None where the plan or what was given is not recorded."""
        pairs = (
            (self.planned_volume_ml, self.given_volume_ml),
            (self.planned_concentration_percent, self.given_concentration_percent),
        )
        if any(None in pair for pair in pairs):
            return None
        return all(planned == given for planned, given in pairs)


def put_session(record: Record, session: TreatmentSession, reader: Reader) -> Record:
    """The record with a session: a new one, or in place of the one with its id.

    What the plan of a target says is copied beside what was given, where it
    is not there yet.  Raises InvalidInputError for malformed values.
    """
    check_editable(record)
    check(session)
    targets = {target.id: target for target in record.targets}

    def with_plan(injection: Injection) -> Injection:
        target = targets.get(injection.target_id)
        if target is None or injection.planned_volume_ml or injection.planned_concentration_percent:
            return injection
        return replace(
            injection,
            planned_volume_ml=target.planned_volume_ml,
            planned_concentration_percent=target.concentration_percent,
        )

    session = replace(
        session,
        injections=tuple(with_plan(one) for one in session.injections),
        set_by=reader.name,
        set_at=now(),
    )
    return normalised(replace(record, sessions=_put(record.sessions, session)))


def remove_session(record: Record, session_id: str) -> Record:
    """The record without a session; RecordError where there is none of that id."""
    check_editable(record)
    return replace(record, sessions=_without(record.sessions, session_id, "session"))


def put_follow_up(record: Record, visit: FollowUp, reader: Reader) -> Record:
    """The record with a follow-up: a new one, or in place of the one with its id.

    Raises InvalidInputError for malformed values.
    """
    check_editable(record)
    check(visit)
    if visit.appearance_percent is not None and visit.appearance_percent % 5:
        raise InvalidInputError(
            f"appearance_percent is {visit.appearance_percent}", do="pass steps of 5, from -100 to 100"
        )
    visit = replace(visit, set_by=reader.name, set_at=now())
    return normalised(replace(record, follow_ups=_put(record.follow_ups, visit)))


def remove_follow_up(record: Record, visit_id: str) -> Record:
    """The record without a follow-up; RecordError where there is none of that id."""
    check_editable(record)
    return replace(record, follow_ups=_without(record.follow_ups, visit_id, "follow-up"))


def planned_against_given(session: TreatmentSession) -> tuple[PlannedGiven, ...]:
    """Planned against given, for every injection of a session."""
    return tuple(
        PlannedGiven(
            one.target_id,
            one.planned_volume_ml,
            one.volume_ml,
            one.planned_concentration_percent,
            one.concentration_percent,
        )
        for one in session.injections
    )


def maybe_recanalised(follow_ups: Iterable[FollowUp]) -> tuple[tuple[str, str, str], ...]:
    """Targets found closed at one dated visit and open at a later one: a suggestion for a person.

    Returns `(target id, id of the earlier visit, id of the later)`.  The
    program never sets the outcome 'recanalised'.
    """
    dated = sorted((one for one in follow_ups if one.on is not None), key=lambda one: str(one.on))
    closed: dict[str, str] = {}
    found = []
    for visit in dated:
        found += [
            (outcome.target_id, closed.pop(outcome.target_id), visit.id)
            for outcome in visit.outcomes
            if outcome.outcome in _OPEN and outcome.target_id in closed
        ]
        for outcome in visit.outcomes:
            if outcome.outcome in _OCCLUDED:
                closed[outcome.target_id] = visit.id
    return tuple(found)


def _put(members: tuple[Any, ...], new: Any) -> tuple[Any, ...]:
    if any(one.id == new.id for one in members):
        return tuple(new if one.id == new.id else one for one in members)
    return (*members, new)


def _without(members: tuple[Any, ...], uid: str, what: str) -> tuple[Any, ...]:
    kept = tuple(one for one in members if one.id != uid)
    if len(kept) == len(members):
        raise RecordError(f"there is no {what} {uid!r} in the record", do="list them to see their ids")
    return kept
