"""Whether two studies are of one patient: never by name alone, never certain without ID and birth date."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from veinscan.follow_up.patients import Match, Patient, match_patients, patient_in

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
        ({"IssuerOfPatientID": None}, {"IssuerOfPatientID": None, "PatientBirthDate": "19700102"}, OTHER),
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
)


@given(patients, patients)
def test_what_certain_and_ask_need(a: Patient, b: Patient) -> None:
    found = match_patients(a, b)
    assert found == match_patients(b, a)
    ids = bool(a.number) and a.number == b.number
    born = bool(a.born) and a.born == b.born
    if found.verdict is CERTAIN:
        assert ids and born and a.issuer == b.issuer
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
