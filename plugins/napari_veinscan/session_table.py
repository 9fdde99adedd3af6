"""Planned beside given: one row for each thing to give, in the order of injection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_veinscan.palette import STYLES, Look
from napari_veinscan.words import words_of
from veinscan.plan.giving import Row
from veinscan.plan.model import InjectionTarget, TargetStatus
from veinscan.plan.treatment import Injection, LaserSettings
from veinscan.plan.vocabulary import Checked, Form, Modality

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


def planned_words(target: InjectionTarget | None, *, is_laser: bool) -> str:
    """'foam 1 % 0.8 mL', 'laser 1064 nm 6 mm', or a dash where nothing is planned."""
    if target is None:
        return "–"
    if is_laser:
        return f"laser {laser_words(target.laser)}" if target.laser is not None else "laser, settings open"
    form = words_of(target.modality) if target.modality in (Modality.LIQUID, Modality.FOAM) else ""
    return _drug_words(form, target.concentration_percent, target.planned_volume_ml) or "–"


def given_words(row: Row) -> str:
    """'✔ as planned', '✔ foam 1 % 0.6 mL, copied', '○ not given', '– skipped'."""
    skipped = row.target is not None and row.target.status is TargetStatus.SKIPPED
    if row.entry is None or not row.is_given:
        return "– skipped" if skipped else "○ not given"
    if row.as_planned:
        text = "as planned"
    elif isinstance(row.entry, Injection):
        form = words_of(row.entry.form) if row.entry.form is not Form.UNKNOWN else ""
        text = _drug_words(form, row.entry.concentration_percent, row.entry.volume_ml)
    else:
        text = laser_words(row.entry.settings)
    return f"✔ {text}{', copied' if row.entry.copied else ''}"


def laser_words(settings: LaserSettings | None) -> str:
    """'1064 nm 6 mm 80 J/cm² 15 ms'."""
    if settings is None:
        return ""
    units = (
        (settings.wavelength_nm, "nm"),
        (settings.spot_mm, "mm"),
        (settings.fluence_j_cm2, "J/cm²"),
        (settings.pulse_ms, "ms"),
    )
    return " ".join(f"{value:g} {unit}" for value, unit in units if value is not None)


def _drug_words(form: str, percent: float | None, volume_ml: float | None) -> str:
    strength = f"{percent:g} %" if percent is not None else ""
    volume = f"{volume_ml:g} mL" if volume_ml is not None else ""
    return " ".join(filter(None, (form, strength, volume)))
