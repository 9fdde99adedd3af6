"""Which field of the model is which content item: one line for each field.

A field added to the model needs a line here (a test fails without it) and,
where older programs would lose it, a higher `SCHEMA`.
"""

from __future__ import annotations

from veinscan.plan.model import Calibration, CandidateReview, InjectionTarget, Reading
from veinscan.record import concepts as c
from veinscan.record.fields import (
    HAS_CONTEXT,
    Coded,
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
from veinscan.record.tree import Concept, Item

SCHEMA = 1
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
        Place("sop_instance_uid", "frame_index", "point"),
        Outline("outline", c.OUTLINE),
        Nested("calibration", c.CALIBRATION, CALIBRATION),
        Text("candidate_id", c.CANDIDATE_ID, empty=None),
        Number("candidate_score", c.SCORE, c.ONE),
        Text("marked_by", c.MARKED_BY),
        When("marked_at", c.MARKED_AT),
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
