"""Options that `export` and `batch` share, and what both do with them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.output import WrongCallError, count, say
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.cli.progress import Bar
    from veinscan.deidentify import ProjectKey
    from veinscan.export import Done, Exported, ExportOptions

FORMATS = "coco, nnunet, nifti, dicom-seg, dicom-sr, csv, parquet, json"

OutputOption = Annotated[
    Path, typer.Option("-o", "--output", metavar="DIR", help="A new or empty folder.", show_default=False)
]
FormatOption = Annotated[
    list[str] | None,
    typer.Option("--format", metavar="F", help=f"{FORMATS}; repeat for several.", show_default=False),
]
ProjectOption = Annotated[
    str, typer.Option(metavar="NAME", help="Whose secret key pseudonyms are made with; made on first use.")
]
KeyOption = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="The key itself, instead of --project.", show_default=False),
]
DatesOption = Annotated[str, typer.Option(metavar="modified|removed", help="What becomes of dates.")]
PixelsOption = Annotated[
    str,
    typer.Option(metavar="cleaned|whole", help="Black all but the picture, or keep banners and all."),
]
NotesOption = Annotated[
    bool, typer.Option("--notes", help="Keep free text of the record, without what names the person.")
]
ReadingOption = Annotated[
    str,
    typer.Option(metavar="R", help="Reading that masks are of: best, plan, research or adjudication."),
]
SeedOption = Annotated[int, typer.Option(metavar="N", help="Of the splits.")]
SplitsOption = Annotated[
    str, typer.Option(metavar="A,B,C", help="Shares of patients for training, validation and test.")
]
ReviewOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="review.json of an export, as a person filled it in.", show_default=False
    ),
]

PeopleOption = Annotated[
    Path | None,
    typer.Option(
        "--patients",
        metavar="FILE",
        help="CSV of pseudonyms, what,patient: which studies or patients are of one person.",
        show_default=False,
    ),
]

SAY_EVERY_S = 30.0
"""A line on stderr where nobody looks at a progress bar."""


def project_key_of(project: str, key: Path | None) -> ProjectKey:
    """The key by name, or from a file."""
    from veinscan.deidentify import project_key, read_key

    return project_key(project) if key is None else read_key(key)


def check_apart(output: Path, studies: list[Path]) -> None:
    """Refuse an export into a folder that is read: it would find itself there when it is called again."""
    for place in studies:
        if place.is_dir() and output.resolve().is_relative_to(place.resolve()):
            raise InvalidInputError(
                "the export would lie among the studies", where=str(output), do="give a folder beside them"
            )


def options_of(
    formats: list[str] | None,
    *,
    dates: str,
    pixels: str,
    notes: bool,
    reading: str,
    seed: int,
    splits: str,
    people: Path | None,
    **more: Any,
) -> ExportOptions:
    """Options of an export; WrongCallError for a word that is none."""
    from veinscan.deidentify import Dates, Options, Pixels
    from veinscan.export import ExportOptions, Format, read_people

    said = () if people is None else read_people(people)
    try:
        chosen = tuple(
            dict.fromkeys(Format(word.strip()) for text in formats or () for word in text.split(","))
        )
    except ValueError:
        raise WrongCallError(
            f"'{', '.join(formats or ())}' is not a format", where="--format", do=f"give one of {FORMATS}"
        ) from None
    if not chosen:
        raise WrongCallError("no format is given", where="--format", do=f"give one of {FORMATS}")
    try:
        moved = Dates(dates)
    except ValueError:
        raise WrongCallError(
            f"'{dates}' is neither", where="--dates", do="give modified or removed"
        ) from None
    try:
        kept = Options(moved, notes, Pixels(pixels))
    except ValueError:
        raise WrongCallError(f"'{pixels}' is neither", where="--pixels", do="give cleaned or whole") from None
    if kept.pixels is Pixels.WHOLE:
        say("veinscan: pixels are not cleaned: banners with names and dates leave as they are")
    try:
        return ExportOptions(
            formats=chosen,
            deidentify=kept,
            reading=reading,
            seed=seed,
            fractions=_shares(splits),
            people=said,
            **more,
        )
    except InvalidInputError as error:
        raise WrongCallError(error.what, where=error.where, do=error.do) from error


def _shares(text: str) -> tuple[float, float, float]:
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError:
        raise WrongCallError(
            f"'{text}' is not three shares", where="--splits", do="give them as in 0.7,0.15,0.15"
        ) from None
    return first, second, third


class Watch:
    """Progress of an export: a bar with what is left, or a line now and then where nobody watches."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._began = self._said = time.monotonic()
        self._first: int | None = None

    def __call__(self, done: int, total: int, last: Done) -> None:
        """`done` of `total` studies are done; `last` was the last of them."""
        if last.reason:
            say(f"veinscan: {last.name}: {last.reason}")
        now = time.monotonic()
        if self._first is None:
            self._first = done - 1
        rate = (done - self._first) / max(now - self._began, 1e-6)
        text = f"{done} of {total} studies, {rate * 3600:.0f} an hour"
        self._bar.label(text)
        self._bar.update(done, total)
        if done < total and not sys.stderr.isatty() and now - self._said >= SAY_EVERY_S:
            self._said = now
            say(f"{text}, {(total - done) / rate / 60:.0f} minutes left")


def exported_text(exported: Exported, studies: int) -> str:
    """What an export came to, in lines."""
    of_studies = count(studies, "study", "studies")
    shown = [
        one for one in exported.files if "/" not in one or one.startswith(("review/", "coco/", "tables/"))
    ]
    named = {path.partition("/")[0] for path in shown}
    folders = sorted(path.name for path in Path(exported.folder).iterdir() if path.is_dir())
    lines = [
        f"{exported.folder}: {count(exported.cases, 'clip')} of {of_studies}, de-identified",
        *(f"  {path}" for path in shown),
        *(f"  {name}/" for name in folders if name not in named and not name.startswith(".")),
    ]
    if exported.not_judged:
        remarks = count(exported.not_judged, "remark")
        lines.append(f"{remarks} on what could not be judged, in not_judged.json.")
    if exported.questions:
        lines.append(
            f"{count(exported.questions, 'question')} about who is who: not_judged.json has them, "
            "--patients answers them."
        )
    if any(path.startswith("review/") for path in exported.files):
        lines.append("A person looks at the sheets in review/ before this leaves the house.")
    if exported.failed:
        failed = count(len(exported.failed), "study", "studies")
        lines.append(f"{failed} failed; call it again to try them again.")
    return "\n".join(lines)


def exported_json(exported: Exported, *, every_file: bool = False) -> dict[str, Any]:
    """`files[]`, `cases` and what else the contract's object holds.

    `every_file` lists all; else those of the data set as a whole (the list of
    all is `checksums.sha256`).
    """
    root = Path(os.path.abspath(exported.folder))  # noqa: PTH100  (links stay as given)
    files = set(exported.files)
    if every_file:
        lines = (root / "checksums.sha256").read_text(encoding="ascii").splitlines()
        files |= {line.split("  ", 1)[1] for line in lines}
    return {
        "folder": str(root),
        "files": [str(root / path) for path in sorted(files)],
        "cases": exported.cases,
        "not_judged": exported.not_judged,
    }
