"""Whether two studies are of one patient: by Patient ID, its issuer and the birth date; never by name alone.

A name only ever speaks against a match, or lets a person be asked where an
ID is missing or a birth date may be mistyped.  Most scanners of one clinic
write no issuer: two studies without one are certain only where the whole name
agrees as well, since another clinic may have given the same ID.  A header
whose identity was removed holds what stands for many patients.  No reason
holds patient data.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from veinscan.dicom.header import quiet
from veinscan.dicom.values import text
from veinscan.errors import InvalidInputError


class Match(StrEnum):
    """What the headers of two studies say about their patients."""

    CERTAIN = "certain"
    ASK = "ask"
    """Perhaps one patient: a person decides."""
    OTHER = "other"
    """Not shown to be one patient, and not to be mixed."""


@dataclass(frozen=True, slots=True)
class PatientMatch:
    """The verdict and why, without patient data."""

    verdict: Match
    reason: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What tells patients apart; never shown and never in a message."""

    number: str = field(repr=False)
    """Patient ID (0010,0020)."""
    issuer: str = field(repr=False)
    """Issuer of Patient ID (0010,0021), or the universal entity of its qualifiers (0010,0024)."""
    born: str = field(repr=False)
    """YYYYMMDD."""
    sex: str = field(repr=False)
    names: frozenset[str] = field(repr=False)
    """Parts of the name, folded."""
    removed: bool = False
    """Whether Patient Identity Removed (0012,0062) is YES: ID and birth date may be anybody's."""


def patient_in(header: Any) -> Patient:
    """The patient of a header; empty where an attribute is missing or cannot be read."""
    with quiet():
        born = text(header, "PatientBirthDate")
        sex = text(header, "PatientSex").upper()
        return Patient(
            number=" ".join(text(header, "PatientID").split()),
            issuer=_issuer(header),
            born=born if len(born) == 8 and born.isdigit() and born != "00000000" else "",
            sex=sex if sex in ("M", "F") else "",
            names=_folded(text(header, "PatientName")),
            removed=text(header, "PatientIdentityRemoved").strip().upper() == "YES",
        )


def match_patients(one: Any, other: Any) -> PatientMatch:
    """Whether two headers are of one patient.

    Parameters
    ----------
    one, other : Dataset or Patient
        Headers of an object of each study.
    """
    a, b = (side if isinstance(side, Patient) else patient_in(side) for side in (one, other))
    found = _by_values(a, b)
    if found.verdict is Match.CERTAIN and (a.removed or b.removed):
        return PatientMatch(
            Match.ASK, "the headers agree, but the patient's identity was removed from a study"
        )
    return found


def match_studies(one: Any, other: Any) -> PatientMatch:
    """Whether two opened studies are of one patient, by the headers of their first clips.

    Two copies of one study are only taken for it where their patients agree:
    a Study Instance UID that was written twice is no sign of one patient.
    """
    a, b = patient_in(one.header()), patient_in(other.header())
    if a == b and one.study_instance_uid and one.study_instance_uid == other.study_instance_uid:
        return PatientMatch(Match.CERTAIN, "it is the same study")
    return match_patients(a, b)


def check_one_patient(one: Any, other: Any, *, confirmed: bool = False) -> PatientMatch:
    """As `match_studies`; InvalidInputError where two opened studies are not of one patient.

    `confirmed`: a person has looked and said so, where the headers leave it
    open; it never stands against headers that speak of two patients.
    """
    found = match_studies(one, other)
    if found.verdict is Match.OTHER:
        raise InvalidInputError(
            f"the studies are not of one patient: {found.reason}", do="choose two studies of one patient"
        )
    if found.verdict is Match.ASK and not confirmed:
        raise InvalidInputError(
            f"it is not certain that the studies are of one patient: {found.reason}",
            do="look at both and confirm it",
        )
    return found


def _by_values(a: Patient, b: Patient) -> PatientMatch:
    if a.born and b.born and a.born != b.born:
        return _born_apart(a, b)
    if not a.number or not b.number:
        return _without_number(a, b)
    if a.number != b.number:
        return _different_numbers(a, b)
    return _same_number(a, b)


def _born_apart(a: Patient, b: Patient) -> PatientMatch:
    same = bool(a.number) and a.number == b.number
    if same and a.issuer and a.issuer == b.issuer:
        return PatientMatch(Match.ASK, "the Patient IDs and issuers agree, the birth dates differ")
    if same and not (a.issuer and b.issuer) and _one_name(a, b):
        return PatientMatch(Match.ASK, "Patient ID and name agree, the birth dates differ")
    return PatientMatch(Match.OTHER, "the birth dates differ")


def _same_number(a: Patient, b: Patient) -> PatientMatch:
    if a.issuer and b.issuer and a.issuer != b.issuer:
        if a.names & b.names and a.born and b.born:
            return PatientMatch(Match.ASK, "the Patient IDs agree, but two issuers gave them")
        return PatientMatch(Match.OTHER, "the Patient IDs are of two issuers")
    if not a.born or not b.born:
        return PatientMatch(Match.ASK, "the Patient IDs agree, but a birth date is missing")
    if a.sex and b.sex and a.sex != b.sex:
        return PatientMatch(Match.ASK, "Patient ID and birth date agree, but the sex differs")
    if bool(a.issuer) != bool(b.issuer):
        return PatientMatch(Match.ASK, "Patient ID and birth date agree, but one study names no issuer")
    if a.issuer:
        return PatientMatch(Match.CERTAIN, "Patient ID, its issuer and birth date agree")
    if not _one_name(a, b):
        # without an issuer an ID is only as good as the clinic that gave it; twins share a birth date
        return PatientMatch(
            Match.ASK, "Patient ID and birth date agree, but no issuer is named and the names differ"
        )
    return PatientMatch(Match.CERTAIN, "Patient ID, birth date and name agree; no study names an issuer")


def _different_numbers(a: Patient, b: Patient) -> PatientMatch:
    if a.issuer == b.issuer:
        return PatientMatch(Match.OTHER, "the Patient IDs differ")
    if a.born and b.born and a.names & b.names:
        return PatientMatch(
            Match.ASK, "the Patient IDs differ and so do their issuers; birth date and name agree"
        )
    return PatientMatch(Match.OTHER, "the Patient IDs and their issuers differ")


def _without_number(a: Patient, b: Patient) -> PatientMatch:
    if a.born and b.born and a.names & b.names:
        return PatientMatch(Match.ASK, "a Patient ID is missing; birth date and name agree")
    return PatientMatch(Match.OTHER, "a Patient ID is missing, and a name alone says nothing")


def _one_name(a: Patient, b: Patient) -> bool:
    """Whether one name holds every part of the other: a second given name may be left out."""
    return bool(a.names and b.names) and (a.names <= b.names or b.names <= a.names)


def _issuer(header: Any) -> str:
    plain = " ".join(text(header, "IssuerOfPatientID").split())
    if plain:
        return plain
    try:
        items = list(header.get("IssuerOfPatientIDQualifiersSequence") or ())
    except Exception:  # pydicom raises nearly anything on damaged bytes
        return ""
    return " ".join(text(items[0], "UniversalEntityID").split()) if items else ""


def _folded(name: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(" " if not c.isalnum() else c for c in plain if not unicodedata.combining(c))
    return frozenset(part for part in plain.split() if len(part) > 1 or not part.isascii())
