"""`veinscan reflux STUDY`: reflux on every spectral strip, with a picture of each."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import (
    JsonOption,
    StudyArgument,
    StudyUidOption,
    choose_clips,
    open_study,
    skipped_json,
    skipped_lines,
    start,
    study_lines,
)
from veinscan.cli.output import Result, count, rounded, table
from veinscan.errors import InvalidInputError, VeinscanError

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.doppler import RefluxMeasurement

_logger = logging.getLogger("veinscan.cli")


def reflux(
    study: StudyArgument,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Pictures of the strips go here.", show_default=False
        ),
    ] = None,
    file: Annotated[
        str | None, typer.Option("--file", metavar="F", help="Only this clip.", show_default=False)
    ] = None,
    antegrade: Annotated[
        str | None,
        typer.Option(
            metavar="up|down",
            help="Which way on the screen is antegrade; else the way of the spike.",
            show_default=False,
        ),
    ] = None,
    manoeuvre: Annotated[
        str, typer.Option(metavar="augmentation|valsalva", help="What was done.")
    ] = "augmentation",
    profile: Annotated[str, typer.Option(metavar="NAME", help="Threshold profile.")] = "svs_avf_avls_2022",
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Measure reflux on every spectral strip; without calibration nothing is measured."""
    from veinscan.plan.thresholds import profiles, version

    start()
    if profile not in profiles():
        raise InvalidInputError(
            f"threshold profile '{profile}' is not known",
            where="--profile",
            do="use one of " + ", ".join(profiles()),
        )
    opened = open_study(study, study_uid)
    if output is not None and output.exists() and not output.is_dir():
        raise InvalidInputError("this is a file", where=str(output), do="give -o a folder")
    measurements: list[dict[str, Any]] = []
    warnings: list[dict[str, str]] = []
    pictures: list[tuple[str, bytes]] = []
    for index, clip in enumerate(choose_clips(opened, file)):
        _measure(
            clip, index, antegrade, manoeuvre, profile, measurements, warnings, pictures if output else None
        )
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        for name, png in pictures:
            (output / name).write_bytes(png)
    _logger.info("measured %d attempts", len(measurements))
    data: dict[str, Any] = {
        "study_instance_uid": opened.study_instance_uid,
        "measurements": measurements,
        "thresholds_version": version(),
        "warnings": warnings,
        "skipped": skipped_json(opened),
    }
    if output is not None:
        data["pictures"] = [name for name, _ in pictures]
    text = "" if as_json else _text(data, study_lines(opened), skipped_lines(opened))
    return Result(data, text)


def _measure(
    clip: Clip,
    index: int,
    antegrade: str | None,
    manoeuvre: str,
    profile: str,
    measurements: list[dict[str, Any]],
    warnings: list[dict[str, str]],
    pictures: list[tuple[str, bytes]] | None,
) -> None:
    """All strips of one clip; a strip that fails says so and stops nothing."""
    from veinscan.dicom import ClipKind
    from veinscan.doppler import draw_strip, measure_reflux, spectral_regions, strip_of

    regions = spectral_regions(clip)
    if not regions and clip.kind in (ClipKind.SPECTRAL, ClipKind.DUPLEX):
        warnings.append(
            {
                "file": clip.file,
                "warning": "the strip is not calibrated: nothing is measured before two clicks",
            }
        )
    for number, region in enumerate(regions):
        try:
            strip = strip_of(clip, region=region)
            found = measure_reflux(strip, antegrade=antegrade, manoeuvre=manoeuvre, threshold_profile=profile)
        except VeinscanError as error:
            if isinstance(error, InvalidInputError) and error.where == "reflux":
                raise
            warnings.append(
                {"file": clip.file, "warning": f"not measured: {error.what}; {error.do}".rstrip("; ")}
            )
            continue
        measurements.extend(measurement_json(clip, attempt) for attempt in found.attempts)
        warnings.extend({"file": clip.file, "warning": note} for note in found.warnings)
        if pictures is not None:
            from veinscan.report.pictures import encode

            pictures.append((f"strip-{index + 1:03d}-{number + 1}.png", encode(draw_strip(strip, found))))


def measurement_json(clip: Clip, m: RefluxMeasurement) -> dict[str, Any]:
    """`measurements[]` of the contract; seconds to a millisecond, velocities to a tenth."""
    return {
        "file": clip.file,
        "sop_instance_uid": clip.sop_instance_uid,
        "attempt": m.attempt,
        "reflux_s": rounded(m.reflux_s, 3),
        "is_lower_bound": m.is_lower_bound,
        "peak_reflux_cm_s": rounded(m.peak_reflux_cm_s, 1),
        "mean_reflux_cm_s": rounded(m.mean_reflux_cm_s, 1),
        "antegrade_peak_cm_s": rounded(m.antegrade_peak_cm_s, 1),
        "onset_s": rounded(m.onset_s, 3),
        "end_s": rounded(m.end_s, 3),
        "interrupted": m.interrupted,
        "manoeuvre": m.manoeuvre,
        "antegrade": m.antegrade,
        "polarity_confirmed": m.polarity_confirmed,
        "threshold_profile": m.threshold_profile,
        "adequate": m.adequate,
        "end_rule": m.end_rule,
        "time_step_s": m.time_step_s,
        "angle_deg": m.angle_deg,
        "calibration": m.calibration,
    }


def _text(data: dict[str, Any], lines: list[str], skipped: list[str]) -> str:
    found = data["measurements"]
    rows = [
        (
            m["file"],
            m["attempt"],
            _duration(m),
            None if m["peak_reflux_cm_s"] is None else f"{m['peak_reflux_cm_s']:.0f}",
            None if m["antegrade_peak_cm_s"] is None else f"{m['antegrade_peak_cm_s']:.0f}",
            None if m["onset_s"] is None else f"{m['onset_s']:.2f}",
            m["manoeuvre"],
            f"{m['antegrade'] or 'unknown'}{'' if m['polarity_confirmed'] else ' (unconfirmed)'}",
        )
        for m in found
    ]
    headers = (
        "clip",
        "attempt",
        "reflux s",
        "peak cm/s",
        "antegrade cm/s",
        "onset s",
        "manoeuvre",
        "antegrade is",
    )
    lines.append("")
    if rows:
        lines += [table(headers, rows, right=(1, 2, 3, 4, 5))]
        lines += [
            "",
            f"Threshold profile {found[0]['threshold_profile']}, table {data['thresholds_version']}.",
        ]
    lines += [f"{w['file']}: {w['warning']}" for w in data["warnings"]]
    lines += [*skipped, "", f"{count(len(rows), 'attempt')} on the strips of this study."]
    return "\n".join(lines)


def _duration(m: dict[str, Any]) -> str:
    if not m["adequate"] or m["reflux_s"] is None:
        return "inadequate"
    bound, note = ("> " if m["is_lower_bound"] else ""), (" interrupted" if m["interrupted"] else "")
    return f"{bound}{m['reflux_s']:.2f}{note}"
