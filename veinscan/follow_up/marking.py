"""Entering a follow-up: every outcome is a person's act, with its place and the baseline it refers to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from veinscan.candidates.model import Candidate
from veinscan.dicom.patients import check_one_patient
from veinscan.errors import InvalidInputError, RecordError
from veinscan.follow_up.entered import OUTCOME_FIELDS, VISIT_FIELDS, check_names, parsed
from veinscan.follow_up.states import TargetState, check_not_withdrawn, in_order, states_of
from veinscan.plan.editing import target_at_point, target_from_candidate
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.geometry import ClipLike
from veinscan.plan.ids import derived_uid, new_uid
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.plan.places import BaselinePlace, ImagePlace
from veinscan.plan.signing import check_editable
from veinscan.plan.visits import put_follow_up
from veinscan.plan.vocabulary import Outcome, ValueSource
from veinscan.record.opening import Opened


def begin_visit(
    record: Record,
    baseline: Opened,
    reader: Reader,
    *,
    study: Any,
    on: date | None = None,
    confirmed: bool = False,
) -> tuple[Record, FollowUp]:
    """The follow-up's record with a new, empty visit that looks back on a baseline.

    Parameters
    ----------
    record : Record
        Of the follow-up study.
    baseline : Opened
        The study that is compared with, and its record.
    reader : Reader
    study : Study
        The follow-up study, whose patient has to be the baseline's.
    on : date, optional
        Day of the follow-up study.
    confirmed : bool
        A person has said that both are of one patient, where the headers leave it open.

    Nothing is filled in: no outcome, no posture, deep veins 'not examined'.
    Returns the record and the visit.

    Raises InvalidInputError for studies of two patients, for an open question
    about it that nobody has answered, for a study that would look back on
    itself, and for a baseline that was withdrawn.
    """
    check_one_patient(baseline.study, study, confirmed=confirmed)
    if study.study_instance_uid == baseline.study.study_instance_uid:
        raise InvalidInputError(
            "a study cannot be the baseline of its own follow-up", do="choose an earlier study"
        )
    check_not_withdrawn("baseline", baseline.record)
    # two readers who begin apart arrive at one visit, whose outcomes merge target by target
    shared = derived_uid("follow-up", record.reading.id, baseline.study.study_instance_uid)
    before = [one for one in baseline.record.sessions if None in (one.on, on) or str(one.on) <= str(on)]
    visit = FollowUp(
        id=new_uid() if any(one.id == shared for one in record.follow_ups) else shared,
        on=on,
        session_ids=tuple(one.id for one in before),
        baseline_study_uid=baseline.study.study_instance_uid,
        baseline_record_uids=baseline.record.heads,
    )
    record = put_follow_up(record, visit, reader)
    return record, find_visit(record, visit.id)


def current_visit(record: Record, baseline_study_uid: str) -> FollowUp | None:
    """The latest visit of a record that looks back on a baseline study; None where none does."""
    mine = [one for one in record.follow_ups if one.baseline_study_uid == baseline_study_uid]
    return in_order(mine)[-1] if mine else None


def find_visit(record: Record, visit_id: str) -> FollowUp:
    """The visit with an id; RecordError where there is none."""
    for one in record.follow_ups:
        if one.id == visit_id:
            return one
    raise RecordError(f"there is no follow-up {visit_id!r} in the record", do="list them to see their ids")


def set_outcome(
    record: Record, visit_id: str, target_id: str, baseline: Opened, reader: Reader, **values: Any
) -> Record:
    """The record with some fields of one target's outcome set (`OUTCOME_FIELDS`).

    The first value set for a target also keeps where the baseline marked it.
    A number given without its source counts as entered by a person.

    Raises InvalidInputError for a target that the baseline does not have, a
    baseline that is not the visit's, and a field or value that is not usable;
    RecordError where there is no such visit.
    """
    check_names(values, OUTCOME_FIELDS, "an outcome")
    new = {name: parsed(name, value) for name, value in values.items()}
    for quantity in ("diameter", "depth"):
        name, source = f"{quantity}_mm", f"{quantity}_source"
        if name in new:
            new[source] = None if new[name] is None else new.get(source) or ValueSource.ENTERED
    return _with_outcome(record, visit_id, target_id, baseline, reader, lambda before: replace(before, **new))


def mark_not_seen(record: Record, visit_id: str, target_id: str, baseline: Opened, reader: Reader) -> Record:
    """The record with a target that a person looked for and did not see: 'not_visible', no place, no size."""
    return _with_outcome(
        record,
        visit_id,
        target_id,
        baseline,
        reader,
        lambda before: replace(
            before,
            outcome=Outcome.NOT_VISIBLE,
            place=None,
            diameter_mm=None,
            diameter_source=None,
            depth_mm=None,
            depth_source=None,
        ),
    )


def mark_point(
    record: Record,
    visit_id: str,
    target_id: str,
    baseline: Opened,
    reader: Reader,
    *,
    study: Any,
    clip: ClipLike,
    frame_index: int,
    point: Iterable[float],
) -> Record:
    """The record with a target's place in the follow-up where a person clicked; the lumen is measured there.

    The outcome stays what it was ('not_assessed' until it is set): a place is
    no outcome.  What a person typed or measured with calipers stays too.
    Raises InvalidInputError for a clip that `study`, the follow-up, does not
    have, and what `set_outcome` raises.
    """
    _check_clip(study, clip)
    mark = target_at_point(clip, frame_index, point, reader)
    return _with_outcome(record, visit_id, target_id, baseline, reader, lambda before: _marked(before, mark))


def mark_candidate(
    record: Record,
    visit_id: str,
    target_id: str,
    baseline: Opened,
    reader: Reader,
    *,
    study: Any,
    clip: ClipLike,
    candidate: Candidate,
    frame_index: int | None = None,
) -> Record:
    """As `mark_point`, with the measures of a candidate that a person chose."""
    _check_clip(study, clip)
    mark = target_from_candidate(clip, candidate, reader, frame_index=frame_index)
    return _with_outcome(record, visit_id, target_id, baseline, reader, lambda before: _marked(before, mark))


def remove_outcome(record: Record, visit_id: str, target_id: str, reader: Reader) -> Record:
    """The record without what a visit says of a target; RecordError where it says nothing."""
    visit = find_visit(record, visit_id)
    kept = tuple(one for one in visit.outcomes if one.target_id != target_id)
    if len(kept) == len(visit.outcomes):
        raise RecordError(f"the follow-up has no outcome of target {target_id!r}")
    return put_follow_up(record, replace(visit, outcomes=kept), reader)


def update_visit(record: Record, visit_id: str, reader: Reader, **values: Any) -> Record:
    """The record with some fields of a visit set (`VISIT_FIELDS`).

    Raises InvalidInputError for a field or value that is not usable,
    RecordError where there is no such visit.
    """
    check_names(values, VISIT_FIELDS, "a follow-up")
    new = {name: parsed(name, value) for name, value in values.items()}
    return put_follow_up(record, replace(find_visit(record, visit_id), **new), reader)


def outcome_of(visit: FollowUp, target_id: str) -> TargetOutcome | None:
    """What a visit says of a target; None where it says nothing."""
    return next((one for one in visit.outcomes if one.target_id == target_id), None)


def _with_outcome(
    record: Record,
    visit_id: str,
    target_id: str,
    baseline: Opened,
    reader: Reader,
    change: Callable[[TargetOutcome], TargetOutcome],
) -> Record:
    check_editable(record)
    visit = find_visit(record, visit_id)
    if visit.baseline_study_uid != baseline.study.study_instance_uid:
        raise InvalidInputError(
            "the follow-up looks back on another study",
            do="open the study it names, or begin a new follow-up",
        )
    check_not_withdrawn("baseline", baseline.record)
    state = states_of(baseline.record).get(target_id)
    if state is None:
        raise InvalidInputError(
            f"the baseline has no target {target_id!r}", do="mark a new finding as a target of its own"
        )
    before = outcome_of(visit, target_id)
    if before is None:
        before = TargetOutcome(target_id=target_id, baseline=_baseline_place(baseline, state))
    after = replace(change(before), set_by=reader.name)
    others = [after if one.target_id == target_id else one for one in visit.outcomes]
    if after not in others:
        others.append(after)
    return put_follow_up(record, replace(visit, outcomes=tuple(others)), reader)


def _check_clip(study: Any, clip: ClipLike) -> None:
    if all(one.sop_instance_uid != clip.sop_instance_uid for one in study.clips):
        raise InvalidInputError(
            "the clip is not of the follow-up study", where=clip.file, do="mark on a clip of the follow-up"
        )


def _baseline_place(baseline: Opened, state: TargetState) -> BaselinePlace | None:
    if not state.has_place:
        return None
    clip = next((one for one in baseline.study.clips if one.sop_instance_uid == state.sop_instance_uid), None)
    if clip is None:
        return None
    return BaselinePlace(
        study_instance_uid=baseline.study.study_instance_uid,
        series_instance_uid=clip.series_instance_uid or derived_uid(clip.sop_instance_uid),
        sop_class_uid=clip.sop_class_uid,
        sop_instance_uid=clip.sop_instance_uid,
        frame_index=state.frame_index,
        point=state.point,
    )


def _marked(before: TargetOutcome, mark: InjectionTarget) -> TargetOutcome:
    by_hand = (ValueSource.ENTERED, ValueSource.CALIPER)
    measured: dict[str, Any] = {}
    for quantity in ("diameter", "depth"):
        if getattr(before, f"{quantity}_source") not in by_hand:
            measured[f"{quantity}_mm"] = getattr(mark, f"{quantity}_mm")
            measured[f"{quantity}_source"] = getattr(mark, f"{quantity}_source")
    place = ImagePlace(
        sop_instance_uid=mark.sop_instance_uid,
        frame_index=mark.frame_index,
        point=mark.point,
        outline=mark.outline,
        calibration=mark.calibration,
    )
    # what is marked is seen; what became of it is still a person's to say
    outcome = Outcome.NOT_ASSESSED if before.outcome is Outcome.NOT_VISIBLE else before.outcome
    return replace(before, place=place, outcome=outcome, **measured)
