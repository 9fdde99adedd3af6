"""Rows out of whatever an archive answers: what makes no sense is left out, and nothing is raised."""

from __future__ import annotations

import fnmatch
from datetime import date, timedelta
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from veinscan.pacs.model import InstanceRow, StudyQuery, StudyRow
from veinscan.pacs.rows import answers, day, day_range, in_order, instance_row, latest_first, study_row

KEYWORDS = [
    "StudyInstanceUID", "StudyDate", "StudyTime", "PatientName", "PatientID", "IssuerOfPatientID",
    "PatientBirthDate", "AccessionNumber", "StudyDescription", "ModalitiesInStudy",
    "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "SOPInstanceUID", "SeriesInstanceUID",
    "SOPClassUID", "Modality", "NumberOfFrames", "SeriesNumber", "InstanceNumber",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30), st.integers(-5, 10**9).map(str), st.lists(st.text(max_size=8), max_size=4),
    st.sampled_from(["1.2.3", "20250404", "2025.04.04", "99999999", "101112", "US", "1.2.3\0", " 7 ", "-1"]),
)  # fmt: skip
DATES = st.dates(date(1800, 1, 1), date(2199, 12, 31))


def dataset_of(values: dict[str, Any]) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    for keyword, value in values.items():
        tag = Tag(keyword)
        dataset[tag] = DataElement(tag, "LO", value, validation_mode=pydicom.config.IGNORE)
    return dataset


@given(st.dictionaries(st.sampled_from(KEYWORDS), VALUES))
def test_whatever_comes(values: dict[str, Any]) -> None:
    dataset = dataset_of(values)
    study, one = study_row(dataset), instance_row(dataset, "1.2.3")
    if study is not None:
        assert study.study_instance_uid
        assert study.instances is None or study.instances >= 0
        assert all("\n" not in text and "\0" not in text for text in (study.patient_name, study.patient_id))
        assert answers(study, StudyQuery(modality=""))
    if one is not None:
        assert one.study_instance_uid == "1.2.3"
        assert one.sop_instance_uid
        assert one.series_instance_uid


def test_a_row_as_it_should_be() -> None:
    dataset = dataset_of(
        {
            "StudyInstanceUID": "1.2.3",
            "StudyDate": "20250404",
            "StudyTime": "093015.5",
            "PatientName": "Sample^Anna",
            "PatientID": "P1",
            "PatientBirthDate": "19610203",
            "ModalitiesInStudy": ["US", "SR"],
            "NumberOfStudyRelatedInstances": "12",
        }
    )
    row = study_row(dataset)
    assert row == StudyRow(
        study_instance_uid="1.2.3", on=date(2025, 4, 4), time="09:30", patient_name="Sample^Anna",
        patient_id="P1", birth_date=date(1961, 2, 3), modalities=("SR", "US"), instances=12,
    )  # fmt: skip
    assert not any(word in repr(row) for word in ("Sample", "P1", "1961"))


def test_an_object_takes_from_its_series_what_it_does_not_say() -> None:
    series = dataset_of({"SeriesInstanceUID": "1.5", "Modality": "us", "SeriesNumber": "4"})
    row = instance_row(dataset_of({"SOPInstanceUID": "1.6", "InstanceNumber": "2"}), "1.2", series)
    assert row == InstanceRow(
        study_instance_uid="1.2", series_instance_uid="1.5", sop_instance_uid="1.6", modality="US",
        series_number=4, instance_number=2,
    )  # fmt: skip
    assert instance_row(dataset_of({"SOPInstanceUID": "1.6", "StudyInstanceUID": "9"}), "1.2", series) is None


@given(DATES, DATES)
def test_days_as_dicom_matches_them(one: date, other: date) -> None:
    first, last = sorted((one, other))
    text = day_range(StudyQuery(first_day=first, last_day=last))
    begin, _, end = text.partition("-")
    assert (day(begin), day(end or begin)) == (first, last)
    assert day_range(StudyQuery(first_day=first)) == f"{first:%Y%m%d}-"
    assert day_range(StudyQuery(last_day=last)) == f"-{last:%Y%m%d}"
    row = StudyRow(study_instance_uid="1", on=one)
    query = StudyQuery(modality="", first_day=one - timedelta(1), last_day=one + timedelta(1))
    assert answers(row, query)
    assert not answers(row, StudyQuery(modality="", first_day=one + timedelta(1)))
    assert not answers(row, StudyQuery(modality="", last_day=one - timedelta(1)))


@given(st.text("ab*?", max_size=6), st.text("ab", min_size=1, max_size=6))
def test_wildcards(pattern: str, value: str) -> None:
    row = StudyRow(study_instance_uid="1", patient_id=value)
    expected = not pattern or fnmatch.fnmatchcase(value, pattern)
    assert answers(row, StudyQuery(modality="", patient_id=pattern)) == expected


def test_a_pattern_of_many_parts_is_answered_at_once() -> None:
    # trying every way of placing its parts would not end within a lifetime
    query = StudyQuery(modality="", patient_id="*a" * 30 + "b")
    assert not answers(StudyRow(study_instance_uid="1", patient_id="a" * 64), query)
    assert answers(StudyRow(study_instance_uid="1", patient_id="a" * 63 + "b"), query)


@pytest.mark.parametrize("pattern", ["A.C", "A+C", "[A]BC", "A\\BC", "(ABC"])
def test_nothing_in_a_pattern_but_wildcards_means_anything(pattern: str) -> None:
    assert not answers(
        StudyRow(study_instance_uid="1", patient_id="ABC"), StudyQuery(modality="", patient_id=pattern)
    )
    assert answers(
        StudyRow(study_instance_uid="1", patient_id=pattern), StudyQuery(modality="", patient_id=pattern)
    )


@given(st.lists(st.tuples(st.integers(0, 5), st.none() | st.integers(0, 5), st.none() | st.integers(0, 5))))
def test_each_object_once_and_in_order(numbers: list[tuple[int, int | None, int | None]]) -> None:
    rows = [
        InstanceRow(
            study_instance_uid="1", series_instance_uid=f"1.{series}", sop_instance_uid=f"1.{sop}",
            series_number=series, instance_number=number,
        )
        for sop, series, number in numbers
    ]  # fmt: skip
    ordered = in_order(rows)
    assert len(ordered) == len({row.sop_instance_uid for row in rows})
    assert in_order(reversed(ordered)) == ordered
    keys = [(2**31 if row.series_number is None else row.series_number) for row in ordered]
    assert keys == sorted(keys)
    studies = latest_first(
        StudyRow(study_instance_uid=f"1.{a}", on=date(2020, 1, 1 + a)) for a, _, _ in numbers
    )
    assert [row.on for row in studies] == sorted((row.on for row in studies), reverse=True)
