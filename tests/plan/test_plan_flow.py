from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from veinscan.doppler.model import RefluxMeasurement
from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan import editing
from veinscan.plan.flow import FlowValue
from veinscan.plan.flow_edits import put_flow, put_reflux, reflux_value, remove_flow
from veinscan.plan.model import InjectionTarget, Reader
from veinscan.plan.normal import normalised
from veinscan.plan.vocabulary import Checked, FlowSource, Manoeuvre, Polarity

ANNA = Reader(name="Anna")
CLIP = SimpleNamespace(sop_instance_uid="1.2.4")
RECORD = editing.add_target(
    editing.new_record("1.2.3"), InjectionTarget(id="1.9.1", order=0, sop_instance_uid="1.2.5")
)
MEASURED = RefluxMeasurement(
    attempt=2, n_attempts=3, adequate=True, reflux_s=0.75, onset_s=1.0, end_s=1.75, antegrade="up",
    peak_reflux_cm_s=12.5, manoeuvre="valsalva",
)  # fmt: skip


def test_a_measurement_keeps_its_numbers_and_where_they_come_from() -> None:
    value = reflux_value(MEASURED, CLIP, ANNA)
    assert (value.reflux_s, value.measured_reflux_s, value.source) == (0.75, 0.75, FlowSource.MEASURED)
    assert (value.sop_instance_uid, value.attempt, value.adequate) == ("1.2.4", 2, Checked.YES)
    assert (value.manoeuvre, value.antegrade) == (Manoeuvre.VALSALVA, Polarity.UP)
    record = put_reflux(RECORD, "1.9.1", value, ANNA)
    assert record.targets[0].reflux[0].set_by == "Anna"
    assert normalised(record) == record


def test_a_corrected_duration_stands_beside_the_measured_one_and_says_who_moved_it() -> None:
    value = reflux_value(replace(MEASURED, corrected_end_s=2.0, corrected_by="Ben"), CLIP, ANNA)
    assert (value.reflux_s, value.measured_reflux_s) == (1.0, 0.75)
    assert (value.source, value.corrected_by, value.end_s) == (FlowSource.CORRECTED, "Ben", 2.0)


def test_an_inadequate_measurement_is_not_no_reflux() -> None:
    value = reflux_value(replace(MEASURED, adequate=False, reflux_s=None), CLIP, ANNA)
    assert (value.reflux_s, value.adequate) == (None, Checked.NO)


def test_values_are_replaced_by_id_taken_away_and_checked() -> None:
    value = reflux_value(MEASURED, CLIP, ANNA)
    record = put_reflux(put_reflux(RECORD, "1.9.1", value, ANNA), "1.9.1", replace(value, reflux_s=0.5), ANNA)
    assert [one.reflux_s for one in record.targets[0].reflux] == [0.5]
    record = put_flow(record, "1.9.1", FlowValue(id="1.9.8", peak_cm_s=8.0), ANNA)
    assert remove_flow(record, "1.9.1", "1.9.8").targets[0].flow == ()
    with pytest.raises(RecordError):
        remove_flow(record, "1.9.1", "1.9.9")
    for wrong in (replace(value, reflux_s=31.0), replace(value, angle_deg=95.0), replace(value, id="x")):
        with pytest.raises(InvalidInputError):
            put_reflux(RECORD, "1.9.1", wrong, ANNA)


def test_a_lower_bound_that_a_reader_ended_is_none() -> None:
    cut = replace(MEASURED, is_lower_bound=True, newest_s=1.75, time_step_s=0.01)
    assert reflux_value(cut, CLIP, ANNA).is_lower_bound
    ended = replace(cut, corrected_end_s=1.5, corrected_by="Ben")
    assert not reflux_value(ended, CLIP, ANNA).is_lower_bound
