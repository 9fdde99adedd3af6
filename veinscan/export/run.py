"""`export_studies`: from studies to a finished data set."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veinscan.deidentify.identity import Pixels
from veinscan.deidentify.key import ProjectKey
from veinscan.dicom import Study
from veinscan.errors import InvalidInputError
from veinscan.export import agreement, coco, nnunet, review, table_files
from veinscan.export.folder import CHECKSUMS, SCHEMA, ExportFolder, json_bytes, open_folder
from veinscan.export.model import ExportOptions, Format, Split, WrittenFile
from veinscan.export.names import name_of
from veinscan.export.splits import split_patients
from veinscan.export.study import pseudonym_of
from veinscan.export.work import PICTURES, Done, Item, Job, do_job

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


def item_of(study: Study, key: ProjectKey) -> Item:
    """A study as it is listed for an export."""
    patient = pseudonym_of(study, key)
    name = name_of(key, patient, study.study_instance_uid)
    return Item(str(study.path), study.study_instance_uid, patient, name)


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
    listed = sorted(items, key=lambda item: item.name)
    _check_items(listed)
    said = said or {}
    target = open_folder(Path(folder), _asked(listed, options, key, said))
    splits = split_patients((item.patient for item in listed), options.fractions, options.seed)
    names = [item.name for item in listed]
    todo = [
        Job(item, splits[item.patient], str(target.root.absolute()), options, key, said)
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
    return _finished(target, names, failed, splits, options, key)


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
    options: ExportOptions,
    key: ProjectKey,
) -> Exported:
    def parts() -> Iterator[dict[str, Any]]:
        return folder.parts(names)

    formats = options.formats
    written: list[WrittenFile] = []
    if Format.COCO in formats:
        written += coco.write_dataset(folder, parts, _info())
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
    counts, doubts = _counts(parts(), failed)
    written.append(folder.write("not_judged.json", json_bytes(_doubts(parts(), failed), indent=1)))
    used = {part["patient"] for part in parts()}
    patients = {patient: split.value for patient, split in splits.items() if patient in used}
    told = {part["study"]: part["readings"] for part in parts()}
    written.append(folder.write("readings.json", json_bytes(told, indent=1)))
    written.append(folder.write("splits.json", json_bytes(patients, indent=1)))
    checksums = _write_checksums(folder, parts(), written)
    dataset = _dataset(options, key, counts, checksums)
    top = folder.finish(dataset, complete=not failed)
    return Exported(
        folder=folder.root,
        cases=counts["clips"],
        files=tuple(sorted(file.path for file in (*written, checksums, top))),
        failed=tuple(sorted((name, done.reason) for name, done in failed.items())),
        not_judged=doubts,
    )


def _info() -> dict[str, str]:
    from veinscan import __version__

    return {"description": "veinscan export, de-identified", "version": __version__}


def _counts(parts: Iterable[dict[str, Any]], failed: dict[str, Done]) -> tuple[dict[str, Any], int]:
    """Sums over the parts, and how many sentences there are to look at."""
    sums = ("clips", "frames", "labelled_frames", "negative_clips", "confirmed_clips")
    counts: dict[str, Any] = {"patients": 0, "studies": 0, "failed": len(failed), **dict.fromkeys(sums, 0)}
    patients: set[str] = set()
    marks: dict[str, int] = {}
    splits: dict[str, int] = {split.value: 0 for split in Split}
    doubts = 0
    for part in parts:
        patients.add(part["patient"])
        counts["studies"] += 1
        splits[part["split"]] += 1
        doubts += len(part["not_judged"])
        for name in sums:
            counts[name] += part.get(name, 0)
        for name, number in part["marks"].items():
            marks[name] = marks.get(name, 0) + number
    return {
        **counts,
        "patients": len(patients),
        "marks": dict(sorted(marks.items())),
        "splits": splits,
    }, doubts


def _doubts(parts: Iterable[dict[str, Any]], failed: dict[str, Done]) -> dict[str, Any]:
    """What the export could not judge, and what it left out."""
    return {
        "clips": [entry for part in parts for entry in part["not_judged"]],
        "failed": [
            {"study": name, "reason": done.told or done.reason} for name, done in sorted(failed.items())
        ],
        "always": [
            "Text inside the picture is searched for, not recognised: a person looks at the contact sheets.",
            "Faces, skin and rare findings that could tell who somebody is are not searched for.",
        ],
    }


def _write_checksums(
    folder: ExportFolder, parts: Iterable[dict[str, Any]], written: Iterable[WrittenFile]
) -> WrittenFile:
    """`checksums.sha256`, as `sha256sum -c` reads it."""
    temporary = folder.root / f"{CHECKSUMS}.part"
    with temporary.open("w", encoding="ascii", newline="\n") as file:
        for part in parts:
            for path, digest, _ in part["files"]:
                file.write(f"{digest}  {path}\n")
        for one in written:
            file.write(f"{one.sha256}  {one.path}\n")
    temporary.replace(folder.root / CHECKSUMS)
    return folder.note(CHECKSUMS)


def _dataset(
    options: ExportOptions, key: ProjectKey, counts: dict[str, Any], checksums: WrittenFile
) -> dict[str, Any]:
    from veinscan import __version__
    from veinscan.deidentify.table import EDITION
    from veinscan.plan.thresholds import DEFAULT_PROFILE, version

    return {
        "format": "veinscan-dataset",
        "schema": SCHEMA,
        "veinscan": __version__,
        "project": key.mark,
        "parameters": _plain(asdict(options)),
        "thresholds": {"profile": DEFAULT_PROFILE, "version": version()},
        "deidentification": {
            "profile": f"PS3.15 E.1 basic profile, table E.1-1 of {EDITION}",
            "dates": options.deidentify.dates.value,
            "notes": options.deidentify.notes,
            "pixels": _PIXELS[options.deidentify.pixels],
        },
        "counts": counts,
        "checksums": {"file": checksums.path, "sha256": checksums.sha256},
    }


_PIXELS = {
    Pixels.CLEANED: "black outside the usable regions; see review/",
    Pixels.WHOLE: "not cleaned: whole screens, with their banners",
}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value
