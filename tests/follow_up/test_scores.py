"""The severity score: no sum without all ten items, no difference without both sums."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date

from follow_up_studies import TREATED, record_with, target, visit_with
from hypothesis import given
from hypothesis import strategies as st

from veinscan.follow_up import compare_records
from veinscan.follow_up.scores import score_pairs, total
from veinscan.plan.editing import new_record
from veinscan.plan.ids import new_uid
from veinscan.plan.treatment import ClinicalValues, Rvcss, TreatmentSession
from veinscan.plan.vocabulary import Side

ITEMS = [field.name for field in fields(Rvcss) if field.name != "side"]
scores = st.builds(Rvcss, side=st.just(Side.LEFT), **dict.fromkeys(ITEMS, st.none() | st.integers(0, 3)))


def values(*found: Rvcss) -> ClinicalValues:
    return ClinicalValues(rvcss=found)


def session(*found: Rvcss, on: date = TREATED) -> TreatmentSession:
    return TreatmentSession(id=new_uid(), on=on, values=values(*found))


def full(points: int, side: Side = Side.LEFT) -> Rvcss:
    return Rvcss(side=side, **dict.fromkeys(ITEMS, points))  # type: ignore[arg-type]


@given(scores, scores)
def test_a_difference_needs_both_sums(before: Rvcss, after: Rvcss) -> None:
    (pair,) = score_pairs([session(before)], visit_with(values=values(after)))
    assert (pair.baseline, pair.follow_up) == (total(before), total(after))
    if None in (total(before), total(after)):
        assert pair.difference is None
        assert pair.reason
    else:
        assert pair.difference == total(after) - total(before)  # type: ignore[operator]
        assert 0 <= pair.baseline <= 30  # type: ignore[operator]


def test_the_last_session_of_each_leg_before_the_visit_counts() -> None:
    before = replace(
        new_record("1.2.3"),
        targets=(target(),),
        sessions=(
            session(full(2), on=date(2026, 1, 4)),
            session(full(3), full(1, Side.RIGHT)),
            session(full(0), on=date(2026, 2, 1)),
        ),
    )
    found = compare_records(before, record_with("1.2.4", visit_with(values=values(full(1)))))
    left, right = found.rvcss
    assert left.words() == "30 -> 10 points (-20 points, -67 %)"
    assert right.words() == "10 points -> not recorded (not scored at the follow-up)"
    assert compare_records(new_record("1.2.3"), record_with("1.2.4")).rvcss == ()
