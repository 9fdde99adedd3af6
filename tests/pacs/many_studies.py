"""Many small studies that all differ, made fast: what goes into an archive and must come out again."""

from __future__ import annotations

import hashlib
from datetime import datetime
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    RLELossless,
)

from veinscan.phantom.seeds import uid
from veinscan.phantom.writing import Patient, StudyInfo, write_clip

BEGUN = datetime(2025, 3, 4, 9, 30)
KINDS = ("native", "jpeg", "rle", "implicit", "report")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_studies(
    folder: Path,
    count: int,
    *,
    seed: int = 0,
    kinds: tuple[str, ...] = KINDS,
    shape: tuple[int, int] = (48, 64),
    n_frames: int = 3,
) -> dict[str, list[Path]]:
    """Study Instance UID to its files, one of each of `kinds`; the same bytes for the same seed.

    Transfer syntaxes, file sizes (odd lengths padded), a private element and a name in UTF-8 are
    what a byte-for-byte way has to keep.
    """
    found: dict[str, list[Path]] = {}
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        person = Patient(
            name=f"Übung^Nr {number}", patient_id=f"MANY-{seed}-{number:04d}", sex="O", birth_date="19610203"
        )
        info = StudyInfo(seed=seed * 10_000 + number, session=0, patient=person, begun=BEGUN, side="left")
        place = folder / f"{number:04d}"
        place.mkdir(parents=True)
        files = []
        for at, kind in enumerate(kinds, start=1):
            path = place / f"{kind}-{at}.dcm"
            if kind == "report":
                write_report(path, info, at)
            else:
                write_picture(path, kind, info, at, rng, shape, n_frames)
            files.append(path)
        found[info.study_uid] = files
    return found


def write_picture(
    path: Path,
    kind: str,
    info: StudyInfo,
    number: int,
    rng: np.random.Generator,
    shape: tuple[int, int],
    n_frames: int,
) -> None:
    syntax = {"jpeg": JPEGBaseline8Bit, "rle": RLELossless}.get(kind, ExplicitVRLittleEndian)
    still = kind == "rle"
    colour = (3,) if kind == "jpeg" else ()
    frames = rng.integers(0, 256, (1 if still else n_frames, *shape, *colour), dtype=np.uint8)
    write_clip(
        path, frames, info, number=number, when=BEGUN, syntax=syntax, regions=[], image_flags="0001",
        description=kind, frame_time_ms=None if still else 50.0,
    )  # fmt: skip
    if kind == "implicit":
        dataset = pydicom.dcmread(path)
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
        dataset.private_block(0x7FE1, "veinscan test", create=True).add_new(1, "LT", "kept " * 20)
        dataset.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=True)


def write_report(path: Path, info: StudyInfo, number: int) -> None:
    """A structured report of somebody else's: a container and one text."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = ComprehensiveSRStorage
    dataset.SOPInstanceUID = uid(info.seed, "report", number)
    dataset.StudyInstanceUID = info.study_uid
    dataset.SeriesInstanceUID = uid(info.seed, "reports")
    dataset.StudyDate, dataset.StudyTime = BEGUN.strftime("%Y%m%d"), BEGUN.strftime("%H%M%S")
    dataset.ContentDate, dataset.ContentTime = dataset.StudyDate, dataset.StudyTime
    dataset.PatientName, dataset.PatientID = info.patient.name, info.patient.patient_id
    dataset.PatientBirthDate, dataset.PatientSex = info.patient.birth_date, info.patient.sex
    dataset.AccessionNumber = dataset.StudyID = dataset.ReferringPhysicianName = ""
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "SR", 99, number
    dataset.Manufacturer = "somebody else"
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [code("126000", "DCM", "Imaging Measurement Report")]
    text = Dataset()
    text.RelationshipType, text.ValueType = "CONTAINS", "TEXT"
    text.ConceptNameCodeSequence = [code("121106", "DCM", "Comment")]
    text.TextValue = f"größer als {info.seed}"
    dataset.ContentSequence = [text]
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(ExplicitVRLittleEndian)
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = (
        dataset.SOPClassUID,
        dataset.SOPInstanceUID,
    )
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)


def code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def by_instance(studies: dict[str, list[Path]]) -> dict[str, Path]:
    """SOP Instance UID to file, of all of them."""
    return {instance_of(path): path for files in studies.values() for path in files}


def instance_of(path: Path) -> str:
    header = pydicom.dcmread(path, specific_tags=["SOPInstanceUID"], stop_before_pixels=True)
    return str(header.SOPInstanceUID)


def data_set(data: bytes) -> tuple[str, bytes]:
    """Transfer syntax, and the bytes behind the file meta information (PS3.10 7.1)."""
    meta = pydicom.dcmread(BytesIO(data), stop_before_pixels=True).file_meta
    begins = 128 + len(b"DICM") + 12 + meta.FileMetaInformationGroupLength
    return str(meta.TransferSyntaxUID), data[begins:]
