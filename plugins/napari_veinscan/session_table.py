"""Planned beside given: one row for each thing to give, in the order of injection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_veinscan.palette import STYLES, Look
from napari_veinscan.session_words import given_words, planned_words
from veinscan.plan.giving import Row
from veinscan.plan.treatment import Injection
from veinscan.plan.vocabulary import Checked

COLUMNS = ("#", "Planned", "Given", "Artery\nchecked", "In the\nvein")
CHECK_SIGNS = {Checked.YES: "✔ yes", Checked.NO: "✕ no", Checked.UNKNOWN: "–"}

MOST_ROWS = 8
"""Rows that are in sight without scrolling."""

RowKey = tuple[str, bool, str]


class SessionTable(QTableWidget):
    """Rows of a session; `chosen(key)` is told when a person goes to one."""

    def __init__(self, chosen: Callable[[RowKey], None]) -> None:
        super().__init__(0, len(COLUMNS))
        self._chosen = chosen
        self._keys: list[RowKey] = []
        self._filling = False
        self.setAccessibleName("Planned and given")
        self.setHorizontalHeaderLabels(list(COLUMNS))
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for name in ("Planned", "Given"):
            header.setSectionResizeMode(COLUMNS.index(name), QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(30)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentCellChanged.connect(self._row_changed)
        self.cellClicked.connect(lambda row, _column: self._tell(row))

    def show_rows(self, rows: Sequence[Row], chosen: RowKey | None) -> None:
        """Fill the table and select the chosen row."""
        self._filling = True
        try:
            self._keys = [row.key for row in rows]
            shown = min(max(len(rows), 3), MOST_ROWS)
            height = self.verticalHeader().defaultSectionSize() * shown + 4
            self.setFixedHeight(self.horizontalHeader().sizeHint().height() + height)
            self.setRowCount(len(rows))
            for number, row in enumerate(rows):
                self._fill(number, row)
            if chosen in self._keys:
                self.selectRow(self._keys.index(chosen))
            else:
                self.clearSelection()
                self.setCurrentCell(-1, -1)
        finally:
            self._filling = False

    def _fill(self, number: int, row: Row) -> None:
        entry = row.entry
        checks = ("", "")
        if not row.is_laser:
            checks = (CHECK_SIGNS[Checked.UNKNOWN],) * 2
        if isinstance(entry, Injection):
            checks = CHECK_SIGNS[entry.artery_checked], CHECK_SIGNS[entry.confirmed_intravenous]
        name = f"{STYLES[Look.TARGET].sign} T{row.target.order}" if row.target is not None else "gone"
        texts = (name, planned_words(row.target, is_laser=row.is_laser), given_words(row), *checks)
        for column, text in enumerate(texts):
            item = self.item(number, column)
            if item is None:
                item = QTableWidgetItem()
                self.setItem(number, column, item)
            item.setText(text)
            item.setToolTip(text if column in (1, 2) else "")
            if column == 0:
                item.setForeground(QColor(STYLES[Look.TARGET].colour))

    def _tell(self, number: int) -> None:
        if 0 <= number < len(self._keys):
            self._chosen(self._keys[number])

    def _row_changed(self, number: int, _column: int, before: int, _column_before: int) -> None:
        if number != before and not self._filling:
            self._tell(number)
