"""Where the targets of a record lie on the leg map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veinscan.plan.model import InjectionTarget, Point, Record, Side, TargetStatus
from veinscan.plan.vocabulary import Aspect, Landmark, Level, MapView
from veinscan.report.leg_map.drawing import (
    BODY_HEIGHT_CM,
    COURSES,
    DRAWN_VIEWS,
    FLOOR_CM,
    LEGS,
    TOP_CM,
    edges,
    to_map,
)

LANDMARK_CM: dict[Landmark, float] = {
    Landmark.SFJ: 83.0,
    Landmark.GROIN_CREASE: 85.0,
    Landmark.PATELLA: 50.0,
    Landmark.SPJ: 48.0,
    Landmark.KNEE_CREASE: 47.2,
    Landmark.MEDIAL_MALLEOLUS: 8.0,
    Landmark.LATERAL_MALLEOLUS: 6.6,
    Landmark.FLOOR: 0.0,
}
"""Height of a landmark above the floor on the drawn leg, cm; nominal, as the drawing is."""

_ACROSS: dict[MapView, dict[Landmark, float]] = {
    MapView.FRONT: {
        Landmark.SFJ: 2.6, Landmark.GROIN_CREASE: 0.0, Landmark.PATELLA: -0.4,
        Landmark.MEDIAL_MALLEOLUS: 3.2, Landmark.LATERAL_MALLEOLUS: -3.5, Landmark.FLOOR: 0.0,
    },
    MapView.BACK: {
        Landmark.SPJ: 0.2, Landmark.KNEE_CREASE: 0.0,
        Landmark.MEDIAL_MALLEOLUS: 3.2, Landmark.LATERAL_MALLEOLUS: -3.5, Landmark.FLOOR: 0.0,
    },
    MapView.MEDIAL: {
        Landmark.SFJ: -6.2, Landmark.GROIN_CREASE: -6.2, Landmark.PATELLA: -6.8, Landmark.KNEE_CREASE: 4.0,
        Landmark.MEDIAL_MALLEOLUS: -0.6, Landmark.FLOOR: 2.0,
    },
    MapView.LATERAL: {
        Landmark.PATELLA: -6.8, Landmark.KNEE_CREASE: 4.0, Landmark.LATERAL_MALLEOLUS: 0.1,
        Landmark.FLOOR: 2.0,
    },
}  # fmt: skip

LEVEL_CM: dict[Level, float] = {
    Level.GROIN: 83.0,
    Level.THIGH_PROX: 74.0,
    Level.THIGH_MID: 66.0,
    Level.THIGH_DIST: 57.0,
    Level.KNEE: 48.5,
    Level.CALF_PROX: 40.0,
    Level.CALF_MID: 31.0,
    Level.CALF_DIST: 20.0,
    Level.ANKLE: 9.0,
    Level.FOOT: 3.0,
}
"""Middle of a level on the drawn leg, cm above the floor."""

_DOWNWARD = (Landmark.SFJ, Landmark.GROIN_CREASE)
_UPWARD = (Landmark.MEDIAL_MALLEOLUS, Landmark.LATERAL_MALLEOLUS, Landmark.FLOOR)

_ANGLES: dict[Aspect, float] = {
    Aspect.ANTERIOR: 0, Aspect.ANTEROMEDIAL: 45, Aspect.MEDIAL: 90, Aspect.POSTEROMEDIAL: 135,
    Aspect.POSTERIOR: 180, Aspect.POSTEROLATERAL: 225, Aspect.LATERAL: 270, Aspect.ANTEROLATERAL: 315,
}  # fmt: skip
"""Degrees round the leg, from the front over the inner side."""
_FACING = {MapView.FRONT: 0, MapView.MEDIAL: 90, MapView.BACK: 180, MapView.LATERAL: 270}


@dataclass(frozen=True, slots=True, kw_only=True)
class MapMark:
    """A target on the leg map."""

    target_id: str
    number: int
    """Its order."""
    side: Side
    view: MapView
    point: Point
    """`(row, col)` in 0..1 of the drawing."""
    status: TargetStatus
    is_estimated: bool
    """Placed by landmark or level on a nominal leg, not by a person's click."""


@dataclass(frozen=True, slots=True)
class LegMap:
    """All marks, and the targets that have no place on the map, with the reason."""

    marks: tuple[MapMark, ...]
    not_placed: tuple[tuple[int, str], ...]
    """(order, what is missing)."""


def leg_map(record: Record, *, body_height_cm: float = BODY_HEIGHT_CM) -> LegMap:
    """Where each target lies: as clicked, else by its distance to a landmark, else by its level."""
    marks: list[MapMark] = []
    missing: list[tuple[int, str]] = []
    for target in sorted(record.targets, key=lambda t: t.order):
        if target.side not in LEGS:
            missing.append((target.order, "its side is unknown"))
            continue
        clicked = target.map_point if target.map_view in DRAWN_VIEWS else None
        found = (
            (target.map_view, clicked)
            if clicked is not None
            else place(target, body_height_cm=body_height_cm)
        )
        if found is None:
            missing.append((target.order, _what_is_missing(target)))
            continue
        marks.append(
            MapMark(
                target_id=target.id,
                number=target.order,
                side=target.side,
                view=found[0],
                point=found[1],
                status=target.status,
                is_estimated=clicked is None,
            )
        )
    return LegMap(tuple(marks), tuple(missing))


def landmark_points(side: Side, view: MapView) -> dict[Landmark, Point]:
    """The landmarks that can be seen in a drawing, `(row, col)` in 0..1."""
    return {mark: to_map((LANDMARK_CM[mark], across), side, view) for mark, across in _ACROSS[view].items()}


def place(
    target: InjectionTarget, view: MapView | None = None, *, body_height_cm: float = BODY_HEIGHT_CM
) -> tuple[MapView, Point] | None:
    """The view and `(row, col)` in 0..1 that a target's words lead to; None where they do not suffice.

    The distance along the leg is scaled from the person's height to the drawn
    leg's.  From the groin it counts down, from the ankle or the floor up, from the
    knee towards the target's level (down where that is unknown).
    """
    height = _height_cm(target, body_height_cm)
    view = view or _view(target)
    if height is None or view is None or target.side not in LEGS:
        return None
    return view, to_map((height, _across(target, view, height)), target.side, view)


def _height_cm(target: InjectionTarget, body_height_cm: float) -> float | None:
    start = LANDMARK_CM.get(target.landmark)
    if start is not None and target.landmark_cm is not None:
        away = target.landmark_cm * BODY_HEIGHT_CM / body_height_cm
        level = LEVEL_CM.get(target.level)
        up = target.landmark in _UPWARD or (
            target.landmark not in _DOWNWARD and level is not None and level > start
        )
        height = start + away if up else start - away
        return float(np.clip(height, FLOOR_CM + 3, TOP_CM - 2))
    return LEVEL_CM.get(target.level)


def _view(target: InjectionTarget) -> MapView | None:
    if target.map_view in DRAWN_VIEWS:
        return target.map_view
    if target.aspect in _ANGLES:
        angle = _ANGLES[target.aspect]
        # between two views the side views win: they show the saphenous courses
        order = (MapView.MEDIAL, MapView.LATERAL, MapView.FRONT, MapView.BACK)
        return min(order, key=lambda view: round(_between(angle, _FACING[view])))
    for view in (MapView.MEDIAL, MapView.BACK, MapView.FRONT):
        if target.vein in COURSES[view]:
            return view
    return None


def _between(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


def _across(target: InjectionTarget, view: MapView, height: float) -> float:
    """Place across the leg, cm, by the vein's usual course, else by the aspect, else in the middle."""
    course = COURSES[view].get(target.vein)
    if course is not None and target.aspect not in _ANGLES:
        return _at(course, height)
    first, _, second = edges(view)
    near, far = _at(first, height), _at(second, height)
    middle, half = (near + far) / 2, (far - near) / 2
    if target.aspect not in _ANGLES:
        return middle
    turn = _ANGLES[target.aspect] - _FACING[view]
    # the tables show the inner side at plus in front and back views, the rear at plus in side views
    sign = -1 if view in (MapView.BACK, MapView.LATERAL) else 1
    return middle + sign * half * 0.92 * float(np.sin(np.radians(turn)))


def _at(line: tuple[tuple[float, float], ...], height: float) -> float:
    """Place across of an edge or a course at a height."""
    points = np.array(sorted(line))
    return float(np.interp(height, points[:, 0], points[:, 1]))


def _what_is_missing(target: InjectionTarget) -> str:
    if _height_cm(target, BODY_HEIGHT_CM) is None:
        return "it has no level and no distance to a landmark, and was not placed by hand"
    return "its aspect is unknown, and it was not placed by hand"
