"""DICOM: clean images, with the readings as structured reports and outlines as segmentations beside them.

Reports and segmentations are not copies with names taken out: they are built
anew from the de-identified record, by the same code that saves a record.  So
they open in veinscan as a study with its record, and every reference of
theirs meets an image of the export.
"""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from veinscan.deidentify.header import clean_header, mark_deidentified
from veinscan.deidentify.identity import Identity
from veinscan.deidentify.image import clean_image
from veinscan.export.folder import ExportFolder
from veinscan.export.model import Format, WrittenFile
from veinscan.export.review import is_confirmed
from veinscan.export.study import ClipCase, ReadingCase, StudyCase
from veinscan.plan.model import Reader
from veinscan.record.document import Instance, References, build
from veinscan.record.segmentation import build_segmentation, outlined

FOLDER = "dicom"
NO_DATE = datetime(1900, 1, 1, tzinfo=UTC)
"""Stands for a date in an object that must have one, where dates are removed."""


class _Clip:
    """A clip under its pseudonyms, as the writers of objects ask for it."""

    def __init__(self, case: ClipCase, identity: Identity) -> None:
        clip = case.clip
        self.file = case.name
        self.sop_class_uid = clip.sop_class_uid
        self.sop_instance_uid = case.sop_instance_uid
        self.series_instance_uid = identity.uid(clip.series_instance_uid)
        self.n_frames, self.rows, self.columns = clip.n_frames, clip.rows, clip.columns


def write_case(
    case: StudyCase, folder: ExportFolder, formats: tuple[Format, ...], review: dict[str, Any]
) -> list[WrittenFile]:
    """Images of a study, and its reports and segmentations by `formats`."""
    root = f"{FOLDER}/{case.name}"
    files = []
    for clip in case.clips:
        if clip.has_pixels:
            confirmed = is_confirmed(clip, review)
            data = clean_image(clip.clip, case.identity, clip.keep, confirmed=confirmed)
            files.append(folder.write(f"{root}/{clip.name}.dcm", data))
    if not case.clips:
        return files
    header = clean_header(case.study.clips[0].raw_header(), case.identity)
    clips = {clip.sop_instance_uid: _Clip(clip, case.identity) for clip in case.clips}
    for reading in case.readings:
        number = reading.record.reading.id
        if Format.DICOM_SR in formats:
            uid = _uid(case, "report", number)
            files.append(
                folder.write(f"{root}/veinscan/{uid}.dcm", _report(case, reading, header, clips, uid))
            )
        if Format.DICOM_SEG in formats and reading is case.chosen:
            files += _segmentations(case, reading, header, clips, folder, root)
    return files


def _uid(case: StudyCase, *parts: str) -> str:
    """A UID of our own making that is the same in every run."""
    return case.identity.key.uid("|".join(("made", case.study_instance_uid, *parts)))


def _moment(case: StudyCase, reading: ReadingCase) -> datetime:
    saved = reading.original.saved_at
    return (None if saved is None else case.identity.moment(saved)) or NO_DATE


def _report(
    case: StudyCase, reading: ReadingCase, header: Dataset, clips: dict[str, _Clip], uid: str
) -> bytes:
    instances = [
        Instance(clip.sop_class_uid, clip.sop_instance_uid, clip.series_instance_uid, case.study_instance_uid)
        for clip in clips.values()
    ]
    data = build(
        replace(reading.record, heads=()),
        header=header,
        references=References(instances),
        sop_instance_uid=uid,
        reader=Reader(name=reading.reader or "reader"),
        saved_at=_moment(case, reading),
    )
    return _marked(data, case.identity)


def _segmentations(
    case: StudyCase,
    reading: ReadingCase,
    header: Dataset,
    clips: dict[str, _Clip],
    folder: ExportFolder,
    root: str,
) -> list[WrittenFile]:
    files = []
    for clip_uid, clip in clips.items():
        outlines = outlined(reading.record, clip_uid)
        if outlines:
            uid = _uid(case, "segmentation", reading.record.reading.id, clip_uid)
            data = build_segmentation(
                outlines, clip, header, sop_instance_uid=uid, made_at=_moment(case, reading)
            )
            files.append(folder.write(f"{root}/segmentations/{uid}.dcm", _marked(data, case.identity)))
    return files


def _marked(data: bytes, identity: Identity) -> bytes:
    """The object with what says how it was de-identified; it has no pixels of a person's."""
    dataset = pydicom.dcmread(io.BytesIO(data))
    mark_deidentified(dataset, identity, confirmed=True)
    if "ContributingEquipmentSequence" in dataset:
        del dataset.ContributingEquipmentSequence  # holds the moment at which the object was made
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(dataset.SOPInstanceUID)
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
