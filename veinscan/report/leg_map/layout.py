"""How the eight drawings lie beside each other, and where the numbers go when marks crowd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veinscan.plan.model import Point, Side
from veinscan.plan.vocabulary import MapView
from veinscan.report.leg_map.drawing import ASPECT
from veinscan.report.leg_map.places import MapMark

_ORDER: tuple[tuple[Side, MapView], ...] = (
    (Side.RIGHT, MapView.FRONT),
    (Side.LEFT, MapView.FRONT),
    (Side.LEFT, MapView.BACK),
    (Side.RIGHT, MapView.BACK),
    (Side.RIGHT, MapView.MEDIAL),
    (Side.LEFT, MapView.MEDIAL),
    (Side.RIGHT, MapView.LATERAL),
    (Side.LEFT, MapView.LATERAL),
)
"""As they are seen standing before and behind a person, then from the sides."""

VIEW_WORDS = {
    MapView.FRONT: "front",
    MapView.BACK: "back",
    MapView.MEDIAL: "inner side",
    MapView.LATERAL: "outer side",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """Where one drawing lies: left, top, width and height in units of a drawing's height."""

    side: Side
    view: MapView
    left: float
    top: float
    width: float
    height: float

    @property
    def title(self) -> str:
        """'right, front'."""
        return f"{self.side.value}, {VIEW_WORDS[self.view]}"

    def at(self, point: Point) -> tuple[float, float]:
        """`(x, y)` on the map of `(row, col)` of the drawing."""
        row, col = point
        return self.left + col * self.width, self.top + row * self.height

    def inverse(self, x: float, y: float) -> Point | None:
        """`(row, col)` of the drawing at a place on the map; None outside the panel."""
        row, col = (y - self.top) / self.height, (x - self.left) / self.width
        return (row, col) if 0 <= row <= 1 and 0 <= col <= 1 else None


def panels(
    sides: Sequence[Side] = (Side.RIGHT, Side.LEFT), *, rows: int = 1, gap: float = 0.0
) -> tuple[Panel, ...]:
    """The panels of the legs in `sides`, left to right in `rows` rows.

    A drawing is 1 high; `gap` lies below each row, for its titles.
    """
    wanted = [which for which in _ORDER if which[0] in sides]
    a_row = -(-len(wanted) // rows) if wanted else 1
    return tuple(
        Panel(side, view, (n % a_row) * ASPECT, (n // a_row) * (1 + gap), ASPECT, 1.0)
        for n, (side, view) in enumerate(wanted)
    )


def width(of: Sequence[Panel]) -> float:
    """Width of the whole map, in units of a drawing's height."""
    return max((p.left + p.width for p in of), default=0.0)


def height(of: Sequence[Panel]) -> float:
    """Height of the whole map without the titles of the last row, in units of a drawing's height."""
    return max((p.top + p.height for p in of), default=0.0)


def spread(marks: Sequence[MapMark], radius: float) -> dict[str, Point]:
    """Where the number of each mark of one drawing goes, by target: on its place, or beside the leg.

    `radius` is that of a number's disc in units of the drawing's height.  Discs
    that would lie over each other move out to the nearer border, in the order of
    their height, and are to be joined to their place by a line.
    """
    crowded = {
        a.target_id
        for a in marks
        for b in marks
        if a is not b and _distance(a.point, b.point) < 2 * radius
    }  # fmt: skip
    places = {mark.target_id: mark.point for mark in marks if mark.target_id not in crowded}
    margin = 1.2 * radius / ASPECT
    for column, is_left in ((margin, True), (1 - margin, False)):
        group = sorted(
            (m for m in marks if m.target_id in crowded and (m.point[1] < 0.5) == is_left),
            key=lambda m: (m.point[0], m.number),
        )
        for mark, row in zip(group, _apart([m.point[0] for m in group], 2.15 * radius), strict=True):
            places[mark.target_id] = (row, column)
    return places


def _distance(a: Point, b: Point) -> float:
    """In units of the drawing's height."""
    return float(((a[0] - b[0]) ** 2 + ((a[1] - b[1]) * ASPECT) ** 2) ** 0.5)


def _apart(rows: Sequence[float], step: float) -> list[float]:
    """Rising rows, each at least `step` after the one before, near to where they were, within 0..1."""
    if not rows:
        return []
    step = min(step, 1.0 / len(rows))
    low = step / 2
    placed: list[float] = []
    for row in rows:
        placed.append(max(row, low))
        low = placed[-1] + step
    # pushed below the foot: move up again from there
    high = 1 - step / 2
    for i in range(len(placed) - 1, -1, -1):
        placed[i] = min(placed[i], high)
        high = placed[i] - step
    return placed
