"""Diameters, outcomes and volumes over time, painted: a line for each target, a bar for each session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_veinscan.follow_up_words import SIGNS
from veinscan.plan.vocabulary import Outcome

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#0072B2", "#F0E442")
"""Of Okabe and Ito, which stay apart for colour-blind readers; the name stands at the line as well."""
DASHES: tuple[Sequence[float], ...] = ((), (6, 3), (2, 3))
"""Of the lines once the colours are used up."""
STEPS_MM = (0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """A target on one day."""

    on: date
    diameter_mm: float | None
    """None where it was not measured: its sign then stands at the foot."""
    outcome: Outcome | None
    posture: str = "unknown"
    """In which it was measured: diameters in different postures are not joined."""


@dataclass(frozen=True, slots=True)
class PlotLine:
    """A target over time."""

    name: str
    points: tuple[PlotPoint, ...]
    chosen: bool = False


class SeriesPlot(QWidget):
    """Days to the right; millimetres up; below them the volume given on each day."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[PlotLine, ...] = ()
        self.volumes: tuple[tuple[date, float], ...] = ()
        """(day, mL) of each session with a known volume."""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(200)
        self.setAccessibleName("Diameter and volume over time")

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """Wide and low."""
        return QSize(380, 240)

    def show_series(self, lines: Sequence[PlotLine], volumes: Sequence[tuple[date, float]]) -> None:
        """Paint these."""
        self.lines, self.volumes = tuple(lines), tuple(volumes)
        words = "; ".join(f"{line.name}: {_line_words(line)}" for line in self.lines)
        self.setAccessibleDescription(words)
        self.update()

    # -- places -----------------------------------------------------------------------

    @property
    def days(self) -> list[date]:
        """The days of which something is known, in order."""
        found = {point.on for line in self.lines for point in line.points}
        return sorted(found | {day for day, _ in self.volumes})

    def _frame(self) -> QRectF:
        text = QFontMetricsF(self.font())
        right = max((text.horizontalAdvance(line.name) for line in self.lines), default=0.0) + 12
        foot = 2.4 * text.height() + (34.0 if self.volumes else 0.0)
        return QRectF(self.rect()).adjusted(
            text.horizontalAdvance("88.8") + 10, text.height() + 4, -max(20.0, right), -foot
        )

    def _top_mm(self) -> float:
        values = [p.diameter_mm for line in self.lines for p in line.points if p.diameter_mm is not None]
        return max(values, default=1.0) * 1.1

    def x_of(self, day: date) -> float:
        """Where a day lies, in pixels from the left."""
        frame, days = self._frame(), self.days
        if len(days) < 2:
            return frame.center().x()
        share = (day - days[0]).days / (days[-1] - days[0]).days
        return frame.left() + frame.width() * (0.04 + 0.92 * share)

    def y_of(self, diameter_mm: float | None) -> float:
        """Where a diameter lies, in pixels from above; one that was not measured at the foot."""
        frame = self._frame()
        return frame.bottom() - frame.height() * ((diameter_mm or 0.0) / self._top_mm())

    # -- painting ---------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Axes, bars, lines, signs, names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(text)
        if not self.days:
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "Nothing with a day yet")
            painter.end()
            return
        self._paint_axes(painter, text)
        self._paint_volumes(painter, text)
        names: list[tuple[float, float]] = []
        for number, line in enumerate(self.lines):
            self._paint_line(painter, number, line, names)
        painter.end()

    def _paint_axes(self, painter: QPainter, text: QColor) -> None:
        frame, metrics = self._frame(), painter.fontMetrics()
        faint = QColor(text)
        faint.setAlpha(50)
        step = next((s for s in STEPS_MM if self._top_mm() / s <= 5), STEPS_MM[-1])
        value = 0.0
        while value <= self._top_mm():
            y = self.y_of(value)
            painter.setPen(faint)
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(text)
            label = f"{value:g}"
            painter.drawText(QPointF(frame.left() - metrics.horizontalAdvance(label) - 5, y + 4), label)
            value += step
        painter.drawText(QPointF(2, metrics.ascent() - 2), "mm")
        shown_to = -1e9
        for day in self.days:
            x, label = self.x_of(day), f"{day:%d.%m.%y}"
            painter.setPen(faint)
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
            width = metrics.horizontalAdvance(label)
            if x - width / 2 > shown_to + 4:  # days that lie close share a label
                painter.setPen(text)
                painter.drawText(QPointF(x - width / 2, self.height() - 4), label)
                shown_to = x + width / 2

    def _paint_volumes(self, painter: QPainter, text: QColor) -> None:
        frame, metrics = self._frame(), painter.fontMetrics()
        most = max((volume for _, volume in self.volumes), default=0.0)
        floor = self.height() - metrics.height() - 6
        for day, volume in self.volumes:
            height = 26.0 * volume / most if most else 0.0
            bar = QRectF(self.x_of(day) - 5, floor - height, 10, height)
            fill = QColor(text)
            fill.setAlpha(110)
            painter.fillRect(bar, fill)
            painter.setPen(text)
            painter.drawText(QPointF(bar.right() + 3, floor - 2), f"{volume:g} mL")
        if self.volumes:
            painter.drawLine(QPointF(frame.left(), floor), QPointF(frame.right(), floor))

    def _paint_line(
        self, painter: QPainter, number: int, line: PlotLine, names: list[tuple[float, float]]
    ) -> None:
        colour = QColor(COLOURS[number % len(COLOURS)])
        pen = QPen(colour, 3.0 if line.chosen else 1.5)
        dash = DASHES[(number // len(COLOURS)) % len(DASHES)]
        if dash:
            pen.setDashPattern(list(dash))
        painter.setPen(pen)
        for before, after in joined(line.points):
            ends = [QPointF(self.x_of(p.on), self.y_of(p.diameter_mm)) for p in (before, after)]
            painter.drawLine(*ends)
        painter.setPen(colour)
        metrics = painter.fontMetrics()
        for point in line.points:
            sign = SIGNS[point.outcome]
            x, y = self.x_of(point.on), self.y_of(point.diameter_mm)
            painter.drawText(
                QPointF(x - metrics.horizontalAdvance(sign) / 2, y + metrics.ascent() / 2 - 1), sign
            )
        if line.points:
            last = line.points[-1]
            x, y = self.x_of(last.on) + 9, self.y_of(last.diameter_mm) + 4
            while any(x == at and abs(y - other) < metrics.height() - 3 for at, other in names):
                y -= metrics.height() - 3  # names of lines that end together stand one above the other
            names.append((x, y))
            painter.drawText(QPointF(x, y), line.name)


def joined(points: Sequence[PlotPoint]) -> list[tuple[PlotPoint, PlotPoint]]:
    """Neighbours in time whose diameters were measured in one posture, or in none that is known."""
    measured = [point for point in points if point.diameter_mm is not None]
    return [(a, b) for a, b in pairwise(measured) if a.posture == b.posture]


def _line_words(line: PlotLine) -> str:
    return ", ".join(
        f"{point.on} {'not measured' if point.diameter_mm is None else f'{point.diameter_mm:.1f} mm'}"
        for point in line.points
    )
