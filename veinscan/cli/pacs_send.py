"""`veinscan pacs push`: plans into an archive, beside their study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.output import Result
from veinscan.cli.pacs_options import DimseOption, PacsOption


def push(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="DIR_OR_FILE...", help="Study folders, or DICOM files.", show_default=False),
    ],
    drafts: Annotated[bool, typer.Option("--drafts", help="Plans that nobody made final, too.")] = False,
    images: Annotated[bool, typer.Option("--images", help="Images, too (it usually has them).")] = False,
    seg: Annotated[bool, typer.Option("--seg", help="Outlines of each plan as DICOM Segmentations.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="The page of each plan as an encapsulated PDF.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Try again, with growing waits, until nothing is unsent.")
    ] = False,
    pacs: PacsOption = None,
    dimse: DimseOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Store final plans into an archive, beside their study.

    Each counts as stored only when the archive, asked for it, gives back the same.  What could not be sent
    stays in the queue (see 'veinscan pacs queue').  Exit code 1 when something was refused or is unsent.
    """
    start()
    return Result()
