"""The course of treatment as a table and as lines over time: diameter, outcome, volume given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from veinscan.plan.vocabulary import Outcome
from veinscan.record.course import Course


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEntry:
    """One target on one day, as one record has it."""

    target_id: str
    on: date | None
    kind: str
    """'plan', 'session' or 'follow_up'."""
    study_instance_uid: str
    diameter_mm: float | None = None
    posture: str = "unknown"
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
    def diameters(self) -> tuple[tuple[date, float, str], ...]:
        """(day, mm, posture) of every dated diameter: what a plot draws."""
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
        """(day, outcome) of every dated visit."""
        return tuple((one.on, one.outcome) for one in self.entries if one.on is not None and one.outcome)


@dataclass(frozen=True, slots=True)
class Series:
    """Every target of a course over time."""

    lines: tuple[TargetLine, ...]
    days: tuple[tuple[date, str], ...]
    """(day, 'plan', 'session' or 'follow_up') of every dated event, in order."""
    volume_by_day: tuple[tuple[date, float], ...]
    """Sum of the volumes given on each day, mL, targets known or not."""
    basis: str
    """'from 2 studies found'."""

    def table(self) -> tuple[tuple[str, ...], ...]:
        """Rows of text for a table, the head first: a row for each target and day."""
        head = ("Target", "Day", "What", "Diameter mm", "Posture", "Outcome", "Volume given mL")
        return (head,)


def series_of(course: Course) -> Series:
    """The series of the studies of one patient (`record.open_course`)."""
    return Series((), (), (), course.basis)
