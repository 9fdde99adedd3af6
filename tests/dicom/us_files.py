"""Small ultrasound objects of every kind, made for the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
JPEG_XL = tuple(f"1.2.840.10008.1.2.4.{n}" for n in (110, 111, 112))
STUDY = "1.2.826.0.1.3680043.8.498.1000"

Pixels = npt.NDArray[Any]


def speckle(
    frames: int = 1, rows: int = 48, columns: int = 64, *, colour: bool = False, seed: int = 1
) -> Pixels:
    """(frames, rows, columns[, 3]) uint8 with smooth texture, so that lossy codecs stay close."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(20, 235, (frames, rows // 8 + 2, columns // 8 + 2, 3 if colour else 1))
    fine = np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)[:, :rows, :columns].astype(np.float64)
    for axis in (1, 2):
        fine = (fine + np.roll(fine, 1, axis) + np.roll(fine, 2, axis) + np.roll(fine, 3, axis)) / 4
    out = fine.astype(np.uint8)
    return out if colour else out[..., 0]


def region(**values: Any) -> Dataset:
    """One item of SequenceOfUltrasoundRegions: a tissue picture of 0.1 mm pixels unless said otherwise."""
    item = Dataset()
    defaults: dict[str, Any] = {
        "RegionSpatialFormat": 1,
        "RegionDataType": 1,
        "RegionFlags": 0,
        "RegionLocationMinX0": 0,
        "RegionLocationMinY0": 0,
        "RegionLocationMaxX1": 63,
        "RegionLocationMaxY1": 47,
        "PhysicalUnitsXDirection": 3,
        "PhysicalUnitsYDirection": 3,
        "PhysicalDeltaX": 0.02,
        "PhysicalDeltaY": 0.02,
    }
    for keyword, value in {**defaults, **values}.items():
        if value is not None:
            setattr(item, keyword, value)
    return item


def us(
    frames: int = 1,
    rows: int = 48,
    columns: int = 64,
    *,
    photometric: str = "MONOCHROME2",
    regions: Sequence[Dataset] | None = None,
    **tags: Any,
) -> FileDataset:
    """A US header without pixels; `tags` set or (None) leave out attributes."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    samples = 1 if photometric.startswith(("MONO", "PALETTE")) else 3
    values: dict[str, Any] = {
        "SOPClassUID": US_MULTIFRAME if frames > 1 else US_IMAGE,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": STUDY + ".1",
        "Modality": "US",
        "PatientID": "P1",
        "PatientName": "Nobody^Known",
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "Rows": rows,
        "Columns": columns,
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": photometric,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "NumberOfFrames": frames if frames > 1 else None,
        "FrameTime": 40.0 if frames > 1 else None,
        "FrameIncrementPointer": 0x00181063 if frames > 1 else None,
        "PlanarConfiguration": 0 if samples == 3 else None,
    }
    with disable_value_validation():  # tests need bad values too
        for keyword, value in {**values, **tags}.items():
            if value is not None:
                setattr(dataset, keyword, value)
    if regions is not None:
        dataset.SequenceOfUltrasoundRegions = list(regions)
    meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", US_IMAGE)
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2")
    return dataset


def save(
    dataset: FileDataset,
    path: Path,
    pixels: bytes | None,
    syntax: str = ExplicitVRLittleEndian,
    *,
    vr: str = "",
) -> Path:
    """Write native pixel data (or none) in a transfer syntax."""
    implicit = syntax == ImplicitVRLittleEndian
    little = syntax != ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = syntax
    if pixels is not None:
        padded = pixels + b"\0" * (len(pixels) % 2)
        wide = dataset.get("BitsAllocated", 8) > 8
        dataset[0x7FE00010] = pydicom.DataElement(
            0x7FE00010, vr or ("OW" if wide or implicit else "OB"), padded
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with disable_value_validation():
        pydicom.dcmwrite(path, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    return path


def save_compressed(
    dataset: FileDataset,
    path: Path,
    frames: Sequence[bytes],
    syntax: str,
    *,
    table: bool = True,
    fragments: int = 1,
) -> Path:
    """Write encapsulated pixel data, with or without an offset table, in one or more fragments a frame."""
    stand_in = "1.2.840.10008.1.2.4.201" if syntax in JPEG_XL else syntax  # pydicom cannot write JPEG XL
    dataset.file_meta.TransferSyntaxUID = stand_in
    value = encapsulate(list(frames), fragments_per_frame=fragments, has_bot=table)
    element = pydicom.DataElement(0x7FE00010, "OB", value)
    element.is_undefined_length = True
    dataset[0x7FE00010] = element
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, dataset, enforce_file_format=False)
    if stand_in != syntax:
        path.write_bytes(path.read_bytes().replace(stand_in.encode(), syntax.encode(), 1))
    return path


def save_grey(path: Path, pixels: Pixels | None = None, **kwargs: Any) -> Path:
    """A grey native clip with the pixels of `speckle` unless given."""
    data = speckle() if pixels is None else pixels
    return save(us(data.shape[0], data.shape[1], data.shape[2], **kwargs), path, data.tobytes())
