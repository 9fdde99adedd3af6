"""Flow and reflux on targets: taken over from a measurement, typed, or taken away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from veinscan.doppler.model import RefluxMeasurement
from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.editing import find_target
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Reader, Record
from veinscan.plan.normal import normalised, now, optional_number
from veinscan.plan.signing import check_editable
from veinscan.plan.values import check
from veinscan.plan.vocabulary import Checked, FlowSource, Manoeuvre, Polarity, Posture


def reflux_value(
    measured: RefluxMeasurement, clip: Any, reader: Reader, *, posture: Posture = Posture.UNKNOWN
) -> RefluxValue:
    """One measured attempt in the form that the plan keeps, corrected marks and who moved them included."""
    onset = measured.onset_s if measured.corrected_onset_s is None else measured.corrected_onset_s
    end = measured.end_s if measured.corrected_end_s is None else measured.corrected_end_s
    corrected = measured.corrected_onset_s is not None or measured.corrected_end_s is not None
    known = {member.value for member in Manoeuvre}
    return RefluxValue(
        id=new_uid(),
        sop_instance_uid=str(clip.sop_instance_uid),
        attempt=measured.attempt,
        adequate=Checked.YES if measured.adequate else Checked.NO,
        reflux_s=optional_number(measured.duration_s, "reflux_s"),
        measured_reflux_s=optional_number(measured.reflux_s, "measured_reflux_s"),
        is_lower_bound=measured.duration_is_lower_bound,
        onset_s=optional_number(onset, "onset_s"),
        end_s=optional_number(end, "end_s"),
        interrupted=measured.interrupted,
        peak_reflux_cm_s=optional_number(measured.peak_reflux_cm_s, "peak_reflux_cm_s"),
        mean_reflux_cm_s=optional_number(measured.mean_reflux_cm_s, "mean_reflux_cm_s"),
        antegrade_peak_cm_s=optional_number(measured.antegrade_peak_cm_s, "antegrade_peak_cm_s"),
        angle_deg=optional_number(measured.angle_deg, "angle_deg"),
        time_step_s=optional_number(measured.time_step_s, "time_step_s"),
        manoeuvre=Manoeuvre(measured.manoeuvre) if measured.manoeuvre in known else Manoeuvre.UNKNOWN,
        posture=posture,
        antegrade=Polarity(measured.antegrade) if measured.antegrade in ("up", "down") else Polarity.UNKNOWN,
        polarity_confirmed=measured.polarity_confirmed,
        end_rule=measured.end_rule,
        calibrated_by=measured.calibration,
        threshold_profile=measured.threshold_profile,
        source=FlowSource.CORRECTED if corrected else FlowSource.MEASURED,
        corrected_by=measured.corrected_by,
        set_by=reader.name,
        set_at=now(),
    )


def put_reflux(record: Record, target_id: str, value: RefluxValue, reader: Reader) -> Record:
    """The record with a reflux value on a target: a new one, or in place of the one with its id."""
    return _put(record, target_id, "reflux", value, reader)


def put_flow(record: Record, target_id: str, value: FlowValue, reader: Reader) -> Record:
    """The record with a velocity on a target: a new one, or in place of the one with its id."""
    return _put(record, target_id, "flow", value, reader)


def remove_flow(record: Record, target_id: str, value_id: str) -> Record:
    """The record without one flow or reflux value of a target; RecordError where there is none of that id."""
    check_editable(record)
    target = find_target(record, target_id)
    changed = replace(
        target,
        reflux=tuple(one for one in target.reflux if one.id != value_id),
        flow=tuple(one for one in target.flow if one.id != value_id),
    )
    if changed == target:
        raise RecordError(f"the target has no value {value_id!r}", do="list them to see their ids")
    return _with(record, changed)


def _put(record: Record, target_id: str, name: str, value: Any, reader: Reader) -> Record:
    check_editable(record)
    target = find_target(record, target_id)
    check(value)
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
    value = replace(value, set_by=reader.name, set_at=now())
    members = getattr(target, name)
    if any(one.id == value.id for one in members):
        members = tuple(value if one.id == value.id else one for one in members)
    else:
        members = (*members, value)
    new: dict[str, Any] = {name: members}
    return _with(record, replace(target, **new))


def _with(record: Record, target: Any) -> Record:
    targets = tuple(target if one.id == target.id else one for one in record.targets)
    return normalised(replace(record, targets=targets))
