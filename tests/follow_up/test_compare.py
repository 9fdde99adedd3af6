"""A baseline beside a follow-up: what is subtracted, what is not and why, and what never happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from follow_up_studies import (
    ANNA,
    BEN,
    KNOWN,
    TREATED,
    WITH_MM,
    plan_of,
    record_with,
    study_at,
    target,
    visit_with,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import days, instances, readings, records, uids

from veinscan.errors import InvalidInputError
from veinscan.follow_up import Comparison, Match, PatientMatch, compare_records, compare_studies
from veinscan.follow_up.pairs import Pair
from veinscan.follow_up.quantities import shown_reflux
from veinscan.plan import vocabulary as v
from veinscan.plan.editing import add_target, new_record, update_target
from veinscan.plan.finalise import withdraw
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Record
from veinscan.plan.normal import normalised
from veinscan.plan.places import ImagePlace
from veinscan.plan.visits import put_follow_up
from veinscan.record import load_record, save_record
from veinscan.record.opening import Opened


def plan(*targets: InjectionTarget) -> Record:
    return normalised(replace(new_record("1.2.3"), targets=targets))


def outcome(of: InjectionTarget, **fields: Any) -> TargetOutcome:
    values: dict[str, Any] = {"outcome": v.Outcome.PATENT_REFLUX, "diameter_mm": 3.0, **KNOWN}
    return TargetOutcome(target_id=of.id, **(values | fields))


def compared(of: InjectionTarget, *outcomes: TargetOutcome, **fields: Any) -> Comparison:
    return compare_records(plan(of), record_with("1.2.4", visit_with(*outcomes, **fields)))


def reflux(seconds: float | None, **fields: Any) -> RefluxValue:
    values: dict[str, Any] = {
        "id": new_uid(), "reflux_s": seconds, "adequate": v.Checked.YES, "posture": v.Posture.STANDING,
        "manoeuvre": v.Manoeuvre.CUFF,
    }  # fmt: skip
    return RefluxValue(**(values | fields))


# -- properties ---------------------------------------------------------------------------


ids = st.sampled_from([f"1.2.{number}" for number in range(1, 5)])
outcomes = st.lists(instances(TargetOutcome, target_id=ids), max_size=2).map(tuple)
small = st.builds(
    Record,
    reading=readings,
    targets=st.lists(
        instances(InjectionTarget, id=ids, sop_instance_uid=uids), max_size=3, unique_by=lambda one: one.id
    ).map(tuple),
    follow_ups=st.lists(st.builds(FollowUp, id=uids, on=st.none() | days, outcomes=outcomes), max_size=2).map(
        tuple
    ),
).map(normalised)
"""Records of a few targets and outcomes, whose ids meet by chance."""


def nothing_changed(found: Comparison) -> None:
    assert found.new_findings == found.rvcss == ()
    for row in found.targets:
        assert row.maybe_recanalised is None
        assert row.follow_up is not None
        for pair in row.pairs:
            assert pair.baseline == pair.follow_up
            assert pair.difference in (None, 0.0)
            assert pair.percent in (None, 0.0)
            assert not pair.changed


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(records())
def test_a_record_compared_with_itself_shows_no_change(record: Record) -> None:
    if record.status.state is v.RecordState.WITHDRAWN:
        with pytest.raises(InvalidInputError, match="withdrawn"):
            compare_records(record, record)
        return
    found = compare_records(record, record)
    nothing_changed(found)
    spoken_of = {one.id for one in record.targets}
    spoken_of |= {one.target_id for visit in record.follow_ups for one in visit.outcomes}
    assert {row.target_id for row in found.targets} == spoken_of


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(small, small)
def test_ids_never_cross(one: Record, other: Record) -> None:
    """Rows are those of the baseline; what the follow-up says of another's target is on no row."""
    found = compare_records(one, other)
    mine = {target.id for target in one.targets}
    mine |= {o.target_id for visit in one.follow_ups for o in visit.outcomes}
    assert {row.target_id for row in found.targets} == mine
    theirs = {target.id for target in other.targets}
    theirs |= {o.target_id for visit in other.follow_ups for o in visit.outcomes}
    for row in found.targets:
        for side in (row.baseline, row.follow_up):
            assert side is None or side.target_id == row.target_id
        assert (row.follow_up is not None) == (row.target_id in theirs)
        for pair in row.pairs:
            assert (pair.difference is None) or pair.comparable
    assert {target.id for target in found.new_findings} == {target.id for target in other.targets} - mine


@given(
    st.sampled_from(list(v.Posture)), st.sampled_from(list(v.Posture)),
    st.sampled_from(list(v.Landmark)), st.sampled_from(list(v.Landmark)),
    st.none() | st.floats(0, 100), st.none() | st.floats(0, 100),
)  # fmt: skip
def test_a_difference_needs_posture_and_landmark(
    p1: v.Posture, p2: v.Posture, l1: v.Landmark, l2: v.Landmark, cm1: float | None, cm2: float | None
) -> None:
    one = target(posture=p1, landmark=l1, landmark_cm=cm1, diameter_mm=4.0)
    row = compared(one, outcome(one, posture=p2, landmark=l2, landmark_cm=cm2)).targets[0]
    agree = p1 is p2 is not v.Posture.UNKNOWN and l1 is l2 is not v.Landmark.UNKNOWN
    agree = agree and cm1 is not None and cm2 is not None and abs(cm1 - cm2) <= 1.0
    assert (row.diameter.baseline, row.diameter.follow_up) == (4.0, 3.0)
    if agree:
        assert row.diameter.difference == pytest.approx(-1.0)
        assert row.diameter.percent == pytest.approx(-25.0)
        assert not row.diameter.reason
    else:
        assert row.diameter.difference is row.diameter.percent is row.diameter.changed is None
        assert row.diameter.reason


@given(
    st.floats(0, 50),
    st.floats(0, 50),
    st.sampled_from([("diameter_mm", "mm"), ("reflux_s", "s"), ("flow_cm_s", "cm/s")]),
)
def test_what_is_shown_adds_up(before: float, after: float, which: tuple[str, str]) -> None:
    pair = Pair(*which, before, after)
    first, second = pair.values().removesuffix(f" {pair.unit}").split(" -> ")
    change, share = pair.shown_change
    assert Decimal(first) + Decimal(change) == Decimal(second)
    assert not change.startswith("-0") or Decimal(change) != 0
    assert bool(share) == (Decimal(first) != 0)
    if share:
        percent = 100 * (float(second) - float(first)) / float(first)
        assert abs(float(share.removesuffix(" %")) - percent) <= 0.5 + 1e-6
    assert Pair(*which, before, after, "other posture").change() == ""


# -- examples -----------------------------------------------------------------------------


def test_both_values_and_the_reason_in_words() -> None:
    one = target()
    row = compared(one, outcome(one, posture=v.Posture.SUPINE)).targets[0]
    assert row.diameter.words() == "4.0 -> 3.0 mm (other posture: standing, then supine)"
    row = compared(one, outcome(one, landmark_cm=20.0)).targets[0]
    assert row.diameter.words() == "4.0 -> 3.0 mm (other place: 12 cm, then 20 cm from SFJ)"
    row = compared(one, outcome(one, landmark=v.Landmark.UNKNOWN)).targets[0]
    assert "distance to a landmark is not recorded in the follow-up" in row.diameter.words()
    row = compared(one, outcome(one)).targets[0]
    assert row.diameter.words() == "4.0 -> 3.0 mm (-1.0 mm, -25 %)"
    assert row.flow.words() == row.compressible.words() == "not recorded"
    assert row.label == "target 1, left GSV"
    # 0.02 mm apart, on two sides of a step of what is shown
    assert Pair("diameter_mm", "mm", 7.74, 7.76).words() == "7.7 -> 7.8 mm (+0.1 mm, +1 %)"
    assert Pair("diameter_mm", "mm", 0.04, 2.0).words() == "0.0 -> 2.0 mm (+2.0 mm)"


def test_the_visit_and_the_clip_say_the_posture_where_the_outcome_does_not() -> None:
    one = target()
    unknown = outcome(one, posture=v.Posture.UNKNOWN)
    assert compared(one, unknown).targets[0].diameter.difference is None
    assert compared(one, unknown, posture=v.Posture.STANDING).targets[0].diameter.difference == -1.0


def test_nothing_is_an_outcome_until_a_person_sets_it() -> None:
    one = target()
    bare = compare_records(plan(one), record_with("1.2.4"))
    assert bare.targets[0].outcome is v.Outcome.NOT_ASSESSED
    assert bare.targets[0].follow_up is None
    assert bare.targets[0].diameter.words() == "4.0 mm -> not recorded (not assessed at the follow-up)"
    assert bare.deep_veins == "not examined"
    assert bare.visit is bare.windows is None


def test_deep_veins_are_not_examined_until_entered() -> None:
    one = target()
    assert compared(one, outcome(one)).deep_veins == "not examined"
    assert compared(one, outcome(one), deep_veins=v.DeepVeins.NORMAL).deep_veins == "normal"


def test_a_vein_that_is_not_seen_has_no_size() -> None:
    one = target()
    row = compared(one, outcome(one, outcome=v.Outcome.NOT_VISIBLE, diameter_mm=None)).targets[0]
    assert row.outcome is v.Outcome.NOT_VISIBLE
    assert row.diameter.words() == "4.0 mm -> not recorded (not visible at the follow-up)"


def test_reflux_needs_the_manoeuvre_too_and_no_lower_bound() -> None:
    def words(before: RefluxValue | None, after: RefluxValue | None) -> str:
        one = target(reflux=() if before is None else (before,))
        return compared(one, outcome(one, reflux=after)).targets[0].reflux.words()

    assert words(reflux(1.6), reflux(0.4)) == "1.60 -> 0.40 s (-1.20 s, -75 %)"
    other = reflux(0.4, manoeuvre=v.Manoeuvre.VALSALVA)
    assert words(reflux(1.6), other) == "1.60 -> 0.40 s (other manoeuvre: cuff, then valsalva)"
    assert "manoeuvre is not recorded" in words(reflux(1.6), reflux(0.4, manoeuvre=v.Manoeuvre.UNKNOWN))
    assert words(reflux(3.1, is_lower_bound=True), reflux(0.4)).startswith(
        "> 3.10 -> 0.40 s (a duration runs"
    )
    assert "inadequate" in words(reflux(1.6), reflux(None, adequate=v.Checked.NO))
    assert words(None, reflux(0.4)) == "not recorded -> 0.40 s (not recorded at the baseline)"
    assert "other posture" in words(reflux(1.6), reflux(0.4, posture=v.Posture.SUPINE))


def test_the_attempt_of_the_same_posture_and_manoeuvre_is_compared() -> None:
    longest = reflux(2.5, posture=v.Posture.SUPINE)
    one = target(reflux=(longest, reflux(1.6)))
    row = compared(one, outcome(one, reflux=reflux(0.4))).targets[0]
    assert (row.reflux.baseline, row.reflux.difference) == (1.6, pytest.approx(-1.2))
    assert shown_reflux((longest, reflux(1.6), reflux(9.0, adequate=v.Checked.NO))) is longest
    assert shown_reflux(()) is None


def test_flow_and_compressibility_stand_beside_the_baseline() -> None:
    one = target(flow=(FlowValue(id=new_uid(), peak_cm_s=12.0),), compressible=v.Compressible.FULL)
    seen = outcome(one, flow=(FlowValue(id=new_uid(), peak_cm_s=3.0),), compressible=v.Compressible.NONE)
    row = compared(one, seen).targets[0]
    assert row.flow.words() == "12 -> 3 cm/s (-9 cm/s, -75 %)"
    assert (row.compressible.words(), row.compressible.changed) == ("full -> none", True)
    untested = replace(seen, compressible=v.Compressible.NOT_TESTED)
    assert compared(one, untested).targets[0].compressible.reason == "not tested at the follow-up"


def test_recanalised_is_suggested_from_two_dated_records_and_never_set() -> None:
    one = target()
    closed = visit_with(outcome(one, outcome=v.Outcome.OCCLUDED_FULL), on=date(2026, 1, 19))
    opened = visit_with(outcome(one), on=date(2026, 4, 6))
    first = record_with("1.2.4", closed)
    row = compare_records(plan(one), record_with("1.2.5", opened), more_visits=[closed]).targets[0]
    assert row.maybe_recanalised is not None
    assert (row.maybe_recanalised.closed_on, row.maybe_recanalised.open_on) == (closed.on, opened.on)
    assert row.outcome is v.Outcome.PATENT_REFLUX
    # an earlier follow-up is a baseline too
    (again,) = compare_records(first, record_with("1.2.5", opened)).targets
    assert again.maybe_recanalised is not None
    assert again.outcome_pair.words() == "occluded full -> patent reflux"
    # the day of a study stands for that of a visit without one
    undated = replace(first, follow_ups=(replace(closed, on=None),))
    (again,) = compare_records(undated, record_with("1.2.5", opened), baseline_on=closed.on).targets
    assert again.maybe_recanalised is not None
    # without two days there is none
    for undated in (replace(closed, on=None), replace(closed, on=date(2026, 5, 1))):
        found = compare_records(plan(one), record_with("1.2.5", opened), more_visits=[undated])
        assert found.targets[0].maybe_recanalised is None


def test_new_findings_need_no_target_of_the_baseline() -> None:
    one, new = target(), target(vein="tributary")
    found = compare_records(plan(one), replace(record_with("1.2.4"), targets=(new,)))
    assert found.new_findings == (new,)
    assert [row.target_id for row in found.targets] == [one.id]
    assert found.targets[0].follow_up is None


def test_a_baseline_without_a_record_can_be_marked_afterwards(tmp_path: Path) -> None:
    before, after = study_at(tmp_path / "a", "20260102"), study_at(tmp_path / "b", "20260119")
    bare = Opened(before, load_record(before))  # type: ignore[arg-type]
    later = Opened(after, load_record(after))  # type: ignore[arg-type]
    assert compare_studies(bare, later).targets == ()
    saved = save_record(before, add_target(bare.record, target(before.clips[0])), ANNA)
    assert len(compare_studies(bare._replace(record=saved.record), later).targets) == 1


def test_an_outcome_of_a_target_that_the_baseline_does_not_have_is_told() -> None:
    one, stranger = target(), target()
    found = compared(one, outcome(one), outcome(stranger))
    assert [row.target_id for row in found.targets] == [one.id]
    assert any("1 outcome of the follow-up is of a target" in text for text in found.warnings)


def test_a_follow_up_without_calibration_gives_no_millimetres() -> None:
    one = target()
    place = ImagePlace(sop_instance_uid="1.2.9", frame_index=1, point=(3.0, 4.0))
    found = compared(one, outcome(one, diameter_mm=None, place=place))
    row = found.targets[0]
    assert row.diameter.reason == "not recorded at the follow-up: its clip has no calibration"
    assert (row.diameter.baseline, row.diameter.follow_up, row.diameter.difference) == (4.0, None, None)
    assert any("no calibration" in text for text in found.warnings)
    with_mm = compared(one, outcome(one, place=replace(place, calibration=WITH_MM)))
    assert with_mm.targets[0].diameter.difference == -1.0
    assert with_mm.warnings == ()


def test_a_baseline_with_two_heads_is_merged_and_its_conflicts_are_told(tmp_path: Path) -> None:
    before, after = study_at(tmp_path / "a", "20260102"), study_at(tmp_path / "b", "20260119")
    one, two = target(before.clips[0]), target(before.clips[0], vein="SSV")
    start = plan_of(before, one, two).record
    save_record(before, update_target(start, one.id, diameter_mm=5.0), ANNA)
    save_record(before, update_target(start, one.id, diameter_mm=6.0), BEN)
    save_record(before, update_target(start, two.id, depth_mm=9.0), BEN)
    baseline = Opened(before, load_record(before))  # type: ignore[arg-type]
    assert len(baseline.record.heads) == 3
    seen = record_with(after, visit_with(outcome(one), outcome(two)))
    found = compare_studies(baseline, Opened(after, seen))  # type: ignore[arg-type]
    first, second = found.row(one.id), found.row(two.id)
    assert first.diameter.baseline in (5.0, 6.0)
    # which of the two is right nobody has said: no difference from it
    assert (first.diameter.difference, first.diameter.changed) == (None, None)
    assert first.diameter.reason == "two readers differ on the diameter at the baseline"
    assert second.diameter.difference == -1.0
    assert len(first.conflicts) == 1
    assert "diameter_mm" in first.conflicts[0]
    assert second.conflicts == ()
    assert second.depth.baseline == 9.0
    assert any("3 readers apart" in text for text in found.warnings)
    assert any("1 open conflict" in text for text in found.warnings)


def test_two_patients_are_refused_and_an_open_question_asks(tmp_path: Path) -> None:
    before = plan_of(study_at(tmp_path / "a", "20260102"), target())
    other = study_at(tmp_path / "b", "20260119", PatientID="P2")
    stranger = Opened(other, load_record(other))  # type: ignore[arg-type]
    for confirmed in (False, True):
        with pytest.raises(InvalidInputError, match="not of one patient"):
            compare_studies(before, stranger, confirmed=confirmed)
    unsure = study_at(tmp_path / "c", "20260119", PatientBirthDate="")
    ask = Opened(unsure, load_record(unsure))  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="not certain"):
        compare_studies(before, ask)
    found = compare_studies(before, ask, confirmed=True)
    assert found.patient is not None
    assert found.patient.verdict is Match.ASK
    with pytest.raises(InvalidInputError, match="not of one patient"):
        compare_records(before.record, before.record, patient=PatientMatch(Match.OTHER, "the IDs differ"))


def test_a_withdrawn_record_is_no_baseline(tmp_path: Path) -> None:
    study = study_at(tmp_path / "a")
    gone = withdraw(plan_of(study, target()).record, ANNA, "wrong side")
    with pytest.raises(InvalidInputError, match="record of the baseline was withdrawn"):
        compare_records(gone, record_with("1.2.4"))


def test_a_record_of_a_newer_program_is_compared_as_far_as_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = study_at(tmp_path / "a", "20260102"), study_at(tmp_path / "b", "20260119")
    one = target(before.clips[0])
    with monkeypatch.context() as patch:
        for module in ("table", "codec"):
            patch.setattr(f"veinscan.record.{module}.SCHEMA", 99)
        plan_of(before, one)
    baseline = Opened(before, load_record(before))  # type: ignore[arg-type]
    assert baseline.record.read_only
    later = Opened(after, record_with(after, visit_with(outcome(one))))  # type: ignore[arg-type]
    found = compare_studies(baseline, later)
    assert found.row(one.id).diameter.difference == -1.0
    assert [text for text in found.warnings if "newer veinscan (schema 99" in text]


def test_days_and_windows_follow_from_the_dates(tmp_path: Path) -> None:
    before = plan_of(study_at(tmp_path / "a", "20260102"), target())
    after = study_at(tmp_path / "b", "20260119")
    record = put_follow_up(new_record(after), visit_with(session_ids=(before.record.sessions[0].id,)), ANNA)
    found = compare_studies(before, Opened(after, record))  # type: ignore[arg-type]
    assert (found.treated_on, found.days_since_treatment, found.days_between) == (TREATED, 14, 17)
    assert found.windows is not None
    assert found.windows.clinic_words == "early (1 to 14 days)"
    assert found.windows.uip_words == "immediate (1 to 4 weeks)"
    with pytest.raises(InvalidInputError, match="no target"):
        found.row("1.2.3.4")


def test_the_visit_that_looks_back_on_this_baseline_counts() -> None:
    one = target()
    mine = visit_with(outcome(one, diameter_mm=3.5), baseline_study_uid="1.2.3", on=date(2026, 1, 12))
    other = visit_with(outcome(one, diameter_mm=2.5), baseline_study_uid="1.2.9", on=date(2026, 1, 13))
    found = compare_records(plan(one), record_with("1.2.4", mine, other), baseline_study_uid="1.2.3")
    assert (found.visit, found.targets[0].diameter.follow_up) == (mine, 3.5)


def test_a_baseline_after_its_follow_up_is_told() -> None:
    one = target()
    days = {"baseline_on": date(2026, 2, 1), "follow_up_on": date(2026, 1, 2)}
    found = compare_records(plan(one), record_with("1.2.4"), **days)  # type: ignore[arg-type]
    assert found.warnings == ("the baseline (2026-02-01) is later than the follow-up (2026-01-02)",)
    assert found.days_between == -30


def test_the_latest_visit_counts() -> None:
    one = target()
    first = visit_with(outcome(one, diameter_mm=3.5), on=date(2026, 1, 12))
    second = visit_with(outcome(one, diameter_mm=2.5), on=date(2026, 1, 26))
    for visits in ((first, second), (second, first)):
        found = compare_records(plan(one), record_with("1.2.4", *visits))
        assert found.targets[0].diameter.follow_up == 2.5
        assert found.visit == second


def test_an_outcome_that_two_readers_left_open_gives_no_difference(tmp_path: Path) -> None:
    before, after = study_at(tmp_path / "a", "20260102"), study_at(tmp_path / "b", "20260119")
    one, two = target(before.clips[0]), target(before.clips[0], vein="SSV")
    baseline = plan_of(before, one, two)
    # both were found alike: what is open of one says nothing of the other
    visit = visit_with(outcome(one), outcome(two))
    start = save_record(after, put_follow_up(new_record(after), visit, ANNA), ANNA).record
    for reader, size in ((ANNA, 2.0), (BEN, 2.5)):
        changed = (outcome(one, diameter_mm=size), visit.outcomes[1])
        save_record(after, put_follow_up(start, replace(visit, outcomes=changed), reader), reader)
    found = compare_studies(baseline, Opened(after, load_record(after)))  # type: ignore[arg-type]
    first, second = found.row(one.id), found.row(two.id)
    assert first.diameter.follow_up in (2.0, 2.5)
    assert first.diameter.difference is None
    assert first.diameter.reason == "two readers differ on the diameter at the follow-up"
    assert second.diameter.difference is not None
    assert ([one.id[-8:] in text for text in first.conflicts], second.conflicts) == ([True], ())
    # nor does it depend on what is said of the outcome since
    merged = load_record(after)
    (seen,) = merged.follow_ups
    since = tuple(replace(each, outcome=v.Outcome.RECANALISED) for each in seen.outcomes)
    later = replace(merged, follow_ups=(replace(seen, outcomes=since),))
    again = compare_studies(baseline, Opened(after, later))  # type: ignore[arg-type]
    assert again.row(one.id).diameter.difference is None
    assert again.row(two.id).diameter.difference is not None


def test_two_outcomes_left_open_alike_are_two_conflicts(tmp_path: Path) -> None:
    before, after = study_at(tmp_path / "a", "20260102"), study_at(tmp_path / "b", "20260119")
    both = [target(before.clips[0]), target(before.clips[0], vein="SSV")]
    baseline = plan_of(before, *both)
    visit = visit_with(*(outcome(one) for one in both))
    start = save_record(after, put_follow_up(new_record(after), visit, ANNA), ANNA).record
    for reader, size in ((ANNA, 2.0), (BEN, 2.5)):
        changed = tuple(outcome(one, diameter_mm=size) for one in both)
        save_record(after, put_follow_up(start, replace(visit, outcomes=changed), reader), reader)
    found = compare_studies(baseline, Opened(after, load_record(after)))  # type: ignore[arg-type]
    for row in found.targets:
        assert (row.diameter.difference, len(row.conflicts)) == (None, 1)
