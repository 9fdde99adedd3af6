"""What the commands that change the record share: who reads, the saved version, its note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import start
from veinscan.cli.output import say
from veinscan.settings import reader_name

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.plan.model import Reader, Record
    from veinscan.record import SavedRecord

ReaderOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Who does it; default: the settings, the user.", show_default=False),
]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, in a few words.", show_default=False)
]


def reader_of(name: str | None) -> Reader:
    """The person who changes the record: the option, else the settings, else the user of the system."""
    from veinscan.plan.model import Reader

    return Reader(name=reader_name(start(reader=name)))


def save(study: Study, record: Record, reader: Reader) -> SavedRecord:
    """A new version of the record; where it lies, when that is not beside the study, is said."""
    from veinscan.record import save_record

    saved = save_record(study, record, reader)
    if saved.note:
        say(f"veinscan: {saved.note}")
    return saved


def saved_json(study: Study, saved: SavedRecord) -> dict[str, Any]:
    """The record as `targets list --json` has it, and the file of the new version."""
    from veinscan.plan.as_json import record_json

    return record_json(saved.record, study) | {"saved": str(saved.path)}
