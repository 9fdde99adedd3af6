"""`veinscan batch FOLDER... -o DIR`: candidates, measurements and rows for every study there is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.export import search_of
from veinscan.cli.output import Result, count, say
from veinscan.cli.research import (
    DatesOption,
    FormatOption,
    KeyOption,
    NotesOption,
    OutputOption,
    PeopleOption,
    PixelsOption,
    ProjectOption,
    ReadingOption,
    ReviewOption,
    SeedOption,
    SplitsOption,
    Watch,
    check_apart,
    exported_json,
    exported_text,
    options_of,
    project_key_of,
)


def batch(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="Folders with studies below them.", show_default=False),
    ],
    output: OutputOption,
    formats: FormatOption = None,
    processes: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Default: one for every core.", show_default=False),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="An existing Dask scheduler, as tcp://HOST:8786.", show_default=False
        ),
    ] = None,
    candidates: Annotated[bool, typer.Option(help="Search candidates in every clip.")] = True,
    project: ProjectOption = "default",
    key_file: KeyOption = None,
    dates: DatesOption = "modified",
    pixels: PixelsOption = "cleaned",
    notes: NotesOption = False,
    reading: ReadingOption = "best",
    review: ReviewOption = None,
    people: PeopleOption = None,
    seed: SeedOption = 0,
    splits: SplitsOption = "0.7,0.15,0.15",
    as_json: JsonOption = False,
) -> Result:
    """Go through many studies: killed and called again it goes on, and one bad study never stops it."""
    settings = start()
    options = options_of(
        formats or ["csv", "json"],
        dates=dates,
        pixels=pixels,
        notes=notes,
        reading=reading,
        seed=seed,
        splits=splits,
        people=people,
        search=search_of(settings) if candidates else None,
        measure_reflux=True,
    )
    check_apart(output, folders)
    from veinscan.batch import find_studies, runner_of
    from veinscan.cli.progress import Bar
    from veinscan.export import export_studies, read_review

    key = project_key_of(project, key_file)
    said = {} if review is None else read_review(review)
    found = find_studies(folders, key)
    say(f"{count(len(found.items), 'study', 'studies')} found.")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with Bar("Studies", total=len(found.items)) as bar:
        exported = export_studies(
            found.items,
            output,
            options,
            key,
            said=said,
            runner=runner_of(processes or cores, scheduler),
            progress=Watch(bar),
        )
    paths = {item.name: item.path for item in found.items}
    reasons = [(paths[name], reason) for name, reason in exported.failed] + found.failed
    done = len(found.items) - len(exported.failed)
    data = {
        "done": done,
        "failed": [{"path": path, "reason": reason} for path, reason in sorted(reasons)],
        **exported_json(exported),
    }
    lines = [exported_text(exported, done)]
    lines += [f"  failed: {path}: {reason}" for path, reason in sorted(reasons)]
    return Result(data, "\n".join(lines), 1 if done == 0 else 0)
