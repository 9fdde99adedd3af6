"""What an export is asked for, and what a study looks like on its way out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from veinscan.deidentify.identity import Options
from veinscan.dicom.patients import Patient
from veinscan.errors import InvalidInputError
from veinscan.plan.model import Point

if TYPE_CHECKING:
    from veinscan.candidates.model import FinderSettings


class Format(StrEnum):
    """Kinds of data set."""

    COCO = "coco"
    NNUNET = "nnunet"
    NIFTI = "nifti"
    DICOM_SEG = "dicom-seg"
    DICOM_SR = "dicom-sr"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"


class Split(StrEnum):
    """What a patient's studies are used for; a patient is in one split only."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Category(StrEnum):
    """What an outline is, by the words of a reader."""

    TARGET = "target"
    """An injection target."""
    VEIN = "candidate_accepted"
    """A candidate that a reader called a vein."""
    REJECTED = "candidate_rejected"
    """A candidate that a reader said is none."""
    UNKNOWN = "vessel_unknown"
    """A candidate that nobody judged: artery or vein, or neither."""


READINGS = ("best", "plan", "research", "adjudication")
"""Which reading the masks are of; 'best' is an adjudication, else a research reading, else the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Everything that decides what an export holds; two exports with equal options give equal bytes."""

    formats: tuple[Format, ...] = (Format.JSON,)
    deidentify: Options = field(default_factory=Options)
    reading: str = "best"
    """One of `READINGS`, for masks and boxes; tables and JSON hold every reading."""
    search: FinderSettings | None = None
    """With settings, candidates are searched too: they follow a judged candidate over its frames."""
    measure_reflux: bool = False
    """Whether strips are measured by the program as well."""
    seed: int = 0
    """Of the splits."""
    fractions: tuple[float, float, float] = (0.7, 0.15, 0.15)
    """Of patients for training, validation and test."""
    negative_frames: int = 4
    """Frames taken of a clip that was searched completely and is empty."""
    nnunet_id: int = 1
    """Number of the nnU-Net data set."""
    people: tuple[tuple[str, str], ...] = ()
    """What a person said of who is who (`export.people.read_people`), by pseudonyms."""

    def __post_init__(self) -> None:
        if not self.formats:
            raise InvalidInputError("no format is asked for", do=f"give one of {', '.join(Format)}")
        if self.reading not in READINGS:
            raise InvalidInputError(f"reading is {self.reading!r}", do=f"pass one of {', '.join(READINGS)}")
        if min(self.fractions) < 0 or abs(sum(self.fractions) - 1) > 1e-6:
            raise InvalidInputError(
                f"the splits {self.fractions} do not sum to 1", do="pass three shares, such as 0.7 0.15 0.15"
            )
        if not 1 <= self.nnunet_id <= 999:
            raise InvalidInputError(f"the nnU-Net data set is {self.nnunet_id}", do="pass 1 to 999")
        if not 0 <= self.negative_frames <= 1000:
            raise InvalidInputError(f"{self.negative_frames} frames of an empty clip", do="pass 0 to 1000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An outlined structure on one frame, as a reader (or the search) left it.  All names are pseudonyms."""

    category: Category
    frame_index: int
    outline: tuple[Point, ...]
    """`(row, col)` in whole-frame pixels."""
    track: str
    """The same structure has the same track on every frame of its clip."""
    source: str
    """'drawn' by a person, 'fitted' by the program, 'followed' on a further frame, or 'searched'."""
    attributes: dict[str, Any] = field(default_factory=dict)
    """Plain values that go into COCO and JSON."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of an export."""

    path: str
    """Relative, with `/`."""
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Item:
    """A study that is to be exported."""

    path: str
    """Where it lies; never written into the export."""
    study_uid: str
    patient: str
    """Pseudonym."""
    name: str
    """Of the study in the export."""
    person: Patient | None = field(default=None, repr=False)
    """By the header, to tell who may be one person; stays in this program."""
