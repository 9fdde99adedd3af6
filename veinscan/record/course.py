"""The course of one patient over several studies: sessions, follow-ups, sums over days, intervals.

Whatever is worked out over it holds for the studies that were given and for
no others, and says so: 'from n studies found'.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from typing import Any

from veinscan.dicom.patients import check_one_patient
from veinscan.errors import InvalidInputError
from veinscan.plan.check_follow_ups import days_since
from veinscan.plan.checks import CheckResult, check_record
from veinscan.plan.doses import DaySum, day_sums
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import Record
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.visits import maybe_recanalised
from veinscan.plan.vocabulary import RecordState
from veinscan.record.store import load_record


@dataclass(frozen=True, slots=True)
class CourseSession:
    """A session in its course."""

    session: TreatmentSession
    study_instance_uid: str
    number: int | None
    """Its place among the days of treatment found, from 1; None for a session without a day."""
    days_since_last: int | None
    """Since the last day of treatment before it."""


@dataclass(frozen=True, slots=True)
class CourseFollowUp:
    """A follow-up in its course."""

    follow_up: FollowUp
    study_instance_uid: str
    days_since: int | None
    """Since the last session that it looks back on."""


@dataclass(frozen=True, slots=True)
class Course:
    """What the studies of one patient say together."""

    n_studies: int
    records: tuple[tuple[str, Record], ...]
    """`(Study Instance UID, record)`, in order of the studies' days."""
    sessions: tuple[CourseSession, ...]
    follow_ups: tuple[CourseFollowUp, ...]
    days: tuple[DaySum, ...]
    maybe_recanalised: tuple[tuple[str, str, str], ...]
    """`(target id, earlier visit, later visit)`: a suggestion, for a person to set."""
    study_days: tuple[tuple[str, date | None], ...] = ()
    """`(Study Instance UID, Study Date)` of every study given, in order of their days."""

    @property
    def basis(self) -> str:
        """What everything here holds for: to be shown beside every number of it."""
        return f"from {self.n_studies} {'study' if self.n_studies == 1 else 'studies'} found"

    def checks(self, study_instance_uid: str, *, today: date | None = None) -> tuple[CheckResult, ...]:
        """The checks of one study's record, with the sums and intervals of the whole course."""
        for uid, record in self.records:
            if uid == study_instance_uid:
                others = [one.session for one in self.sessions if one.study_instance_uid != uid]
                visits = [one.follow_up for one in self.follow_ups if one.study_instance_uid != uid]
                return check_record(record, today=today, other_sessions=others, other_follow_ups=visits)
        raise InvalidInputError("the study is not in the course", where=study_instance_uid)


def open_course(studies: Iterable[Any], *, confirmed: bool = False) -> Course:
    """The course of one patient over several opened studies.

    Withdrawn records are left out.  A session that two studies hold counts once.
    `confirmed`: a person has said that all are of one patient, where the headers leave it open.

    Raises InvalidInputError for no study, for studies of two patients, and
    where that is open and nobody has confirmed it (`check_one_patient`).
    """
    opened: Sequence[Any] = tuple(studies)
    if not opened:
        raise InvalidInputError("there is no study", do="pass at least one")
    for one, other in combinations(opened, 2):
        check_one_patient(one, other, confirmed=confirmed)
    by_uid = {study.study_instance_uid: study for study in opened}
    ordered = sorted(
        by_uid.values(), key=lambda study: (study_day(study) or date.max, study.study_instance_uid)
    )
    return course_of(
        [(study.study_instance_uid, load_record(study)) for study in ordered],
        {study.study_instance_uid: study_day(study) for study in ordered},
    )


def course_of(
    loaded: Sequence[tuple[str, Record]], study_days: Mapping[str, date | None] | None = None
) -> Course:
    """The course that records make, as they are given: `(Study Instance UID, record)` in order of the days.

    `study_days` are the Study Dates of the studies, where they are known.
    Withdrawn records are left out.  A session that two studies hold counts
    once.  That they are of one patient is the caller's to know.
    """
    records = tuple(pair for pair in loaded if pair[1].status.state is not RecordState.WITHDRAWN)
    sessions: dict[str, tuple[str, TreatmentSession]] = {}
    visits: dict[str, tuple[str, FollowUp]] = {}
    for uid, record in records:
        # the later study's copy is shown
        sessions |= {session.id: (uid, session) for session in record.sessions}
        visits |= {visit.id: (uid, visit) for visit in record.follow_ups}
    found = [session for _, session in sessions.values()]
    days = sorted({session.on for session in found if session.on is not None})
    return Course(
        n_studies=len(loaded),
        records=records,
        sessions=tuple(
            _placed(uid, session, days)
            for uid, session in sorted(
                sessions.values(), key=lambda pair: (pair[1].on is None, pair[1].on or date.min)
            )
        ),
        follow_ups=tuple(
            CourseFollowUp(visit, uid, days_since(visit, found))
            for uid, visit in sorted(
                visits.values(), key=lambda pair: (pair[1].on is None, pair[1].on or date.min)
            )
        ),
        days=day_sums(found),
        maybe_recanalised=maybe_recanalised(visit for _, visit in visits.values()),
        study_days=tuple((study_days or {}).items()),
    )


def _placed(uid: str, session: TreatmentSession, days: list[date]) -> CourseSession:
    if session.on is None:
        return CourseSession(session, uid, None, None)
    place = days.index(session.on)
    gap = (session.on - days[place - 1]).days if place else None
    return CourseSession(session, uid, place + 1, gap)


def study_day(study: Any) -> date | None:
    """Study Date (0008,0020) of an opened study's header; None where it has none that is a day."""
    try:
        return datetime.strptime(str(study.header().get("StudyDate") or "").strip(), "%Y%m%d").date()
    except ValueError:
        return None
