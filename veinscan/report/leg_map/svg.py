"""The leg map as a picture of vectors for pages."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from veinscan.plan.model import Side
from veinscan.report.leg_map.drawing import Bezier, LineKind, drawing
from veinscan.report.leg_map.layout import Panel, panels, spread, width
from veinscan.report.leg_map.places import LegMap
from veinscan.report.leg_map.style import LOOKS, RADIUS, SKIN, STATUS_WORDS, STROKES

_HEIGHT = 1000
"""Height of the drawings in SVG units."""
_TITLE = 46
"""Room for the titles below."""


def to_svg(legs: LegMap, sides: Sequence[Side] = (Side.RIGHT, Side.LEFT)) -> str:
    """One `<svg>` element that needs nothing from elsewhere; alt text in `<title>` and `<desc>`."""
    placed = panels(sides)
    wide = width(placed) * _HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {_HEIGHT + _TITLE}" role="img" '
        'font-family="sans-serif">',
        "<title>Leg map</title>",
        f"<desc>{escape(describe(legs))}</desc>",
    ]
    for panel in placed:
        parts += _panel(panel, legs)
    parts.append("</svg>")
    return "\n".join(parts)


def describe(legs: LegMap) -> str:
    """The map in words, for those who cannot see it."""
    if not legs.marks:
        return "No target is on the map."
    return "; ".join(
        f"target {m.number}, {STATUS_WORDS[m.status]}: {m.side.value} leg, {m.view.value} view"
        for m in legs.marks
    )


def _panel(panel: Panel, legs: LegMap) -> list[str]:
    parts: list[str] = []
    for line in drawing(panel.side, panel.view).lines:
        colour, thick, dash = STROKES[line.kind]
        fill = SKIN if line.kind is LineKind.OUTLINE else "none"
        dashes = f' stroke-dasharray="{dash * _HEIGHT:.1f}"' if dash else ""
        parts.append(
            f'<path d="{_path(panel, line.curves)}" fill="{fill}" stroke="{colour}" '
            f'stroke-width="{thick * _HEIGHT:.2f}" stroke-linecap="round"{dashes}/>'
        )
    here = [m for m in legs.marks if (m.side, m.view) == (panel.side, panel.view)]
    places = spread(here, RADIUS)
    for mark in here:
        look = LOOKS[mark.status]
        x, y = (v * _HEIGHT for v in panel.at(mark.point))
        nx, ny = (v * _HEIGHT for v in panel.at(places[mark.target_id]))
        if (nx, ny) != (x, y):
            parts.append(
                f'<path d="M{x:.1f} {y:.1f}L{nx:.1f} {ny:.1f}" stroke="{look.edge}" stroke-width="2"/>'
            )
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{look.edge}"/>')
        broken = ' stroke-dasharray="6 5"' if mark.is_estimated else ""
        struck = ' text-decoration="line-through"' if look.is_struck else ""
        radius = RADIUS * _HEIGHT
        parts.append(
            f"<g><title>target {mark.number}, {STATUS_WORDS[mark.status]}</title>"
            f'<circle cx="{nx:.1f}" cy="{ny:.1f}" r="{radius:.1f}" fill="{look.fill}" stroke="{look.edge}" '
            f'stroke-width="3"{broken}/><text x="{nx:.1f}" y="{ny + radius * 0.38:.1f}" text-anchor="middle" '
            f'font-size="{radius * 1.15:.0f}" font-weight="bold" fill="{look.ink}"'
            f"{struck}>{mark.number}</text></g>"
        )
    middle = (panel.left + panel.width / 2) * _HEIGHT
    parts.append(
        f'<text x="{middle:.0f}" y="{_HEIGHT + 30}" text-anchor="middle" font-size="26" fill="#333333">'
        f"{escape(panel.title)}</text>"
    )
    return parts


def _path(panel: Panel, curves: Sequence[Bezier]) -> str:
    def at(point: tuple[float, float]) -> str:
        x, y = panel.at(point)
        return f"{x * _HEIGHT:.1f} {y * _HEIGHT:.1f}"

    start = f"M{at(curves[0][0])}"
    return start + "".join(f"C{at(b)} {at(c)} {at(d)}" for _, b, c, d in curves)
