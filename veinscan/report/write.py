"""`write_report`: a record as a PDF, a page for a tablet, or a DICOM document of its study."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from veinscan.errors import InvalidInputError, NotSavedError
from veinscan.plan import thresholds
from veinscan.plan.model import Record
from veinscan.report.files import write_whole
from veinscan.report.sheet import make_sheet

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.record import Opened

FORMATS = {".pdf": "pdf", ".html": "html", ".htm": "html", ".dcm": "dicom"}
"""Suffix of a file to what is written."""

_STARTS = {
    "pdf": (0, b"%PDF-"),
    "html": (0, b"<!doctype html>\n<!-- veinscan report -->"),
    "dicom": (128, b"DICM"),
}
"""What a file of a format begins with, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportInfo:
    """What was written."""

    path: Path
    pages: int
    """Of the PDF, alone or inside the DICOM document; 1 for a page for a tablet."""
    format: str
    """'pdf', 'html' or 'dicom'."""
    sop_instance_uid: str = ""
    """Of the DICOM document."""


def format_of(path: str | Path, wanted: str | None = None) -> str:
    """What is written to a path: as wanted, else by its suffix.

    Raises InvalidInputError for another format, or a suffix that tells none.
    """
    if wanted is not None:
        if wanted.lower() not in FORMATS.values():
            raise InvalidInputError(
                f"there is no format '{wanted}'", where="format", do="use 'pdf', 'html' or 'dicom'"
            )
        return wanted.lower()
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InvalidInputError(
            f"the name ends in '{suffix}', which tells no format",
            where=str(path),
            do="end it in .pdf, .html or .dcm",
        )
    return FORMATS[suffix]


def write_report(
    study: Study,
    record: Record,
    path: str | Path,
    *,
    page_size: str = "A4",
    format: str | None = None,
    baseline: Opened | None = None,
    confirmed: bool = False,
    profile: str = thresholds.DEFAULT_PROFILE,
    printed_at: datetime | None = None,
) -> ReportInfo:
    """Write the plan, whole or not at all.

    Parameters
    ----------
    study : Study
        Where the pictures and the patient's name and id come from.
    record : Record
        Its targets are printed in order; one that was never saved (version 0) is marked as a draft.
    path : path
        An earlier file of the same format there is replaced; any other file is left alone.
    page_size : 'A4' or 'letter'
    format : 'pdf', 'html' or 'dicom', optional
        By the suffix (.pdf, .html, .dcm) by default.  'dicom' is an Encapsulated PDF of the
        study (PS3.3 A.45.1) that refers to the saved version(s).
    baseline : Opened, optional
        The earlier study with its record: `study` and `record` are then a follow-up, and the
        pages show each target before and after.
    confirmed : bool
        A person has said that both studies are of one patient, where the headers leave it open.
    profile : str
        Thresholds of reflux.
    printed_at : datetime, optional
        With time zone; now by default.  Everything else in the file follows from the arguments.

    Raises
    ------
    InvalidInputError
        The page size, format or profile is unknown, `path` is another kind of file, the two studies
        are not of one patient, or a record that was never saved is to be a DICOM document.
    NotSavedError
        The file could not be written; an earlier one is untouched.
    """
    path = Path(path)
    kind = format_of(path, format)
    _check_place(path, kind)
    if kind == "dicom" and record.version == 0:
        raise InvalidInputError(
            "the record was never saved: a DICOM document refers to a saved version",
            do="save it first, or write a PDF, which is then marked as a draft",
        )
    compared = None
    if baseline is not None:
        from veinscan.follow_up import compare_studies
        from veinscan.record import Opened

        compared = compare_studies(baseline, Opened(study, record, ()), confirmed=confirmed)
    made_at = printed_at or datetime.now().astimezone()
    sheet = make_sheet(
        study,
        record,
        printed_at=made_at,
        profile=profile,
        baseline=None if baseline is None else (baseline.study, baseline.record),
        compared=compared,
    )
    if kind == "html":
        from veinscan.report.html import html_of

        write_whole(path, html_of(sheet).encode("utf-8"))
        return ReportInfo(path=path, pages=1, format=kind)
    from veinscan.report.pdf import pdf_of

    content, pages = pdf_of(sheet, page_size=page_size)
    uid = ""
    if kind == "dicom":
        from veinscan.report.encapsulated import encapsulate

        content, uid = encapsulate(content, sheet, study, record, made_at=made_at)
    write_whole(path, content)
    return ReportInfo(path=path, pages=pages, format=kind, sop_instance_uid=uid)


def _check_place(path: Path, kind: str) -> None:
    """Refuse to replace a clip, or anything else that is no report, by a slip of the hand."""
    offset, wanted = _STARTS[kind]
    try:
        if path.is_dir():
            raise InvalidInputError("this is a folder", where=str(path), do="give the name of a file")
        if path.exists():
            with path.open("rb") as stream:
                start = stream.read(offset + len(wanted))[offset:]
            if path.stat().st_size and (start != wanted or _is_foreign(path, kind)):
                raise InvalidInputError(
                    f"there is a file here that is not a report as {kind}",
                    where=str(path),
                    do="give another name",
                )
    except OSError as error:
        raise NotSavedError(
            f"it cannot be used ({error.strerror})", where=str(path), do="give another place"
        ) from error


def _is_foreign(path: Path, kind: str) -> bool:
    """Whether a DICOM file is something else than a report of ours, a clip perhaps."""
    if kind != "dicom":
        return False
    from veinscan.report.encapsulated import is_report

    return not is_report(path)
