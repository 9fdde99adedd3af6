"""A session of treatment: what was given, where, and what was seen at once.

Nothing here has a default that is a medical decision; what was given is what
a person recorded, beside what had been planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from veinscan.plan.vocabulary import (
    Agent,
    Answer,
    CeapC,
    CeapE,
    CeapP,
    Checked,
    CompressionKind,
    ContraindicationItem,
    FoamMethod,
    Form,
    Gas,
    Guidance,
    ImmediateEvent,
    Indication,
    Legs,
    PatientPosition,
    Side,
    SkinPrep,
    Symptom,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaserSettings:
    """Settings of a percutaneous laser; light, so that no drug, volume or concentration belongs to it."""

    wavelength_nm: float | None = None
    spot_mm: float | None = None
    fluence_j_cm2: float | None = None
    pulse_ms: float | None = None
    passes: int | None = None
    cooling: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoamRecipe:
    """How a foam was made."""

    method: FoamMethod = FoamMethod.UNKNOWN
    gas: Gas = Gas.UNKNOWN
    liquid_parts: float | None = None
    gas_parts: float | None = None
    age_s: float | None = None
    """Seconds from making to injecting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """One injection that was given."""

    id: str
    """UID."""
    target_id: str = ""
    """Tracking UID of the target."""
    side: Side = Side.UNKNOWN
    product: str = ""
    """Profile in the table of thresholds, chosen by a person; empty where none was."""
    agent: Agent = Agent.UNKNOWN
    form: Form = Form.UNKNOWN
    concentration_percent: float | None = None
    volume_ml: float | None = None
    """Of what was injected: of the foam where it is foam."""
    planned_concentration_percent: float | None = None
    """What the plan of the target said when this was recorded."""
    planned_volume_ml: float | None = None
    foam: FoamRecipe | None = None
    lot: str = ""
    needle_gauge: int | None = None
    artery_checked: Checked = Checked.UNKNOWN
    confirmed_intravenous: Checked = Checked.UNKNOWN
    venospasm: Checked = Checked.UNKNOWN
    copied: bool = False
    """Its values were copied from another target's, not entered."""
    notes: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaserTreatment:
    """A target treated with a laser."""

    id: str
    """UID."""
    target_id: str = ""
    settings: LaserSettings | None = None
    notes: str = ""
    copied: bool = False
    """Its settings were copied from another target's, not entered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """What is worn after the treatment."""

    kind: CompressionKind = CompressionKind.UNKNOWN
    pressure_mmhg: float | None = None
    days: float | None = None
    """Prescribed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something seen at once."""

    event: ImmediateEvent
    target_id: str = ""
    details: str = ""
    onset_min: float | None = None
    """Minutes after the injection."""
    duration_min: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contraindication:
    """An item of the checklist, with what was said about it."""

    item: ContraindicationItem
    answer: Answer = Answer.NOT_ASKED
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceap:
    """CEAP 2020 of one leg; a description, not an outcome measure."""

    side: Side = Side.UNKNOWN
    clinical: CeapC | None = None
    symptomatic: Checked = Checked.UNKNOWN
    etiology: tuple[CeapE, ...] = ()
    anatomy: tuple[str, ...] = ()
    """As, Ad, Ap or An, and abbreviations of segments."""
    pathophysiology: CeapP | None = None
    investigation: int | None = None
    """Level: 1 office, 2 duplex or plethysmography, 3 invasive, CT or MR."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rvcss:
    """Revised Venous Clinical Severity Score of one leg: ten items from 0 to 3; None is not 0."""

    side: Side = Side.UNKNOWN
    pain: int | None = None
    varicose_veins: int | None = None
    oedema: int | None = None
    pigmentation: int | None = None
    inflammation: int | None = None
    induration: int | None = None
    ulcers: int | None = None
    ulcer_duration: int | None = None
    ulcer_size: int | None = None
    compression_use: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicalValues:
    """Dated values of the patient, as a session or follow-up recorded them."""

    on: date | None = None
    weight_kg: float | None = None
    ceap: tuple[Ceap, ...] = ()
    rvcss: tuple[Rvcss, ...] = ()
    contraindications: tuple[Contraindication, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatmentSession:
    """One session of treatment."""

    id: str
    """UID."""
    number: int | None = None
    """As counted by the clinic; over a course it is computed too."""
    planned_total: int | None = None
    on: date | None = None
    """Calendar day; drug sums are made over it."""
    operator: str = ""
    legs: Legs = Legs.UNKNOWN
    indication: Indication = Indication.UNKNOWN
    symptoms: tuple[Symptom, ...] = ()
    position: PatientPosition = PatientPosition.UNKNOWN
    skin_prep: SkinPrep = SkinPrep.UNKNOWN
    guidance: tuple[Guidance, ...] = ()
    consent_recorded: Checked = Checked.UNKNOWN
    product: str = ""
    """Profile in the table of thresholds that the clinician chose; there is no default."""
    injections: tuple[Injection, ...] = ()
    lasers: tuple[LaserTreatment, ...] = ()
    findings: tuple[Finding, ...] = ()
    """Immediate findings."""
    pain_score: int | None = None
    """0 to 10."""
    observation_min: float | None = None
    compression: Compression | None = None
    downtime_days: float | None = None
    next_due: date | None = None
    values: ClinicalValues | None = None
    notes: str = ""
    set_by: str = ""
    set_at: datetime | None = None
