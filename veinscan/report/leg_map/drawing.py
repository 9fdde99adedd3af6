"""The lines of the drawn leg.

Drawn in centimetres on a leg of a person 170 cm tall: height above the floor,
and across the leg from its axis.  Knee (28.5 % of body height) and ankle
(3.9 %) after Drillis and Contini, Body Segment Parameters, 1966; the rest is
drawn by eye.  It is a map, not a measurement: heights on it are nominal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

import numpy as np
import numpy.typing as npt

from veinscan.errors import InvalidInputError
from veinscan.plan.model import Point, Side
from veinscan.plan.vocabulary import MapView

BODY_HEIGHT_CM = 170.0
"""Of the person who is drawn."""

TOP_CM, FLOOR_CM = 101.0, -3.0
"""Height above the floor of the upper and lower border of a drawing."""
WIDTH_CM = 42.0

ASPECT = WIDTH_CM / (TOP_CM - FLOOR_CM)
"""Width of a drawing by its height."""

Cm = tuple[float, float]
"""Height above the floor and place across the leg, cm; right leg."""
Bezier = tuple[Point, Point, Point, Point]
"""A cubic Bezier curve: start, two handles, end; `(row, col)` in 0..1."""


class LineKind(StrEnum):
    """What a line of the drawing stands for."""

    OUTLINE = "outline"
    """The skin; to be filled."""
    FOLD = "fold"
    """Creases and bones under the skin that help to find one's way."""
    COURSE = "course"
    """Usual course of a vein; this person's may differ."""


@dataclass(frozen=True, slots=True)
class Line:
    """A smooth line: cubic Bezier curves end to end."""

    kind: LineKind
    curves: tuple[Bezier, ...]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One leg from one side; every coordinate `(row, col)` in 0..1."""

    side: Side
    view: MapView
    lines: tuple[Line, ...]

    def outline_points(self, steps: int = 8) -> npt.NDArray[np.float64]:
        """(n, 2) points along the outline."""
        outline = next(line for line in self.lines if line.kind is LineKind.OUTLINE)
        return np.concatenate([along(curve, steps) for curve in outline.curves])


# The right leg from the front: its outer side is on the left.  Edges from the top down.
_FRONT_OUTER: tuple[Cm, ...] = (
    (99, -12.2), (93, -13.6), (86, -14.2), (78, -13.2), (68, -10.9), (59, -8.4), (53, -6.9), (49, -6.5),
    (45, -6.0), (40, -6.7), (35, -6.9), (29, -6.1), (21, -4.5), (13, -3.6), (9, -3.7), (6.6, -4.3),
    (4, -4.2), (2, -5.4), (0.2, -6.4),
)  # fmt: skip
_FRONT_SOLE: tuple[Cm, ...] = ((-1.2, -5.2), (-1.6, -1.5), (-1.3, 2.4))
_FRONT_INNER: tuple[Cm, ...] = (
    (0.4, 4.0), (3, 3.6), (5.5, 3.3), (8, 4.0), (11, 3.1), (16, 3.1), (22, 3.9), (29, 5.2), (35, 5.9),
    (40, 5.6), (45, 5.1), (49, 5.7), (53, 5.6), (60, 6.7), (68, 8.0), (75, 9.0), (79, 9.9), (80.5, 11.4),
    (86, 11.8), (93, 12.0), (99, 12.0),
)  # fmt: skip
# From the inner side: toes on the left.
_SIDE_FRONT: tuple[Cm, ...] = (
    (99, -8.6), (93, -9.6), (86, -9.8), (78, -9.9), (69, -9.3), (60, -8.1), (54, -7.3), (51, -7.9),
    (48, -7.4), (45, -6.1), (42, -5.6), (36, -4.9), (29, -4.3), (21, -3.8), (14, -3.5), (10.5, -4.0),
    (8, -6.4), (5.8, -10.6), (4, -14.8), (2.6, -17.8), (1.2, -19.2),
)  # fmt: skip
_SIDE_SOLE: tuple[Cm, ...] = ((-0.6, -18.6), (-0.9, -14), (0.2, -7), (-0.4, -1), (-0.9, 3))
_SIDE_BACK: tuple[Cm, ...] = (
    (0.3, 5.4), (3, 5.9), (6, 4.9), (9.5, 3.3), (13, 2.8), (17, 3.1), (22, 4.2), (28, 6.0), (33, 7.3),
    (37, 7.6), (42, 6.7), (46, 5.5), (49, 5.3), (54, 6.2), (61, 7.4), (69, 8.7), (76, 9.6), (80, 10.2),
    (82, 11.6), (87, 13.2), (93, 12.8), (99, 11.2),
)  # fmt: skip

_FOLDS: dict[MapView, dict[str, tuple[Cm, ...]]] = {
    MapView.FRONT: {
        "groin crease": ((90, -10.5), (87, -5), (84, 1), (81.2, 8.5)),
        "kneecap": (
            (52.4, -0.4), (51.2, -2.7), (48.9, -2.4), (47.4, -0.4), (48.9, 1.6), (51.2, 1.9), (52.4, -0.4),
        ),
        "shin": ((43.5, -0.4), (36, 0.4), (26, 0.6), (15, 0.4)),
        "inner ankle": ((9.6, 2.0), (7.9, 1.4), (6.5, 2.2)),
        "outer ankle": ((8.2, -2.4), (6.6, -1.8), (5.3, -2.7)),
    },
    MapView.BACK: {
        "buttock fold": ((79.6, 10.2), (78.2, 4), (79.2, -3.5), (81.4, -8.5)),
        "knee crease": ((47.6, 4.2), (46.9, 0), (47.5, -4.6)),
        "calf": ((38, 0.2), (34, -0.3), (30.5, -0.4)),
        "heel tendon left": ((17, 1.0), (11, 1.2), (5, 2.2)),
        "heel tendon right": ((17, -1.2), (11, -1.4), (5, -2.4)),
        "inner ankle": ((9.6, 2.2), (7.9, 1.6), (6.5, 2.4)),
        "outer ankle": ((8.2, -2.6), (6.6, -2.0), (5.3, -2.9)),
    },
    MapView.MEDIAL: {
        "groin crease": ((88, -9.2), (84.5, -5.8), (82, -1.5)),
        "buttock fold": ((81.2, 10.6), (80, 6.5), (80.8, 3.4)),
        "kneecap": ((52.6, -6.6), (50.4, -5.4), (47.8, -6.1)),
        "knee crease": ((47.4, 4.9), (47.2, 2.6)),
        "inner ankle": ((9.6, -1.1), (8.6, 0.5), (6.9, 0.4), (6.3, -0.9), (7.4, -1.9), (9.6, -1.1)),
    },
    MapView.LATERAL: {
        "buttock fold": ((81.2, 10.6), (80, 7.5)),
        "kneecap": ((52.6, -6.6), (50.4, -5.4), (47.8, -6.1)),
        "knee crease": ((47.4, 4.9), (47.2, 2.6)),
        "outer ankle": ((8.4, -0.3), (7.4, 1.2), (5.8, 1.1), (5.2, -0.2), (6.2, -1.1), (8.4, -0.3)),
    },
}  # fmt: skip

COURSES: dict[MapView, dict[str, tuple[Cm, ...]]] = {
    MapView.FRONT: {
        "GSV": (
            (83, 2.6), (76, 4.6), (66, 5.8), (56, 5.1), (49, 5.0), (42, 4.4), (34, 4.5), (24, 3.2), (14, 2.2),
            (8, 2.0),
        ),
        "AASV": ((83, 2.6), (76, 0.6), (67, -1.4), (58, -2.6)),
    },
    MapView.BACK: {"SSV": ((48, 0.2), (42, 0.3), (34, 0.0), (25, -0.8), (16, -2.0), (8, -3.2))},
    MapView.MEDIAL: {
        "GSV": (
            (83, -6.2), (76, -4.4), (66, -1.0), (56, 2.2), (49, 3.6), (42, 1.8), (34, -0.2), (24, -1.2),
            (14, -2.0), (8, -3.4), (5.4, -6.8),
        ),
    },
    MapView.LATERAL: {"SSV": ((46, 4.6), (40, 6.0), (34, 6.0), (25, 4.2), (16, 2.2), (8, 2.0))},
}  # fmt: skip
"""Usual courses of the named superficial trunks, right leg, drawn by eye."""

DRAWN_VIEWS = (MapView.FRONT, MapView.BACK, MapView.MEDIAL, MapView.LATERAL)
LEGS = (Side.RIGHT, Side.LEFT)


@cache
def drawing(side: Side, view: MapView) -> Drawing:
    """The lines of one leg from one side.  Raises `InvalidInputError` for an unknown side or view."""
    if side not in LEGS or view not in DRAWN_VIEWS:
        raise InvalidInputError(
            f"there is no drawing of the {side.value} leg, {view.value} view",
            where="leg map",
            do="name a leg (left, right) and a view (front, back, medial, lateral)",
        )
    front, below, rear = edges(view)
    lines = [Line(LineKind.OUTLINE, _smooth((*front, *below, *rear), side, view))]
    lines += [Line(LineKind.FOLD, _smooth(p, side, view), name) for name, p in _FOLDS[view].items()]
    lines += [Line(LineKind.COURSE, _smooth(p, side, view), name) for name, p in COURSES[view].items()]
    return Drawing(side, view, tuple(lines))


def edges(view: MapView) -> tuple[tuple[Cm, ...], tuple[Cm, ...], tuple[Cm, ...]]:
    """The borders of the leg (first from the top down, last from below up), the sole between."""
    if view in (MapView.FRONT, MapView.BACK):
        return _FRONT_OUTER, _FRONT_SOLE, _FRONT_INNER
    return _SIDE_FRONT, _SIDE_SOLE, _SIDE_BACK


def is_mirrored(side: Side, view: MapView) -> bool:
    """Whether the drawing is turned over left to right.

    The tables show the right leg from the front and from its inner side; seen
    from behind or from the outer side, and for the left leg, left and right change places.
    """
    return (view in (MapView.BACK, MapView.LATERAL)) != (side is Side.LEFT)


def to_map(place: Cm, side: Side, view: MapView) -> Point:
    """`(row, col)` in 0..1 of a place in centimetres."""
    height, across = place
    # the toes of the side views need room on one side
    middle = 0.5 if view in (MapView.FRONT, MapView.BACK) else 0.56
    col = middle + across / WIDTH_CM
    row = (TOP_CM - height) / (TOP_CM - FLOOR_CM)
    return row, (1 - col if is_mirrored(side, view) else col)


def height_cm(row: float) -> float:
    """Height above the floor of a row of the drawing, cm, on the drawn leg."""
    return TOP_CM - row * (TOP_CM - FLOOR_CM)


def along(curve: Bezier, steps: int) -> npt.NDArray[np.float64]:
    """(steps, 2) points of a curve, its end left out."""
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    a, b, c, d = (np.asarray(p) for p in curve)
    points: npt.NDArray[np.float64] = (
        (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d
    )
    return points


def _smooth(points: Sequence[Cm], side: Side, view: MapView) -> tuple[Bezier, ...]:
    """Catmull-Rom through the points, as Bezier curves."""
    at = np.array([to_map(p, side, view) for p in points])
    before, after = np.roll(at, 1, axis=0), np.roll(at, -1, axis=0)
    closed = bool(np.allclose(at[0], at[-1]))
    before[0] = at[-2] if closed else at[0]
    after[-1] = at[1] if closed else at[-1]
    slope = (after - before) / 6
    return tuple(
        (_point(at[i]), _point(at[i] + slope[i]), _point(at[i + 1] - slope[i + 1]), _point(at[i + 1]))
        for i in range(len(at) - 1)
    )


def _point(at: npt.NDArray[np.float64]) -> Point:
    return float(at[0]), float(at[1])
