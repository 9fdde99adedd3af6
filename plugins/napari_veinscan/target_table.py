"""The list of targets in the order of injection; a row is dragged to another place in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QDropEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QSizePolicy, QTableWidget, QTableWidgetItem

from napari_veinscan.palette import CHECKED_WORDS, SIDE_WORDS, STYLES, Look, mm
from veinscan.plan.model import InjectionTarget, TargetStatus

COLUMNS = ("#", "Side", "Vein", "⌀\nmm", "Depth\nmm", "Artery\nchecked", "Status")
"""Short, and what is unknown is a '?', so that all fits beside the picture at 1280 pixels of the screen."""
DIAMETER = 3
STATUS_SIGNS = {TargetStatus.PLANNED: "○", TargetStatus.TREATED: "✔", TargetStatus.SKIPPED: "–"}


class TargetTable(QTableWidget):
    """Rows of targets; `moved(target_id, place)` is told where a row was dropped, from 1."""

    def __init__(self, chosen: Callable[[str], None], moved: Callable[[str, int], None]) -> None:
        super().__init__(0, len(COLUMNS))
        self._chosen = chosen
        self._moved = moved
        self._ids: list[str] = []
        self._filling = False
        self.setAccessibleName("Targets")
        self.setHorizontalHeaderLabels(list(COLUMNS))
        diameter = QTableWidgetItem(COLUMNS[DIAMETER])
        diameter.setToolTip("Diameter in mm")
        self.setHorizontalHeaderItem(DIAMETER, diameter)
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setTabKeyNavigation(False)  # Tab leaves the table; the arrows go through it
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.horizontalHeader().setMinimumSectionSize(30)
        self.horizontalHeader().setDefaultSectionSize(30)  # else the last is never narrower than Qt's 100
        self.horizontalHeader().setStretchLastSection(True)
        self.setMinimumHeight(110)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDragDropOverwriteMode(False)
        self.setToolTip("Drag a row to change the order of injection")
        self.cellClicked.connect(self._clicked)
        self.currentCellChanged.connect(self._row_changed)

    def show_targets(self, targets: Sequence[InjectionTarget], chosen_id: str | None) -> None:
        """Fill the rows and select the chosen one."""
        self._filling = True
        try:
            self._ids = [target.id for target in targets]
            self.setRowCount(len(targets))
            for row, target in enumerate(targets):
                self._fill(row, target)
            if chosen_id in self._ids:
                self.selectRow(self._ids.index(chosen_id))
            else:
                self.clearSelection()
                self.setCurrentCell(-1, -1)
        finally:
            self._filling = False

    def sizeHint(self) -> QSize:  # noqa: N802  (a method of Qt)
        """The least height, which the dock counts when it lays out the form below; it grows with the room."""
        return QSize(super().sizeHint().width(), self.minimumHeight())

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802  (a method of Qt)
        """A row was let go: tell where, and let the record move it."""
        row = self.currentRow()
        event.setDropAction(Qt.DropAction.IgnoreAction)  # else Qt takes the row out of the table
        event.accept()
        if not 0 <= row < len(self._ids):
            return
        to = self._drop_row(event)
        place = to + 1 if to <= row else to  # without the row itself the ones below move up
        if place != row + 1:
            self._moved(self._ids[row], place)

    def _drop_row(self, event: QDropEvent) -> int:
        """The row before which it was dropped."""
        index = self.indexAt(event.position().toPoint())
        if not index.isValid():
            return len(self._ids)
        box = self.visualRect(index)
        return int(index.row() + (event.position().y() > box.center().y()))

    def _fill(self, row: int, target: InjectionTarget) -> None:
        texts = (
            f"{STYLES[Look.TARGET].sign} T{target.order}",
            _short(SIDE_WORDS[target.side]),
            target.vein,
            mm(target.diameter_mm),
            mm(target.depth_mm),
            _short(CHECKED_WORDS[target.artery_checked]),
            f"{STATUS_SIGNS[target.status]} {target.status.value}",
        )
        for column, text in enumerate(texts):
            item = self.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                item.setFlags(item.flags() & ~Qt.ItemFlag.ItemIsDropEnabled)
                self.setItem(row, column, item)
            item.setText(text)
            if column == 0:
                item.setForeground(QColor(STYLES[Look.TARGET].colour))

    def _clicked(self, row: int, _column: int) -> None:
        if 0 <= row < len(self._ids):
            self._chosen(self._ids[row])

    def _row_changed(self, row: int, column: int, before: int, _column_before: int) -> None:
        if row != before and not self._filling:
            self._clicked(row, column)


def _short(words: str) -> str:
    return "?" if words == "unknown" else words
