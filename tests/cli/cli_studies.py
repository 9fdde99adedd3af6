"""A small study of our own: a lumen of 3 mm in speckle, and what lies around it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from veinscan.candidates.model import Candidate

PATIENT = "Nobody^Anywhere"
SPACING_MM = 0.1
CENTRE = (130.0, 170.0)
RADIUS_PX = 15


def speckle(rows: int, cols: int, seed: int) -> np.ndarray:
    """Fully developed speckle about a grey of 120, without a second library's help."""
    rng = np.random.default_rng(seed)
    field = rng.normal(size=(rows, cols)) + 1j * rng.normal(size=(rows, cols))
    kernel = np.exp(-(np.arange(-6, 7) ** 2) / 5)
    for axis in (0, 1):
        field = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), axis, field)
    amplitude = np.abs(field)
    return amplitude / amplitude.mean()


def picture(seed: int) -> np.ndarray:
    """One dark lumen with bright walls in speckle, 240 x 320."""
    row, col = np.mgrid[:240, :320]
    radius = np.hypot(row - CENTRE[0], col - CENTRE[1])
    grey = np.where(radius < RADIUS_PX, 8, 110) + 90 * np.exp(-(((radius - RADIUS_PX - 3) / 3) ** 2))
    return np.clip(grey * (0.5 + 0.5 * speckle(240, 320, seed)), 0, 255).astype(np.uint8)


def ultrasound(**changes: Any) -> Dataset:
    """The header of one clip, with values of `changes`; None takes an element out."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["instance", repr(sorted(changes))])
    dataset.StudyInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    dataset.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.1.1"
    dataset.PatientName = PATIENT
    dataset.PatientID = "NOBODY-1"
    dataset.PatientBirthDate = "19610203"
    dataset.PatientSex = "O"
    dataset.StudyDate = "20260102"
    dataset.StudyTime = "101500"
    dataset.StudyID = "1"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = 1
    dataset.Modality = "US"
    dataset.Rows, dataset.Columns = 240, 320
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    dataset.NumberOfFrames = 3
    dataset.FrameTime = 50.0
    dataset.FrameIncrementPointer = 0x00181063
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 10, 20
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 309, 229
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = SPACING_MM / 10
    region.ReferencePixelX0, region.ReferencePixelY0 = 150, 0
    dataset.SequenceOfUltrasoundRegions = [region]
    for name, value in changes.items():
        if value is None:
            delattr(dataset, name)
        else:
            setattr(dataset, name, value)
    return dataset


def write(path: Path, dataset: Dataset, pixels: bytes | None = None) -> Path:
    if pixels is None:
        pixels = b"".join(picture(seed).tobytes() for seed in range(int(dataset.get("NumberOfFrames", 1))))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(dataset.SOPClassUID)
    meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(str(path), dataset, preamble=b"\0" * 128, file_meta=meta)
    file.add_new("PixelData", "OB", pixels)
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, file, enforce_file_format=True)
    return path


def lumen(n_frames: int) -> Candidate:
    """The lumen of `picture` as a candidate on every frame."""
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    ring = np.stack([CENTRE[0] + RADIUS_PX * np.sin(angle), CENTRE[1] + RADIUS_PX * np.cos(angle)], axis=1)
    frames = tuple(range(n_frames))
    return Candidate(
        id="known",
        frame_indices=frames,
        best_frame=1,
        outlines=dict.fromkeys(frames, ring.astype(np.float32)),
        centres=dict.fromkeys(frames, CENTRE),
        diameter_mm=2 * RADIUS_PX * SPACING_MM,
        depth_mm=9.5,
        score=0.8,
        rank=1,
    )


def tree(folder: Path) -> dict[str, str]:
    """Every file under a folder with the hash of its content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
