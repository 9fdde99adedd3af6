"""JSON: everything that is known of a study, and nothing rounded: `json/<study>.json`.

`readings[].plan` is the plan as `veinscan targets export` writes it
(plan.schema.json), which `targets import` reads back to an equal record.
"""

from __future__ import annotations

from typing import Any

from veinscan.export.folder import ExportFolder, json_bytes
from veinscan.export.model import WrittenFile
from veinscan.export.study import ClipCase, StudyCase
from veinscan.plan.as_json import plain
from veinscan.plan.exchange import plan_json

FOLDER = "json"
SCHEMA = 1


def write_case(case: StudyCase, folder: ExportFolder) -> list[WrittenFile]:
    """One file for the study."""
    return [folder.write(f"{FOLDER}/{case.name}.json", json_bytes(study_json(case), indent=1))]


def study_json(case: StudyCase) -> dict[str, Any]:
    """The object that the file holds."""
    return {
        "format": "veinscan-study",
        "schema": SCHEMA,
        "study": case.name,
        "patient": case.identity.patient,
        "split": case.split.value,
        "study_instance_uid": case.study_instance_uid,
        "chosen_reading": None if case.chosen is None else case.chosen.record.reading.id,
        "readings": [
            {
                "reading": plain(reading.record.reading),
                "reader": reading.reader,
                "plan": plan_json(reading.record, case.study_instance_uid),
            }
            for reading in case.readings
        ],
        "clips": [_clip(clip) for clip in case.clips],
        "problems": list(case.problems),
    }


def _clip(case: ClipCase) -> dict[str, Any]:
    clip = case.clip
    times = clip.frame_times_s
    return {
        "clip": case.name,
        "sop_instance_uid": case.sop_instance_uid,
        "kind": clip.kind.value,
        "frames": clip.n_frames,
        "rows": clip.rows,
        "columns": clip.columns,
        "spacing_mm": None if clip.spacing_mm is None else list(clip.spacing_mm),
        "frame_times_s": None if times is None else [float(t) for t in times],
        "regions": [
            {
                "kind": region.kind.value,
                "box": list(region.box),
                "spacing_mm": None if region.spacing_mm is None else list(region.spacing_mm),
                "time_step_s": region.time_step_s,
                "velocity_step_cm_s": region.velocity_step_cm_s,
                "baseline_row": region.baseline_row,
                "source": region.source,
            }
            for region in clip.regions
        ],
        "kept_boxes": [list(box) for box in case.keep.boxes],
        "kept_from": case.keep.source,
        "writing_boxes": [list(box) for box in case.writing],
        "doubts": list(case.keep.doubts),
        "searched": case.searched,
        "negative": case.negative,
        "marks": [
            {
                "category": mark.category.value,
                "frame_index": mark.frame_index,
                "track": mark.track,
                "source": mark.source,
                "outline": [list(point) for point in mark.outline],
                **mark.attributes,
            }
            for mark in case.marks
        ],
        "problems": list(case.problems),
    }
