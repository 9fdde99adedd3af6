"""Earlier studies from a real archive, over both ways: of this patient and no other, with their plans."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from orthanc_rig import Orthanc

sys.path.insert(0, str(Path(__file__).parents[1] / "follow_up"))
sys.path.insert(0, str(Path(__file__).parents[1] / "record"))

from follow_up_studies import ANNA, plan_of, study_at, target

from veinscan.dicom.patients import Match
from veinscan.errors import CancelledError, InvalidInputError, PacsError
from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy, find_earlier
from veinscan.pacs.archive import Archive
from veinscan.pacs.connect import connect
from veinscan.pacs.earlier import both, bring, find_earlier_in_archive
from veinscan.pacs.model import Fetched, InstanceRow, StudyQuery, StudyRow, StudyRows
from veinscan.plan.finalise import withdraw
from veinscan.record import load_record, save_record

WAYS = ("dicomweb", "dimse")


@pytest.fixture(params=WAYS)
def archive(request: pytest.FixtureRequest, orthanc: Orthanc, archive_settings: Path) -> Archive:
    orthanc.empty()
    return connect("test") if request.param == "dicomweb" else connect(dimse=orthanc.dimse)


@pytest.fixture
def today(tmp_path: Path) -> Any:
    return study_on(tmp_path / "today", "20260119")


def into(orthanc: Orthanc, study: Any) -> Any:
    for path in sorted(Path(study.root).rglob("*.dcm")):
        orthanc.add(path)
    return study


def study_on(folder: Path, day: str, **header: Any) -> Any:
    return study_at(folder, day, Modality="US", **header)


def planned(folder: Path, day: str = "20260102", **header: Any) -> Any:
    study = study_on(folder, day, **header)
    plan_of(study, target(study.clips[0]))
    return study


def uids(found: EarlierStudies) -> list[str]:
    return [one.study_instance_uid for one in found.studies]


def test_those_of_this_patient_before_this_one(
    orthanc: Orthanc, archive: Archive, tmp_path: Path, today: Any
) -> None:
    early = into(orthanc, planned(tmp_path / "early", "20251201"))
    late = into(orthanc, planned(tmp_path / "late", "20260102"))
    into(orthanc, planned(tmp_path / "after", "20260201"))
    into(orthanc, planned(tmp_path / "stranger", PatientID="P2", PatientName="Other^Person"))
    # a longer ID begins with ours: a pattern would find it
    into(orthanc, planned(tmp_path / "longer", PatientID=f"{today.header().PatientID}1"))
    into(orthanc, planned(tmp_path / "born apart", PatientBirthDate="19800202"))
    bare = into(orthanc, study_on(tmp_path / "bare", "20260103"))
    into(orthanc, today)
    seen: list[int] = []
    found = find_earlier_in_archive(archive, today, progress=seen.append)
    assert uids(found) == [late.study_instance_uid, early.study_instance_uid]
    first = found.studies[0]
    assert (first.match, first.on, first.days_before, first.has_record, first.archive) == (
        Match.CERTAIN, date(2026, 1, 2), 17, True, archive.name,
    )  # fmt: skip
    assert not first.path.exists()
    assert seen == [1, 2, 3]
    assert found.notes == ()
    more = find_earlier_in_archive(archive, today, without_record=True)
    assert [(one.study_instance_uid, one.has_record) for one in more.studies] == [
        (late.study_instance_uid, True), (early.study_instance_uid, True), (bare.study_instance_uid, False),
    ]  # fmt: skip


def test_one_is_brought_with_its_plan_and_opened(
    orthanc: Orthanc, archive: Archive, tmp_path: Path, today: Any
) -> None:
    late = into(orthanc, planned(tmp_path / "late"))
    (one,) = find_earlier_in_archive(archive, today).studies
    pulled = bring(archive, one)
    assert pulled.folder == one.path
    assert not pulled.failed
    originals = {path.name for path in Path(late.root).rglob("*.dcm")}
    assert len(list(one.path.rglob("*.dcm"))) == len(originals)
    assert load_record(replace(late, root=one.path)).targets == load_record(late).targets
    assert bring(archive, one).fetched == 0
    with pytest.raises(InvalidInputError, match="not found in this archive"):
        bring(archive, replace(one, archive="other"))
    # beside what lies near: the same study is listed once, where it lies
    near = find_earlier(today)
    assert uids(near) == [late.study_instance_uid]
    assert both(near, find_earlier_in_archive(archive, today)).studies == near.studies


@pytest.mark.parametrize("number", ["AB 12*4", "12/34^5?6", "ÄÖ1234", "A&B=C%2A+1"])
def test_an_id_that_means_something_to_an_archive_finds_itself_alone(
    orthanc: Orthanc, archive: Archive, tmp_path: Path, number: str
) -> None:
    today = study_on(tmp_path / "today", "20260119", PatientID=number)
    early = into(orthanc, planned(tmp_path / "early", "20251201", PatientID=number))
    into(orthanc, planned(tmp_path / "other", PatientID="AB 12345"))
    found = find_earlier_in_archive(archive, today)
    assert uids(found) == [early.study_instance_uid]
    assert found.studies[0].match is Match.CERTAIN


def test_what_has_no_id_is_asked_for_by_name_and_left_to_a_person(
    orthanc: Orthanc, archive: Archive, tmp_path: Path
) -> None:
    today = study_on(tmp_path / "today", "20260119", PatientID="")
    early = into(orthanc, planned(tmp_path / "early", "20251201"))
    into(orthanc, planned(tmp_path / "namesake", PatientBirthDate="19800202"))
    found = find_earlier_in_archive(archive, today)
    assert uids(found) == [early.study_instance_uid]
    assert found.studies[0].match is Match.ASK
    assert "asked by name" in found.notes[0]


@pytest.mark.parametrize(
    "header",
    [
        {"PatientID": "*", "PatientName": "*"},
        {"PatientID": "?" * 8, "PatientName": "?*"},
        {"PatientID": "A\\B", "PatientName": "A\\B"},
        {"PatientID": "", "PatientName": ""},
        {"PatientID": "", "PatientName": "^^^"},
        {"PatientID": "", "PatientBirthDate": ""},
    ],
)
def test_no_header_lists_the_whole_hospital(header: dict[str, str], tmp_path: Path) -> None:
    asked: list[StudyQuery] = []

    class Asked:
        name = "asked"

        def find_studies(self, query: StudyQuery, **_: Any) -> StudyRows:
            asked.append(query)
            return StudyRows((), complete=True)

    today = study_on(tmp_path / "today", "20260119")
    first = today.header()
    for keyword, value in header.items():
        setattr(first, keyword, value)
    today.header = lambda: first
    found = find_earlier_in_archive(Asked(), today)  # type: ignore[arg-type]
    assert asked == []
    assert (found.studies, found.notes) == (
        (), ("the study does not say enough of its patient to ask an archive",),
    )  # fmt: skip


def test_a_withdrawn_plan_is_listed_as_in_folders(
    orthanc: Orthanc, archive: Archive, tmp_path: Path, today: Any
) -> None:
    study = planned(tmp_path / "patients" / "gone")
    save_record(study, withdraw(load_record(study), ANNA, "wrong side"), ANNA)
    into(orthanc, study)
    (one,) = find_earlier_in_archive(archive, today).studies
    (near,) = find_earlier(today, [tmp_path / "patients"]).studies
    assert replace(one, path=near.path, archive="") == near


def test_a_plan_that_names_another_patient_is_not_believed(
    orthanc: Orthanc, archive: Archive, tmp_path: Path, today: Any
) -> None:
    study = planned(tmp_path / "mixed")
    for path in (Path(study.root) / "veinscan").glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.PatientName, dataset.PatientBirthDate = "Other^Person", "19800202"
        dataset.save_as(path)
    into(orthanc, study)
    assert find_earlier_in_archive(archive, today).studies == ()


def test_a_report_of_somebody_else_is_no_plan(
    orthanc: Orthanc, archive: Archive, tmp_path: Path, today: Any
) -> None:
    study = planned(tmp_path / "other maker")
    for path in (Path(study.root) / "veinscan").glob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.Manufacturer = "Another"
        del dataset.CodingSchemeIdentificationSequence
        dataset.save_as(path)
    into(orthanc, study)
    assert find_earlier_in_archive(archive, today).studies == ()


def test_it_can_be_stopped(orthanc: Orthanc, archive: Archive, tmp_path: Path, today: Any) -> None:
    into(orthanc, planned(tmp_path / "early"))
    with pytest.raises(CancelledError):
        find_earlier_in_archive(archive, today, stop=lambda: True)


def test_what_lies_near_goes_before_what_lies_far(tmp_path: Path) -> None:
    def one(number: int, **more: Any) -> EarlierStudy:
        values = {
            "path": tmp_path, "study_instance_uid": f"1.{number}", "on": date(2026, 1, number),
            "days_before": 30 - number, "match": Match.CERTAIN, "reason": "", "has_record": True,
        }  # fmt: skip
        return EarlierStudy(**(values | more))

    near = EarlierStudies((one(1), one(2, has_record=False)), ("a", "b"))
    far = EarlierStudies((one(3, archive="x"), one(2, archive="x"), one(1, archive="x")), ("b", "c"))
    merged = both(near, far)
    assert [(each.study_instance_uid, each.archive) for each in merged.studies] == [
        ("1.3", "x"), ("1.2", "x"), ("1.1", ""),
    ]  # fmt: skip
    assert merged.notes == ("a", "b", "c")


class Told:
    """An archive that lists one study with one report, and sends what it is told to."""

    name = "told"

    def __init__(self, row: StudyRow, report: Path | PacsError | None) -> None:
        self._row, self._report = row, report

    def find_studies(self, query: StudyQuery, **_: Any) -> StudyRows:
        return StudyRows((self._row,), complete=False)

    def find_instances(self, study: str, **_: Any) -> tuple[InstanceRow, ...]:
        if isinstance(self._report, PacsError):
            raise self._report
        return (InstanceRow(study_instance_uid=study, series_instance_uid="1.2", sop_instance_uid="1.3"),)

    def fetch(self, rows: Any, folder: Path, **_: Any) -> Any:
        for row in rows:
            if not isinstance(self._report, Path):
                yield Fetched(row, None, error=PacsError("gone"))
                continue
            yield Fetched(row, Path(shutil.copy(self._report, folder / "1.3.dcm")))


@pytest.mark.parametrize(
    ("report", "note"),
    [
        ("other patient", "names another patient"),
        ("other study", "names another patient or study"),
        (None, "a report of an earlier study did not come"),
        (PacsError("no", step="find"), "whether it holds a plan is not known"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_told(report: Any, note: str, tmp_path: Path, today: Any) -> None:
    study = planned(tmp_path / "early")
    (path,) = (Path(study.root) / "veinscan").glob("*.dcm")
    dataset = pydicom.dcmread(path)
    if report == "other patient":
        dataset.PatientID, dataset.PatientName = "P2", "Other^Person"
    if report == "other study":
        dataset.StudyInstanceUID = "1.2.3"
    dataset.save_as(path)
    row = StudyRow(
        study_instance_uid=study.study_instance_uid, on=date(2026, 1, 2), patient_id="P1",
        patient_name=str(dataset.PatientName), birth_date=date(1970, 1, 1), modalities=("SR", "US"),
    )  # fmt: skip
    told = Told(row, path if isinstance(report, str) else report)
    found = find_earlier_in_archive(told, today)  # type: ignore[arg-type]
    assert found.studies == ()
    assert any(note in each for each in found.notes)
    assert any("the oldest are not looked at" in each for each in found.notes)
    assert not any(word in " ".join(found.notes) for word in ("P1", "Phantom", "1970"))


def test_a_lost_connection_is_an_error_and_not_an_empty_list(tmp_path: Path, today: Any) -> None:
    row = StudyRow(
        study_instance_uid="1.2.3", on=date(2026, 1, 2), patient_id="P1", birth_date=date(1970, 1, 1)
    )
    told = Told(row, PacsError("lost", step="find", temporary=True))
    with pytest.raises(PacsError, match="lost"):
        find_earlier_in_archive(told, today)  # type: ignore[arg-type]
