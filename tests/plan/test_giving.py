"""The day of treatment: given as planned, deviations, copies, and what none of them may fill in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from veinscan.errors import InvalidInputError
from veinscan.plan import giving
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader, Reading, Record, TargetStatus
from veinscan.plan.treatment import ClinicalValues, FoamRecipe, Injection, LaserSettings
from veinscan.plan.visits import put_session
from veinscan.plan.vocabulary import Agent, Checked, Form, Gas, Level, Modality

READER = Reader(name="Reader A")
LASER = LaserSettings(wavelength_nm=1064.0, spot_mm=6.0, fluence_j_cm2=80.0, pulse_ms=15.0)
DRUG: dict[str, Any] = {
    "product": "aethoxysklerol_eu",
    "concentration_percent": 1.0,
    "planned_volume_ml": 2.0,
    "needle_gauge": 30,
}
PLANS: tuple[dict[str, Any], ...] = (
    {"modality": Modality.FOAM, **DRUG},
    {"modality": Modality.LIQUID, **DRUG},
    {"modality": Modality.LASER, "laser": LASER},
    {"modality": Modality.LASER_PLUS_INJECTION, "laser": LASER, **DRUG},
    {},
)


def planned() -> tuple[Record, str]:
    """Foam, liquid, laser, both, nothing planned; and a session of a day."""
    targets = tuple(
        InjectionTarget(id=new_uid(), order=n, level=Level.KNEE, **plan)
        for n, plan in enumerate(PLANS, start=1)
    )
    session = giving.new_session(date(2026, 11, 2))
    record = Record(reading=Reading(id=new_uid()), targets=targets)
    return put_session(record, session, READER), session.id


def row(record: Record, number: int) -> giving.Row:
    return giving.rows(record, record.sessions[0])[number]


def test_a_row_for_each_thing_to_give_in_the_order_of_injection() -> None:
    record, _ = planned()
    shape = [
        (one.target.order, one.is_laser) for one in giving.rows(record, record.sessions[0]) if one.target
    ]
    assert shape == [(1, False), (2, False), (3, True), (4, False), (4, True), (5, False)]


@pytest.mark.parametrize("number", range(5))
def test_given_as_planned_keeps_both_and_checks_nothing_for_the_person(number: int) -> None:
    record, uid = planned()
    given = giving.give_as_planned(record, uid, row(record, number), READER)
    now = row(given, number)
    assert now.is_given
    assert now.as_planned
    assert now.target is not None
    assert now.target.status is TargetStatus.TREATED
    assert [t.status for t in given.targets].count(TargetStatus.TREATED) == 1
    if isinstance(now.entry, Injection):
        assert (now.entry.volume_ml, now.entry.planned_volume_ml, now.entry.needle_gauge) == (2.0, 2.0, 30)
        checks = (now.entry.artery_checked, now.entry.confirmed_intravenous, now.entry.venospasm)
        assert set(checks) == {Checked.UNKNOWN}
        assert now.entry.agent is Agent.UNKNOWN  # it is the product's
        assert now.entry.foam is None  # how the foam was made is not in the plan
        deviation = giving.change_entry(given, uid, now, READER, volume_ml=1.5)
        assert row(deviation, number).as_planned is False
        changed = deviation.sessions[0].injections[0]
        assert (changed.volume_ml, changed.planned_volume_ml) == (1.5, 2.0)
    for again in (giving.give_as_planned, giving.copy_previous):
        with pytest.raises(InvalidInputError, match="given here already"):
            again(given, uid, now, READER)
    back = giving.take_back(given, uid, now, READER)
    assert [t.status for t in back.targets] == [t.status for t in record.targets]
    assert not back.sessions[0].injections
    assert not back.sessions[0].lasers


def test_nothing_planned_is_refused_and_typed_values_count_as_given() -> None:
    record, uid = planned()
    with pytest.raises(InvalidInputError, match="no volume is planned for target 5"):
        giving.give_as_planned(record, uid, row(record, 5), READER)
    looked = giving.change_entry(record, uid, row(record, 5), READER, artery_checked=Checked.YES)
    assert not row(looked, 5).is_given
    assert looked.targets[4].status is TargetStatus.PLANNED
    given = giving.change_entry(looked, uid, row(looked, 5), READER, volume_ml=0.3)
    assert given.targets[4].status is TargetStatus.TREATED
    assert row(given, 5).as_planned is None
    emptied = giving.change_entry(given, uid, row(given, 5), READER, volume_ml=None)
    assert emptied.targets[4].status is TargetStatus.PLANNED
    with pytest.raises(InvalidInputError, match="volume_ml"):
        giving.change_entry(given, uid, row(given, 5), READER, volume_ml=99.0)


def test_a_copy_is_marked_and_leaves_what_is_checked_at_each_needle() -> None:
    record, uid = planned()
    with pytest.raises(InvalidInputError, match="no target before"):
        giving.copy_previous(record, uid, row(record, 0), READER)
    record = giving.give_as_planned(record, uid, row(record, 0), READER)
    foam = FoamRecipe(gas=Gas.AIR, liquid_parts=1.0, gas_parts=4.0, age_s=20.0)
    record = giving.change_entry(
        record, uid, row(record, 0), READER, foam=foam, lot="L1", notes="slow", venospasm=Checked.YES,
        artery_checked=Checked.YES, confirmed_intravenous=Checked.YES, volume_ml=1.0,
    )  # fmt: skip
    # over a row in between that was given nothing
    record, source = giving.copy_previous(record, uid, row(record, 3), READER)
    assert source.target_id == record.targets[0].id
    copy = row(record, 3).entry
    assert isinstance(copy, Injection)
    assert (copy.volume_ml, copy.lot, copy.form, copy.copied) == (1.0, "L1", Form.FOAM, True)
    assert (copy.planned_volume_ml, copy.notes) == (2.0, "")
    assert copy.foam == replace(foam, age_s=None)
    assert {copy.artery_checked, copy.confirmed_intravenous, copy.venospasm} == {Checked.UNKNOWN}
    assert record.targets[3].status is TargetStatus.TREATED

    record = giving.give_as_planned(record, uid, row(record, 2), READER)
    record, _ = giving.copy_previous(record, uid, row(record, 4), READER)
    assert record.sessions[0].lasers[1].copied
    assert record.sessions[0].lasers[1].settings == LASER
    record = giving.give_as_planned(record, uid, row(record, 3), READER)
    assert not record.sessions[0].injections[1].copied


def test_several_injections_into_one_target_and_one_foam_for_all() -> None:
    record, uid = planned()
    record = giving.give_as_planned(record, uid, row(record, 0), READER)
    record = giving.another_injection(record, uid, row(record, 0), READER)
    second = row(record, 1)
    assert second.target_id == record.targets[0].id
    assert not second.is_given
    record = giving.change_entry(record, uid, second, READER, volume_ml=0.5, form=Form.FOAM)
    record = giving.take_back(record, uid, row(record, 0), READER)
    assert record.targets[0].status is TargetStatus.TREATED, "something is still given to it"
    record = giving.give_as_planned(record, uid, row(record, 1), READER)
    with pytest.raises(InvalidInputError, match="no recipe"):
        giving.same_foam(record, uid, row(record, 0), READER)
    record = giving.change_entry(
        record, uid, row(record, 0), READER, foam=FoamRecipe(gas=Gas.CO2, gas_parts=4.0, age_s=9.0)
    )
    again = giving.another_injection(record, uid, row(record, 0), READER)
    again = giving.change_entry(again, uid, row(again, 1), READER, volume_ml=1.0, form=Form.FOAM)
    again = giving.same_foam(again, uid, row(again, 0), READER)
    recipes = {one.form: one.foam for one in again.sessions[0].injections}
    assert recipes[Form.LIQUID] is None
    assert recipes[Form.FOAM] == FoamRecipe(gas=Gas.CO2, gas_parts=4.0)
    dropped = giving.drop_session(again, uid)
    assert {t.status for t in dropped.targets} == {TargetStatus.PLANNED}
    assert not dropped.sessions


def test_sums_of_the_day_say_their_limits_and_what_is_missing() -> None:
    record, uid = planned()
    assert giving.day_words(record, record.sessions[0]) == ("2026-11-02: nothing given yet",)
    record = giving.give_as_planned(record, uid, row(record, 1), READER)
    text = "\n".join(giving.day_words(record, record.sessions[0]))
    assert "2 mL liquid" in text
    assert "polidocanol 20 mg, not computed (the weight is missing)" in text
    assert "polidocanol of a day: limit 2 mg/kg" in text
    weighed = replace(record.sessions[0], values=ClinicalValues(weight_kg=50.0))
    record = put_session(record, weighed, READER)
    assert "20 mg, 0.40 mg/kg" in "\n".join(giving.day_words(record, record.sessions[0]))
    same_day = replace(record.sessions[0], id="1.2.3.4")
    assert giving.day_words(record, record.sessions[0], [same_day])[0].startswith(
        "2026-11-02 in 2 sessions: 4 mL liquid; polidocanol 40 mg, 0.80 mg/kg"
    )
    copies = [*record.sessions, *record.sessions]
    assert giving.day_words(record, record.sessions[0], copies) == giving.day_words(
        record, record.sessions[0]
    )
    record = giving.give_as_planned(record, uid, row(record, 0), READER)
    assert "; polidocanol not computed (the gas share" in "\n".join(
        giving.day_words(record, record.sessions[0])
    )
