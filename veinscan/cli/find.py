"""`veinscan find STUDY`: candidates in every clip, and pictures of them."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
from veinscan.cli.output import Result, count, rounded, table
from veinscan.errors import CancelledError, VeinscanError

if TYPE_CHECKING:
    from veinscan.candidates import Candidate
    from veinscan.dicom import Clip
    from veinscan.settings import Settings

_HEADERS = ("#", "diameter mm", "depth mm", "length mm", "flow", "score", "frame", "row,col", "on frames")

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
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Propose candidate veins in every clip; a person decides what each is."""
    settings = start(
        min_diameter_mm=min_diameter_mm, max_diameter_mm=max_diameter_mm, max_depth_mm=max_depth_mm
    )
    opened = open_calibrated(study, study_uid)
    clips = choose_clips(opened, file)
    pictures = None
    if output is not None:
        from veinscan.cli.overlays import OverlayFolder

        pictures = OverlayFolder(output)  # refuses a place it may not use before the search takes its time
    found = _search(clips, settings, pictures)
    data: dict[str, Any] = {
        "study_instance_uid": opened.study_instance_uid,
        "clips": found,
        "skipped": skipped_json(opened),
    }
    if pictures is not None:
        pictures.finish(data)
    text = "" if as_json else _text(data, [*study_lines(opened)], skipped_lines(opened), output)
    return Result(data, text)


def _search(clips: tuple[Clip, ...], settings: Settings, pictures: Any) -> list[dict[str, Any]]:
    """One entry of `clips[]` for each; a clip that fails says so and stops nothing."""
    from veinscan.candidates import FinderSettings, find_in_clip
    from veinscan.cli.progress import Bar

    wanted = FinderSettings(diameters_mm=settings.diameters_mm, max_depth_mm=settings.max_depth_mm)
    entries: list[dict[str, Any]] = []
    with Bar("Finding candidates", total=len(clips)) as bar:
        for index, clip in enumerate(clips):
            bar.label(f"Clip {index + 1} of {len(clips)}")

            def step(done: int, total: int, before: int = index) -> None:
                bar.update(before + (done / total if total else 0))

            began = time.monotonic()
            candidates: tuple[Candidate, ...] = ()
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
                "candidates": [candidate_json(c) for c in candidates],
            }
            if pictures is not None:
                entry["picture"] = pictures.add(index, clip, candidates)
            entries.append(entry)
            bar.update(index + 1)
    return entries


def candidate_json(candidate: Candidate) -> dict[str, Any]:
    """`candidates[]` of the contract; millimetres to a thousandth, pixels to a hundredth."""
    row, col = candidate.centre(candidate.best_frame)
    return {
        "id": candidate.id,
        "rank": candidate.rank,
        "frame_indices": list(candidate.frame_indices),
        "best_frame": candidate.best_frame,
        "centre": [rounded(row, 2), rounded(col, 2)],
        "diameter_mm": rounded(candidate.diameter_mm, 3),
        "depth_mm": rounded(candidate.depth_mm, 3),
        "length_mm": rounded(candidate.length_mm, 3),
        "flow_fraction": rounded(candidate.flow_fraction, 3),
        "score": rounded(candidate.score, 4),
    }


def _text(data: dict[str, Any], lines: list[str], skipped: list[str], output: Path | None) -> str:
    total = 0
    for entry in data["clips"]:
        candidates = entry["candidates"]
        total += len(candidates)
        lines += ["", f"{entry['file']}: {count(len(candidates), 'candidate')}"]
        lines += [f"  {warning}" for warning in entry["warnings"]]
        if candidates:
            rows = [
                (
                    c["rank"],
                    _mm(c["diameter_mm"]),
                    _mm(c["depth_mm"]),
                    _mm(c["length_mm"]),
                    None if c["flow_fraction"] is None else f"{c['flow_fraction']:.0%}",
                    f"{c['score']:.2f}",
                    c["best_frame"],
                    f"{c['centre'][0]:.0f},{c['centre'][1]:.0f}",
                    len(c["frame_indices"]),
                )
                for c in candidates
            ]
            grid = table(_HEADERS, rows, right=range(len(_HEADERS)))
            lines += ["  " + line for line in grid.split("\n")]
    lines += skipped
    found = f"{count(total, 'candidate')} in {count(len(data['clips']), 'clip')}"
    lines += ["", f"{found}; a person decides what each is."]
    if output is not None:
        drawn = sum(entry["picture"] is not None for entry in data["clips"])
        lines.append(f"{output}: candidates.json, {count(drawn, 'picture')}")
    return "\n".join(lines)


def _mm(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"
