"""What the commands of `veinscan pacs` share: which archive, and words that nobody else is to see."""

from __future__ import annotations

import re
import sys
from datetime import date
from typing import Annotated

import typer

from veinscan.cli.output import WrongCallError
from veinscan.errors import InvalidInputError

MAX_LINE = 10_000
"""Characters of one line from standard input."""

PacsOption = Annotated[
    str | None,
    typer.Option(
        "--pacs",
        metavar="NAME",
        help="An archive of the settings; default: the only one.",
        show_default=False,
    ),
]
DimseOption = Annotated[
    str | None,
    typer.Option(
        "--dimse",
        metavar="AET@HOST:PORT",
        help="Over DIMSE instead of DICOMweb; needs no archive in the settings.",
        show_default=False,
    ),
]


def day_of(text: str | None, option: str) -> date | None:
    """A day as 2026-01-31, 20260131 or 'today'; WrongCallError for anything else."""
    if text is None:
        return None
    word = text.strip()
    if word.lower() == "today":
        return date.today()
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}|\d{8}", word):
            raise ValueError
        return date.fromisoformat(word)
    except ValueError:
        raise WrongCallError(
            f"'{word[:40]}' is not a day", where=option, do="give it as in 2026-01-31"
        ) from None


def word_of(text: str | None, question: str) -> str:
    """The value of an option; '-' is asked for, or read as a line of standard input.

    What stands in a call can be read by every user of the machine, and stays in
    the history of the shell.
    """
    if text is None:
        return ""
    return asked(question) if text == "-" else text.strip()


def asked(question: str, *, secret: bool = False) -> str:
    """An answer from the terminal (without echo where `secret`), else the next line of standard input.

    Raises
    ------
    InvalidInputError
        Nothing was given.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        text = typer.prompt(question, default="", show_default=False, hide_input=secret, err=True)
    else:
        text = sys.stdin.readline(MAX_LINE) if sys.stdin is not None else ""
    text = text.rstrip("\r\n")
    if not secret:
        text = text.strip()
    if not text:
        raise InvalidInputError(
            "nothing was given", where=question, do="type it at a terminal, or send it as a line of text"
        )
    return str(text)
