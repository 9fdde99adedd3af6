"""From the data sets with which an archive answers a query to rows; what it may not say is left out.

QIDO-RS and C-FIND answer with the same attributes (PS3.18 10.6.3.3, PS3.4
C.6.2.1), so one place reads them.  Whatever an archive sends, a value that
makes no sense is as good as none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

from veinscan.dicom.guard import clean_uid, plain
from veinscan.dicom.header import quiet
from veinscan.dicom.values import raw_value, text, texts, uid, whole
from veinscan.errors import InvalidInputError
from veinscan.pacs.model import InstanceRow, StudyQuery, StudyRow

_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")
"""DA, and as ACR-NEMA wrote it (PS3.5 6.2)."""
_TIME = re.compile(r"(\d\d):?(\d\d).*")


def check_study_uid(study_uid: str) -> None:
    """InvalidInputError for what is no UID (PS3.5 9.1)."""
    if not study_uid or clean_uid(study_uid) != study_uid:
        raise InvalidInputError(
            f"'{plain(study_uid, 64)}' is not a Study Instance UID",
            where="study_uid",
            do="give it as the archive's list of studies has it, numbers with dots between them",
        )


def study_row(dataset: Any) -> StudyRow | None:
    """A study of an answer; None where it has no Study Instance UID."""
    with quiet():
        study = uid(dataset, "StudyInstanceUID")
        if not study:
            return None
        modalities = texts(dataset, "ModalitiesInStudy") or texts(dataset, "Modality")
        return StudyRow(
            study_instance_uid=study,
            on=day(text(dataset, "StudyDate")),
            time=_time(text(dataset, "StudyTime")),
            patient_name=plain(_value(dataset, "PatientName"), 200),
            patient_id=plain(_value(dataset, "PatientID"), 64),
            issuer_of_patient_id=plain(_value(dataset, "IssuerOfPatientID"), 64),
            birth_date=day(text(dataset, "PatientBirthDate")),
            accession=text(dataset, "AccessionNumber"),
            description=text(dataset, "StudyDescription"),
            modalities=tuple(sorted({one.upper() for one in modalities if one})),
            series=_count(dataset, "NumberOfStudyRelatedSeries"),
            instances=_count(dataset, "NumberOfStudyRelatedInstances"),
        )


def instance_row(dataset: Any, study_instance_uid: str, series: Any = None) -> InstanceRow | None:
    """An object of an answer; None where it names none, or one of another study.

    `series`: the answer at series level that it belongs to, for what it does not say itself.
    """
    with quiet():
        sop, of = uid(dataset, "SOPInstanceUID"), uid(dataset, "StudyInstanceUID")
        above = series if series is not None else dataset
        series_uid = uid(dataset, "SeriesInstanceUID") or uid(above, "SeriesInstanceUID")
        if not sop or not series_uid or of not in ("", study_instance_uid):
            return None
        number = whole(dataset, "SeriesNumber")
        return InstanceRow(
            study_instance_uid=study_instance_uid,
            series_instance_uid=series_uid,
            sop_instance_uid=sop,
            sop_class_uid=uid(dataset, "SOPClassUID"),
            modality=(text(dataset, "Modality") or text(above, "Modality")).upper(),
            frames=_count(dataset, "NumberOfFrames"),
            series_number=whole(above, "SeriesNumber") if number is None else number,
            instance_number=whole(dataset, "InstanceNumber"),
        )


def latest_first(rows: Iterable[StudyRow]) -> tuple[StudyRow, ...]:
    """Each study once, the latest first; those without a day last."""
    once = {row.study_instance_uid: row for row in rows}
    return tuple(
        sorted(
            once.values(),
            key=lambda row: (row.on or date.min, row.time, row.study_instance_uid),
            reverse=True,
        )
    )


def in_order(rows: Iterable[InstanceRow]) -> tuple[InstanceRow, ...]:
    """Each object once, by series and instance number; those without a number last."""
    once = {row.sop_instance_uid: row for row in rows}
    return tuple(
        sorted(
            once.values(),
            key=lambda row: (
                _or_last(row.series_number),
                row.series_instance_uid,
                _or_last(row.instance_number),
                row.sop_instance_uid,
            ),
        )
    )


def answers(row: StudyRow, query: StudyQuery) -> bool:
    """Whether a study is among what was asked for: some archives do not match every key.

    Names are left to the archive, whose rules for writings and accents differ (PS3.4 C.2.2.2.1).
    """
    if query.study_instance_uid and row.study_instance_uid != query.study_instance_uid:
        return False
    if query.modality and row.modalities and query.modality.upper() not in row.modalities:
        return False
    if row.on is not None:
        if query.first_day is not None and row.on < query.first_day:
            return False
        if query.last_day is not None and row.on > query.last_day:
            return False
    return fits(row.patient_id, query.patient_id) and fits(row.accession, query.accession)


def day(value: str) -> date | None:
    """A DA value; None where it is none."""
    found = _DATE.fullmatch(value)
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def day_range(query: StudyQuery) -> str:
    """The days of a query as DICOM matches them, 'first-last' (PS3.4 C.2.2.2.5); '' for any day."""
    if query.first_day is None and query.last_day is None:
        return ""
    first, last = (
        "" if one is None else one.strftime("%Y%m%d") if one.year >= 1000 else f"{one:%m%d}".rjust(8, "0")
        for one in (query.first_day, query.last_day)
    )
    return first if first == last else f"{first}-{last}"


def fits(value: str, pattern: str) -> bool:
    """Wildcard matching as PS3.4 C.2.2.2.4; a value or pattern that is empty says nothing."""
    if not value or not pattern:
        return True
    first, *rest = (
        "".join("." if sign == "?" else re.escape(sign) for sign in part)
        for part in pattern.strip().split("*")
    )
    # each part at the first place that it fits at, once and for all: trying the others too takes for ever
    # where there are many, and finds nothing more
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    last = f".*{rest[-1]}" if rest else ""
    return re.fullmatch(first + middle + last, value, re.IGNORECASE | re.DOTALL) is not None


def _value(dataset: Any, keyword: str) -> str:
    value = raw_value(dataset, keyword)
    return "" if value is None else str(value)


def _time(value: str) -> str:
    found = _TIME.fullmatch(value)
    return f"{found[1]}:{found[2]}" if found else ""


def _count(dataset: Any, keyword: str) -> int | None:
    number = whole(dataset, keyword)
    return number if number is not None and number >= 0 else None


def _or_last(number: int | None) -> int:
    return 2**31 if number is None else number
