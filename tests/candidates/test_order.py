"""The order for the feeder question, words of the evidence, tested ranges: what each promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.candidates import (
    Candidate,
    FinderSettings,
    evidence_lines,
    feeder_order,
    find_candidates,
    joint_score,
    score,
)
from veinscan.candidates.order import order_table
from veinscan.candidates.validated import DEPTH, DIAMETER, SPACING, outside_tested
from veinscan.candidates.words import COMPARTMENT_WORDS, EVIDENCE_WORDS
from veinscan.errors import InvalidInputError

SIDES = (0.1, 0.1)


def vein(name="a", *, at=(60.0, 100.0), radius=10.0, **values):
    """A round lumen on frames 0 and 1."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([at[0] + radius * np.sin(angle), at[1] + radius * np.cos(angle)], axis=1)
    given_values = {
        "id": name,
        "frame_indices": (0, 1),
        "best_frame": 0,
        "outlines": dict.fromkeys((0, 1), ring.astype(np.float32)),
        "centres": dict.fromkeys((0, 1), at),
        "diameter_mm": 2.0,
        "depth_mm": 5.0,
        "score": 0.8,
        "rank": 1,
    }
    return Candidate(**(given_values | values))


def names(places):
    return [one.candidate.id for one in places]


def test_the_table_is_whole():
    table = order_table()
    weights = [row["weight"] for row in table["criteria"].values()]
    assert sum(weights) == pytest.approx(1.0)
    assert int(table["version"]) >= 1
    for row in (*table["criteria"].values(), table["artery"]):
        assert row["source"] in table["sources"]
        assert row["mark"] in {"S", "A", "K", "D"}
    assert set(table["criteria"]["compartment"]) >= set(COMPARTMENT_WORDS)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"depth_mm": 4.0}, {"depth_mm": 15.0}),
        ({"diameter_mm": 2.0}, {"diameter_mm": 5.8}),
        ({"diameter_mm": 5.0}, {"diameter_mm": 7.0}),
        ({"compartment": "epifascial"}, {"compartment": "unknown"}),
        ({"compartment": "unknown"}, {"compartment": "subfascial"}),
        ({"score": 0.9}, {"score": 0.4}),
        ({}, {"warnings": ("flow in it pulsates",)}),
    ],
)
def test_one_thing_better_comes_first_and_the_reasons_say_it(better, worse):
    first, second = feeder_order([vein("worse", **worse), vein("better", **better)], SIDES)
    assert (first.candidate.id, second.candidate.id) == ("better", "worse")
    assert (first.place, second.place) == (1, 2)
    assert first.points > second.points
    assert first.reasons != second.reasons


def test_colour_is_neither_asked_for_nor_rewarded():
    silent, coloured = vein("silent", flow_fraction=0.0), vein("coloured", flow_fraction=1.0, rank=2)
    one, other = feeder_order([silent, coloured], SIDES)
    assert one.points == other.points
    assert names([one, other]) == ["silent", "coloured"]


def test_what_lies_near_a_target_comes_first():
    candidates = [vein("left", at=(60, 100)), vein("right", at=(60, 250), rank=2)]
    assert names(feeder_order(candidates, SIDES, targets=[(1, (60.0, 250.0))])) == ["right", "left"]
    near = feeder_order(candidates, SIDES, targets=[(1, (60.0, 250.0))])[0]
    assert "touches a target" in near.reasons
    # a target on a frame that shows neither says nothing
    assert names(feeder_order(candidates, SIDES, targets=[(7, (60.0, 250.0))])) == ["left", "right"]


def test_distance_is_in_mm_whatever_the_pixels():
    wide = feeder_order([vein("a"), vein("b", at=(60, 160), rank=2)], (0.1, 0.1))
    narrow = feeder_order([vein("a"), vein("b", at=(60, 160), rank=2)], (0.1, 0.05))
    assert any("4.0 mm from" in reason for reason in wide[0].reasons)
    assert any("2.0 mm from" in reason for reason in narrow[0].reasons)


@settings(deadline=None, max_examples=30)
@given(st.permutations(list(range(5))))
def test_the_order_does_not_depend_on_the_order_given(order):
    candidates = [vein(str(k), at=(60.0, 60.0 * k + 50), depth_mm=3.0 + 3 * k, rank=k + 1) for k in range(5)]
    expected = names(feeder_order(candidates, SIDES))
    assert names(feeder_order([candidates[k] for k in order], SIDES)) == expected
    for one in feeder_order(candidates, SIDES):
        assert sum(one.parts.values()) == pytest.approx(one.points, abs=1e-3)
        assert -1.0 <= one.points <= 1.0


def test_nothing_in_nothing_out():
    assert feeder_order([], SIDES) == []


# -- evidence in words ------------------------------------------------------------------------------------


def test_every_part_of_a_score_has_words():
    assert set(joint_score.NAMES) | set(score.PARTS) | {"prior", "persistence"} <= set(EVIDENCE_WORDS)
    for speaks, against in EVIDENCE_WORDS.values():
        assert speaks != against
        assert speaks == speaks.strip() != ""


def test_lines_are_the_weighty_parts_by_their_sign():
    lines = evidence_lines(
        vein(evidence={"walls": 2.0, "size": -0.6, "depth": 0.01, "prior": -3.0, "new_part": -1.0})
    )
    assert [line.name for line in lines] == ["walls", "new_part", "size"]
    assert lines[0].words == EVIDENCE_WORDS["walls"][0]
    assert lines[1].words == "not new part"
    assert lines[2].words == EVIDENCE_WORDS["size"][1]
    assert len(evidence_lines(vein(evidence={"walls": 2.0, "size": 1.0}), most=1)) == 1


# -- tested ranges, settings ------------------------------------------------------------------------------


def test_inside_the_tested_ranges_nothing_is_said():
    for spacing in (SPACING.low, SPACING.high):
        for width in (DIAMETER.low, DIAMETER.high):
            assert outside_tested(width, DEPTH.low, (spacing, spacing)) == ()


@pytest.mark.parametrize(
    ("diameter", "depth", "spacing", "names_it"),
    [
        (0.7, 5.0, (0.07, 0.07), "diameter"),
        (7.0, 5.0, (0.07, 0.07), "diameter"),
        (3.0, 35.0, (0.07, 0.07), "depth"),
        (3.0, 5.0, (0.07, 0.2), "spacing"),
        (3.0, 5.0, (0.02, 0.07), "spacing"),
        (None, None, (0.3, 0.3), "spacing"),
    ],
)
def test_outside_them_the_quantity_and_its_range_are_named(diameter, depth, spacing, names_it):
    (words,) = outside_tested(diameter, depth, spacing)
    assert names_it in words
    assert "tested from" in words


def test_candidates_carry_what_was_not_tested(picture, ellipse):
    frame = picture([ellipse(12.0, 14.0, 3.0, 3.4)], spacing=(0.15, 0.15))
    found = find_candidates(frame[None], 0.15)
    assert found
    assert all(any("spacing" in words for words in one.not_validated) for one in found)
    fine = picture([ellipse(12.0, 14.0, 3.0, 3.4)])
    assert find_candidates(fine[None], 0.1)[0].not_validated == ()


def test_a_shallowest_depth_is_kept_and_a_range_of_none_refused(picture, ellipse):
    from veinscan.candidates.finder import search

    frame = picture([ellipse(6.0, 10.0, 3.0, 3.4), ellipse(20.0, 22.0, 3.0, 3.4)])

    def run(**values):
        settings = FinderSettings(min_score=0.1, **values)
        return search(lambda index: frame, (1, *frame.shape), SIDES, settings)

    deep = run(min_depth_mm=10.0)
    assert deep
    assert all(one.depth_mm >= 10.0 for one in deep)
    assert {one.id for one in deep} <= {one.id for one in run()}
    for bad in (-1.0, 40.0, math.nan):
        with pytest.raises(InvalidInputError, match="min_depth_mm"):
            run(min_depth_mm=bad)
