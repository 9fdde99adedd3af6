"""The leg map as vectors on a PDF page."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus.flowables import Flowable

from veinscan.plan.model import Side
from veinscan.report.leg_map.drawing import Bezier, LineKind, drawing
from veinscan.report.leg_map.layout import Panel, panels, spread, width
from veinscan.report.leg_map.places import LegMap
from veinscan.report.leg_map.style import LOOKS, RADIUS, SKIN, STROKES
from veinscan.report.text import BOLD, REGULAR

_TITLE = 0.055
"""Room for the titles below, in units of the drawings' height."""
_LEAST_TITLE_PT = 5.0
_LEAST_RADIUS_PT = 5.5
"""Of a number's disc, so that the number can be read at arm's length."""


class LegMapFlowable(Flowable):
    """The whole map, as large as fits into `width_pt` and `height_pt` (points)."""

    def __init__(
        self,
        legs: LegMap,
        width_pt: float,
        height_pt: float,
        sides: Sequence[Side] = (Side.RIGHT, Side.LEFT),
    ) -> None:
        super().__init__()
        self._legs = legs
        self._panels = panels(sides)
        wide = width(self._panels)
        self._unit = min(width_pt / wide, height_pt / (1 + _TITLE))
        self._radius = max(RADIUS, _LEAST_RADIUS_PT / self._unit)
        self._size = wide * self._unit, (1 + _TITLE) * self._unit

    def wrap(self, *_room: float) -> tuple[float, float]:
        """Its size, points."""
        return self._size

    def draw(self) -> None:
        """Paint it; called by reportlab."""
        for panel in self._panels:
            self._panel(panel)

    def _at(self, panel: Panel, point: tuple[float, float]) -> tuple[float, float]:
        x, y = panel.at(point)
        return x * self._unit, self._size[1] - y * self._unit

    def _panel(self, panel: Panel) -> None:
        canvas, unit = self.canv, self._unit
        canvas.saveState()
        canvas.setLineCap(1)
        for line in drawing(panel.side, panel.view).lines:
            colour, thick, dash = STROKES[line.kind]
            canvas.setStrokeColor(HexColor(colour))
            canvas.setFillColor(HexColor(SKIN))
            canvas.setLineWidth(thick * unit)
            canvas.setDash([dash * unit] if dash else [])
            filled = line.kind is LineKind.OUTLINE
            canvas.drawPath(self._path(panel, line.curves), stroke=1, fill=1 if filled else 0)
        here = [m for m in self._legs.marks if (m.side, m.view) == (panel.side, panel.view)]
        places = spread(here, self._radius)
        for mark in here:
            look = LOOKS[mark.status]
            x, y = self._at(panel, mark.point)
            nx, ny = self._at(panel, places[mark.target_id])
            canvas.setStrokeColor(HexColor(look.edge))
            canvas.setDash([])
            canvas.setLineWidth(0.002 * unit)
            if (nx, ny) != (x, y):
                canvas.line(x, y, nx, ny)
                canvas.setFillColor(HexColor(look.edge))
                canvas.circle(x, y, 0.005 * unit, stroke=0, fill=1)
            canvas.setDash([0.006 * unit, 0.005 * unit] if mark.is_estimated else [])
            canvas.setLineWidth(0.003 * unit)
            canvas.setFillColor(HexColor(look.fill))
            canvas.circle(nx, ny, self._radius * unit, stroke=1, fill=1)
            size = 1.15 * self._radius * unit
            canvas.setFillColor(HexColor(look.ink))
            canvas.setFont(BOLD, size)
            canvas.drawCentredString(nx, ny - 0.36 * size, str(mark.number))
            if look.is_struck:
                canvas.setDash([])
                canvas.line(nx - 0.6 * size, ny, nx + 0.6 * size, ny)
        canvas.setFillColor(HexColor("#333333"))
        canvas.setFont(REGULAR, max(0.03 * unit, _LEAST_TITLE_PT))
        middle = (panel.left + panel.width / 2) * unit
        canvas.drawCentredString(middle, 0.018 * unit, panel.title)
        canvas.restoreState()

    def _path(self, panel: Panel, curves: Sequence[Bezier]) -> Any:
        path = self.canv.beginPath()
        path.moveTo(*self._at(panel, curves[0][0]))
        for _, b, c, d in curves:
            path.curveTo(*self._at(panel, b), *self._at(panel, c), *self._at(panel, d))
        return path
