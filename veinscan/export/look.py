"""Clips as they would leave, for a person to look at before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.deidentify.key import ProjectKey
from veinscan.errors import VeinscanError
from veinscan.export.model import ExportOptions
from veinscan.export.names import study_mark
from veinscan.export.review import Said, cell_picture
from veinscan.export.study import study_case

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.dicom.model import Box


@dataclass(frozen=True, slots=True)
class Look:
    """One clip, as it would leave."""

    file: str
    """Of the study on show; never written."""
    clip: str
    sop_instance_uid: str
    """Both are pseudonyms."""
    pixels: str
    boxes: tuple[Box, ...]
    """What is kept."""
    writing: tuple[Box, ...]
    """What looks like writing in it."""
    doubts: tuple[str, ...]
    picture: npt.NDArray[np.uint8] = field(repr=False)
    """(rows, cols, 3): the first frame, with a frame around each of `writing`."""

    def said(self, by: str, *, black: bool = False) -> Said:
        """That somebody looked and found nobody named: as it is, or once what looks like writing is black."""
        return Said(
            clean=True,
            by=by,
            pixels=self.pixels,
            boxes=self.boxes,
            black=self.writing if black else (),
            study=study_mark(self.clip),
        )


def looks_at(study: Study, key: ProjectKey, options: ExportOptions) -> tuple[Look, ...]:
    """Every clip of a study of which pixels would leave.

    What is said of them (`Look.said`) goes into `export_studies(said=...)` by
    `sop_instance_uid`, with the same study, key and options.

    Raises
    ------
    RecordError
        A record cannot be read.
    """
    found = []
    for clip in study_case(study, key, replace(options, search=None)).clips:
        if not clip.has_pixels:
            continue
        try:
            picture = cell_picture(clip)
        except VeinscanError:
            continue  # its export fails too, and says so
        found.append(
            Look(
                file=clip.clip.file,
                clip=clip.name,
                sop_instance_uid=clip.sop_instance_uid,
                pixels=clip.pixels_mark,
                boxes=clip.keep.boxes,
                writing=clip.writing,
                doubts=clip.keep.doubts,
                picture=picture,
            )
        )
    return tuple(found)
