"""Readings of a work list: a blinded one of one reader, and one that decides between several."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from veinscan.dicom import Study
from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.editing import new_record
from veinscan.plan.model import Reading, Record
from veinscan.record.readings import SavedReading, saved_readings
from veinscan.worklist.listing import Assignment


def start_reading(study: Study, assignment: Assignment) -> Record:
    """The record to work on: the reading as it was saved last, else a new one that sees nobody else's.

    A second pass, with candidates, begins from the same reader's first.

    Raises
    ------
    InvalidInputError
        The study is another one.
    RecordError
        The first pass was not saved yet, or a record cannot be read.
    """
    if study.study_instance_uid != assignment.study_uid:
        raise InvalidInputError("this is another study", where=study.study_instance_uid, do="open that one")
    saved = {one.reading.id: one for one in saved_readings(study)}
    if assignment.reading_id in saved:
        return saved[assignment.reading_id].record
    reading = Reading(
        id=assignment.reading_id, purpose="research", candidates_shown=assignment.candidates_shown
    )
    if not assignment.first_reading_id:
        return replace(new_record(study, purpose="research"), reading=reading)
    first = saved.get(assignment.first_reading_id)
    if first is None:
        raise RecordError(
            "the pass without candidates was not saved", do="finish it before the pass with candidates"
        )
    return replace(first.record, reading=reading, version=0, heads=(), conflicts=())


def start_adjudication(
    study: Study, sources: Iterable[str] | None = None
) -> tuple[Record, list[SavedReading]]:
    """A new reading that decides between others and names them, and those others.

    Parameters
    ----------
    study : Study
    sources
        Ids of readings; default every reading of research, of each reader the last pass.

    The record holds what all sources agree on word for word; the rest is the adjudicator's.

    Raises InvalidInputError where there are fewer than two readings.
    """
    saved = [one for one in saved_readings(study) if one.reading.purpose == "research"]
    if sources is not None:
        wanted = set(sources)
        saved = [one for one in saved if one.reading.id in wanted]
    else:
        last: dict[tuple[str, ...], SavedReading] = {}
        for one in sorted(saved, key=lambda one: (one.reading.candidates_shown, one.reading.id)):
            last[one.readers] = one
        saved = list(last.values())
    if len(saved) < 2:
        raise InvalidInputError(
            f"{'one reading is' if saved else 'no readings are'} there to decide between",
            where=f"study {study.study_instance_uid}",
            do="let at least two readers read it first",
        )
    empty = new_record(study, purpose="adjudication")
    reading = replace(empty.reading, sources=tuple(sorted(one.reading.id for one in saved)))
    verdicts = [
        {(review.sop_instance_uid, review.candidate_id): review for review in one.record.reviews}
        for one in saved
    ]
    agreed = tuple(
        review
        for key, review in verdicts[0].items()
        if all(key in other and other[key].decision is review.decision for other in verdicts[1:])
    )
    return replace(empty, reading=reading, reviews=agreed), saved
