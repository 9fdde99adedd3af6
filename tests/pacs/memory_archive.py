"""An archive in memory that does what it is told: the test double for whatever stands on `Archive`."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pydicom
from pydicom.dataset import Dataset

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dicom"))

from veinscan.dicom.facts import clip_facts
from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.header import cleaned, read_header
from veinscan.dicom.sources import MemoryBytes
from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.model import Fetched, InstanceRow, StoreOutcome, StudyQuery, StudyRow, StudyRows

Fault = bytes | PacsError | OSError | Callable[[], None] | None


class MemoryArchive:
    """Holds objects as bytes.

    `faults` says by SOP Instance UID what is sent instead (bytes), told (PacsError) or met (OSError, a
    function called first); None: left out without a word.  `dies_after` objects the connection is lost,
    once for every number in it.
    """

    def __init__(self, *files: Path | bytes, name: str = "memory") -> None:
        self.name = name
        self.objects: dict[str, bytes] = {}
        self.rows: list[InstanceRow] = []
        self.patients: dict[str, str] = {}
        self.faults: dict[str, Fault] = {}
        self.dies_after: list[int] = []
        self.sent: list[str] = []
        self.stored: list[bytes] = []
        self.lists = 0
        self._guard = threading.Lock()
        for file in files:
            self.add(file)

    def add(self, file: Path | bytes) -> InstanceRow:
        data = file if isinstance(file, bytes) else file.read_bytes()
        dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        row = InstanceRow(
            study_instance_uid=str(dataset.StudyInstanceUID),
            series_instance_uid=str(dataset.get("SeriesInstanceUID", "")),
            sop_instance_uid=str(dataset.SOPInstanceUID),
            sop_class_uid=str(dataset.SOPClassUID),
            modality=str(dataset.get("Modality", "")),
            frames=int(dataset.get("NumberOfFrames", 1) or 1),
        )
        self.objects[row.sop_instance_uid] = data
        self.rows.append(row)
        return row

    # -- Archive

    def find_studies(self, query: StudyQuery, *, stop: Callable[[], bool] | None = None) -> StudyRows:
        uids = dict.fromkeys(row.study_instance_uid for row in self.rows)
        return StudyRows(tuple(StudyRow(study_instance_uid=uid) for uid in uids), complete=True)

    def find_instances(
        self,
        study_instance_uid: str,
        *,
        series_instance_uid: str = "",
        sop_instance_uid: str = "",
        modality: str = "",
        stop: Callable[[], bool] | None = None,
    ) -> tuple[InstanceRow, ...]:
        self.lists += 1
        return tuple(
            row
            for row in self.rows
            if row.study_instance_uid == study_instance_uid
            and sop_instance_uid in ("", row.sop_instance_uid)
            and modality in ("", row.modality)
        )

    def fetch(
        self,
        instances: Sequence[InstanceRow],
        folder: Path,
        *,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[Fetched]:
        left = self.dies_after.pop(0) if self.dies_after else None
        for row in instances:
            if stop is not None and stop():
                raise CancelledError("stopped")
            if left is not None:
                if left == 0:
                    raise PacsError("the connection was lost", where=self.name, temporary=True)
                left -= 1
            fault = self.faults.get(row.sop_instance_uid, self.objects[row.sop_instance_uid])
            if callable(fault):
                fault()
                fault = self.objects[row.sop_instance_uid]
            if fault is None:
                continue
            with self._guard:
                self.sent.append(row.sop_instance_uid)
            if isinstance(fault, PacsError):
                yield Fetched(row, None, error=fault)
                continue
            if isinstance(fault, OSError):
                error = PacsError("it cannot be written")
                error.__cause__ = fault
                yield Fetched(row, None, error=error)
                continue
            path = folder / f"{len(self.sent)}.dcm"
            part = path.with_suffix(".part")
            part.write_bytes(fault)
            part.rename(path)
            yield Fetched(row, path, size=len(fault))

    def store(
        self, files: Sequence[Path], *, stop: Callable[[], bool] | None = None
    ) -> tuple[StoreOutcome, ...]:
        rows = [self.add(path) for path in files]
        return tuple(StoreOutcome(sop_instance_uid=row.sop_instance_uid, accepted=True) for row in rows)

    def close(self) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- what helps a test

    def files(self) -> dict[str, bytes]:
        """As they should lie in a folder afterwards, by SOP Instance UID."""
        return dict(self.objects)

    def relist(self, sop: str, **changes: Any) -> None:
        """List an object otherwise than it is."""
        self.rows = [replace(row, **changes) if row.sop_instance_uid == sop else row for row in self.rows]


@dataclass(frozen=True)
class MemoryFrame:
    data: bytes
    transfer_syntax_uid: str
    as_stored: bool = True


class FrameArchive(MemoryArchive):
    """One that describes its objects and gives single frames, as one over DICOMweb does."""

    can_fetch_frames = True

    def __init__(self, *files: Path | bytes, name: str = "memory") -> None:
        super().__init__(*files, name=name)
        self.frames_sent: list[tuple[str, int]] = []
        self.frame_faults: dict[str, PacsError | MemoryFrame | Callable[[], None]] = {}
        self.no_metadata: PacsError | None = None
        self.descriptions: dict[str, Dataset | None] = {}

    def metadata(self, study_uid: str, *, stop: Callable[[], bool] | None = None) -> list[Dataset]:
        if self.no_metadata is not None:
            raise self.no_metadata
        out = []
        for row in self.rows:
            if row.study_instance_uid == study_uid:
                read = pydicom.dcmread(
                    io.BytesIO(self.objects[row.sop_instance_uid]), stop_before_pixels=True
                )
                known = self.descriptions.get(row.sop_instance_uid, cleaned(read))
                out += [] if known is None else [known]
        return out

    def frame(
        self, instance: InstanceRow, index: int, *, stop: Callable[[], bool] | None = None
    ) -> MemoryFrame:
        fault = self.frame_faults.get(instance.sop_instance_uid)
        with self._guard:
            self.frames_sent.append((instance.sop_instance_uid, index))
        if isinstance(fault, PacsError):
            raise fault
        if isinstance(fault, MemoryFrame):
            return fault
        if fault is not None:
            fault()
        source = MemoryBytes(self.objects[instance.sop_instance_uid], "x.dcm", Path("x.dcm"))
        facts = clip_facts(read_header(source, DEFAULT_LIMITS), DEFAULT_LIMITS)
        return MemoryFrame(facts.frames.read(facts.source, index), facts.form.transfer_syntax)


def changed(data: bytes, **tags: Any) -> bytes:
    """The same object with other attributes."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    for keyword, value in tags.items():
        setattr(dataset, keyword, value)
        if keyword == "SOPInstanceUID":
            dataset.file_meta.MediaStorageSOPInstanceUID = value
    return written(dataset)


def written(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=False)
    return out.getvalue()
