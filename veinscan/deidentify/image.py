"""A clip as a DICOM object without the person: clean header, black banner, no second loss.

Pixels are decoded, blacked outside what is kept, and stored with JPEG-LS
lossless (PS3.5 A.4.3).  What was lossy before stays marked as lossy, and
loses nothing again.  Comments, thumbnails and other things that a compressed
frame can carry inside do not pass: only pixels do.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, JPEGLSLossless

from veinscan.deidentify.header import clean_header, mark_deidentified
from veinscan.deidentify.identity import Identity, Pixels
from veinscan.deidentify.pixels import WHOLE_SCREEN, Keep, blacked

if TYPE_CHECKING:
    from veinscan.dicom import Clip

LOSSY = frozenset(
    f"1.2.840.10008.1.2.4.{end}" for end in ("50", "51", "81", "91", "93", "102", "103", "111", "112")
)
"""Transfer syntaxes whose pixels are not what the scanner had (where the header does not say so itself)."""

_OF_OTHER_PIXELS = (
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData", "PaletteColorLookupTableUID", "WindowCenter", "WindowWidth",
    "VOILUTSequence", "ModalityLUTSequence", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue", "PlanarConfiguration",
    "IconImageSequence", "PresentationLUTSequence", "PresentationLUTShape", "PixelComponentOrganization",
)  # fmt: skip
"""What speaks of stored values that are other ones now: pixels come as 8 bit grey or RGB."""


def clean_image(clip: Clip, identity: Identity, keep: Keep, *, confirmed: bool = False) -> bytes:
    """The bytes of a DICOM file of a clip, de-identified.

    Parameters
    ----------
    clip : Clip
    identity : Identity
        What stands for the patient.
    keep : Keep
        What of the screen is kept; all else is black.
    confirmed : bool
        A person has looked at these very pixels and found no text of a person in them.

    Raises
    ------
    DecodeError
        A frame cannot be decoded.
    """
    dataset = clean_header(clip.raw_header(), identity)
    cleaned = identity.options.pixels is Pixels.CLEANED
    mark_deidentified(dataset, identity, pixels_cleaned=cleaned, confirmed=confirmed)
    colour = len(clip.shape) == 4
    _describe(dataset, clip, colour)
    dataset.BurnedInAnnotation = "NO" if confirmed else "YES"
    mask = keep.mask(clip.rows, clip.columns)
    coded = [
        bytes(imagecodecs.jpegls_encode(np.ascontiguousarray(blacked(clip.frame(index), mask))))
        for index in range(clip.n_frames)
    ]
    dataset.PixelData = encapsulate(coded, has_bot=True)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return _bytes_of(dataset)


def _describe(dataset: Dataset, clip: Clip, colour: bool) -> None:
    """The image pixel and multi-frame modules (C.7.6.3, C.7.6.6) of the pixels as they are written."""
    for keyword in _OF_OTHER_PIXELS:
        if keyword in dataset:
            delattr(dataset, keyword)
    dataset.SOPClassUID, dataset.SOPInstanceUID = UID(clip.sop_class_uid), dataset.get("SOPInstanceUID")
    dataset.Rows, dataset.Columns = clip.rows, clip.columns
    dataset.SamplesPerPixel = 3 if colour else 1
    dataset.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    if "NumberOfFrames" in dataset or clip.n_frames > 1:
        dataset.NumberOfFrames = clip.n_frames
    if "FrameTimeVector" in dataset and clip.frame_times_s is not None:
        steps = np.diff(clip.frame_times_s, prepend=0.0) * 1000.0
        dataset.FrameTimeVector = [f"{step:.6g}" for step in steps]
    if clip.transfer_syntax in LOSSY:
        dataset.LossyImageCompression = "01"
    kind = [str(part) for part in dataset.get("ImageType") or ()] or ["DERIVED", "PRIMARY"]
    dataset.ImageType = ["DERIVED", *kind[1:]]  # its pixels are not the scanner's any more (C.7.6.1.1.2)
    if "SequenceOfUltrasoundRegions" in dataset:
        kept = [item for item in dataset.SequenceOfUltrasoundRegions if not _is_screen(item, clip)]
        dataset.SequenceOfUltrasoundRegions = Sequence(kept)
        if not kept:
            del dataset.SequenceOfUltrasoundRegions


def _is_screen(item: Any, clip: Clip) -> bool:
    """A dummy of format 0, or a region over the whole screen that calibrates nothing."""
    try:
        if int(item.RegionSpatialFormat) == 0 and int(item.RegionDataType) not in (0x0D, 0x0E):
            return True
        width = int(item.RegionLocationMaxX1) - int(item.RegionLocationMinX0) + 1
        height = int(item.RegionLocationMaxY1) - int(item.RegionLocationMinY0) + 1
        if (int(item.PhysicalUnitsXDirection), int(item.PhysicalUnitsYDirection)) == (3, 3):  # cm
            return False
    except (AttributeError, TypeError, ValueError):
        return True
    return width * height >= WHOLE_SCREEN * clip.rows * clip.columns


def _bytes_of(dataset: Dataset) -> bytes:
    """A DICOM file with a preamble of zeros: that of the original may hold anything."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = JPEGLSLossless
    dataset.file_meta = meta
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
