"""What was found after treatment, and what a person decided then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.places import BaselinePlace, ImagePlace
from veinscan.plan.treatment import ClinicalValues
from veinscan.plan.vocabulary import (
    Checked,
    Compartment,
    ComplicationKind,
    Compressible,
    Course,
    DeepVeins,
    JunctionClass,
    Landmark,
    NextStep,
    Outcome,
    Posture,
    Rater,
    Severity,
    Side,
    ValueSource,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetOutcome:
    """What became of one target."""

    target_id: str
    """Tracking UID."""
    outcome: Outcome = Outcome.NOT_ASSESSED
    diameter_mm: float | None = None
    diameter_source: ValueSource | None = None
    posture: Posture = Posture.UNKNOWN
    landmark: Landmark = Landmark.UNKNOWN
    landmark_cm: float | None = None
    compressible: Compressible = Compressible.NOT_TESTED
    treated_length_cm: float | None = None
    occluded_length_cm: float | None = None
    reflux: RefluxValue | None = None
    recurrence: Checked = Checked.UNKNOWN
    notes: str = ""
    set_by: str = ""
    place: ImagePlace | None = None
    """Where it was seen in the follow-up study; None where nobody marked it."""
    depth_mm: float | None = None
    """Skin to the near wall."""
    depth_source: ValueSource | None = None
    compartment: Compartment = Compartment.UNKNOWN
    flow: tuple[FlowValue, ...] = ()
    baseline: BaselinePlace | None = None
    """Where the target was marked in the study that is compared with; None for a target on the leg map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepVeinFinding:
    """What was found in one deep vein."""

    vein: str
    """International name, or 'unknown'."""
    side: Side = Side.UNKNOWN
    extent: str = ""
    compressible: Compressible = Compressible.NOT_TESTED
    occlusive: Checked = Checked.UNKNOWN
    symptomatic: Checked = Checked.UNKNOWN
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complication:
    """A complication or side effect."""

    kind: ComplicationKind
    target_id: str = ""
    site: str = ""
    size_mm: float | None = None
    severity: Severity = Severity.UNKNOWN
    course: Course = Course.UNKNOWN
    onset_on: date | None = None
    resolved_on: date | None = None
    action: str = ""
    shade: int | None = None
    """Of a pigmentation, 0 to 3."""
    onset_min: float | None = None
    """Minutes after the injection, of what began at once (visual, neurological)."""
    duration_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evacuation:
    """Evacuation of trapped blood."""

    done: Checked = Checked.UNKNOWN
    on: date | None = None
    sites: tuple[str, ...] = ()
    volume_ml: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """One visit after treatment."""

    id: str
    """UID."""
    session_ids: tuple[str, ...] = ()
    """Sessions it looks back on."""
    on: date | None = None
    duplex_done: Checked = Checked.UNKNOWN
    posture: Posture = Posture.UNKNOWN
    baseline_study_uid: str = ""
    baseline_record_uids: tuple[str, ...] = ()
    """SOP Instance UIDs of the saved version(s) of the baseline's record that it was compared with."""
    outcomes: tuple[TargetOutcome, ...] = ()
    deep_veins: DeepVeins = DeepVeins.NOT_EXAMINED
    deep_veins_action: str = ""
    deep_vein_findings: tuple[DeepVeinFinding, ...] = ()
    junction_class: JunctionClass = JunctionClass.NOT_ASSESSED
    junction_action: str = ""
    junction_stump_mm: float | None = None
    """Open length from the junction to the closed part."""
    complications: tuple[Complication, ...] = ()
    evacuation: Evacuation | None = None
    appearance_percent: int | None = None
    """Change of appearance, -100 to 100, in steps of 5."""
    rater: Rater = Rater.UNKNOWN
    before_photo: Checked = Checked.UNKNOWN
    photos: tuple[str, ...] = ()
    """UIDs or names of pictures kept elsewhere."""
    satisfaction: int | None = None
    """0 to 10."""
    compression_worn_days: float | None = None
    values: ClinicalValues | None = None
    next_step: NextStep = NextStep.UNKNOWN
    """A person's plan."""
    next_step_text: str = ""
    notes: str = ""
    set_by: str = ""
    set_at: datetime | None = None
