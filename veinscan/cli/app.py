"""The commands, put together."""

from __future__ import annotations

from typing import Annotated

import typer

from veinscan.cli.batch import batch
from veinscan.cli.compare import compare
from veinscan.cli.doctor import doctor
from veinscan.cli.export import export
from veinscan.cli.find import find
from veinscan.cli.history import history
from veinscan.cli.inspect import inspect
from veinscan.cli.open import open_window
from veinscan.cli.pacs import pacs
from veinscan.cli.record import record
from veinscan.cli.reflux import reflux
from veinscan.cli.report import report
from veinscan.cli.sample import sample
from veinscan.cli.targets import targets
from veinscan.cli.worklist import worklist

app = typer.Typer(
    help=(
        "Duplex ultrasound of leg veins: candidate feeder veins, injection targets, "
        "and a plan kept with the study.\n\n"
        "It proposes and records; a person decides.  Not a medical device."
    ),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from veinscan import __version__

        typer.echo(f"veinscan {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Options before the command."""


app.command("open")(open_window)
app.command("inspect")(inspect)
app.command("find")(find)
app.command("reflux")(reflux)
app.add_typer(targets, name="targets")
app.add_typer(record, name="record")
app.add_typer(worklist, name="worklist")
app.add_typer(pacs, name="pacs")
app.command("history")(history)
app.command("compare")(compare)
app.command("sample")(sample)
app.command("report")(report)
app.command("export")(export)
app.command("batch")(batch)
app.command("doctor")(doctor)
