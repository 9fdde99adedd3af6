"""A reader's outline: measured, kept with who drew it, through a verdict and through the record."""

from __future__ import annotations

import numpy as np
import pytest
from test_plan_editing import ANNA, RECORD, Clip, candidate

from veinscan.errors import InvalidInputError
from veinscan.plan import editing
from veinscan.plan.model import Decision, Reader, RejectReason
from veinscan.plan.outlines import measured_outline, set_course, set_outline, with_outline

BEN = Reader(name="Ben")


def ring(row: float = 120.0, col: float = 160.0, half_mm: float = 1.2) -> list[tuple[float, float]]:
    at = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return [(row + half_mm / 0.1 * np.sin(a), col + half_mm / 0.125 * np.cos(a)) for a in at]


def test_an_outline_is_kept_with_its_measures_and_who_drew_it():
    record = set_outline(RECORD, Clip(), candidate(), 7, ring(), BEN)
    (review,) = record.reviews
    assert (review.decision, review.outlined_by, review.frame_index) == (Decision.VEIN, "Ben", 7)
    assert review.diameter_mm == pytest.approx(2.4, abs=0.03)
    assert review.depth_mm == pytest.approx((120 - 12 - 25) * 0.1, abs=0.05)
    np.testing.assert_allclose(review.outline, ring(), atol=1e-3)


def test_a_verdict_that_was_given_stays_and_a_later_one_keeps_the_outline():
    one = candidate()
    record = editing.review(RECORD, Clip(), one, Decision.REJECTED, ANNA, reason=RejectReason.ARTERY)
    record = set_outline(record, Clip(), one, one.best_frame, ring(), BEN)
    (review,) = record.reviews
    assert (review.decision, review.reason, review.outlined_by) == (
        Decision.REJECTED,
        RejectReason.ARTERY,
        "Ben",
    )
    shown = with_outline(one, one.best_frame, measured_outline(Clip(), ring()))
    record = editing.review(record, Clip(), shown, Decision.VEIN, ANNA)
    (review,) = record.reviews
    assert (review.decision, review.reviewed_by, review.outlined_by) == (Decision.VEIN, "Anna", "Ben")
    assert review.diameter_mm == pytest.approx(2.4, abs=0.03)


def test_a_verdict_on_what_the_program_found_names_nobody_as_its_draughtsman():
    record = editing.review(RECORD, Clip(), candidate(), Decision.VEIN, ANNA)
    assert record.reviews[0].outlined_by == ""


@pytest.mark.parametrize(
    ("outline", "words"),
    [
        ([(100, 100), (110, 110)], "2 corners"),
        ([(100, 100), (110, 110), (120, 120)], "encloses nothing"),
        (ring(5, 5, 0.2), "outside the ultrasound picture"),
    ],
)
def test_what_is_no_outline_is_refused_and_nothing_changes(outline, words):
    with pytest.raises(InvalidInputError, match=words):
        set_outline(RECORD, Clip(), candidate(), 3, outline, BEN)


def test_without_calibration_it_is_refused():
    with pytest.raises(InvalidInputError, match="calibrate"):
        set_outline(RECORD, Clip(regions=()), candidate(), 3, ring(), BEN)


def test_a_course_is_kept_about_the_outline_of_the_verdict_and_through_a_later_one():
    way = {frame: ring(col=160.0 + frame) for frame in (6, 7, 8)}
    record = set_outline(RECORD, Clip(), candidate(), 7, ring(), BEN)
    record = set_course(record, Clip(), candidate().id, way)
    (review,) = record.reviews
    assert [one.frame_index for one in review.course] == [6, 8]
    np.testing.assert_allclose(review.course[1].outline, way[8], atol=1e-3)
    np.testing.assert_allclose(review.outline, ring(), atol=1e-3)
    shown = with_outline(candidate(), 7, measured_outline(Clip(), ring()))
    (later,) = editing.review(record, Clip(), shown, Decision.REJECTED, ANNA).reviews
    assert later.course == review.course
    (moved,) = set_outline(record, Clip(), candidate(), 8, ring(row=130), BEN).reviews
    assert (moved.frame_index, [one.frame_index for one in moved.course]) == (8, [6, 7])
    assert moved.course[1].outline == review.outline


def test_a_course_needs_a_verdict_and_frames_that_are_there():
    with pytest.raises(InvalidInputError, match="nobody has said"):
        set_course(RECORD, Clip(), candidate().id, {3: ring()})
    record = set_outline(RECORD, Clip(), candidate(), 7, ring(), BEN)
    with pytest.raises(InvalidInputError, match="frame"):
        set_course(record, Clip(), candidate().id, {9999: ring()})
