"""`export_studies`: from studies to a finished data set."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from veinscan.deidentify.key import ProjectKey
from veinscan.dicom import Study
from veinscan.dicom.patients import patient_in
from veinscan.errors import InvalidInputError
from veinscan.export import agreement, coco, nnunet, review, summary, table_files
from veinscan.export.folder import ExportFolder, json_bytes, open_folder
from veinscan.export.model import ExportOptions, Format, Item, Split, WrittenFile
from veinscan.export.names import name_of, study_mark
from veinscan.export.people import Question, groups_of, patient_for, questions_of
from veinscan.export.splits import split_patients
from veinscan.export.study import pseudonym_of
from veinscan.export.work import PICTURES, Done, Job, do_job

Progress = Callable[[int, int, Done], None]
"""Called with (studies done, studies in all, the last of them); may raise CancelledError."""
Runner = Callable[[Sequence[Job]], Iterable[Done]]
"""Does jobs, in any order; `veinscan.batch` has those of several processes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of an export."""

    folder: Path
    cases: int
    """Clips."""
    files: tuple[str, ...]
    """What lies at the top of the data set, relative, with `/`; `checksums.sha256` lists every file."""
    failed: tuple[tuple[str, str], ...]
    """(study, reason) of those that could not be exported."""
    not_judged: int
    """Sentences of what a person has to look at."""
    questions: int = 0
    """How many of them are about who is who."""


def item_of(study: Study, key: ProjectKey) -> Item:
    """A study as it is listed for an export."""
    patient = pseudonym_of(study, key)
    name = name_of(key, patient, study.study_instance_uid)
    return Item(str(study.path), study.study_instance_uid, patient, name, patient_in(study.header()))


def _as_said(item: Item, options: ExportOptions, key: ProjectKey) -> Item:
    """The item under the patient that a person said it is of."""
    patient = patient_for(item.patient, study_mark(item.name), options.people)
    return replace(item, patient=patient, name=name_of(key, patient, item.study_uid))


def one_after_the_other(jobs: Sequence[Job]) -> Iterator[Done]:
    """The runner of a single process: this one."""
    return (do_job(job) for job in jobs)


def export_studies(
    items: Iterable[Item],
    folder: str | Path,
    options: ExportOptions,
    key: ProjectKey,
    *,
    said: dict[str, review.Said] | None = None,
    runner: Runner = one_after_the_other,
    progress: Progress | None = None,
) -> Exported:
    """Write a data set of some studies, de-identified.

    Parameters
    ----------
    items : iterable of Item
        See `item_of`.
    folder : path
        New or empty; or of the same export, interrupted: it then goes on.
    options : ExportOptions
    key : ProjectKey
        The secret of the project that pseudonyms are made with.
    said : dict, optional
        What a person said of clips (`review.read_review`).
    runner
        Does the studies; default one after the other in this process.
    progress : callable, optional

    The same studies, options and key give the same bytes, whoever does it and
    however often it was interrupted.  A study that fails is listed and stops nothing;
    the same export called again tries those that failed, and only those.

    Raises
    ------
    InvalidInputError
        The folder is not empty, or two studies are the same one.
    VeinscanError
        The folder cannot be written, or a part that a format needs is not installed.
    """
    listed = sorted((_as_said(item, options, key) for item in items), key=lambda item: item.name)
    _check_items(listed)
    questions = questions_of(listed)
    said = said or {}
    target = open_folder(Path(folder), _asked(listed, options, key, said))
    groups = groups_of((item.patient for item in listed), questions)
    splits = split_patients(groups, options.fractions, options.seed, groups)
    names = [item.name for item in listed]
    by_study: dict[str, dict[str, review.Said]] = {}
    for uid, one in said.items():
        by_study.setdefault(one.study, {})[uid] = one
    todo = [
        Job(
            replace(item, person=None),
            splits[item.patient],
            str(target.root.absolute()),
            options,
            key,
            by_study.get(study_mark(item.name), {}) | by_study.get("", {}),
        )
        for item in listed
        if target.part(item.name) is None
    ]
    failed: dict[str, Done] = {}
    done_before = len(listed) - len(todo)
    for count, done in enumerate(runner(todo), start=1):
        if done.reason:
            failed[done.name] = done
        if progress is not None:
            progress(done_before + count, len(listed), done)
    target.forget(failed)
    return _finished(target, names, failed, splits, questions, options, key)


def _check_items(items: Sequence[Item]) -> None:
    if not items:
        raise InvalidInputError("there is no study to export", do="give a folder, a file or a zip with one")
    for one, other in itertools.pairwise(items):
        if one.name == other.name:
            raise InvalidInputError(
                f"study {one.study_uid} is given twice", where=other.path, do="give every study once"
            )


def _asked(
    items: Sequence[Item], options: ExportOptions, key: ProjectKey, said: dict[str, review.Said]
) -> str:
    """A mark of what is asked for; says nothing of studies to whoever has not the key."""
    from veinscan import __version__

    text = repr((__version__, [item.name for item in items], options, review.review_mark(said)))
    return key.name("export", hashlib.sha256(text.encode()).hexdigest(), 40)


def _finished(
    folder: ExportFolder,
    names: Sequence[str],
    failed: dict[str, Done],
    splits: dict[str, Split],
    questions: Sequence[Question],
    options: ExportOptions,
    key: ProjectKey,
) -> Exported:
    def parts() -> Iterator[dict[str, Any]]:
        return folder.parts(names)

    formats = options.formats
    written: list[WrittenFile] = []
    if Format.COCO in formats:
        written += coco.write_dataset(folder, parts, summary.info())
    if Format.NNUNET in formats:
        written += nnunet.write_dataset(folder, parts, options.nnunet_id)
    if Format.CSV in formats:
        written += table_files.write_csv(folder, parts)
    if Format.PARQUET in formats:
        written += table_files.write_parquet(folder, parts)
    if {Format.CSV, Format.PARQUET} & set(formats):
        written.append(table_files.write_dictionary(folder))
    if PICTURES & set(formats):
        entries = (entry for part in parts() for entry in part["review"])
        written += review.write_dataset(folder, entries)
    rows = [row for part in parts() for row in part.get("agreement", ())]
    if rows:
        written.append(table_files.write_table(folder, "agreement.csv", agreement.COLUMNS, rows))
    counts, doubts = summary.counts_of(parts(), failed, questions)
    not_judged = summary.not_judged(parts(), failed, questions)
    written.append(folder.write("not_judged.json", json_bytes(not_judged, indent=1)))
    used = {part["patient"] for part in parts()}
    patients = {patient: split.value for patient, split in splits.items() if patient in used}
    told = {part["study"]: part["readings"] for part in parts()}
    written.append(folder.write("readings.json", json_bytes(told, indent=1)))
    written.append(folder.write("splits.json", json_bytes(patients, indent=1)))
    checksums = summary.write_checksums(folder, parts(), written)
    dataset = summary.dataset_json(options, key, counts, checksums)
    top = folder.finish(dataset, complete=not failed)
    return Exported(
        folder=folder.root,
        cases=counts["clips"],
        files=tuple(sorted(file.path for file in (*written, checksums, top))),
        failed=tuple(sorted((name, done.reason) for name, done in failed.items())),
        not_judged=doubts,
        questions=len(questions),
    )
