"""The saved versions of a record: which files are ours, how they follow each other, which are the heads."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ComprehensiveSRStorage

from veinscan.errors import RecordError, UnreadableError
from veinscan.plan.normal import is_uid
from veinscan.record import concepts as c
from veinscan.record.codec import Content, decode
from veinscan.record.files import read_all
from veinscan.record.tree import Item, from_dataset

MAX_BYTES = 256 * 2**20
"""No record is that long; a file that is belongs to somebody else or is damaged."""


@dataclass(frozen=True)
class Version:
    """One saved document.

    What says who it is and what it replaces is read at once; the rest, which
    costs a hundred times more, when it is asked for: of a long history only
    the heads and what lies next behind them are.
    """

    path: Path
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str
    predecessors: tuple[str, ...]
    """Those it was read from first."""
    dataset: Dataset = field(repr=False, compare=False)

    @cached_property
    def content(self) -> Content:
        """What the document says; RecordError, naming the file, where it is damaged."""
        with _damage_of(self.path):
            content = decode(self._root.children)
            if content.study_instance_uid != self.study_instance_uid:
                raise RecordError("the header is damaged: its UIDs do not agree with the content")
            _ = self.references
            return content

    @cached_property
    def references(self) -> tuple[tuple[str, str, str, str], ...]:
        """Objects it points at: SOP class, SOP instance, series, study.  RecordError if damaged."""
        with _damage_of(self.path):
            return (
                *_references(self.dataset, "CurrentRequestedProcedureEvidenceSequence"),
                *_references(self.dataset, "PertinentOtherEvidenceSequence"),
            )

    @property
    def observer(self) -> str:
        """Name of the reader who saved it, as VR PN."""
        with _damage_of(self.path):
            for item in self._root.children:
                if item.name is not None and item.name.key == c.OBSERVER_NAME.key:
                    return str(item.value)
            return ""

    @property
    def when(self) -> tuple[int, float, str]:
        """Orders versions, the same everywhere: a clock may go back, the number of the save does not."""
        saved: datetime | None = self.content.saved_at
        seconds = 0.0 if saved is None else saved.timestamp()
        return (self.content.record.version, seconds, self.sop_instance_uid)

    @cached_property
    def _root(self) -> Item:
        return from_dataset(self.dataset)


def parse(data: bytes, path: Path) -> Version | None:
    """A version from the bytes of a file; None for a document of other software.

    Raises RecordError, naming the file, for one of ours whose header is damaged
    and for bytes that are no DICOM file at all.
    """
    with _damage_of(path):
        dataset = pydicom.dcmread(io.BytesIO(data))
        if not is_ours(dataset):
            if any(keyword not in dataset for keyword in _WHOLE):
                raise RecordError("the file is cut off or damaged")
            return None
        return _version(dataset, path)


@contextmanager
def _damage_of(path: Path) -> Iterator[None]:
    """Whatever damaged bytes raise becomes a RecordError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RecordError as error:
        raise RecordError(error.what, where=str(path), do=error.do or _CURE) from None
    except Exception as error:  # pydicom raises nearly anything on damaged bytes
        raise RecordError(
            f"the record is damaged and cannot be read ({type(error).__name__})", where=str(path), do=_CURE
        ) from None


_WHOLE = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
"""Attributes that every DICOM object has, from its beginning to its middle (PS3.3 A.1.4)."""
_CURE = "put a copy of the file back from a backup, or move it out of the folder; nothing was changed"


def is_ours(dataset: Dataset) -> bool:
    """Whether a document is one that veinscan wrote: an SR of ours by its maker or by its coding scheme."""
    if str(dataset.get("SOPClassUID", "")) != ComprehensiveSRStorage:
        return False
    if str(dataset.get("Manufacturer", "")).lower() == "veinscan":
        return True
    schemes = dataset.get("CodingSchemeIdentificationSequence") or ()
    return any(str(item.get("CodingSchemeDesignator", "")) == c.PRIVATE_SCHEME for item in schemes)


WITHDRAWN_WORDS = "withdrawn: not to be used"
"""Completion Flag Description (0040,A492) of the version that withdrew a record."""


def is_withdrawn(dataset: Dataset) -> bool:
    """Whether a document of ours says that its record was withdrawn; later ones may have brought it back."""
    return str(dataset.get("CompletionFlagDescription", "")) == WITHDRAWN_WORDS


def predecessors_of(dataset: Dataset) -> tuple[str, ...]:
    """SOP Instance UIDs of the versions that a document replaces."""
    return tuple(entry[1] for entry in _references(dataset, "PredecessorDocumentsSequence"))


def _version(dataset: Dataset, path: Path) -> Version:
    uid = str(dataset.SOPInstanceUID)
    if not is_uid(uid):
        raise RecordError("the document has no UID")
    return Version(
        path=path,
        sop_instance_uid=uid,
        series_instance_uid=str(dataset.SeriesInstanceUID),
        study_instance_uid=str(dataset.StudyInstanceUID),
        predecessors=predecessors_of(dataset),
        dataset=dataset,
    )


def _references(dataset: Dataset, keyword: str) -> tuple[tuple[str, str, str, str], ...]:
    return tuple(
        (
            str(instance.ReferencedSOPClassUID),
            str(instance.ReferencedSOPInstanceUID),
            str(series.SeriesInstanceUID),
            str(study.StudyInstanceUID),
        )
        for study in dataset.get(keyword) or ()
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    )


class PackedRecord(Protocol):
    """What is used of a record that lies inside a zip: a `Bytes` of `veinscan.dicom.sources`."""

    name: str
    path: Path
    """Of the zip."""
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the member."""


def read_versions(
    files: Iterable[Path | PackedRecord], study_instance_uid: str
) -> tuple[dict[str, Version], dict[Path, RecordError]]:
    """Every version of a study's record among some files, by SOP Instance UID, and what could not be read.

    Documents of other software and of other studies are left alone.
    """
    versions: dict[str, Version] = {}
    damaged: dict[Path, RecordError] = {}
    for file in files:
        path = file if isinstance(file, Path) else file.path / file.name
        try:
            version = _read(file) if isinstance(file, Path) else _read_packed(file, path)
            if version is not None and version.study_instance_uid != study_instance_uid:
                # of another study: unless the header is damaged, which the content tells
                _ = version.content
                continue
        except RecordError as error:
            damaged[path] = error
            continue
        if version is not None:
            versions.setdefault(version.sop_instance_uid, version)
    return versions, damaged


def _read(path: Path) -> Version | None:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise RecordError(f"the file is larger than any record ({size} bytes)", where=str(path), do=_CURE)
        data = read_all(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RecordError(f"the record cannot be read: {reason}", where=str(path), do=_CURE) from error
    return parse(data, path)


def _read_packed(member: PackedRecord, place: Path) -> Version | None:
    if member.size > MAX_BYTES:
        raise RecordError(
            f"the file is larger than any record ({member.size} bytes)", where=str(place), do=_CURE
        )
    try:
        data = member.read(0, member.size)
    except UnreadableError as error:
        raise RecordError(f"the record cannot be read: {error.what}", where=str(place), do=_CURE) from error
    return parse(data, place)


def needed(damaged: Mapping[Path, RecordError], versions: Mapping[str, Version]) -> RecordError | None:
    """The error of a damaged file that may be a head; None where each was replaced by one that is there."""
    replaced = {uid for version in versions.values() for uid in version.predecessors}
    return next((error for path, error in sorted(damaged.items()) if path.stem not in replaced), None)


def heads(versions: Mapping[str, Version]) -> list[Version]:
    """The versions that no other replaces, in order of time; RecordError where one of them is damaged."""
    replaced = {uid for version in versions.values() for uid in version.predecessors}
    found = [version for uid, version in versions.items() if uid not in replaced]
    return sorted(found, key=lambda version: version.when)


def ancestors(uid: str, versions: Mapping[str, Version]) -> set[str]:
    """A version and every one behind it, as far as they are there."""
    seen: set[str] = set()
    waiting = [uid]
    while waiting:
        current = waiting.pop()
        if current not in seen and current in versions:
            seen.add(current)
            waiting.extend(versions[current].predecessors)
    return seen


def direct_predecessors(version: Version, versions: Mapping[str, Version]) -> list[str]:
    """The versions that it was read from, of those that are there.

    A version that is final, or follows one, also names those further behind (`behind`).
    """
    known = [uid for uid in version.predecessors if uid in versions]
    further = {before for uid in known for before in versions[uid].predecessors}
    return [uid for uid in known if uid not in further]


def behind(uids: Iterable[str], versions: Mapping[str, Version]) -> tuple[str, ...]:
    """Some versions and all behind them, as far as each names them; nearest first."""
    found: dict[str, None] = {}
    waiting = list(uids)
    while waiting:
        found.update(dict.fromkeys(waiting))
        following = [before for uid in waiting if uid in versions for before in versions[uid].predecessors]
        waiting = [uid for uid in dict.fromkeys(following) if uid not in found]
    return tuple(found)


def common_ancestors(a: set[str], b: set[str], versions: Mapping[str, Version]) -> list[str]:
    """The nearest versions behind both of two histories (sets as `ancestors` gives them)."""
    shared = a & b
    # histories are closed: what lies behind a shared version is the predecessor of one that is shared
    behind = {before for uid in shared for before in versions[uid].predecessors}
    return sorted(shared - behind)
