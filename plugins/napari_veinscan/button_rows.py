"""Buttons side by side, in as many rows as the width asks for: none is cut at a larger text."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtWidgets import QLayout, QLayoutItem, QWidget

SPACING_PX = 4


class ButtonRows(QLayout):
    """A layout that breaks its row where the next widget has no room, and lets each row fill the width."""

    def __init__(self, widgets: Iterable[QWidget]) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        for widget in widgets:
            self.addWidget(widget)

    # -- what Qt asks of a layout, under Qt's names -------------------------------------

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802
        """Take in a widget's item."""
        self._items.append(item)

    def count(self) -> int:
        """How many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """The item at a place; None beyond the end."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # noqa: N802
        """Hand an item back; None beyond the end."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:  # noqa: N802
        """It takes the width that there is, and no more height than it needs."""
        return Qt.Orientation.Horizontal

    def hasHeightForWidth(self) -> bool:  # noqa: N802
        """A narrow place takes more rows."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802
        """The height of as many rows as a width asks for, in pixels."""
        rows = self._rows(width)
        return sum(map(_height, rows)) + SPACING_PX * max(0, len(rows) - 1)

    def sizeHint(self) -> QSize:  # noqa: N802
        """All in one row."""
        items = self._shown()
        width = sum(item.sizeHint().width() for item in items)
        return QSize(width + SPACING_PX * max(0, len(items) - 1), _height(items))

    def minimumSize(self) -> QSize:  # noqa: N802
        """As wide as the widest of them, in one row: more rows are asked for by `heightForWidth`."""
        items = self._shown()
        return QSize(max((item.sizeHint().width() for item in items), default=0), _height(items))

    def setGeometry(self, room: QRect) -> None:  # noqa: N802
        """Place the widgets."""
        super().setGeometry(room)
        top = room.y()
        for row in self._rows(room.width()):
            widths = [item.sizeHint().width() for item in row]
            spare = max(0, room.width() - sum(widths) - SPACING_PX * (len(row) - 1))
            left, height = room.x(), _height(row)
            for place, (item, width) in enumerate(zip(row, widths, strict=True)):
                width += (place + 1) * spare // len(row) - place * spare // len(row)
                item.setGeometry(QRect(QPoint(left, top), QSize(width, height)))
                left += width + SPACING_PX
            top += height + SPACING_PX

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]  # empty: its widget is hidden

    def _rows(self, width: int) -> list[list[QLayoutItem]]:
        rows: list[list[QLayoutItem]] = []
        used = 0
        for item in self._shown():
            wanted = item.sizeHint().width()
            if rows and used + SPACING_PX + wanted <= width:
                rows[-1].append(item)
                used += SPACING_PX + wanted
            else:
                rows.append([item])
                used = wanted
        return rows


def _height(items: list[QLayoutItem]) -> int:
    return max((item.sizeHint().height() for item in items), default=0)
