"""`open_study`: a folder, a file or a zip to a `Study`."""

from __future__ import annotations

import operator
import zipfile
from collections.abc import Callable
from pathlib import Path

from veinscan.dicom.examination import Document, Study
from veinscan.dicom.found import RECORD_FOLDER, Found, chosen_study, look_at, sort_in
from veinscan.dicom.guard import DEFAULT_LIMITS, Limits, only_veinscan_errors
from veinscan.dicom.header import read_header
from veinscan.dicom.sources import FolderSource, SingleFileSource, Source, ZipSource
from veinscan.errors import NoStudyError, UnreadableError

Progress = Callable[[int, int], None]
"""Called with (done, total); may raise CancelledError."""


def open_study(
    path: str | Path,
    *,
    study_uid: str | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Study:
    """Open an examination.  Only headers are read, and nothing is written.

    Parameters
    ----------
    path : str or Path
        A folder, a DICOM file, a zip, or a DICOMDIR (its folder is opened).
    study_uid : str, optional
        StudyInstanceUID to take where there are several.
    progress : callable, optional
        Called with (files done, files in all); may raise CancelledError.
    limits : Limits
        What untrusted input may cost.

    Raises
    ------
    NoStudyError
        Where nothing there is an ultrasound object that can be read.
    AmbiguousStudyError
        Where several studies, or several patients in one, are there and `study_uid` does not decide.
    """
    place = Path(path).absolute()
    source = _source(place, limits)
    found = _look_through(source, limits, progress)
    return chosen_study(found, source, study_uid, limits)


def _source(path: Path, limits: Limits) -> Source:
    where = path.name
    with only_veinscan_errors("it cannot be looked at", where=where, error=NoStudyError):
        if path.is_dir():
            return FolderSource(path, limits)
        if not path.exists():
            raise NoStudyError("there is no such file or folder", where=str(path), do="check the path")
        if path.is_file() and path.name.upper() == "DICOMDIR":
            return FolderSource(path.absolute().parent, limits)
        if path.is_file() and zipfile.is_zipfile(path) and not _has_dicom_mark(path):
            return ZipSource(path.absolute(), limits)
        if path.is_file() and _starts_as_zip(path):
            raise NoStudyError(
                "the zip is incomplete or damaged: its list of contents cannot be read",
                where=where,
                do="fetch or pack it again",
            )
        return SingleFileSource(path.absolute(), limits)


def _starts_as_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04" and not _has_dicom_mark(path)


def _has_dicom_mark(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _look_through(source: Source, limits: Limits, progress: Progress | None) -> Found:
    found = Found()
    where, done = source.path.name, 0
    with only_veinscan_errors("it cannot be looked through", where=where, error=NoStudyError):
        # a folder is listed first: then there is a total to tell
        entries = iter(list(source.entries()) if isinstance(source, FolderSource) else source.entries())
        total = operator.length_hint(entries)
    while True:
        with only_veinscan_errors("it cannot be looked through", where=where, error=NoStudyError):
            entry = next(entries, None)
        if entry is None:
            break
        look_at(entry, found, limits)
        done += 1
        if progress is not None:
            progress(done, max(total, source.expected, done))
    found.skipped.extend(source.skipped)
    if not isinstance(source, FolderSource):
        _records_beside(source.root, found, limits)
    return found


def _records_beside(root: Path, found: Found, limits: Limits) -> None:
    """Own records in the `veinscan` folder beside a single file or a zip."""
    folder = root / RECORD_FOLDER
    if not folder.is_dir():
        return
    beside = Found()
    source = FolderSource(folder, limits)
    for entry in source.entries():
        try:
            with only_veinscan_errors("it cannot be read", where=entry.name), entry.at_hand():
                sort_in(read_header(entry, limits), entry, beside, limits)
        except UnreadableError:
            if entry.name.lower().endswith(".dcm"):
                beside.records.append(("", entry.path))
    studies = {facts.study_instance_uid for facts, _ in found.clips}
    known = {path for _, path in found.records}
    found.records.extend(r for r in beside.records if r[0] in studies | {""} and r[1] not in known)


__all__ = ["open_study", "Study", "Document", "Progress", "RECORD_FOLDER"]
