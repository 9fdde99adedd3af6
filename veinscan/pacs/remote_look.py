"""A `Study` out of what an archive says of its objects, before their files are here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset

from veinscan.dicom.examination import Study
from veinscan.dicom.facts import ClipFacts, clip_facts, described_facts
from veinscan.dicom.found import Found, chosen_study, look_at, sort_in
from veinscan.dicom.frame_supply import FileSupply, FrameSupply
from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.header import Header, PixelElement, quiet, read_header
from veinscan.dicom.model import Skipped
from veinscan.dicom.sources import Bytes, FileBytes, FolderSource
from veinscan.dicom.values import uid
from veinscan.errors import UnreadableError
from veinscan.pacs.landing import file_name
from veinscan.pacs.model import InstanceRow

_NOT_DESCRIBED = (
    "the archive does not describe it: it is shown when it has come and the study is opened again"
)

SupplyOf = Callable[[InstanceRow, FileDataset, ClipFacts], FrameSupply]
"""Makes the frames of an object that is not here."""


class _ToCome(Bytes):
    """A file that is not here yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        self.size = 0

    def read(self, offset: int, length: int) -> bytes:
        """See `Bytes.read`."""
        raise UnreadableError("the file has not come yet", where=self.name)


@dataclass(frozen=True, slots=True)
class LocalClip:
    """The frames of a file that has come."""

    facts: ClipFacts
    supply: FrameSupply


def described(datasets: Sequence[pydicom.Dataset], study_uid: str) -> dict[str, FileDataset]:
    """An archive's descriptions of a study's objects by SOP Instance UID; the first of each."""
    found: dict[str, FileDataset] = {}
    with quiet():
        for dataset in datasets:
            sop = uid(dataset, "SOPInstanceUID")
            if sop and uid(dataset, "StudyInstanceUID") == study_uid and sop not in found:
                found[sop] = FileDataset(
                    "", dataset, file_meta=FileMetaDataset(), is_implicit_VR=False, is_little_endian=True
                )
    return found


def look(
    folder: Path,
    rows: Sequence[InstanceRow],
    headers: Mapping[str, FileDataset],
    files: Mapping[str, Path],
    supply_of: SupplyOf,
) -> Study:
    """A study of objects that are here (`files`) and of such as are only described (`headers`).

    Raises NoStudyError where no clip can be shown, AmbiguousStudyError where
    the objects name different patients.
    """
    found = Found()
    source = FolderSource(folder, DEFAULT_LIMITS)
    for row in rows:
        sop = row.sop_instance_uid
        path = files.get(sop, folder / file_name(sop))
        if sop in files:
            look_at(_entry(path, folder), found, DEFAULT_LIMITS)
        elif sop in headers:
            _sort_described(row, headers[sop], path, found, supply_of)
        else:
            found.skipped.append(Skipped(path.name, _NOT_DESCRIBED))
    return chosen_study(found, source, rows[0].study_instance_uid, DEFAULT_LIMITS)


def _sort_described(
    row: InstanceRow, dataset: FileDataset, path: Path, found: Found, supply_of: SupplyOf
) -> None:
    entry = _ToCome(path)
    # where the pixels lie is not known; that there are some is
    header = Header(dataset, "", entry, PixelElement(0, None, little_endian=True), 0)

    def clip_of(header: Header) -> tuple[ClipFacts, FrameSupply]:
        facts = described_facts(header, DEFAULT_LIMITS)
        return facts, supply_of(row, dataset, facts)

    try:
        sort_in(header, entry, found, DEFAULT_LIMITS, clip_of=clip_of)
    except UnreadableError as problem:
        found.skipped.append(Skipped(entry.name, problem.what))


def local_clip(path: Path, folder: Path) -> LocalClip:
    """Facts and frames of a file that has come.  Raises UnreadableError."""
    entry = _entry(path, folder)
    facts = clip_facts(read_header(entry, DEFAULT_LIMITS), DEFAULT_LIMITS)
    return LocalClip(facts, FileSupply(facts, entry, DEFAULT_LIMITS))


def same_picture(facts: ClipFacts, other: ClipFacts) -> bool:
    """Whether a file shows what its description promised: size, colours, frames and calibration."""

    def picture(one: ClipFacts) -> tuple[object, ...]:
        form = one.form
        return (form.rows, form.columns, form.samples, form.bits_allocated, form.bits_stored, form.signed,
                len(one.frames.spans), one.window, one.regions.regions)  # fmt: skip

    return picture(facts) == picture(other)


def _entry(path: Path, folder: Path) -> FileBytes:
    return FileBytes(path, path.relative_to(folder).as_posix(), path.lstat())
