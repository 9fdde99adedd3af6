"""The table of candidates: pictures, measures, verdicts; sorted and filtered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt, Signal  # type: ignore[attr-defined]  # qtpy renames Qt's own
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from napari_veinscan.evidence_words import full_evidence
from napari_veinscan.palette import STYLES, Look, look_of, mm, verdict_words
from napari_veinscan.rows import Row
from napari_veinscan.thumbnails import icon_of
from veinscan.candidates import FeederPlace
from veinscan.candidates.by_hand import is_drawn

COLUMNS = ("", "#", "Diam.\nmm", "Depth\nmm", "Length\nmm", "Flow", "Score", "Look\nfirst", "Verdict")
PICTURE, RANK, DIAMETER, DEPTH, LENGTH, FLOW, SCORE, PLACE, VERDICT = range(len(COLUMNS))

PICTURE_PX = 40
"""Side of a candidate's picture."""

FILTERS: dict[str, tuple[Look, ...]] = {
    "all": (Look.UNREVIEWED, Look.VEIN, Look.REJECTED),
    "undecided": (Look.UNREVIEWED,),
    "veins": (Look.VEIN,),
    "not rejected": (Look.UNREVIEWED, Look.VEIN),
    "rejected": (Look.REJECTED,),
}
"""What the table can be narrowed to, by verdict."""


class CandidateTable(QTableWidget):
    """Rows of candidates; says which one a person chose, and in which order they stand."""

    chosen = Signal(str)
    """The id of a candidate that was clicked, or gone to by the arrows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._filling = False
        self._rows: dict[str, Row] = {}
        self._places: dict[str, FeederPlace] = {}
        self._icons: dict[str, npt.NDArray[np.uint8]] = {}
        self.setHorizontalHeaderLabels(list(COLUMNS))
        self.setIconSize(QSize(PICTURE_PX, PICTURE_PX))
        self.verticalHeader().setVisible(False)
        self.verticalHeader().setDefaultSectionSize(PICTURE_PX + 2)
        self.setTabKeyNavigation(False)  # Tab leaves the table; the arrows go through it
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(True)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(30)
        header.setSortIndicatorShown(True)
        header.setSectionsClickable(True)
        header.setSortIndicator(RANK, Qt.SortOrder.AscendingOrder)
        header.setToolTip("Click a heading to sort by it, again to turn the order round")
        header.sortIndicatorChanged.connect(self._sort)
        self.currentCellChanged.connect(self._row_moved)
        self.cellClicked.connect(lambda row, _column: self._tell(row))
        self.setAccessibleName("Candidates")
        self._set_widths()

    def ids(self) -> tuple[str, ...]:
        """The candidates from top to bottom, those that are filtered out left out."""
        return tuple(self._id_at(row) for row in range(self.rowCount()))

    def show_rows(self, rows: Sequence[Row], which: str, places: Sequence[FeederPlace] = ()) -> None:
        """Show these, narrowed by a name of `FILTERS`, in the order that the heading says.

        `places` are theirs in the order in which one looks for a feeder.
        """
        self._places = {place.candidate.id: place for place in places}
        self._rows = {row.candidate.id: row for row in rows if look_of(row.review) in FILTERS[which]}
        self._filling = True
        there = self.ids()
        if set(there) == set(self._rows) and len(there) == len(self._rows):
            places_in = {name: number for number, name in enumerate(there)}  # each stays where it is
        else:
            self.setRowCount(len(self._rows))
            places_in = {name: number for number, name in enumerate(self._rows)}
        changed = False
        for name, row in self._rows.items():
            changed |= self._fill(places_in[name], row)
        self._filling = False
        for column, known in (
            (LENGTH, [row.candidate.length_mm for row in rows]),
            (FLOW, [row.candidate.flow_fraction for row in rows]),
            (PLACE, [self._places.get(row.candidate.id) for row in rows]),
        ):  # a clip without colour, or across its veins: the column would be all dashes
            self.setColumnHidden(column, all(value is None for value in known))
        if changed:
            header = self.horizontalHeader()
            self._sort(header.sortIndicatorSection(), header.sortIndicatorOrder())

    def choose(self, candidate_id: str | None) -> None:
        """Mark a candidate's row, or none."""
        self._filling = True
        ids = self.ids()
        if candidate_id in ids:
            if self.currentRow() != ids.index(candidate_id) or not self.selectedIndexes():
                self.selectRow(ids.index(candidate_id))
            self.scrollTo(self.model().index(ids.index(candidate_id), RANK))
        else:
            self.clearSelection()
            self.setCurrentCell(-1, -1)
        self._filling = False

    def set_picture(self, candidate_id: str, rgb: npt.NDArray[np.uint8]) -> None:
        """Give a candidate its picture, (rows, cols, 3) uint8."""
        self._icons[candidate_id] = rgb
        ids = self.ids()
        item = self.item(ids.index(candidate_id), PICTURE) if candidate_id in ids else None
        if item is not None:
            item.setIcon(icon_of(rgb))

    def forget_pictures(self) -> None:
        """Another clip: the pictures are not needed any more."""
        self._icons.clear()
        self._filling = True
        self.setRowCount(0)
        self._filling = False

    def _set_widths(self) -> None:
        """As narrow as heading and numbers allow; the verdict has the rest."""
        measure = self.fontMetrics().horizontalAdvance
        samples = ("", "○ 88", "88.8", "88.8", "88.8", "100 %", "0.88 ?", "88")
        for column, sample in enumerate(samples):
            widest = max(measure(text) for text in (*COLUMNS[column].split("\n"), sample))
            self.setColumnWidth(column, PICTURE_PX + 4 if column == PICTURE else widest + 10)
        self.setColumnWidth(VERDICT, self.horizontalHeader().minimumSectionSize())

    # -- filling ----------------------------------------------------------------------

    def _fill(self, number: int, row: Row) -> bool:
        """Write a candidate into a row; cells that hold the same already are left, as Qt paints each anew.

        Whether something changed that the table may be sorted by.
        """
        c = row.candidate
        look = look_of(row.review)
        style = STYLES[look]
        drawn = is_drawn(c.id)
        verdict = verdict_words(row.review)
        if row.targets:
            verdict = ", ".join([*([verdict] if verdict else []), *(f"◆ T{t.order}" for t in row.targets)])
        if row.review is not None and row.review.outlined_by and not drawn:
            verdict += " (outline by hand)"
        flow = "–" if c.flow_fraction is None else f"{100 * c.flow_fraction:.0f} %"
        # what lies outside the tested sizes says so beside its number, not in a tooltip alone
        score = "drawn" if drawn else f"{c.score:.2f}{' ?' if c.not_validated else ''}"
        place = self._places.get(c.id)
        if c.warnings:
            verdict = f"⚠ {verdict}".rstrip()
        texts = (
            "",
            f"{style.sign} {c.rank}",
            mm(c.diameter_mm),
            mm(c.depth_mm),
            mm(c.length_mm),
            flow,
            score,
            "–" if place is None else str(place.place),
            verdict,
        )
        keys = (
            0.0,
            c.rank,
            c.diameter_mm,
            c.depth_mm,
            c.length_mm,
            c.flow_fraction,
            -1.0 if drawn else c.score,
            None if place is None else place.place,
            verdict,
        )
        evidence, changed = full_evidence(c), False
        for column, (text, key) in enumerate(zip(texts, keys, strict=True)):
            item = self.item(number, column)
            if not isinstance(item, _Cell) or item.data(Qt.ItemDataRole.UserRole) != c.id:
                item, changed = _Cell(), True
                item.setData(Qt.ItemDataRole.UserRole, c.id)
                if column not in (RANK, VERDICT, PICTURE):
                    item.setTextAlignment(int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))
                if column == PICTURE and c.id in self._icons:
                    item.setIcon(icon_of(self._icons[c.id]))
                self.setItem(number, column, item)
            changed |= item.say(text, key)
            if column == PLACE:
                item.setToolTip("" if place is None else "\n".join(place.reasons))
            elif column in (PICTURE, SCORE, VERDICT):
                item.setToolTip(evidence)
            if column in (RANK, VERDICT):
                item.setForeground(QColor(style.colour))
        return changed

    def _sort(self, column: int, order: Qt.SortOrder) -> None:
        self._filling = True
        chosen = self.currentItem()
        name = chosen.data(Qt.ItemDataRole.UserRole) if chosen is not None else None
        self.sortItems(column if column != PICTURE else RANK, order)
        self.choose(name)
        self._filling = False

    # -- choosing ---------------------------------------------------------------------

    def _id_at(self, row: int) -> str:
        item = self.item(row, RANK)
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def _row_moved(self, row: int, _column: int, before: int, _column_before: int) -> None:
        if row != before and not self._filling:
            self._tell(row)

    def _tell(self, row: int) -> None:
        if 0 <= row < self.rowCount():
            self.chosen.emit(self._id_at(row))


class _Cell(QTableWidgetItem):
    """Sorts by a number or word of its own; what has none comes last."""

    def __init__(self) -> None:
        super().__init__()
        self._key: tuple[int, Any] = (1, 0)

    def say(self, text: str, key: float | str | None) -> bool:
        """Show a text, sorted by its key; whether the key is another than before."""
        self.setText(text)
        before = self._key
        is_missing = key is None or (isinstance(key, float) and math.isnan(key))
        self._key = (1, 0) if is_missing else (0, key)
        return self._key != before

    def __lt__(self, other: object) -> bool:
        return isinstance(other, _Cell) and self._key < other._key
