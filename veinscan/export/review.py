"""The look that only a person can take: a contact sheet of all clips, and what he or she says of each.

An export with pictures holds `review/contact_sheet_NNN.png` and
`review/review.json`.  A person looks, writes into the JSON which clips are
clean (and which boxes to black or to keep), and exports again with it.
What is said counts only for the very pixels and boxes that were looked at.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from veinscan.errors import InvalidInputError
from veinscan.export.folder import PARTS, ExportFolder, json_bytes
from veinscan.export.model import WrittenFile
from veinscan.export.names import study_mark
from veinscan.export.pictures import clean_frame, png, rgb

if TYPE_CHECKING:
    from veinscan.dicom.model import Box
    from veinscan.export.study import ClipCase, StudyCase

FOLDER = "review"
COLUMNS, ROWS = 4, 5
CELL_WIDTH, CELL_HEIGHT, LABEL_HEIGHT = 480, 360, 22
MAX_BYTES = 256 * 2**20
_HOW = (
    "Look at every cell of the sheets.  Set clean to true and by to your name where no text of a person is "
    "left; list boxes [row0, col0, row1, col1] to black, or boxes to keep instead.  Then export again with "
    "--review and this file."
)
_YELLOW = (255, 210, 0)


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said of a clip."""

    clean: bool
    by: str
    pixels: str
    boxes: tuple[Box, ...]
    """Kept by the program when the person looked."""
    black: tuple[Box, ...] = ()
    keep: tuple[Box, ...] = ()
    study: str = ""
    """'S-...': the study of the clip; empty where the review does not tell."""


class _Clip(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    clip: str = Field(default="", max_length=200)
    sop_instance_uid: str = Field(max_length=64)
    pixels: str = Field(max_length=64)
    kept_boxes: list[tuple[int, int, int, int]]
    clean: bool | None = None
    by: str = Field(default="", max_length=200)
    black: list[tuple[int, int, int, int]] = Field(default=[], max_length=100)
    keep: list[tuple[int, int, int, int]] = Field(default=[], max_length=100)


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    clips: list[_Clip]


def read_review(path: Path) -> dict[str, Said]:
    """What a person said, by the pseudonym of each clip.

    Raises InvalidInputError for a file that is not a review.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES)
        found = _File.model_validate_json(data)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(
            f"the review cannot be read: {reason}", where=str(path), do="check the path"
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidInputError(
            f"it is not a review: {place}: {first['msg']}",
            where=str(path),
            do="edit the review.json of an export",
        ) from None
    return {
        clip.sop_instance_uid: Said(
            clip.clean is True,
            clip.by.strip(),
            clip.pixels,
            tuple(clip.kept_boxes),
            tuple(clip.black),
            tuple(clip.keep),
            study_mark(clip.clip),
        )
        for clip in found.clips
    }


def review_mark(review: dict[str, Said]) -> str:
    """Tells two reviews apart."""
    return hashlib.sha256(repr(sorted(review.items())).encode()).hexdigest()


def is_confirmed(case: ClipCase, review: dict[str, Any]) -> bool:
    """Whether a named person said that this clip, with these pixels and boxes, is clean."""
    said = review.get(case.sop_instance_uid)
    if said is None or not said.clean or not said.by:
        return False
    return bool(said.pixels == case.pixels_mark and case.keep.boxes == (said.keep or said.boxes))


def write_case(case: StudyCase, folder: ExportFolder, review: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of `review.json` for a study; its first frames go to the parts of the export."""
    entries = []
    for clip in case.clips:
        if clip.has_pixels:
            folder.write(f"{PARTS}/{clip.name}.png", png(_cell(clip)))
        said, confirmed = review.get(clip.sop_instance_uid), is_confirmed(clip, review)
        entries.append(
            {
                "clip": clip.name,
                "sop_instance_uid": clip.sop_instance_uid,
                "pixels": clip.pixels_mark,
                "frames": clip.clip.n_frames,
                "kept_from": clip.keep.source if clip.has_pixels else "none",
                "kept_boxes": [list(box) for box in clip.keep.boxes],
                "writing_boxes": [list(box) for box in clip.writing],
                "doubts": list(clip.keep.doubts),
                "clean": True if confirmed else None,
                "by": case.identity.reader(said.by) if said is not None and confirmed else "",
                "black": [list(box) for box in clip.keep.black],
                "keep": [],
            }
        )
    return entries


def cell_picture(case: ClipCase) -> npt.NDArray[np.uint8]:
    """(rows, cols, 3) the first frame as it is exported, with a frame around what looks like writing."""
    frame = rgb(clean_frame(case, 0)).copy()
    for row0, col0, row1, col1 in case.writing:
        cv2.rectangle(frame, (col0 - 3, row0 - 3), (col1 + 2, row1 + 2), _YELLOW, 1)
    return frame


def _cell(case: ClipCase) -> npt.NDArray[np.uint8]:
    """A cell of a contact sheet: `cell_picture` at its size, under the name of the clip."""
    frame = cell_picture(case)
    scale = min(CELL_WIDTH / frame.shape[1], CELL_HEIGHT / frame.shape[0])
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = np.asarray(cv2.resize(frame, size, interpolation=way), np.uint8)
    out = np.full((CELL_HEIGHT + LABEL_HEIGHT, CELL_WIDTH, 3), 30, np.uint8)
    out[LABEL_HEIGHT : LABEL_HEIGHT + small.shape[0], : small.shape[1]] = small
    cv2.putText(out, case.name, (4, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
    return out


def write_dataset(folder: ExportFolder, entries: Iterable[dict[str, Any]]) -> list[WrittenFile]:
    """The contact sheets and `review.json`."""
    written, listed = [], []
    page: list[npt.NDArray[np.uint8]] = []
    number = 1
    for entry in entries:
        cell_file = folder.root / PARTS / f"{entry['clip']}.png"
        sheet = None
        if cell_file.is_file():
            sheet = f"{FOLDER}/contact_sheet_{number:03d}.png"
            cell = np.asarray(cv2.imread(str(cell_file)), np.uint8)
            page.append(np.ascontiguousarray(cell[:, :, ::-1]))
        listed.append({**entry, "sheet": sheet, "cell": len(page) if sheet else None})
        if len(page) == COLUMNS * ROWS:
            written.append(folder.write(f"{FOLDER}/contact_sheet_{number:03d}.png", png(_sheet(page))))
            page, number = [], number + 1
    if page:
        written.append(folder.write(f"{FOLDER}/contact_sheet_{number:03d}.png", png(_sheet(page))))
    content = {
        "format": "veinscan-review",
        "schema": 1,
        "how": _HOW,
        "clips": listed,
    }
    return [*written, folder.write(f"{FOLDER}/review.json", json_bytes(content, indent=1))]


def _sheet(cells: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint8]:
    rows = (len(cells) + COLUMNS - 1) // COLUMNS
    height, width = CELL_HEIGHT + LABEL_HEIGHT, CELL_WIDTH
    out = np.zeros((rows * height, COLUMNS * width, 3), np.uint8)
    for place, cell in enumerate(cells):
        row, col = divmod(place, COLUMNS)
        out[row * height : (row + 1) * height, col * width : (col + 1) * width] = cell
    return out
