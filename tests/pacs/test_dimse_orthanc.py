"""DIMSE against a real Orthanc: what is asked comes back, byte for byte, by C-GET and by C-MOVE."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pydicom
import pytest
from orthanc_rig import Orthanc
from pynetdicom.dsutils import split_dataset

from veinscan.pacs.connect import connect
from veinscan.pacs.dimse import DimseArchive
from veinscan.pacs.model import StudyQuery
from veinscan.settings_pacs import PacsConfig

pytest.importorskip("pynetdicom")


@pytest.fixture
def archive(orthanc: Orthanc) -> DimseArchive:
    return DimseArchive(config_of(orthanc))


def config_of(orthanc: Orthanc, **more: object) -> PacsConfig:
    values = {"name": "test", "dimse": orthanc.dimse, "timeout_s": 20.0, "transfer_timeout_s": 60.0} | more
    return PacsConfig(**values)  # type: ignore[arg-type]


def data_set(path: Path | bytes) -> bytes:
    """What follows the file meta information."""
    path = Path(path)
    return path.read_bytes()[split_dataset(path)[1] :]


def test_it_answers_an_echo(archive: DimseArchive) -> None:
    archive.echo()


@pytest.fixture
def held(orthanc: Orthanc, sample_study_dir: Path) -> dict[str, Path]:
    orthanc.empty()
    found = {}
    for path in sorted(sample_study_dir.glob("*.dcm")):
        orthanc.add(path)
        found[str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)] = path
    return found


def test_studies_and_objects_are_found(archive: DimseArchive, held: dict[str, Path]) -> None:
    header = pydicom.dcmread(next(iter(held.values())), stop_before_pixels=True)
    found = archive.find_studies(StudyQuery())
    assert found.complete
    (row,) = found.rows
    assert row.study_instance_uid == header.StudyInstanceUID
    assert row.patient_id == header.PatientID
    assert row.patient_name == str(header.PatientName)
    assert row.on == date.fromisoformat(header.StudyDate)
    assert row.modalities == ("US",)
    assert row.instances == len(held)
    instances = archive.find_instances(row.study_instance_uid)
    assert {one.sop_instance_uid for one in instances} == set(held)
    for one in instances:
        of = pydicom.dcmread(held[one.sop_instance_uid], stop_before_pixels=True)
        assert (one.sop_class_uid, one.modality, one.series_instance_uid) == (
            of.SOPClassUID,
            "US",
            of.SeriesInstanceUID,
        )
    assert archive.find_instances(row.study_instance_uid, modality="SR") == ()


@pytest.mark.parametrize("way", ["get", "move"])
def test_objects_come_byte_for_byte(
    orthanc: Orthanc, held: dict[str, Path], tmp_path: Path, way: str
) -> None:
    more = {"move_port": orthanc.move_port} if way == "move" else {}
    archive = DimseArchive(config_of(orthanc, **more))
    (row,) = archive.find_studies(StudyQuery()).rows
    instances = archive.find_instances(row.study_instance_uid)
    came = list(archive.fetch(instances, tmp_path))
    assert [one.error for one in came] == [None] * len(held)
    assert {one.instance.sop_instance_uid for one in came} == set(held)
    for one in came:
        assert one.path is not None
        assert data_set(one.path) == data_set(held[one.instance.sop_instance_uid])
        assert one.size == one.path.stat().st_size
        meta = pydicom.filereader.read_file_meta_info(one.path)
        original = pydicom.filereader.read_file_meta_info(held[one.instance.sop_instance_uid])
        assert meta.TransferSyntaxUID == original.TransferSyntaxUID
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == {f"{uid}.dcm" for uid in held}
    missing = replace(instances[0], sop_instance_uid="1.2.3")
    (one,) = archive.fetch([missing], tmp_path)
    assert one.path is None
    assert one.error is not None


def test_files_are_stored_byte_for_byte(
    orthanc: Orthanc, archive: DimseArchive, sample_study_dir: Path
) -> None:
    orthanc.empty()
    files = sorted(sample_study_dir.glob("*.dcm"))
    outcomes = archive.store(files)
    assert [(one.accepted, one.code, one.reason) for one in outcomes] == [(True, None, "")] * len(files)
    kept = orthanc.files()
    for path, outcome in zip(files, outcomes, strict=True):
        offset = split_dataset(path)[1]
        assert kept[outcome.sop_instance_uid].endswith(path.read_bytes()[offset:])


def test_an_archive_of_no_settings_says_where_it_is(orthanc: Orthanc, archive: DimseArchive) -> None:
    assert connect(dimse=orthanc.dimse).dimse == orthanc.dimse  # type: ignore[attr-defined]
    assert archive.dimse == ""  # its name says it, and the settings may change
