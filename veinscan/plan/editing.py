"""Edits of a record, as pure functions: the window, the command line and the demo all use these.

Each takes a `Record` and gives a new one; nothing is written here.  A point
outside the ultrasound picture is refused, nothing clinical gets a value but
'unknown', and times carry a zone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Protocol

from veinscan.candidates.model import Candidate, FinderSettings
from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.clips import inherited
from veinscan.plan.context import INHERITED
from veinscan.plan.geometry import (
    ClipLike,
    calibration_at,
    checked_frame,
    checked_point,
    depth_mm,
    distance_mm,
    region_at,
)
from veinscan.plan.ids import derived_uid, new_uid
from veinscan.plan.model import (
    CandidateReview,
    Decision,
    InjectionTarget,
    OutlineOnFrame,
    Point,
    Reader,
    Reading,
    Record,
    RejectReason,
    TargetStatus,
    ValueSource,
)
from veinscan.plan.normal import now, optional_number, stored_number, stored_outline, stored_point
from veinscan.plan.signing import check_editable
from veinscan.plan.values import EDITABLE_FIELDS, enum_value, parsed
from veinscan.plan.vocabulary import Level, VesselType

__all__ = [
    "EDITABLE_FIELDS",
    "new_record",
    "target_from_candidate",
    "target_at_point",
    "target_on_map",
    "add_target",
    "update_target",
    "move_point",
    "move_target",
    "remove_target",
    "find_target",
    "review",
    "review_of",
    "accept_conflicts",
    "distance_mm",
    "depth_mm",
]


class StudyLike(Protocol):
    """What is used of a Study here."""

    @property
    def study_instance_uid(self) -> str: ...


def new_record(study: StudyLike | str, *, purpose: str = "plan", candidates_shown: bool = True) -> Record:
    """An empty record for a study (or for its Study Instance UID).

    The plan of a study is one reading for everybody, so that two people who
    start from nothing arrive at records that merge; any other purpose is a
    reading of its own.
    """
    if purpose not in ("plan", "research", "adjudication"):
        raise InvalidInputError(f"purpose {purpose!r} is not known", do="pass plan, research or adjudication")
    study_instance_uid = study if isinstance(study, str) else study.study_instance_uid
    shared = purpose == "plan" and candidates_shown
    reading = Reading(
        id=derived_uid("reading", study_instance_uid, purpose) if shared else new_uid(),
        purpose=purpose,
        candidates_shown=candidates_shown,
    )
    return Record(reading=reading)


def target_from_candidate(
    clip: ClipLike,
    candidate: Candidate,
    reader: Reader,
    *,
    frame_index: int | None = None,
    settings: FinderSettings | None = None,
    **values: Any,
) -> InjectionTarget:
    """A target in the middle of a candidate's lumen, with its measures.

    `frame_index` is the frame shown (default: the candidate's best); the
    measures are those of the best frame.  `settings` are those of the search
    that found it (`ClipCandidates.settings`), kept with the target.  `values`
    are as for `update_target`.
    """
    frame = checked_frame(clip, candidate.best_frame if frame_index is None else frame_index)
    if frame not in candidate.centres:
        raise InvalidInputError(
            f"candidate {candidate.id} was not seen on frame {frame}",
            where=clip.file,
            do=f"pass one of its frames ({_span(candidate.frame_indices)})",
        )
    point = checked_point(clip, candidate.centre(frame))
    target = InjectionTarget(
        id=new_uid(),
        order=0,
        sop_instance_uid=str(clip.sop_instance_uid),
        frame_index=frame,
        point=point,
        outline=outline_on(clip, candidate.outlines.get(frame, ())),
        calibration=calibration_at(clip, point),
        diameter_mm=stored_number(candidate.diameter_mm, "diameter_mm"),
        diameter_source=ValueSource.CANDIDATE,
        depth_mm=stored_number(candidate.depth_mm, "depth_mm"),
        depth_source=ValueSource.CANDIDATE,
        length_mm=optional_number(candidate.length_mm, "length_mm"),
        candidate_id=candidate.id,
        candidate_score=stored_number(candidate.score, "score"),
        candidate_settings=""
        if settings is None
        else json.dumps(asdict(settings), sort_keys=True, default=str),
        marked_by=reader.name,
        marked_at=now(),
    )
    return _with_values(target, values)


def target_at_point(
    clip: ClipLike, frame_index: int, point: Iterable[float], reader: Reader, **values: Any
) -> InjectionTarget:
    """A target where a person clicked; the lumen is measured where there is calibration and a wall to find.

    Raises InvalidInputError for a point outside the picture and a frame the clip has not.
    """
    frame = checked_frame(clip, frame_index)
    place = checked_point(clip, point)
    target = InjectionTarget(
        id=new_uid(),
        order=0,
        sop_instance_uid=str(clip.sop_instance_uid),
        frame_index=frame,
        point=place,
        marked_by=reader.name,
        marked_at=now(),
    )
    return _with_values(_measured(clip, target), values)


def target_on_map(reader: Reader, **values: Any) -> InjectionTarget:
    """A target on the leg map alone: no clip, no frame.

    `values` are as for `update_target`; one of `map_point`, `level` and
    `landmark_cm` is needed.  Raises InvalidInputError where none is given.
    """
    target = InjectionTarget(id=new_uid(), order=0, marked_by=reader.name, marked_at=now())
    target = _with_values(target, values)
    if target.map_point is None and target.landmark_cm is None and target.level is Level.UNKNOWN:
        raise InvalidInputError(
            "the target has no place", do="give map_point, level, or landmark and landmark_cm"
        )
    return target


def add_target(record: Record, target: InjectionTarget) -> Record:
    """The record with a target: last, or at `target.order` where that is a place in the list."""
    check_editable(record)
    if any(other.id == target.id for other in record.targets):
        raise RecordError("this target is in the record already", do="change it instead of adding it again")
    check_refused(target)
    target = inherited(record, target)
    targets = list(record.targets)
    place = target.order - 1 if 1 <= target.order <= len(targets) else len(targets)
    targets.insert(place, target)
    return _ordered(record, targets)


def update_target(record: Record, target_id: str, **values: Any) -> Record:
    """The record with some fields of one target changed (`EDITABLE_FIELDS`).

    Values may be given as text.  A number given without its source counts as
    entered by a person; `order` moves the target.  Raises InvalidInputError
    for a field or value that is not usable, RecordError for an unknown target.
    """
    check_editable(record)
    target = find_target(record, target_id)
    changed = _with_values(target, values)
    check_refused(changed, values)
    targets = [changed if other.id == target_id else other for other in record.targets]
    if "order" in values:
        targets = [other for other in targets if other.id != target_id]
        targets.insert(min(max(changed.order, 1), len(targets) + 1) - 1, changed)
    return _ordered(record, targets)


def move_point(
    record: Record, target_id: str, clip: ClipLike, frame_index: int, point: Iterable[float]
) -> Record:
    """The record with one target at another place.

    What the program measured at the old place is measured again; what a
    person measured or typed stays.
    """
    check_editable(record)
    target = find_target(record, target_id)
    by_program = (ValueSource.CANDIDATE, ValueSource.CLICK)
    keep_diameter = target.diameter_source not in by_program
    keep_depth = target.depth_source not in by_program
    moved = _measured(
        clip,
        replace(
            target,
            sop_instance_uid=str(clip.sop_instance_uid),
            frame_index=checked_frame(clip, frame_index),
            point=checked_point(clip, point),
        ),
    )
    if keep_diameter:
        moved = replace(moved, diameter_mm=target.diameter_mm, diameter_source=target.diameter_source)
    if keep_depth:
        moved = replace(moved, depth_mm=target.depth_mm, depth_source=target.depth_source)
    return _ordered(record, [moved if other.id == target_id else other for other in record.targets])


def move_target(record: Record, target_id: str, order: int) -> Record:
    """The record with one target at another place in the order of injection, from 1."""
    return update_target(record, target_id, order=order)


def remove_target(record: Record, target_id: str) -> Record:
    """The record without one target; the others close up."""
    check_editable(record)
    find_target(record, target_id)
    return _ordered(record, [target for target in record.targets if target.id != target_id])


def find_target(record: Record, target_id: str) -> InjectionTarget:
    """The target with an id; RecordError where there is none."""
    for target in record.targets:
        if target.id == target_id:
            return target
    raise RecordError(
        f"there is no target {target_id!r} in the record", do="list the targets to see their ids"
    )


def review(
    record: Record,
    clip: ClipLike,
    candidate: Candidate,
    decision: Decision,
    reader: Reader,
    reason: RejectReason | None = None,
) -> Record:
    """The record with a reader's verdict on a candidate; a later verdict replaces an earlier one.

    `Decision.UNREVIEWED` takes the verdict back.  A reason belongs to a rejection only.
    """
    check_editable(record)
    decision = enum_value(Decision, decision, "decision")
    if reason is not None:
        reason = enum_value(RejectReason, reason, "reason")
        if decision is not Decision.REJECTED:
            raise InvalidInputError(f"a reason ({reason}) belongs to a rejection", do="leave it out")
    elif decision is Decision.REJECTED:
        reason = RejectReason.UNSTATED
    frame = checked_frame(clip, candidate.best_frame)
    before = review_of(record, str(clip.sop_instance_uid), candidate.id)
    verdict = CandidateReview(
        candidate_id=candidate.id,
        sop_instance_uid=str(clip.sop_instance_uid),
        frame_index=frame,
        centre=stored_point(candidate.centre(frame)),
        outline=outline_on(clip, candidate.outlines.get(frame, ())),
        diameter_mm=stored_number(candidate.diameter_mm, "diameter_mm"),
        depth_mm=stored_number(candidate.depth_mm, "depth_mm"),
        score=stored_number(candidate.score, "score"),
        decision=decision,
        reason=reason,
        reviewed_by=reader.name,
        reviewed_at=now(),
        # another verdict leaves the reader's outline, which `plan.outlines` sets
        outlined_by=before.outlined_by if before is not None and before.frame_index == frame else "",
        course=() if before is None else _course_round(before, frame),
    )
    others = [
        other
        for other in record.reviews
        if (other.sop_instance_uid, other.candidate_id) != (verdict.sop_instance_uid, verdict.candidate_id)
    ]
    if decision is not Decision.UNREVIEWED:
        others.append(verdict)
    return replace(record, reviews=tuple(others))


def _course_round(before: CandidateReview, frame: int) -> tuple[OutlineOnFrame, ...]:
    """The course of an earlier verdict about another best frame: the earlier one becomes a part of it."""
    if not before.course or before.frame_index == frame:
        return before.course
    earlier = OutlineOnFrame(frame_index=before.frame_index, outline=before.outline)
    course = [one for one in (*before.course, earlier) if one.frame_index != frame]
    return tuple(sorted(course, key=lambda one: one.frame_index))


def review_of(record: Record, sop_instance_uid: str, candidate_id: str) -> CandidateReview | None:
    """The verdict on a candidate, or None where nobody has reviewed it."""
    for verdict in record.reviews:
        if (verdict.sop_instance_uid, verdict.candidate_id) == (sop_instance_uid, candidate_id):
            return verdict
    return None


def accept_conflicts(record: Record) -> Record:
    """The record without its conflicts: a person has seen them and keeps the values shown."""
    check_editable(record)
    return replace(record, conflicts=())


def _measured(clip: ClipLike, target: InjectionTarget) -> InjectionTarget:
    """The target with what can be measured at its point: outline, diameter, depth."""
    bare = replace(
        target,
        outline=(),
        calibration=calibration_at(clip, target.point),
        diameter_mm=None,
        diameter_source=None,
        depth_mm=None,
        depth_source=None,
    )
    region = region_at(clip, target.point)
    if region is None or bare.calibration is None:
        return bare
    from veinscan.candidates.measure import measure_within

    found = measure_within(
        clip.bmode(target.frame_index),
        region.box,
        target.point,
        bare.calibration.spacing_mm,
        bare.calibration.skin_row,
    )
    if found is None:
        return bare
    return replace(
        bare,
        outline=outline_on(clip, found.outline.tolist()),
        diameter_mm=stored_number(found.diameter_mm, "diameter_mm"),
        diameter_source=ValueSource.CLICK,
        depth_mm=stored_number(found.depth_mm, "depth_mm"),
        depth_source=ValueSource.CLICK,
    )


def outline_on(clip: ClipLike, outline: Iterable[Iterable[float]]) -> tuple[Point, ...]:
    """An outline as stored: SCOORD knows no place before the first pixel or after the last (C.18.6.1.2)."""
    return tuple(
        (
            min(max(row, -0.5), clip.rows - 0.5),
            min(max(col, -0.5), clip.columns - 0.5),
        )
        for row, col in stored_outline(outline)
    )


def _with_values(target: InjectionTarget, values: Mapping[str, Any]) -> InjectionTarget:
    unknown = sorted(set(values) - set(EDITABLE_FIELDS))
    if unknown:
        known = [field.name for field in fields(InjectionTarget)]
        what = "cannot be set here" if unknown[0] in known else "is not a field of a target"
        raise InvalidInputError(f"{unknown[0]!r} {what}", do=f"set one of: {', '.join(EDITABLE_FIELDS)}")
    new: dict[str, Any] = {name: parsed(name, value) for name, value in values.items()}
    for quantity in ("diameter", "depth"):
        number, source = f"{quantity}_mm", f"{quantity}_source"
        if number in new:
            new[source] = None if new[number] is None else new.get(source) or ValueSource.ENTERED
        elif source in new and (getattr(target, number) is None or new[source] is None):
            raise InvalidInputError(f"{source} says where {number} comes from", do=f"set {number} with it")
    # what a person sets on the target no longer follows its clip
    own = dict.fromkeys((*target.own, *(name for name in INHERITED if name in new)))
    return replace(target, **new, own=tuple(own))


def check_refused(target: InjectionTarget, changed: Mapping[str, Any] | None = None) -> None:
    """The data errors R03 and R07, which no edit may make (R01, R02: refused where a place is made)."""
    wrong = target.vessel_type in (VesselType.ARTERY, VesselType.NERVE)
    if wrong and target.status is not TargetStatus.SKIPPED:
        raise InvalidInputError(
            f"a target whose vessel_type is {target.vessel_type} cannot be {target.status} (R07)",
            do="set its status to skipped with it, or another vessel_type",
        )
    for quantity in ("diameter", "depth"):
        source = getattr(target, f"{quantity}_source")
        if changed is not None and not {f"{quantity}_mm", f"{quantity}_source"} & set(changed):
            continue
        if target.calibration is None and source not in (None, ValueSource.ENTERED):
            raise InvalidInputError(
                f"{quantity}_mm cannot come from the picture: it has no calibration there (R03)",
                do="enter it by hand, or calibrate the clip",
            )


def _ordered(record: Record, targets: Iterable[InjectionTarget]) -> Record:
    return replace(
        record,
        targets=tuple(
            target if target.order == order else replace(target, order=order)
            for order, target in enumerate(targets, start=1)
        ),
    )


def _span(frames: tuple[int, ...]) -> str:
    return f"{frames[0]} to {frames[-1]}" if len(frames) > 3 else ", ".join(map(str, frames))
