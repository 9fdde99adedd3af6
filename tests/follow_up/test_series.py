"""The series over time: a row for each target and day, sums that agree with the sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from follow_up_studies import ANNA, TREATED, plan_of, record_with, study_at, target, visit_with

from veinscan.errors import InvalidInputError
from veinscan.follow_up import Series, series_of
from veinscan.follow_up.series import HEAD
from veinscan.plan import vocabulary as v
from veinscan.plan.editing import new_record
from veinscan.plan.follow_up import TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.treatment import Injection, LaserTreatment, TreatmentSession
from veinscan.plan.visits import put_session
from veinscan.record import open_course, save_record


def course(folder: Path) -> tuple[Series, str, str]:
    """A plan, two sessions (the second in the follow-up study), two visits."""
    before = study_at(folder / "a", "20260102")
    one, two = target(before.clips[0]), target(before.clips[0], vein="SSV", side=v.Side.RIGHT)
    plan_of(before, one, two)
    after = study_at(folder / "b", "20260119")
    seen = TargetOutcome(
        target_id=one.id, outcome=v.Outcome.OCCLUDED_FULL, diameter_mm=2.5, posture=v.Posture.STANDING
    )
    open_ = TargetOutcome(target_id=one.id, outcome=v.Outcome.PATENT_REFLUX, diameter_mm=3.0)
    first = visit_with(seen, on=date(2026, 1, 19), posture=v.Posture.SUPINE)
    second = visit_with(open_, on=date(2026, 4, 6), posture=v.Posture.SUPINE)
    again = TreatmentSession(
        id=new_uid(),
        on=date(2026, 1, 20),
        product="asclera_us",
        injections=(
            Injection(id=new_uid(), target_id=one.id, volume_ml=0.2),
            Injection(id=new_uid(), target_id=one.id, volume_ml=0.1),
            Injection(id=new_uid(), target_id="", volume_ml=0.4),
        ),
        lasers=(LaserTreatment(id=new_uid(), target_id=two.id),),
    )
    save_record(after, put_session(record_with(after, second, first), again, ANNA), ANNA)
    return series_of(open_course([after, before])), one.id, two.id


def test_a_row_for_each_target_and_day(tmp_path: Path) -> None:
    series, one, two = course(tmp_path)
    assert series.basis == "from 2 studies found"
    line = series.line(one)
    assert [(entry.on, entry.kind, entry.days) for entry in line.entries] == [
        (date(2026, 1, 2), "plan", -3),
        (TREATED, "session", 0),
        (date(2026, 1, 19), "follow_up", 14),
        (date(2026, 1, 20), "session", 15),
        (date(2026, 4, 6), "follow_up", 91),
    ]
    assert line.diameters == (
        (date(2026, 1, 2), 4.0, v.Posture.STANDING),
        (date(2026, 1, 19), 2.5, v.Posture.STANDING),
        (date(2026, 4, 6), 3.0, v.Posture.SUPINE),
    )
    assert line.volumes == ((TREATED, 0.5), (date(2026, 1, 20), 0.3))
    assert line.outcomes == (
        (date(2026, 1, 19), v.Outcome.OCCLUDED_FULL), (date(2026, 4, 6), v.Outcome.PATENT_REFLUX),
    )  # fmt: skip
    assert [entry.product for entry in series.line(two).entries] == ["", "", "laser"]
    assert series.line(two).label.endswith("right SSV")
    with pytest.raises(InvalidInputError):
        series.line("1.2.3")


def test_the_day_sums_hold_every_injection(tmp_path: Path) -> None:
    series, _, _ = course(tmp_path)
    assert series.volume_by_day == ((TREATED, 1.0), (date(2026, 1, 20), 0.7))
    assert [day for day, _ in series.days] == sorted(day for day, _ in series.days)
    assert (date(2026, 4, 6), "follow_up") in series.days


def test_the_table_is_text_with_the_same_numbers(tmp_path: Path) -> None:
    series, _, _ = course(tmp_path)
    head, *rows = series.table()
    assert head == HEAD
    assert len(rows) == sum(len(line.entries) for line in series.lines)
    assert all(len(row) == len(head) for row in rows)
    mine = [row[1:] for row in rows if row[0].endswith("left GSV")]
    assert mine[0] == ("2026-01-02", "-3", "plan", "4.0", "standing", "", "", "")
    assert mine[2] == ("2026-01-19", "14", "follow-up", "2.5", "standing", "occluded full", "", "")
    assert mine[3] == ("2026-01-20", "15", "treated", "", "", "", "0.3", "asclera_us")


def test_what_has_no_day_is_last_and_draws_nothing(tmp_path: Path) -> None:
    study = study_at(tmp_path / "a", "")
    one = target(study.clips[0])
    record = replace(
        plan_of(study, one).record, follow_ups=(visit_with(TargetOutcome(target_id=one.id), on=None),)
    )
    save_record(study, record, ANNA)
    (line,) = series_of(open_course([study])).lines
    assert [entry.kind for entry in line.entries] == ["session", "plan", "follow_up"]
    assert line.diameters == ()


def test_a_target_of_no_plan_found_has_its_line(tmp_path: Path) -> None:
    study = study_at(tmp_path / "a")
    record = replace(new_record(study), follow_ups=(visit_with(TargetOutcome(target_id="1.2.3")),))
    save_record(study, record, ANNA)
    (line,) = series_of(open_course([study])).lines
    assert (line.target_id, line.label) == ("1.2.3", "target of no plan found")


def test_no_record_is_an_empty_series(tmp_path: Path) -> None:
    series = series_of(open_course([study_at(tmp_path / "a")]))
    assert (series.lines, series.days, series.table()) == ((), (), (HEAD,))
