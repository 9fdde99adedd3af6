"""Targets of the baseline beside the follow-up: a line each, new findings below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_veinscan.follow_up_state import Line
from napari_veinscan.follow_up_words import change_words, outcome_words, place_words, reason_words
from napari_veinscan.palette import STYLES, Look, mm

COLUMNS = ("", "Place", "Ø mm", "Change", "Outcome")
PLACE = 1
MOST_ROWS = 8
"""Rows that are in sight without scrolling."""


class FollowUpTable(QTableWidget):
    """`chosen(target_id)` is told when a person goes to a line."""

    def __init__(self, chosen: Callable[[str], None]) -> None:
        super().__init__(0, len(COLUMNS))
        self._chosen = chosen
        self._ids: list[str] = []
        self._filling = False
        self.setAccessibleName("Targets at the follow-up")
        self.setHorizontalHeaderLabels(list(COLUMNS))
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(PLACE, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(28)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentCellChanged.connect(self._row_changed)
        self.cellClicked.connect(lambda row, _column: self._tell(row))

    def show_lines(self, lines: Sequence[Line], chosen: str) -> None:
        """Fill the rows and select the chosen one."""
        self._filling = True
        try:
            self._ids = [line.target_id for line in lines]
            shown = min(max(len(lines), 3), MOST_ROWS)
            height = self.verticalHeader().defaultSectionSize() * shown + 4
            self.setFixedHeight(self.horizontalHeader().sizeHint().height() + height)
            self.setRowCount(len(lines))
            for number, line in enumerate(lines):
                self._fill(number, line)
            if chosen in self._ids:
                self.selectRow(self._ids.index(chosen))
            else:
                self.clearSelection()
                self.setCurrentCell(-1, -1)
        finally:
            self._filling = False

    def _fill(self, number: int, line: Line) -> None:
        row, tip = line.row, ""
        texts: tuple[str, ...]
        if row is not None:
            after = row.follow_up.diameter_mm if row.follow_up is not None else None
            change = change_words(row.diameter).split(" ")[0]
            both = None not in (row.baseline.diameter_mm, after)
            tip = reason_words(row.pairs)
            texts = (
                f"{STYLES[Look.TARGET].sign} {line.name}",
                place_words(row.baseline),
                f"{mm(row.baseline.diameter_mm)} → {mm(after)}",
                change or ("✕" if both else "–"),
                outcome_words(row.outcome),
            )
        else:
            finding = line.finding
            words = "" if finding is None else place_words(finding)
            now = None if finding is None else finding.diameter_mm
            texts = (f"{STYLES[Look.TARGET].sign} {line.name}", words, f"– → {mm(now)}", "–", "new")
        for column, text in enumerate(texts):
            item = self.item(number, column)
            if item is None:
                item = QTableWidgetItem()
                self.setItem(number, column, item)
            item.setText(text)
            item.setToolTip(tip or text)
            if column == 0:
                item.setForeground(QColor(STYLES[Look.TARGET].colour))

    def _tell(self, number: int) -> None:
        if 0 <= number < len(self._ids):
            self._chosen(self._ids[number])

    def _row_changed(self, number: int, _column: int, before: int, _column_before: int) -> None:
        if number != before and not self._filling:
            self._tell(number)
