"""Two sample studies of one made-up patient, the earlier one with a plan: for the tests of the follow-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from veinscan import record as store
from veinscan.dicom import open_study
from veinscan.plan import editing
from veinscan.plan.clips import set_context
from veinscan.plan.ids import new_uid
from veinscan.plan.model import InjectionTarget, Reader
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.plan.visits import put_session
from veinscan.record.course import study_day

READER = Reader(name="Dr. Plan")
LABEL: dict[str, Any] = {
    "side": "right",
    "vein": "tributary",
    "level": "calf_mid",
    "posture": "standing",
    "landmark": "patella",
    "landmark_cm": 8.0,
}
FRAME = 8
"""Of the sweep: before the compression in baseline and follow-up."""
GIVEN_ML = 0.5


def centres(folder: Path) -> dict[str, tuple[float, float]]:
    """By name of the vein, its true centre on frame `FRAME` of the sweep, where it is open and in sight."""
    vessels = json.loads((folder / "truth.json").read_text("utf-8"))["clips"][0]["vessels"]
    return {
        one["name"]: tuple(one["frames"][str(FRAME)]["centre"])
        for one in vessels
        if one["type"] == "vein" and not one["occluded"] and str(FRAME) in one["frames"]
    }


def diameters(folder: Path) -> dict[str, float]:
    """By name of the vein, its true diameter on that frame, mm."""
    vessels = json.loads((folder / "truth.json").read_text("utf-8"))["clips"][0]["vessels"]
    return {
        one["name"]: one["frames"][str(FRAME)]["diameter_mm"]
        for one in vessels
        if str(FRAME) in one["frames"]
    }


def plan_baseline(folder: Path, *, names: tuple[str, ...] = ("GSV", "tributary", "reticular 1")) -> list[Any]:
    """Mark these veins in the baseline, treat them on its day, and save; returns the targets."""
    study = open_study(folder)
    record = store.load_record(study)
    clip = study.clips[0]
    record = set_context(record, [clip], READER, **LABEL)
    places = centres(folder)
    for name in names:
        target: InjectionTarget = editing.target_at_point(clip, FRAME, places[name], READER)
        record = editing.add_target(record, target)
    session = TreatmentSession(
        id=new_uid(),
        on=study_day(study),
        injections=tuple(
            Injection(id=new_uid(), target_id=one.id, volume_ml=GIVEN_ML) for one in record.targets
        ),
    )
    record = put_session(record, session, READER)
    return list(store.save_record(study, record, READER).record.targets)
