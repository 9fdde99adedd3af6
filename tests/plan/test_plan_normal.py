"""The form that a record keeps: whole outlines at once; what is known to be in it is not worked out again."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veinscan.errors import InvalidInputError
from veinscan.plan.ids import new_uid
from veinscan.plan.model import (
    CandidateReview,
    Decision,
    InjectionTarget,
    Reading,
    Record,
    RejectReason,
)
from veinscan.plan.normal import (
    differ_in_order_only,
    in_normal_form,
    normalised,
    stored_outline,
    stored_point,
)

numbers = st.floats(-70_000, 70_000) | st.sampled_from([0.0, -0.0, -0.5, 0.1, 65536.0, 1e-300])


def target(**values: object) -> InjectionTarget:
    return InjectionTarget(
        **{"id": new_uid(), "order": 0, "sop_instance_uid": "1.2.3", "point": (1.0, 2.0), **values}  # type: ignore[arg-type]
    )


def verdict(**values: object) -> CandidateReview:
    return CandidateReview(
        **{  # type: ignore[arg-type]
            "candidate_id": "c1", "sop_instance_uid": "1.2.3", "frame_index": 0, "centre": (1.0, 2.0),
            "outline": (), "diameter_mm": 1.0, "depth_mm": None, "score": 0.5, "decision": Decision.VEIN,
            **values,
        }
    )  # fmt: skip


@given(st.lists(st.tuples(numbers, numbers), max_size=8))
@settings(max_examples=200, deadline=None)
def test_an_outline_is_stored_as_each_of_its_points_is(outline: list[tuple[float, float]]) -> None:
    try:
        expected = tuple(stored_point(point) for point in outline)
    except InvalidInputError as error:
        with pytest.raises(InvalidInputError, match="place in a picture") as caught:
            stored_outline(outline)
        assert caught.value.what == error.what
        return
    found = stored_outline(iter(outline))
    assert found == expected
    assert [math.copysign(1, value) for point in found for value in point] == [
        math.copysign(1, value) for point in expected for value in point
    ]
    assert all(type(value) is float for point in found for value in point)
    assert stored_outline(found) == found


@pytest.mark.parametrize(
    "outline", [[(1.0, math.nan)], [(1.0,)], [(1.0, 2.0), (1.0, 2.0, 3.0)], [(1.0, math.inf)], [("a", "b")]]
)
def test_what_is_no_outline_is_refused(outline: list[tuple[float, ...]]) -> None:
    with pytest.raises(InvalidInputError):
        stored_outline(outline)


def test_marks_that_are_in_normal_form_stay_the_objects_they_are() -> None:
    record = Record(reading=Reading(id="1.2.3"), targets=(target(), target()), reviews=(verdict(),))
    once = normalised(record)
    again = normalised(once)
    assert [id(one) for one in (*again.targets, *again.reviews)] == [
        id(one) for one in (*once.targets, *once.reviews)
    ]
    swapped = normalised(replace(once, targets=once.targets[::-1]))
    assert [one.order for one in swapped.targets] == [1, 2]
    assert differ_in_order_only(swapped.targets[0], once.targets[1])
    assert in_normal_form(once) is once


def test_a_change_of_a_known_mark_is_looked_at() -> None:
    once = normalised(Record(reading=Reading(id="1.2.3"), targets=(target(),), reviews=(verdict(),)))
    (known,), (said,) = once.targets, once.reviews
    changed = replace(known, point=(0.1, 0.2))
    assert not differ_in_order_only(changed, known)
    found = normalised(replace(once, targets=(changed,)))
    assert found.targets[0].point == stored_point((0.1, 0.2)) != (0.1, 0.2)
    rejected = normalised(replace(once, reviews=(replace(said, decision=Decision.REJECTED),)))
    assert rejected.reviews[0].reason is RejectReason.UNSTATED
    with pytest.raises(InvalidInputError):
        normalised(replace(once, targets=(replace(known, diameter_mm=math.nan),)))
    with pytest.raises(InvalidInputError):
        normalised(replace(once, reviews=(replace(said, score=math.inf),)))
    with pytest.raises(InvalidInputError, match="same id"):
        normalised(replace(once, targets=(known, known)))
