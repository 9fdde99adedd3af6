"""The codes of the record: public ones where PS3.16 has them, else `99VEINSCAN`.

A code value is at most 16 characters (VR SH), a meaning at most 64 (VR LO).
Private values are never reused for another meaning.
"""

from __future__ import annotations

from veinscan.plan.model import (
    Checked,
    Decision,
    RejectReason,
    Side,
    TargetStatus,
    ValueSource,
)
from veinscan.plan.veins import VEINS
from veinscan.plan.vocabulary import MeasurementKind
from veinscan.record.tree import Concept

PRIVATE_SCHEME = "99VEINSCAN"


def _private(value: str, meaning: str) -> Concept:
    return Concept(value, PRIVATE_SCHEME, meaning)


# Document (TID 1500, TID 1410, TID 300, TID 1501)
REPORT_TITLE = Concept("126000", "DCM", "Imaging Measurement Report")
PROCEDURE = Concept("39036-9", "LN", "US Vein Report")
IMAGING_MEASUREMENTS = Concept("126010", "DCM", "Imaging Measurements")
MEASUREMENT_GROUP = Concept("125007", "DCM", "Measurement Group")
TRACKING_IDENTIFIER = Concept("112039", "DCM", "Tracking Identifier")
TRACKING_UID = Concept("112040", "DCM", "Tracking Unique Identifier")
FINDING = Concept("121071", "DCM", "Finding")
FINDING_SITE = Concept("363698007", "SCT", "Finding Site")
LATERALITY = Concept("272741003", "SCT", "Laterality")
MEASUREMENT_METHOD = Concept("370129005", "SCT", "Measurement Method")
IMAGE_REGION = Concept("111030", "DCM", "Image Region")
SOURCE = Concept("260753009", "SCT", "Source")
COMMENT = Concept("121106", "DCM", "Comment")
OBSERVER_NAME = Concept("121008", "DCM", "Person Observer Name")

# Units (UCUM)
MILLIMETRE = Concept("mm", "UCUM", "mm")
ONE = Concept("1", "UCUM", "no units")
PIXEL = Concept("{pixels}", "UCUM", "pixels")

# Findings
INJECTION_TARGET = _private("target", "Injection target")
REVIEWED_CANDIDATE = _private("candidate-review", "Reviewed candidate")

# Quantities
LUMEN_DIAMETER = Concept("397413000", "SCT", "Vessel lumen diameter")
VESSEL_DEPTH = Concept("413975003", "SCT", "Vessel depth from surface")
SEGMENT_LENGTH = Concept("414599003", "SCT", "Length of vessel segment")
SCORE = _private("score", "Candidate score")
ORDER = _private("order", "Order of injection")

SECOND = Concept("s", "UCUM", "s")
CENTIMETRE_A_SECOND = Concept("cm/s", "UCUM", "cm/s")
CALIPERS = {
    MeasurementKind.DISTANCE: (Concept("121206", "DCM", "Distance"), MILLIMETRE),
    MeasurementKind.DEPTH: (VESSEL_DEPTH, MILLIMETRE),
    MeasurementKind.DIAMETER: (LUMEN_DIAMETER, MILLIMETRE),
    MeasurementKind.TIME: (_private("time-interval", "Time between two columns of a strip"), SECOND),
    MeasurementKind.VELOCITY: (Concept("110828", "DCM", "Flow Velocity"), CENTIMETRE_A_SECOND),
}
"""Of what a person measured with calipers: concept and unit."""

# Properties
ARTERY_CHECKED = _private("artery-checked", "Artery near by looked for")
STATUS = _private("target-status", "Target status")
CANDIDATE_ID = _private("candidate-id", "Candidate identifier")
MARKED_BY = _private("marked-by", "Marked by")
MARKED_AT = _private("marked-at", "Marked at")
DECISION = _private("decision", "Reader decision")
REJECT_REASON = _private("reject-reason", "What the candidate is instead")
REVIEWED_BY = _private("reviewed-by", "Reviewed by")
REVIEWED_AT = _private("reviewed-at", "Reviewed at")
OUTLINED_BY = _private("outlined-by", "Outline drawn by")
OUTLINE = _private("outline", "Lumen outline")
COURSE = _private("outline-on-frame", "Lumen outline on another frame")
VEIN_NAME = _private("vein-name", "Vein as named by the reader")

# Region calibration
CALIBRATION = _private("calibration", "Region calibration")
REGION_BOX = (
    _private("region-row0", "First row of the calibrated region"),
    _private("region-column0", "First column of the calibrated region"),
    _private("region-row1", "Row after the calibrated region"),
    _private("region-column1", "Column after the calibrated region"),
)
ROW_SPACING = _private("row-spacing", "Height of a pixel")
COLUMN_SPACING = _private("column-spacing", "Width of a pixel")
SKIN_ROW = _private("skin-row", "Row of the skin line")

# The record as a whole
RECORD = _private("record", "veinscan record")
SCHEMA = _private("schema", "Schema version")
SAVE_VERSION = _private("save-version", "Number of the save")
ZONE = _private("utc-offset", "Offset from UTC")
SAVED_AT = _private("saved-at", "Saved at")
STUDY = _private("study", "Study that the record belongs to")
READING = _private("reading", "Reading")
PURPOSE = _private("purpose", "Purpose of the reading")
CANDIDATES_SHOWN = _private("candidates-shown", "Candidates shown to the reader")
CONFLICT = _private("conflict", "Conflict between two versions")
DIGEST = _private("content-sha256", "SHA-256 of the content")

YES = Concept("373066001", "SCT", "Yes")
NO = Concept("373067005", "SCT", "No")
UNKNOWN = Concept("261665006", "SCT", "Unknown")

CHECKED = {Checked.YES: YES, Checked.NO: NO, Checked.UNKNOWN: UNKNOWN}
SIDES = {Side.LEFT: Concept("7771000", "SCT", "Left"), Side.RIGHT: Concept("24028007", "SCT", "Right")}
STATUSES = {
    TargetStatus.PLANNED: _private("planned", "Planned"),
    TargetStatus.TREATED: _private("treated", "Treated"),
    TargetStatus.SKIPPED: _private("skipped", "Skipped"),
}
SOURCES = {
    ValueSource.CANDIDATE: _private("by-candidate", "Measured by the program on a candidate"),
    ValueSource.CLICK: _private("by-click", "Measured by the program where a person clicked"),
    ValueSource.CALIPER: _private("by-caliper", "Measured by a person with calipers"),
    ValueSource.ENTERED: _private("by-entry", "Entered by a person"),
}
DECISIONS = {
    Decision.VEIN: _private("is-vein", "A vein"),
    Decision.REJECTED: _private("rejected", "Not a vein to plan with"),
    Decision.UNREVIEWED: _private("unreviewed", "Not reviewed"),
}
REJECT_REASONS = {
    RejectReason.ARTERY: _private("artery", "Artery"),
    RejectReason.NERVE: _private("nerve", "Nerve"),
    RejectReason.LYMPH: _private("lymph", "Lymph vessel"),
    RejectReason.SHADOW: _private("shadow", "Shadow"),
    RejectReason.OTHER: _private("other", "Other"),
    RejectReason.UNSTATED: _private("unstated", "Not stated"),
}
PURPOSES = {
    "plan": _private("plan", "Plan of treatment"),
    "research": _private("research", "Research"),
    "adjudication": _private("adjudication", "Adjudication"),
}
YES_NO = {True: YES, False: NO}

LOWER_LIMB = Concept("61685007", "SCT", "Lower limb")
"""The site where only the side is known."""
OTHER_VEIN = _private("vein-other", "Vein, named in text")
"""A vein whose name is not in the table: its name is beside as text."""
VEIN_SITES = {
    vein.name: Concept(vein.sct, "SCT", vein.meaning or vein.display.capitalize())
    if vein.sct
    else _private(f"vein-{number:03d}", vein.display.capitalize())
    for number, vein in enumerate(VEINS, start=1)
}
