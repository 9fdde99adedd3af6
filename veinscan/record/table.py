"""Which field of the model is which content item: one line for each field.

A field added to the model needs a line here (a test fails without it) and,
where older programs would lose it, a higher `SCHEMA`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from veinscan.plan.context import ClipCalibration, ClipContext, ClipSearch, ColourScale, StripCalibration
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.model import (
    Acknowledgement,
    Calibration,
    CandidateReview,
    InjectionTarget,
    Measurement,
    Reading,
    RecordStatus,
    StripScale,
)
from veinscan.plan.places import BaselinePlace, ImagePlace
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
from veinscan.record.fields import HAS_CONTEXT, Field, Table
from veinscan.record.kinds import (
    Number,
    Numbers,
    Place,
    Site,
    Sort,
    code,
    course,
    many,
    moment,
    nested,
    optional_uid,
    outline,
    repeated_uid,
    required_code,
    spot,
    text,
    texts,
    uid,
    uids,
)
from veinscan.record.tree import Concept, Item

SCHEMA = 4
"""Written into every save.  A record of a higher one opens read-only."""


def _finding(concept: Concept) -> Item:
    return Item("CODE", "CONTAINS", c.FINDING, concept)


CALIBRATION = Table(
    Calibration,
    (
        Numbers("box", c.REGION_BOX, c.PIXEL, whole=True),
        Numbers("spacing_mm", (c.ROW_SPACING, c.COLUMN_SPACING), c.MILLIMETRE),
        Number("skin_row", c.SKIN_ROW, c.PIXEL, required=True),
    ),
)

MAP_POINT = (
    Concept("map-row", c.PRIVATE_SCHEME, "Place on the leg map, down, 0 to 1"),
    Concept("map-column", c.PRIVATE_SCHEME, "Place on the leg map, across, 0 to 1"),
)
BAR_TOP = Concept("bar-top", c.PRIVATE_SCHEME, "Value at the upper end of the colour bar")
BAR_BOTTOM = Concept("bar-bottom", c.PRIVATE_SCHEME, "Value at the lower end of the colour bar")
POINT_A = (
    Concept("point-a-row", c.PRIVATE_SCHEME, "Row of the first point"),
    Concept("point-a-column", c.PRIVATE_SCHEME, "Column of the first point"),
)
POINT_B = (
    Concept("point-b-row", c.PRIVATE_SCHEME, "Row of the second point"),
    Concept("point-b-column", c.PRIVATE_SCHEME, "Column of the second point"),
)


def _code(name: str, kind: type[StrEnum]) -> Field:
    return code(name, concept_of(name), codes_of(kind), kind("unknown"))


def _number(name: str) -> Field:
    return Number(name, concept_of(name), unit_of(name))


TARGET = Table(
    InjectionTarget,
    (
        uid("id", c.TRACKING_UID, HAS_CONTEXT),
        Site(),
        Number("diameter_mm", c.LUMEN_DIAMETER, c.MILLIMETRE, source="diameter_source"),
        Number("depth_mm", c.VESSEL_DEPTH, c.MILLIMETRE, source="depth_source"),
        Number("length_mm", c.SEGMENT_LENGTH, c.MILLIMETRE),
        Number("order", c.ORDER, c.ONE, whole=True, required=True),
        required_code("status", c.STATUS, c.STATUSES),
        required_code("artery_checked", c.ARTERY_CHECKED, c.CHECKED),
        text("notes", c.COMMENT),
        Place(optional=True),
        outline("outline", c.OUTLINE),
        nested("calibration", c.CALIBRATION, CALIBRATION),
        text("candidate_id", c.CANDIDATE_ID, empty=None),
        Number("candidate_score", c.SCORE, c.ONE),
        text("marked_by", c.MARKED_BY),
        moment("marked_at", c.MARKED_AT),
        _code("segment", Segment),
        _code("level", Level),
        _code("aspect", Aspect),
        _code("landmark", Landmark),
        _number("landmark_cm"),
        _code("map_view", MapView),
        Numbers("map_point", MAP_POINT, c.ONE, optional=True),
        _code("vein_class", VeinClass),
        _code("compartment", Compartment),
        _code("vessel_type", VesselType),
        _number("artery_distance_mm"),
        spot("skin_entry", concept_of("skin_entry")),
        _code("plane", Plane),
        _code("posture", Posture),
        code("compressible", concept_of("compressible"), codes_of(Compressible), Compressible.NOT_TESTED),
        text("feeds_text", concept_of("feeds_text")),
        uids("feeds", concept_of("feeds")),
        code("is_feeder", concept_of("is_feeder"), codes_of(IsFeeder), IsFeeder.NOT_JUDGED),
        many("reflux", concept_of("reflux"), table(RefluxValue)),
        many("flow", concept_of("flow"), table(FlowValue)),
        _code("modality", Modality),
        _code("ultrasound_guided", Checked),
        text("product", concept_of("product")),
        _number("concentration_percent"),
        _number("planned_volume_ml"),
        Number("needle_gauge", concept_of("needle_gauge"), c.ONE, whole=True),
        nested("laser", concept_of("laser"), table(LaserSettings)),
        text("candidate_settings", concept_of("candidate_settings")),
        texts("own", concept_of("own")),
    ),
    (_finding(c.INJECTION_TARGET),),
)

REVIEW = Table(
    CandidateReview,
    (
        text("candidate_id", c.CANDIDATE_ID),
        Number("diameter_mm", c.LUMEN_DIAMETER, c.MILLIMETRE),
        Number("depth_mm", c.VESSEL_DEPTH, c.MILLIMETRE),
        Number("score", c.SCORE, c.ONE, required=True),
        required_code("decision", c.DECISION, c.DECISIONS),
        required_code("reason", c.REJECT_REASON, c.REJECT_REASONS),
        Place("centre"),
        outline("outline", c.OUTLINE),
        text("reviewed_by", c.REVIEWED_BY),
        moment("reviewed_at", c.REVIEWED_AT),
        text("outlined_by", c.OUTLINED_BY),
        course("course", c.COURSE),
    ),
    (_finding(c.REVIEWED_CANDIDATE),),
)

READING = Table(
    Reading,
    (
        uid("id", c.READING),
        required_code("purpose", c.PURPOSE, c.PURPOSES),
        required_code("candidates_shown", c.CANDIDATES_SHOWN, c.YES_NO),
        uids("sources", concept_of("sources")),
    ),
)

CONTEXT = table(ClipContext)
SEARCH = table(ClipSearch)
CLIP_CALIBRATION = table(
    ClipCalibration,
    box=Numbers("box", c.REGION_BOX, c.PIXEL, whole=True),
    spacing_mm=Numbers("spacing_mm", (c.ROW_SPACING, c.COLUMN_SPACING), c.MILLIMETRE),
    point_a=Numbers("point_a", POINT_A, c.PIXEL),
    point_b=Numbers("point_b", POINT_B, c.PIXEL),
)
STRIP_CALIBRATION = table(
    StripCalibration,
    box=Numbers("box", c.REGION_BOX, c.PIXEL, whole=True),
    point_a=Numbers("point_a", POINT_A, c.PIXEL),
    point_b=Numbers("point_b", POINT_B, c.PIXEL),
)
COLOUR_SCALE = table(
    ColourScale,
    box=Numbers("box", c.REGION_BOX, c.PIXEL, whole=True),
    top=Number("top", BAR_TOP, c.ONE, required=True),
    bottom=Number("bottom", BAR_BOTTOM, c.ONE, required=True),
)
STRIP_SCALE = table(
    StripScale,
    box=Numbers("box", c.REGION_BOX, c.PIXEL, whole=True),
    baseline_row=Number("baseline_row", concept_of("baseline_row"), c.PIXEL),
)
MEASUREMENT = table(
    Measurement,
    kind=Sort("kind", "value", c.CALIPERS),
    sop_instance_uid=Place("point_a"),
    point_b=spot("point_b", Concept("point-b", c.PRIVATE_SCHEME, "Second point of the measurement")),
    calibration=nested("calibration", c.CALIBRATION, CALIBRATION),
    strip=nested("strip", concept_of("strip"), STRIP_SCALE),
)
SESSION = table(TreatmentSession)
PLACE = table(
    ImagePlace,
    sop_instance_uid=Place(),
    outline=outline("outline", c.OUTLINE),
    calibration=nested("calibration", c.CALIBRATION, CALIBRATION),
)
BASELINE = table(BaselinePlace, sop_instance_uid=Place())
_OUTCOME = table(
    TargetOutcome,
    place=nested("place", concept_of("place"), PLACE),
    baseline=nested("baseline", concept_of("baseline"), BASELINE),
)
# other software follows a finding from study to study by (112040, DCM), as in TID 1501
OUTCOME = Table(TargetOutcome, (repeated_uid("target_id", c.TRACKING_UID), *_OUTCOME.fields))
FOLLOW_UP = table(FollowUp, outcomes=many("outcomes", concept_of("outcomes"), OUTCOME))
ACKNOWLEDGEMENT = table(Acknowledgement, subject=optional_uid("subject", concept_of("subject")))
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
    Part("strip_calibrations", concept_of("strip_calibrations"), STRIP_CALIBRATION,
         lambda one: (one.sop_instance_uid, one.box), lambda one: "calibration of a strip"),
    Part("colour_scales", concept_of("colour_scales"), COLOUR_SCALE, lambda one: one.sop_instance_uid,
         lambda one: "scale of a colour bar"),
    Part("measurements", concept_of("measurements"), MEASUREMENT, lambda one: one.id,
         lambda one: f"{one.kind} with calipers"),
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
