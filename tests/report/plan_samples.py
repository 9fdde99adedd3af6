"""Records and a study to print, without files: the page is what is tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.config import IGNORE
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from veinscan.dicom.model import ClipKind, Region, RegionKind
from veinscan.errors import DecodeError
from veinscan.plan.model import Calibration, InjectionTarget, Reading, Record, Side, ValueSource

STUDY_UID = "1.2.826.0.1.3680043.8.498.77"
CLIP_UID = "1.2.826.0.1.3680043.8.498.77.1"
HEAD = "2.25.4242424242"
REGION = Region(kind=RegionKind.TISSUE, box=(20, 10, 230, 310), spacing_mm=(0.1, 0.1))


@dataclass
class PaperClip:
    """As much of a clip as a page needs."""

    sop_instance_uid: str = CLIP_UID
    file: str = "clips/IM_0001"
    kind: ClipKind = ClipKind.BMODE
    regions: tuple[Region, ...] = (REGION,)
    broken: bool = False
    pixels: Any = field(default_factory=lambda: np.full((240, 320), 60, np.uint8))
    n_frames: int = 20
    rows: int = 240
    columns: int = 320
    spacing_mm: tuple[float, float] | None = (0.1, 0.1)

    @property
    def picture_region(self) -> Region | None:
        return next(iter(self.regions), None)

    def frame(self, index: int) -> Any:
        if self.broken:
            raise DecodeError("the pixels cannot be decoded", where=self.file, frame_index=index)
        return self.pixels


@dataclass
class PaperStudy:
    """As much of a study as a page needs."""

    clips: tuple[PaperClip, ...] = (PaperClip(),)
    patient: str = "Nobody^Anywhere"
    study_instance_uid: str = STUDY_UID
    root: Path = Path("/nonexistent")
    record_paths: tuple[Path, ...] = ()

    def header(self) -> Dataset:
        header = Dataset()
        header.SpecificCharacterSet = "ISO_IR 192"
        if self.patient:
            # names of scanners are as they are: too long, for example
            header.add(DataElement("PatientName", "PN", self.patient, validation_mode=IGNORE))
            header.PatientID = "NOBODY-1"
            header.PatientBirthDate = "19610203"
            header.StudyDate = "20260102"
        header.StudyInstanceUID = self.study_instance_uid
        return header


def target(order: int, **values: Any) -> InjectionTarget:
    row, col = 60.0 + 3 * (order % 50), 80.0 + 4 * (order % 50)
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    given: dict[str, Any] = {
        "id": f"1.2.3.{order}",
        "order": order,
        "sop_instance_uid": CLIP_UID,
        "frame_index": order,
        "point": (row, col),
        "outline": tuple((row + 10 * float(np.sin(a)), col + 12 * float(np.cos(a))) for a in angle),
        "calibration": Calibration(box=REGION.box, spacing_mm=(0.1, 0.1), skin_row=20.0),
        "side": Side.LEFT,
        "vein": "reticular",
        "diameter_mm": 2.0 + order / 10,
        "diameter_source": ValueSource.CLICK,
        "depth_mm": 5.0 + order / 10,
        "depth_source": ValueSource.CALIPER,
        "marked_by": "DEMO",
        "marked_at": datetime(2026, 1, 3, 9, 30, tzinfo=UTC),
    }
    return InjectionTarget(**(given | values))


def record(*targets: InjectionTarget, **values: Any) -> Record:
    given: dict[str, Any] = {"reading": Reading(id="1.2.9"), "version": 2, "heads": (HEAD,)}
    return Record(targets=targets, **(given | values))
