"""`veinscan report STUDY -o plan.pdf`: the plan on paper."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from veinscan.cli.common import JsonOption, StudyArgument, StudyUidOption, open_with_record, start
from veinscan.cli.output import Result, count


def report(
    study: StudyArgument,
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="PDF", help="The page; default: plan.pdf.", show_default=False
        ),
    ] = Path("plan.pdf"),
    page_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="A4 or letter.", show_default=False)
    ] = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Write the targets in order as a PDF to take to the procedure."""
    settings = start(page_size=page_size)
    opened, record = open_with_record(study, study_uid)
    from veinscan.report import write_report

    info = write_report(opened, record, output, page_size=settings.page_size)
    data = {"file": os.path.abspath(info.path), "pages": info.pages}  # noqa: PTH100  (links stay as given)
    text = f"{info.path}: {count(len(record.targets), 'target')} on {count(info.pages, 'page')}"
    if record.version == 0:
        text += "; nothing has been saved for this study yet, so it is marked as a draft"
    return Result(data, text)
