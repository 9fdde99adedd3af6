"""What other software makes of the documents: dciodvfy, dsrdump, pydicom, highdicom."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import highdicom as hd
import pydicom
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydicom.sr.codedict import codes
from record_strategies import records
from record_studies import FakeStudy, make_study

from veinscan.plan.editing import add_target, new_record
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Calibration, InjectionTarget, Reader, Record, Side, ValueSource
from veinscan.record import load_record, save_record
from veinscan.record.document import References, build

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""A run of the tools takes a while; the sentence they print says enough."""
READER = Reader(name="Doe^Jane")
CASES = int(os.environ.get("CASES", "200"))


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (apt install dicom3tools dcmtk)")
    return found


def errors_of(path: Path) -> list[str]:
    """What dciodvfy finds wrong; it calls every private coding scheme unrecognized, which is no error."""
    run = subprocess.run([tool("dciodvfy"), str(path)], capture_output=True, check=False)
    lines = (run.stdout + run.stderr).decode("utf-8", "replace").splitlines()
    return [line for line in lines if line.startswith("Error")] + (
        [] if run.returncode == 0 else ["exit code"]
    )


def dump_of(path: Path) -> str:
    run = subprocess.run([tool("dsrdump"), "+U8", str(path)], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode("utf-8", "replace")[-800:]
    return run.stdout.decode("utf-8", "replace")


def a_target(study: FakeStudy, **fields: Any) -> InjectionTarget:
    values: dict[str, Any] = {
        "id": new_uid(),
        "order": 0,
        "sop_instance_uid": study.clips[0].sop_instance_uid,
        "frame_index": 4,
        "point": (60.0, 80.5),
        "side": Side.LEFT,
        "vein": "GSV",
        "calibration": Calibration(box=(20, 10, 220, 310), spacing_mm=(0.1, 0.125), skin_row=25.0),
        "diameter_mm": 3.25,
        "diameter_source": ValueSource.CALIPER,
        "depth_mm": 7.125,
        "depth_source": ValueSource.CLICK,
        "notes": "Knöchel — 静脉",
    }
    return InjectionTarget(**(values | fields))


@pytest.fixture(scope="module")
def shared_study(tmp_path_factory: pytest.TempPathFactory) -> FakeStudy:
    return make_study(tmp_path_factory.mktemp("documents") / "study")


def written(study: FakeStudy, record: Record, reader: Reader = READER) -> Path:
    path = study.root / "document.dcm"
    data = build(
        record,
        header=study.header(),
        references=References(()),
        sop_instance_uid=new_uid(),
        reader=reader,
        saved_at=datetime.now(timezone(timedelta(hours=2))).replace(microsecond=0),
    )
    path.write_bytes(data)
    return path


@given(records())
@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
def test_no_document_has_an_error_and_every_one_is_read(shared_study: FakeStudy, record: Record) -> None:
    path = written(shared_study, record)
    assert errors_of(path) == []
    assert "CONTAINER" in dump_of(path)


@given(records())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
def test_highdicom_reads_every_document_and_finds_its_groups(shared_study: FakeStudy, record: Record) -> None:
    path = written(shared_study, record)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = hd.sr.srread(path)
    on_images = [*(target for target in record.targets if target.has_place), *record.reviews]
    on_map = [target for target in record.targets if not target.has_place]
    if record.targets or record.reviews:
        assert len(report.content.get_planar_roi_measurement_groups()) == len(on_images)
        assert len(report.content.get_image_measurement_groups()) == len(on_map)


def test_an_empty_record_is_a_valid_document_too(study: FakeStudy) -> None:
    saved = save_record(study, new_record(study), READER)
    assert errors_of(saved.path) == []
    dump_of(saved.path)
    assert load_record(study).targets == ()


def test_two_hundred_targets_are_saved_read_and_valid(study: FakeStudy) -> None:
    record = new_record(study)
    outline = tuple((30.0 + i, 40.0 + i) for i in range(60))
    for number in range(200):
        record = add_target(record, a_target(study, frame_index=number % 12, outline=outline))
    saved = save_record(study, record, READER)
    assert load_record(study) == saved.record
    assert [target.order for target in saved.record.targets] == list(range(1, 201))
    assert errors_of(saved.path) == []


def test_highdicom_finds_what_a_target_says(study: FakeStudy) -> None:
    target = a_target(study)
    saved = save_record(study, add_target(new_record(study), target), READER)
    report = hd.sr.srread(saved.path)
    (group,) = report.content.get_planar_roi_measurement_groups()
    assert group.tracking_uid == target.id
    assert group.roi.graphic_type == hd.sr.GraphicTypeValues.POINT
    assert group.roi.value.tolist() == [[81.0, 60.5]]
    assert group.finding_sites[0].value == codes.SCT.GreatSaphenousVein or (
        group.finding_sites[0].value.value == "60734001"
    )
    numbers = {entry.name.value: (entry.value, entry.unit.value) for entry in group.get_measurements()}
    assert numbers["397413000"] == (3.25, "mm")
    assert numbers["413975003"] == (7.125, "mm")
    assert "Knöchel — 静脉" in dump_of(saved.path)


def test_the_header_says_partial_unverified_by_whom_and_what_it_replaces(study: FakeStudy) -> None:
    first = save_record(study, add_target(new_record(study), a_target(study)), READER)
    second = save_record(study, first.record, Reader(name="DEMO"))
    dataset = pydicom.dcmread(second.path)
    assert (dataset.CompletionFlag, dataset.VerificationFlag) == ("PARTIAL", "UNVERIFIED")
    assert dataset.SOPClassUID == pydicom.uid.ComprehensiveSRStorage
    assert dataset.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    schemes = [item.CodingSchemeDesignator for item in dataset.CodingSchemeIdentificationSequence]
    assert schemes == ["99VEINSCAN"]
    replaced = dataset.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0]
    assert replaced.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == first.path.stem
    assert replaced.SeriesInstanceUID == pydicom.dcmread(first.path).SeriesInstanceUID
    names = [item.PersonName for item in dataset.ContentSequence if item.ValueType == "PNAME"]
    assert [str(name).rstrip("^") for name in names] == ["DEMO"]
    evidence = dataset.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == study.clips[0].sop_instance_uid
    assert dataset.StudyInstanceUID == study.study_instance_uid
    assert dataset.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 192", "Łąć^Żaneta"),
        ("ISO_IR 100", "Müller^Jörg"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_a_patients_name_in_any_character_set_is_carried_over(
    tmp_path: Path, charset: Any, name: str
) -> None:
    study = make_study(tmp_path / "study", SpecificCharacterSet=charset, PatientName=name)
    study.dataset = pydicom.dcmread(study.clips[0].path)
    saved = save_record(study, new_record(study), READER)
    assert str(pydicom.dcmread(saved.path).PatientName) == name
    assert errors_of(saved.path) == []


def test_a_header_that_is_missing_or_wrong_in_places_stops_no_save(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in {
            "PatientSex": "unknown sex",
            "PatientBirthDate": "1.1.1970",
            "StudyDate": "20269999",
            "StudyTime": "9 o'clock",
            "PatientAge": "45",
            "AccessionNumber": "a" * 40,
            "PatientID": "x" * 99,
        }.items():
            elements = pydicom.dataelem.DataElement(keyword, pydicom.datadict.dictionary_VR(keyword), "")
            elements._value = value
            study.dataset.add(elements)
        del study.dataset.ReferringPhysicianName, study.dataset.StudyID
        saved = save_record(study, new_record(study), READER)
    assert errors_of(saved.path) == []


def test_times_are_told_in_the_zone_of_the_study(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study", TimezoneOffsetFromUTC="-0730")
    saved = save_record(study, new_record(study), READER)
    dataset = pydicom.dcmread(saved.path)
    assert dataset.TimezoneOffsetFromUTC == "-0730"
    local = datetime.strptime(dataset.ContentDate + dataset.ContentTime[:6], "%Y%m%d%H%M%S")
    there = datetime.now(timezone(-timedelta(hours=7, minutes=30))).replace(tzinfo=None)
    assert abs(there - local) < timedelta(minutes=5)
    assert errors_of(saved.path) == []


def test_a_mark_on_a_clip_that_has_gone_is_saved_all_the_same(study: FakeStudy) -> None:
    first = save_record(study, add_target(new_record(study), a_target(study)), READER)
    lost = replace_clips(study)
    again = save_record(lost, load_record(lost), READER)
    assert replace(again.record, version=1, heads=()) == replace(first.record, heads=())
    evidence = pydicom.dcmread(again.path).CurrentRequestedProcedureEvidenceSequence[0]
    reference = evidence.ReferencedSeriesSequence[0]
    assert reference.SeriesInstanceUID == study.clips[0].series_instance_uid
    assert reference.ReferencedSOPSequence[0].ReferencedSOPClassUID == study.clips[0].sop_class_uid
    assert errors_of(again.path) == []


def replace_clips(study: FakeStudy) -> FakeStudy:
    return FakeStudy(study.root, study.clips[1:], study.study_instance_uid, study.dataset)


@given(st.text(max_size=100))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), phases=NO_SHRINKING)
def test_no_name_of_a_person_reaches_a_warning_or_log(
    shared_study: FakeStudy, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        written(shared_study, Record(reading=new_record(shared_study).reading), Reader(name=name))
    assert caplog.records == []
