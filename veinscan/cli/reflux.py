"""`veinscan reflux STUDY`: reflux on every spectral strip, with a picture of each."""

from __future__ import annotations

import logging
from dataclasses import dataclass
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
    study_lines,
)
from veinscan.cli.output import Result, WrongCallError, count, rounded, table
from veinscan.cli.reflux_by_hand import Marks, calibrated, kept, target_named
from veinscan.cli.saving import ReaderOption, reader_of, save
from veinscan.errors import InvalidInputError, VeinscanError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from veinscan.dicom import Clip, Study
    from veinscan.doppler import RefluxMeasurement, Strip
    from veinscan.plan.model import Record

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
    target: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Keep the attempts on this target of the record: its number or id.",
            show_default=False,
        ),
    ] = None,
    attempt: Annotated[
        int | None,
        typer.Option(metavar="K", help="Whose marks are moved; else the longest.", show_default=False),
    ] = None,
    onset: Annotated[
        float | None,
        typer.Option(metavar="S", help="Move the onset here, with --file.", show_default=False),
    ] = None,
    end: Annotated[
        float | None, typer.Option(metavar="S", help="Move the end here, with --file.", show_default=False)
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(
            metavar="ROW0,COL0,ROW1,COL1", help="The strip that --click calibrates.", show_default=False
        ),
    ] = None,
    click: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROW,COL,VALUE,S",
            help="What the axes say at a point; give two.  Kept in the record.",
            show_default=False,
        ),
    ] = None,
    unit: Annotated[str, typer.Option(metavar="cm/s|Hz", help="Unit of the clicked axis.")] = "cm/s",
    wrap: Annotated[
        int | None,
        typer.Option(
            metavar="COL", help="Column where a sweeping strip is written, with --click.", show_default=False
        ),
    ] = None,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Measure reflux on every spectral strip; without calibration nothing is measured."""
    from veinscan.plan.thresholds import profiles, version

    who = reader_of(reader)
    if profile not in profiles():
        raise InvalidInputError(
            f"threshold profile '{profile}' is not known",
            where="--profile",
            do="use one of " + ", ".join(profiles()),
        )
    marks = Marks(attempt, onset, end)
    by_hand = marks.given or bool(click) or box is not None
    if by_hand and file is None:
        raise WrongCallError(
            "marks and clicks belong to one clip", where="--file", do="say which with --file"
        )
    if bool(click) != (box is not None):
        raise WrongCallError("a calibration needs a box and two clicks", where="--box", do="give both")
    opened = open_study(study, study_uid)
    pictures = None
    if output is not None:
        from veinscan.cli.overlays import OverlayFolder

        pictures = OverlayFolder(output, listing="reflux.json", written_by="veinscan reflux", kind="strip")
    clips = choose_clips(opened, file)
    done = _Done([], [])
    record = _record(opened, done, must=by_hand or target is not None)
    before = record
    if click and box is not None and record is not None:
        record = calibrated(record, clips[0], who, box, click, unit, wrap)
    chosen = None if target is None or record is None else target_named(record, target).id
    for index, clip in enumerate(clips):
        for number, strip in enumerate(_strips(clip, record, done)):
            found = _measured(clip, strip, antegrade, manoeuvre, profile, done)
            if found is None:
                continue
            if marks.given:
                found = marks.put(strip, found, who)
            done.measurements.extend(measurement_json(clip, one) for one in found.attempts)
            done.warnings.extend({"file": clip.file, "warning": note} for note in found.warnings)
            if chosen is not None and record is not None:
                record = kept(record, chosen, clip, found, who)
            if pictures is not None:
                from veinscan.doppler import draw_strip
                from veinscan.report.pictures import encode

                name = f"strip-{index + 1:03d}-{number + 1}.png"
                pictures.put(name, encode(draw_strip(strip, found)))
    _logger.info("measured %d attempts", len(done.measurements))
    data: dict[str, Any] = {
        "study_instance_uid": opened.study_instance_uid,
        "measurements": done.measurements,
        "thresholds_version": version(),
        "warnings": done.warnings,
        "skipped": skipped_json(opened),
    }
    if pictures is not None:
        pictures.finish(data)
        data["pictures"] = pictures.names
    if record is not None and record != before:
        saved = save(opened, record, who)
        data |= {"saved": str(saved.path), "version": saved.record.version}
    text = "" if as_json else _text(data, study_lines(opened), skipped_lines(opened))
    return Result(data, text)


@dataclass(frozen=True, slots=True)
class _Done:
    measurements: list[dict[str, Any]]
    warnings: list[dict[str, str]]


def _record(study: Study, done: _Done, *, must: bool) -> Record | None:
    """The record, for its calibrations by hand; where it is only looked at, one that fails is said."""
    from veinscan.record import load_record

    try:
        return load_record(study)
    except VeinscanError as error:
        if must:
            raise
        done.warnings.append(
            {"file": "", "warning": f"calibrations in the record are not used: {error.what}"}
        )
        return None


def _strips(clip: Clip, record: Record | None, done: _Done) -> Iterator[Strip]:
    """Strips calibrated by hand, then those of the file that lie elsewhere; one that fails says so."""
    from veinscan.dicom import ClipKind
    from veinscan.doppler import spectral_regions, strip_of
    from veinscan.doppler.by_hand import overlap
    from veinscan.plan.strips import axes_of, strip_calibrations_of

    clicked = () if record is None else strip_calibrations_of(record, clip)
    ways: list[dict[str, Any]] = [
        {"axes": axes_of(clip, one), "wrap_column": one.wrap_column} for one in clicked
    ]
    ways += [
        {"region": region}
        for region in spectral_regions(clip)
        if not any(overlap(region.box, one.box) for one in clicked)
    ]
    if not ways and clip.kind in (ClipKind.SPECTRAL, ClipKind.DUPLEX):
        done.warnings.append(
            {
                "file": clip.file,
                "warning": "the strip is not calibrated: nothing is measured before two clicks",
            }
        )
    for way in ways:
        try:
            yield strip_of(clip, **way)
        except VeinscanError as error:
            done.warnings.append(_not_measured(clip, error))


def _measured(
    clip: Clip, strip: Strip, antegrade: str | None, manoeuvre: str, profile: str, done: _Done
) -> RefluxMeasurement | None:
    """What is measured on a strip; a strip that fails says so and stops nothing."""
    from veinscan.doppler import measure_reflux

    try:
        return measure_reflux(strip, antegrade=antegrade, manoeuvre=manoeuvre, threshold_profile=profile)
    except InvalidInputError as error:
        if error.where == "reflux":
            raise
        done.warnings.append(_not_measured(clip, error))
    except VeinscanError as error:
        done.warnings.append(_not_measured(clip, error))
    return None


def _not_measured(clip: Clip, error: VeinscanError) -> dict[str, str]:
    return {"file": clip.file, "warning": f"not measured: {error.what}; {error.do}".rstrip("; ")}


def measurement_json(clip: Clip, m: RefluxMeasurement) -> dict[str, Any]:
    """`measurements[]` of the contract; seconds to a millisecond, velocities to a tenth."""
    return {
        "file": clip.file,
        "sop_instance_uid": clip.sop_instance_uid,
        "attempt": m.attempt,
        "reflux_s": rounded(m.duration_s, 3),
        "measured_reflux_s": rounded(m.reflux_s, 3),
        "is_lower_bound": m.duration_is_lower_bound,
        "peak_reflux_cm_s": rounded(m.peak_reflux_cm_s, 1),
        "mean_reflux_cm_s": rounded(m.mean_reflux_cm_s, 1),
        "antegrade_peak_cm_s": rounded(m.antegrade_peak_cm_s, 1),
        "onset_s": rounded(m.onset_s if m.corrected_onset_s is None else m.corrected_onset_s, 3),
        "end_s": rounded(m.end_s if m.corrected_end_s is None else m.corrected_end_s, 3),
        "corrected_by": m.corrected_by or None,
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
    lines += [f"{w['file']}: {w['warning']}".removeprefix(": ") for w in data["warnings"]]
    if "saved" in data:
        lines.append(f"Saved as version {data['version']}: {data['saved']}")
    lines += [*skipped, "", f"{count(len(rows), 'attempt')} on the strips of this study."]
    return "\n".join(lines)


def _duration(m: dict[str, Any]) -> str:
    if not m["adequate"] or m["reflux_s"] is None:
        return "inadequate"
    bound, note = ("> " if m["is_lower_bound"] else ""), (" interrupted" if m["interrupted"] else "")
    return f"{bound}{m['reflux_s']:.2f}{note}"
