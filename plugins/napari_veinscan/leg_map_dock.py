"""Fourth dock: the leg map, with the targets where a person put them.

A click places the chosen target, or chooses the one under the pointer; a number
can be dragged.  The lines are those of `veinscan.report.leg_map`, as on paper.
"""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from napari_veinscan.commands import Command
from napari_veinscan.workbench import Workbench
from veinscan.errors import InvalidInputError
from veinscan.plan import editing
from veinscan.plan.model import InjectionTarget, Point, Record, Side
from veinscan.report.leg_map import LegMap, LineKind, MapMark, Panel, drawing, leg_map, panels, spread
from veinscan.report.leg_map.layout import height, width
from veinscan.report.leg_map.style import LOOKS, SKIN, STATUS_WORDS, STROKES

TITLE = 0.07
"""Room for a drawing's title, in units of its height."""
RADIUS_PX = 9.0
"""Of a number's disc."""
NUDGE = 0.004
"""What an arrow key moves a place by, in units of the drawing's height."""

_ARROWS = {
    Qt.Key.Key_Up: (-NUDGE, 0.0),
    Qt.Key.Key_Down: (NUDGE, 0.0),
    Qt.Key.Key_Left: (0.0, -NUDGE),
    Qt.Key.Key_Right: (0.0, NUDGE),
}


class LegMapView(QWidget):
    """The eight drawings with the numbered targets."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self._panels = panels(rows=2, gap=TITLE)
        self._legs = LegMap((), ())
        self._dragged: MapMark | None = None
        self._drag_start = QPointF()
        self._is_moving = False
        self.new_target = False
        """Whether the next click makes a target on the map alone."""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Leg map")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumHeight(220)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  (a method of Qt)
        """One row of drawings or two, whichever makes them larger."""
        layouts = [panels(rows=rows, gap=TITLE) for rows in (1, 2)]
        self._panels = max(layouts, key=self._unit_of)
        super().resizeEvent(event)

    def sizeHint(self) -> QSize:  # noqa: N802  (a method of Qt)
        """Room for numbers that can be read."""
        return QSize(400, 500)

    @property
    def legs(self) -> LegMap:
        """What is shown."""
        return self._legs

    def show_record(self, record: Record | None) -> None:
        """Show the targets of a record."""
        self._legs = leg_map(record) if record is not None else LegMap((), ())
        self.update()

    # -- places -----------------------------------------------------------------------

    @property
    def _unit(self) -> float:
        """Height of one drawing in pixels."""
        return self._unit_of(self._panels)

    def _unit_of(self, of: tuple[Panel, ...]) -> float:
        return min(self.width() / width(of), self.height() / (height(of) + TITLE))

    def _origin(self) -> QPointF:
        return QPointF((self.width() - width(self._panels) * self._unit) / 2, 0.0)

    def place_of(self, side: Side, view: str, point: Point) -> QPointF:
        """Where `(row, col)` of a drawing lies in the widget."""
        panel = next(p for p in self._panels if (p.side, p.view) == (side, view))
        return self._at(panel, point)

    def _at(self, panel: Panel, point: Point) -> QPointF:
        x, y = panel.at(point)
        return self._origin() + QPointF(x, y) * self._unit

    def _under(self, at: QPointF) -> tuple[Panel, Point] | None:
        place = (at - self._origin()) / self._unit
        for panel in self._panels:
            point = panel.inverse(place.x(), place.y())
            if point is not None:
                return panel, point
        return None

    def _discs(self) -> list[tuple[MapMark, QPointF, QPointF]]:
        """Each mark with its place and the middle of its number, in pixels."""
        found = []
        for panel in self._panels:
            here = [m for m in self._legs.marks if (m.side, m.view) == (panel.side, panel.view)]
            places = spread(here, RADIUS_PX / self._unit)
            found += [(m, self._at(panel, m.point), self._at(panel, places[m.target_id])) for m in here]
        return found

    def _mark_at(self, at: QPointF) -> MapMark | None:
        near = [(min(_far(at, disc), _far(at, place) + 3), mark) for mark, place, disc in self._discs()]
        best = min(near, key=lambda pair: pair[0], default=None)
        return best[1] if best is not None and best[0] <= RADIUS_PX + 2 else None

    # -- what a person does -------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (a method of Qt)
        """Choose a number, or place the chosen target."""
        if event.button() != Qt.MouseButton.LeftButton or self._session.record is None:
            return
        at = event.position()
        mark = None if self.new_target else self._mark_at(at)
        if mark is not None:
            self._dragged, self._drag_start, self._is_moving = mark, at, False
            self._bench.attempt(lambda: self._session.select_target(mark.target_id))
            return
        under = self._under(at)
        if under is not None:
            self._bench.attempt(lambda: self._put(*under))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (a method of Qt)
        """Drag a number, or tell what is under the pointer."""
        at = event.position()
        if self._dragged is None:
            mark = self._mark_at(at)
            if mark is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPosition().toPoint(), self._words(mark), self)
            return
        if not self._is_moving and _far(at, self._drag_start) < 4:
            return
        self._is_moving = True
        under = self._under(at)
        if under is not None and under[0].side is self._dragged.side:
            self._dragged = replace(self._dragged, view=under[0].view, point=under[1], is_estimated=False)
            others = tuple(m for m in self._legs.marks if m.target_id != self._dragged.target_id)
            self._legs = LegMap((*others, self._dragged), self._legs.not_placed)
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  (a method of Qt)
        """End of a drag: one edit."""
        mark, moved = self._dragged, self._is_moving
        self._dragged, self._is_moving = None, False
        if mark is None or not moved:
            return
        if not self._bench.attempt(lambda: self._keep(mark)):
            self.show_record(self._session.record)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  (a method of Qt)
        """Arrows with Alt move the chosen target's place."""
        step = _ARROWS.get(Qt.Key(event.key()))
        mark = next((m for m in self._legs.marks if m.target_id == self._session.target_id), None)
        if step is None or mark is None or not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
            return
        point = (
            min(max(mark.point[0] + step[0], 0.0), 1.0),
            min(max(mark.point[1] + step[1] * 2.5, 0.0), 1.0),
        )
        self._bench.attempt(lambda: self._keep(replace(mark, point=point)))

    def event(self, event: QEvent) -> bool:
        """Arrows with Alt are ours before the window's shortcuts."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.modifiers() & Qt.KeyboardModifier.AltModifier
            and event.key() in _ARROWS
        ):
            event.accept()
            return True
        return bool(super().event(event))

    def _put(self, panel: Panel, point: Point) -> None:
        if self.new_target:
            self.new_target = False
            made = editing.target_on_map(
                self._session.reader, side=panel.side, map_view=panel.view, map_point=point
            )
            self._session.edit("new target on the leg map", lambda record: editing.add_target(record, made))
            self._session.select_target(made.id)
            return
        target = self._session.target
        if target is None:
            raise InvalidInputError(
                "no target is chosen", do="choose one in the list, or press 'New on the map'"
            )
        if target.map_point is not None:
            raise InvalidInputError(
                f"target {target.order} has its place on the map", do="drag its number to move it"
            )
        check_side(target, panel.side)
        self._session.edit(
            f"target {target.order}: place on the leg map",
            lambda record: editing.update_target(
                record, target.id, side=panel.side, map_view=panel.view, map_point=point
            ),
        )

    def _keep(self, mark: MapMark) -> None:
        self._session.edit(
            f"target {mark.number}: place on the leg map",
            lambda record: editing.update_target(
                record, mark.target_id, map_view=mark.view, map_point=mark.point
            ),
        )

    def _words(self, mark: MapMark) -> str:
        targets = self._session.record.targets if self._session.record else ()
        target = next((t for t in targets if t.id == mark.target_id), None)
        vein = "" if target is None or target.vein == "unknown" else f", {target.vein}"
        by = "\nplaced by its words on a nominal leg; drag it to where it is" if mark.is_estimated else ""
        return f"target {mark.number}, {STATUS_WORDS[mark.status]}{vein}{by}"

    # -- painting ---------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  (a method of Qt)
        """Drawings, then numbers; white paper in every theme, as in print."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor("white"))
        for panel in self._panels:
            self._paint_leg(painter, panel)
        for mark, place, disc in self._discs():
            self._paint_mark(painter, mark, place, disc)
        if self.hasFocus():
            painter.setPen(QPen(QColor("#0072B2"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_leg(self, painter: QPainter, panel: Panel) -> None:
        unit = self._unit
        for line in drawing(panel.side, panel.view).lines:
            path = QPainterPath(self._at(panel, line.curves[0][0]))
            for _, b, c, d in line.curves:
                path.cubicTo(self._at(panel, b), self._at(panel, c), self._at(panel, d))
            colour, thick, dash = STROKES[line.kind]
            pen = QPen(QColor(colour), max(1.0, thick * unit))
            if dash:
                pen.setDashPattern([max(2.0, dash * unit) / pen.widthF()] * 2)
            painter.setPen(pen)
            filled = line.kind is LineKind.OUTLINE
            painter.setBrush(QColor(SKIN) if filled else Qt.BrushStyle.NoBrush)
            painter.drawPath(path)
        painter.setPen(QColor("#333333"))
        below = self._at(panel, (1.0, 0.0))
        box = QRectF(below.x(), below.y(), panel.width * unit, TITLE * unit)
        font = painter.font()
        largest = max(13, painter.fontInfo().pixelSize())  # as large as the window's text
        font.setPixelSize(int(min(max(TITLE * unit * 0.9, 8), largest)))
        painter.setFont(font)
        title = panel.title
        if any(painter.fontMetrics().horizontalAdvance(p.title) > box.width() for p in self._panels):
            side, view = title.split(", ")
            title = f"{side[0].upper()} {view.removesuffix(' side')}"
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)

    def _paint_mark(self, painter: QPainter, mark: MapMark, place: QPointF, disc: QPointF) -> None:
        look = LOOKS[mark.status]
        chosen = mark.target_id == self._session.target_id
        edge = QColor(look.edge)
        painter.setPen(QPen(edge, 1.2))
        if disc != place:
            painter.drawLine(place, disc)
            painter.setBrush(edge)
            painter.drawEllipse(place, 2.0, 2.0)
        if chosen:
            painter.setPen(QPen(QColor("#0072B2"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(disc, RADIUS_PX + 3, RADIUS_PX + 3)
        pen = QPen(edge, 1.6)
        if mark.is_estimated:
            pen.setDashPattern([2.0, 1.5])
        painter.setPen(pen)
        painter.setBrush(QColor(look.fill))
        painter.drawEllipse(disc, RADIUS_PX, RADIUS_PX)
        font = painter.font()
        font.setBold(True)
        font.setPixelSize(11)
        font.setStrikeOut(look.is_struck)
        painter.setFont(font)
        painter.setPen(QColor(look.ink))
        box = QRectF(disc.x() - RADIUS_PX, disc.y() - RADIUS_PX, 2 * RADIUS_PX, 2 * RADIUS_PX)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(mark.number))


class LegMapDock(QWidget):
    """The map, with what is not on it below."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self.view = LegMapView(bench)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.new = QPushButton("New on the map")
        self.new.setToolTip("The next click on a leg makes a target that has no ultrasound picture")
        self.new.setCheckable(True)
        self.new.toggled.connect(self._new)
        self.take_off = bench.commands.button("map.off", "Take off the map")
        below = QHBoxLayout()
        below.addWidget(self.hint, 1)
        below.addWidget(self.new)
        below.addWidget(self.take_off)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.view, 1)
        layout.addLayout(below)
        self._session.record_changed.connect(self._show)
        self._session.selection_changed.connect(self._show)
        self._show()

    def _new(self, wanted: bool) -> None:
        self.view.new_target = wanted
        self._show()

    def _show(self) -> None:
        self.view.show_record(self._session.record)
        if self.new.isChecked() and not self.view.new_target:
            self.new.setChecked(False)
        target = self._session.target
        self.new.setEnabled(self._session.record is not None)
        self.take_off.setEnabled(target is not None and target.map_point is not None)
        if self.new.isChecked():
            self.hint.setText("Click where the new target lies.")
        elif target is not None and target.map_point is None:
            self.hint.setText(f"Click on the leg where target {target.order} lies.")
        else:
            self.hint.setText(_missing(self.view.legs))


def take_off_map(bench: Workbench) -> None:
    """Take the chosen target's place on the map back."""

    def off() -> None:
        target = bench.session.target
        if target is None or target.map_point is None:
            raise InvalidInputError("no target with a place on the map is chosen", do="choose one on the map")
        bench.session.edit(
            f"target {target.order}: off the leg map",
            lambda record: editing.update_target(record, target.id, map_view="unknown", map_point=None),
        )

    bench.attempt(off)


def check_side(target: InjectionTarget, side: Side) -> None:
    """Refuse to put a target of one leg on the other by a slip of the hand."""
    if target.side not in (Side.UNKNOWN, side):
        raise InvalidInputError(
            f"target {target.order} is on the {target.side.value} leg",
            do=f"click on a {target.side.value} leg, or change its side in the form first",
        )


def _missing(legs: LegMap) -> str:
    if not legs.not_placed:
        return "Drag a number to move it." if legs.marks else "No target yet."
    return "Not on the map: " + "; ".join(f"{order} ({why})" for order, why in legs.not_placed)


def _far(a: QPointF, b: QPointF) -> float:
    gap = a - b
    return float((gap.x() ** 2 + gap.y() ** 2) ** 0.5)


COMMANDS = (
    Command(
        "map.off",
        "Take the target off the leg map",
        "Leg map",
        take_off_map,
        tip="The chosen target loses the place that a person gave it on the map",
    ),
)
