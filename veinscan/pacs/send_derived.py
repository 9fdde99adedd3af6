"""Segmentations and printed plans of a version that is sent: made once, kept beside the study, then sent."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.pacs.queue_facts import facts_of
from veinscan.pacs.select_derived import why_not_segmentation
from veinscan.plan.model import Record
from veinscan.record.files import NotWritableError, make_folder, mode_of_folder, write_new
from veinscan.record.segmentation import outlined, save_segmentations
from veinscan.record.store import FOLDER, StudyLike

PdfMaker = Callable[[Any, Record, Path], object]
"""(study, saved version, file ending in .dcm): writes the version as an Encapsulated PDF, as
`veinscan.report.write_report(..., format='dicom')` does."""


@dataclass(frozen=True)
class _Part:
    """A study with some of its clips."""

    root: Path
    clips: tuple[Any, ...]
    study_instance_uid: str
    header: Callable[[], Dataset]
    record_paths: tuple[Path, ...] = ()


def segmentations_of(study: StudyLike, record: Record) -> tuple[Path, ...]:
    """The Segmentations of a saved version beside its study: those that are there, and new ones.

    Raises NotSavedError where one cannot be written or does not read back.
    """
    there = [path for path, kind in _derived(study) if kind == "segmentation"]
    found, missing = [], []
    for clip in study.clips:
        if not outlined(record, str(clip.sop_instance_uid)):
            continue
        mine = next((path for path in there if _shows(path, record, str(clip.sop_instance_uid))), None)
        if mine is None:
            missing.append(clip)
        else:
            found.append(mine)
    if missing:
        part = _Part(Path(study.root), tuple(missing), study.study_instance_uid, study.header)
        found += save_segmentations(part, record)
    return tuple(found)


def report_of(study: StudyLike, record: Record, make: PdfMaker) -> Path | bytes:
    """A saved version as an Encapsulated PDF: the one beside the study, or a new one.

    The bytes where the study's folder cannot be written.  Raises NotSavedError where it was not made whole.
    """
    for path, kind in _derived(study):
        if kind == "report" and set(facts_of(path).after) == set(record.heads):
            return path
    with tempfile.TemporaryDirectory(prefix="veinscan-") as folder:
        made = Path(folder) / "plan.dcm"
        make(study, record, made)
        try:
            uid, data = facts_of(made).sop_instance_uid, made.read_bytes()
        except (InvalidInputError, OSError) as error:
            raise NotSavedError("the printed plan was not written as a DICOM document") from error
    place = Path(study.root) / FOLDER
    try:
        make_folder(place)
        write_new(place / f"{uid}.dcm", data, mode=mode_of_folder(place))
    except NotWritableError:
        return data
    return place / f"{uid}.dcm"


def as_saved(record: Record, sop_instance_uid: str) -> Record:
    """The record as the version that holds it."""
    return replace(record, heads=(sop_instance_uid,))


def _derived(study: StudyLike) -> Iterator[tuple[Path, str]]:
    try:
        files = sorted((Path(study.root) / FOLDER).glob("*.dcm"))
    except OSError:
        return
    for path in files:
        try:
            facts = facts_of(path)
        except InvalidInputError:
            continue
        if facts.study_instance_uid == study.study_instance_uid:
            yield path, facts.kind


def _shows(path: Path, record: Record, clip: str) -> bool:
    return clip_of(path) == clip and not why_not_segmentation(path, [record])


def clip_of(path: Path) -> str:
    """SOP Instance UID of what a Segmentation was drawn on; '' where it does not say."""
    import pydicom

    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["ReferencedSeriesSequence"])
        return str(dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID)
    except Exception:  # pydicom raises nearly anything on damaged bytes
        return ""
