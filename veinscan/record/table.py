"""Which field of the model is which content item: one line for each field.

A field added to the model needs a line here (a test fails without it) and,
where older programs would lose it, a higher `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from veinscan.plan.context import ClipCalibration, ClipContext, ClipSearch
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import (
    Acknowledgement,
    Calibration,
    CandidateReview,
    InjectionTarget,
    Reading,
    RecordStatus,
)
from veinscan.plan.treatment import LaserSettings, TreatmentSession
from veinscan.plan.vocabulary import (
    Aspect,
    Checked,
    Compartment,
    Compressible,
    IsFeeder,
    Landmark,
    Level,
    MapView,
    Modality,
    Plane,
    Posture,
    Segment,
    VeinClass,
    VesselType,
)
from veinscan.record import concepts as c
from veinscan.record.auto import codes_of, concept_of, table, unit_of
from veinscan.record.fields import (
    HAS_CONTEXT,
    Coded,
    Field,
    Nested,
    Number,
    Outline,
    Place,
    Site,
    Table,
    Text,
    Tuple,
    Uid,
    When,
)
from veinscan.record.kinds import Code, Many, Pair, Spot, Texts, Uids
from veinscan.record.tree import Concept, Item

SCHEMA = 2
"""Written into every save.  A record of a higher one opens read-only."""


def _finding(concept: Concept) -> Item:
    return Item("CODE", "CONTAINS", c.FINDING, concept)


CALIBRATION = Table(
    Calibration,
    (
        Tuple("box", c.REGION_BOX, c.PIXEL, whole=True),
        Tuple("spacing_mm", (c.ROW_SPACING, c.COLUMN_SPACING), c.MILLIMETRE),
        Number("skin_row", c.SKIN_ROW, c.PIXEL, required=True),
    ),
)

MAP_POINT = (
    Concept("map-row", c.PRIVATE_SCHEME, "Place on the leg map, down, 0 to 1"),
    Concept("map-column", c.PRIVATE_SCHEME, "Place on the leg map, across, 0 to 1"),
)
POINT_A = (
    Concept("point-a-row", c.PRIVATE_SCHEME, "Row of the first point"),
    Concept("point-a-column", c.PRIVATE_SCHEME, "Column of the first point"),
)
POINT_B = (
    Concept("point-b-row", c.PRIVATE_SCHEME, "Row of the second point"),
    Concept("point-b-column", c.PRIVATE_SCHEME, "Column of the second point"),
)


def _code(name: str, kind: type[StrEnum]) -> Field:
    return Code(name, concept_of(name), codes_of(kind), kind("unknown"))


def _number(name: str) -> Field:
    return Number(name, concept_of(name), unit_of(name))


TARGET = Table(
    InjectionTarget,
    (
        Uid("id", c.TRACKING_UID, HAS_CONTEXT),
        Site("vein", "side"),
        Number("diameter_mm", c.LUMEN_DIAMETER, c.MILLIMETRE, source="diameter_source"),
        Number("depth_mm", c.VESSEL_DEPTH, c.MILLIMETRE, source="depth_source"),
        Number("length_mm", c.SEGMENT_LENGTH, c.MILLIMETRE),
        Number("order", c.ORDER, c.ONE, whole=True, required=True),
        Coded("status", c.STATUS, c.STATUSES),
        Coded("artery_checked", c.ARTERY_CHECKED, c.CHECKED),
        Text("notes", c.COMMENT),
        Place("sop_instance_uid", "frame_index", "point", optional=True),
        Outline("outline", c.OUTLINE),
        Nested("calibration", c.CALIBRATION, CALIBRATION),
        Text("candidate_id", c.CANDIDATE_ID, empty=None),
        Number("candidate_score", c.SCORE, c.ONE),
        Text("marked_by", c.MARKED_BY),
        When("marked_at", c.MARKED_AT),
        _code("segment", Segment),
        _code("level", Level),
        _code("aspect", Aspect),
        _code("landmark", Landmark),
        _number("landmark_cm"),
        _code("map_view", MapView),
        Pair("map_point", MAP_POINT, c.ONE),
        _code("vein_class", VeinClass),
        _code("compartment", Compartment),
        _code("vessel_type", VesselType),
        _number("artery_distance_mm"),
        Spot("skin_entry", concept_of("skin_entry")),
        _code("plane", Plane),
        _code("posture", Posture),
        Code("compressible", concept_of("compressible"), codes_of(Compressible), Compressible.NOT_TESTED),
        Text("feeds_text", concept_of("feeds_text")),
        Uids("feeds", concept_of("feeds"), many=True),
        Code("is_feeder", concept_of("is_feeder"), codes_of(IsFeeder), IsFeeder.NOT_JUDGED),
        Many("reflux", concept_of("reflux"), table(RefluxValue)),
        Many("flow", concept_of("flow"), table(FlowValue)),
        _code("modality", Modality),
        _code("ultrasound_guided", Checked),
        Text("product", concept_of("product")),
        _number("concentration_percent"),
        _number("planned_volume_ml"),
        Number("needle_gauge", concept_of("needle_gauge"), c.ONE, whole=True),
        Nested("laser", concept_of("laser"), table(LaserSettings)),
        Text("candidate_settings", concept_of("candidate_settings")),
        Texts("own", concept_of("own")),
    ),
    (_finding(c.INJECTION_TARGET),),
)

REVIEW = Table(
    CandidateReview,
    (
        Text("candidate_id", c.CANDIDATE_ID),
        Number("diameter_mm", c.LUMEN_DIAMETER, c.MILLIMETRE),
        Number("depth_mm", c.VESSEL_DEPTH, c.MILLIMETRE),
        Number("score", c.SCORE, c.ONE, required=True),
        Coded("decision", c.DECISION, c.DECISIONS),
        Coded("reason", c.REJECT_REASON, c.REJECT_REASONS),
        Place("sop_instance_uid", "frame_index", "centre"),
        Outline("outline", c.OUTLINE),
        Text("reviewed_by", c.REVIEWED_BY),
        When("reviewed_at", c.REVIEWED_AT),
    ),
    (_finding(c.REVIEWED_CANDIDATE),),
)

READING = Table(
    Reading,
    (
        Uid("id", c.READING),
        Coded("purpose", c.PURPOSE, c.PURPOSES),
        Coded("candidates_shown", c.CANDIDATES_SHOWN, c.YES_NO),
    ),
)

CONTEXT = table(ClipContext)
SEARCH = table(ClipSearch)
CLIP_CALIBRATION = table(
    ClipCalibration,
    box=Tuple("box", c.REGION_BOX, c.PIXEL, whole=True),
    spacing_mm=Tuple("spacing_mm", (c.ROW_SPACING, c.COLUMN_SPACING), c.MILLIMETRE),
    point_a=Tuple("point_a", POINT_A, c.PIXEL),
    point_b=Tuple("point_b", POINT_B, c.PIXEL),
)
SESSION = table(TreatmentSession)
FOLLOW_UP = table(FollowUp)
ACKNOWLEDGEMENT = table(Acknowledgement, subject=Uids("subject", concept_of("subject")))
STATUS = table(RecordStatus)


@dataclass(frozen=True, slots=True)
class Part:
    """A tuple of the record whose members have an identity."""

    attribute: str
    concept: Concept
    table: Table
    key: Callable[[Any], Any]
    label: Callable[[Any], str]


PARTS: tuple[Part, ...] = (
    Part("contexts", concept_of("contexts"), CONTEXT, lambda one: one.sop_instance_uid,
         lambda one: "place of a clip on the leg"),
    Part("searches", concept_of("searches"), SEARCH, lambda one: one.sop_instance_uid,
         lambda one: "search of a clip"),
    Part("calibrations", concept_of("calibrations"), CLIP_CALIBRATION,
         lambda one: (one.sop_instance_uid, one.box), lambda one: "calibration of a clip"),
    Part("sessions", concept_of("sessions"), SESSION, lambda one: one.id,
         lambda one: f"session of {one.on or 'unknown day'}"),
    Part("follow_ups", concept_of("follow_ups"), FOLLOW_UP, lambda one: one.id,
         lambda one: f"follow-up of {one.on or 'unknown day'}"),
    Part("acknowledgements", concept_of("acknowledgements"), ACKNOWLEDGEMENT,
         lambda one: (one.rule, one.subject, one.sentence),
         lambda one: f"acknowledgement of {one.rule}"),
)  # fmt: skip
"""Parts of a record beside targets and verdicts, each with what tells its members apart."""

TABLES = {
    "target": TARGET,
    "review": REVIEW,
    "reading": READING,
    "status": STATUS,
    **{part.attribute: part.table for part in PARTS},
}
