"""An archive in a folder that loses answers, says yes and keeps nothing, keeps and says no, changes bytes ...

Several processes may use one folder.  What arrives is written to a log before anything is done with it, so
that a test can tell what was sent twice.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RawDataStorage

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.model import Fetched, InstanceRow, StoreOutcome, StudyQuery, StudyRow, StudyRows
from veinscan.plan.ids import new_uid

Stop = Callable[[], bool] | None

KIND = (
    "takes",  # and says so
    "takes and the answer is lost",
    "takes and says no",
    "says yes and keeps nothing",
    "says nothing",
    "is busy",
    "dies in the middle",
    "dies before",
)
FOR_GOOD = ("refuses", "changes")


@dataclass
class MoodyArchive:
    """`mood` says for each object how the archive takes it; by default as a good one does."""

    folder: Path
    mood: Callable[[str], str] = lambda uid: "takes"
    name: str = "moody"
    closed: int = 0
    asked: int = 0
    down: str = ""
    """Step at which no connection is made; empty: it is made."""
    loses_on_the_way_back: Callable[[str], str] = lambda uid: ""
    """By UID: 'error' or 'garbage', for once."""
    hides: set[str] = field(default_factory=set)
    """Held and not listed."""
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By study: what the archive says of the patient instead of what the objects say."""
    retry_after_s: float | None = None
    giving: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    # -- what a test asks

    def held(self) -> dict[str, bytes]:
        return {path.stem: path.read_bytes() for path in self.folder.glob("*.dcm")}

    def received(self) -> Counter[str]:
        """How often an object arrived whole that was not there yet, and '+uid' for one that was."""
        try:
            return Counter((self.folder / "log").read_text().split())
        except FileNotFoundError:
            return Counter()

    def put(self, path: Path) -> None:
        self._keep(str(_header(path).SOPInstanceUID), path.read_bytes())

    # -- Archive

    def find_studies(self, query: StudyQuery, *, stop: Stop = None) -> StudyRows:
        self._ask(stop)
        rows = {}
        for path in self.folder.glob("*.dcm"):
            header = _header(path)
            if str(header.StudyInstanceUID) != query.study_instance_uid:
                continue
            born = str(header.get("PatientBirthDate", ""))
            values: dict[str, Any] = {
                "patient_id": str(header.get("PatientID", "")),
                "patient_name": str(header.get("PatientName", "")),
                "birth_date": date(int(born[:4]), int(born[4:6]), int(born[6:])) if born else None,
            }
            values |= self.patients.get(query.study_instance_uid, {})
            rows[query.study_instance_uid] = StudyRow(study_instance_uid=query.study_instance_uid, **values)
        return StudyRows(tuple(rows.values()), complete=True)

    def find_instances(
        self,
        study_instance_uid: str,
        *,
        series_instance_uid: str = "",
        sop_instance_uid: str = "",
        modality: str = "",
        stop: Stop = None,
    ) -> tuple[InstanceRow, ...]:
        self._ask(stop)
        rows = (_row(path) for path in sorted(self.folder.glob("*.dcm")) if path.stem not in self.hides)
        return tuple(
            row
            for row in rows
            if row.study_instance_uid == study_instance_uid
            and series_instance_uid in ("", row.series_instance_uid)
            and sop_instance_uid in ("", row.sop_instance_uid)
            and modality in ("", row.modality)
        )

    def fetch(
        self, instances: Sequence[InstanceRow], folder: Path, *, stop: Stop = None
    ) -> Iterator[Fetched]:
        assert not self.giving, "asked for more in the middle of an answer: over C-MOVE nothing would come"
        self.giving = True
        try:
            yield from self._given(instances, folder, stop)
        finally:
            self.giving = False

    def _given(self, instances: Sequence[InstanceRow], folder: Path, stop: Stop) -> Iterator[Fetched]:
        for row in instances:
            self._ask(stop)
            lost = self.loses_on_the_way_back(row.sop_instance_uid)
            if lost == "error":
                yield Fetched(row, None, error=PacsError("it did not come", step="wado", temporary=True))
                continue
            data = (self.folder / f"{row.sop_instance_uid}.dcm").read_bytes()
            path = folder / f"{row.sop_instance_uid}.back"
            path.write_bytes(data[:-7] if lost == "garbage" else data)
            yield Fetched(row, path, len(data))

    def store(self, files: Sequence[Path], *, stop: Stop = None) -> tuple[StoreOutcome, ...]:
        self._ask(stop)
        outcomes = []
        for path in files:
            uid = str(_header(path).SOPInstanceUID)
            said = self._take(uid, path)
            if said is not None:
                outcomes.append(said)
        return tuple(outcomes)

    def _take(self, uid: str, path: Path) -> StoreOutcome | None:
        mood = self.mood(uid)
        if mood == "dies before":
            raise self._lost("tcp")
        data = path.read_bytes()
        there = (self.folder / f"{uid}.dcm").exists()
        with (self.folder / "log").open("a") as log:
            log.write(f"{'+' if there else ''}{uid}\n")
        if mood in ("takes", "takes and the answer is lost", "takes and says no", "says nothing"):
            self._keep(uid, data)
        if mood == "changes":
            self._keep(uid, data[:-6] + b"other!")
        if mood == "dies in the middle":
            if int(uid[-1]) % 2:
                self._keep(uid, data)
            raise self._lost("stow")
        if mood == "takes and the answer is lost":
            raise self._lost("stow")
        if mood == "says nothing":
            return None
        if mood == "is busy":
            return StoreOutcome(
                sop_instance_uid=uid, accepted=False, code=0xA700, reason="out of resources", temporary=True
            )
        if mood in ("refuses", "takes and says no"):
            return StoreOutcome(sop_instance_uid=uid, accepted=False, code=0x0122, reason="not taken here")
        return StoreOutcome(sop_instance_uid=uid, accepted=True)

    def close(self) -> None:
        self.closed += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, stop: Stop) -> None:
        self.asked += 1
        if stop is not None and stop():
            raise CancelledError("stopped")
        if self.down:
            raise self._lost(self.down)

    def _lost(self, step: str) -> PacsError:
        return PacsError(
            "the connection was lost",
            where=self.name,
            step=step,
            temporary=True,
            retry_after_s=self.retry_after_s,
        )

    def _keep(self, uid: str, data: bytes) -> None:
        part = self.folder / f"{uid}.{os.getpid()}.part"
        part.write_bytes(data)
        part.rename(self.folder / f"{uid}.dcm")


_TAGS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "Modality",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
]


def _header(path: Path) -> Dataset:
    return pydicom.dcmread(path, specific_tags=_TAGS, stop_before_pixels=True)


def _row(path: Path) -> InstanceRow:
    header = _header(path)
    return InstanceRow(
        study_instance_uid=str(header.StudyInstanceUID),
        series_instance_uid=str(header.SeriesInstanceUID),
        sop_instance_uid=str(header.SOPInstanceUID),
        sop_class_uid=str(header.SOPClassUID),
        modality=str(header.get("Modality", "")),
    )


def make_object(path: Path, study: str = "1.2.3", **values: Any) -> str:
    """A small object of nobody in particular; its UID."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = RawDataStorage, new_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, f"{study}.1"
    dataset.PatientID, dataset.PatientName, dataset.PatientBirthDate = "P1", "Sample^Anna", "19700101"
    dataset.Modality = "OT"
    dataset.ImageComments = "what it holds"
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    return str(dataset.SOPInstanceUID)
