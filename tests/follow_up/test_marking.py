"""Entering a follow-up: a person's acts, saved in the follow-up study, pointing at the baseline's images."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import highdicom as hd
import pydicom
import pytest
from follow_up_studies import ANNA, BEN, KNOWN, TREATED, plan_of, study_at, target
from record_studies import TISSUE
from test_likeness import candidate

from veinscan.errors import InvalidInputError, RecordError
from veinscan.follow_up import (
    begin_visit,
    compare_studies,
    current_visit,
    mark_candidate,
    mark_not_seen,
    mark_point,
    remove_outcome,
    set_outcome,
    update_visit,
)
from veinscan.follow_up.marking import outcome_of
from veinscan.plan import vocabulary as v
from veinscan.plan.checks import check_record, data_errors
from veinscan.plan.finalise import withdraw
from veinscan.plan.follow_up import Complication, DeepVeinFinding, Evacuation, FollowUp
from veinscan.plan.model import Record
from veinscan.record import history, load_record, save_record
from veinscan.record.conflicts import differences, settled
from veinscan.record.opening import Opened


class Case:
    """A plan with two targets and the follow-up that looks back on it."""

    def __init__(self, folder: Path) -> None:
        self.before = study_at(folder / "before", "20260102")
        self.after = study_at(folder / "after", "20260119")
        self.one, self.two = (target(self.before.clips[0], vein=vein) for vein in ("GSV", "SSV"))
        self.baseline = plan_of(self.before, self.one, self.two)
        self.record, self.visit = begin_visit(
            load_record(self.after),
            self.baseline,
            ANNA,
            study=self.after,
            on=date(2026, 1, 19),
        )

    def set(self, of: Any, record: Record | None = None, reader: Any = ANNA, **values: Any) -> Record:
        return set_outcome(record or self.record, self.visit.id, of.id, self.baseline, reader, **values)

    def saved(self, record: Record) -> Path:
        return save_record(self.after, record, ANNA).path


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def only(record: Record) -> FollowUp:
    (visit,) = record.follow_ups
    return visit


def test_a_new_visit_says_nothing_but_what_it_looks_back_on(case: Case) -> None:
    visit = case.visit
    assert visit.baseline_study_uid == case.before.study_instance_uid
    assert visit.baseline_record_uids == case.baseline.record.heads
    assert visit.session_ids == tuple(one.id for one in case.baseline.record.sessions)
    assert (visit.outcomes, visit.deep_veins, visit.next_step) == (
        (),
        v.DeepVeins.NOT_EXAMINED,
        v.NextStep.UNKNOWN,
    )
    assert visit.posture is v.Posture.UNKNOWN
    assert current_visit(case.record, case.before.study_instance_uid) == visit
    assert current_visit(case.record, "1.2.3") is None
    # a session after it is not looked back on
    day = date(2026, 1, 4)
    assert day < TREATED
    assert begin_visit(case.record, case.baseline, ANNA, study=case.after, on=day)[1].session_ids == ()


def test_a_place_is_no_outcome_and_what_was_typed_stays(case: Case) -> None:
    record = case.set(case.one, diameter_mm="2,5".replace(",", "."), posture="standing")
    record = mark_point(
        record, case.visit.id, case.one.id, case.baseline, ANNA,
        study=case.after, clip=case.after.clips[0], frame_index=4, point=(110.0, 95.0),
    )  # fmt: skip
    seen = outcome_of(only(record), case.one.id)
    assert seen is not None
    assert seen.outcome is v.Outcome.NOT_ASSESSED
    assert (seen.diameter_mm, seen.diameter_source) == (2.5, v.ValueSource.ENTERED)
    assert seen.place is not None
    assert (seen.place.frame_index, seen.place.point) == (4, (110.0, 95.0))
    assert seen.place.calibration is not None
    assert seen.baseline is not None
    assert seen.baseline.sop_instance_uid == case.before.clips[0].sop_instance_uid
    assert seen.baseline.point == case.one.point
    assert seen.set_by == "Anna"


def test_not_seen_has_no_place_and_a_place_is_seen(case: Case) -> None:
    spot = {"study": case.after, "clip": case.after.clips[0], "frame_index": 0, "point": (110.0, 95.0)}
    record = mark_point(case.record, case.visit.id, case.one.id, case.baseline, ANNA, **spot)  # type: ignore[arg-type]
    record = mark_not_seen(record, case.visit.id, case.one.id, case.baseline, BEN)
    seen = outcome_of(only(record), case.one.id)
    assert seen is not None
    assert (seen.outcome, seen.place, seen.diameter_mm, seen.set_by) == (
        v.Outcome.NOT_VISIBLE,
        None,
        None,
        "Ben",
    )
    record = mark_point(record, case.visit.id, case.one.id, case.baseline, ANNA, **spot)  # type: ignore[arg-type]
    again = outcome_of(only(record), case.one.id)
    assert again is not None
    assert again.outcome is v.Outcome.NOT_ASSESSED
    record = remove_outcome(record, case.visit.id, case.one.id, ANNA)
    assert only(record).outcomes == ()
    with pytest.raises(RecordError, match="no outcome"):
        remove_outcome(record, case.visit.id, case.one.id, ANNA)


def test_a_chosen_candidate_gives_its_measures(case: Case) -> None:
    chosen = candidate(centres={0: (110.0, 95.0)}, diameter_mm=1.5, depth_mm=6.0)
    record = mark_candidate(
        case.record,
        case.visit.id,
        case.two.id,
        case.baseline,
        ANNA,
        study=case.after,
        clip=case.after.clips[0],
        candidate=chosen,
    )
    seen = outcome_of(only(record), case.two.id)
    assert seen is not None
    assert (seen.diameter_mm, seen.diameter_source) == (1.5, v.ValueSource.CANDIDATE)
    assert (seen.depth_mm, seen.outcome) == (6.0, v.Outcome.NOT_ASSESSED)
    # a second look gives new measures: nobody typed the first
    larger = candidate(centres={0: (110.0, 95.0)}, diameter_mm=1.9, depth_mm=6.0)
    record = mark_candidate(
        record,
        case.visit.id,
        case.two.id,
        case.baseline,
        ANNA,
        study=case.after,
        clip=case.after.clips[0],
        candidate=larger,
    )
    assert [one.diameter_mm for one in only(record).outcomes] == [1.9]


def test_without_calibration_a_mark_gives_no_millimetres_and_a_typed_value_counts_as_typed(
    case: Case,
) -> None:
    bare = replace(case.after.clips[0], regions=(replace(TISSUE, spacing_mm=None),))
    record = mark_point(
        case.record,
        case.visit.id,
        case.one.id,
        case.baseline,
        ANNA,
        study=case.after,
        clip=bare,
        frame_index=0,
        point=(110.0, 95.0),
    )
    seen = outcome_of(only(record), case.one.id)
    assert seen is not None
    assert seen.place is not None
    assert (seen.place.calibration, seen.diameter_mm, seen.depth_mm) == (None, None, None)
    found = compare_studies(case.baseline, Opened(case.after, record))  # type: ignore[arg-type]
    assert (
        found.row(case.one.id).diameter.reason == "not recorded at the follow-up: its clip has no calibration"
    )
    typed = case.set(case.one, record, diameter_mm=2.0, **KNOWN)
    found = compare_studies(case.baseline, Opened(case.after, typed))  # type: ignore[arg-type]
    assert found.row(case.one.id).diameter.difference == -2.0
    assert found.row(case.one.id).follow_up.diameter_source is v.ValueSource.ENTERED  # type: ignore[union-attr]
    assert not [one for one in check_record(typed, case.after) if one.rule == "R03"]


def test_what_is_refused_says_why(case: Case, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="baseline has no target"):
        set_outcome(case.record, case.visit.id, "1.2.3", case.baseline, ANNA, outcome="patent_reflux")
    with pytest.raises(InvalidInputError, match="looks back on another study"):
        other = plan_of(study_at(tmp_path / "c", "20260101"), case.one)
        set_outcome(case.record, case.visit.id, case.one.id, other, ANNA, outcome="patent_reflux")
    with pytest.raises(RecordError, match="no follow-up"):
        set_outcome(case.record, "1.2.3", case.one.id, case.baseline, ANNA, outcome="patent_reflux")
    for values in (
        {"outcome": "healed"},
        {"diameter_mm": -1},
        {"diameter_mm": "x"},
        {"colour": 1},
        {"place": None},
    ):
        with pytest.raises(InvalidInputError):
            case.set(case.one, **values)
    for values in ({"appearance_percent": 7}, {"on": "yesterday"}, {"next_step": "dose"}, {"outcomes": ()}):
        with pytest.raises(InvalidInputError):
            update_visit(case.record, case.visit.id, ANNA, **values)
    with pytest.raises(InvalidInputError, match="outside the ultrasound picture"):
        mark_point(
            case.record, case.visit.id, case.one.id, case.baseline, ANNA,
            study=case.after, clip=case.after.clips[0], frame_index=0, point=(230.0, 95.0),
        )  # fmt: skip
    # a clip of the baseline, or of any other study
    strange = study_at(tmp_path / "d", "20260119").clips[0]
    for clip in (case.before.clips[0], strange):
        with pytest.raises(InvalidInputError, match="not of the follow-up study"):
            mark_point(
                case.record, case.visit.id, case.one.id, case.baseline, ANNA,
                study=case.after, clip=clip, frame_index=0, point=(110.0, 95.0),
            )  # fmt: skip
        with pytest.raises(InvalidInputError, match="not of the follow-up study"):
            mark_candidate(
                case.record, case.visit.id, case.one.id, case.baseline, ANNA,
                study=case.after, clip=clip, candidate=candidate(),
            )  # fmt: skip


def full(case: Case) -> Record:
    """Every field of a visit, as a person fills it."""
    record = mark_point(
        case.record, case.visit.id, case.one.id, case.baseline, ANNA,
        study=case.after, clip=case.after.clips[0], frame_index=4, point=(110.0, 95.0),
    )  # fmt: skip
    record = case.set(
        case.one, record, outcome="occluded_partial", diameter_mm=2.5, depth_mm=7.5, compressible="partial",
        treated_length_cm=20, occluded_length_cm=12, compartment="saphenous", recurrence="no", **KNOWN,
    )  # fmt: skip
    record = mark_not_seen(record, case.visit.id, case.two.id, case.baseline, ANNA)
    return update_visit(
        record, case.visit.id, ANNA, duplex_done="yes", posture="standing", deep_veins="dvt",
        deep_veins_action="referred the same day", junction_class="none", junction_stump_mm=8.0,
        deep_vein_findings=(
            DeepVeinFinding(vein="popliteal", side=v.Side.LEFT, extent="4 cm", occlusive=v.Checked.NO),
        ),
        complications=(
            Complication(
                kind=v.ComplicationKind.HYPERPIGMENTATION, target_id=case.one.id, site="thigh", size_mm=30,
                shade=2, severity=v.Severity.MILD, course=v.Course.PRESENT, onset_on=date(2026, 1, 12),
            ),
            Complication(kind=v.ComplicationKind.PAIN, onset_min=5.0, duration_min=20.0, action="seen"),
        ),
        evacuation=Evacuation(done=v.Checked.YES, on=date(2026, 1, 19), sites=("thigh",), volume_ml=0.4),
        appearance_percent=60, rater="clinician", before_photo="yes", compression_worn_days=3, satisfaction=8,
        next_step="duplex_recheck", next_step_text="in 3 months",
    )  # fmt: skip


def test_it_is_saved_in_the_follow_up_study_and_points_at_the_baseline(case: Case) -> None:
    path = case.saved(full(case))
    assert path.parent == case.after.root / "veinscan"
    back = load_record(case.after)
    assert back.follow_ups == full(case).follow_ups or only(back).outcomes == only(full(case)).outcomes
    dataset = pydicom.dcmread(path)
    assert dataset.StudyInstanceUID == case.after.study_instance_uid
    (other,) = dataset.PertinentOtherEvidenceSequence
    assert other.StudyInstanceUID == case.before.study_instance_uid
    referenced = {
        (series.SeriesInstanceUID, instance.ReferencedSOPInstanceUID)
        for series in other.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    }
    clip = case.before.clips[0]
    assert referenced == {(clip.series_instance_uid, clip.sop_instance_uid)}
    (own,) = dataset.CurrentRequestedProcedureEvidenceSequence
    assert own.StudyInstanceUID == case.after.study_instance_uid
    text = str(dataset)
    for uid in (case.one.id, case.two.id, *case.baseline.record.heads):
        assert uid in text


def test_other_software_finds_the_targets_by_their_tracking_uid(case: Case) -> None:
    dataset = pydicom.dcmread(case.saved(full(case)))

    def containers(items: Any) -> Any:
        for item in items:
            if item.ValueType == "CONTAINER":
                yield item
                yield from containers(item.get("ContentSequence", ()))

    tracked = {
        child.UID
        for group in containers(dataset.ContentSequence)
        if group.ConceptNameCodeSequence[0].CodeMeaning == "Target outcome"
        for child in group.ContentSequence
        if child.ConceptNameCodeSequence[0].CodeValue == "112040"
        and child.ConceptNameCodeSequence[0].CodingSchemeDesignator == "DCM"
    }
    assert tracked == {case.one.id, case.two.id}


def test_highdicom_reads_it_and_finds_what_it_refers_to(case: Case) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = hd.sr.srread(case.saved(full(case)))
    assert report.StudyInstanceUID == case.after.study_instance_uid

    tracked = hd.sr.utils.find_content_items(
        report,
        name=hd.sr.CodedConcept("112040", "DCM", "Tracking Unique Identifier"),
        value_type=hd.sr.ValueTypeValues.UIDREF,
        recursive=True,
    )
    assert {item.UID for item in tracked} >= {case.one.id, case.two.id}
    pictures = hd.sr.utils.find_content_items(report, value_type=hd.sr.ValueTypeValues.IMAGE, recursive=True)
    referred = {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in pictures}
    assert referred == {study.clips[0].sop_instance_uid for study in (case.before, case.after)}


def test_a_follow_up_without_any_mark_is_a_whole_document(case: Case) -> None:
    path = case.saved(mark_not_seen(case.record, case.visit.id, case.one.id, case.baseline, ANNA))
    dataset = pydicom.dcmread(path)
    assert dataset.StudyInstanceUID == case.after.study_instance_uid
    assert only(load_record(case.after)).outcomes[0].outcome is v.Outcome.NOT_VISIBLE


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy is not installed")
def test_other_software_finds_no_error(case: Case) -> None:
    path = case.saved(full(case))
    said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False).stderr
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dcmtk is not installed")
def test_dcmtk_reads_it(case: Case) -> None:
    path = case.saved(full(case))
    done = subprocess.run(["dsrdump", "-q", "+U8", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "W:" not in done.stderr
    assert "E:" not in done.stderr
    for word in ("Baseline place", "Follow up place", "referred the same day", case.one.id):
        assert word in done.stdout


def test_two_readers_who_begin_apart_arrive_at_one_visit(case: Case) -> None:
    start = load_record(case.after)
    for reader, of, outcome in ((ANNA, case.one, "occluded_full"), (BEN, case.two, "patent_reflux")):
        record, visit = begin_visit(start, case.baseline, reader, study=case.after, on=date(2026, 1, 19))
        assert visit.id == case.visit.id
        save_record(case.after, case.set(of, record, reader, outcome=outcome), reader)
    both = load_record(case.after)
    assert len(both.heads) == 2
    assert {one.target_id: one.outcome for one in only(both).outcomes} == {
        case.one.id: v.Outcome.OCCLUDED_FULL, case.two.id: v.Outcome.PATENT_REFLUX,
    }  # fmt: skip
    assert [text for text in both.conflicts if "outcome" in text] == []


def test_one_target_seen_differently_is_a_conflict_that_a_person_settles(case: Case) -> None:
    case.saved(case.set(case.one, outcome="patent_reflux", diameter_mm=3.0))
    start = load_record(case.after)
    for reader, outcome in ((ANNA, "occluded_full"), (BEN, "recanalised")):
        save_record(case.after, case.set(case.one, start, reader, outcome=outcome), reader)
    both = load_record(case.after)
    told = [text for text in both.conflicts if ", outcome: " in text]
    assert len(told) == 1
    assert "'occluded_full'" in told[0]
    assert "'recanalised'" in told[0]
    found = [one for one in differences(case.after, both) if one.part == "outcomes"]
    (difference,) = [one for one in found if one.fields == ("outcome",)]
    assert {side.values for side in difference.sides} == {
        (v.Outcome.OCCLUDED_FULL,), (v.Outcome.RECANALISED,),
    }  # fmt: skip
    index = next(n for n, side in enumerate(difference.sides) if side.values == (v.Outcome.OCCLUDED_FULL,))
    chosen = settled(both, [(difference, index)])
    assert only(chosen).outcomes[0].outcome is v.Outcome.OCCLUDED_FULL
    assert only(chosen).outcomes[0].diameter_mm == 3.0
    assert chosen.conflicts == ()
    save_record(case.after, chosen, ANNA)
    assert load_record(case.after).conflicts == ()
    assert any("outcomes changed" in text for entry in history(case.after) for text in entry.changes)


def test_checks_know_that_the_targets_are_of_the_baseline(case: Case) -> None:
    today = date(2026, 1, 20)
    good = check_record(full(case), case.after, today=today)
    assert [one.sentence for one in data_errors(good)] == []
    assert "R01" in {
        one.rule for one in data_errors(check_record(full(case), today=today, study=_Gone(case)))
    }
    nameless = update_visit(case.set(case.one, outcome="patent_reflux"), case.visit.id, ANNA)
    lost = replace(nameless, follow_ups=(replace(only(nameless), baseline_study_uid=""),))
    assert "R01" in {one.rule for one in data_errors(check_record(lost, case.after, today=today))}


class _Gone:
    """The follow-up study without its clips."""

    def __init__(self, case: Case) -> None:
        self.study_instance_uid, self.clips = case.after.study_instance_uid, ()


def test_the_whole_way_from_plan_to_comparison(case: Case) -> None:
    case.saved(full(case))
    found = compare_studies(case.baseline, Opened(case.after, load_record(case.after)))  # type: ignore[arg-type]
    first, second = found.row(case.one.id), found.row(case.two.id)
    assert first.diameter.words() == "4.0 -> 2.5 mm (-1.5 mm, -38 %)"
    assert first.outcome is v.Outcome.OCCLUDED_PARTIAL
    assert second.diameter.reason == "not visible at the follow-up"
    assert found.deep_veins == "dvt"
    assert found.days_since_treatment == 14
    assert found.warnings == ()


def test_no_visit_looks_back_on_another_patient(case: Case, tmp_path: Path) -> None:
    def begin(study: Any, baseline: Opened = case.baseline, **given: Any) -> Record:
        return begin_visit(load_record(study), baseline, ANNA, study=study, **given)[0]  # type: ignore[arg-type]

    stranger = study_at(tmp_path / "stranger", "20260119", PatientID="P2")
    for confirmed in (False, True):
        with pytest.raises(InvalidInputError, match="not of one patient"):
            begin(stranger, confirmed=confirmed)
    unsure = study_at(tmp_path / "unsure", "20260119", PatientBirthDate="")
    with pytest.raises(InvalidInputError, match="not certain"):
        begin(unsure)
    assert only(begin(unsure, confirmed=True)).outcomes == ()
    with pytest.raises(InvalidInputError, match="baseline of its own"):
        begin(case.before)
    gone = case.baseline._replace(record=withdraw(case.baseline.record, ANNA, "wrong patient"))
    with pytest.raises(InvalidInputError, match="withdrawn"):
        begin(case.after, gone)
    with pytest.raises(InvalidInputError, match="withdrawn"):
        set_outcome(case.record, case.visit.id, case.one.id, gone, ANNA, outcome="patent_reflux")


def test_a_baseline_whose_uid_has_leading_zeros_can_be_looked_back_on(tmp_path: Path) -> None:
    # PS3.5 section 9.1 forbids them; scanners write them all the same
    before = study_at(tmp_path / "before")
    before.study_instance_uid = "1.2.03.4"
    after = study_at(tmp_path / "after", "20260119")
    one = target()
    baseline = Opened(before, replace(load_record(after), targets=(one,)))  # type: ignore[arg-type]
    record, visit = begin_visit(load_record(after), baseline, ANNA, study=after)
    record = mark_not_seen(record, visit.id, one.id, baseline, ANNA)
    kept = save_record(after, record, ANNA).record
    assert only(kept).baseline_study_uid == "1.2.03.4"
    assert only(kept).outcomes[0].outcome is v.Outcome.NOT_VISIBLE
