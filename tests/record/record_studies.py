"""A small study of generated ultrasound objects, with what the record needs of Study and Clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from veinscan.dicom.model import Region, RegionKind
from veinscan.errors import InvalidInputError
from veinscan.plan.ids import new_uid

MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
SINGLE_FRAME = "1.2.840.10008.5.1.4.1.1.6.1"
TISSUE = Region(kind=RegionKind.TISSUE, box=(20, 10, 220, 310), spacing_mm=(0.1, 0.125), skin_row=25.0)
STRIP = Region(kind=RegionKind.SPECTRAL_PW, box=(225, 10, 239, 310), velocity_step_cm_s=0.5)


@dataclass
class FakeClip:
    file: str
    path: Path
    sop_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str = MULTI_FRAME
    n_frames: int = 12
    rows: int = 240
    columns: int = 320
    regions: tuple[Region, ...] = (TISSUE, STRIP)

    @property
    def picture_region(self) -> Region | None:
        return next((region for region in self.regions if region.kind is RegionKind.TISSUE), None)

    def bmode(self, frame_index: int) -> np.ndarray:
        return np.full((self.rows, self.columns), 90, np.uint8)


@dataclass
class FakeStudy:
    root: Path
    clips: tuple[FakeClip, ...]
    study_instance_uid: str
    dataset: Dataset
    record_paths: tuple[Path, ...] = field(default=())

    def header(self) -> Dataset:
        return self.dataset

    def clip(self, name: str) -> FakeClip:
        for clip in self.clips:
            if name in (clip.file, clip.sop_instance_uid):
                return clip
        raise InvalidInputError(f"there is no clip {name!r}")


def make_study(folder: Path, **header: Any) -> FakeStudy:
    folder.mkdir(parents=True, exist_ok=True)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = new_uid(), new_uid()
    dataset.PatientName, dataset.PatientID = "Phantom^Łucja", "P1"
    dataset.PatientBirthDate, dataset.PatientSex = "19700101", "F"
    dataset.StudyDate, dataset.StudyTime = "20260102", "101112"
    dataset.AccessionNumber, dataset.StudyID, dataset.ReferringPhysicianName = "A1", "1", ""
    clips = []
    for name, sop_class in (("sweep.dcm", MULTI_FRAME), ("still.dcm", SINGLE_FRAME)):
        dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, new_uid()
        for key, value in header.items():
            setattr(dataset, key, value)
        pydicom.dcmwrite(folder / name, dataset, enforce_file_format=True)
        clips.append(
            FakeClip(
                file=name,
                path=folder / name,
                sop_instance_uid=str(dataset.SOPInstanceUID),
                series_instance_uid=str(dataset.SeriesInstanceUID),
                sop_class_uid=sop_class,
                n_frames=12 if sop_class == MULTI_FRAME else 1,
            )
        )
    return FakeStudy(folder, tuple(clips), str(dataset.StudyInstanceUID), dataset)
