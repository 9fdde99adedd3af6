"""The course of treatment as a table and as lines over time: diameter, outcome, volume given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

from veinscan.errors import InvalidInputError
from veinscan.follow_up.pairs import value_words
from veinscan.follow_up.states import TargetState, planned_state, seen_state, target_label
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.vocabulary import Outcome, Posture
from veinscan.record.course import Course

HEAD = ("Target", "Day", "Days", "What", "Diameter mm", "Posture", "Outcome", "Given mL", "Product")
_WHAT = {"plan": "plan", "session": "treated", "follow_up": "follow-up"}
_ORDER = tuple(_WHAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEntry:
    """One target on one day, as one record has it."""

    target_id: str
    on: date | None
    kind: str
    """'plan', 'session' or 'follow_up'."""
    study_instance_uid: str
    diameter_mm: float | None = None
    posture: Posture = Posture.UNKNOWN
    """In which the diameter was measured: diameters in different postures are not one line."""
    outcome: Outcome | None = None
    volume_ml: float | None = None
    """Given on that day into that target; None where none is recorded."""
    product: str = ""
    days: int | None = None
    """Since the first day of treatment found; negative before it."""


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A target over time."""

    target_id: str
    label: str
    """'target 2, left GSV'."""
    entries: tuple[SeriesEntry, ...]
    """By day; those without a day last."""

    @property
    def diameters(self) -> tuple[tuple[date, float, Posture], ...]:
        """(day, mm, posture) of every dated diameter: what a plot draws, a line for each posture."""
        return tuple(
            (one.on, one.diameter_mm, one.posture)
            for one in self.entries
            if one.on is not None and one.diameter_mm is not None
        )

    @property
    def volumes(self) -> tuple[tuple[date, float], ...]:
        """(day, mL) of every dated session with a volume."""
        return tuple(
            (one.on, one.volume_ml)
            for one in self.entries
            if one.on is not None and one.volume_ml is not None
        )

    @property
    def outcomes(self) -> tuple[tuple[date, Outcome], ...]:
        """(day, outcome) of every dated visit that looked at it."""
        return tuple((one.on, one.outcome) for one in self.entries if one.on is not None and one.outcome)


@dataclass(frozen=True, slots=True)
class Series:
    """Every target of a course over time."""

    lines: tuple[TargetLine, ...]
    """In order of injection of the earliest plan; those that only a follow-up or a session names last."""
    days: tuple[tuple[date, str], ...]
    """(day, 'plan', 'session' or 'follow_up') of every dated event, each once, in order."""
    volume_by_day: tuple[tuple[date, float], ...]
    """Sum of the volumes given on each day, mL, into whatever target."""
    basis: str
    """'from 2 studies found': what everything here holds for."""

    def line(self, target_id: str) -> TargetLine:
        """The line of a target; InvalidInputError where there is none."""
        for one in self.lines:
            if one.target_id == target_id:
                return one
        raise InvalidInputError(f"the series has no target {target_id!r}")

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Rows of text, the head (`HEAD`) first: a row for each target and day; empty where nothing is."""
        return (HEAD, *(_cells(line, entry) for line in self.lines for entry in line.entries))


def series_of(course: Course) -> Series:
    """The series of the studies of one patient (`record.open_course`).

    A session or follow-up that two studies hold counts once, as the later
    one has it.
    """
    entries: dict[str, list[SeriesEntry]] = defaultdict(list)
    labels: dict[str, str] = {}
    days = dict(course.study_days)
    for uid, record in course.records:
        for target in record.targets:
            state = planned_state(record, target)
            entries[target.id].append(_entry(state, uid, days.get(uid)))
            labels.setdefault(target.id, target_label(target.order, target.side, target.vein))
    records = dict(course.records)
    for seen in course.follow_ups:
        for outcome in seen.follow_up.outcomes:
            state = seen_state(records[seen.study_instance_uid], seen.follow_up, outcome)
            entries[outcome.target_id].append(_entry(state, seen.study_instance_uid, seen.follow_up.on))
    for held in course.sessions:
        for target_id, one in _given(held.session, held.study_instance_uid).items():
            entries[target_id].append(one)
    treated = [held.session.on for held in course.sessions if held.session.on is not None]
    first = min(treated, default=None)
    lines = tuple(
        TargetLine(uid, labels.get(uid, "target of no plan found"), _sorted(found, first))
        for uid, found in sorted(entries.items(), key=lambda pair: pair[0] not in labels)
    )
    events = {(entry.on, entry.kind) for line in lines for entry in line.entries if entry.on is not None}
    events |= {(day, "session") for day in treated}
    events |= {(one.follow_up.on, "follow_up") for one in course.follow_ups if one.follow_up.on is not None}
    return Series(
        lines,
        tuple(sorted(events, key=lambda pair: (pair[0], _ORDER.index(pair[1])))),
        _volumes(held.session for held in course.sessions),
        course.basis,
    )


def _entry(state: TargetState, uid: str, on: date | None) -> SeriesEntry:
    return SeriesEntry(
        target_id=state.target_id,
        on=on,
        kind=state.kind,
        study_instance_uid=uid,
        diameter_mm=state.diameter_mm,
        posture=state.posture,
        outcome=state.outcome,
    )


def _given(session: TreatmentSession, uid: str) -> dict[str, SeriesEntry]:
    found: dict[str, SeriesEntry] = {}
    given = [(one.target_id, one.volume_ml, one.product or session.product) for one in session.injections]
    given += [(one.target_id, None, "laser") for one in session.lasers]
    for target_id, volume, product in given:
        if not target_id:
            continue
        before = found.get(target_id)
        if before is not None:
            known = [amount for amount in (before.volume_ml, volume) if amount is not None]
            volume = round(sum(known), 6) if known else None
            product = " + ".join(dict.fromkeys(part for part in (before.product, product) if part))
        found[target_id] = SeriesEntry(
            target_id=target_id,
            on=session.on,
            kind="session",
            study_instance_uid=uid,
            volume_ml=volume,
            product=product,
        )
    return found


def _volumes(sessions: Iterable[TreatmentSession]) -> tuple[tuple[date, float], ...]:
    found: dict[date, float] = defaultdict(float)
    for session in sessions:
        given = [one.volume_ml for one in session.injections if one.volume_ml is not None]
        if session.on is not None and given:
            found[session.on] += sum(given)
    return tuple((day, round(volume, 6)) for day, volume in sorted(found.items()))


def _sorted(found: Iterable[SeriesEntry], first: date | None) -> tuple[SeriesEntry, ...]:
    dated = [
        entry if first is None or entry.on is None else replace(entry, days=(entry.on - first).days)
        for entry in found
    ]
    return tuple(sorted(dated, key=lambda one: (one.on is None, one.on or date.min, _ORDER.index(one.kind))))


def _cells(line: TargetLine, entry: SeriesEntry) -> tuple[str, ...]:
    posture = value_words(entry.posture) if entry.diameter_mm is not None else ""
    return (
        line.label,
        "" if entry.on is None else entry.on.isoformat(),
        "" if entry.days is None else str(entry.days),
        _WHAT[entry.kind],
        "" if entry.diameter_mm is None else f"{entry.diameter_mm:.1f}",
        posture,
        "" if entry.outcome is None else value_words(entry.outcome),
        "" if entry.volume_ml is None else f"{entry.volume_ml:g}",
        entry.product,
    )
