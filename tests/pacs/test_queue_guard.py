"""That an object goes to its own patient, and not elsewhere; no sentence holds a value."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from veinscan.dicom.patients import Patient, patient_in
from veinscan.pacs.model import StudyRow
from veinscan.pacs.queue_guard import Judged, judge

KNOWN = {
    "PatientID": "ID-7",
    "PatientName": "Sample^Anna",
    "PatientBirthDate": "19700102",
    "IssuerOfPatientID": "CLINIC",
}


def patient(**values: str) -> Patient:
    header = Dataset()
    for keyword, value in (KNOWN | values).items():
        setattr(header, keyword, value)
    return patient_in(header)


def row(**values: Any) -> StudyRow:
    known = {
        "patient_id": "ID-7",
        "patient_name": "SAMPLE^ANNA^^",
        "birth_date": date(1970, 1, 2),
        "issuer_of_patient_id": "CLINIC",
    }
    return StudyRow(study_instance_uid="1.2", **(known | values))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"patient_name": "Sample-Married^Anna"},
        {"patient_name": "Other^Name"},  # the same ID, birth date and study: a name is put right now and then
        {"birth_date": None},
        {"issuer_of_patient_id": ""},
        {"patient_id": " ID-7 "},
        {"patient_id": ""},
    ],
)
def test_the_same_patient_or_nothing_against_it(values: dict[str, Any]) -> None:
    assert judge(patient(), "record", row(**values)) == Judged()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"patient_id": "ID-8"}, "the Patient IDs differ"),
        ({"birth_date": date(1971, 1, 2)}, "the birth dates differ"),
        ({"issuer_of_patient_id": "ELSEWHERE"}, "the issuers of the Patient IDs differ"),
    ],
)
@pytest.mark.parametrize("deidentified", [False, True])
def test_another_patient_is_refused_whatever_is_wished(
    values: dict[str, Any], words: str, deidentified: bool
) -> None:
    found = judge(patient(), "record", row(**values), deidentified_study=deidentified)
    assert words in found.refusal
    assert "pull the study again" in found.refusal


def test_a_name_speaks_where_there_is_no_number() -> None:
    assert "another name" in judge(patient(PatientID=""), "record", row(patient_name="Other^Eva")).refusal
    assert judge(patient(PatientID=""), "record", row()) == Judged()
    # the archive's own may lack it as well
    assert "another name" in judge(patient(), "record", row(patient_id="", patient_name="Other^Eva")).refusal
    assert judge(patient(), "record", row(patient_id="")) == Judged()


@given(
    number=st.text("0123456789AB", min_size=1, max_size=8),
    name=st.text("xyz^", min_size=3, max_size=9),
    born=st.dates(date(1900, 1, 1), date(2020, 1, 1)),
)
def test_no_sentence_holds_a_value(number: str, name: str, born: date) -> None:
    mine = patient(PatientID=f"Q{number}", PatientName=f"Q{name}", PatientBirthDate=f"{born:%Y%m%d}")
    found = judge(mine, "record", row(patient_id="other-id", patient_name="Other^Person"))
    assert found.refusal
    for value in (f"Q{number}", f"Q{name}", f"{born:%Y%m%d}", "other-id", "Person", "1970"):
        assert value not in found.refusal


def test_a_study_that_the_archive_does_not_know() -> None:
    assert judge(patient(), "image", None) == Judged()
    told = judge(patient(), "record", None)
    assert (told.refusal, "without images" in told.note) == ("", True)
    removed = patient(PatientIdentityRemoved="YES")
    for kind in ("image", "record"):
        assert "identity was removed" in judge(removed, kind, None).refusal
        assert judge(removed, kind, None, deidentified_study=True).refusal == ""
    # one that lies there without identity takes more of its own, and of no other pseudonym
    assert judge(removed, "record", row()).refusal == ""
    assert judge(removed, "record", row(patient_id="ID-9")).refusal
