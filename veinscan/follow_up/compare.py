"""Two records of one patient, target by target: each value beside the baseline's.

Rows are matched by tracking UID and by nothing else.  A difference is worked
out only where posture and landmark agree (for reflux the manoeuvre too);
otherwise both values stand there with the reason.  Nothing here sets an
outcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

from veinscan.dicom.patients import Match, PatientMatch, check_one_patient
from veinscan.errors import InvalidInputError
from veinscan.follow_up.model import NOT_EXAMINED as NOT_EXAMINED
from veinscan.follow_up.model import Comparison as Comparison
from veinscan.follow_up.model import Recanalised as Recanalised
from veinscan.follow_up.model import TargetComparison as TargetComparison
from veinscan.follow_up.pairs import Pair, value_words
from veinscan.follow_up.quantities import compressible_pair, flow_pair, number_pair, reflux_pair, why_not
from veinscan.follow_up.scores import score_pairs
from veinscan.follow_up.states import TargetState, check_not_withdrawn, in_order, latest_outcomes, states_of
from veinscan.follow_up.windows import windows_at
from veinscan.plan import thresholds
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.visits import maybe_recanalised
from veinscan.plan.vocabulary import Outcome
from veinscan.record.course import study_day as study_day
from veinscan.record.merge import outcome_name
from veinscan.record.opening import Opened


def compare_records(
    baseline: Record,
    follow_up: Record,
    *,
    baseline_study_uid: str = "",
    follow_up_study_uid: str = "",
    baseline_on: date | None = None,
    follow_up_on: date | None = None,
    more_visits: Iterable[FollowUp] = (),
    more_sessions: Iterable[TreatmentSession] = (),
    patient: PatientMatch | None = None,
) -> Comparison:
    """A baseline's record and a follow-up's, target by target.

    Parameters
    ----------
    baseline, follow_up : Record
        May be the same record: then nothing has changed.
    baseline_study_uid, follow_up_study_uid, baseline_on, follow_up_on
        Of the studies they belong to.
    more_visits, more_sessions
        Of studies between them (`record.open_course`), for what follows from dates.
    patient : PatientMatch, optional
        As `match_patients` says of both studies.

    Raises
    ------
    InvalidInputError
        For a record that was withdrawn, and for studies of two patients.
    """
    _check(baseline, follow_up, patient)
    known = {visit.id for visit in baseline.follow_ups}
    visits = in_order(visit for visit in follow_up.follow_ups if visit.id not in known)
    # a visit that looks back on this very baseline counts before one that looks back on another
    visits.sort(key=lambda one: bool(baseline_study_uid) and one.baseline_study_uid == baseline_study_uid)
    before = states_of(baseline)
    after = {**states_of(follow_up), **latest_outcomes(follow_up, visits)}
    visit = visits[-1] if visits else None
    shown = visit or next(iter(reversed(in_order(follow_up.follow_ups))), None)
    on = shown.on if shown is not None and shown.on is not None else follow_up_on
    sessions = _sessions(baseline, follow_up, more_sessions)
    treated_on = _treated_on(shown, sessions, on)
    dated = [
        replace(one, on=one.on or day)
        for record, day in ((baseline, baseline_on), (follow_up, follow_up_on))
        for one in record.follow_ups
    ]
    opened = _recanalised({one.id for one in visits}, (*more_visits, *dated))
    planned = {target.id: target for target in baseline.targets}
    rows = tuple(
        _row(state, planned.get(uid), after.get(uid), opened.get(uid), baseline, follow_up)
        for uid, state in before.items()
    )
    return Comparison(
        baseline_study_uid=baseline_study_uid,
        follow_up_study_uid=follow_up_study_uid,
        baseline_on=baseline_on,
        follow_up_on=on,
        treated_on=treated_on,
        targets=rows,
        new_findings=tuple(target for target in follow_up.targets if target.id not in before),
        visit=shown,
        windows=windows_at(treated_on, on),
        sessions=sessions,
        warnings=(*_dates(baseline_on, on), *_warnings(baseline, follow_up, rows, set(before))),
        profile=thresholds.DEFAULT_PROFILE,
        thresholds_version=thresholds.version(),
        rvcss=score_pairs((one for one in sessions if on is None or one.on is None or one.on <= on), visit),
        patient=patient,
    )


def compare_studies(
    baseline: Opened,
    follow_up: Opened,
    *,
    confirmed: bool = False,
    more_visits: Iterable[FollowUp] = (),
    more_sessions: Iterable[TreatmentSession] = (),
) -> Comparison:
    """Two opened studies of one patient, target by target.

    Parameters
    ----------
    baseline, follow_up : Opened
        As `record.open_with_record` gives them.
    confirmed : bool
        A person has said that both are of one patient, where the headers leave it open.
    more_visits, more_sessions
        See `compare_records`.

    Raises
    ------
    InvalidInputError
        For studies of two patients, for an open question about it that nobody
        has answered, and for a record that was withdrawn.
    """
    match = check_one_patient(baseline.study, follow_up.study, confirmed=confirmed)
    return compare_records(
        baseline.record,
        follow_up.record,
        baseline_study_uid=baseline.study.study_instance_uid,
        follow_up_study_uid=follow_up.study.study_instance_uid,
        baseline_on=study_day(baseline.study),
        follow_up_on=study_day(follow_up.study),
        more_visits=more_visits,
        more_sessions=more_sessions,
        patient=match,
    )


def _check(baseline: Record, follow_up: Record, patient: PatientMatch | None) -> None:
    if patient is not None and patient.verdict is Match.OTHER:
        raise InvalidInputError(
            f"the studies are not of one patient: {patient.reason}", do="choose two studies of one patient"
        )
    check_not_withdrawn("baseline", baseline)
    check_not_withdrawn("follow-up", follow_up)


def _sessions(
    baseline: Record, follow_up: Record, more: Iterable[TreatmentSession]
) -> tuple[TreatmentSession, ...]:
    found = {one.id: one for one in (*more, *baseline.sessions, *follow_up.sessions)}
    return tuple(sorted(found.values(), key=lambda one: (one.on is None, one.on or date.min)))


def _treated_on(visit: FollowUp | None, sessions: Iterable[TreatmentSession], on: date | None) -> date | None:
    dated = [one for one in sessions if one.on is not None]
    named = [one.on for one in dated if visit is not None and one.id in visit.session_ids]
    before = [one.on for one in dated if on is None or (one.on is not None and one.on <= on)]
    return max((day for day in named or before if day is not None), default=None)


def _recanalised(shown: set[str], every: Iterable[FollowUp]) -> dict[str, Recanalised]:
    """Targets found closed at a dated visit and open at a later one that is shown."""
    by_id = {visit.id: visit for visit in every}
    found = {}
    for target_id, earlier, later in maybe_recanalised(by_id.values()):
        closed, opened = by_id[earlier].on, by_id[later].on
        if later in shown and closed is not None and opened is not None:
            found[target_id] = Recanalised(target_id, closed, opened)
    return found


def _row(
    before: TargetState,
    target: InjectionTarget | None,
    after: TargetState | None,
    opened: Recanalised | None,
    baseline: Record,
    follow_up: Record,
) -> TargetComparison:
    order = None if target is None else target.order
    label = "" if target is None else f"target {target.order} ({target.vein})"
    conflicts = [text for text in baseline.conflicts if label and text.startswith((f"{label},", f"{label}:"))]
    reason = why_not(before, after)
    open_fields = {text.removeprefix(f"{label},").split(":")[0].strip(): "baseline" for text in conflicts}
    about = _about_outcome(follow_up, before.target_id)
    open_fields |= dict.fromkeys(about.values(), "follow-up")
    return TargetComparison(
        target_id=before.target_id,
        order=order,
        target=target,
        baseline=before,
        follow_up=after,
        outcome=Outcome.NOT_ASSESSED if after is None or after.outcome is None else after.outcome,
        diameter=_settled(number_pair("diameter_mm", "mm", before, after, reason), open_fields),
        depth=_settled(number_pair("depth_mm", "mm", before, after, reason), open_fields),
        compressible=_settled(compressible_pair(before, after, reason), open_fields),
        reflux=_settled(reflux_pair(before, after, reason), open_fields),
        flow=_settled(flow_pair(before, after, reason), open_fields),
        maybe_recanalised=opened,
        conflicts=(*conflicts, *about),
    )


def _about_outcome(follow_up: Record, target_id: str) -> dict[str, str]:
    """What two readers of the follow-up left open of a target's outcome: each sentence with its field."""
    found = {}
    for text in follow_up.conflicts:
        _, name, rest = text.partition(f"{outcome_name(target_id)} (")
        if name:
            found[text] = rest.partition("), ")[2].split(":")[0].strip()
    return found


def _settled(pair: Pair, open_fields: Mapping[str, str]) -> Pair:
    """The pair; without a difference where readers have not settled a value or how it was taken."""
    own = {"reflux_s": "reflux", "flow_cm_s": "flow"}.get(pair.quantity, pair.quantity)
    for name in (own, "posture", "landmark"):
        if pair.comparable and name in open_fields:
            what = value_words(name.removesuffix("_mm"))
            return replace(pair, reason=f"two readers differ on the {what} at the {open_fields[name]}")
    return pair


def _dates(baseline_on: date | None, follow_up_on: date | None) -> Iterable[str]:
    if baseline_on is not None and follow_up_on is not None and baseline_on > follow_up_on:
        yield f"the baseline ({baseline_on}) is later than the follow-up ({follow_up_on})"


def _warnings(
    baseline: Record, follow_up: Record, rows: Iterable[TargetComparison], known: set[str]
) -> Iterable[str]:
    for what, record in (("baseline", baseline), ("follow-up", follow_up)):
        if len(record.heads) > 1:
            yield f"the {what}'s record was saved by {len(record.heads)} readers apart and is merged here"
        if record.conflicts:
            count = len(record.conflicts)
            yield f"the {what}'s record has {count} open conflict{'s' * (count > 1)}: {record.conflicts[0]}"
        if record.read_only:
            yield f"the {what}'s record is read as far as this program knows it: {record.read_only}"
    for row in rows:
        seen = row.follow_up
        if seen is not None and seen.has_place and seen.calibration is None and seen.diameter_mm is None:
            yield f"{row.label}: the follow-up's clip has no calibration, so it gives no millimetres"
    own = known | {target.id for target in follow_up.targets}
    strange = {one.target_id for visit in follow_up.follow_ups for one in visit.outcomes} - own
    if strange:
        count = len(strange)
        yield (
            f"{count} outcome{'s' * (count > 1)} of the follow-up "
            f"{'are' if count > 1 else 'is'} of a target that this baseline does not have"
        )
