from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan import editing
from veinscan.plan.clips import (
    calibrations_of,
    context_of,
    remove_calibration,
    search_of,
    set_calibration,
    set_context,
    set_search,
)
from veinscan.plan.model import Aspect, InjectionTarget, Level, Posture, Reader, Record, Side, VesselType
from veinscan.plan.normal import normalised
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.vocabulary import MapView, Searched

ANNA, BEN = Reader(name="Anna"), Reader(name="Ben")
RECORD = editing.new_record("1.2.3")


def target(clip: str = "1.2.4", **fields: Any) -> InjectionTarget:
    return InjectionTarget(
        id=fields.pop("id", "1.9.1"),
        order=0,
        sop_instance_uid=clip,
        frame_index=1,
        point=(1.0, 2.0),
        **fields,
    )


def only(record: Record) -> InjectionTarget:
    (found,) = record.targets
    return found


def test_everything_is_unknown_until_a_person_says_it() -> None:
    context = context_of(RECORD, "1.2.4")
    assert (context.side, context.vein, context.posture, context.landmark_cm) == ("unknown",) * 3 + (None,)


def test_one_act_labels_many_clips_and_their_targets_follow() -> None:
    record = editing.add_target(RECORD, target())
    record = set_context(
        record, ["1.2.4", SimpleNamespace(sop_instance_uid="1.2.5")], ANNA, side="left", vein="gsv"
    )
    record = set_context(record, "1.2.4", BEN, posture="standing")
    assert [context.side for context in record.contexts] == [Side.LEFT, Side.LEFT]
    found = only(record)
    assert (found.side, found.vein, found.posture) == (Side.LEFT, "GSV", Posture.STANDING)
    assert context_of(record, "1.2.4").set_by == "Ben"
    # and one that is marked afterwards
    later = editing.add_target(record, target("1.2.5", id="1.9.2"))
    assert (later.targets[1].side, later.targets[1].posture) == (Side.LEFT, Posture.UNKNOWN)
    # a target elsewhere does not
    assert editing.add_target(record, target("1.2.6", id="1.9.2")).targets[1].side is Side.UNKNOWN


def test_what_a_person_set_on_the_target_stays_when_the_clip_changes() -> None:
    record = set_context(RECORD, "1.2.4", ANNA, side="left", level="knee")
    record = editing.add_target(record, target())
    record = editing.update_target(record, "1.9.1", level="unknown")
    record = set_context(record, "1.2.4", ANNA, side="right", level="ankle", aspect="medial")
    found = only(record)
    assert (found.side, found.level, found.aspect) == (Side.RIGHT, Level.UNKNOWN, Aspect.MEDIAL)


def test_a_value_from_before_that_differs_from_the_clip_is_not_overwritten() -> None:
    record = editing.add_target(RECORD, target(side=Side.RIGHT))
    assert only(set_context(record, "1.2.4", ANNA, side="left")).side is Side.RIGHT


@pytest.mark.parametrize("values", [{"side": "both"}, {"vein": "LSV"}, {"landmark_cm": 900}, {"gender": 1}])
def test_a_context_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        set_context(RECORD, "1.2.4", ANNA, **values)
    assert caught.value.do


def test_how_far_a_clip_was_searched() -> None:
    record = set_search(RECORD, ["1.2.4", "1.2.5"], "complete", ANNA)
    record = set_search(record, "1.2.5", "unreadable", BEN, notes="gain too low")
    assert (search_of(record, "1.2.4"), search_of(record, "1.2.5")) == (
        Searched.COMPLETE,
        Searched.UNREADABLE,
    )
    assert search_of(set_search(record, "1.2.4", "unknown", ANNA), "1.2.4") is Searched.UNKNOWN
    assert search_of(record, "1.2.6") is Searched.UNKNOWN


CALIBRATION: dict[str, Any] = {
    "box": (10, 10, 200, 200), "spacing_mm": (0.1, 0.1), "point_a": (20, 30), "point_b": (120, 30),
    "known_mm": 10.0,
}  # fmt: skip


def test_a_calibration_by_a_known_distance_is_kept_with_who_set_it() -> None:
    record = set_calibration(RECORD, "1.2.4", ANNA, **CALIBRATION)
    (found,) = calibrations_of(record, "1.2.4")
    assert (found.known_mm, found.set_by, found.point_b) == (10.0, "Anna", (120.0, 30.0))
    again = set_calibration(record, "1.2.4", BEN, **(CALIBRATION | {"spacing_mm": (0.0999, 0.2)}))
    assert [one.set_by for one in again.calibrations] == ["Ben"]
    assert remove_calibration(again, "1.2.4") == RECORD
    assert normalised(record) == record


@pytest.mark.parametrize(
    "wrong",
    [
        {"known_mm": 0},
        {"known_mm": 12},
        {"spacing_mm": (0.0, 0.1)},
        {"point_b": (500, 30)},
        {"box": (9, 9, 9, 9)},
    ],
)
def test_a_calibration_that_does_not_agree_with_its_points_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        set_calibration(RECORD, "1.2.4", ANNA, **(CALIBRATION | wrong))


def test_a_target_may_lie_on_the_leg_map_alone() -> None:
    marked = editing.target_on_map(ANNA, map_point="0.25,0.5", map_view="medial", side="left")
    record = editing.add_target(RECORD, marked)
    assert not only(record).has_place
    assert (only(record).map_point, only(record).map_view) == ((0.25, 0.5), MapView.MEDIAL)
    assert normalised(record) == record
    assert editing.target_on_map(ANNA, landmark="knee_crease", landmark_cm="12.5").landmark_cm == 12.5
    for nowhere in ({}, {"side": "left"}, {"map_point": (0.5, 1.5)}):
        with pytest.raises(InvalidInputError):
            editing.target_on_map(ANNA, **nowhere)


def test_what_a_map_target_says_of_a_picture_is_dropped() -> None:
    marked = editing.target_on_map(ANNA, level="knee")
    from dataclasses import replace

    record = replace(RECORD, targets=(replace(marked, frame_index=7, outline=((1.0, 1.0),)),))
    assert only(normalised(record)).outline == () and only(normalised(record)).frame_index == 0
    with pytest.raises(InvalidInputError, match="no place"):
        normalised(replace(RECORD, targets=(replace(marked, level=Level.UNKNOWN),)))


@pytest.mark.parametrize("kind", ["artery", "nerve"])
def test_no_artery_or_nerve_is_planned_or_treated(kind: str) -> None:
    record = editing.add_target(RECORD, target())
    with pytest.raises(InvalidInputError, match="R07"):
        editing.update_target(record, "1.9.1", vessel_type=kind)
    skipped = editing.update_target(record, "1.9.1", vessel_type=kind, status="skipped")
    assert only(skipped).vessel_type is VesselType(kind)
    with pytest.raises(InvalidInputError, match="R07"):
        editing.update_target(skipped, "1.9.1", status="treated")


def test_every_field_that_can_be_set_can_be_set_as_text() -> None:
    record = editing.add_target(RECORD, target())
    record = editing.update_target(
        record, "1.9.1", segment="proximal", vein_class="reticular", compartment="epifascial",
        is_feeder="suspected", compressible="full", feeds="1.9.7, 1.9.8", feeds_text="web",
        modality="foam", ultrasound_guided="yes",
        product="asclera_us", concentration_percent="0.5", planned_volume_ml="0.3", needle_gauge="30",
        artery_distance_mm="4", skin_entry="1,2", plane="transverse",
    )  # fmt: skip
    found = only(record)
    assert (found.concentration_percent, found.needle_gauge, found.feeds) == (0.5, 30, ("1.9.7", "1.9.8"))
    assert normalised(record) == record
    lit = editing.update_target(record, "1.9.1", laser="wavelength_nm=1064; spot_mm=6; cooling=air")
    assert only(lit).laser == LaserSettings(wavelength_nm=1064.0, spot_mm=6.0, cooling="air")
    for wrong in (
        {"laser": "power=9"},
        {"laser": 3},
        {"laser": "passes=x"},
        {"needle_gauge": 12},
        {"needle_gauge": 25.5},
        {"product": "x"},
        {"feeds": "web"},
    ):
        with pytest.raises(InvalidInputError):
            editing.update_target(record, "1.9.1", **wrong)


def test_a_record_that_cannot_be_changed_refuses_all_of_it() -> None:
    from dataclasses import replace

    with pytest.raises(RecordError):
        set_context(replace(RECORD, read_only="newer"), "1.2.4", ANNA, side="left")
