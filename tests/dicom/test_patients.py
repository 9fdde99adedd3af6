"""Whether two studies are of one patient: never by name alone, never certain without ID and birth date."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from veinscan.dicom.patients import Match, Patient, match_patients, match_studies, patient_in

ASK, CERTAIN, OTHER = Match.ASK, Match.CERTAIN, Match.OTHER


def header(**changes: Any) -> Dataset:
    found = Dataset()
    values = {
        "PatientID": "P1", "IssuerOfPatientID": "CLINIC", "PatientBirthDate": "19700101", "PatientSex": "F",
        "PatientName": "Phantom^Łucja",
    }  # fmt: skip
    for name, value in (values | changes).items():
        if value is not None:
            setattr(found, name, value)
    return found


NO_ISSUER: dict[str, Any] = {"IssuerOfPatientID": None}


@pytest.mark.parametrize(
    ("one", "other", "verdict"),
    [
        ({}, {}, CERTAIN),
        ({}, {"PatientName": "Married^Lucja"}, CERTAIN),
        ({}, {"IssuerOfPatientID": "ELSEWHERE"}, ASK),
        ({}, {"IssuerOfPatientID": "ELSEWHERE", "PatientName": "Other^Person"}, OTHER),
        ({}, {"IssuerOfPatientID": None}, ASK),
        ({"IssuerOfPatientID": None}, {"IssuerOfPatientID": None}, CERTAIN),
        ({"IssuerOfPatientID": None}, {"IssuerOfPatientID": None, "PatientName": "Other^Person"}, ASK),
        ({}, {"PatientBirthDate": None}, ASK),
        ({}, {"PatientBirthDate": "19700102"}, ASK),
        (NO_ISSUER, NO_ISSUER | {"PatientBirthDate": "19700102"}, ASK),
        (NO_ISSUER, {"PatientBirthDate": "19700102"}, ASK),
        (NO_ISSUER, NO_ISSUER | {"PatientBirthDate": "19700102", "PatientName": "Phantom^Twin"}, OTHER),
        (NO_ISSUER, NO_ISSUER | {"PatientBirthDate": "19700102", "PatientID": "P2"}, OTHER),
        ({}, {"PatientBirthDate": "19700102", "IssuerOfPatientID": "ELSEWHERE"}, OTHER),
        (NO_ISSUER, NO_ISSUER | {"PatientName": "Phantom^Twin"}, ASK),
        (NO_ISSUER, NO_ISSUER | {"PatientName": "Phantom"}, CERTAIN),
        (NO_ISSUER, NO_ISSUER | {"PatientName": "Phantom^Łucja^Maria^Dr"}, CERTAIN),
        (NO_ISSUER, NO_ISSUER | {"PatientName": ""}, ASK),
        ({"PatientIdentityRemoved": "YES"}, {}, ASK),
        (NO_ISSUER | {"PatientIdentityRemoved": "YES"}, NO_ISSUER | {"PatientIdentityRemoved": "YES"}, ASK),
        ({"PatientIdentityRemoved": "NO"}, {}, CERTAIN),
        ({}, {"PatientSex": "M"}, ASK),
        ({}, {"PatientSex": None}, CERTAIN),
        ({}, {"PatientID": "P2"}, OTHER),
        ({}, {"PatientID": "P2", "IssuerOfPatientID": "ELSEWHERE"}, ASK),
        ({}, {"PatientID": "P2", "IssuerOfPatientID": "ELSEWHERE", "PatientName": "A^B"}, OTHER),
        ({}, {"PatientID": None}, ASK),
        ({}, {"PatientID": None, "PatientBirthDate": None}, OTHER),
        ({}, {"PatientID": "P1 "}, CERTAIN),
        ({"PatientName": "PHANTOM^LUCJA"}, {"PatientID": None, "PatientName": "Phantom^Łucja"}, ASK),
    ],
)
def test_what_headers_say(one: dict[str, Any], other: dict[str, Any], verdict: Match) -> None:
    there, back = (
        match_patients(header(**one), header(**other)),
        match_patients(header(**other), header(**one)),
    )
    assert there.verdict is back.verdict is verdict
    assert there.reason == back.reason


def test_the_universal_entity_stands_for_the_issuer() -> None:
    qualifiers = Dataset()
    qualifiers.UniversalEntityID = "CLINIC"
    found = header(IssuerOfPatientID=None, IssuerOfPatientIDQualifiersSequence=[qualifiers])
    assert match_patients(header(), found).verdict is CERTAIN


patients = st.builds(
    Patient,
    number=st.sampled_from(["", "P1", "P2"]),
    issuer=st.sampled_from(["", "A", "B"]),
    born=st.sampled_from(["", "19700101", "19700102"]),
    sex=st.sampled_from(["", "M", "F"]),
    names=st.frozensets(st.sampled_from(["phantom", "lucja", "other"]), max_size=2),
    removed=st.booleans(),
)


@given(patients, patients)
def test_what_certain_and_ask_need(a: Patient, b: Patient) -> None:
    found = match_patients(a, b)
    assert found == match_patients(b, a)
    ids = bool(a.number) and a.number == b.number
    born = bool(a.born) and a.born == b.born
    if found.verdict is CERTAIN:
        assert ids and born and a.issuer == b.issuer and not (a.removed or b.removed)
        assert a.issuer or a.names <= b.names or b.names <= a.names
    if found.verdict is ASK:
        # a name never does it alone: an ID or a birth date agrees
        assert ids or born
    for value in (a.number, a.born, *a.names):
        assert not value or value not in found.reason


def test_nothing_that_tells_a_patient_is_shown() -> None:
    patient = patient_in(header())
    assert patient.number == "P1"
    for value in ("P1", "CLINIC", "19700101", "phantom", "łucja"):
        assert value not in repr(patient).lower().replace("patient", "")


def test_one_study_uid_in_two_patients_is_no_one_study() -> None:
    class Opened:
        study_instance_uid = "1.2.3"

        def __init__(self, **changes: Any) -> None:
            self.found = header(**changes)

        def header(self) -> Dataset:
            return self.found

    bare = {"PatientID": None, "PatientBirthDate": None}
    assert match_studies(Opened(**bare), Opened(**bare)).verdict is CERTAIN
    assert match_studies(Opened(), Opened(PatientID="P2")).verdict is OTHER
    assert match_studies(Opened(), Opened(PatientBirthDate=None)).verdict is ASK
