"""Whom and what a report is about: patient, study, saved version, readers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from veinscan.errors import RecordError
from veinscan.plan.model import Record
from veinscan.plan.vocabulary import RecordState
from veinscan.record.store import record_paths
from veinscan.record.text import shown_name
from veinscan.record.versions import read_versions
from veinscan.report.sheet.model import Person
from veinscan.report.sheet.words import by_whom, person_words, when, word
from veinscan.report.text.characters import isolated

if TYPE_CHECKING:
    from veinscan.dicom import Study

DRAFT = "DRAFT, not saved"
"""Across every page of what was never saved."""
WITHDRAWN = "WITHDRAWN"
"""Across every page of a record that a reader took back."""

_STATES = {
    RecordState.SAVED: "work in progress, not final",
    RecordState.FINAL: "final",
    RecordState.AMENDING: "opened again for an amendment",
    RecordState.AMENDED: "amended and final again",
    RecordState.WITHDRAWN: "withdrawn: not to be used",
}


def person_of(study: Study) -> Person:
    """Name, id and date of birth as the header gives them; a page without them could be anyone's."""
    header = study.header()
    name = person_words(str(header.get("PatientName") or ""))
    number = str(header.get("PatientID") or "").strip()
    issuer = str(header.get("IssuerOfPatientID") or "").strip()
    said = f"ID {isolated(number)}" if number else "no ID in the study"
    if number and issuer:
        said += f" ({isolated(issuer)})"
    return Person(
        name=name or "no name in the study",
        number=said,
        born=iso_date(str(header.get("PatientBirthDate") or "")),
    )


def study_line(study: Study) -> str:
    """Date and description."""
    header = study.header()
    day = iso_date(str(header.get("StudyDate") or "")) or "no date in the study"
    description = str(header.get("StudyDescription") or "").strip()
    return ", ".join(part for part in (day, isolated(description)) if part)


def record_line(record: Record) -> str:
    """'version 2, final, SR 2.25.4242'."""
    if record.version == 0:
        earlier = f"; it follows SR {', '.join(record.heads)}" if record.heads else ""
        return f"draft: not saved as it stands here{earlier}"
    state = _STATES[record.status.state]
    if record.reading.purpose != "plan":
        state += f", a reading for {word(record.reading.purpose)}"
    signed = by_whom(record.status.set_by, record.status.set_at)
    reason = f": {isolated(record.status.reason)}" if record.status.reason else ""
    by = f" (by {signed}{reason})" if signed and record.status.state is not RecordState.SAVED else ""
    return f"version {record.version}, {state}{by}, SR {', '.join(record.heads)}"


def version_line(record: Record) -> str:
    """'version 2, SR 2.25.4242'."""
    return f"version {record.version}, SR {', '.join(record.heads)}" if record.version else "draft, no SR"


def saved_line(study: Study, record: Record) -> str:
    """Who saved the version(s) that are shown, and when, as their files say."""
    if record.version == 0:
        return "not saved"
    try:
        versions, _ = read_versions(record_paths(study), study.study_instance_uid)
        saved = [
            by_whom(shown_name(version.observer), version.content.saved_at)
            for uid in record.heads
            if (version := versions.get(uid)) is not None
        ]
    except RecordError:
        saved = []
    return "; ".join(dict.fromkeys(saved)) or "not known (its file is not among these)"


def marked_line(record: Record) -> str:
    """Who marked the targets, and when the last was."""
    readers = sorted({t.marked_by for t in record.targets if t.marked_by})
    times = [t.marked_at for t in record.targets if t.marked_at is not None]
    names = ", ".join(person_words(one) for one in readers) or "nobody yet"
    return f"{names}, {when(max(times))}" if times else names


def mark_across(record: Record) -> str:
    """What stands across every page; usually nothing."""
    if record.version == 0:
        return DRAFT
    return WITHDRAWN if record.status.state is RecordState.WITHDRAWN else ""


def printed_line(moment: datetime) -> str:
    """When the page was made."""
    return f"{moment:%Y-%m-%d %H:%M %Z}".rstrip()


def iso_date(value: str) -> str:
    """DICOM's '20261122' as '2026-11-22'; anything else as it stands."""
    value = value.strip()
    return f"{value[:4]}-{value[4:6]}-{value[6:]}" if len(value) == 8 and value.isdigit() else value
