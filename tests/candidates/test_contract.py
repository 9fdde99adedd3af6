"""What `find_candidates` promises whatever the picture: types, order, ids, bad input, cancellation."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from veinscan.candidates import FinderSettings, find_candidates, measure_at
from veinscan.candidates.finder import search
from veinscan.errors import CancelledError, InvalidInputError

VEINS = ((8.0, 9.0, 3.0, 3.6), (20.0, 12.0, 5.0, 6.0), (18.0, 27.0, 2.4, 3.0))


@pytest.fixture(scope="module")
def frame(picture, ellipse):
    return picture([ellipse(*vein) for vein in VEINS])


@pytest.fixture(scope="module")
def found(frame):
    return find_candidates(frame[None], 0.1)


def test_every_drawn_vein_is_found_where_it_is_and_as_wide_as_it_is(found):
    for depth, across, minor, _ in VEINS:
        near = [
            one
            for one in found
            if np.hypot(one.centre(0)[0] * 0.1 - depth, one.centre(0)[1] * 0.1 - across) < 0.5
        ]
        assert len(near) == 1
        assert near[0].diameter_mm == pytest.approx(minor, abs=0.3)
        assert near[0].depth_mm == pytest.approx(depth - minor / 2, abs=0.3)


def test_best_first_ranked_and_within_bounds(frame, found):
    scores = [one.score for one in found]
    assert scores == sorted(scores, reverse=True)
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert 0.0 <= one.score <= 1.0
        assert one.best_frame in one.frame_indices
        outline = one.outline(one.best_frame)
        assert outline.dtype == np.float32
        assert outline.min() >= -0.5
        assert (outline <= np.array(frame.shape) - 0.5).all()
        assert one.flow_fraction is None
        with pytest.raises(KeyError):
            one.outline(99)


def test_evidence_adds_up_to_the_score(found):
    for one in found:
        assert 1 / (1 + np.exp(-sum(one.evidence.values()))) == pytest.approx(one.score, abs=0.01)


def test_the_same_input_gives_the_same_list(frame, found):
    again = find_candidates(frame[None].copy(), (0.1, 0.1))
    assert [(one.id, one.score, one.diameter_mm) for one in again] == [
        (one.id, one.score, one.diameter_mm) for one in found
    ]


def test_pixels_of_another_shape_change_nothing_in_mm(picture, ellipse):
    for spacing in ((0.1, 0.1), (0.06, 0.12), (0.15, 0.08)):
        frame = picture([ellipse(12.0, 18.0, 4.0, 5.0)], spacing=spacing)
        best = find_candidates(frame[None], spacing)[0]
        row, col = best.centre(0)
        assert ((row + 0.5) * spacing[0], (col + 0.5) * spacing[1]) == pytest.approx((12.0, 18.0), abs=0.25)
        assert best.diameter_mm == pytest.approx(4.0, abs=0.3)
        assert best.depth_mm == pytest.approx(10.0, abs=0.3)


def test_depth_counts_from_the_skin_and_is_limited(frame, found):
    lower = find_candidates(frame[None], 0.1, skin_row=20)
    assert {round(one.depth_mm + 2.0, 1) for one in lower} >= {round(found[0].depth_mm, 1)}
    assert all(0 <= one.depth_mm <= 10 for one in find_candidates(frame[None], 0.1, max_depth_mm=10))
    assert find_candidates(frame[None], 0.1, skin_row=1e6) == []


def test_diameters_stay_within_the_range_looked_for(frame):
    for one in find_candidates(frame[None], 0.1, diameters_mm=(2.0, 4.0)):
        assert 1.7 <= one.diameter_mm <= 4.6


def test_colour_inside_a_lumen_is_its_flow_fraction(frame, found):
    flow = np.full(frame.shape, np.nan, np.float32)
    row, col = found[0].centre(0)
    rows, cols = np.mgrid[: frame.shape[0], : frame.shape[1]]
    flow[np.hypot(rows - row, cols - col) < 60] = 5.0
    coloured = find_candidates(frame[None], 0.1, flow_cm_s=flow[None])
    assert coloured[0].flow_fraction == 1.0
    assert min(one.flow_fraction for one in coloured) == 0.0
    assert [one.id for one in coloured] == [one.id for one in found]


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((3, 60, 80), np.uint8),
        np.full((2, 60, 80), 255, np.uint8),
        np.full((1, 200, 200), 90, np.uint8),
        np.zeros((0, 60, 80), np.uint8),
        np.zeros((1, 1, 1), np.uint8),
        np.zeros((2, 1, 500), np.uint8),
        np.zeros((2, 500, 1), np.uint8),
        np.zeros((1, 5, 0), np.uint8),
        np.random.default_rng(0).integers(0, 255, (1, 3, 3), np.uint8),
    ],
    ids=str,
)
def test_nothing_to_see_gives_nothing(frames):
    assert find_candidates(frames, 0.1) == []


def test_a_page_of_text_holds_no_vein():
    page = np.zeros((480, 640), np.uint8)
    for row in range(30, 480, 22):
        cv2.putText(
            page, "Rt GSV  SFJ 8.2 mm  reflux 2.1 s", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (230,), 1
        )
    for image in (page, 255 - page):
        assert [one for one in find_candidates(image[None], 0.1) if one.score > 0.3] == []


@pytest.mark.parametrize(
    ("frames", "options", "says"),
    [
        (np.zeros((60, 80), np.uint8), {}, "n, rows, cols"),
        (np.zeros((2, 60, 80, 3), np.uint8), {}, "grey"),
        (np.zeros((2, 60, 80), np.float32), {}, "uint8"),
        (np.full((2, 60, 80), np.nan), {}, "uint8"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": 0.0}, "spacing_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": -0.1}, "spacing_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": (0.1, np.nan)}, "spacing_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": (0.1, 0.1, 0.1)}, "spacing_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": (0.01, 5.0)}, "times the other"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": None}, "spacing_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"spacing_mm": (1,)}, "spacing_mm"),
        (np.broadcast_to(np.uint8(0), (1, 9000, 9000)), {}, "at most"),
        (np.zeros((2, 60, 80), np.uint8), {"diameters_mm": (8.0, 0.5)}, "smaller"),
        (np.zeros((2, 60, 80), np.uint8), {"diameters_mm": (0.0, 8.0)}, "diameters_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"diameters_mm": 3.0}, "diameters_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"max_depth_mm": 0.0}, "max_depth_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"max_depth_mm": np.nan}, "max_depth_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"max_depth_mm": "deep"}, "max_depth_mm"),
        (np.zeros((2, 60, 80), np.uint8), {"skin_row": np.nan}, "skin_row"),
        (np.zeros((2, 60, 80), np.uint8), {"skin_row": "top"}, "skin_row"),
        ([[[1, 2], [3]]], {}, "array"),
        (np.zeros((2, 60, 80), np.uint8), {"flow_cm_s": np.zeros((2, 60, 81), np.float32)}, "flow_cm_s"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence(frames, options, says):
    with pytest.raises(InvalidInputError, match=says):
        find_candidates(frames, **({"spacing_mm": 0.1} | options))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"method": None}, "method"),
        ({"diameters_mm": (8.0, 0.5)}, "smaller"),
        ({"max_depth_mm": float("inf")}, "max_depth_mm"),
        ({"max_depth_mm": 0}, "max_depth_mm"),
        ({"min_depth_mm": 50.0}, "min_depth_mm"),
        ({"min_depth_mm": None}, "min_depth_mm"),
        ({"min_score": float("nan")}, "min_score"),
        ({"min_score": 30}, "min_score"),
        ({"min_score": "high"}, "min_score"),
        ({"max_candidates": 0}, "max_candidates"),
        ({"max_candidates": 1.5}, "max_candidates"),
        ({"max_candidates": True}, "max_candidates"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_in_a_sentence(frame, values, says):
    settings = FinderSettings(**values)
    with pytest.raises(InvalidInputError, match=says):
        search(lambda _: frame, (1, *frame.shape), (0.1, 0.1), settings)


@pytest.mark.parametrize("point", ["x", (1.0,), (1, 2, 3), None, (np.nan, 3.0), (1e6, 3.0)])
def test_a_place_that_is_none_is_refused_in_a_sentence(frame, point):
    with pytest.raises(InvalidInputError, match="point"):
        measure_at(frame, point, 0.1)


def test_progress_is_told_of_every_frame_and_can_stop_the_search(frame):
    told: list[tuple[int, int]] = []
    find_candidates(np.stack([frame] * 3), 0.1, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]

    def stop(done: int, total: int) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        find_candidates(np.stack([frame] * 3), 0.1, progress=stop)
