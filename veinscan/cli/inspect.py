"""`veinscan inspect STUDY`: what is in a study, and what could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veinscan.cli.common import (
    JsonOption,
    StudyArgument,
    StudyUidOption,
    open_study,
    skipped_json,
    skipped_lines,
    start,
    study_lines,
)
from veinscan.cli.output import Result, count, rounded, table

if TYPE_CHECKING:
    from veinscan.dicom import Clip, Region, Study


def inspect(study: StudyArgument, study_uid: StudyUidOption = None, as_json: JsonOption = False) -> Result:
    """List clips, regions and calibration, and what was skipped and why."""
    start()
    opened = open_study(study, study_uid)
    data = {
        "study_instance_uid": opened.study_instance_uid,
        "clips": [_clip_json(clip) for clip in opened.clips],
        "skipped": skipped_json(opened),
    }
    return Result(data, "" if as_json else _text(opened))


def _clip_json(clip: Clip) -> dict[str, Any]:
    return {
        "file": clip.file,
        "sop_instance_uid": clip.sop_instance_uid,
        "kind": clip.kind,
        "frames": clip.n_frames,
        "rows": clip.rows,
        "columns": clip.columns,
        "frame_rate_hz": rounded(clip.frame_rate_hz),
        "transfer_syntax": str(clip.transfer_syntax),
        "warnings": list(clip.warnings),
        "regions": [_region_json(region) for region in clip.regions],
    }


def _region_json(region: Region) -> dict[str, Any]:
    return {
        "kind": region.kind,
        "box": list(region.box),
        "spacing_mm": None if region.spacing_mm is None else list(region.spacing_mm),
        "time_step_s": region.time_step_s,
        "velocity_step_cm_s": region.velocity_step_cm_s,
        "baseline_row": region.baseline_row,
    }


def _text(study: Study) -> str:
    headers = ("clip", "kind", "frames", "size", "Hz", "mm per pixel", "regions")
    rows = [
        (
            clip.file,
            clip.kind.value,
            clip.n_frames,
            f"{clip.rows} x {clip.columns}",
            None if clip.frame_rate_hz is None else f"{clip.frame_rate_hz:.1f}",
            spacing_text(clip.spacing_mm),
            ", ".join(region.kind.value for region in clip.regions) or None,
        )
        for clip in study.clips
    ]
    lines = [*study_lines(study), ""]
    if rows:
        lines.append(table(headers, rows, right=(2, 4)))
    warnings = [
        f"  {clip.file}: {warning}"
        for clip in study.clips
        for warning in dict.fromkeys((*clip.warnings, *(w for r in clip.regions for w in r.warnings)))
    ]
    if warnings:
        lines += ["", "Warnings:", *warnings]
    lines += skipped_lines(study)
    n = len(study.record_paths) + len(study.packed_records)
    if n:
        lines += ["", f"veinscan records: {count(n, 'file')} (see 'veinscan targets list')"]
    return "\n".join(lines)


def spacing_text(spacing_mm: tuple[float, float] | None) -> str | None:
    """'0.0654', or '0.0654 x 0.0700' (row x column) where they differ; None without calibration."""
    if spacing_mm is None:
        return None
    row, col = spacing_mm
    return f"{row:.4f}" if abs(row - col) < 5e-5 else f"{row:.4f} x {col:.4f}"
