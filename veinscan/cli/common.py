"""Arguments and options that several commands share, and the first steps of each."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from veinscan import log
from veinscan.cli.output import WrongCallError
from veinscan.errors import AmbiguousStudyError, InvalidInputError
from veinscan.settings import Settings, load

if TYPE_CHECKING:
    from veinscan.dicom import Clip, Study
    from veinscan.plan.model import Record
    from veinscan.record.opening import Opened

StudyArgument = Annotated[
    Path, typer.Argument(metavar="STUDY", help="A folder, a file or a zip.", show_default=False)
]
StudyUidOption = Annotated[
    str | None,
    typer.Option(
        "--study", metavar="UID", help="Which study, where STUDY holds several.", show_default=False
    ),
]
BaselineUidOption = Annotated[
    str | None,
    typer.Option(
        "--baseline-study",
        metavar="UID",
        help="Which study, where the baseline holds several.",
        show_default=False,
    ),
]
SamePatientOption = Annotated[
    bool,
    typer.Option(
        "--same-patient", help="Both are of one patient, where the headers leave it open: you looked."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]

_logger = logging.getLogger("veinscan.cli")


def start(**options: object) -> Settings:
    """Settings with the options of this call on top, and the log set up.

    Raises
    ------
    WrongCallError
        The value of one of the options cannot be used.
    InvalidInputError
        A value of the environment or of the settings file cannot be used.
    """
    log.setup()
    try:
        settings = load(options)
    except InvalidInputError as error:
        if error.where.startswith("--"):
            raise WrongCallError(error.what, where=error.where, do=error.do) from error
        raise
    log.setup(settings.log_level)
    return settings


def open_study(path: Path, study_uid: str | None) -> Study:
    """The study under `path`; headers only, with a progress bar where there are many files."""
    from veinscan.cli.progress import Bar
    from veinscan.dicom import open_study as open_

    with Bar("Reading headers", delay_s=1.0) as bar:
        study = open_(path, study_uid=study_uid, progress=bar.update)
    _logger.info("opened a study: %d clips, %d files skipped", len(study.clips), len(study.skipped))
    return study


def open_with_record(path: Path, study_uid: str | None) -> tuple[Study, Record]:
    """The study with its record, and with what readers calibrated by hand on its clips."""
    from veinscan.cli.output import say
    from veinscan.record.opening import with_record

    opened = with_record(open_study(path, study_uid))
    for problem in opened.problems:
        say(f"veinscan: a calibration of the record could not be put on its clip: {problem}")
    return opened.study, opened.record


def open_baseline(path: Path, study_uid: str | None) -> Opened:
    """The earlier study with its record; where the place holds several, the sentence names its own option."""
    from veinscan.record.opening import Opened

    try:
        return Opened(*open_with_record(path, study_uid))
    except AmbiguousStudyError as error:
        error.do = error.do.replace("choose one of them", "choose one with --baseline-study UID")
        raise


def check_same_patient(baseline: Study, follow_up: Study, *, where: Path, confirmed: bool) -> None:
    """InvalidInputError at `where` for studies of two patients, and for a question that no option answers."""
    from veinscan.dicom.patients import Match, match_studies

    found = match_studies(baseline, follow_up)
    if found.verdict is Match.OTHER:
        raise InvalidInputError(
            f"the studies are not of one patient: {found.reason}",
            where=str(where),
            do="choose two studies of one patient",
        )
    if found.verdict is Match.ASK and not confirmed:
        raise InvalidInputError(
            f"it is not certain that both studies are of one patient: {found.reason}",
            where=str(where),
            do="look at both, and repeat with --same-patient where they are",
        )


def open_calibrated(path: Path, study_uid: str | None) -> Study:
    """The study with what readers calibrated by hand; where the record cannot be read, without, and said."""
    from veinscan.cli.output import say
    from veinscan.errors import RecordError
    from veinscan.record.opening import with_record

    study = open_study(path, study_uid)
    try:
        return with_record(study).study
    except RecordError as error:
        say(f"veinscan: searched without the calibrations of the record: {error}")
        return study


def skipped_json(study: Study) -> list[dict[str, str]]:
    """`skipped[]` of the contract."""
    return [{"file": s.path, "reason": s.reason} for s in study.skipped]


def skipped_lines(study: Study) -> list[str]:
    """What was skipped and why, a line each; nothing when nothing was."""
    if not study.skipped:
        return []
    return ["", "Skipped:", *(f"  {s.path}: {s.reason}" for s in study.skipped)]


def study_lines(study: Study) -> list[str]:
    """The line that names the study."""
    from veinscan.cli.output import count

    return [f"Study {study.study_instance_uid}: {count(len(study.clips), 'clip')}"]


def choose_clips(study: Study, file: str | None) -> tuple[Clip, ...]:
    """All clips, or the one named by `--file` (relative path, or SOP Instance UID).

    Raises
    ------
    InvalidInputError
        No clip has that name; the sentence lists some that there are.
    """
    if file is None:
        return study.clips
    wanted = file.replace("\\", "/").removeprefix("./")
    for clip in study.clips:
        if wanted in (clip.file, clip.sop_instance_uid):
            return (clip,)
    for skipped in study.skipped:
        if wanted == skipped.path:
            raise InvalidInputError(
                f"it was skipped: {skipped.reason}", where=skipped.path, do="choose another clip"
            )
    known = _some(c.file for c in study.clips)
    raise InvalidInputError(f"the study has no clip '{file}'", where="--file", do=f"use one of {known}")


def _some(names: Iterable[str], limit: int = 6) -> str:
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
