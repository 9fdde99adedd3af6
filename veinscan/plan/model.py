"""The plan: what a reader decided and where to inject.

Plain frozen values; every edit makes a new one.  Nothing here proposes a
drug, a dose or a diagnosis, and nothing clinical has a default but 'unknown'.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from veinscan.plan.context import ClipCalibration, ClipContext, ClipSearch, ColourScale, StripCalibration
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.places import Calibration as Calibration
from veinscan.plan.places import Point as Point
from veinscan.plan.treatment import LaserSettings, TreatmentSession
from veinscan.plan.vocabulary import (
    Aspect,
    Compartment,
    Compressible,
    IsFeeder,
    Landmark,
    Level,
    MapView,
    MeasurementKind,
    Modality,
    Plane,
    Posture,
    RecordState,
    Segment,
    VeinClass,
    VesselType,
)
from veinscan.plan.vocabulary import Checked as Checked
from veinscan.plan.vocabulary import Side as Side
from veinscan.plan.vocabulary import ValueSource as ValueSource


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Who reads: in the SR the observer (TID 1002)."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
class InjectionTarget:
    """A place a clinician marked for injection: on one frame of one clip, on the leg map, or both.

    A target on the leg map alone has an empty `sop_instance_uid`, frame 0 and
    the point (0, 0), which then mean nothing (`has_place` is False).
    """

    id: str
    """Tracking UID: the same target keeps it through every version and study."""
    order: int
    """Place in the order of injection, from 1."""
    sop_instance_uid: str = ""
    """The clip; empty for a target on the leg map alone."""
    frame_index: int = 0
    """From 0."""
    point: Point = (0.0, 0.0)
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
    segment: Segment = Segment.UNKNOWN
    level: Level = Level.UNKNOWN
    aspect: Aspect = Aspect.UNKNOWN
    landmark: Landmark = Landmark.UNKNOWN
    landmark_cm: float | None = None
    """Distance from the landmark along the leg."""
    map_view: MapView = MapView.UNKNOWN
    map_point: Point | None = None
    """Place on the leg map: `(row, col)` in 0..1 of the drawing `map_view` of the leg `side`."""
    vein_class: VeinClass = VeinClass.UNKNOWN
    """Set by a person; the size rule only warns."""
    compartment: Compartment = Compartment.UNKNOWN
    vessel_type: VesselType = VesselType.UNKNOWN
    artery_distance_mm: float | None = None
    """To the nearest artery."""
    skin_entry: Point | None = None
    """Where the needle enters the skin, on the same frame."""
    plane: Plane = Plane.UNKNOWN
    posture: Posture = Posture.UNKNOWN
    """In which the diameter was measured."""
    compressible: Compressible = Compressible.NOT_TESTED
    feeds_text: str = ""
    """What it feeds, in a person's words."""
    feeds: tuple[str, ...] = ()
    """Tracking UIDs of the targets it feeds."""
    is_feeder: IsFeeder = IsFeeder.NOT_JUDGED
    """Set by a person only."""
    reflux: tuple[RefluxValue, ...] = ()
    flow: tuple[FlowValue, ...] = ()
    modality: Modality = Modality.UNKNOWN
    ultrasound_guided: Checked = Checked.UNKNOWN
    product: str = ""
    """Profile in the table of thresholds that the clinician chose; there is no default."""
    concentration_percent: float | None = None
    planned_volume_ml: float | None = None
    needle_gauge: int | None = None
    laser: LaserSettings | None = None
    candidate_settings: str = ""
    """Settings of the search that found the candidate, as JSON."""
    own: tuple[str, ...] = ()
    """Fields of its clip's context that a person set on the target itself; the others follow the clip."""

    @property
    def has_place(self) -> bool:
        """Whether it lies on a frame of a clip, not on the leg map alone."""
        return bool(self.sop_instance_uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineOnFrame:
    """Where a candidate was found again on another frame of its clip."""

    frame_index: int
    """From 0."""
    outline: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True, weakref_slot=True)
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
    outlined_by: str = ""
    """The reader who drew or changed the outline; empty where it is as the program found it."""
    course: tuple[OutlineOnFrame, ...] = ()
    """Its way through the clip where a reader had it followed: the other frames, ascending."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripScale:
    """The scale of a strip that a time, a velocity or a length down an M-mode was measured with."""

    box: tuple[int, int, int, int]
    """Half-open `(row0, col0, row1, col1)` of the strip."""
    time_step_s: float | None = None
    """Seconds a column."""
    velocity_step_cm_s: float | None = None
    """cm/s that the velocity grows by a row downwards: negative where towards the probe is up."""
    baseline_row: float | None = None
    """Whole-frame row of velocity zero."""
    calibrated_by: str = "region"
    """'region' (the file's) or 'clicks' (a person's)."""
    depth_step_mm: float | None = None
    """mm a row, on an M-mode strip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a person measured with calipers on one frame of a clip."""

    id: str
    """UID."""
    kind: MeasurementKind
    value: float
    """In `unit`, as it follows from the points and the scale kept beside it."""
    sop_instance_uid: str
    frame_index: int = 0
    """From 0."""
    point_a: Point
    """A depth's is at the skin, straight above the other."""
    point_b: Point | None = None
    """None for a velocity, which is read at one point."""
    calibration: Calibration | None = None
    """Of the picture; None for a time or a velocity."""
    strip: StripScale | None = None
    """Of the strip; None for a distance, a depth or a diameter, unless it was measured down an M-mode."""
    notes: str = ""
    set_by: str = ""
    set_at: datetime | None = None

    @property
    def unit(self) -> str:
        """'mm', 's' or 'cm/s', by its kind."""
        return {MeasurementKind.TIME: "s", MeasurementKind.VELOCITY: "cm/s"}.get(self.kind, "mm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reader's pass over a study; heads of the record merge only within a reading."""

    id: str
    """UID."""
    purpose: str = "plan"
    """'plan', 'research' or 'adjudication'."""
    candidates_shown: bool = True
    sources: tuple[str, ...] = ()
    """Ids of the readings that an adjudication decides between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """A person has seen a warning and goes on; it holds while the warning says the same."""

    rule: str
    subject: str
    """UID of the target, session, follow-up or clip it is about; empty for the record."""
    sentence: str
    """What the warning said."""
    reason: str = ""
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatus:
    """Whether a version is work in progress, final, amended or withdrawn, and by whom."""

    state: RecordState = RecordState.SAVED
    set_by: str = ""
    set_at: datetime | None = None
    reason: str = ""
    """Of an amendment or a withdrawal."""


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
    contexts: tuple[ClipContext, ...] = ()
    searches: tuple[ClipSearch, ...] = ()
    calibrations: tuple[ClipCalibration, ...] = ()
    strip_calibrations: tuple[StripCalibration, ...] = ()
    colour_scales: tuple[ColourScale, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    sessions: tuple[TreatmentSession, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    status: RecordStatus = field(default=RecordStatus())
    read_only: str = ""
    """Why it must not be saved over (a newer schema), else empty."""
