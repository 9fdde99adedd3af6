"""Tiny ultrasound files, one for each transfer syntax, to see which can be read here.

Each is a grey ramp without patient data, opened by the same reader as a study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from veinscan.errors import VeinscanError

_US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"
_EXPLICIT = "1.2.840.10008.1.2.1"
_JPEG_XL = "1.2.840.10008.1.2.4.110"
_SIDE = 32
_LOSSY_TOLERANCE = 12
"""Grey levels by which a lossy codec may miss a smooth ramp."""

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Trial:
    """One transfer syntax and the file made in it; `problem` when no file could be made."""

    uid: str
    name: str
    path: Path
    lossy: bool = False
    problem: str = ""

    def read(self) -> str:
        """Read the file as a study; empty when the pixels come back, else why not."""
        from veinscan.dicom import open_study

        try:
            frame = open_study(self.path).clips[0].frame(0)
        except VeinscanError as error:
            return error.what
        except Exception as error:  # a broken installation may fail in any way: that is what is looked for
            return f"the reader fails: {type(error).__name__}"
        if frame.shape != (_SIDE, _SIDE):
            return f"a picture of shape {frame.shape} comes back"
        off = int(np.abs(frame.astype(int) - _ramp().astype(int)).max())
        return "" if off <= (_LOSSY_TOLERANCE if self.lossy else 0) else "the pixels come back changed"


def _ramp() -> Grey:
    row, col = np.mgrid[:_SIDE, :_SIDE]
    return np.asarray(3 * row + 4 * col, np.uint8)


def _rle(picture: Grey) -> bytes:
    from rle.utils import encode_pixel_data

    return bytes(encode_pixel_data(picture.tobytes(), _description(), "<"))


def _jpeg(picture: Grey) -> bytes:
    from imagecodecs import jpeg8_encode

    return bytes(jpeg8_encode(picture, level=95))


def _jpeg_lossless(picture: Grey) -> bytes:
    from imagecodecs import ljpeg_encode

    return bytes(ljpeg_encode(picture))


def _jpeg_ls(picture: Grey) -> bytes:
    from imagecodecs import jpegls_encode

    return bytes(jpegls_encode(picture))


def _jpeg_2000(picture: Grey) -> bytes:
    from imagecodecs import jpeg2k_encode

    return bytes(jpeg2k_encode(picture, codecformat="j2k", reversible=True, level=0))


def _jpeg_xl(picture: Grey) -> bytes:
    from imagecodecs import jpegxl_encode

    return bytes(jpegxl_encode(picture, lossless=True))


_COMPRESSED: tuple[tuple[str, Callable[[Grey], bytes], bool], ...] = (
    ("1.2.840.10008.1.2.5", _rle, False),
    ("1.2.840.10008.1.2.4.50", _jpeg, True),
    ("1.2.840.10008.1.2.4.70", _jpeg_lossless, False),
    ("1.2.840.10008.1.2.4.80", _jpeg_ls, False),
    ("1.2.840.10008.1.2.4.90", _jpeg_2000, False),
    (_JPEG_XL, _jpeg_xl, False),
)
_NATIVE = ("1.2.840.10008.1.2", _EXPLICIT, "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2")


def trial_files(folder: Path) -> Iterator[Trial]:
    """Write a file for each transfer syntax into `folder`, one by one.

    Raises OSError where the folder cannot be written to.
    """
    for uid in _NATIVE:
        path = folder / f"{uid}.dcm"
        picture = _ramp()
        _save(_description(), path, uid, picture.tobytes())
        yield Trial(uid, _name(uid), path)
    for uid, encode, lossy in _COMPRESSED:
        path = folder / f"{uid}.dcm"
        try:
            data = encapsulate([encode(_ramp())])
        except OSError:
            raise
        except Exception as error:  # a codec that is missing or broken: that is what is looked for
            yield Trial(uid, _name(uid), path, problem=f"the codec does not work: {type(error).__name__}")
            continue
        _save(_description(), path, uid, data)
        yield Trial(uid, _name(uid), path, lossy=lossy)


def _name(uid: str) -> str:
    name: str = UID(uid).name
    if name == uid:
        return "JPEG XL" if uid == _JPEG_XL else uid
    return name.split(",")[0].split(":")[0].split(" (")[0].removesuffix(" Image Compression")


def _description() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = _US_IMAGE
    dataset.SOPInstanceUID = "2.25.1"
    dataset.StudyInstanceUID = "2.25.2"
    dataset.SeriesInstanceUID = "2.25.3"
    dataset.PatientName = ""
    dataset.PatientID = ""
    dataset.Modality = "US"
    dataset.Rows = dataset.Columns = _SIDE
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelRepresentation = 0
    return dataset


def _save(dataset: Dataset, path: Path, uid: str, pixels: bytes) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(_US_IMAGE)
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    # pydicom 3.0 does not know the UIDs of JPEG XL and refuses to write them:
    # another of the same length stands in.
    known = "1.2.840.10008.1.2.4.100" if uid == _JPEG_XL else str(uid)
    meta.TransferSyntaxUID = UID(known)
    file = FileDataset(str(path), dataset, preamble=b"\0" * 128, file_meta=meta)
    file.add_new("PixelData", "OB", pixels)
    file["PixelData"].is_undefined_length = uid not in _NATIVE
    pydicom.dcmwrite(path, file, enforce_file_format=True)
    if known != uid:
        path.write_bytes(path.read_bytes().replace(known.encode(), uid.encode(), 1))
