"""Outlines of accepted veins as DICOM Segmentations over the multi-frame ultrasound they were drawn on.

highdicom makes no Segmentation of a multi-frame image without a frame of
reference, so the object is made here: BINARY, one segment for each lumen with a
frame for each on which it was followed, dimensions Segment Number and
Temporal Position Index, with Derivation Image references to the source
frames (PS3.3 A.51, C.8.20; a Frame of Reference is needed only where those
are absent).  What is written is read back with highdicom and compared
before it counts as saved.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.utils import pack_bits
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian, SegmentationStorage

from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.plan.ids import derived_uid, new_uid
from veinscan.plan.model import Decision, OutlineOnFrame, Point, Record
from veinscan.plan.normal import now
from veinscan.record.document import MANUFACTURER, SERIES_NUMBER, patient_of, software_version
from veinscan.record.files import make_folder, mode_of_folder, write_new
from veinscan.record.store import FOLDER, StudyLike
from veinscan.record.tree import Concept

_CATEGORY = Concept("91723000", "SCT", "Anatomical Structure")
_VEIN = Concept("29092000", "SCT", "Vein")
_ULTRASOUND_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"


@dataclass(frozen=True, slots=True)
class Outlined:
    """One lumen to be a segment."""

    label: str
    tracking_uid: str
    frame_index: int
    outline: tuple[Point, ...]
    drawn: bool = False
    """By a person, not fitted by the program."""
    course: tuple[OutlineOnFrame, ...] = ()
    """Where it was followed to: outlines on other frames than `frame_index`."""

    @property
    def frames(self) -> tuple[OutlineOnFrame, ...]:
        """The outline and its course, a frame of the segment each, ascending."""
        own = OutlineOnFrame(frame_index=self.frame_index, outline=self.outline)
        return tuple(sorted((own, *self.course), key=lambda one: one.frame_index))


def outlined(record: Record, sop_instance_uid: str) -> tuple[Outlined, ...]:
    """Outlines on one clip that a person accepted: of targets, and of candidates judged to be veins."""
    found = [
        Outlined(f"target {target.order}", target.id, target.frame_index, target.outline)
        for target in record.targets
        if target.sop_instance_uid == sop_instance_uid and len(target.outline) >= 3
    ]
    found += [
        Outlined(
            "vein",
            derived_uid("review", record.reading.id, review.sop_instance_uid, review.candidate_id),
            review.frame_index,
            review.outline,
            # the program's wall fit found the course: no segment that holds one is a person's alone
            drawn=bool(review.outlined_by) and not review.course,
            course=tuple(one for one in review.course if len(one.outline) >= 3),
        )
        for review in record.reviews
        if review.sop_instance_uid == sop_instance_uid
        and review.decision is Decision.VEIN
        and len(review.outline) >= 3
    ]
    return tuple(found)


def mask_of(outline: Iterable[Point], rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """The pixels `(rows, columns)` whose centre lies in an outline of `(row, col)` vertices."""
    from skimage.draw import polygon

    points = np.asarray(tuple(outline), dtype=float)
    mask = np.zeros((rows, columns), dtype=np.bool_)
    inside = polygon(points[:, 0], points[:, 1], (rows, columns))  # type: ignore[no-untyped-call]
    mask[inside] = True
    return mask


def build_segmentation(
    outlines: tuple[Outlined, ...],
    clip: Any,
    header: Dataset,
    *,
    sop_instance_uid: str,
    made_at: datetime,
) -> bytes:
    """The bytes of a Segmentation of some outlines over their clip.

    Raises InvalidInputError where there is none, or one lies on a frame that the clip has not.
    """
    if not outlines:
        raise InvalidInputError("there is no outline on this clip", where=clip.file)
    frames = _numbered(outlines)
    if any(not 0 <= one.frame_index < clip.n_frames for _, one in frames):
        raise InvalidInputError("an outline lies on a frame that the clip has not", where=clip.file)
    dataset = _header(clip, header, sop_instance_uid, made_at)
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = clip.rows, clip.columns, len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = dataset.PixelRepresentation = 0
    dataset.SegmentationType, dataset.LossyImageCompression = "BINARY", "00"
    dataset.SegmentSequence = Sequence(_segment(n, one) for n, one in enumerate(outlines, start=1))
    _dimensions(dataset)
    dataset.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(
        _frame(number, one.frame_index, clip) for number, one in frames
    )
    packed = _packed([one.outline for _, one in frames], clip.rows, clip.columns)
    dataset.PixelData = packed if len(packed) % 2 == 0 else packed + b"\0"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _packed(outlines: list[tuple[Point, ...]], rows: int, columns: int) -> bytes:
    """A bit for each pixel of all masks, one after the other; eight frames at a time fill whole bytes."""
    parts = []
    for start in range(0, len(outlines), 8):
        masks = [mask_of(outline, rows, columns) for outline in outlines[start : start + 8]]
        parts.append(bytes(pack_bits(np.stack(masks).astype(np.uint8).ravel(), pad=False)))
    return b"".join(parts)


def save_segmentations(study: StudyLike, record: Record) -> tuple[Path, ...]:
    """Write a Segmentation beside the study for every clip with accepted outlines; where they are.

    Raises NotSavedError where one could not be written, or does not read back as it was made.
    """
    folder = Path(study.root) / FOLDER
    paths = []
    for clip in study.clips:
        outlines = outlined(record, str(clip.sop_instance_uid))
        if not outlines:
            continue
        uid = new_uid()
        data = build_segmentation(outlines, clip, study.header(), sop_instance_uid=uid, made_at=now())
        expected = (mask_of(one.outline, clip.rows, clip.columns) for _, one in _numbered(outlines))
        found = read_masks(data, outlines, str(clip.sop_instance_uid))
        if not all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True)):
            raise NotSavedError("not saved: the segmentation does not read back as it was made")
        make_folder(folder)
        path = folder / f"{uid}.dcm"
        write_new(path, data, mode=mode_of_folder(folder, Path(clip.path)))
        paths.append(path)
    return tuple(paths)


def read_masks(
    data: bytes, outlines: Iterable[Outlined], sop_instance_uid: str
) -> list[npt.NDArray[np.bool_]]:
    """The masks of every segment, one for each of its `frames`, as highdicom reads them from a file."""
    from highdicom.seg import segread

    segmentation = segread(io.BytesIO(data))
    return [
        np.asarray(
            segmentation.get_pixels_by_source_frame(
                source_sop_instance_uid=sop_instance_uid,
                source_frame_numbers=[one.frame_index + 1],
                segment_numbers=[number],
                ignore_spatial_locations=False,
                assert_missing_frames_are_empty=True,
            )[0, :, :, 0],
            dtype=np.bool_,
        )
        for number, one in _numbered(outlines)
    ]


def _numbered(outlines: Iterable[Outlined]) -> list[tuple[int, OutlineOnFrame]]:
    """Every frame of the object in its order: the segment's number, from 1, and the outline there."""
    return [(number, one) for number, lumen in enumerate(outlines, start=1) for one in lumen.frames]


def _header(clip: Any, header: Dataset, sop_instance_uid: str, made_at: datetime) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = SegmentationStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop_instance_uid)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in patient_of(header).items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = SegmentationStorage
    dataset.SOPInstanceUID = UID(sop_instance_uid)
    dataset.StudyInstanceUID = str(header.StudyInstanceUID)
    dataset.SeriesInstanceUID = derived_uid("segmentation", str(header.StudyInstanceUID), sop_instance_uid)
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = "SEG", SERIES_NUMBER + 1, 1
    dataset.SeriesDescription = "veinscan outlines"
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, "veinscan"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "none", software_version()
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.PatientOrientation = ""
    dataset.ContentDate, dataset.ContentTime = f"{made_at:%Y%m%d}", f"{made_at:%H%M%S}"
    dataset.SeriesDate, dataset.SeriesTime = dataset.ContentDate, dataset.ContentTime
    dataset.ContentLabel, dataset.ContentDescription = "VEIN_OUTLINES", "Outlines that a reader accepted"
    dataset.ContentCreatorName = ""
    source = Dataset()
    source.ReferencedSOPClassUID = str(clip.sop_class_uid)
    source.ReferencedSOPInstanceUID = str(clip.sop_instance_uid)
    series = Dataset()
    series.SeriesInstanceUID = str(clip.series_instance_uid)
    series.ReferencedInstanceSequence = Sequence([source])
    dataset.ReferencedSeriesSequence = Sequence([series])
    return dataset


def _segment(number: int, one: Outlined) -> Dataset:
    segment = Dataset()
    segment.SegmentNumber = number
    segment.SegmentLabel = one.label
    segment.SegmentAlgorithmType = "MANUAL" if one.drawn else "SEMIAUTOMATIC"
    if not one.drawn:
        # required unless the type is MANUAL (C.8.20.2)
        segment.SegmentAlgorithmName = "veinscan"
    segment.SegmentedPropertyCategoryCodeSequence = Sequence([_code(_CATEGORY)])
    segment.SegmentedPropertyTypeCodeSequence = Sequence([_code(_VEIN)])
    segment.TrackingID, segment.TrackingUID = one.label, one.tracking_uid
    return segment


def _dimensions(dataset: Dataset) -> None:
    uid = derived_uid("dimensions", dataset.SOPInstanceUID)
    organization = Dataset()
    organization.DimensionOrganizationUID = uid
    dataset.DimensionOrganizationSequence = Sequence([organization])
    entries = []
    # Segment Identification > Referenced Segment Number; Frame Content > Temporal Position Index
    for pointer, group in ((0x0062000B, 0x0062000A), (0x00209128, 0x00209111)):
        entry = Dataset()
        entry.DimensionOrganizationUID = uid
        entry.DimensionIndexPointer, entry.FunctionalGroupPointer = pointer, group
        entries.append(entry)
    dataset.DimensionIndexSequence = Sequence(entries)


def _frame(number: int, frame_index: int, clip: Any) -> Dataset:
    frame = Dataset()
    content = Dataset()
    content.TemporalPositionIndex = frame_index + 1
    # the index of a dimension that counts from 1 is the value itself
    content.DimensionIndexValues = [number, frame_index + 1]
    frame.FrameContentSequence = Sequence([content])
    identification = Dataset()
    identification.ReferencedSegmentNumber = number
    frame.SegmentIdentificationSequence = Sequence([identification])
    source = Dataset()
    source.ReferencedSOPClassUID = str(clip.sop_class_uid)
    source.ReferencedSOPInstanceUID = str(clip.sop_instance_uid)
    if clip.n_frames > 1 or str(clip.sop_class_uid) == _ULTRASOUND_MULTI_FRAME:
        source.ReferencedFrameNumber = frame_index + 1
    source.SpatialLocationsPreserved = "YES"
    source.PurposeOfReferenceCodeSequence = Sequence(
        [_code(Concept("121322", "DCM", "Source image for image processing operation"))]
    )
    derivation = Dataset()
    derivation.DerivationCodeSequence = Sequence([_code(Concept("113076", "DCM", "Segmentation"))])
    derivation.SourceImageSequence = Sequence([source])
    frame.DerivationImageSequence = Sequence([derivation])
    return frame


def _code(concept: Concept) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = concept.value, concept.scheme
    code.CodeMeaning = concept.meaning
    return code


__all__ = ["Outlined", "build_segmentation", "mask_of", "outlined", "read_masks", "save_segmentations"]
