"""`Study`: the clips of one examination, and what else lay with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom

from veinscan.dicom.calibration import ManualCalibration, ManualColourScale
from veinscan.dicom.clip import Clip
from veinscan.dicom.guard import plain
from veinscan.dicom.model import Skipped
from veinscan.dicom.sources import Bytes
from veinscan.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Document:
    """A structured report or similar object found with the study, left alone."""

    path: str
    """Relative to the study, with `/`."""
    sop_class: str
    """Plain name of its class."""


class Study:
    """One examination: its clips in acquisition order, and what else lay there.  Made by `open_study`."""

    def __init__(
        self,
        path: Path,
        root: Path,
        study_instance_uid: str,
        clips: Sequence[Clip],
        skipped: Sequence[Skipped],
        record_paths: Sequence[Path],
        other_documents: Sequence[Document],
        packed_records: Sequence[Bytes] = (),
    ) -> None:
        self.path = path
        self.root = root
        self.study_instance_uid = study_instance_uid
        self.clips = tuple(clips)
        self.skipped = tuple(skipped)
        self.record_paths = tuple(record_paths)
        self.other_documents = tuple(other_documents)
        self.packed_records = tuple(packed_records)
        """veinscan's own records inside a zip, to be read from there."""

    def __repr__(self) -> str:
        return f"<Study of {len(self.clips)} clips, {len(self.skipped)} files skipped>"

    def clip(self, file_or_sop_uid: str) -> Clip:
        """The clip of a file (relative, with `/`) or a SOP Instance UID.

        Raises InvalidInputError where there is none.
        """
        for clip in self.clips:
            if file_or_sop_uid in (clip.file, clip.sop_instance_uid):
                return clip
        known = ", ".join(clip.file for clip in self.clips[:5])
        raise InvalidInputError(
            f"there is no clip '{plain(file_or_sop_uid)}' in the study", do=f"the clips are {known}"
        )

    def with_calibrations(self, calibrations: Iterable[ManualCalibration]) -> Study:
        """The same study with calibrations set by hand put on their clips, as a record keeps them.

        One for a clip that is not in the study is left out.  Raises as `Clip.with_calibration`.
        """
        by_clip: dict[str, list[ManualCalibration]] = {}
        for calibration in calibrations:
            by_clip.setdefault(calibration.sop_instance_uid, []).append(calibration)
        clips = [
            clip.with_calibration(*by_clip[clip.sop_instance_uid])
            if clip.sop_instance_uid in by_clip
            else clip
            for clip in self.clips
        ]
        return self._with_clips(clips)

    def with_colour_scales(self, scales: Iterable[ManualColourScale]) -> Study:
        """The same study with scales of colour bars that readers gave put on their clips.

        One for a clip that is not in the study is left out.  Raises as `Clip.with_colour_scale`.
        """
        by_clip = {scale.sop_instance_uid: scale for scale in scales}
        return self._with_clips(
            [
                clip.with_colour_scale(by_clip[clip.sop_instance_uid])
                if clip.sop_instance_uid in by_clip
                else clip
                for clip in self.clips
            ]
        )

    def _with_clips(self, clips: list[Clip]) -> Study:
        return Study(
            self.path,
            self.root,
            self.study_instance_uid,
            clips,
            self.skipped,
            self.record_paths,
            self.other_documents,
            self.packed_records,
        )

    def header(self) -> pydicom.Dataset:
        """The header of the first clip, for patient and study.  It holds patient data."""
        return self.clips[0].header()
