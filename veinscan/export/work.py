"""What is done for one study, in whatever process: open it, write its files, keep its part.

A part holds what the data set as a whole needs of a study, as plain values:
rows, COCO fragment, checksums, what could not be judged.  It is written last,
so a study is either done or done again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from veinscan.deidentify.key import ProjectKey
from veinscan.errors import (
    AmbiguousStudyError,
    DecodeError,
    NoStudyError,
    RecordError,
    UnreadableError,
    VeinscanError,
)
from veinscan.export import agreement, coco, dicom, nifti, nnunet, plan_json, review, tables
from veinscan.export.folder import ExportFolder
from veinscan.export.model import ExportOptions, Format, Item, Split, WrittenFile
from veinscan.export.study import StudyCase, study_case

PICTURES = frozenset({Format.COCO, Format.NNUNET, Format.NIFTI, Format.DICOM_SEG, Format.DICOM_SR})
"""Formats that hold pixels: they come with a contact sheet."""


@dataclass(frozen=True, slots=True)
class Job:
    """Everything a process needs to export one study."""

    item: Item
    split: Split
    folder: str
    options: ExportOptions
    key: ProjectKey = field(repr=False)
    review: dict[str, review.Said] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a job."""

    name: str
    frames: int = 0
    reason: str = ""
    """Why it failed, for the person at this machine; empty where it did not."""
    told: str = ""
    """The same in words that go into the export: a reason may hold a file's name or a UID."""


def do_job(job: Job) -> Done:
    """Export one study; never raises: whatever fails is a reason."""
    try:
        return Done(job.item.name, _done(job))
    except VeinscanError as error:
        return Done(job.item.name, reason=error.what, told=told(error))
    except MemoryError:
        return Done(job.item.name, reason="there is not enough memory for it")
    except Exception as error:
        return Done(job.item.name, reason=f"an unexpected fault ({type(error).__name__})")


_TOLD: tuple[tuple[type[VeinscanError], str], ...] = (
    (RecordError, "its record could not be read"),
    (AmbiguousStudyError, "its files name several patients or studies"),
    (NoStudyError, "no ultrasound image in it could be read"),
    (DecodeError, "a frame of it could not be decoded"),
    (UnreadableError, "a file of it could not be read"),
)


def told(error: VeinscanError) -> str:
    """What went wrong, in words of the program alone."""
    return next((words for kind, words in _TOLD if isinstance(error, kind)), "it could not be exported")


def _done(job: Job) -> int:
    from veinscan.dicom import open_study

    study = open_study(Path(job.item.path), study_uid=job.item.study_uid)
    case = study_case(study, job.key, job.options, split=job.split, review=job.review)
    if case.name != job.item.name:
        raise VeinscanError("the study has changed since it was listed")
    folder = ExportFolder(Path(job.folder))
    part = _part(case, folder, job)
    folder.finish_part(case.name, part)
    return int(part["frames"])


def _part(case: StudyCase, folder: ExportFolder, job: Job) -> dict[str, Any]:
    options, formats = job.options, job.options.formats
    files: list[WrittenFile] = []
    part: dict[str, Any] = {
        "study": case.name,
        "patient": case.identity.patient,
        "split": case.split.value,
        "clips": len(case.clips),
        "frames": sum(clip.clip.n_frames for clip in case.clips),
        "labelled_frames": sum(len(clip.frames) for clip in case.clips),
        "negative_clips": sum(clip.negative for clip in case.clips),
        "marks": _by_category(case),
        "readings": [
            {
                "reading_id": reading.record.reading.id,
                "purpose": reading.record.reading.purpose,
                "reader": reading.reader,
                "candidates_shown": reading.record.reading.candidates_shown,
                "sources": list(reading.record.reading.sources),
                "chosen": reading is case.chosen,
            }
            for reading in case.readings
        ],
        "not_judged": _not_judged(case),
    }
    if Format.COCO in formats:
        written, part["coco"] = coco.write_case(case, folder)
        files += written
    if Format.NNUNET in formats:
        written, part["nnunet"] = nnunet.write_case(case, folder, options.nnunet_id)
        files += written
    if Format.NIFTI in formats:
        files += nifti.write_case(case, folder)
    if {Format.DICOM_SEG, Format.DICOM_SR} & set(formats):
        files += dicom.write_case(case, folder, formats, job.review)
    if Format.JSON in formats:
        files += plan_json.write_case(case, folder)
    if {Format.CSV, Format.PARQUET} & set(formats):
        part["rows"] = tables.rows_of(case)
        if options.measure_reflux:
            from veinscan.export.strips import strip_rows

            part["rows"]["measurements"] += strip_rows(case)
    if len(case.readings) > 1:
        part["agreement"] = agreement.agreement_rows(case)
    if PICTURES & set(formats):
        part["review"] = review.write_case(case, folder, job.review)
        part["confirmed_clips"] = sum(entry["clean"] is True for entry in part["review"])
    part["files"] = [[file.path, file.sha256, file.size] for file in files]
    return json_ready(part)


def _by_category(case: StudyCase) -> dict[str, int]:
    found: dict[str, int] = {}
    for clip in case.clips:
        for mark in clip.marks:
            found[mark.category.value] = found.get(mark.category.value, 0) + 1
    return dict(sorted(found.items()))


def _not_judged(case: StudyCase) -> list[dict[str, str]]:
    """What a person has to look at, by clip."""
    found = [{"clip": case.name, "what": problem} for problem in case.problems]
    for clip in case.clips:
        found += [{"clip": clip.name, "what": doubt} for doubt in (*clip.keep.doubts, *clip.problems)]
        if clip.writing:
            places = len(clip.writing)
            found.append(
                {"clip": clip.name, "what": f"{_count(places, 'place')} inside the picture may be writing"}
            )
    skipped = sum("another study" not in one.reason for one in case.study.skipped)
    if skipped:
        found.append({"clip": case.name, "what": f"not read and not exported: {_count(skipped, 'file')}"})
    others = len(case.study.other_documents)
    if others:
        found.append({"clip": case.name, "what": f"left out: {_count(others, 'report')} of other software"})
    return found


def _count(number: int, one: str) -> str:
    return f"{number} {one if number == 1 else one + 's'}"


def json_ready(value: dict[str, Any]) -> dict[str, Any]:
    """The value as JSON gives it back: so that a resumed export and a fresh one see the same."""
    return dict(json.loads(json.dumps(value, allow_nan=False)))
