"""Candidates by their likeness: 'not seen' first, then an order that follows what was compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from follow_up_studies import target, truth_of, vessel
from hypothesis import given
from hypothesis import strategies as st

from veinscan.candidates import find_in_clip
from veinscan.candidates.model import Candidate
from veinscan.follow_up import choices_for
from veinscan.plan import vocabulary as v
from veinscan.plan.context import ClipContext


def candidate(rank: int = 1, **fields: Any) -> Candidate:
    square = np.asarray([(0, 0), (0, 9), (9, 9), (9, 0)], np.float32)
    values: dict[str, Any] = {
        "id": f"c{rank}", "frame_indices": (0,), "best_frame": 0, "outlines": {0: square},
        "centres": {0: (4.0, 4.0)}, "diameter_mm": 4.0, "depth_mm": 8.0, "score": 0.9, "rank": rank,
    }  # fmt: skip
    return Candidate(**(values | fields))


sizes = st.floats(0.2, 12.0)
depths = st.floats(0.0, 40.0)
found_candidates = st.lists(st.tuples(sizes, depths), max_size=6).map(
    lambda pairs: [candidate(n, diameter_mm=a, depth_mm=b) for n, (a, b) in enumerate(pairs, start=1)]
)


@given(st.none() | sizes, st.none() | depths, found_candidates)
def test_not_seen_is_first_and_no_candidate_is_lost(
    diameter: float | None, depth: float | None, candidates: list[Candidate]
) -> None:
    choices = choices_for(target(diameter_mm=diameter, depth_mm=depth), candidates)
    assert choices[0].is_not_seen
    assert choices[0].likeness is None
    assert choices[0].reasons
    assert {id(one.candidate) for one in choices[1:]} == {id(one) for one in candidates}
    likeness = [one.likeness for one in choices[1:]]
    known = [value for value in likeness if value is not None]
    assert known == sorted(known, reverse=True)
    assert all(0.0 <= value <= 1.0 for value in known)
    if diameter is None and depth is None:
        assert known == []
        assert [one.candidate for one in choices[1:]] == candidates


@given(sizes, depths, st.floats(0.05, 3.0))
def test_the_same_size_and_depth_is_most_alike_and_further_is_less(
    size: float, depth: float, step: float
) -> None:
    one = target(diameter_mm=size, depth_mm=depth)
    same, deeper = (
        candidate(1, diameter_mm=size, depth_mm=depth),
        candidate(2, diameter_mm=size, depth_mm=depth + step),
    )
    deepest = candidate(3, diameter_mm=size, depth_mm=depth + 2 * step)
    choices = choices_for(one, [deepest, deeper, same])
    assert [choice.candidate for choice in choices[1:]] == [same, deeper, deepest]
    assert choices[1].likeness == pytest.approx(1.0)


def test_the_reasons_are_told_and_what_is_unknown_counts_neither_way() -> None:
    one = target(compartment=v.Compartment.EPIFASCIAL)
    context = ClipContext(sop_instance_uid="1.2.3", landmark=v.Landmark.SFJ, landmark_cm=13.0)
    epifascial, deep = candidate(1, compartment="epifascial"), candidate(2, compartment="subfascial")
    _, first, second = choices_for(one, [deep, epifascial], context=context)
    assert first.candidate is epifascial
    assert [reason.name for reason in first.reasons] == ["diameter", "depth", "fascia", "landmark"]
    assert first.sentence == (
        "4.0 mm wide, the target was 4.0 mm; 8.0 mm deep, the target was 8.0 mm; epifascial like the target; "
        "13 cm from SFJ, the target was 12 cm"
    )
    assert second.reasons[2].sentence == "subfascial, the target was epifascial"
    unknown = choices_for(one, [candidate()])[1]
    assert [reason.likeness is None for reason in unknown.reasons] == [False, False, True, True]
    assert unknown.likeness == pytest.approx(1.0)
    other = ClipContext(sop_instance_uid="1.2.3", landmark=v.Landmark.PATELLA, landmark_cm=12.0)
    assert choices_for(one, [candidate()], context=other)[1].reasons[3].likeness is None


def test_the_fascia_layer_comes_from_the_candidate_that_the_target_lies_in() -> None:
    here = target(sop_instance_uid="1.2.3", frame_index=0, point=(4.0, 4.0))
    beside = candidate(2, compartment="subfascial", outlines={0: np.asarray([(20, 20), (20, 30), (30, 25)])})
    around = candidate(1, compartment="epifascial")
    found = choices_for(here, [candidate(compartment="epifascial")], baseline_candidates=[beside, around])
    assert found[1].reasons[2].sentence == "epifascial like the target"
    for mark in (replace(here, frame_index=1), replace(here, point=(40.0, 4.0)), target()):
        unknown = choices_for(
            mark, [candidate(compartment="epifascial")], baseline_candidates=[beside, around]
        )
        assert unknown[1].reasons[2].likeness is None
    set_by_hand = replace(here, compartment=v.Compartment.SAPHENOUS)
    found = choices_for(set_by_hand, [candidate(compartment="epifascial")], baseline_candidates=[around])
    assert found[1].reasons[2].sentence == "epifascial, the target was saphenous"


def test_open_veins_of_the_phantom_are_found_again(sample_study_dir: Any, sample_follow_up_dir: Any) -> None:
    from veinscan.dicom import open_study

    before, after = truth_of(sample_study_dir), truth_of(sample_follow_up_dir)
    script = before["scripted_target"]
    clip = open_study(sample_follow_up_dir).clip(script["file"])
    candidates = find_in_clip(clip).candidates

    def lies_on(one: Candidate, name: str) -> bool:
        for frame in one.frame_indices:
            seen = vessel(after, name, frame)
            if seen is not None and np.hypot(*np.subtract(one.centre(frame), seen["centre"])) < 8:
                return True
        return False

    for name in ("GSV", "deep vein", "reticular 2", "reticular 3"):
        planned = vessel(before, name, script["frame_index"])
        assert planned is not None
        one = target(diameter_mm=planned["diameter_mm"], depth_mm=planned["depth_mm"])
        choices = choices_for(one, candidates)
        assert choices[0].is_not_seen
        assert choices[1].candidate is not None
        assert lies_on(choices[1].candidate, name), name
