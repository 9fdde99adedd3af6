from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veinscan.errors import InvalidInputError
from veinscan.plan import editing
from veinscan.plan.clips import set_context
from veinscan.plan.exchange import import_plan, json_schema, parse_plan, plan_json, plan_text, read_plan
from veinscan.plan.flow import RefluxValue
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.model import InjectionTarget, Reader, Record
from veinscan.plan.treatment import Injection, LaserSettings, TreatmentSession

ANNA = Reader(name="Anna")
CLIP = SimpleNamespace(
    sop_instance_uid="1.2.4",
    file="a.dcm",
    n_frames=3,
    rows=100,
    columns=100,
    regions=(),
    picture_region=None,
)
STUDY = SimpleNamespace(study_instance_uid="1.2.3", clips=(CLIP,))
EMPTY = editing.new_record("1.2.3")


def a_record() -> Record:
    target = InjectionTarget(
        id="1.9.1", order=0, sop_instance_uid="1.2.4", frame_index=1, point=(5.5, 6.25), notes="Knöchel 静脉",
        laser=LaserSettings(wavelength_nm=1064.0), reflux=(RefluxValue(id="1.9.5", reflux_s=0.75),),
    )  # fmt: skip
    record = editing.add_target(EMPTY, target)
    record = editing.add_target(record, editing.target_on_map(ANNA, map_point=(0.25, 0.5), side="left"))
    record = set_context(record, "1.2.4", ANNA, posture="standing")
    session = TreatmentSession(id="1.9.2", injections=(Injection(id="1.9.3", volume_ml=0.25),))
    visit = FollowUp(id="1.9.4", outcomes=(TargetOutcome(target_id="1.9.1"),))
    return replace(record, sessions=(session,), follow_ups=(visit,))


def test_what_was_exported_is_imported_whole(tmp_path: Path) -> None:
    record = a_record()
    path = tmp_path / "plan.json"
    path.write_text(plan_text(record, "1.2.3"), encoding="ascii")
    assert import_plan(EMPTY, read_plan(path), STUDY) == record
    assert import_plan(record, read_plan(path), STUDY) == record


def test_known_ids_are_replaced_new_ones_added_and_none_removed() -> None:
    record = a_record()
    plan = parse_plan(plan_text(editing.update_target(record, "1.9.1", notes="changed"), "1.2.3"))
    other = editing.add_target(EMPTY, editing.target_on_map(ANNA, level="knee"))
    both = import_plan(editing.add_target(other, record.targets[0]), plan, STUDY)
    assert [target.notes for target in both.targets] == ["changed", "", ""]
    assert [target.order for target in both.targets] == [1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"study_instance_uid": "1.2.9"},
        {"format": "other"},
        {"schema": 3},
        {"surprise": 1},
        {"targets": [{"id": "1.9.1"}]},
        {"targets": [{"id": "1.9.1", "order": "1"}]},
        {
            "targets": [
                {"id": "1.9.1", "order": 1, "sop_instance_uid": "1.2.4", "point": [1.0, 2.0], "colour": 1}
            ]
        },
        {"targets": [{"id": "1.9.1", "order": 1, "sop_instance_uid": "1.2.4", "point": [1.0, 2.0, 3.0]}]},
        {"targets": [{"id": "1.9.1", "order": 1, "sop_instance_uid": "1.2.5"}]},
        {"targets": [{"id": "1.9.1", "order": 1, "sop_instance_uid": "1.2.4", "frame_index": 3}]},
        {"targets": [{"id": "1.9.1", "order": 1, "sop_instance_uid": "1.2.4", "point": [500.0, 1.0]}]},
        {"targets": [{"id": "1.9.1", "order": 1, "level": "knee", "vein": "LSV"}]},
        {"targets": [{"id": "1.9.1", "order": 1, "level": "knee", "vessel_type": "artery"}]},
        {"targets": [{"id": "1.9.1", "order": 1, "level": "knee", "diameter_mm": 400.0}]},
        {"targets": [{"id": "1.9.1", "order": 1}]},
        {"targets": [{"id": "patient", "order": 1, "level": "knee"}]},
        {"sessions": [{"id": "1.9.2", "product": "nothing"}]},
        {"sessions": [{"id": "1.9.2", "on": "yesterday"}]},
    ],
)
def test_a_file_that_is_not_right_in_one_place_is_refused_whole(change: dict[str, Any]) -> None:
    data = plan_json(EMPTY, "1.2.3") | change
    with pytest.raises(InvalidInputError):
        import_plan(EMPTY, parse_plan(json.dumps(data)), STUDY)


@given(st.binary(max_size=60) | st.text(max_size=60) | st.just("[" * 9999) | st.just('{"format": NaN}'))
def test_anything_else_is_an_error_of_ours(data: bytes | str) -> None:
    with pytest.raises(InvalidInputError):
        parse_plan(data)


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("veinscan.plan.exchange.MAX_BYTES", 10)
    (tmp_path / "plan.json").write_text(plan_text(EMPTY, "1.2.3"))
    with pytest.raises(InvalidInputError, match="longer"):
        read_plan(tmp_path / "plan.json")
    with pytest.raises(InvalidInputError, match="no such file"):
        read_plan(tmp_path / "none.json")


@pytest.mark.skipif(
    tuple(int(part) for part in pydantic.VERSION.split(".")[:2]) < (2, 14),
    reason="pydantic before 2.14 words the same schema differently",
)
def test_the_published_schema_is_that_of_the_program() -> None:
    from importlib.resources import files

    published = json.loads(files("veinscan.plan").joinpath("plan.schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(json_schema()))
    assert published["additionalProperties"] is False
    assert {"InjectionTarget", "TreatmentSession", "FollowUp"} <= set(published["$defs"])


def test_an_exported_plan_follows_the_published_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    assert list(validator.iter_errors(json.loads(plan_text(a_record(), "1.2.3")))) == []
    wrong = plan_json(a_record(), "1.2.3")
    wrong["targets"][0]["order"] = "first"
    assert list(validator.iter_errors(wrong))
