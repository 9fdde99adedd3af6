"""The work list: everybody reads everything, alone, in an own order; nothing is lost, time is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

import veinscan
from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.model import CandidateReview, Decision, Reader, RejectReason
from veinscan.plan.normal import now
from veinscan.record import load_record, save_record
from veinscan.record.readings import saved_readings
from veinscan.worklist import (
    Worklist,
    create_worklist,
    open_worklist,
    start_adjudication,
    start_reading,
)

READERS = ("Anna", "Berta")


@pytest.fixture
def studies(sample_study_dir: Path, sample_follow_up_dir: Path) -> list[veinscan.Study]:
    return [veinscan.open_study(sample_study_dir), veinscan.open_study(sample_follow_up_dir)]


@pytest.fixture
def worklist(studies: list[veinscan.Study], tmp_path: Path) -> Worklist:
    return create_worklist(tmp_path / "list", studies, READERS, without_candidates_first=True, seed=3)


def a_review(study: veinscan.Study, name: str, decision: Decision) -> CandidateReview:
    return CandidateReview(
        candidate_id=name, sop_instance_uid=study.clips[0].sop_instance_uid, frame_index=0,
        centre=(100.0, 100.0), outline=(), diameter_mm=2.0, depth_mm=9.0, score=0.5, decision=decision,
        reason=RejectReason.NERVE if decision is Decision.REJECTED else None,
    )  # fmt: skip


def test_everybody_reads_everything_first_without_candidates(worklist: Worklist) -> None:
    everything = {reader: worklist.assignments(reader) for reader in READERS}
    for reader, mine in everything.items():
        assert [one.candidates_shown for one in mine] == [False, False, True, True]
        assert len({one.study_uid for one in mine}) == 2 and {one.reader for one in mine} == {reader}
        for first in mine[:2]:
            (second,) = [one for one in mine[2:] if one.study_uid == first.study_uid]
            assert second.first_reading_id == first.reading_id
    ids = [one.reading_id for mine in everything.values() for one in mine]
    assert len(set(ids)) == 8
    again = open_worklist(worklist.folder)
    assert {reader: again.assignments(reader) for reader in READERS} == everything


def test_orders_differ_between_readers(studies: list[veinscan.Study], tmp_path: Path) -> None:
    orders = set()
    for seed in range(6):
        made = create_worklist(tmp_path / str(seed), studies, READERS, seed=seed)
        orders |= {tuple(one.study_uid for one in made.assignments(reader)) for reader in READERS}
    assert len(orders) == 2


def test_it_goes_on_where_the_reader_stopped_and_keeps_the_time(
    worklist: Worklist, studies: list[veinscan.Study], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = now()

    def tick(seconds: float) -> None:
        nonlocal clock
        clock = clock + timedelta(seconds=seconds)

    def read_clock() -> datetime:
        return clock

    monkeypatch.setattr("veinscan.worklist.listing.now", read_clock)
    by_uid = {study.study_instance_uid: study for study in studies}
    first = worklist.next("Anna")
    assert first is not None and first.state == "open"
    worklist.begin(first)
    tick(40)
    worklist.pause(first)
    tick(1000)
    resumed = open_worklist(worklist.folder).next("Anna")
    assert resumed is not None and (resumed.reading_id, resumed.seconds) == (first.reading_id, 40)
    worklist.begin(resumed)
    tick(25)  # killed here, and begun again: what lies between is not counted
    worklist.begin(resumed)
    tick(20)
    study = by_uid[first.study_uid]
    with pytest.raises(InvalidInputError, match="not saved"):
        worklist.done(resumed, study)
    save_record(study, start_reading(study, resumed), Reader(name="Anna"))
    worklist.done(resumed, veinscan.open_study(study.path))
    done = worklist.assignments("Anna")[0]
    assert (done.state, done.seconds) == ("done", 60)
    following = worklist.next("Anna")
    assert following is not None and following.reading_id != first.reading_id
    assert [one.state for one in worklist.assignments("Berta")] == ["open"] * 4


def test_a_line_cut_off_by_a_crash_is_passed_over(worklist: Worklist) -> None:
    first = worklist.next("Anna")
    assert first is not None
    worklist.begin(first)
    (log,) = (worklist.folder / "progress").iterdir()
    assert "Anna" not in log.name
    log.write_bytes(log.read_bytes() + b'{"reading": "1.2')
    assert [one.state for one in worklist.assignments("Anna")].count("begun") == 1
    worklist.begin(worklist.assignments("Anna")[1])  # what is written next does not go with it
    assert [one.state for one in worklist.assignments("Anna")].count("begun") == 2


def test_a_reading_sees_nobody_elses(worklist: Worklist, studies: list[veinscan.Study]) -> None:
    study = studies[0]
    (anna, _), (berta, _) = (
        [one for one in worklist.assignments(reader) if one.study_uid == study.study_instance_uid]
        for reader in READERS
    )
    record = start_reading(study, anna)
    assert record.reading.candidates_shown is False and record.reading.purpose == "research"
    mine = replace(record, reviews=(a_review(study, "x", Decision.VEIN),))
    save_record(study, mine, Reader(name="Anna"))
    again = veinscan.open_study(study.path)
    assert start_reading(again, anna).reviews == mine.reviews
    assert start_reading(again, berta).reviews == ()
    assert load_record(again).reviews == ()  # nor does the plan


def test_the_second_pass_begins_from_the_readers_own_first(
    worklist: Worklist, studies: list[veinscan.Study]
) -> None:
    study = studies[0]
    first, second = (one for one in worklist.assignments("Anna") if one.study_uid == study.study_instance_uid)
    with pytest.raises(RecordError, match="without candidates was not saved"):
        start_reading(study, second)
    record = replace(start_reading(study, first), reviews=(a_review(study, "x", Decision.VEIN),))
    save_record(study, record, Reader(name="Anna"))
    found = start_reading(veinscan.open_study(study.path), second)
    assert found.reviews == record.reviews and found.reading.candidates_shown
    assert found.reading.id == second.reading_id and found.version == 0
    with pytest.raises(InvalidInputError, match="another study"):
        start_reading(studies[1], first)


def test_an_adjudication_names_its_sources_and_holds_what_all_agree_on(
    worklist: Worklist, studies: list[veinscan.Study]
) -> None:
    study = studies[0]
    with pytest.raises(InvalidInputError, match="no readings are there"):
        start_adjudication(study)
    vein, no = Decision.VEIN, Decision.REJECTED
    for reader, verdicts in zip(READERS, ({"x": vein, "y": no}, {"x": vein, "y": vein}), strict=True):
        (first, _) = (o for o in worklist.assignments(reader) if o.study_uid == study.study_instance_uid)
        reviews = tuple(a_review(study, name, decision) for name, decision in verdicts.items())
        save_record(study, replace(start_reading(study, first), reviews=reviews), Reader(name=reader))
    study = veinscan.open_study(study.path)
    record, sources = start_adjudication(study)
    assert record.reading.purpose == "adjudication"
    assert record.reading.sources == tuple(sorted(one.reading.id for one in sources)) and len(sources) == 2
    assert [review.candidate_id for review in record.reviews] == ["x"]
    saved = save_record(study, record, Reader(name="Clara"))
    kept = {one.reading.id: one for one in saved_readings(veinscan.open_study(study.path))}
    assert kept[saved.record.reading.id].reading.sources == record.reading.sources


def test_a_list_that_makes_no_sense_is_refused(studies: list[veinscan.Study], tmp_path: Path) -> None:
    for readers in ((), ("Anna", "Anna"), ("",)):
        with pytest.raises(InvalidInputError):
            create_worklist(tmp_path / "list", studies, readers)
    with pytest.raises(InvalidInputError, match="twice"):
        create_worklist(tmp_path / "list", [studies[0], studies[0]], READERS)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    with pytest.raises(InvalidInputError, match="not empty"):
        create_worklist(tmp_path / "full", studies, READERS)
    with pytest.raises(InvalidInputError, match="no work list"):
        open_worklist(tmp_path)
    made = create_worklist(tmp_path / "good", studies, READERS)
    with pytest.raises(InvalidInputError, match="not on the work list"):
        made.next("Zoe")
