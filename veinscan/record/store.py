"""Loading and saving: the versions beside a study, their merge, and a new version for every save."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pydicom.dataset import Dataset

from veinscan.errors import InvalidInputError, NotSavedError, RecordError
from veinscan.plan.editing import new_record
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Reader, Record
from veinscan.plan.normal import is_uid, normalised, now
from veinscan.plan.vocabulary import RecordState
from veinscan.record.bases import common_base
from veinscan.record.files import NotWritableError, make_folder, mode_of_folder, sweep, write_new
from veinscan.record.merge import merge
from veinscan.record.versions import (
    PackedRecord,
    Version,
    ancestors,
    behind,
    common_ancestors,
    heads,
    needed,
    parse,
    read_versions,
)
from veinscan.settings import data_dir

FOLDER = "veinscan"
"""Beside the study: where its records lie."""


class StudyLike(Protocol):
    """What is used of a `veinscan.dicom` Study here."""

    @property
    def study_instance_uid(self) -> str: ...  # noqa: D102
    @property
    def root(self) -> Path: ...  # noqa: D102
    @property
    def clips(self) -> tuple[Any, ...]: ...  # noqa: D102
    @property
    def record_paths(self) -> tuple[Path, ...]: ...  # noqa: D102
    @property
    def header(self) -> Callable[[], Dataset]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class SavedRecord:
    """A save that reached the disk and was read back."""

    path: Path
    record: Record
    """As read back; its `heads` are the new version."""
    beside_study: bool = True
    note: str = ""
    """Where the file is and why, when it is not beside the study; empty else."""


def study_folder(study_instance_uid: str, kind: str) -> Path:
    """The user's own folder of a study for `kind` ('records' or 'drafts').

    Its name is the study's UID, or a hash of it where the header holds no valid UID.
    """
    name = study_instance_uid
    if not is_uid(name):
        name = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()
    return data_dir() / kind / name


def user_folder(study_instance_uid: str) -> Path:
    """Where records of a study lie when its own folder cannot be written."""
    return study_folder(study_instance_uid, "records")


def record_paths(study: StudyLike) -> list[Path | PackedRecord]:
    """Every file that may hold a version of the study's record, as the folders and the zip are now."""
    found = {Path(path) for path in study.record_paths}
    for folder in (Path(study.root) / FOLDER, user_folder(study.study_instance_uid)):
        try:
            found.update(path for path in folder.iterdir() if path.suffix == ".dcm")
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise RecordError(
                f"the folder of records cannot be read: {reason}",
                where=str(folder),
                do="ask for the right to read it",
            ) from error
    return [*sorted(found), *getattr(study, "packed_records", ())]


def load_record(study: StudyLike, *, reading_id: str | None = None) -> Record:
    """The record of a study: its latest version, or two of the same parent merged.

    Parameters
    ----------
    study : Study
    reading_id : str, optional
        Default: the plan that all readers of the study share.

    Raises
    ------
    RecordError
        When a version that may be the latest cannot be read: never treated
        as 'no record'.
    """
    empty = new_record(study)
    reading_id = reading_id or empty.reading.id
    versions = _versions(study)
    # versions replace each other within a reading only: the heads of all are the heads of each
    mine = [version for version in heads(versions) if version.content.record.reading.id == reading_id]
    if not mine:
        if reading_id == empty.reading.id:
            return empty
        raise InvalidInputError(
            f"the study has no reading {reading_id!r}", do="list the readings of the study"
        )
    return merged([version.sop_instance_uid for version in mine], versions, empty)


_MERGE_DEPTH = 1
"""How often several nearest common versions are merged with all that lies behind them before it is judged
from them alone: programs that save in turns leave several at every step, back to the beginning."""


def merged(
    uids: list[str], versions: Mapping[str, Version], empty: Record, depth: int = _MERGE_DEPTH
) -> Record:
    """One record of several versions, each pair merged relative to what they have in common.

    Several nearest common ancestors are merged themselves, `depth` times over;
    beyond that what both began from is judged from them alone (`common_base`).
    """
    ordered = sorted(uids, key=lambda uid: versions[uid].when)
    record = _at(ordered[0], versions)
    seen = ancestors(ordered[0], versions)
    for uid in ordered[1:]:
        behind = ancestors(uid, versions)
        nearest = _readable(common_ancestors(seen, behind, versions), versions)
        other = _at(uid, versions)
        if not nearest:
            base = replace(empty, reading=record.reading)
        elif depth or len(nearest) == 1:
            base = merged(nearest, versions, empty, depth - 1)
        else:
            base = common_base([_at(one, versions) for one in nearest], record, other)
        record = merge(base, record, other)
        seen |= behind
    return record


def _readable(uids: list[str], versions: Mapping[str, Version]) -> list[str]:
    """In order of time; a damaged common ancestor hides no head: without it more is told as a conflict."""
    found = []
    for uid in uids:
        with contextlib.suppress(RecordError):
            found.append((versions[uid].when, uid))
    return [uid for _, uid in sorted(found)]


def save_record(study: StudyLike, record: Record, reader: Reader) -> SavedRecord:
    """Write a new version of the record beside the study, read it back, and only then say so.

    Nothing earlier is touched.  Where the study's folder cannot be written the
    version goes to the user's data directory and `note` says so.

    Raises
    ------
    NotSavedError
        With the reason; also for a record that is read-only.
    InvalidInputError
        For a record that holds what no file can (see `plan.normal.normalised`).
    """
    from veinscan.record.document import References, baseline_instances, build

    if record.read_only:
        raise NotSavedError(f"not saved: {record.read_only}", do="update veinscan")
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
    to_save = replace(normalised(record), version=record.version + 1)
    uid = new_uid()
    try:
        data = build(
            to_save,
            header=study.header(),
            references=References(
                [*baseline_instances(to_save), *_instances(study, _lost_references(study, to_save))]
            ),
            sop_instance_uid=uid,
            reader=reader,
            saved_at=now(),
            replaces=_replaced(study, to_save),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise NotSavedError(
            f"not saved: the document cannot be made ({type(error).__name__}: {error})", where=str(study.root)
        ) from error
    read_back = _content(data, Path(f"{uid}.dcm"), to_save)
    folders = (Path(study.root) / FOLDER, user_folder(study.study_instance_uid))
    path = folders[0] / f"{uid}.dcm"
    try:
        make_folder(folders[0])
        sweep(folders[0])
        write_new(path, data, mode=mode_of_folder(folders[0], _a_file(study)))
    except NotWritableError as error:
        path = folders[1] / f"{uid}.dcm"
        make_folder(folders[1], private=True)
        sweep(folders[1])
        write_new(path, data, mode=0o600)
        reason = error.what.removeprefix("not saved: ")
        note = f"the study's folder cannot be written ({reason}); saved as {path}"
        return SavedRecord(path, read_back, beside_study=False, note=note)
    return SavedRecord(path, read_back)


def _replaced(study: StudyLike, record: Record) -> tuple[str, ...]:
    """The versions that a new one names as its predecessors: those it was read from, and others behind them.

    Work in progress names the versions it was read from.  A final version, and each that follows one, names
    all behind it as well: where some of them are missing, as in an archive that was sent the final ones
    only, no earlier one then passes for the latest.
    """
    if not record.heads or record.status.state is RecordState.SAVED:
        return record.heads
    try:
        versions, _ = read_versions(record_paths(study), study.study_instance_uid)
    except RecordError:
        return record.heads
    return behind(record.heads, versions)


def _content(data: bytes, path: Path, expected: Record) -> Record:
    """What the bytes say, when they say what they should (`write_new` then compares bytes on the disk)."""
    version = parse(data, path)
    if version is None:
        raise NotSavedError("not saved: the document is not recognised as ours", where=path.name)
    found = version.content.record
    if replace(found, heads=expected.heads) != expected:
        raise NotSavedError("not saved: the document does not say what the record says", where=path.name)
    return replace(found, heads=(version.sop_instance_uid,))


def _at(uid: str, versions: Mapping[str, Version]) -> Record:
    return replace(versions[uid].content.record, heads=(uid,))


def _versions(study: StudyLike) -> dict[str, Version]:
    versions, damaged = read_versions(record_paths(study), study.study_instance_uid)
    error = needed(damaged, versions)
    if error is not None:
        raise error
    return versions


def _lost_references(study: StudyLike, record: Record) -> list[tuple[str, str, str, str]]:
    """What earlier versions knew of clips that the study has no more."""
    from veinscan.record.document import baseline_instances, marked_clips

    clips = {str(clip.sop_instance_uid) for clip in study.clips}
    known = {one.sop_instance_uid for one in baseline_instances(record)}
    if set(marked_clips(record)) <= clips | known:
        return []
    try:
        versions, _ = read_versions(record_paths(study), study.study_instance_uid)
    except RecordError:
        return []
    found: list[tuple[str, str, str, str]] = []
    for version in versions.values():
        with contextlib.suppress(RecordError):
            found += version.references
    return found


def _instances(study: StudyLike, lost: Iterable[tuple[str, str, str, str]]) -> list[Any]:
    from veinscan.record.document import Instance

    instances = [Instance(*reference) for reference in lost]
    instances += [
        Instance(
            str(clip.sop_class_uid),
            str(clip.sop_instance_uid),
            str(clip.series_instance_uid),
            str(study.study_instance_uid),
        )
        for clip in study.clips
    ]
    return instances


def _a_file(study: StudyLike) -> Path | None:
    return next((Path(clip.path) for clip in study.clips), None)
