"""The list of studies that an archive found: sorted by its headings or by a list, opened by Enter."""

from __future__ import annotations

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # qtpy renames Qt's own
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QComboBox, QHeaderView, QTableWidget, QTableWidgetItem

from napari_veinscan.pacs_words import COLUMNS, ORDERS, in_order, row_texts
from veinscan.pacs.model import StudyRow

NAME, DESCRIPTION, OBJECTS = COLUMNS.index("Name"), COLUMNS.index("Description"), COLUMNS.index("Objects")


class StudyTable(QTableWidget):
    """Studies, one chosen; `taken` when a person wants it."""

    taken = QtSignal(object)
    """A StudyRow, by Enter or a double click."""

    def __init__(self) -> None:
        super().__init__(0, len(COLUMNS))
        self.setAccessibleName("Studies found")
        self.setHorizontalHeaderLabels(list(COLUMNS))
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 10)
        self.setTabKeyNavigation(False)  # Tab leaves the table; the arrows go through it
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in (NAME, DESCRIPTION):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.setSectionsClickable(True)
        header.setSortIndicatorShown(True)
        header.sectionClicked.connect(self._heading)
        self.order = QComboBox()
        """The same by keyboard: the headings are for the mouse alone."""
        self.order.setAccessibleName("Sorted by")
        for order in ORDERS:
            self.order.addItem(order.words)
        self.order.currentIndexChanged.connect(self._sort)
        self._rows: tuple[StudyRow, ...] = ()
        self.itemDoubleClicked.connect(lambda _item: self._take())
        self._sort()

    @property
    def rows(self) -> tuple[StudyRow, ...]:
        """In the order of the list."""
        return self._rows

    @property
    def chosen(self) -> StudyRow | None:
        """The study that is chosen."""
        number = self.currentRow()
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def show_rows(self, rows: tuple[StudyRow, ...]) -> None:
        """Fill the list; the first is chosen."""
        self._rows = rows
        self._sort(keep=False)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802  # Qt's name
        """Enter takes the study: Qt would hand it on to the dialog's button, which searches again."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()
            self._take()
            return
        super().keyPressEvent(event)

    def _take(self) -> None:
        if self.chosen is not None:
            self.taken.emit(self.chosen)

    def _heading(self, column: int) -> None:
        """Sort by a column; by the other way round where it is sorted by it already."""
        there = [place for place, order in enumerate(ORDERS) if order.column == column]
        now = self.order.currentIndex()
        if there:
            place = there.index(now) + 1 if now in there else 0
            self.order.setCurrentIndex(there[place % len(there)])
        self._show_indicator()

    def _sort(self, _index: int = 0, *, keep: bool = True) -> None:
        chosen = self.chosen if keep else None
        self._rows = in_order(self._rows, ORDERS[self.order.currentIndex()])
        self.setRowCount(len(self._rows))
        for number, row in enumerate(self._rows):
            for column, text in enumerate(row_texts(row)):
                item = QTableWidgetItem(text)
                item.setToolTip(
                    f"<qt>{escape(text)}</qt>" if text else ""
                )  # an archive's text, and no markup
                if column == OBJECTS:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(number, column, item)
        if self._rows:
            self.setCurrentCell(self._rows.index(chosen) if chosen in self._rows else 0, 0)
        self._show_indicator()

    def _show_indicator(self) -> None:
        order = ORDERS[self.order.currentIndex()]
        way = Qt.SortOrder.DescendingOrder if order.reverse else Qt.SortOrder.AscendingOrder
        self.horizontalHeader().setSortIndicator(order.column, way)
