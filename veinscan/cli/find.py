"""`veinscan find STUDY`: candidates in every clip, and pictures of them."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.candidates import candidate_lines, found_json
from veinscan.cli.colour_scale import given_scale, scale_json, with_given_scale
from veinscan.cli.common import (
    JsonOption,
    StudyArgument,
    StudyUidOption,
    choose_clips,
    open_calibrated,
    skipped_json,
    skipped_lines,
    start,
    study_lines,
)
from veinscan.cli.output import Result, WrongCallError, count
from veinscan.cli.saving import ReaderOption, reader_of
from veinscan.errors import CancelledError, VeinscanError

if TYPE_CHECKING:
    from veinscan.candidates import Candidate, ClipCandidates, FinderSettings
    from veinscan.dicom import Clip
    from veinscan.settings import Settings

_logger = logging.getLogger("veinscan.cli")


def find(
    study: StudyArgument,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="DIR", help="Overlay pictures go here.", show_default=False),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="F", help="Only this clip.", show_default=False)
    ] = None,
    min_diameter_mm: Annotated[
        float | None, typer.Option(metavar="MM", help="Smallest inner diameter.", show_default=False)
    ] = None,
    max_diameter_mm: Annotated[
        float | None, typer.Option(metavar="MM", help="Largest inner diameter.", show_default=False)
    ] = None,
    max_depth_mm: Annotated[
        float | None, typer.Option(metavar="MM", help="Deepest near wall.", show_default=False)
    ] = None,
    min_depth_mm: Annotated[
        float, typer.Option(metavar="MM", help="Shallowest near wall.", show_default=True)
    ] = 0.0,
    sensitivity: Annotated[
        str, typer.Option(metavar="low|normal|high", help="High shows weaker candidates too.")
    ] = "normal",
    colour_scale: Annotated[
        str | None,
        typer.Option(
            metavar="TOP,BOTTOM",
            help="What stands at the ends of the colour bar, with --file.  Kept in the record.",
            show_default=False,
        ),
    ] = None,
    colour_unit: Annotated[str, typer.Option(metavar="cm/s|kHz", help="Unit of --colour-scale.")] = "cm/s",
    colour_bar: Annotated[
        str | None,
        typer.Option(
            metavar="ROW0,COL0,ROW1,COL1",
            help="Where the colour bar is, with --colour-scale.",
            show_default=False,
        ),
    ] = None,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Propose candidate veins in every clip; a person decides what each is."""
    settings = start(
        min_diameter_mm=min_diameter_mm, max_diameter_mm=max_diameter_mm, max_depth_mm=max_depth_mm
    )
    wanted = _wanted(settings, min_depth_mm, sensitivity)
    given = given_scale(colour_scale, colour_unit, colour_bar, file)
    kept: dict[str, Any] = {}
    if given is None:
        opened = open_calibrated(study, study_uid)
    else:
        opened, kept = with_given_scale(study, study_uid, given, reader_of(reader))
    clips = choose_clips(opened, file)
    pictures = None
    if output is not None:
        from veinscan.cli.overlays import OverlayFolder

        pictures = OverlayFolder(output)  # refuses a place it may not use before the search takes its time
    found = _search(clips, wanted, pictures)
    data: dict[str, Any] = {
        "study_instance_uid": opened.study_instance_uid,
        "clips": found,
        "skipped": skipped_json(opened),
        **kept,
    }
    if pictures is not None:
        pictures.finish(data)
    text = "" if as_json else _text(data, [*study_lines(opened)], skipped_lines(opened), output)
    return Result(data, text)


def _wanted(settings: Settings, min_depth_mm: float, sensitivity: str) -> FinderSettings:
    """What to look for, or WrongCallError before any file is read."""
    from veinscan.candidates import SENSITIVITIES, FinderSettings

    if sensitivity not in SENSITIVITIES:
        raise WrongCallError(
            f"there is no sensitivity '{sensitivity}'",
            where="--sensitivity",
            do=f"give {', '.join(SENSITIVITIES)}",
        )
    if not 0 <= min_depth_mm < settings.max_depth_mm:
        raise WrongCallError(
            f"depths from {min_depth_mm:g} to {settings.max_depth_mm:g} mm are no range",
            where="--min-depth-mm",
            do="give 0 or more, and less than the deepest",
        )
    return FinderSettings(
        diameters_mm=settings.diameters_mm,
        min_depth_mm=min_depth_mm,
        max_depth_mm=settings.max_depth_mm,
        min_score=SENSITIVITIES[sensitivity],
    )


def _search(clips: tuple[Clip, ...], wanted: FinderSettings, pictures: Any) -> list[dict[str, Any]]:
    """One entry of `clips[]` for each; a clip that fails says so and stops nothing."""
    from veinscan.candidates import find_in_clip
    from veinscan.cli.progress import Bar

    entries: list[dict[str, Any]] = []
    with Bar("Finding candidates", total=len(clips)) as bar:
        for index, clip in enumerate(clips):
            bar.label(f"Clip {index + 1} of {len(clips)}")

            def step(done: int, total: int, before: int = index) -> None:
                bar.update(before + (done / total if total else 0))

            began = time.monotonic()
            candidates: tuple[Candidate, ...] = ()
            result: ClipCandidates | None = None
            try:
                result = find_in_clip(clip, wanted, progress=step)
                candidates = result.candidates
                warnings = list(dict.fromkeys((*clip.warnings, *result.warnings)))
            except CancelledError:
                raise
            except VeinscanError as error:
                warnings = [*clip.warnings, f"not searched: {error.what}"]
            _logger.info(
                "searched a clip of %d frames: %d candidates in %.1f s",
                clip.n_frames,
                len(candidates),
                time.monotonic() - began,
            )
            entry: dict[str, Any] = {
                "file": clip.file,
                "sop_instance_uid": clip.sop_instance_uid,
                "warnings": warnings,
                **scale_json(clip),
                **({"candidates": []} if result is None else found_json(result)),
            }
            if pictures is not None:
                entry["picture"] = pictures.add(index, clip, candidates)
            entries.append(entry)
            bar.update(index + 1)
    return entries


def _text(data: dict[str, Any], lines: list[str], skipped: list[str], output: Path | None) -> str:
    total = 0
    for entry in data["clips"]:
        candidates = entry["candidates"]
        total += len(candidates)
        lines += ["", f"{entry['file']}: {count(len(candidates), 'candidate')}"]
        lines += [f"  {warning}" for warning in entry["warnings"]]
        if candidates:
            lines += ["  " + line for line in candidate_lines(candidates)]
    lines += skipped
    found = f"{count(total, 'candidate')} in {count(len(data['clips']), 'clip')}"
    lines += ["", f"{found}; a person decides what each is."]
    if output is not None:
        drawn = sum(entry["picture"] is not None for entry in data["clips"])
        lines.append(f"{output}: candidates.json, {count(drawn, 'picture')}")
    return "\n".join(lines)
