"""Who may be one person: told, never parted between splits, and answered by a file."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pydicom
import pytest
from export_samples import KEY, Sources
from hypothesis import given
from hypothesis import strategies as st
from planted import leaks, plant

import veinscan
from veinscan.dicom.patients import Match, Patient, match_patients
from veinscan.errors import InvalidInputError
from veinscan.export import ExportOptions, Format, Item, Split, export_studies, item_of, read_people
from veinscan.export.names import clip_name, name_of, study_mark
from veinscan.export.people import groups_of, patient_for, questions_of
from veinscan.export.splits import split_patients


def study_of(folder: Path, seed: int, **header: str) -> Item:
    """A study of the person of seed 1, with some attributes otherwise."""
    planted = plant(folder, seed, follow_up_of=1)
    for path in planted.folder.glob("*.dcm"):
        ds = pydicom.dcmread(path)
        for keyword, value in header.items():
            setattr(ds, keyword, value)
        ds.save_as(path)
    return item_of(veinscan.open_study(planted.folder), KEY)


PEOPLE = st.builds(
    Patient,
    number=st.sampled_from(["", "A1", "A2"]),
    issuer=st.sampled_from(["", "X", "Y"]),
    born=st.sampled_from(["", "19610101", "19620202"]),
    sex=st.sampled_from(["", "F", "M"]),
    names=st.sets(st.sampled_from(["anna", "berta"]), max_size=2).map(frozenset),
    removed=st.booleans(),
)


@given(st.lists(st.tuples(st.sampled_from(["P-A", "P-B", "P-C"]), PEOPLE), max_size=7))
def test_every_question_that_the_headers_leave_is_asked(persons: list[tuple[str, Patient]]) -> None:
    """Against a comparison of everybody with everybody."""
    items = [Item("", "", patient, f"{patient}_S-{n}", person) for n, (patient, person) in enumerate(persons)]
    asked = {(question.patients, question.what) for question in questions_of(items)}
    expected = set()
    for one, a in persons:
        for other, b in persons:
            verdict = match_patients(a, b).verdict
            if one != other and verdict is not Match.OTHER:
                expected.add(tuple(sorted((one, other))))
            if one == other and a != b and verdict is Match.OTHER and _could_be_told(a, b):
                expected.add((one,))
    assert {patients for patients, _ in asked} == expected
    groups = groups_of({patient for patient, _ in persons}, questions_of(items))
    splits = split_patients(groups, (0.5, 0.25, 0.25), 0, groups)
    for patients in expected:
        assert len({splits[patient] for patient in patients}) == 1


def _could_be_told(a: Patient, b: Patient) -> bool:
    """Patients of one pseudonym have an ID, or else a name and birth date, in common."""
    return bool(a.number and a.number == b.number) or bool(a.born and a.born == b.born and a.names & b.names)


def test_one_person_under_two_pseudonyms_stays_in_one_split_and_is_told(tmp_path: Path) -> None:
    items = [study_of(tmp_path / "in", 1), study_of(tmp_path / "later", 201, PatientID="")]
    others = [item_of(veinscan.open_study(plant(tmp_path / "x", seed).folder), KEY) for seed in (2, 3, 4)]
    assert items[0].patient != items[1].patient
    for seed in range(6):
        options = ExportOptions(formats=(Format.JSON,), fractions=(0.4, 0.3, 0.3), seed=seed)
        found = export_studies([*items, *others], tmp_path / f"set{seed}", options, KEY)
        splits = json.loads((found.folder / "splits.json").read_text())
        assert len(splits) == 5 and splits[items[0].patient] == splits[items[1].patient]
    assert found.questions == 1
    (told,) = json.loads((found.folder / "not_judged.json").read_text())["patients"]
    assert told["patients"] == sorted(item.patient for item in items)
    assert told["studies"] == sorted(item.name for item in items)
    assert "a Patient ID is missing; birth date and name agree" in told["what"]
    assert json.loads((found.folder / "dataset.json").read_text())["counts"]["patients_in_question"] == 2


def test_what_a_person_said_makes_them_one_with_one_shift_of_dates(tmp_path: Path) -> None:
    first = study_of(tmp_path / "in", 1)
    later = study_of(tmp_path / "later", 201, PatientID="", StudyDate="20250202", AcquisitionDateTime="")
    said = tmp_path / "patients.csv"
    said.write_text(f"what,patient\n{later.patient},{first.patient}\n")
    formats = (Format.DICOM_SR, Format.CSV)
    options = ExportOptions(formats=formats, people=read_people(said))
    found = export_studies([first, later], tmp_path / "set", options, KEY)
    assert found.questions == 0 and not found.failed
    assert list(json.loads((found.folder / "splits.json").read_text())) == [first.patient]
    days = set()
    for folder in (found.folder / "dicom").iterdir():
        header = veinscan.open_study(folder).header()
        assert header.PatientID == header.PatientName == first.patient
        days.add(date.fromisoformat(str(header.StudyDate)))
    assert (max(days) - min(days)).days == 31
    with (found.folder / "tables" / "clips.csv").open() as file:
        assert {row["patient"] for row in csv.DictReader(file)} == {first.patient}
    again = export_studies([later], tmp_path / "next year", options, KEY)  # alone, by the same file
    assert list(json.loads((again.folder / "splits.json").read_text())) == [first.patient]


def test_two_persons_under_one_pseudonym_are_told_and_can_be_parted(sources: Sources, tmp_path: Path) -> None:
    """Two clinics gave the same number."""
    first = study_of(tmp_path / "in", 1)
    other = study_of(tmp_path / "other", 301, PatientBirthDate="19010101", PatientName="Other^Somebody")
    assert first.patient == other.patient
    options = ExportOptions(formats=(Format.JSON,))
    found = export_studies([first, other], tmp_path / "set", options, KEY)
    (told,) = json.loads((found.folder / "not_judged.json").read_text())["patients"]
    assert told["patients"] == [first.patient]
    assert told["what"] == "may stand for two patients: the birth dates differ"
    said = tmp_path / "patients.csv"
    said.write_text(f"what,patient\n{study_mark(other.name)},{first.patient}-2\n")
    options = ExportOptions(formats=(Format.JSON,), people=read_people(said))
    parted = export_studies([first, other], tmp_path / "parted", options, KEY)
    assert parted.questions == 0
    assert set(json.loads((parted.folder / "splits.json").read_text())) == {
        first.patient,
        f"{first.patient}-2",
    }
    assert leaks(parted.folder, sources.planted[1]) == []


def test_who_is_who_follows_a_chain_and_ends_in_a_ring() -> None:
    said = (("P-B", "P-A"), ("P-C", "P-B"), ("P-X", "P-Y"), ("P-Y", "P-X"), ("S-ABCDEFGH", "P-C"))
    assert patient_for("P-C", "S-OTHER", said) == patient_for("P-A", "", said) == "P-A"
    assert patient_for("P-Z", "S-ABCDEFGH", said) == "P-A"
    assert patient_for("P-X", "", said) == patient_for("P-Y", "", said)
    name = name_of(KEY, "P-C", "1.2.3")
    assert study_mark(name) == study_mark(clip_name(name, 3)) == study_mark(study_mark(name))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("patient,same\nP-A,P-B\n", "first line"),
        ("", "first line"),
        ("what,patient\nP-A\n", "line 2"),
        ("what,patient\nMüller,P-B\n", "line 2"),
        ("what,patient\nP-ABCDEFGHIJ,P-Mueller\n", "line 2"),
        ("what,patient\nP-ABCDEFGHIJ,P-KKKKKKKKKK\nP-ABCDEFGHIJ,P-LLLLLLLLLL-2\n", "line 3 says another"),
    ],
)
def test_a_list_of_patients_that_makes_no_sense_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=what) as caught:
        read_people(path)
    assert "Müller" not in str(caught.value) and "Mueller" not in str(caught.value)
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_people(tmp_path / "nowhere.csv")


def test_patients_who_are_not_parted_keep_the_order_of_all_others() -> None:
    patients = [f"P-{n}" for n in range(30)]
    alone = split_patients(patients, (0.7, 0.15, 0.15), 3)
    assert split_patients(patients, (0.7, 0.15, 0.15), 3, {one: one for one in patients}) == alone
    groups = {one: one for one in patients} | {"P-7": "P-3", "P-20": "P-3"}
    found = split_patients(patients, (0.7, 0.15, 0.15), 3, groups)
    assert found["P-3"] == found["P-7"] == found["P-20"]
    assert abs(sum(one is Split.TRAIN for one in found.values()) - 21) <= 3
