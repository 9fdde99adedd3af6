"""What is asked of an archive and what it answers, the same for DICOMweb and DIMSE.

Patient data is left out of every `repr`, so that no traceback and no log shows it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from veinscan.errors import PacsError


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyQuery:
    """Which studies to list; an empty field matches everything.

    `patient_id`, `patient_name` and `accession` may hold the wildcards `*` and `?` (PS3.4 C.2.2.2.4).
    """

    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    study_instance_uid: str = ""
    first_day: date | None = None
    """Study Date from this day on."""
    last_day: date | None = None
    """Study Date up to and with this day."""
    modality: str = "US"
    """Modalities in Study; empty: any."""
    limit: int = 200
    """Rows at most; `StudyRows.complete` says whether there were more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One study as an archive lists it."""

    study_instance_uid: str
    on: date | None = None
    """Study Date."""
    time: str = ""
    """Study Time as 'HH:MM'; empty where there is none."""
    patient_name: str = field(default="", repr=False)
    """As in the archive, components parted by `^`."""
    patient_id: str = field(default="", repr=False)
    issuer_of_patient_id: str = field(default="", repr=False)
    birth_date: date | None = field(default=None, repr=False)
    accession: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    modalities: tuple[str, ...] = ()
    series: int | None = None
    instances: int | None = None
    """Number of Study Related Instances; None where the archive does not say."""


@dataclass(frozen=True, slots=True)
class StudyRows:
    """An answer to a `StudyQuery`."""

    rows: tuple[StudyRow, ...]
    """Latest first."""
    complete: bool
    """False where the archive holds more than `StudyQuery.limit`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRow:
    """One object of a study as an archive lists it."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str = ""
    modality: str = ""
    frames: int | None = None
    series_number: int | None = None
    instance_number: int | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """One object that arrived, or did not."""

    instance: InstanceRow
    path: Path | None
    """A Part 10 file (PS3.10) in the given folder, written whole; None where `error` says why not."""
    size: int = 0
    """Bytes."""
    error: PacsError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOutcome:
    """What an archive said of one object that was sent to it."""

    sop_instance_uid: str
    accepted: bool
    """The archive says it has it.  Whether that is so is for `veinscan.pacs.verify` to find out."""
    code: int | None = None
    """Failure (0008,1197) or warning reason (0008,1196), or a DIMSE status; PS3.18 10.5.3, PS3.4 B.2.3."""
    reason: str = ""
    """In words."""
    temporary: bool = False
    """Worth another try as it is (out of resources, no connection)."""
