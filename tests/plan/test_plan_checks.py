"""The checks R01 to R33, each just inside and just outside of its limit."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan import editing
from veinscan.plan import vocabulary as v
from veinscan.plan.checks import (
    CheckLevel,
    acknowledge,
    check_record,
    data_errors,
    open_warnings,
)
from veinscan.plan.doses import day_sums, liquid_ml, mass_mg
from veinscan.plan.finalise import NotFinalError, amend, finalise, withdraw
from veinscan.plan.flow import RefluxValue
from veinscan.plan.follow_up import Evacuation, FollowUp, TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Calibration, InjectionTarget, Reader, Record, TargetStatus, ValueSource
from veinscan.plan.products import product_names
from veinscan.plan.treatment import (
    ClinicalValues,
    Compression,
    Contraindication,
    Finding,
    FoamRecipe,
    Injection,
    LaserSettings,
    TreatmentSession,
)
from veinscan.plan.visits import (
    maybe_recanalised,
    planned_against_given,
    put_follow_up,
    put_session,
)

ANNA = Reader(name="Anna")
DAY = date(2026, 3, 2)
E, W, I = CheckLevel.ERROR, CheckLevel.WARNING, CheckLevel.INFORMATION  # noqa: E741
ANSWERED = tuple(
    Contraindication(item=item, answer=v.Answer.NO)
    for item in v.ContraindicationItem
    if item is not v.ContraindicationItem.OTHER
)
CALIBRATION = Calibration(box=(0, 0, 400, 400), spacing_mm=(0.1, 0.1), skin_row=0.0)


def target(**fields: Any) -> InjectionTarget:
    values: dict[str, Any] = {
        "id": "1.9.1", "order": 1, "sop_instance_uid": "1.2.4", "point": (50.0, 50.0), "side": v.Side.LEFT,
        "marked_by": "Anna", "calibration": CALIBRATION, "artery_checked": v.Checked.YES,
    }  # fmt: skip
    return InjectionTarget(**(values | fields))


def session(*injections: Injection, weight: float | None = 70.0, **fields: Any) -> TreatmentSession:
    values: dict[str, Any] = {
        "id": new_uid(), "on": DAY, "injections": injections,
        "values": ClinicalValues(weight_kg=weight, contraindications=ANSWERED),
    }  # fmt: skip
    return TreatmentSession(**(values | fields))


def given(volume_ml: float, percent: float | None = None, **fields: Any) -> Injection:
    values: dict[str, Any] = {
        "id": new_uid(), "volume_ml": volume_ml, "concentration_percent": percent, "form": v.Form.LIQUID,
        "agent": v.Agent.POLIDOCANOL, "artery_checked": v.Checked.YES,
    }  # fmt: skip
    return Injection(**(values | fields))


def foam(volume_ml: float, percent: float, gas: float, **fields: Any) -> Injection:
    recipe = FoamRecipe(liquid_parts=1.0, gas_parts=gas)
    return given(volume_ml, percent, **({"form": v.Form.FOAM, "foam": recipe} | fields))


def record(*targets: InjectionTarget, **parts: Any) -> Record:
    return replace(editing.new_record("1.2.3"), targets=targets, **parts)


def found(one: Record, rule: str, **options: Any) -> list[CheckLevel]:
    results = check_record(one, **({"today": DAY} | options))
    return [result.level for result in results if result.rule == rule]


def on(
    *sessions: TreatmentSession, rule: str, targets: tuple[InjectionTarget, ...] = (), **options: Any
) -> Any:
    return found(record(*targets, sessions=sessions), rule, **options)


# -- doses: the cases of the table ------------------------------------------------------


@pytest.mark.parametrize(
    ("injections", "weight", "mass", "warned"),
    [
        ([given(7.0, 2.0)], 70.0, 140.0, False),
        ([given(7.1, 2.0)], 70.0, 142.0, True),
        ([given(10.0, 1.0)], 45.0, 100.0, True),
        ([given(10.0, 0.5)], 60.0, 50.0, False),
        ([foam(10.0, 1.0, 4.0)], 60.0, 20.0, False),
        ([foam(10.0, 3.0, 3.0)], 36.0, 75.0, True),
        ([given(15.0, product="varithena_us", form=v.Form.FOAM)], 60.0, 19.5, False),
    ],
)
def test_the_mass_over_a_day(injections: list[Injection], weight: float, mass: float, warned: bool) -> None:
    one = session(*injections, weight=weight)
    (total,) = day_sums([one])
    assert total.polidocanol_mg == pytest.approx(mass, rel=1e-12)
    assert total.mg_per_kg == pytest.approx(mass / weight)
    assert (on(one, rule="R17") == [W]) is warned
    assert on(one, rule="R15") == on(one, rule="R16") == on(one, rule="R22") == []


def test_the_day_goes_over_sessions_legs_liquid_and_foam() -> None:
    left = session(given(5.0, 2.0, side=v.Side.LEFT))
    right = session(foam(8.0, 2.0, 3.0, side=v.Side.RIGHT))
    assert on(left, rule="R17") == on(right, rule="R17") == []  # 100 and 40 mg: 140 mg together
    assert on(left, right, rule="R17") == []
    more = session(foam(8.2, 2.0, 3.0))
    assert on(left, more, rule="R17") == [W]
    assert (
        on(left, replace(more, on=DAY + timedelta(days=1)), rule="R17", today=DAY + timedelta(days=9)) == []
    )
    # what another study of the patient holds counts too
    assert on(left, rule="R17", other_sessions=(more,)) == [W]
    assert on(left, rule="R17", other_sessions=(left,)) == []


def test_a_missing_weight_is_never_assumed() -> None:
    one = session(given(1.0, 1.0), weight=None)
    (total,) = day_sums([one])
    assert total.mg_per_kg is None and total.dose_text.startswith("not computed")
    assert on(one, rule="R22") == [W] and on(one, rule="R17") == []
    assert on(session(given(1.0, 1.0, agent=v.Agent.STS), weight=None), rule="R22") == []


def test_what_is_missing_for_a_mass_is_said() -> None:
    for injection in (
        given(1.0),
        given(1.0, 1.0, form=v.Form.UNKNOWN),
        given(1.0, 1.0, form=v.Form.FOAM),
        replace(given(1.0, 1.0), volume_ml=None),
    ):
        (total,) = day_sums([session(injection)])
        assert total.polidocanol_mg is None and total.missing
    assert liquid_ml(10.0, 4.0) == 2.0
    assert mass_mg(1.0, 1.0) == 10.0


# -- sessions ---------------------------------------------------------------------------


def test_r15_volume_of_a_session() -> None:
    for key, limit in (("asclera_us", 10.0), ("sotradecol_us", 10.0), ("varithena_us", 15.0)):
        assert on(session(given(limit, product=key)), rule="R15") == []
        assert on(session(given(limit, product=key), given(0.1, product=key)), rule="R15") == [W]
        assert on(session(given(limit + 0.1), product=key), rule="R15") == [W]


def test_r16_foam_of_a_day() -> None:
    assert on(session(foam(10.0, 1.0, 4.0)), rule="R16") == []
    assert on(session(foam(5.0, 1.0, 4.0)), session(foam(5.1, 1.0, 4.0)), rule="R16") == [W]
    assert on(session(foam(15.0, 1.0, 4.0, product="varithena_us")), rule="R16") == []


@pytest.mark.parametrize(("age", "key", "levels"), [
    (60.0, "", []), (60.1, "", [W]), (75.0, "varithena_us", []), (75.1, "varithena_us", [W]),
    (60.0, "fibrovein_uk", []), (61.0, "fibrovein_uk", [W]),
])  # fmt: skip
def test_r18_age_of_a_foam(age: float, key: str, levels: list[CheckLevel]) -> None:
    recipe = FoamRecipe(liquid_parts=1.0, gas_parts=4.0, age_s=age)
    assert on(session(foam(1.0, 1.0, 4.0, foam=recipe, product=key)), rule="R18") == levels


@pytest.mark.parametrize(("gas", "levels"), [(3.0, []), (5.0, []), (2.9, [W]), (5.1, [W])])
def test_r19_gas_of_a_foam(gas: float, levels: list[CheckLevel]) -> None:
    assert on(session(foam(1.0, 1.0, gas)), rule="R19") == levels


def test_r20_and_r21_numbers_and_intervals() -> None:
    assert on(session(number=4, planned_total=4), rule="R20") == []
    assert on(session(number=5, planned_total=4), rule="R20") == [I]
    for key, least in (("asclera_us", 7), ("varithena_us", 5)):
        for days, levels in ((least, []), (least - 1, [W])):
            first = session(on=DAY - timedelta(days=days))
            assert on(first, session(given(0.1, product=key)), rule="R21") == levels
            assert on(session(given(0.1, product=key)), rule="R21", other_sessions=(first,)) == levels
    assert on(session(on=DAY), rule="R21") == []
    assert on(session(on=DAY + timedelta(days=1)), rule="R21") == [E]


def test_r23_contraindications() -> None:
    assert on(session(given(0.1, 0.5)), rule="R23") == []
    no_shunt = [one for one in ANSWERED if one.item is not v.ContraindicationItem.SYMPTOMATIC_SHUNT]
    shunt = Contraindication(item=v.ContraindicationItem.SYMPTOMATIC_SHUNT, answer=v.Answer.YES)
    values = ClinicalValues(weight_kg=70.0, contraindications=(*no_shunt, shunt))
    assert on(session(given(0.1, 0.5), values=values), rule="R23") == [W]
    assert on(session(foam(0.1, 0.5, 4.0), values=values), rule="R23") == [W, W]
    asked = replace(values, contraindications=tuple(no_shunt))
    assert on(session(given(0.1, 0.5), values=asked), rule="R23") == [W]


def test_r24_laser_and_drug() -> None:
    laser, drug = LaserSettings(wavelength_nm=1064.0), {"concentration_percent": 0.5}
    assert found(record(target(modality=v.Modality.LASER, laser=laser)), "R24") == []
    assert found(record(target(modality=v.Modality.LASER, laser=laser, **drug)), "R24") == [E]
    assert found(record(target(modality=v.Modality.LIQUID, **drug)), "R24") == []
    assert found(record(target(modality=v.Modality.FOAM, laser=laser)), "R24") == [E]
    assert found(record(target(modality=v.Modality.LASER_PLUS_INJECTION, laser=laser, **drug)), "R24") == []


@pytest.mark.parametrize("event", ["anaphylaxis", "intra_arterial_suspected", "visual", "migraine", "tia"])
def test_r25_events_that_need_details(event: str) -> None:
    kind = v.ImmediateEvent(event)
    assert on(session(findings=(Finding(event=kind),)), rule="R25") == [E]
    assert on(session(findings=(Finding(event=kind, details="what was done"),)), rule="R25") == []
    assert on(session(findings=(Finding(event=v.ImmediateEvent.PAIN),)), rule="R25") == []


@pytest.mark.parametrize(("key", "vein_class", "least"), [
    ("asclera_us", "telangiectasia", 2), ("asclera_us", "reticular", 5), ("varithena_us", "trunk", 14),
])  # fmt: skip
def test_r26_compression(key: str, vein_class: str, least: int) -> None:
    vein = target(vein_class=v.VeinClass(vein_class))
    for days, levels in ((least, []), (least - 0.5, [I])):
        one = session(given(0.1, product=key, target_id=vein.id), compression=Compression(days=float(days)))
        assert on(one, rule="R26", targets=(vein,)) == levels
    free = Compression(kind=v.CompressionKind.NOT_REQUIRED, days=0.0)
    assert (
        on(session(given(0.1, product=key, target_id=vein.id), compression=free), rule="R26", targets=(vein,))
        == []
    )


def test_r29_ultrasound_without_a_picture() -> None:
    guided = {"guidance": (v.Guidance.ULTRASOUND,)}
    assert on(session(given(0.1), **guided), rule="R29") == [I]
    assert on(session(given(0.1, target_id="1.9.1"), **guided), rule="R29", targets=(target(),)) == []
    assert on(session(given(0.1)), rule="R29") == []


# -- targets ----------------------------------------------------------------------------


def test_r01_and_r02_places() -> None:
    clip = SimpleNamespace(
        sop_instance_uid="1.2.4",
        file="a.dcm",
        n_frames=3,
        rows=100,
        columns=100,
        regions=(),
        picture_region=None,
    )
    study = SimpleNamespace(clips=(clip,))
    assert found(record(target()), "R01", study=study) == found(record(target()), "R02", study=study) == []
    assert found(record(target(frame_index=3)), "R01", study=study) == [E]
    assert found(record(target(sop_instance_uid="1.2.5")), "R01", study=study) == [E]
    assert found(record(target(point=(100.0, 5.0))), "R02", study=study) == [E]
    assert found(record(target(feeds=("1.9.9",))), "R01") == [E]
    on_map = target(sop_instance_uid="", level=v.Level.KNEE)
    assert found(record(on_map), "R01", study=study) == []


def test_r03_r05_r07_r11() -> None:
    measured = {"diameter_mm": 2.0, "diameter_source": ValueSource.CLICK}
    assert found(record(target(**measured)), "R03") == []
    assert found(record(target(calibration=None, **measured)), "R03") == [E]
    entered = measured | {"diameter_source": ValueSource.ENTERED}
    assert found(record(target(calibration=None, **entered)), "R03") == []
    assert found(record(target(side=v.Side.UNKNOWN)), "R05") == [E]
    assert found(record(target(vessel_type=v.VesselType.ARTERY)), "R07") == [E]
    skipped = target(vessel_type=v.VesselType.NERVE, status=TargetStatus.SKIPPED)
    assert found(record(skipped), "R07") == []
    assert found(record(target(candidate_id="c1")), "R11") == []
    assert found(record(target(candidate_id="c1", marked_by="")), "R11") == [E]
    assert found(record(target(marked_by="", is_feeder=v.IsFeeder.YES)), "R11") == [E]


@pytest.mark.parametrize(("depth", "levels"), [(4.0, []), (2.0, []), (6.0, []), (1.9, [W]), (6.1, [W])])
def test_r04_depth_against_the_skin_entry(depth: float, levels: list[CheckLevel]) -> None:
    assert found(record(target(depth_mm=depth, skin_entry=(10.0, 50.0))), "R04") == levels


@pytest.mark.parametrize(("name", "diameter", "levels"), [
    ("telangiectasia", 0.99, []), ("telangiectasia", 1.0, [W]), ("reticular", 0.99, [W]),
    ("reticular", 1.0, []),
    ("reticular", 2.99, []), ("reticular", 3.0, [W]), ("varicose", 2.99, [W]), ("varicose", 3.0, []),
    ("trunk", 1.0, []), ("unknown", 9.0, []),
])  # fmt: skip
def test_r06_class_and_diameter(name: str, diameter: float, levels: list[CheckLevel]) -> None:
    assert found(record(target(vein_class=v.VeinClass(name), diameter_mm=diameter)), "R06") == levels


def test_r09_r10_r12() -> None:
    hard = {"compressible": v.Compressible.NONE}
    assert found(record(target(**hard)), "R09") == [W]
    assert found(record(target(status=TargetStatus.TREATED, **hard)), "R09") == []
    assert found(record(target(compartment=v.Compartment.SUBFASCIAL)), "R10") == [W]
    assert found(record(target(vein="POPV")), "R10") == [W]
    assert found(record(target(vein="GSV", compartment=v.Compartment.SAPHENOUS)), "R10") == []
    for checked, levels in ((v.Checked.YES, []), (v.Checked.NO, [W]), (v.Checked.UNKNOWN, [W])):
        assert found(record(target(artery_checked=checked, modality=v.Modality.FOAM)), "R12") == levels
        assert found(record(target(artery_checked=checked, modality=v.Modality.LASER)), "R12") == []
        assert on(session(given(0.1, artery_checked=checked)), rule="R12") == levels


def planned(**fields: Any) -> Record:
    return record(target(**({"modality": v.Modality.LIQUID, "product": "asclera_us"} | fields)))


def test_r13_strength_size_and_foam() -> None:
    spider, reticular = v.VeinClass.TELANGIECTASIA, v.VeinClass.RETICULAR
    assert found(planned(vein_class=spider, concentration_percent=0.5), "R13") == []
    assert found(planned(vein_class=spider, concentration_percent=1.0), "R13") == [W]
    assert found(planned(vein_class=reticular, concentration_percent=1.0), "R13") == []
    assert found(planned(diameter_mm=3.0), "R13") == []
    assert found(planned(diameter_mm=3.01), "R13") == [W]
    assert found(planned(modality=v.Modality.FOAM), "R13") == [W]
    assert found(planned(modality=v.Modality.FOAM, product="aethoxysklerol_eu"), "R13") == []
    weak = {"modality": v.Modality.FOAM, "product": "fibrovein_uk"}
    assert found(planned(concentration_percent=0.5, **weak), "R13") == [W]
    assert found(planned(concentration_percent=1.0, **weak), "R13") == []
    assert found(planned(product="", concentration_percent=5.0, diameter_mm=9.0), "R13") == []


@pytest.mark.parametrize(("key", "fields", "volume", "levels"), [
    ("asclera_us", {}, 0.3, []), ("asclera_us", {}, 0.31, [W]),
    ("sotradecol_us", {}, 1.0, []), ("sotradecol_us", {}, 1.1, [I]), ("sotradecol_us", {}, 2.0, [I]),
    ("sotradecol_us", {}, 2.1, [W]),
    ("varithena_us", {}, 5.0, []), ("varithena_us", {}, 5.1, [W]),
    ("aethoxysklerol_eu", {"modality": v.Modality.FOAM, "vein_class": v.VeinClass.PERFORATOR}, 2.0, []),
    ("aethoxysklerol_eu", {"modality": v.Modality.FOAM, "vein_class": v.VeinClass.PERFORATOR}, 2.1, [W]),
    ("aethoxysklerol_eu", {"modality": v.Modality.FOAM, "vein_class": v.VeinClass.TRUNK}, 4.0, []),
    ("aethoxysklerol_eu", {"modality": v.Modality.FOAM, "vein_class": v.VeinClass.TRUNK}, 4.1, [W]),
    ("aethoxysklerol_eu", {"modality": v.Modality.FOAM, "vein": "GSV"}, 6.0, []),
    ("aethoxysklerol_eu", {"modality": v.Modality.FOAM, "vein": "GSV"}, 6.1, [W]),
    ("", {}, 20.0, []),
])  # fmt: skip
def test_r14_volume_of_an_injection(key: str, fields: Any, volume: float, levels: list[CheckLevel]) -> None:
    assert found(planned(product=key, planned_volume_ml=volume, **fields), "R14") == levels


# -- follow-ups -------------------------------------------------------------------------


def visit(**fields: Any) -> FollowUp:
    return FollowUp(**({"id": new_uid(), "on": DAY, "baseline_study_uid": "1.2.3"} | fields))


def after(one: FollowUp, rule: str, *targets: InjectionTarget, **parts: Any) -> list[CheckLevel]:
    return found(record(*targets, follow_ups=(one,), **parts), rule)


def test_r08_postures() -> None:
    before = target(diameter_mm=3.0, posture=v.Posture.STANDING)
    for posture, levels in ((v.Posture.STANDING, []), (v.Posture.SUPINE, [I]), (v.Posture.UNKNOWN, [I])):
        outcome = TargetOutcome(target_id=before.id, diameter_mm=2.0, posture=posture)
        assert after(visit(outcomes=(outcome,)), "R08", before) == levels


def test_r27_and_r28_reminders() -> None:
    old = session(on=DAY - timedelta(days=14))
    assert on(old, rule="R27") == []
    assert on(replace(old, on=DAY - timedelta(days=15)), rule="R27") == [I]
    assert after(visit(), "R27", sessions=(replace(old, on=DAY - timedelta(days=15)),)) == []
    assert after(visit(), "R28") == []
    assert after(visit(baseline_study_uid=""), "R28") == [I]


def test_r30_r31_r32_r33() -> None:
    part = TargetOutcome(target_id="1.9.1", outcome=v.Outcome.OCCLUDED_PARTIAL)
    long = replace(part, treated_length_cm=10.0, occluded_length_cm=10.0)
    assert after(visit(outcomes=(long,)), "R30", target()) == []
    assert after(visit(outcomes=(replace(long, occluded_length_cm=10.5),)), "R30", target()) == [E]
    assert after(visit(outcomes=(part,)), "R30", target()) == [W]
    with_reflux = replace(part, reflux=RefluxValue(id="1.5", reflux_s=0.6))
    assert after(visit(outcomes=(with_reflux,)), "R30", target()) == []
    assert after(visit(deep_veins=v.DeepVeins.DVT), "R31") == [E]
    assert after(visit(deep_veins=v.DeepVeins.DVT, deep_veins_action="sent on"), "R31") == []
    for name, levels in (("I", []), ("II", [E]), ("III", [E]), ("IV", [E]), ("none", [])):
        assert after(visit(junction_class=v.JunctionClass(name)), "R31") == levels
    treated = session(on=DAY - timedelta(days=40))
    for days, levels in ((28, []), (29, [I])):
        evacuated = Evacuation(on=DAY - timedelta(days=40 - days))
        assert after(visit(evacuation=evacuated), "R32", sessions=(treated,)) == levels
    assert after(visit(appearance_percent=50), "R33") == [I, I]
    rated = {"appearance_percent": 50, "rater": v.Rater.PATIENT, "before_photo": v.Checked.YES}
    assert after(visit(**rated), "R33") == []


def test_recanalised_is_suggested_from_two_dated_visits_and_never_set() -> None:
    closed = TargetOutcome(target_id="1.9.1", outcome=v.Outcome.OCCLUDED_FULL)
    opened = TargetOutcome(target_id="1.9.1", outcome=v.Outcome.PATENT_REFLUX)
    first, later = visit(outcomes=(closed,)), visit(on=DAY + timedelta(days=90), outcomes=(opened,))
    assert maybe_recanalised([later, first]) == (("1.9.1", first.id, later.id),)
    assert maybe_recanalised([replace(first, on=None), later]) == ()
    assert maybe_recanalised([replace(first, outcomes=(opened,)), later]) == ()


# -- acknowledgements, final versions ---------------------------------------------------


def test_a_warning_is_acknowledged_until_it_says_something_else() -> None:
    one = record(target(vein_class=v.VeinClass.RETICULAR, diameter_mm=4.0))
    (warned,) = open_warnings(check_record(one))
    known = acknowledge(one, warned, ANNA, "measured lying down")
    assert open_warnings(check_record(known)) == ()
    (entry,) = known.acknowledgements
    assert (entry.acknowledged_by, entry.reason) == ("Anna", "measured lying down")
    assert entry.acknowledged_at is not None
    changed = editing.update_target(known, "1.9.1", diameter_mm=5)
    assert len(open_warnings(check_record(changed))) == 1
    with pytest.raises(InvalidInputError):
        acknowledge(one, data_errors(check_record(record(target(side=v.Side.UNKNOWN))))[0], ANNA)
    with pytest.raises(InvalidInputError):
        acknowledge(one, warned, Reader(name=" "))


def test_final_amended_withdrawn() -> None:
    with pytest.raises(NotFinalError, match="R05") as caught:
        finalise(record(target(side=v.Side.UNKNOWN)), ANNA)
    assert len(caught.value.reasons) == 1
    with pytest.raises(NotFinalError, match="R09"):
        finalise(record(target(compressible=v.Compressible.NONE)), ANNA)
    with pytest.raises(NotFinalError, match="conflict"):
        finalise(record(target(), conflicts=("two sides",)), ANNA)
    with pytest.raises(InvalidInputError):
        finalise(record(target()), Reader(name=""))
    final = finalise(record(target()), ANNA)
    assert (final.status.state, final.status.set_by) == (v.RecordState.FINAL, "Anna")
    with pytest.raises(RecordError, match="amend"):
        editing.update_target(final, "1.9.1", notes="x")
    with pytest.raises(InvalidInputError):
        amend(final, ANNA, " ")
    with pytest.raises(RecordError):
        amend(record(), ANNA, "reason")
    opened = editing.update_target(amend(final, ANNA, "wrong level"), "1.9.1", level="knee")
    again = finalise(opened, Reader(name="Ben"))
    assert (again.status.state, again.status.reason) == (v.RecordState.AMENDED, "wrong level")
    gone = withdraw(again, ANNA, "wrong patient")
    assert gone.status.state is v.RecordState.WITHDRAWN and gone.targets == again.targets
    for act in (lambda: withdraw(gone, ANNA, "again"), lambda: editing.remove_target(gone, "1.9.1")):
        with pytest.raises(RecordError):
            act()


def test_sessions_and_follow_ups_are_kept_whole_and_malformed_ones_refused() -> None:
    one = record(target(planned_volume_ml=0.3, concentration_percent=0.5))
    one = put_session(one, session(given(0.2, 0.5, target_id="1.9.1")), ANNA)
    (compared,) = planned_against_given(one.sessions[0])
    assert (compared.planned_volume_ml, compared.given_volume_ml, compared.as_planned) == (0.3, 0.2, False)
    assert one.sessions[0].set_by == "Anna"
    one = put_session(one, replace(one.sessions[0], notes="x"), Reader(name="Ben"))
    assert [entry.set_by for entry in one.sessions] == ["Ben"]
    for wrong in (
        session(given(21.0)),
        session(product="nothing"),
        session(weight=19.0),
        session(pain_score=11),
        replace(session(), id="x"),
    ):
        with pytest.raises(InvalidInputError):
            put_session(one, wrong, ANNA)
    for bad in (visit(appearance_percent=47), visit(appearance_percent=-105), visit(satisfaction=11)):
        with pytest.raises(InvalidInputError):
            put_follow_up(one, bad, ANNA)
    assert put_follow_up(one, visit(appearance_percent=45), ANNA).follow_ups[0].appearance_percent == 45


def test_no_product_is_a_default_and_every_number_has_source_and_mark() -> None:
    from veinscan.plan import thresholds

    assert TreatmentSession(id="1.2").product == "" == Injection(id="1.2").product == target().product
    sources = thresholds.section("sources")
    for entry in [*thresholds.section("products").values(), {"limits": thresholds.section("limits")}]:
        for value in entry.values():
            for one in value.values() if isinstance(value, dict) and "value" not in value else [value]:
                if isinstance(one, dict):
                    assert one["source"] in sources and one["mark"] in "SAKD" and one["unit"]
    assert len(product_names()) == 5
