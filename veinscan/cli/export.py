"""`veinscan export STUDY... -o DIR --format F`: a research data set, de-identified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from veinscan.cli.common import JsonOption, StudyUidOption, open_study, start
from veinscan.cli.output import Result, WrongCallError
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

if TYPE_CHECKING:
    from veinscan.candidates import FinderSettings
    from veinscan.settings import Settings


def export(
    studies: Annotated[
        list[Path], typer.Argument(metavar="STUDY...", help="Folders, files or zips.", show_default=False)
    ],
    output: OutputOption,
    formats: FormatOption = None,
    project: ProjectOption = "default",
    key_file: KeyOption = None,
    dates: DatesOption = "modified",
    pixels: PixelsOption = "cleaned",
    notes: NotesOption = False,
    reading: ReadingOption = "best",
    candidates: Annotated[
        bool,
        typer.Option("--candidates", help="Search too: tracks over frames, and what nobody judged."),
    ] = False,
    review: ReviewOption = None,
    people: PeopleOption = None,
    seed: SeedOption = 0,
    splits: SplitsOption = "0.7,0.15,0.15",
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Write studies with their readings as a de-identified data set."""
    settings = start()
    if study_uid is not None and len(studies) > 1:
        raise WrongCallError("--study names one study", where="--study", do="give one STUDY with it")
    options = options_of(
        formats,
        dates=dates,
        pixels=pixels,
        notes=notes,
        reading=reading,
        seed=seed,
        splits=splits,
        people=people,
        search=search_of(settings) if candidates else None,
    )
    check_apart(output, studies)
    from veinscan.cli.progress import Bar
    from veinscan.export import export_studies, item_of, read_review

    key = project_key_of(project, key_file)
    said = {} if review is None else read_review(review)
    items = [item_of(open_study(path, study_uid), key) for path in studies]
    with Bar("Exporting", total=len(items)) as bar:
        exported = export_studies(items, output, options, key, said=said, progress=Watch(bar))
    paths = {item.name: item.path for item in items}
    data = exported_json(exported, every_file=True)
    data["failed"] = [{"path": paths[name], "reason": reason} for name, reason in exported.failed]
    exit_code = 1 if exported.failed and len(exported.failed) == len(items) else 0
    return Result(data, exported_text(exported, len(items)), exit_code)


def search_of(settings: Settings) -> FinderSettings:
    """The search that the person's settings ask for."""
    from veinscan.candidates import FinderSettings

    return FinderSettings(diameters_mm=settings.diameters_mm, max_depth_mm=settings.max_depth_mm)
