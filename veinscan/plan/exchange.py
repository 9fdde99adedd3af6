"""The plan as a JSON file: written whole, read strictly.

It is for exchange, not a second record: what is imported becomes part of the
record by a save.  The schema is published as `plan.schema.json` beside this
module.  A file is refused as a whole where one value in it is not usable.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from veinscan.errors import InvalidInputError
from veinscan.plan.as_json import plain
from veinscan.plan.context import ClipCalibration, ClipContext, ClipSearch, ColourScale, StripCalibration
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.geometry import checked_frame, checked_point
from veinscan.plan.measuring import check_measurement
from veinscan.plan.model import (
    Acknowledgement,
    CandidateReview,
    InjectionTarget,
    Measurement,
    Record,
    RecordStatus,
)
from veinscan.plan.normal import normalised
from veinscan.plan.signing import check_editable
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.values import LIMITS, check, parsed

SCHEMA = 2
MAX_BYTES = 16 * 2**20
"""No plan is that long."""
MAX_MEMBERS = 10_000
"""Most targets, verdicts or other members of one kind in a file."""

_KEYS: dict[str, Any] = {
    "targets": lambda one: one.id,
    "reviews": lambda one: (one.sop_instance_uid, one.candidate_id),
    "contexts": lambda one: one.sop_instance_uid,
    "searches": lambda one: one.sop_instance_uid,
    "calibrations": lambda one: (one.sop_instance_uid, one.box),
    "strip_calibrations": lambda one: (one.sop_instance_uid, one.box),
    "colour_scales": lambda one: one.sop_instance_uid,
    "measurements": lambda one: one.id,
    "sessions": lambda one: one.id,
    "follow_ups": lambda one: one.id,
    "acknowledgements": lambda one: (one.rule, one.subject, one.sentence),
}


class PlanFile(BaseModel):
    """A plan as a file.  Numbers carry their unit in the name; points are [row, col]; frames count from 0."""

    model_config = ConfigDict(
        extra="forbid", strict=True, allow_inf_nan=False, frozen=True, title="veinscan plan"
    )

    format: Literal["veinscan-plan"]
    schema_version: Literal[2] = Field(alias="schema")
    study_instance_uid: str = Field(max_length=64)
    version: int = 0
    """Of the record it was exported from; not imported."""
    heads: tuple[str, ...] = ()
    """Of that record; not imported."""
    status: RecordStatus = RecordStatus()
    """Of that record; not imported: a person finalises."""
    targets: tuple[InjectionTarget, ...] = Field(default=(), max_length=MAX_MEMBERS)
    reviews: tuple[CandidateReview, ...] = Field(default=(), max_length=MAX_MEMBERS)
    contexts: tuple[ClipContext, ...] = Field(default=(), max_length=MAX_MEMBERS)
    searches: tuple[ClipSearch, ...] = Field(default=(), max_length=MAX_MEMBERS)
    calibrations: tuple[ClipCalibration, ...] = Field(default=(), max_length=MAX_MEMBERS)
    strip_calibrations: tuple[StripCalibration, ...] = Field(default=(), max_length=MAX_MEMBERS)
    colour_scales: tuple[ColourScale, ...] = Field(default=(), max_length=MAX_MEMBERS)
    measurements: tuple[Measurement, ...] = Field(default=(), max_length=MAX_MEMBERS)
    sessions: tuple[TreatmentSession, ...] = Field(default=(), max_length=MAX_MEMBERS)
    follow_ups: tuple[FollowUp, ...] = Field(default=(), max_length=MAX_MEMBERS)
    acknowledgements: tuple[Acknowledgement, ...] = Field(default=(), max_length=MAX_MEMBERS)


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlanFile.model_json_schema()}


def plan_json(record: Record, study_instance_uid: str) -> dict[str, Any]:
    """A record as the object that the file holds."""
    return {
        "format": "veinscan-plan",
        "schema": SCHEMA,
        "study_instance_uid": study_instance_uid,
        "version": record.version,
        "heads": list(record.heads),
        "status": plain(record.status),
        **{name: plain(getattr(record, name)) for name in _KEYS},
    }


def plan_text(record: Record, study_instance_uid: str) -> str:
    """The text of the file: ASCII, one object."""
    return json.dumps(plan_json(record, study_instance_uid), indent=1, allow_nan=False) + "\n"


def read_plan(path: Path) -> PlanFile:
    """A plan from a file.

    Raises InvalidInputError, naming the first place that is wrong, for a file
    that is too long, is not JSON, or holds what the schema does not allow.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            f"the plan cannot be read: {(error.strerror or str(error)).lower()}", where=str(path)
        ) from error
    if len(data) > MAX_BYTES:
        raise InvalidInputError(
            f"the plan is longer than {MAX_BYTES} bytes",
            where=str(path),
            do="pass a file that veinscan wrote",
        )
    return parse_plan(data, str(path))


def parse_plan(data: bytes | str, where: str = "") -> PlanFile:
    """A plan from the text of a file; see `read_plan`."""
    try:
        return PlanFile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        more = error.error_count() - 1
        raise InvalidInputError(
            f"it is not a plan as the schema has it: {place}: {first['msg']}"
            + (f" (and {more} more)" if more else ""),
            where=where,
            do="see plan.schema.json",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"it is not JSON ({type(error).__name__})", where=where) from None


def import_plan(record: Record, plan: PlanFile, study: Any) -> Record:
    """The record with everything that a file holds: known ids are replaced, new ones added, none removed.

    Raises InvalidInputError for a plan of another study, a place that the
    study has not (R01, R02), and values that no edit may make.
    """
    check_editable(record)
    if plan.study_instance_uid != study.study_instance_uid:
        raise InvalidInputError(
            "the plan is of another study", where=plan.study_instance_uid, do="open that study"
        )
    clips = {str(clip.sop_instance_uid): clip for clip in study.clips}
    for target in plan.targets:
        _check_target(target, clips)
    for review in plan.reviews:
        clip = _check_clip(review.sop_instance_uid, clips)
        for one in review.course:
            checked_frame(clip, one.frame_index)
    clip_parts: tuple[Any, ...] = (
        *plan.contexts,
        *plan.searches,
        *plan.calibrations,
        *plan.strip_calibrations,
        *plan.colour_scales,
    )
    for part in clip_parts:
        _check_clip(part.sop_instance_uid, clips)
        check(part)
    for measurement in plan.measurements:
        checked_frame(_check_clip(measurement.sop_instance_uid, clips), measurement.frame_index)
        check_measurement(measurement)
    for visit in (*plan.sessions, *plan.follow_ups):
        check(visit)
    for outcome in (one for visit in plan.follow_ups for one in visit.outcomes):
        if outcome.place is not None:
            clip = _check_clip(outcome.place.sop_instance_uid, clips)
            checked_frame(clip, outcome.place.frame_index)
            checked_point(clip, outcome.place.point)
    merged: dict[str, Any] = {}
    for name, key in _KEYS.items():
        members = {key(one): one for one in getattr(record, name)}
        members |= {key(one): one for one in getattr(plan, name)}
        merged[name] = tuple(members.values())
    return normalised(replace(record, **merged))


def _check_target(target: InjectionTarget, clips: dict[str, Any]) -> None:
    from veinscan.plan.editing import check_refused

    if target.has_place:
        clip = _check_clip(target.sop_instance_uid, clips)
        checked_frame(clip, target.frame_index)
        checked_point(clip, target.point)
    for name in (*(name for name in LIMITS if hasattr(target, name)), "vein", "product"):
        value = getattr(target, name)
        if value is not None and parsed(name, value) != value:
            raise InvalidInputError(f"{name} is {value!r}", do="pass it as veinscan writes it")
    if target.laser is not None:
        check(target.laser)
    for measured in (*target.reflux, *target.flow):
        check(measured)
    check_refused(target)


def _check_clip(sop_instance_uid: str, clips: dict[str, Any]) -> Any:
    if sop_instance_uid not in clips:
        raise InvalidInputError(
            f"the study has no clip {sop_instance_uid!r} (R01)",
            do="open the whole study, or correct the file",
        )
    return clips[sop_instance_uid]


__all__ = [
    "PlanFile",
    "import_plan",
    "json_schema",
    "parse_plan",
    "plan_json",
    "plan_text",
    "read_plan",
]
