"""The plan: what a reader decided and where to inject.

Plain frozen values; every edit makes a new one.  Nothing here proposes a
drug, a dose or a diagnosis, and nothing clinical has a default but 'unknown'.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Point = tuple[float, float]
"""`(row, col)`, each exactly representable as float32 (SR GraphicData is float32)."""


class Side(StrEnum):
    """Which leg."""

    LEFT = "left"
    RIGHT = "right"
    UNKNOWN = "unknown"


class Checked(StrEnum):
    """Whether a person did a check; 'unknown' is not 'no'."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Decision(StrEnum):
    """A reader's verdict on a candidate: what it is, never that it will be treated."""

    VEIN = "vein"
    REJECTED = "rejected"
    UNREVIEWED = "unreviewed"


class RejectReason(StrEnum):
    """What a rejected candidate is instead."""

    ARTERY = "artery"
    NERVE = "nerve"
    LYMPH = "lymph"
    SHADOW = "shadow"
    OTHER = "other"
    UNSTATED = "unstated"


class TargetStatus(StrEnum):
    """Where a target stands in the course of treatment."""

    PLANNED = "planned"
    TREATED = "treated"
    SKIPPED = "skipped"


class ValueSource(StrEnum):
    """Where a measured number comes from."""

    CANDIDATE = "candidate"
    """Measured by the program on a candidate."""
    CLICK = "click"
    """Measured by the program in the lumen a person clicked."""
    CALIPER = "caliper"
    """Measured by a person with two clicks."""
    ENTERED = "entered"
    """Typed by a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads: in the SR the observer (TID 1002)."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The region calibration a position was measured with (millimetres are derived from it)."""

    box: tuple[int, int, int, int]
    """Half-open `(row0, col0, row1, col1)` of the region."""
    spacing_mm: tuple[float, float]
    skin_row: float
    """Whole-frame row from which depth is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectionTarget:
    """A place a clinician marked for injection, on one frame of one clip."""

    id: str
    """Tracking UID: the same target keeps it through every version and study."""
    order: int
    """Place in the order of injection, from 1."""
    sop_instance_uid: str
    frame_index: int
    """From 0."""
    point: Point
    outline: tuple[Point, ...] = ()
    """Lumen outline on that frame; empty where none was drawn or fitted."""
    calibration: Calibration | None = None
    """None on a clip without usable calibration; mm values are then None or typed."""
    side: Side = Side.UNKNOWN
    vein: str = "unknown"
    """International name (GSV, SSV, AASV, tributary, reticular, perforator ...) or 'unknown'."""
    diameter_mm: float | None = None
    diameter_source: ValueSource | None = None
    depth_mm: float | None = None
    """Skin to the near wall."""
    depth_source: ValueSource | None = None
    length_mm: float | None = None
    artery_checked: Checked = Checked.UNKNOWN
    status: TargetStatus = TargetStatus.PLANNED
    notes: str = ""
    candidate_id: str | None = None
    """The candidate it came from, with the program's score."""
    candidate_score: float | None = None
    marked_by: str = ""
    """Reader's name."""
    marked_at: datetime | None = None
    """With time zone, whole seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateReview:
    """A reader's verdict on one candidate, with enough of it to be a label later."""

    candidate_id: str
    sop_instance_uid: str
    frame_index: int
    """The candidate's best frame."""
    centre: Point
    outline: tuple[Point, ...]
    diameter_mm: float | None
    depth_mm: float | None
    score: float
    decision: Decision
    reason: RejectReason | None = None
    """Only with `Decision.REJECTED`."""
    reviewed_by: str = ""
    reviewed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reader's pass over a study; heads of the record merge only within a reading."""

    id: str
    """UID."""
    purpose: str = "plan"
    """'plan', 'research' or 'adjudication'."""
    candidates_shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything veinscan knows about a study beyond its pictures."""

    reading: Reading
    targets: tuple[InjectionTarget, ...] = ()
    """In order of injection."""
    reviews: tuple[CandidateReview, ...] = ()
    version: int = 0
    """0 before the first save; then how many saves lie on the longest chain behind it."""
    heads: tuple[str, ...] = field(default=())
    """SOP Instance UIDs of the version(s) it was read from: the predecessors of the next save."""
    conflicts: tuple[str, ...] = field(default=())
    """Fields that two heads changed differently, one sentence each; empty when there is one head."""
    read_only: str = ""
    """Why it must not be saved over (a newer schema), else empty."""
