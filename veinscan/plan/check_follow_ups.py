"""R08, R27, R28, R30 to R33: checks of follow-ups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from veinscan.plan.check_model import CheckContext, CheckResult, error, information, warning
from veinscan.plan.check_targets import spot_checks
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.products import general
from veinscan.plan.vocabulary import (
    Checked,
    DeepVeins,
    JunctionClass,
    Outcome,
    Posture,
    Rater,
    ValueSource,
)


def follow_up_checks(context: CheckContext) -> Iterator[CheckResult]:
    """Every check of every follow-up of this record."""
    for visit in context.record.follow_ups:
        yield from _outcomes(context, visit)
        yield from _actions(visit)
        yield from _rest(context, visit)
    yield from _reminder(context)


def days_since(visit: FollowUp, sessions: object) -> int | None:
    """Days from the last session that a follow-up looks back on to it; None where a day is missing."""
    last = _last_session(visit, sessions)
    return None if last is None or visit.on is None else (visit.on - last).days


def differs_in_posture(visit: FollowUp, outcome: TargetOutcome, posture: Posture) -> bool:
    """Whether two diameters must not be subtracted: postures differ, or one is not known."""
    now = outcome.posture if outcome.posture is not Posture.UNKNOWN else visit.posture
    return now is Posture.UNKNOWN or posture is Posture.UNKNOWN or now is not posture


def _outcomes(context: CheckContext, visit: FollowUp) -> Iterator[CheckResult]:
    what = _what(visit)
    for outcome in visit.outcomes:
        target = context.targets.get(outcome.target_id)
        name = "a target of the baseline" if target is None else f"target {target.order}"
        if target is None and not _of_baseline(context, visit, outcome):
            yield error("R01", visit.id, f"{what}: an outcome names a target that is not in the record")
        if outcome.place is not None:
            yield from spot_checks(context, visit.id, f"{what}, {name}", outcome.place)
        for quantity in ("diameter", "depth"):
            typed = getattr(outcome, f"{quantity}_source") in (None, ValueSource.ENTERED)
            if outcome.place is not None and outcome.place.calibration is None and not typed:
                yield error(
                    "R03", visit.id, f"{what}, {name}: {quantity}_mm was measured without a calibration"
                )
        both = target is not None and None not in (target.diameter_mm, outcome.diameter_mm)
        if both and target is not None and differs_in_posture(visit, outcome, target.posture):
            yield information(
                "R08", visit.id, f"{what}, {name}: diameters in different postures are not subtracted"
            )
        treated, occluded = outcome.treated_length_cm, outcome.occluded_length_cm
        if treated is not None and occluded is not None and occluded > treated:
            yield error(
                "R30", visit.id, f"{what}, {name}: {occluded:g} cm occluded of {treated:g} cm treated"
            )
        if outcome.outcome is Outcome.OCCLUDED_PARTIAL and occluded is None and outcome.reflux is None:
            yield warning(
                "R30", visit.id, f"{what}, {name}: partly occluded, with neither a length nor reflux"
            )


def _of_baseline(context: CheckContext, visit: FollowUp, outcome: TargetOutcome) -> bool:
    """Whether an outcome is of a target that another study's record holds, the one the visit names."""
    named = visit.baseline_study_uid
    own = getattr(context.study, "study_instance_uid", "")
    place = outcome.baseline
    return named not in ("", own) and (place is None or place.study_instance_uid == named)


def _actions(visit: FollowUp) -> Iterator[CheckResult]:
    what = _what(visit)
    if visit.deep_veins is DeepVeins.DVT and not visit.deep_veins_action.strip():
        yield error("R31", visit.id, f"{what}: deep vein thrombosis without the action taken")
    serious = (JunctionClass.II, JunctionClass.III, JunctionClass.IV)
    if visit.junction_class in serious and not visit.junction_action.strip():
        yield error(
            "R31", visit.id, f"{what}: junction class {visit.junction_class} without the action taken"
        )


def _rest(context: CheckContext, visit: FollowUp) -> Iterator[CheckResult]:
    what = _what(visit)
    if not visit.baseline_study_uid:
        yield information("R28", visit.id, f"{what}: no baseline study is named")
    evacuation = visit.evacuation
    if evacuation is not None and evacuation.on is not None:
        last = _last_session(visit, context.sessions)
        limit = general("evacuation_within")
        if last is not None and limit.exceeded_by((evacuation.on - last).days):
            yield information(
                "R32", visit.id, f"{what}: evacuation {(evacuation.on - last).days} d after the session"
            )
    if visit.appearance_percent is not None:
        if visit.rater is Rater.UNKNOWN:
            yield information("R33", visit.id, f"{what}: change of appearance without a rater")
        if visit.before_photo is not Checked.YES:
            yield information("R33", visit.id, f"{what}: change of appearance without a photo from before")
    if visit.on is not None and context.today is not None and visit.on > context.today:
        yield error("R21", visit.id, f"{what}: the day lies in the future")


def _reminder(context: CheckContext) -> Iterator[CheckResult]:
    if context.today is None:
        return
    limit = general("follow_up_within")
    for session in context.record.sessions:
        seen = any(
            session.id in visit.session_ids
            or (visit.on is not None and session.on is not None and visit.on >= session.on)
            for visit in (*context.record.follow_ups, *context.other_follow_ups)
        )
        if session.on is not None and not seen and limit.exceeded_by((context.today - session.on).days):
            yield information(
                "R27",
                session.id,
                f"session of {session.on}: no follow-up recorded after {(context.today - session.on).days} d",
            )


def _last_session(visit: FollowUp, sessions: object) -> date | None:
    known = list(sessions)  # type: ignore[call-overload]
    named = [one.on for one in known if one.id in visit.session_ids and one.on is not None]
    before = [one.on for one in known if one.on is not None and (visit.on is None or one.on <= visit.on)]
    return max(named or before, default=None)


def _what(visit: FollowUp) -> str:
    return f"follow-up of {visit.on}" if visit.on is not None else "follow-up without a day"
