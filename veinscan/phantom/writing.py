"""From screens to DICOM: Ultrasound Image and Ultrasound Multi-frame Image objects.

Clauses: PS3.3 A.6 and A.7 (the IODs), C.8.5.5 (region calibration), C.8.5.6
(US image), C.7.6.5 (cine), C.7.6.6 (multi-frame).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence as DicomSequence
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
)
from rle.utils import encode_pixel_data

from veinscan.errors import VeinscanError
from veinscan.phantom.seeds import uid

Box = tuple[int, int, int, int]
IMPLEMENTATION_UID = "2.25.190254719043257781046125790310425013377"
JPEG_QUALITY = 86


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """A person who does not exist."""

    name: str
    """DICOM PN: family^given."""
    patient_id: str
    sex: str
    birth_date: str

    @property
    def shown(self) -> str:
        """As it stands in the banner."""
        family, given = self.name.split("^")
        return f"{family.upper()}, {given}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyInfo:
    """What all objects of one examination share."""

    seed: int
    session: int
    patient: Patient
    begun: datetime
    side: str

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return uid(self.seed, "study", self.session)


def region(
    box: Box,
    *,
    space: int,
    data: int,
    units: tuple[int, int],
    deltas: tuple[float, float],
    reference: tuple[int, int] | None = None,
    flags: int = 0,
    extra: dict[str, float] | None = None,
) -> Dataset:
    """One item of Sequence of Ultrasound Regions (C.8.5.5).

    `units`, `deltas` and `reference` are (x, y) as in DICOM; `reference` is the reference pixel relative
    to the region's corner (C.8.5.5.1.16), where the physical value is 0.
    """
    item = Dataset()
    item.RegionSpatialFormat = space
    item.RegionDataType = data
    item.RegionFlags = flags
    item.RegionLocationMinX0, item.RegionLocationMinY0 = box[1], box[0]
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = box[3] - 1, box[2] - 1
    item.PhysicalUnitsXDirection, item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = deltas
    if reference is not None:
        item.ReferencePixelX0, item.ReferencePixelY0 = reference
        item.ReferencePixelPhysicalValueX = 0.0
        item.ReferencePixelPhysicalValueY = 0.0
    for keyword, value in (extra or {}).items():
        setattr(item, keyword, value)
    return item


def _encode(frames: npt.NDArray[np.uint8], syntax: str) -> list[bytes]:
    coded = []
    for frame in frames:
        if syntax == JPEGBaseline8Bit:
            coded.append(
                bytes(
                    imagecodecs.jpeg8_encode(
                        np.ascontiguousarray(frame),
                        level=JPEG_QUALITY,
                        colorspace="RGB",
                        outcolorspace="YCBCR",
                        subsampling="422",
                    )
                )
            )
        else:
            samples = frame.shape[2] if frame.ndim == 3 else 1
            coded.append(
                bytes(
                    encode_pixel_data(
                        np.ascontiguousarray(frame).tobytes(),
                        rows=frame.shape[0],
                        columns=frame.shape[1],
                        samples_per_pixel=samples,
                        bits_allocated=8,
                        planar_configuration=0,
                        number_of_frames=1,
                    )
                )
            )
    return coded


def write_clip(
    path: Path,
    frames: npt.NDArray[np.uint8],
    info: StudyInfo,
    *,
    number: int,
    when: datetime,
    syntax: str,
    regions: Sequence[Dataset],
    image_flags: str,
    description: str,
    frame_time_ms: float | None,
) -> None:
    """Write one object: a multi-frame one when there is a frame time, else a still.

    `frames` is (n, rows, cols) for MONOCHROME2 or (n, rows, cols, 3) RGB; with JPEG the colours are
    stored, and labelled, as YBR_FULL_422.
    """
    still = frame_time_ms is None
    dataset = Dataset()
    _identify(dataset, info, number=number, when=when, still=still, description=description)
    colour = frames.ndim == 4
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VASCULAR", image_flags]
    dataset.SamplesPerPixel = 3 if colour else 1
    jpeg = syntax == JPEGBaseline8Bit
    dataset.PhotometricInterpretation = ("YBR_FULL_422" if jpeg else "RGB") if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
        dataset.UltrasoundColorDataPresent = 1 if image_flags[2] == "1" else 0
    dataset.Rows, dataset.Columns = int(frames.shape[1]), int(frames.shape[2])
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    if frame_time_ms is not None:
        dataset.NumberOfFrames = int(frames.shape[0])
        dataset.FrameIncrementPointer = Tag("FrameTime")
        dataset.FrameTime = f"{frame_time_ms:.2f}"
        rate = max(1, round(1000.0 / frame_time_ms))
        dataset.CineRate = rate
        dataset.RecommendedDisplayFrameRate = rate
        dataset.StartTrim, dataset.StopTrim = 1, int(frames.shape[0])
    dataset.SequenceOfUltrasoundRegions = DicomSequence(regions)
    dataset.BurnedInAnnotation = "YES"
    dataset.LossyImageCompression = "01" if jpeg else "00"
    if syntax == ExplicitVRLittleEndian:
        raw = np.ascontiguousarray(frames).tobytes()
        dataset.PixelData = raw + b"\0" * (len(raw) % 2)
        dataset["PixelData"].VR = "OB"
    else:
        coded = _encode(frames, syntax)
        dataset.PixelData = encapsulate(coded, has_bot=True)
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
        if jpeg:
            ratio = frames.nbytes / sum(map(len, coded))
            dataset.LossyImageCompressionRatio = f"{ratio:.2f}"
            dataset.LossyImageCompressionMethod = "ISO_10918_1"
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "VEINSCAN_PHANTOM"
    dataset.file_meta = meta
    try:
        dcmwrite(path, dataset, enforce_file_format=True)
    except OSError as error:
        raise VeinscanError(
            f"the file cannot be written ({error.strerror})",
            where=path.name,
            do="choose a folder with room and write access",
        ) from error


def _identify(
    dataset: Dataset, info: StudyInfo, *, number: int, when: datetime, still: bool, description: str
) -> None:
    """Patient, study, series, equipment and general image modules."""
    patient = info.patient
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = UltrasoundImageStorage if still else UltrasoundMultiFrameImageStorage
    dataset.SOPInstanceUID = uid(info.seed, "instance", info.session, number)
    dataset.StudyInstanceUID = info.study_uid
    dataset.SeriesInstanceUID = uid(info.seed, "series", info.session)
    dataset.StudyDate, dataset.StudyTime = info.begun.strftime("%Y%m%d"), info.begun.strftime("%H%M%S")
    dataset.SeriesDate, dataset.SeriesTime = dataset.StudyDate, dataset.StudyTime
    dataset.ContentDate, dataset.ContentTime = when.strftime("%Y%m%d"), when.strftime("%H%M%S")
    dataset.AcquisitionDate, dataset.AcquisitionTime = dataset.ContentDate, dataset.ContentTime
    dataset.AcquisitionDateTime = when.strftime("%Y%m%d%H%M%S+0000")
    dataset.TimezoneOffsetFromUTC = "+0000"
    dataset.AccessionNumber = f"VS{info.seed % 100000:05d}{info.session}"
    dataset.Modality = "US"
    dataset.Manufacturer = "veinscan"
    dataset.ManufacturerModelName = "synthetic duplex phantom"
    dataset.InstitutionName = "Sample Vein Clinic (synthetic)"
    dataset.StationName = "PHANTOM"
    dataset.SoftwareVersions = "1"
    dataset.DeviceSerialNumber = "0"
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = f"Venous duplex, {info.side} leg (synthetic)"
    dataset.SeriesDescription = "Duplex"
    dataset.ImageComments = description
    dataset.PatientName = patient.name
    dataset.PatientID = patient.patient_id
    dataset.PatientBirthDate = patient.birth_date
    dataset.PatientSex = patient.sex
    dataset.StudyID = str(info.session + 1)
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = number
    dataset.AcquisitionNumber = number
    dataset.Laterality = "L" if info.side == "left" else "R"
    dataset.BodyPartExamined = "LEG"
    dataset.PatientOrientation = None
