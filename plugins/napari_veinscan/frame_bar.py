"""The bar under the picture: where in the clip one is, the loop range, and the frames that hold something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal  # type: ignore[attr-defined]  # qtpy renames Qt's own
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

GRAB_PX = 7
"""How near to an end of the loop range the mouse takes hold of it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Frames that hold something, drawn as ticks of one colour."""

    colour: str
    frames: Sequence[int]
    above: bool
    """Whether the ticks stand above the line, or hang below it."""


class FrameBar(QWidget):
    """A line of frames with a handle, a loop range and ticks; by mouse and by keyboard.

    A click or a drag goes to that frame; a drag of an end of the range moves it;
    with the focus, the arrows, Home and End go through the frames.
    """

    frame_wanted = Signal(int)
    range_wanted = Signal(int, int)

    def __init__(self, describe: Callable[[int], str]) -> None:
        """`describe(frame)` is what the tooltip says of a frame."""
        super().__init__()
        self._describe = describe
        self._count, self._frame, self._range = 1, 0, (0, 0)
        self._marks: tuple[Marks, ...] = ()
        self._held = ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Frames of the clip")

    def sizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """As high as a line of text and a little."""
        return QSize(200, max(24, self.fontMetrics().height() + 8))

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """Narrow, as the picture may be."""
        return QSize(80, self.sizeHint().height())

    # -- what it shows ----------------------------------------------------------------

    @property
    def frame(self) -> int:
        """The frame of the handle."""
        return self._frame

    def set_clip(self, count: int) -> None:
        """A clip of so many frames, at its first, all of it in range, without ticks."""
        self._count, self._frame, self._range, self._marks = max(1, count), 0, (0, max(0, count - 1)), ()
        self.update()

    def set_frame(self, frame: int) -> None:
        """Move the handle."""
        if frame != self._frame:
            self._frame = frame
            self.update()

    def set_range(self, first: int, last: int) -> None:
        """Show the loop range."""
        self._range = (first, last)
        self.update()

    def set_marks(self, marks: Sequence[Marks]) -> None:
        """Show ticks."""
        if tuple(marks) != self._marks:
            self._marks = tuple(marks)
            self.update()

    def x_of(self, frame: int) -> float:
        """Where a frame lies, in pixels from the left."""
        return self._margin + (self.width() - 2 * self._margin) * frame / max(1, self._count - 1)

    def frame_at(self, x: float) -> int:
        """The frame nearest to a place."""
        share = (x - self._margin) / max(1.0, self.width() - 2 * self._margin)
        return min(max(0, round(share * (self._count - 1))), self._count - 1)

    @property
    def _margin(self) -> float:
        return self.sizeHint().height() / 3

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Line, range, ticks, handle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.WindowText)
        if not self.isEnabled():
            text.setAlpha(90)
        accent = palette.color(QPalette.ColorRole.Highlight)
        middle, size = self.height() / 2, self._margin
        faint = QColor(text)
        faint.setAlpha(70)
        left, right = (self.x_of(frame) for frame in (0, self._count - 1))
        painter.fillRect(QRectF(left, middle - 2, right - left, 4), faint)
        first, last = (self.x_of(frame) for frame in self._range)
        painter.fillRect(QRectF(first, middle - 2, last - first, 4), accent if self._is_cut else faint)
        for marks in self._marks:
            colour = QColor(marks.colour)
            for frame in marks.frames:
                top = middle - size - 1 if marks.above else middle + 3
                painter.fillRect(QRectF(self.x_of(frame) - 1, top, 2, size - 2), colour)
        if self._is_cut:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(accent)
            for x, towards in ((first, 1), (last, -1)):
                corners = [QPointF(x, middle - size), QPointF(x, middle + size)]
                painter.drawPolygon(QPolygonF([*corners, QPointF(x - towards * size, middle)]))
        painter.setBrush(text)
        painter.setPen(palette.color(QPalette.ColorRole.Window))
        if self._count > 1:
            painter.drawEllipse(QPointF(self.x_of(self._frame), middle), size * 0.75, size * 0.75)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(accent)
            painter.drawRect(QRectF(0.5, 0.5, self.width() - 1, self.height() - 1))

    @property
    def _is_cut(self) -> bool:
        return self._range != (0, self._count - 1)

    # -- mouse and keys ---------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        """Take hold of an end of the range, else go there."""
        if event.button() != Qt.MouseButton.LeftButton or self._count < 2:
            return
        x = event.position().x()
        first, last = (abs(x - self.x_of(frame)) for frame in self._range)
        on_handle = abs(x - self.x_of(self._frame)) <= self._margin * 0.75
        if self._is_cut and not on_handle and min(first, last) <= GRAB_PX:
            self._held = "first" if first <= last else "last"
        else:
            self._held = "frame"
            self.frame_wanted.emit(self.frame_at(x))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        """Move what is held; without a button, say which frame is below."""
        frame = self.frame_at(event.position().x())
        if self._held == "frame" and frame != self._frame:
            self.frame_wanted.emit(frame)
        elif self._held == "first":
            self.range_wanted.emit(min(frame, self._range[1]), self._range[1])
        elif self._held == "last":
            self.range_wanted.emit(self._range[0], max(frame, self._range[0]))
        elif not self._held and self._count > 1:
            QToolTip.showText(event.globalPosition().toPoint(), self._describe(frame), self)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802  # Qt's name
        """Let go."""
        self._held = ""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        """Arrows, Home and End."""
        keys = Qt.Key
        wanted = {
            keys.Key_Left: self._frame - 1,
            keys.Key_Right: self._frame + 1,
            keys.Key_Home: self._range[0],
            keys.Key_End: self._range[1],
        }.get(keys(event.key()))
        if wanted is None:
            super().keyPressEvent(event)
            return
        self.frame_wanted.emit(min(max(0, wanted), self._count - 1))
