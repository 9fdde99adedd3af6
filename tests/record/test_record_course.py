from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from record_studies import FakeStudy, make_study

from veinscan.errors import InvalidInputError
from veinscan.plan import vocabulary as v
from veinscan.plan.editing import new_record
from veinscan.plan.finalise import withdraw
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Reader
from veinscan.plan.treatment import ClinicalValues, Injection, TreatmentSession
from veinscan.plan.visits import put_follow_up, put_session
from veinscan.record import load_record, save_record
from veinscan.record.course import open_course

ANNA = Reader(name="Anna")


def study_with(folder: Path, day: str, *parts: Any, **header: Any) -> FakeStudy:
    study = make_study(folder, StudyDate=day, **header)
    record = new_record(study)
    for part in parts:
        put = put_session if isinstance(part, TreatmentSession) else put_follow_up
        record = put(record, part, ANNA)  # type: ignore[operator]
    save_record(study, record, ANNA)
    return study


def session(day: date | None, ml: float = 5.0, **fields: Any) -> TreatmentSession:
    injection = Injection(
        id=new_uid(), volume_ml=ml, concentration_percent=2.0, form=v.Form.LIQUID, agent=v.Agent.POLIDOCANOL
    )
    values = ClinicalValues(weight_kg=70.0)
    return TreatmentSession(id=new_uid(), on=day, injections=(injection,), values=values, **fields)


def test_sums_intervals_and_numbers_go_over_the_studies_and_say_how_many(tmp_path: Path) -> None:
    first, same_day, later = (session(date(2026, 3, day)) for day in (2, 2, 12))
    closed = TargetOutcome(target_id="1.9.1", outcome=v.Outcome.OCCLUDED_FULL)
    opened = TargetOutcome(target_id="1.9.1", outcome=v.Outcome.PATENT_REFLUX)
    visits = [
        FollowUp(id=new_uid(), on=date(2026, 3, day), outcomes=(outcome,))
        for day, outcome in ((9, closed), (30, opened))
    ]
    studies = [
        study_with(tmp_path / "b", "20260330", later, visits[1]),
        study_with(tmp_path / "a", "20260302", first, visits[0]),
        study_with(tmp_path / "c", "20260303", same_day, session(None)),
    ]
    course = open_course(studies)
    assert course.basis == "from 3 studies found"
    assert [(one.number, one.days_since_last) for one in course.sessions] == [
        (1, None), (1, None), (2, 10), (None, None),
    ]  # fmt: skip
    assert [one.days_since for one in course.follow_ups] == [7, 18]
    assert [one.polidocanol_mg for one in course.days] == [200.0, 100.0, 100.0]
    assert course.maybe_recanalised == (("1.9.1", visits[0].id, visits[1].id),)
    # 100 mg of 140 in each study, 200 in both
    uid = studies[1].study_instance_uid
    assert [one.rule for one in course.checks(uid) if one.rule == "R17"] == ["R17"]
    alone = open_course(studies[1:2])
    assert alone.basis == "from 1 study found"
    assert [one.rule for one in alone.checks(uid) if one.rule == "R17"] == []


def test_a_session_that_two_studies_hold_counts_once_and_withdrawn_ones_do_not(tmp_path: Path) -> None:
    one = session(date(2026, 3, 2))
    studies = [study_with(tmp_path / name, "20260302", one) for name in ("a", "b")]
    assert [day.polidocanol_mg for day in open_course(studies).days] == [100.0]
    for study in studies:
        save_record(study, withdraw(load_record(study), ANNA, "wrong patient"), ANNA)
    course = open_course(studies)
    assert (course.days, course.sessions, course.n_studies) == ((), (), 2)


def test_two_patients_are_never_one_course(tmp_path: Path) -> None:
    studies = [study_with(tmp_path / name, "20260302", PatientID=name) for name in ("a", "b")]
    for confirmed in (False, True):
        with pytest.raises(InvalidInputError, match="not of one patient"):
            open_course(studies, confirmed=confirmed)
    # the same name, or none, makes no patient
    for number, name in enumerate(("Phantom^Lucja", "")):
        nameless = {"PatientID": "", "PatientBirthDate": "", "PatientName": name}
        studies = [study_with(tmp_path / f"{number}{one}", "20260302", **nameless) for one in ("a", "b")]
        with pytest.raises(InvalidInputError, match="a name alone says nothing"):
            open_course(studies)
    studies = [
        study_with(tmp_path / name, "20260302", PatientBirthDate=born)
        for name, born in (("e", "19700101"), ("f", ""))
    ]
    with pytest.raises(InvalidInputError, match="not certain"):
        open_course(studies)
    assert open_course(studies, confirmed=True).n_studies == 2
    with pytest.raises(InvalidInputError):
        open_course([])
