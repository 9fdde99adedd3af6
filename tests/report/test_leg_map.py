"""The leg map: places, drawings, numbers that do not lie over each other, and what is painted."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfgen.canvas import Canvas

from veinscan.errors import InvalidInputError
from veinscan.plan.model import InjectionTarget, Side, TargetStatus
from veinscan.plan.vocabulary import Aspect, Landmark, Level, MapView
from veinscan.report.leg_map import MapMark, drawing, landmark_points, leg_map, panels, place, spread, to_svg
from veinscan.report.leg_map.drawing import ASPECT, DRAWN_VIEWS, LEGS, LineKind, height_cm
from veinscan.report.leg_map.layout import height, width
from veinscan.report.leg_map.pdf import LegMapFlowable
from veinscan.report.leg_map.places import LANDMARK_CM, LEVEL_CM
from veinscan.report.text import Typesetter

BASE = InjectionTarget(id="t", order=1, side=Side.RIGHT)

VIEWS = [(side, view) for side in LEGS for view in DRAWN_VIEWS]


def target(**fields: Any) -> InjectionTarget:
    return replace(BASE, **fields)


def record(*targets: InjectionTarget) -> Any:
    return SimpleNamespace(targets=targets)


def is_on_leg(side: Side, view: MapView, point: tuple[float, float], *, by: float = 0.0) -> bool:
    """Whether a place lies within the outline (`by` of the height inside it)."""
    outline = drawing(side, view).outline_points()
    ring = np.ascontiguousarray(outline[:, ::-1] * (ASPECT, 1.0), dtype=np.float32)
    return cv2.pointPolygonTest(ring, (point[1] * ASPECT, point[0]), measureDist=True) >= by


@pytest.mark.parametrize(("side", "view"), VIEWS)
def test_every_line_lies_in_the_drawing_and_courses_on_the_leg(side: Side, view: MapView) -> None:
    lines = drawing(side, view).lines
    assert [line.kind for line in lines].count(LineKind.OUTLINE) == 1
    for line in lines:
        points = np.array([p for curve in line.curves for p in curve])
        assert points.min() >= 0
        assert points.max() <= 1
        if line.kind is not LineKind.OUTLINE:
            # a few pixels over the edge is how a crease is drawn
            assert all(is_on_leg(side, view, curve[0], by=-0.006) for curve in line.curves), line.name


@pytest.mark.parametrize("view", DRAWN_VIEWS)
def test_left_leg_is_the_right_one_mirrored(view: MapView) -> None:
    right = drawing(Side.RIGHT, view).outline_points()
    left = drawing(Side.LEFT, view).outline_points()
    np.testing.assert_allclose(left[:, 0], right[:, 0])
    np.testing.assert_allclose(left[:, 1], 1 - right[:, 1])


def test_legs_are_seen_as_by_someone_who_stands_before_behind_and_beside() -> None:
    def toes(side: Side, view: MapView) -> float:
        points = drawing(side, view).outline_points()
        return float(points[points[:, 0] > 0.93][:, 1].mean())

    # from the inner side of the right leg the toes point left, from its outer side right
    assert toes(Side.RIGHT, MapView.MEDIAL) < 0.45 < 0.55 < toes(Side.RIGHT, MapView.LATERAL)
    front = {mark: p[1] for mark, p in landmark_points(Side.RIGHT, MapView.FRONT).items()}
    back = {mark: p[1] for mark, p in landmark_points(Side.RIGHT, MapView.BACK).items()}
    # the right leg's inner ankle is right of the outer one from the front, left of it from behind
    assert front[Landmark.MEDIAL_MALLEOLUS] > front[Landmark.LATERAL_MALLEOLUS]
    assert back[Landmark.MEDIAL_MALLEOLUS] < back[Landmark.LATERAL_MALLEOLUS]


@pytest.mark.parametrize(("side", "view"), VIEWS)
def test_landmarks_lie_on_the_leg(side: Side, view: MapView) -> None:
    for mark, point in landmark_points(side, view).items():
        assert is_on_leg(side, view, point), mark
        assert height_cm(point[0]) == pytest.approx(LANDMARK_CM[mark])


@given(
    side=st.sampled_from(LEGS),
    aspect=st.sampled_from([a for a in Aspect if a is not Aspect.UNKNOWN]),
    level=st.sampled_from(list(LEVEL_CM)),
)
def test_every_aspect_and_level_has_a_place_on_the_leg(side: Side, aspect: Aspect, level: Level) -> None:
    found = place(target(side=side, aspect=aspect, level=level))
    assert found is not None
    view, point = found
    assert is_on_leg(side, view, point)
    assert height_cm(point[0]) == pytest.approx(LEVEL_CM[level])


@pytest.mark.parametrize(
    ("landmark", "level", "cm", "height"),
    [
        (Landmark.SFJ, Level.UNKNOWN, 12.0, 71.0),
        (Landmark.GROIN_CREASE, Level.UNKNOWN, 10.0, 75.0),
        (Landmark.MEDIAL_MALLEOLUS, Level.UNKNOWN, 15.0, 23.0),
        (Landmark.FLOOR, Level.UNKNOWN, 30.0, 30.0),
        (Landmark.KNEE_CREASE, Level.CALF_MID, 14.0, 33.2),
        (Landmark.KNEE_CREASE, Level.THIGH_DIST, 10.0, 57.2),
        (Landmark.KNEE_CREASE, Level.UNKNOWN, 5.0, 42.2),
    ],
)
def test_distance_along_the_leg_counts_from_the_landmark(
    landmark: Landmark, level: Level, cm: float, height: float
) -> None:
    found = place(target(landmark=landmark, landmark_cm=cm, level=level, vein="GSV"))
    assert found is not None
    assert found[0] is MapView.MEDIAL
    assert height_cm(found[1][0]) == pytest.approx(height)


def test_a_taller_person_s_distance_is_shorter_on_the_map() -> None:
    words = target(landmark=Landmark.SFJ, landmark_cm=20.0, vein="GSV")
    found = place(words, body_height_cm=200.0)
    assert found is not None
    assert height_cm(found[1][0]) == pytest.approx(83 - 20 * 170 / 200)


def test_named_vein_lies_on_its_course_and_an_aspect_wins_over_it() -> None:
    on_course = place(target(level=Level.CALF_MID, vein="SSV"))
    assert on_course is not None
    assert on_course[0] is MapView.BACK
    outer = place(target(level=Level.CALF_MID, vein="SSV", aspect=Aspect.LATERAL))
    assert outer is not None
    assert outer[0] is MapView.LATERAL


def test_clicked_place_wins_and_the_rest_is_told_apart() -> None:
    legs = leg_map(
        record(
            target(id="a", order=2, level=Level.KNEE, vein="GSV", side=Side.LEFT),
            target(id="b", order=1, map_view=MapView.BACK, map_point=(0.25, 0.5), level=Level.KNEE),
            target(id="c", order=3, side=Side.UNKNOWN, level=Level.KNEE),
            target(id="d", order=4, level=Level.KNEE),
            target(id="e", order=5),
        )
    )
    assert [(m.target_id, m.number, m.side, m.is_estimated) for m in legs.marks] == [
        ("b", 1, Side.RIGHT, False),
        ("a", 2, Side.LEFT, True),
    ]
    assert (legs.marks[0].view, legs.marks[0].point) == (MapView.BACK, (0.25, 0.5))
    assert [order for order, _ in legs.not_placed] == [3, 4, 5]
    assert "side" in legs.not_placed[0][1]
    assert "aspect" in legs.not_placed[1][1]
    assert "level" in legs.not_placed[2][1]


def test_unknown_drawings_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="no drawing of the unknown leg"):
        drawing(Side.UNKNOWN, MapView.FRONT)


def mark(n: int, row: float, col: float, status: TargetStatus = TargetStatus.PLANNED) -> MapMark:
    return MapMark(
        target_id=str(n),
        number=n,
        side=Side.RIGHT,
        view=MapView.FRONT,
        point=(row, col),
        status=status,
        is_estimated=False,
    )


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.2, 0.8)), min_size=1, max_size=20))
def test_numbers_never_lie_over_each_other(points: list[tuple[float, float]]) -> None:
    radius = 0.021
    marks = [mark(n, *p) for n, p in enumerate(points, 1)]
    placed = spread(marks, radius)
    assert set(placed) == {m.target_id for m in marks}
    at = np.array([(row, col * ASPECT) for row, col in placed.values()])
    assert at[:, 0].min() >= 0
    assert at[:, 0].max() <= 1
    gaps = np.linalg.norm(at[:, None] - at[None], axis=2) + np.eye(len(at))
    crowded = {k for k, p in placed.items() if p not in [m.point for m in marks if m.target_id == k]}
    if len(crowded) <= 20:
        # a disc moved aside may meet one that stayed near the border; those that stayed never meet
        stay = [i for i, k in enumerate(placed) if k not in crowded]
        moved = [i for i, k in enumerate(placed) if k in crowded]
        assert len(stay) < 2 or gaps[np.ix_(stay, stay)].min() >= 2 * radius - 1e-9
        assert len(moved) < 2 or gaps[np.ix_(moved, moved)].min() >= 2 * radius - 1e-9


def test_panels_lie_side_by_side_and_lead_back() -> None:
    all_panels = panels()
    assert len(all_panels) == 8
    assert width(all_panels) == pytest.approx(8 * ASPECT)
    for panel in all_panels:
        assert panel.inverse(*panel.at((0.3, 0.7))) == pytest.approx((0.3, 0.7))
        assert panel.inverse(panel.left - 0.01, 0.5) is None
    assert {p.side for p in panels((Side.LEFT,))} == {Side.LEFT}
    two_rows = panels(rows=2, gap=0.1)
    assert width(two_rows) == pytest.approx(4 * ASPECT)
    assert height(two_rows) == pytest.approx(2.1)
    assert {(p.side, p.view) for p in two_rows} == set(VIEWS)


def legs_with(*targets: InjectionTarget) -> Any:
    return leg_map(record(*targets))


def test_svg_is_whole_and_needs_nothing_from_elsewhere() -> None:
    legs = legs_with(
        target(id="a", order=1, map_view=MapView.FRONT, map_point=(0.4, 0.5)),
        target(id="b", order=2, map_view=MapView.FRONT, map_point=(0.405, 0.5), status=TargetStatus.TREATED),
        target(
            id="c", order=3, level=Level.CALF_MID, vein="GSV", status=TargetStatus.SKIPPED, side=Side.LEFT
        ),
    )
    text = to_svg(legs)
    root = ET.fromstring(text)  # noqa: S314  (our own text)
    space = {"s": "http://www.w3.org/2000/svg"}
    numbers = [e.text for e in root.findall(".//s:g/s:text", space)]
    assert numbers == ["1", "2", "3"]
    assert "target 2, treated" in text
    assert 'text-decoration="line-through"' in text
    assert not re.search(r"href|url\(|<script|<image", text)
    described = root.findtext("s:desc", namespaces=space)
    assert described is not None
    assert "target 3, skipped: left leg, medial view" in described


def test_pdf_holds_numbers_as_text_and_the_legs_as_vectors() -> None:
    pypdf = pytest.importorskip("pypdf")
    Typesetter()
    legs = legs_with(target(id="a", order=7, map_view=MapView.MEDIAL, map_point=(0.5, 0.5)))
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=(600, 300))
    flowable = LegMapFlowable(legs, 560, 200)
    wide, high = flowable.wrap(560, 200)
    assert wide <= 560
    assert high <= 200
    flowable.drawOn(canvas, 20, 50)
    canvas.save()
    page = pypdf.PdfReader(stream).pages[0]
    words = page.extract_text()
    assert "7" in words
    assert "right, inner side" in words
    assert not page.images
