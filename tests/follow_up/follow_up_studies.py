"""Baselines and follow-ups of the generated small study, and the phantom's with their truth."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from record_studies import FakeStudy, make_study

from veinscan.plan import vocabulary as v
from veinscan.plan.editing import add_target, new_record, target_at_point
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Calibration, InjectionTarget, Reader, Record
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.plan.visits import put_session
from veinscan.record import open_with_record, save_record
from veinscan.record.opening import Opened

ANNA = Reader(name="Anna")
BEN = Reader(name="Ben")
TREATED = date(2026, 1, 5)
WITH_MM = Calibration(box=(20, 10, 220, 310), spacing_mm=(0.1, 0.125), skin_row=25.0)
KNOWN = {"posture": v.Posture.STANDING, "landmark": v.Landmark.SFJ, "landmark_cm": 12.0}


def study_at(folder: Path, day: str = "20260102", **header: Any) -> FakeStudy:
    """Files with headers alone, as a search meets them."""
    study = make_study(folder, StudyDate=day, **header)
    study.path = folder  # type: ignore[attr-defined]
    return study


def target(clip: Any = None, **fields: Any) -> InjectionTarget:
    place = {} if clip is None else {"sop_instance_uid": clip.sop_instance_uid, "point": (100.0, 90.0)}
    values: dict[str, Any] = {
        "id": new_uid(), "order": 0, "side": v.Side.LEFT, "vein": "GSV", "level": v.Level.THIGH_MID,
        "diameter_mm": 4.0, "depth_mm": 8.0, **KNOWN, **place,
    }  # fmt: skip
    return InjectionTarget(**(values | fields))


def plan_of(study: FakeStudy, *targets: InjectionTarget, sessions: int = 1) -> Opened:
    """A saved plan, with a session that treated its targets."""
    record = new_record(study)
    for one in targets:
        record = add_target(record, one)
    if sessions:
        given = tuple(Injection(id=new_uid(), target_id=one.id, volume_ml=0.5) for one in targets)
        record = put_session(record, TreatmentSession(id=new_uid(), on=TREATED, injections=given), ANNA)
    return Opened(study, save_record(study, record, ANNA).record)  # type: ignore[arg-type]


def visit_with(*outcomes: TargetOutcome, **fields: Any) -> FollowUp:
    return FollowUp(**({"id": new_uid(), "on": date(2026, 1, 19), "outcomes": outcomes} | fields))


def record_with(study: Any, *visits: FollowUp, **parts: Any) -> Record:
    from dataclasses import replace

    return replace(new_record(study), follow_ups=visits, **parts)


def truth_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def vessel(truth: dict[str, Any], name: str, frame_index: int) -> dict[str, Any] | None:
    """Where a vein of the transverse clip is on a frame; None where it is closed there."""
    found = next((one for one in truth["clips"][0]["vessels"] if one["name"] == name), None)
    return None if found is None else found["frames"].get(str(frame_index))


def phantom_plan(folder: Path, names: tuple[str, ...]) -> Opened:
    """The sample baseline with one target for each named vein, measured by the program at its middle."""
    opened = open_with_record(folder)
    truth = truth_of(folder)
    script = truth["scripted_target"]
    clip = opened.study.clip(script["file"])
    record = opened.record
    for name in names:
        seen = vessel(truth, name, script["frame_index"])
        assert seen is not None
        vein = name.split()[0] if name.split()[0] in ("GSV", "tributary", "reticular") else "unknown"
        mark = target_at_point(
            clip, script["frame_index"], seen["centre"], ANNA, side=script["side"], vein=vein, **KNOWN
        )
        record = add_target(record, mark)
    day = date(2025, 5, 12)
    given = tuple(Injection(id=new_uid(), target_id=one.id, volume_ml=0.5) for one in record.targets)
    record = put_session(record, TreatmentSession(id=new_uid(), on=day, injections=given), ANNA)
    save_record(opened.study, record, ANNA)
    return open_with_record(folder)
