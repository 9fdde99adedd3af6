"""A table of few rows of which one is chosen: going to it by mouse or keyboard tells the owner."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_veinscan.palette import STYLES, Look

MOST_ROWS = 8
"""Rows that are in sight without scrolling."""

Key = TypeVar("Key")


class RowTable(QTableWidget, Generic[Key]):
    """Rows of text, each with a key; `chosen(key)` is told when a person goes to one."""

    def __init__(
        self, name: str, columns: Sequence[str], stretched: Sequence[int], chosen: Callable[[Key], None]
    ) -> None:
        """`stretched` are the columns that share the room that is left."""
        super().__init__(0, len(columns))
        self._chosen = chosen
        self._keys: list[Key] = []
        self._filling = False
        self.setAccessibleName(name)
        self.setHorizontalHeaderLabels(list(columns))
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setTabKeyNavigation(False)  # Tab leaves the table; the arrows go through it
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in stretched:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(28)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentCellChanged.connect(self._row_changed)
        self.cellClicked.connect(lambda row, _column: self._tell(row))

    def show_texts(
        self, rows: Sequence[tuple[Key, Sequence[str], Sequence[str]]], chosen: Key | None
    ) -> None:
        """Fill the table with `(key, texts, tooltips)` of each row and select the chosen one.

        The first text is the name of a target, in its colour.
        """
        self._filling = True
        try:
            self._keys = [key for key, _, _ in rows]
            shown = min(max(len(rows), 3), MOST_ROWS)
            height = self.verticalHeader().defaultSectionSize() * shown + 4
            self.setFixedHeight(self.horizontalHeader().sizeHint().height() + height)
            self.setRowCount(len(rows))
            for number, (_, texts, tips) in enumerate(rows):
                self._fill(number, texts, tips)
            if chosen is not None and chosen in self._keys:
                self.selectRow(self._keys.index(chosen))
            else:
                self.clearSelection()
                self.setCurrentCell(-1, -1)
        finally:
            self._filling = False

    def _fill(self, number: int, texts: Sequence[str], tips: Sequence[str]) -> None:
        for column, (text, tip) in enumerate(zip(texts, tips, strict=True)):
            item = self.item(number, column)
            if item is None:
                item = QTableWidgetItem()
                self.setItem(number, column, item)
            item.setText(text)
            item.setToolTip(tip)
            if column == 0:
                item.setForeground(QColor(STYLES[Look.TARGET].colour))

    def _tell(self, number: int) -> None:
        if 0 <= number < len(self._keys):
            self._chosen(self._keys[number])

    def _row_changed(self, number: int, _column: int, before: int, _column_before: int) -> None:
        if number != before and not self._filling:
            self._tell(number)
