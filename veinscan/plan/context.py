"""What a reader says of whole clips: place on the leg, how far it was searched, a calibration by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from veinscan.plan.vocabulary import Aspect, Landmark, Level, Manoeuvre, Plane, Posture, Searched, Side

INHERITED = ("side", "vein", "level", "aspect", "posture", "plane", "landmark", "landmark_cm")
"""Fields of a clip's context that its targets take over until a person sets them on the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipContext:
    """Where on the leg a clip was taken and how.  Set by a person; unknown until then."""

    sop_instance_uid: str
    side: Side = Side.UNKNOWN
    vein: str = "unknown"
    """As for a target."""
    level: Level = Level.UNKNOWN
    aspect: Aspect = Aspect.UNKNOWN
    posture: Posture = Posture.UNKNOWN
    manoeuvre: Manoeuvre = Manoeuvre.UNKNOWN
    plane: Plane = Plane.UNKNOWN
    landmark: Landmark = Landmark.UNKNOWN
    landmark_cm: float | None = None
    """Distance from the landmark along the leg."""
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSearch:
    """How far a reader looked through a clip, so that 'no vein here' can be told from 'nobody looked'."""

    sop_instance_uid: str
    searched: Searched = Searched.UNKNOWN
    notes: str = ""
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipCalibration:
    """A calibration of one region by two clicks a known distance apart."""

    sop_instance_uid: str
    box: tuple[int, int, int, int]
    """Half-open `(row0, col0, row1, col1)` of the region."""
    spacing_mm: tuple[float, float]
    """`(row, col)`, as it follows from the two points."""
    point_a: tuple[float, float]
    """`(row, col)` in whole-frame pixels."""
    point_b: tuple[float, float]
    known_mm: float
    """The distance between the two points that the reader knows."""
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourScale:
    """The scale of a clip's colour bar as a reader gave it: what stands at its two ends."""

    sop_instance_uid: str
    box: tuple[int, int, int, int]
    """Half-open `(row0, col0, row1, col1)` of the bar."""
    top: float
    """Value at its upper end, in `unit`; towards the probe is positive."""
    bottom: float
    unit: str = "cm/s"
    """'cm/s' or 'kHz'."""
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StripCalibration:
    """A calibration of a spectral strip by two clicks on its burned-in axes."""

    sop_instance_uid: str
    box: tuple[int, int, int, int]
    """Half-open `(row0, col0, row1, col1)` of the strip, without its labels."""
    point_a: tuple[float, float]
    """`(row, col)` in whole-frame pixels."""
    point_b: tuple[float, float]
    value_a: float
    """Velocity or frequency that the axis says at `point_a`, in `unit`; towards the probe is positive."""
    value_b: float
    time_a_s: float
    """Time that the axis says at `point_a`; may count from anywhere."""
    time_b_s: float
    unit: str = "cm/s"
    """'cm/s' or 'Hz'."""
    wrap_column: int | None = None
    """Whole-frame column at which a sweeping strip is written, where the reader set it."""
    set_by: str = ""
    set_at: datetime | None = None
