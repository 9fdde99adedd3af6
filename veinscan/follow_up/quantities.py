"""Which values of two states of a target may be subtracted, and why not."""

from __future__ import annotations

from collections.abc import Sequence

from veinscan.follow_up.pairs import Pair, value_words, words_pair
from veinscan.follow_up.states import TargetState
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.products import general
from veinscan.plan.vocabulary import Checked, Compressible, Landmark, Manoeuvre, Outcome, Posture

NOT_ASSESSED = "not assessed at the follow-up"


def why_not(before: TargetState, after: TargetState | None) -> str:
    """Why two states may not be compared; empty where posture and landmark are recorded and agree."""
    if after is None:
        return NOT_ASSESSED
    return _postures(before.posture, after.posture) or _landmarks(before, after)


def number_pair(
    quantity: str, unit: str, before: TargetState, after: TargetState | None, reason: str
) -> Pair:
    """A number of the states, by its name."""
    a = getattr(before, quantity)
    b = None if after is None else getattr(after, quantity)
    return Pair(quantity, unit, a, b, _missing(a, b, after) or reason)


def compressible_pair(before: TargetState, after: TargetState | None, reason: str) -> Pair:
    """How far the lumen closes under pressure; 'not tested' is no value to compare."""
    a, b = (
        None if one is None or one.compressible is Compressible.NOT_TESTED else one.compressible
        for one in (before, after)
    )
    return words_pair("compressible", a, b, _missing(a, b, after, "tested") or reason)


def reflux_pair(before: TargetState, after: TargetState | None, reason: str) -> Pair:
    """Reflux durations: of attempts of the same posture and manoeuvre if there are any, else the longest."""
    a, b = before.reflux, () if after is None else after.reflux
    same = [
        (one, other)
        for one in a
        for other in b
        if one.manoeuvre is other.manoeuvre and _posture(one, before) is _posture(other, after)
    ]
    one = shown_reflux([pair[0] for pair in same] or a)
    other = shown_reflux([pair[1] for pair in same if pair[0] is one] or b)
    first = None if one is None else one.reflux_s
    second = None if other is None else other.reflux_s
    return Pair(
        "reflux_s",
        "s",
        first,
        second,
        _why_no_reflux(before, after, one, other) if after is not None else reason,
        one is not None and one.is_lower_bound,
        other is not None and other.is_lower_bound,
    )


def flow_pair(before: TargetState, after: TargetState | None, reason: str) -> Pair:
    """Peak velocities: the latest that has one."""
    a, b = _peak(before.flow), _peak(() if after is None else after.flow)
    return Pair("flow_cm_s", "cm/s", a, b, _missing(a, b, after) or reason)


def shown_reflux(values: Sequence[RefluxValue]) -> RefluxValue | None:
    """The attempt to show: the longest adequate one, else the last."""
    adequate = [one for one in values if one.adequate is not Checked.NO and one.reflux_s is not None]
    if adequate:
        return max(adequate, key=lambda one: (one.reflux_s or 0.0, one.is_lower_bound))
    return values[-1] if values else None


def _why_no_reflux(
    before: TargetState, after: TargetState, one: RefluxValue | None, other: RefluxValue | None
) -> str:
    if one is None or other is None:
        return _missing(one, other, after)
    for what, value in (("baseline", one), ("follow-up", other)):
        if value.adequate is Checked.NO:
            return f"the attempt at the {what} was inadequate"
        if value.reflux_s is None:
            return f"no duration at the {what}"
    if reason := _postures(_posture(one, before), _posture(other, after)) or _landmarks(before, after):
        return reason
    if one.manoeuvre is Manoeuvre.UNKNOWN or other.manoeuvre is Manoeuvre.UNKNOWN:
        return "a manoeuvre is not recorded"
    if one.manoeuvre is not other.manoeuvre:
        return f"other manoeuvre: {value_words(one.manoeuvre)}, then {value_words(other.manoeuvre)}"
    if one.is_lower_bound or other.is_lower_bound:
        return "a duration runs off its strip and is a lower bound"
    return ""


def _posture(value: RefluxValue, state: TargetState | None) -> Posture:
    if value.posture is not Posture.UNKNOWN or state is None:
        return value.posture
    return state.posture


def _postures(a: Posture, b: Posture) -> str:
    if a is Posture.UNKNOWN or b is Posture.UNKNOWN:
        which = "both studies" if a is b else "the baseline" if a is Posture.UNKNOWN else "the follow-up"
        return f"the posture is not recorded in {which}"
    return "" if a is b else f"other posture: {value_words(a)}, then {value_words(b)}"


def _landmarks(a: TargetState, b: TargetState) -> str:
    unknown = [one.landmark is Landmark.UNKNOWN or one.landmark_cm is None for one in (a, b)]
    if any(unknown):
        which = "both studies" if all(unknown) else "the baseline" if unknown[0] else "the follow-up"
        return f"the distance to a landmark is not recorded in {which}"
    if a.landmark is not b.landmark:
        return f"other landmark: {value_words(a.landmark)}, then {value_words(b.landmark)}"
    if a.landmark_cm is None or b.landmark_cm is None:
        return ""
    if general("landmark_tolerance").exceeded_by(abs(a.landmark_cm - b.landmark_cm)):
        return f"other place: {a.landmark_cm:g} cm, then {b.landmark_cm:g} cm from {value_words(a.landmark)}"
    return ""


def _missing(a: object, b: object, after: TargetState | None, done: str = "recorded") -> str:
    if after is None:
        return NOT_ASSESSED
    if b is None and after.outcome is Outcome.NOT_VISIBLE:
        return "not visible at the follow-up"
    if b is None and after.has_place and after.calibration is None and a is not None:
        return "not recorded at the follow-up: its clip has no calibration"
    if a is None or b is None:
        which = "either" if a is b else "the baseline" if a is None else "the follow-up"
        return f"not {done} at {which}"
    return ""


def _peak(values: Sequence[FlowValue]) -> float | None:
    return next((one.peak_cm_s for one in reversed(values) if one.peak_cm_s is not None), None)
