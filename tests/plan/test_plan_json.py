from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from types import SimpleNamespace

from veinscan.errors import InvalidInputError
from veinscan.plan.as_json import record_json, target_json
from veinscan.plan.editing import new_record
from veinscan.plan.model import CandidateReview, Decision, InjectionTarget, RejectReason, Side, ValueSource

TARGET = InjectionTarget(
    id="1.2.9",
    order=1,
    sop_instance_uid="1.2.3.4",
    frame_index=12,
    point=(10.5, 20.25),
    outline=((1.0, 2.0), (3.0, 4.0)),
    side=Side.RIGHT,
    vein="reticular",
    diameter_mm=1.5,
    diameter_source=ValueSource.CALIPER,
    notes="ü",
    marked_by="DEMO",
    marked_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
)


class Study:
    def clip(self, name: str) -> SimpleNamespace:
        if name != "1.2.3.4":
            raise InvalidInputError("no such clip")
        return SimpleNamespace(file="sub/a.dcm")


def test_a_target_as_the_command_line_prints_it() -> None:
    found = target_json(TARGET, Study())
    more = {name: found.pop(name) for name in list(found) if name not in EXPECTED}
    assert found == EXPECTED
    assert {field.name for field in fields(InjectionTarget)} - {*found, *more} == {
        "calibration",
        "candidate_settings",
        "own",
    }
    assert (more["is_feeder"], more["modality"], more["reflux"]) == ("not_judged", "unknown", [])


def test_a_target_on_the_leg_map_has_no_clip_frame_or_point() -> None:
    found = target_json(replace(TARGET, sop_instance_uid="", map_point=(0.5, 0.25)), Study())
    assert (found["file"], found["frame_index"], found["point"]) == (None, None, None)
    assert found["map_point"] == [0.5, 0.25]


EXPECTED = {
    "id": "1.2.9",
    "order": 1,
    "file": "sub/a.dcm",
    "sop_instance_uid": "1.2.3.4",
    "frame_index": 12,
    "point": [10.5, 20.25],
    "outline": [[1.0, 2.0], [3.0, 4.0]],
    "side": "right",
    "vein": "reticular",
    "diameter_mm": 1.5,
    "diameter_source": "caliper",
    "depth_mm": None,
    "depth_source": None,
    "length_mm": None,
    "artery_checked": "unknown",
    "status": "planned",
    "notes": "ü",
    "candidate_id": None,
    "candidate_score": None,
    "marked_by": "DEMO",
    "marked_at": "2026-01-02T03:04:05+00:00",
}


def test_a_clip_that_has_gone_is_null() -> None:
    assert target_json(replace(TARGET, sop_instance_uid="1.9"), Study())["file"] is None


def test_the_whole_record_is_json_and_strict() -> None:
    review = CandidateReview(
        candidate_id="c",
        sop_instance_uid="1.2.3.4",
        frame_index=1,
        centre=(1.0, 2.0),
        outline=(),
        diameter_mm=None,
        depth_mm=None,
        score=0.5,
        decision=Decision.REJECTED,
        reason=RejectReason.SHADOW,
    )
    record = replace(new_record("1.2.3"), targets=(TARGET,), reviews=(review,), version=3, heads=("1.2",))
    found = json.loads(json.dumps(record_json(record, Study()), allow_nan=False))
    assert (found["version"], found["heads"], found["sessions"], found["follow_ups"]) == (3, ["1.2"], [], [])
    assert found["reviews"][0]["reason"] == "shadow"
    assert found["targets"][0]["id"] == "1.2.9"
