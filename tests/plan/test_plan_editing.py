from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veinscan.candidates.model import Candidate
from veinscan.dicom.model import Region, RegionKind
from veinscan.errors import CalibrationError, InvalidInputError, RecordError
from veinscan.plan import editing
from veinscan.plan.model import (
    Calibration,
    Checked,
    Decision,
    InjectionTarget,
    Reader,
    Record,
    RejectReason,
    Side,
    ValueSource,
)
from veinscan.plan.normal import is_uid, normalised, stored_coordinate, stored_point, stored_time
from veinscan.plan.veins import NAMES, VEINS, vein_name

TISSUE = Region(kind=RegionKind.TISSUE, box=(20, 10, 220, 310), spacing_mm=(0.1, 0.125), skin_row=25.0)
SECOND = Region(kind=RegionKind.COLOR_FLOW, box=(20, 320, 220, 400), spacing_mm=(0.2, 0.2))
STRIP = Region(kind=RegionKind.SPECTRAL_PW, box=(225, 10, 239, 310), velocity_step_cm_s=0.5)
ANNA = Reader(name="Anna")
RECORD = editing.new_record("1.2.3")


@dataclass(frozen=True)
class Clip:
    regions: tuple[Region, ...] = (TISSUE, SECOND, STRIP)
    file: str = "a.dcm"
    sop_instance_uid: str = "1.2.3.4"
    n_frames: int = 12
    rows: int = 240
    columns: int = 420

    @property
    def picture_region(self) -> Region | None:
        return next((region for region in self.regions if region.kind is RegionKind.TISSUE), None)

    def bmode(self, frame_index: int) -> np.ndarray:
        """A dark disc of 3 mm in a grey picture, its middle at (120, 160), on a grid of 0.1 by 0.125 mm."""
        rows, cols = np.ogrid[: self.rows, : self.columns]
        distance = np.hypot((rows - 120) * 0.1, (cols - 160) * 0.125)
        rng = np.random.default_rng(frame_index)
        picture = np.where(distance < 1.5, 12.0, 130.0) * rng.uniform(0.85, 1.15, (self.rows, self.columns))
        return picture.clip(0, 255).astype(np.uint8)


def candidate(**fields: Any) -> Candidate:
    outline = np.array([[118, 158], [118, 163], [123, 163], [123, 158]], np.float32)
    values: dict[str, Any] = {
        "id": "a-1",
        "frame_indices": (3, 4),
        "best_frame": 4,
        "outlines": {3: outline, 4: outline + 1},
        "centres": {3: (120.0, 160.0), 4: (121.0, 161.0)},
        "diameter_mm": 2.2,
        "depth_mm": 9.1,
        "score": 0.7,
        "rank": 1,
    }
    return Candidate(**(values | fields))


def plan(count: int) -> Record:
    record = RECORD
    for number in range(count):
        clicked = editing.target_at_point(Clip(regions=()), 0, (5 + number, 7), ANNA, notes=str(number))
        record = editing.add_target(record, clicked)
    return record


CALIBRATED: dict[str, Any] = {"box": (0, 0, 9, 9), "spacing_mm": (0.1, 0.1), "skin_row": 0.0}


def notes(record: Record) -> str:
    assert [target.order for target in record.targets] == list(range(1, len(record.targets) + 1))
    return "".join(target.notes for target in record.targets)


# points


@given(st.floats(-0.5, 60000))
def test_a_stored_coordinate_survives_the_file_and_stays_near(value: float) -> None:
    stored = stored_coordinate(value)
    assert float(np.float32(stored)) == stored
    assert float(np.float32(stored + 0.5)) - 0.5 == stored
    assert stored_coordinate(stored) == stored
    assert abs(stored - value) <= max(1, value) * 2**-23


@pytest.mark.parametrize(
    "point", [(float("nan"), 1), (1, float("inf")), (1,), "xy", None, (1, 1e9), (1, 2, 3)]
)
def test_what_is_no_point_is_refused(point: Any) -> None:
    with pytest.raises(InvalidInputError):
        stored_point(point)


@pytest.mark.parametrize(
    "point", [(19.4, 50), (220, 50), (100, 9), (100, 310.2), (230, 100), (100, 315), (-1, -1)]
)
def test_a_point_outside_the_picture_is_refused_with_the_place_to_choose(point: tuple[float, float]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        editing.target_at_point(Clip(), 0, point, ANNA)
    assert "outside the ultrasound picture" in str(caught.value)
    assert "(20, 10, 220, 310)" in caught.value.do
    assert caught.value.where == "a.dcm"


def test_the_edges_of_the_picture_are_in_it() -> None:
    for point in ((19.5, 9.5), (219.49, 309.49), (100, 320)):
        assert editing.target_at_point(Clip(), 0, point, ANNA).point == stored_point(point)


def test_a_clip_without_regions_takes_any_point_of_the_frame_and_measures_nothing() -> None:
    target = editing.target_at_point(Clip(regions=()), 0, (230, 410), ANNA)
    assert (target.calibration, target.diameter_mm, target.depth_mm) == (None, None, None)
    with pytest.raises(InvalidInputError, match="outside the frame"):
        editing.target_at_point(Clip(regions=()), 0, (240, 1), ANNA)


def test_a_clip_that_shows_only_a_strip_takes_no_target() -> None:
    with pytest.raises(InvalidInputError, match="shows a picture"):
        editing.target_at_point(Clip(regions=(STRIP,)), 0, (230, 100), ANNA)


@pytest.mark.parametrize("frame", [-1, 12, 1.5, True, "3"])
def test_a_frame_that_is_not_there_is_refused(frame: Any) -> None:
    with pytest.raises(InvalidInputError, match="frame"):
        editing.target_at_point(Clip(), frame, (100, 100), ANNA)


# making targets


def test_a_click_in_a_lumen_measures_it() -> None:
    target = editing.target_at_point(Clip(), 2, (121, 158), ANNA, side="left", vein="gsv")
    assert target.diameter_mm == pytest.approx(3.0, abs=0.45)
    assert target.depth_mm == pytest.approx((120 - 15 - 25) * 0.1, abs=0.45)
    assert (target.diameter_source, target.depth_source) == (ValueSource.CLICK, ValueSource.CLICK)
    assert target.calibration is not None and target.calibration.skin_row == 25.0
    rows, cols = np.array(target.outline).T
    assert 100 < rows.min() < rows.max() < 140 and 140 < cols.min() < cols.max() < 180
    assert (target.side, target.vein, target.marked_by) == (Side.LEFT, "GSV", "Anna")
    assert target.marked_at is not None and target.marked_at.utcoffset() is not None
    assert target.marked_at.microsecond == 0
    assert is_uid(target.id)
    assert normalised(editing.add_target(RECORD, target)).targets[0] == replace(target, order=1)


def test_nothing_clinical_has_a_default_but_unknown() -> None:
    target = editing.target_at_point(Clip(), 0, (60, 60), ANNA)
    assert (target.side, target.vein, target.artery_checked) == (Side.UNKNOWN, "unknown", Checked.UNKNOWN)
    assert (target.notes, target.length_mm, target.candidate_id) == ("", None, None)


def test_a_target_from_a_candidate_carries_its_measures_and_where_they_come_from() -> None:
    target = editing.target_from_candidate(Clip(), candidate(), ANNA, frame_index=3, notes="hello")
    assert (target.frame_index, target.point) == (3, (120.0, 160.0))
    assert target.outline == ((118.0, 158.0), (118.0, 163.0), (123.0, 163.0), (123.0, 158.0))
    assert (target.diameter_mm, target.diameter_source) == (2.2, ValueSource.CANDIDATE)
    assert (target.depth_mm, target.depth_source) == (9.1, ValueSource.CANDIDATE)
    assert (target.candidate_id, target.candidate_score, target.notes) == ("a-1", 0.7, "hello")
    assert editing.target_from_candidate(Clip(), candidate(), ANNA).frame_index == 4
    with pytest.raises(InvalidInputError, match="not seen on frame 7"):
        editing.target_from_candidate(Clip(), candidate(), ANNA, frame_index=7)


def test_two_targets_never_share_an_id() -> None:
    ids = {editing.target_from_candidate(Clip(), candidate(), ANNA).id for _ in range(50)}
    assert len(ids) == 50


# editing


def test_targets_keep_a_dense_order() -> None:
    record = plan(4)
    assert notes(record) == "0123"
    third = record.targets[2].id
    assert notes(editing.move_target(record, third, 1)) == "2013"
    assert notes(editing.move_target(record, third, 99)) == "0132"
    assert notes(editing.remove_target(record, third)) == "013"
    assert notes(editing.update_target(record, third, order="2")) == "0213"
    inserted = replace(editing.target_at_point(Clip(), 0, (60, 60), ANNA, notes="n"), order=2)
    assert notes(editing.add_target(record, inserted)) == "0n123"


def test_an_edit_leaves_the_record_it_was_given_alone() -> None:
    record = plan(2)
    before = repr(record)
    editing.update_target(record, record.targets[0].id, notes="changed")
    editing.remove_target(record, record.targets[0].id)
    assert repr(record) == before


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"side": "LEFT"}, Side.LEFT),
        ({"artery_checked": "yes"}, Checked.YES),
        ({"diameter_mm": "2.50"}, 2.5),
        ({"diameter_mm": None}, None),
        ({"length_mm": ""}, None),
        ({"vein": "great saphenous vein"}, "GSV"),
        ({"notes": ""}, ""),
    ],
)
def test_values_may_come_as_text(values: dict[str, Any], expected: object) -> None:
    record = plan(1)
    (name,) = values
    assert getattr(editing.update_target(record, record.targets[0].id, **values).targets[0], name) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"side": "both"},
        {"status": "done"},
        {"diameter_mm": "3,5"},
        {"diameter_mm": -1},
        {"diameter_mm": 0},
        {"diameter_mm": 300},
        {"diameter_mm": "nan"},
        {"depth_mm": "1e999"},
        {"vein": "LSV"},
        {"vein": "aorta"},
        {"order": 0},
        {"order": "x"},
        {"notes": 3},
        {"id": "1.2"},
        {"nonsense": 1},
        {"point": (1, 2)},
        {"diameter_source": "caliper"},
    ],
)
def test_values_that_make_no_sense_are_refused_in_one_sentence(values: dict[str, Any]) -> None:
    record = plan(1)
    with pytest.raises(InvalidInputError) as caught:
        editing.update_target(record, record.targets[0].id, **values)
    assert caught.value.do


def test_a_number_says_where_it_comes_from() -> None:
    record = plan(1)
    uid = record.targets[0].id
    entered = editing.update_target(record, uid, diameter_mm=3)
    assert entered.targets[0].diameter_source is ValueSource.ENTERED
    with pytest.raises(InvalidInputError, match="R03"):  # there is no calibration to measure with
        editing.update_target(entered, uid, diameter_mm=3.1, diameter_source="caliper")
    calibrated = replace(entered.targets[0], calibration=Calibration(**CALIBRATED))
    entered = replace(entered, targets=(calibrated,))
    caliper = editing.update_target(entered, uid, diameter_mm=3.1, diameter_source="caliper")
    assert caliper.targets[0].diameter_source is ValueSource.CALIPER
    assert editing.update_target(caliper, uid, diameter_mm=None).targets[0].diameter_source is None


def test_a_moved_point_is_measured_again_and_a_persons_numbers_stay() -> None:
    target = editing.target_at_point(Clip(), 2, (121, 158), ANNA, depth_mm=4.5)
    record = editing.add_target(RECORD, target)
    moved = editing.move_point(record, target.id, Clip(), 5, (60, 60)).targets[0]
    assert (moved.frame_index, moved.point) == (5, (60.0, 60.0))
    assert (moved.depth_mm, moved.depth_source) == (4.5, ValueSource.ENTERED)
    assert (moved.diameter_mm, moved.outline) != (target.diameter_mm, target.outline)
    with pytest.raises(InvalidInputError):
        editing.move_point(record, target.id, Clip(), 5, (5, 5))


def test_unknown_targets_and_doubles_are_errors() -> None:
    record = plan(1)
    for edit in (
        lambda: editing.update_target(record, "1.9", notes="x"),
        lambda: editing.remove_target(record, "1.9"),
        lambda: editing.move_target(record, "1.9", 1),
        lambda: editing.add_target(record, record.targets[0]),
    ):
        with pytest.raises(RecordError):
            edit()


def test_a_read_only_record_takes_no_edit() -> None:
    record = replace(plan(1), read_only="it was saved by a newer veinscan")
    with pytest.raises(RecordError, match="newer"):
        editing.update_target(record, record.targets[0].id, notes="x")
    with pytest.raises(RecordError, match="newer"):
        editing.review(record, Clip(), candidate(), Decision.VEIN, ANNA)


# verdicts


def test_a_verdict_is_kept_with_what_it_is_about() -> None:
    record = editing.review(RECORD, Clip(), candidate(), Decision.REJECTED, ANNA, RejectReason.NERVE)
    verdict = editing.review_of(record, "1.2.3.4", "a-1")
    assert verdict is not None
    assert (verdict.decision, verdict.reason, verdict.reviewed_by) == (
        Decision.REJECTED,
        RejectReason.NERVE,
        "Anna",
    )
    assert (verdict.frame_index, verdict.centre, verdict.score) == (4, (121.0, 161.0), 0.7)
    assert len(verdict.outline) == 4
    assert normalised(record) == record


def test_a_later_verdict_replaces_and_unreviewed_takes_back() -> None:
    record = editing.review(RECORD, Clip(), candidate(), "rejected", ANNA)  # type: ignore[arg-type]
    assert record.reviews[0].reason is RejectReason.UNSTATED
    record = editing.review(record, Clip(), candidate(), Decision.VEIN, Reader(name="Ben"))
    assert [(entry.decision, entry.reason, entry.reviewed_by) for entry in record.reviews] == [
        (Decision.VEIN, None, "Ben")
    ]
    record = editing.review(record, Clip(), candidate(id="a-2"), Decision.VEIN, ANNA)
    assert len(record.reviews) == 2
    assert (
        editing.review(record, Clip(), candidate(), Decision.UNREVIEWED, ANNA).reviews == record.reviews[1:]
    )


def test_a_reason_belongs_to_a_rejection() -> None:
    with pytest.raises(InvalidInputError, match="rejection"):
        editing.review(RECORD, Clip(), candidate(), Decision.VEIN, ANNA, RejectReason.NERVE)


def test_an_outline_never_leaves_the_picture_plane() -> None:
    wild = {4: np.array([[-9, -9], [500, -9], [500, 900]], np.float32)}
    record = editing.review(RECORD, Clip(), candidate(outlines=wild), Decision.VEIN, ANNA)
    rows, cols = np.array(record.reviews[0].outline).T
    assert rows.min() >= -0.5 and cols.min() >= -0.5 and rows.max() <= 239.5 and cols.max() <= 419.5


# mm


@given(
    st.tuples(st.integers(20, 219), st.integers(10, 309)),
    st.tuples(st.integers(20, 219), st.integers(10, 309)),
)
def test_distance_is_in_mm_of_either_axis(a: tuple[int, int], b: tuple[int, int]) -> None:
    expected = float(np.hypot((a[0] - b[0]) * 0.1, (a[1] - b[1]) * 0.125))
    assert editing.distance_mm(Clip(), a, b) == pytest.approx(expected)


def test_depth_counts_from_the_skin() -> None:
    assert editing.depth_mm(Clip(), (125, 50)) == pytest.approx(10.0)
    assert editing.depth_mm(Clip(), (120, 330)) == pytest.approx(20.0)  # no reference pixel: the region's top


def test_no_mm_across_regions_or_without_calibration() -> None:
    with pytest.raises(CalibrationError, match="different regions"):
        editing.distance_mm(Clip(), (100, 100), (100, 330))
    bare = Clip(regions=(replace(TISSUE, spacing_mm=None, proposed_spacing_mm=(0.1, 0.1)),))
    for measure in (
        lambda: editing.distance_mm(bare, (100, 100), (100, 130)),
        lambda: editing.depth_mm(bare, (99, 99)),
    ):
        with pytest.raises(CalibrationError, match="no calibration"):
            measure()
    assert editing.target_at_point(bare, 0, (100, 100), ANNA).calibration is None


# readings, names, times


def test_the_plan_of_a_study_is_one_reading_for_everybody_and_others_are_their_own() -> None:
    assert editing.new_record("1.2.3") == editing.new_record("1.2.3")
    assert editing.new_record("1.2.3").reading.id != editing.new_record("1.2.4").reading.id
    research = {editing.new_record("1.2.3", purpose="research").reading.id for _ in range(3)}
    assert len(research) == 3
    with pytest.raises(InvalidInputError):
        editing.new_record("1.2.3", purpose="fun")


def test_vein_names_are_one_each() -> None:
    assert len(set(NAMES)) == len(NAMES) == len(VEINS) + 1
    for vein in VEINS:
        for text in (vein.name, vein.display, vein.name.lower(), *vein.synonyms):
            assert vein_name(text) == vein.name
    assert vein_name("") == "unknown"
    folded = [text.casefold() for vein in VEINS for text in (vein.name, *vein.synonyms)]
    assert len(folded) == len(set(folded))
    assert not {"LSV", "lsv"} & {text for vein in VEINS for text in (vein.name, vein.display, *vein.synonyms)}
    with pytest.raises(InvalidInputError, match="long and the lesser"):
        vein_name("lsv")


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))
def test_a_time_without_a_zone_gets_one(moment: datetime) -> None:
    stored = stored_time(moment)
    assert stored.utcoffset() is not None and stored.microsecond == 0
    assert abs(stored.replace(tzinfo=None) - moment) < timedelta(hours=3)


def test_a_source_without_its_number_is_dropped() -> None:
    target = InjectionTarget(
        id="1.2",
        order=1,
        sop_instance_uid="1.2",
        frame_index=0,
        point=(1, 1),
        diameter_source=ValueSource.CLICK,
    )
    assert normalised(replace(RECORD, targets=(target,))).targets[0].diameter_source is None


def test_two_targets_of_one_id_are_refused() -> None:
    target = InjectionTarget(id="1.2", order=1, sop_instance_uid="1.2", frame_index=0, point=(1, 1))
    with pytest.raises(InvalidInputError, match="same id"):
        normalised(replace(RECORD, targets=(target, target)))
