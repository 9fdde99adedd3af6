"""A second picture beside the canvas: one frame, painted by Qt, with marks and a scale bar.

It is a plain widget and no second napari canvas: two OpenGL canvases in one
process, one of them closed, ended in failures when the other was painted.

The world of a pane is that of the canvas: millimetres where the clip has a
scale, else pixels; pixel centres are whole numbers, and `zoom` is pixels of
the screen a unit of the world, as napari's camera has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal  # type: ignore[attr-defined]  # qtpy renames Qt's own
from qtpy.QtGui import (
    QColor,
    QFont,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_veinscan.frames import Frame
from napari_veinscan.layer_parts import geometry_of
from napari_veinscan.layers import PICTURES
from napari_veinscan.palette import STYLES, Look
from napari_veinscan.picture_text import UNCALIBRATED, frame_words
from napari_veinscan.pointer import STILL_PX
from veinscan.dicom import Clip
from veinscan.plan.model import Point

BARS_MM = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""Lengths that a scale bar may have."""
MARGIN = 1.06
"""How much more than the probe's picture fits into the pane."""
STEP = 1.2
"""A notch of the wheel."""
LEAST, MOST = 0.25, 40.0
"""Zoom, in multiples of the one at which the picture fits."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn over one frame."""

    frame_index: int
    point: Point | None
    outline: Sequence[Point]
    text: str
    look: Look
    chosen: bool = False


def fit_of(clip: Clip, width: float, height: float) -> tuple[tuple[float, float], float]:
    """Centre `(row, col)` in the world and zoom at which what the probe saw fills a room of pixels."""
    scale = np.array(geometry_of(clip)["scale"][-2:])
    boxes = [region.box for region in clip.regions if region.kind in PICTURES]
    box = np.array(boxes or [(0, 0, clip.rows, clip.columns)])
    low, high = box[:, :2].min(axis=0), box[:, 2:].max(axis=0)
    size = (high - low) * scale * MARGIN
    centre = (low + high - 1) / 2 * scale
    zoom = float(min(height / size[0], width / size[1]))
    return (float(centre[0]), float(centre[1])), zoom


class FramePane(QWidget):
    """Paints a frame of a clip; the wheel zooms, a drag moves, a click is told."""

    clicked = Signal(float, float)
    """`(row, col)` of the frame on show."""
    view_moved = Signal(float, float, float)
    """A person zoomed or moved: factor of the zoom, rows and columns of the world that the centre went."""
    resized = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.clip: Clip | None = None
        self.frame_index = 0
        self.centre = (0.0, 0.0)
        """`(row, col)` of the world in the middle."""
        self.zoom = 1.0
        self.empty_words = ""
        """What stands in a pane without a picture."""
        self._image: QImage | None = None
        self._bytes: Frame | None = None  # QImage does not hold what it is painted from
        self._marks: tuple[Mark, ...] = ()
        self._pressed: tuple[QPointF, tuple[float, float]] | None = None
        self._dragged = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(200, 160)
        self.setAccessibleName("Picture of the baseline")

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """Half of the room over the cine bar."""
        return QSize(420, 480)

    # -- what it shows ----------------------------------------------------------------

    def show_clip(self, clip: Clip | None) -> None:
        """Another clip, fitted into the pane; its frame follows with `show_frame`."""
        self.clip, self._image, self._bytes, self.frame_index = clip, None, None, 0
        self._marks = ()
        self.fit()

    def show_frame(self, frame_index: int, frame: Frame) -> None:
        """Paint a frame, (rows, cols) or (rows, cols, 3) uint8."""
        self._bytes = np.ascontiguousarray(frame)
        rows, cols = frame.shape[:2]
        kind = QImage.Format.Format_Grayscale8 if frame.ndim == 2 else QImage.Format.Format_RGB888
        self._image = QImage(self._bytes.data, cols, rows, self._bytes.strides[0], kind)
        self.frame_index = frame_index
        self.update()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Draw these over their frames."""
        if tuple(marks) != self._marks:
            self._marks = tuple(marks)
            self.update()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What is drawn over the frames of the clip."""
        return self._marks

    @property
    def has_scale(self) -> bool:
        """Whether its world is millimetres."""
        return self.clip is not None and self.clip.spacing_mm is not None

    @property
    def fitting_zoom(self) -> float:
        """The zoom at which the whole of the probe's picture is in sight."""
        return 1.0 if self.clip is None else fit_of(self.clip, self.width(), self.height())[1]

    # -- places -----------------------------------------------------------------------

    @property
    def _scale(self) -> tuple[float, float]:
        return (1.0, 1.0) if self.clip is None else geometry_of(self.clip)["scale"][-2:]

    def place_of(self, point: Point) -> QPointF:
        """Where a point `(row, col)` of the frame lies in the widget."""
        along, across = (value * one for value, one in zip(point, self._scale, strict=True))
        return QPointF(
            (across - self.centre[1]) * self.zoom + self.width() / 2,
            (along - self.centre[0]) * self.zoom + self.height() / 2,
        )

    def point_at(self, place: QPointF) -> Point | None:
        """`(row, col)` of a place in the widget, as float32; None outside of the frame."""
        if self.clip is None:
            return None
        row = ((place.y() - self.height() / 2) / self.zoom + self.centre[0]) / self._scale[0]
        col = ((place.x() - self.width() / 2) / self.zoom + self.centre[1]) / self._scale[1]
        if not (-0.5 <= row < self.clip.rows - 0.5 and -0.5 <= col < self.clip.columns - 0.5):
            return None
        return float(np.float32(row)), float(np.float32(col))

    def fit(self) -> None:
        """Show all that the probe saw."""
        if self.clip is not None:
            self.centre, self.zoom = fit_of(self.clip, self.width(), self.height())
        self.update()

    def set_view(self, *, zoom: float | None = None, centre: tuple[float, float] | None = None) -> None:
        """Another zoom or centre, without telling anybody."""
        self.zoom = self._bounded(self.zoom if zoom is None else zoom)
        self.centre = self.centre if centre is None else centre
        self.update()

    def bring_into_sight(self, point: Point) -> None:
        """Centre on a point of the frame that lies outside or near the edge; the zoom stays."""
        place = self.place_of(point)
        inner = QRectF(self.rect()).adjusted(24, 24, -24, -24)
        if not inner.contains(place):
            along, across = (value * one for value, one in zip(point, self._scale, strict=True))
            self.set_view(centre=(along, across))

    def _bounded(self, zoom: float) -> float:
        fitting = self.fitting_zoom
        return min(max(zoom, LEAST * fitting), MOST * fitting)

    # -- painting ---------------------------------------------------------------------

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Frame, marks, scale bar, frame and time."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("black"))
        painter.setPen(QColor("white"))
        if self.clip is None or self._image is None:
            room = self.rect().adjusted(16, 16, -16, -16)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.empty_words)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            corner, end = (
                self.place_of((-0.5, -0.5)),
                self.place_of((self.clip.rows - 0.5, self.clip.columns - 0.5)),
            )
            painter.drawImage(QRectF(corner, end), self._image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for mark in self._marks:
                if mark.frame_index == self.frame_index:
                    self._paint_mark(painter, mark)
            self._paint_scale(painter)
            self._say(painter, 8, 6, frame_words(self.clip, self.frame_index))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self.palette().highlight().color(), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def _paint_mark(self, painter: QPainter, mark: Mark) -> None:
        style = STYLES[mark.look]
        pen = QPen(QColor(style.colour), 2.5 if mark.chosen else 1.5)
        if style.dash != (1, 0):
            pen.setDashPattern([3.0 * style.dash[0], 3.0 * style.dash[1]])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        corner = None
        if len(mark.outline):
            shape = QPolygonF([self.place_of((row, col)) for row, col in mark.outline])
            painter.drawPolygon(shape)
            corner = shape.boundingRect().topRight()
        if mark.point is not None:
            place = self.place_of(mark.point)
            size = 7.0 if mark.chosen else 5.0
            offsets = ((0, -size), (size, 0), (0, size), (-size, 0))
            painter.drawPolygon(QPolygonF([place + QPointF(x, y) for x, y in offsets]))
            corner = corner or place + QPointF(size, -size)
        if corner is not None and mark.text:
            font = QFont(self.font())
            font.setBold(mark.chosen)
            painter.setFont(font)
            painter.drawText(corner + QPointF(3, 0), mark.text)
            painter.setFont(self.font())

    @property
    def bar_mm(self) -> float | None:
        """Millimetres of the scale bar; None on a clip without a scale."""
        if not self.has_scale:
            return None
        room = self.width() / 4 / self.zoom
        return max((length for length in BARS_MM if length <= room), default=BARS_MM[0])

    def _paint_scale(self, painter: QPainter) -> None:
        length = self.bar_mm
        if length is None:
            self._say(painter, 8, self.height() - 26, UNCALIBRATED)
            return
        right, bottom = self.width() - 14.0, self.height() - 14.0
        left = right - length * self.zoom
        painter.setPen(QPen(QColor("white"), 2))
        for start, end in (
            ((left, bottom), (right, bottom)),
            *(((x, bottom - 4), (x, bottom + 4)) for x in (left, right)),
        ):
            painter.drawLine(QPointF(*start), QPointF(*end))
        text = f"{length:g} mm"
        width = painter.fontMetrics().horizontalAdvance(text)
        painter.drawText(QPointF((left + right - width) / 2, bottom - 8), text)

    def _say(self, painter: QPainter, x: int, y: int, words: str) -> None:
        metrics = painter.fontMetrics()
        words = metrics.elidedText(words, Qt.TextElideMode.ElideRight, self.width() - 2 * x - 10)
        box = QRectF(x, y, metrics.horizontalAdvance(words) + 10, metrics.height() + 4)
        painter.fillRect(box, QColor(0, 0, 0, 150))
        painter.setPen(QColor("white"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    # -- mouse ------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  # Qt's name
        """Zoom about the place of the mouse."""
        notches = event.angleDelta().y() / 120
        if notches and self.clip is not None:
            self.zoom_about(event.position(), STEP**notches)
        event.accept()

    def zoom_about(self, place: QPointF, factor: float) -> None:
        """Zoom by a factor; what lies at a place of the widget stays there.  Told to others."""
        zoom = self._bounded(self.zoom * factor)
        factor = zoom / self.zoom
        dx, dy = place.x() - self.width() / 2, place.y() - self.height() / 2
        shift = 1 / self.zoom - 1 / zoom
        self._go(factor, dy * shift, dx * shift)

    def _go(self, factor: float, rows: float, cols: float) -> None:
        self.set_view(zoom=self.zoom * factor, centre=(self.centre[0] + rows, self.centre[1] + cols))
        self.view_moved.emit(factor, rows, cols)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        """A click or the start of a drag."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed, self._dragged = (event.position(), self.centre), False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        """Move the picture with the mouse."""
        if self._pressed is None or self.clip is None:
            return
        start, centre = self._pressed
        gone = event.position() - start
        if not self._dragged and max(abs(gone.x()), abs(gone.y())) <= STILL_PX:
            return
        self._dragged = True
        wanted = centre[0] - gone.y() / self.zoom, centre[1] - gone.x() / self.zoom
        self._go(1.0, wanted[0] - self.centre[0], wanted[1] - self.centre[1])

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        """What did not become a drag was a click."""
        if self._pressed is not None and not self._dragged:
            point = self.point_at(event.position())
            if point is not None:
                self.clicked.emit(*point)
        self._pressed = None

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802  # Qt's name
        """Keep the centre; who holds a common scale is told."""
        super().resizeEvent(event)
        self.resized.emit()
