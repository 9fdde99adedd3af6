"""Who a study is of, and what stands for him or her in an export."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from veinscan.deidentify.key import ProjectKey

MAX_DEPTH = 16
"""Of nested items that are gone into."""
REMOVED = "[removed]"
"""Stands in a text where something that names a person was."""

_NUMBERS = re.compile(
    r"[^\s@]{1,64}@\S+"  # an address of mail
    r"|\d{1,40}(?:\.\d{1,40}){3,}"  # a UID
    r"|\d{1,4}(?P<mark>[./-])\s?\d{1,2}(?P=mark)\s?\d{1,4}"  # a day
    r"|\b(?:19|20)\d\d\b"  # a year: it tells by how much dates were moved
    r"|\+?\d[\d/-]{0,20}(?: [\d/-]{2,20})+"  # a telephone number in groups
)
"""What in a text is of a person, however it is written; bounded, so that a long text takes no long time."""


class Dates(StrEnum):
    """What becomes of dates (PS3.15 E.3.6)."""

    MODIFIED = "modified"
    """Moved back by a number of days that only the project's key tells; intervals of a patient stay."""
    REMOVED = "removed"


class Pixels(StrEnum):
    """Whether the option 'clean pixel data' is taken (PS3.15 E.3.1)."""

    CLEANED = "cleaned"
    """Black outside the usable regions."""
    WHOLE = "whole"
    """The screen as it is, banner and all; `BurnedInAnnotation` is YES until a person says otherwise."""


@dataclass(frozen=True, slots=True)
class Options:
    """Choices of a de-identification; see `docs/research.md`."""

    dates: Dates = Dates.MODIFIED
    notes: bool = False
    """Whether free text of the record is kept, without what the header tells to be a name or number."""
    pixels: Pixels = Pixels.CLEANED


@dataclass(frozen=True, slots=True)
class Identity:
    """The map of one patient's study: from what is known to what stands for it."""

    key: ProjectKey
    patient: str
    """Pseudonym."""
    days: int
    options: Options = field(default_factory=Options)
    known: tuple[str, ...] = field(default=(), repr=False)
    """Words and numbers of the header that name the person, the place or the examination; folded."""
    short: frozenset[str] = field(default=frozenset(), repr=False)
    """Parts of the patient's name of two letters: looked for in notes alone, as codes have two too."""

    def uid(self, original: str) -> str:
        """See `ProjectKey.uid`."""
        return self.key.uid(original)

    def reader(self, name: str) -> str:
        """The pseudonym of a reader; '' for nobody."""
        folded = " ".join(name.replace("^", " ").casefold().split())
        return f"reader-{self.key.name('reader', folded, 8)}" if folded else ""

    def label(self, original: str) -> str:
        """What stands for a name that is no UID and that nobody needs to read (an id of a candidate)."""
        return self.key.name("label", original, 16).lower() if original else ""

    def day(self, original: date) -> date | None:
        """A date, moved back; None where dates are removed."""
        if self.options.dates is Dates.REMOVED:
            return None
        return original - timedelta(days=self.days)

    def moment(self, original: datetime) -> datetime | None:
        """A time, moved back by whole days and told in UTC: a time zone tells where somebody lives."""
        if self.options.dates is Dates.REMOVED:
            return None
        return original.astimezone(UTC) - timedelta(days=self.days)

    def text(self, original: str) -> str:
        """A free text: empty, or without the words of `known` where notes are asked for."""
        return self.scrubbed(original) if self.options.notes else ""

    def scrubbed(self, text: str) -> str:
        """A text in which every word that names the person is replaced, and numbers and dates of a person."""
        if not text:
            return text
        parts = re.split(r"(\W+)", _NUMBERS.sub(REMOVED, text))
        kept = [REMOVED if self._goes(part) else part for part in parts]
        return "".join(kept)

    def _goes(self, part: str) -> bool:
        return self.names(part) or fold(part) in self.short or re.fullmatch(r"\d{5,}", part) is not None

    def names(self, text: str) -> bool:
        """Whether a text holds a word or number that names the person."""
        folded = fold(text)
        words = set(re.findall(r"\w+", folded))
        return any((word in words) if len(word) < 6 else (word in folded) for word in self.known)


def fold(text: str) -> str:
    """A text for comparison: small letters without accents."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


NAMING = (
    "PatientName", "PatientID", "OtherPatientIDs", "OtherPatientNames", "PatientBirthName",
    "PatientBirthDate", "PatientMotherBirthName", "PatientAddress", "PatientTelephoneNumbers",
    "AccessionNumber",
    "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName",
    "DeviceSerialNumber",
    "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "NameOfPhysiciansReadingStudy",
    "PhysiciansOfRecord", "RequestingPhysician", "IssuerOfPatientID", "MedicalRecordLocator",
)  # fmt: skip
"""Attributes of a header whose words are looked for in what is written."""

_COMMON = frozenset(
    [
        "clinic",
        "hospital",
        "center",
        "centre",
        "vein",
        "veins",
        "duplex",
        "ultrasound",
        "synthetic",
        "sample",
        "none",
        "unknown",
        "left",
        "right",
        "other",
        "anonymous",
        "phantom",
        "department",
        "university",
        "medical",
        "the",
        "and",
        "for",
        "von",
        "van",
        "der",
        "del",
    ]
)
"""Words of such attributes that name nobody: they may stand in a text."""


def patient_pseudonym(key: ProjectKey, patient_id: str, name_and_birth: str, study_uid: str) -> str:
    """The pseudonym of a patient: of the ID, else of name and birth date, else of the study alone."""
    if patient_id.strip():
        return f"P-{key.name('patient', patient_id.strip().casefold())}"
    if name_and_birth.strip("| "):
        return f"P-{key.name('patient', 'name|' + name_and_birth)}"
    return f"P-{key.name('patient', 'study|' + study_uid)}"


def known_words(headers: Iterable[Any]) -> tuple[str, ...]:
    """Folded words and numbers of headers that name the person, the place or the examination."""
    from veinscan.dicom.header import quiet

    found: set[str] = set()
    for header in headers:
        with quiet():
            for text in _naming(header, 0):
                found |= _words(text)
        found |= (
            {str(header.get("StudyID") or "").casefold()}
            if len(str(header.get("StudyID") or "")) > 3
            else set()
        )
    return tuple(sorted(word for word in found if word))


def short_names(headers: Iterable[Any]) -> frozenset[str]:
    """Folded parts of the patients' names that are two letters long: 'Li', 'Ng'."""
    texts = (text for header in headers for text in _texts(header.get("PatientName")))
    return frozenset(
        part for text in texts for part in re.findall(r"[^\W\d_]+", fold(text)) if len(part) == 2
    )


def _naming(header: Any, depth: int) -> Iterator[str]:
    """Texts of the attributes of `NAMING`, and every name of a person, in a header and its items."""
    for tag in sorted(header.keys()):
        try:
            element = header[tag]
            if element.VR == "SQ":
                for item in element.value if depth < MAX_DEPTH else ():
                    yield from _naming(item, depth + 1)
            elif element.VR == "PN" or element.keyword in NAMING:
                yield from _texts(element.value)
        except Exception:  # noqa: S112 - a damaged value tells no word
            continue


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return [str(member) for member in value]
    groups = [str(value)]
    return [*groups, *(str(getattr(value, group, "") or "") for group in ("ideographic", "phonetic"))]


def _words(text: str) -> set[str]:
    folded = fold(text)
    words = {word for word in re.split(r"[\W_]+", folded) if _telling(word)}
    whole = folded.strip()
    return words | ({whole} if len(whole) >= 6 else set())


def _telling(word: str) -> bool:
    if word in _COMMON:
        return False
    if not word.isascii():
        return len(word) >= 2
    return len(word) >= 4 or (len(word) == 3 and word.isalpha())
