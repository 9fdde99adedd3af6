"""What a search for earlier studies reads of each object: a few values of its header, and nothing twice."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from veinscan.dicom.facts import SECONDARY, ULTRASOUND
from veinscan.dicom.guard import Limits, only_veinscan_errors
from veinscan.dicom.header import quiet, read_header
from veinscan.dicom.patients import Patient, patient_in
from veinscan.dicom.sources import Bytes, ZipSource
from veinscan.dicom.values import text, uid
from veinscan.errors import UnreadableError
from veinscan.record.versions import is_ours, is_withdrawn, predecessors_of

_ZIP_MEMBERS = 200
"""So many members of a zip are looked at for one of a study's objects."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A header, as far as a search needs it."""

    study_instance_uid: str
    patient: Patient = field(repr=False)
    on: date | None
    time: str
    """Study Time (0008,0030), 'HHMMSS...'; empty where there is none."""
    is_record: bool
    """One of veinscan's own."""
    is_picture: bool
    """An object that a study is made of."""
    version: str = ""
    """SOP Instance UID of a record; empty for anything else."""
    replaces: tuple[str, ...] = ()
    """Versions that a record replaces."""
    is_withdrawn: bool = False
    """Whether a version withdrew its record."""


class HeaderReader:
    """Reads headers, each at most once, and counts."""

    def __init__(self, limits: Limits, progress: Callable[[int], None] | None) -> None:
        self._limits = limits
        self._progress = progress
        self._known: dict[tuple[str, str], Facts | None] = {}

    def facts(self, entry: Bytes) -> Facts | None:
        """Of a file or a member of a zip; None where it is no DICOM object that can be read."""
        key = (str(entry.path), entry.name)
        if key not in self._known:
            self._known[key] = self._read(entry)
            if self._progress is not None:
                self._progress(len(self._known))
        return self._known[key]

    def _read(self, entry: Bytes) -> Facts | None:
        try:
            with only_veinscan_errors("it cannot be read", where=entry.name), entry.at_hand():
                dataset = read_header(entry, self._limits).dataset
                with quiet():
                    return _facts(dataset)
        except UnreadableError:
            return None


def facts_of(study: Any) -> Facts:
    """Of an opened study."""
    with quiet():
        return _facts(study.header(), study.study_instance_uid)


def _facts(dataset: Any, study_instance_uid: str = "") -> Facts:
    sop_class, ours = uid(dataset, "SOPClassUID"), is_ours(dataset)
    return Facts(
        study_instance_uid=study_instance_uid or uid(dataset, "StudyInstanceUID"),
        patient=patient_in(dataset),
        on=_day(text(dataset, "StudyDate")),
        time=text(dataset, "StudyTime"),
        is_record=ours,
        is_picture=sop_class in ULTRASOUND
        or (sop_class in SECONDARY and text(dataset, "Modality").upper() == "US"),
        version=uid(dataset, "SOPInstanceUID") if ours else "",
        replaces=predecessors_of(dataset) if ours else (),
        is_withdrawn=ours and is_withdrawn(dataset),
    )


def _day(value: str) -> date | None:
    try:
        return datetime.strptime(value, "%Y%m%d").date()
    except ValueError:
        return None


def is_before(one: Facts, other: Facts) -> bool:
    """Whether a study is another one and earlier; where a day or, on one day, a time is missing it may be."""
    if one.study_instance_uid in ("", other.study_instance_uid):
        return False
    if one.on is None or other.on is None:
        return True
    if one.on == other.on:
        return not one.time or not other.time or one.time < other.time
    return one.on < other.on


def days_between(one: Facts, other: Facts) -> int | None:
    """Days from one study to another; None where a day is missing."""
    return None if one.on is None or other.on is None else (other.on - one.on).days


def all_withdrawn(versions: Sequence[Facts]) -> bool:
    """Whether a record was withdrawn, by its latest versions: each that no other replaces."""
    replaced = {uid for one in versions for uid in one.replaces}
    return all(one.is_withdrawn for one in versions if one.version not in replaced)


def zip_members(path: Path, limits: Limits) -> Iterator[Bytes]:
    """The first members of a zip; none of one that cannot be read."""
    try:
        with only_veinscan_errors("the zip cannot be read", where=path.name):
            if not zipfile.is_zipfile(path):
                return
            for number, member in enumerate(ZipSource(path, limits).entries()):
                if number >= _ZIP_MEMBERS and not member.name.startswith("veinscan/"):
                    continue
                yield member
    except UnreadableError:
        return
