"""`veinscan report STUDY -o plan.pdf`: the plan on paper, for a tablet, or as a DICOM document."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from veinscan.cli.common import (
    BaselineUidOption,
    JsonOption,
    SamePatientOption,
    StudyArgument,
    StudyUidOption,
    check_same_patient,
    open_baseline,
    open_with_record,
    start,
)
from veinscan.cli.output import Result, WrongCallError, count
from veinscan.errors import InvalidInputError


def report(
    study: StudyArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="What to write, by its ending: .pdf, .html for a tablet, .dcm for a DICOM document of the "
            "study; default: plan.pdf.",
            show_default=False,
        ),
    ] = Path("plan.pdf"),
    output_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="pdf, html or dicom, whatever the name ends in."),
    ] = None,
    page_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="A4 or letter.", show_default=False)
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="STUDY",
            help="The study that the plan was made on: STUDY is then a follow-up, and each target is shown "
            "before and after.",
            show_default=False,
        ),
    ] = None,
    same_patient: SamePatientOption = False,
    baseline_uid: BaselineUidOption = None,
    profile: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE",
            help="Thresholds that the classes of reflux go by; default: svs_avf_avls_2022.",
            show_default=False,
        ),
    ] = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Write the targets in order, to take to the procedure, with a page for each."""
    settings = start(page_size=page_size)
    from veinscan.report.write import format_of, write_report

    try:
        kind = format_of(output, output_format)
    except InvalidInputError as error:
        raise WrongCallError(error.what, where="--format" if output_format else "-o", do=error.do) from error
    opened, record = open_with_record(study, study_uid)
    earlier = None
    if baseline is not None:
        earlier = open_baseline(baseline, baseline_uid)
        check_same_patient(earlier.study, opened, where=baseline, confirmed=same_patient)
    elif baseline_uid is not None:
        raise WrongCallError(
            "there is no baseline to choose a study of", where="--baseline-study", do="add --baseline STUDY"
        )
    from veinscan.plan.thresholds import DEFAULT_PROFILE, profiles

    if profile is not None and profile not in profiles():
        raise WrongCallError(
            f"there is no profile '{profile}'", where="--profile", do=f"use one of {', '.join(profiles())}"
        )
    info = write_report(
        opened,
        record,
        output,
        page_size=settings.page_size,
        format=kind,
        baseline=earlier,
        confirmed=same_patient,
        profile=profile or DEFAULT_PROFILE,
    )
    data: dict[str, object] = {
        "file": os.path.abspath(info.path),  # noqa: PTH100  (links stay as given)
        "pages": info.pages,
    }
    if info.sop_instance_uid:
        data["sop_instance_uid"] = info.sop_instance_uid
    text = f"{info.path}: {count(len(record.targets), 'target')} on {count(info.pages, 'page')}"
    if record.version == 0:
        text += "; nothing has been saved for this study yet, so it is marked as a draft"
    if record.follow_ups and baseline is None:
        text += "; it holds a follow-up: with --baseline STUDY each target is shown before and after"
    return Result(data, text)
