"""Whether an archive holds an object: a query finds it and its bytes, read back, say the same.

A record is parsed and compared as a record.  Any other object is compared by
its data set without file meta (group 2), since an archive may keep it in
another transfer syntax and add attributes of its own (`veinscan.pacs.verify_datasets`
says which).  Pixel data have to be the same bytes, or decode to the same
numbers where both encodings are lossless.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from veinscan.dicom.header import quiet
from veinscan.errors import PacsError, RecordError
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.model import InstanceRow
from veinscan.pacs.queue_facts import facts_of
from veinscan.pacs.verify_datasets import Differences, differences
from veinscan.record.files import read_all, sha256_of
from veinscan.record.versions import Version, is_ours, parse

_NATIVE = {
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
}
_LOSSLESS = {
    *_NATIVE,
    JPEGLosslessSV1,
    "1.2.840.10008.1.2.4.57",
    JPEGLSLossless,
    JPEG2000Lossless,
    RLELossless,
}
"""Transfer syntaxes that cannot lose anything (PS3.5 annex A.4)."""
_READ = "what came back cannot be read"


@dataclass(frozen=True, slots=True)
class Compared:
    """What two files say of each other."""

    same: bool
    reason: str = ""
    """Why they are not the same; where they are, what differs without harm.  No values."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What an archive was found to hold."""

    found: bool
    """By a query."""
    same: bool
    """What was read back says the same."""
    reason: str = ""
    """Why not; where it does, what the archive changed without harm."""

    @property
    def stored(self) -> bool:
        """Whether it counts as stored."""
        return self.found and self.same


def verify_stored(archive: Archive, path_of_object: Path, *, stop: Stop | None = None) -> Verified:
    """Whether an archive holds an object as it is in a file.

    Raises
    ------
    InvalidInputError
        The file is no DICOM object.
    PacsError
        The archive cannot be asked, or does not give the object back: then nothing is known.
    """
    facts = facts_of(path_of_object)
    row = find_one(archive, facts.study_instance_uid, facts.sop_instance_uid, stop=stop)
    if row is None:
        return Verified(False, False, "a query does not find it")
    with tempfile.TemporaryDirectory(prefix="veinscan-") as folder:
        compared = read_back(archive, row, path_of_object, Path(folder), stop=stop)
    return Verified(True, compared.same, compared.reason)


def find_one(
    archive: Archive, study_instance_uid: str, sop_instance_uid: str, *, stop: Stop | None = None
) -> InstanceRow | None:
    """The row of an object that an archive lists in a study."""
    rows = archive.find_instances(study_instance_uid, sop_instance_uid=sop_instance_uid, stop=stop)
    return next((row for row in rows if row.sop_instance_uid == sop_instance_uid), None)


def read_back(
    archive: Archive, row: InstanceRow, sent: Path, folder: Path, *, stop: Stop | None = None
) -> Compared:
    """Fetch one object into a folder and compare it; PacsError where it does not come."""
    for fetched in archive.fetch([row], folder, stop=stop):
        if fetched.instance.sop_instance_uid != row.sop_instance_uid:
            continue
        if fetched.error is not None:
            raise fetched.error
        if fetched.path is not None:
            try:
                return compare_files(sent, fetched.path)
            finally:
                fetched.path.unlink(missing_ok=True)
    raise PacsError("the archive lists the object and does not give it back", step="wado", temporary=True)


def compare_files(sent: Path, back: Path) -> Compared:
    """Whether what came back from an archive says what was sent.  Nothing that comes back makes it raise."""
    if sha256_of(sent) == sha256_of(back):
        return Compared(True)
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours = pydicom.dcmread(sent)
        try:
            theirs = pydicom.dcmread(back)
            if is_ours(ours):
                return _compare_records(ours, theirs, sent, back)
            return _compare_others(ours, theirs, sent, back)
        except Exception as error:  # pydicom raises nearly anything on damaged bytes
            return Compared(False, f"{_READ} ({type(error).__name__})")


def _compare_records(ours: Any, theirs: Any, sent: Path, back: Path) -> Compared:
    wanted = parse(read_all(sent), sent)
    try:
        found = parse(read_all(back), back)
        if wanted is None or found is None:
            return Compared(False, "what came back is no record of veinscan")
        if _says(wanted) != _says(found):
            return Compared(False, "the record that came back does not say the same")
    except RecordError as error:
        return Compared(False, f"the record that came back is damaged: {error.what}")
    # it says the same as a record; other software reads what stands around it, and the words of codes
    return _judged(differences(ours, theirs))


def _says(version: Version) -> tuple[Any, ...]:
    return (
        version.content,
        version.sop_instance_uid,
        version.series_instance_uid,
        version.study_instance_uid,
        version.predecessors,
        version.observer,
        sorted(version.references),
    )


def _compare_others(ours: Any, theirs: Any, sent: Path, back: Path) -> Compared:
    found = differences(ours, theirs, without=("PixelData", *_OF_ENCODING))
    syntax, other = _syntax(ours), _syntax(theirs)
    if "PixelData" not in ours and "PixelData" not in theirs:
        return _judged(found + differences(ours, theirs, only=_OF_ENCODING))
    if "PixelData" not in ours or "PixelData" not in theirs:
        return Compared(False, "the pixel data are missing on one side")
    encoding = differences(ours, theirs, only=_OF_ENCODING)
    if syntax == other or (syntax in _NATIVE and other in _NATIVE and not _big(syntax, other)):
        if not _same_bytes(ours, theirs, syntax):
            return Compared(False, "the pixel data differ")
        return _judged(found + encoding)
    if syntax not in _LOSSLESS or other not in _LOSSLESS:
        return Compared(
            False, "the pixel data came back in another compression, and one of the two loses some"
        )
    if not _same_pixels(sent, back):
        return Compared(False, "the pixel data differ")
    return _judged(found + Differences((), ("TransferSyntaxUID",)))


_OF_ENCODING = ("PhotometricInterpretation", "PlanarConfiguration")
"""What a lossless encoding may change without changing a pixel."""


def _syntax(dataset: Any) -> UID:
    return UID(str(dataset.file_meta.TransferSyntaxUID))


def _big(*syntaxes: UID) -> bool:
    return ExplicitVRBigEndian in syntaxes


def _same_bytes(ours: Any, theirs: Any, syntax: UID) -> bool:
    a, b = bytes(ours.PixelData), bytes(theirs.PixelData)
    if a == b:
        return True
    if not syntax.is_encapsulated:
        return False
    # the table of offsets and the cutting into fragments are the archive's own affair (PS3.5 A.4)
    frames = int(ours.get("NumberOfFrames") or 1)
    return all(one == other for one, other in zip_longest(_frames(a, frames), _frames(b, frames)))


def _frames(data: bytes, frames: int) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames

    return generate_frames(data, number_of_frames=frames)


def _same_pixels(sent: Path, back: Path) -> bool:
    import numpy as np
    from pydicom.pixels.utils import iter_pixels

    pairs = zip_longest(iter_pixels(sent), iter_pixels(back))
    return all(a is not None and b is not None and np.array_equal(a, b) for a, b in pairs)


def _judged(found: Differences) -> Compared:
    if found.harmful:
        return Compared(False, f"what came back differs in {_named(found.harmful)}")
    if found.harmless:
        return Compared(True, f"the archive changed {_named(found.harmless)}")
    return Compared(True)


def _named(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:6])
    return shown if len(names) <= 6 else f"{shown} and {len(names) - 6} more"
