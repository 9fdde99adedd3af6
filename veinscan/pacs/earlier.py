"""Earlier studies of the same patient in an archive, with their plans, for the follow-up.

The archive is asked by Patient ID; whether a study is of the same patient is
for `match_patients` to say, as with studies in folders.  Which of them hold a
plan of ours is read from their structured reports, which are small.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import ComprehensiveSRStorage
from pydicom.valuerep import PersonName

from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.header import quiet
from veinscan.dicom.patients import Match, Patient, PatientMatch, match_patients, patient_in
from veinscan.dicom.sources import FileBytes
from veinscan.dicom.values import raw_value
from veinscan.errors import CancelledError, InvalidInputError, PacsError
from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy, earlier_studies
from veinscan.follow_up.headers import Facts, HeaderReader, days_between, facts_of, is_before
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.cache import StudyCache
from veinscan.pacs.model import InstanceRow, StudyQuery, StudyRow
from veinscan.pacs.pull import Progress, PulledStudy

MAX_STUDIES = 100
"""Studies of the patient whose reports are looked at, the latest first."""
MAX_REPORTS = 64
"""Structured reports of one study that are looked at."""
_ASKED = 500
"""Rows of one query."""
_NO_CONNECTION = frozenset({"name", "tcp", "tls", "login", "association"})
_WILD = frozenset("*?\\")
"""Wildcards (PS3.4 C.2.2.2.4) and the sign between values (PS3.5 6.2), which cannot be asked for as such."""
_BEYOND_ID = re.compile(r"[^A-Za-z0-9._\x80-\U0010ffff-]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_PLAIN = re.compile(r"[A-Za-z0-9]")
_LETTERS = re.compile(r"[^\W_]")
_BEYOND_LETTERS = re.compile(r"[^A-Za-z0-9]+")


def find_earlier_in_archive(
    archive: Archive,
    study: Any,
    *,
    without_record: bool = False,
    cache: StudyCache | None = None,
    progress: Callable[[int], None] | None = None,
    stop: Stop | None = None,
) -> EarlierStudies:
    """Studies of the same patient in an archive before an opened one.

    Parameters
    ----------
    archive : Archive
    study : Study
        The follow-up.
    without_record : bool
        Also list studies that hold no veinscan record yet.
    cache : StudyCache, optional
        Where a study is pulled to when it is chosen: `EarlierStudy.path`.
    progress : callable, optional
        Called with the number of studies looked at; may raise CancelledError.
    stop : callable, optional
        True ends the search with CancelledError.

    Returns
    -------
    EarlierStudies
        Each with `archive`: `bring` pulls it before it is opened.

    Raises
    ------
    PacsError
        The archive cannot be asked.
    CancelledError
        After `stop`.

    Nothing is written but what the archive sends of reports, which is removed again.
    """
    search = _Search(archive, facts_of(study), cache or StudyCache(), stop)
    rows = search.of_patient(study.header())
    for number, row in enumerate(rows, start=1):
        search.look_at(row, without_record=without_record)
        if progress is not None:
            progress(number)
    return earlier_studies(search.found, search.told)


def bring(
    archive: Archive,
    earlier: EarlierStudy,
    *,
    cache: StudyCache | None = None,
    dimse: str = "",
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> PulledStudy:
    """Pull a study that was found, with its plan, into the cache; what is there is not fetched again.

    As `StudyCache.pull`; afterwards `earlier.path` can be opened.
    """
    if earlier.archive != archive.name:
        raise InvalidInputError("this study was not found in this archive", where=archive.name)
    return (cache or StudyCache()).pull(
        archive, earlier.study_instance_uid, dimse=dimse, progress=progress, stop=stop
    )


def both(near: EarlierStudies, archived: EarlierStudies) -> EarlierStudies:
    """What lies near and what lies in an archive, as one list; a study that lies near is not listed twice.

    A copy without a plan gives way to the archive's with one.
    """
    held = {one.study_instance_uid: one for one in archived.studies}
    for one in near.studies:
        known = held.get(one.study_instance_uid)
        if known is None or one.has_record or not known.has_record:
            held[one.study_instance_uid] = one
    merged = earlier_studies(held.values(), {})
    return replace(merged, notes=tuple(dict.fromkeys((*near.notes, *archived.notes))))


@dataclass(slots=True)
class _Search:
    archive: Archive
    mine: Facts
    cache: StudyCache
    stop: Stop | None
    found: list[EarlierStudy] = field(default_factory=list)
    told: Counter[str] = field(default_factory=Counter)

    def of_patient(self, header: Any) -> list[StudyRow]:
        """The archive's studies that may be of this patient and are earlier, latest first."""
        asked = self._query(header)
        if asked is None:
            return []
        answer = self.archive.find_studies(asked, stop=self.stop)
        if not answer.complete:
            self.told[f"the archive lists more than {_ASKED} studies: the oldest are not looked at"] += 1
        rows = [
            row
            for row in answer.rows
            if is_before(_facts(row), self.mine)
            and match_patients(_facts(row).patient, self.mine.patient).verdict is not Match.OTHER
        ]
        if len(rows) > MAX_STUDIES:
            self.told[f"only the {MAX_STUDIES} latest studies of the patient were looked at"] += 1
        return rows[:MAX_STUDIES]

    def _query(self, header: Any) -> StudyQuery | None:
        """By ID; without one by name, whose birth date the rows then have to agree with."""
        number, name = _single(header, "PatientID"), _single(header, "PatientName").rstrip("^")
        # a sign that means something to the archive, or that an address escapes, stands as any one sign, and
        # letters that take several bytes as any text: which rows are of the ID is looked at afterwards
        pattern = _BEYOND_ASCII.sub("*", _BEYOND_ID.sub("?", number))
        if pattern and (not _WILD & set(pattern) or len(_PLAIN.findall(number)) > 3):
            return StudyQuery(patient_id=pattern, limit=_ASKED)
        if len(_LETTERS.findall(name)) > 1 and not _WILD & set(name) and self.mine.patient.born:
            self.told["the study has no Patient ID that can be asked for: it was asked by name"] += 1
            # archives lose what does not fit into their character set, and not all undo the escapes of an
            # address: letters and digits alone find the name however it is kept
            plain = _BEYOND_LETTERS.sub("*", name)
            enough = len(_PLAIN.findall(plain)) > 2
            return StudyQuery(patient_name=plain if enough else name, limit=_ASKED)
        self.told["the study does not say enough of its patient to ask an archive"] += 1
        return None

    def look_at(self, row: StudyRow, *, without_record: bool) -> None:
        """List a study where it holds a record of this patient, or is wanted without."""
        facts = _facts(row)
        match = match_patients(facts.patient, self.mine.patient)
        try:
            records = [one for one in self._reports(row) if one.is_record]
        except CancelledError:
            raise
        except PacsError as error:
            if error.temporary or error.step in _NO_CONNECTION:
                raise
            self.told["the reports of a study cannot be read, whether it holds a plan is not known"] += 1
            return
        own = [one for one in records if self._is_of(one, row)]
        if len(own) < len(records):
            self.told["a plan names another patient or study than the archive does, and is not used"] += 1
        if own:
            match = self._match(facts.patient, own)
        if not own and not without_record:
            return
        self.found.append(
            EarlierStudy(
                self.cache.folder_of(self.archive, row.study_instance_uid),
                row.study_instance_uid,
                facts.on,
                days_between(facts, self.mine),
                match.verdict,
                match.reason,
                has_record=bool(own),
                archive=self.archive.name,
            )
        )

    def _reports(self, row: StudyRow) -> list[Facts]:
        """What the headers of a study's structured reports say; none of one that has none."""
        if row.modalities and "SR" not in row.modalities:
            return []
        rows = self.archive.find_instances(row.study_instance_uid, modality="SR", stop=self.stop)
        wanted = [one for one in rows if one.sop_class_uid in ("", ComprehensiveSRStorage)]
        if len(wanted) > MAX_REPORTS:
            # versions are numbered upwards: the last decide
            self.told[f"of a study with {len(wanted)} reports the last {MAX_REPORTS} were looked at"] += 1
            wanted = wanted[-MAX_REPORTS:]
        return self._read(wanted) if wanted else []

    def _read(self, wanted: list[InstanceRow]) -> list[Facts]:
        reader = HeaderReader(DEFAULT_LIMITS, None)
        found = []
        with tempfile.TemporaryDirectory(prefix="veinscan-") as folder:
            for one in self.archive.fetch(wanted, Path(folder), stop=self.stop):
                if one.path is None:
                    self.told["a report of an earlier study did not come: it may be a plan"] += 1
                    continue
                facts = reader.facts(FileBytes(one.path, one.path.name, one.path.stat()))
                if facts is not None:
                    found.append(facts)
                one.path.unlink(missing_ok=True)
        return found

    def _match(self, listed: Patient, records: list[Facts]) -> PatientMatch:
        """By the archive's row and the headers of the plans.

        Archives maim names in an answer that do not fit its character set, and leave out much: what tells
        patients apart besides ID and birth date is taken from a plan's own header.
        """
        header = records[-1].patient
        whole = replace(
            listed,
            issuer=listed.issuer or header.issuer,
            born=listed.born or header.born,
            sex=header.sex,
            names=header.names,
        )
        match = match_patients(whole, self.mine.patient)
        for one in records:
            match = _weaker(match, match_patients(one.patient, self.mine.patient))
        return match

    def _is_of(self, record: Facts, row: StudyRow) -> bool:
        return (
            record.study_instance_uid == row.study_instance_uid
            and match_patients(record.patient, self.mine.patient).verdict is not Match.OTHER
        )


def _single(header: Any, keyword: str) -> str:
    """A value as text; '' where there are several."""
    with quiet():
        value = raw_value(header, keyword)
        return str(value).strip() if isinstance(value, (str, PersonName)) else ""


def _weaker(one: PatientMatch, other: PatientMatch) -> PatientMatch:
    return other if other.verdict is Match.ASK and one.verdict is Match.CERTAIN else one


def _facts(row: StudyRow) -> Facts:
    """What an archive's row says of a study, as a header says it."""
    header = pydicom.Dataset()
    with quiet():
        header.PatientID = row.patient_id
        header.PatientName = row.patient_name
        header.IssuerOfPatientID = row.issuer_of_patient_id
        header.PatientBirthDate = "" if row.birth_date is None else f"{row.birth_date:%Y%m%d}"
        patient = patient_in(header)
    return Facts(
        study_instance_uid=row.study_instance_uid,
        patient=patient,
        on=row.on,
        time=row.time.replace(":", ""),
        is_record=False,
        is_picture=True,
    )
