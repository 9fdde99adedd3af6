"""The parts of a report, plain text throughout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from veinscan.plan.model import InjectionTarget, Side
from veinscan.report.leg_map import LegMap
from veinscan.report.leg_map.drawing import LEGS

SCOPE = "For documentation and research, not for diagnosis or treatment decisions."
"""Stated purpose, on every page that leaves veinscan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom the report is about, as the header gives it."""

    name: str
    number: str
    """'ID 123', with the issuer where there is one."""
    born: str
    """ISO date, or empty."""

    def line(self) -> str:
        """Name, id and date of birth on one line."""
        return f"{self.name}  ·  {self.particulars('  ·  ')}"

    def particulars(self, between: str = ", ") -> str:
        """Id and date of birth."""
        return between.join([self.number, *([f"born {self.born}"] if self.born else [])])


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A target in the table of the procedure room; what is not known is an empty string."""

    target: InjectionTarget
    number: int
    side: str
    vein: str
    place: str
    """Distance to the landmark, else level and aspect."""
    diameter: str
    diameter_how: str
    depth: str
    depth_how: str
    modality: str
    product: str
    concentration: str
    volume: str
    more: str
    """Needle, guidance, the laser's settings."""
    status: str
    """Empty while it is planned."""
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningLine:
    """What a check found."""

    rule: str
    level: str
    sentence: str
    acknowledged: str = ""
    """'by whom, when: reason', else empty."""

    def words(self) -> str:
        """The whole line."""
        said = f"{self.level.capitalize()} {self.rule}: {self.sentence}"
        return f"{said} (acknowledged {self.acknowledged})" if self.acknowledged else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A small table."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[float, ...]
    """Shares of the page's width."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture with its words, or the reason why there is none."""

    caption: str
    alt: str
    """What it shows, for those who cannot see it."""
    jpeg: bytes = b""
    size: tuple[int, int] = (4, 3)
    """Columns and rows."""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSheet:
    """A target on the following pages."""

    number: int
    title: str
    shots: tuple[Shot, ...]
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A follow-up visit on the page."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Everything that a report says."""

    title: str
    person: Person
    study_uid: str
    study_line: str
    """Date and description."""
    record_line: str
    """Version, state and SR; that it was never saved."""
    version_line: str
    """The same in short, for the foot of every page."""
    saved_line: str
    """Who saved it and when."""
    marked_line: str
    printed_line: str
    mark: str
    """Across every page: 'DRAFT, not saved', 'WITHDRAWN'; else empty."""
    heads: tuple[str, ...]
    """SOP Instance UIDs of the saved versions it shows."""
    conflicts: tuple[str, ...]
    legs: LegMap
    map_note: str
    """Which numbers are estimated, and which targets are not on the map and why."""
    rows: tuple[Row, ...]
    close_ups: tuple[Shot, ...]
    """One for each row."""
    sums: str
    limits: tuple[str, ...]
    """Of the labels, each with its source."""
    warnings: tuple[WarningLine, ...]
    targets: tuple[TargetSheet, ...]
    visits: tuple[Visit, ...]
    comparison: Table | None
    """Of a follow-up: each target beside its baseline."""
    comparison_facts: tuple[tuple[str, str], ...]
    measurements: tuple[Table, ...]
    """Caliper and reflux measurements of the record."""
    computed_with: tuple[str, ...]
    """Profile and versions."""

    @property
    def head_facts(self) -> tuple[tuple[str, str], ...]:
        """Names and values at the head of the first page."""
        return (
            ("Study", self.study_line),
            ("Study UID", self.study_uid),
            ("Record", self.record_line),
            ("Saved by", self.saved_line),
            ("Marked by", self.marked_line),
            ("Printed", self.printed_line),
        )

    @property
    def foot(self) -> tuple[str, ...]:
        """Lines at the foot of every page, whose it is first: pages come apart."""
        by = f"Saved by {self.saved_line}" if self.heads else "Not saved"
        return (
            self.person.line(),
            f"Study {self.study_line}, {self.study_uid}  ·  {self.version_line}",
            f"{by}  ·  printed {self.printed_line}",
            f"{SCOPE}  {self.computed_with[0]} {self.computed_with[1]}",
        )

    @property
    def open_warnings(self) -> tuple[WarningLine, ...]:
        """Those that nobody acknowledged."""
        return tuple(one for one in self.warnings if not one.acknowledged)

    @property
    def sides(self) -> list[Side]:
        """The legs that are drawn: those with targets; both, to draw on by hand, where there are none."""
        here = {mark.side for mark in self.legs.marks} | {row.target.side for row in self.rows}
        return [side for side in LEGS if side in here] or list(LEGS)

    def texts(self) -> Iterator[str]:
        """Every text in it, to choose fonts by."""
        return _texts(self)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield str(value)
    elif isinstance(value, tuple):
        for one in value:
            yield from _texts(one)
    elif is_dataclass(value) and not isinstance(value, InjectionTarget):
        for field in fields(value):
            yield from _texts(getattr(value, field.name))
