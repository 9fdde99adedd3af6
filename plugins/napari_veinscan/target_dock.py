"""Third dock: the targets and what is known of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan import compat
from napari_veinscan.calipers import Tool
from napari_veinscan.palette import CHECKED_WORDS, SIDE_WORDS, SOURCE_WORDS, STYLES, Look, mm
from napari_veinscan.workbench import Workbench
from veinscan.plan.model import InjectionTarget, ValueSource
from veinscan.plan.veins import UNKNOWN, VEINS

COLUMNS = ("#", "Side", "Vein", "Diam.\nmm", "Depth\nmm", "Artery\nchecked")


class MmField(QWidget):
    """A number in mm: typed with a point or a comma, or measured with the caliper."""

    def __init__(self, name: str, typed: Callable[[float | None], bool], measure: Callable[[], None]) -> None:
        super().__init__()
        self._typed = typed
        self._shown: float | None = None
        self.edit = QLineEdit()
        self.edit.setMaximumWidth(64)
        self.edit.setPlaceholderText("–")
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setToolTip(f"{name} in millimetres")
        self.edit.editingFinished.connect(self.take_over)
        self.measure = QPushButton("Measure")
        self.measure.setToolTip(f"Measure the {name.lower()} with two clicks in the picture")
        self.measure.clicked.connect(lambda _checked=False: measure())
        self.source = QLabel()
        self.source.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.edit)
        layout.addWidget(QLabel("mm"))
        layout.addWidget(self.measure)
        layout.addWidget(self.source, 1)

    def show_value(self, value: float | None, source: ValueSource | None) -> None:
        """Show a number and where it comes from."""
        self._shown = value
        self.edit.setText("" if value is None else f"{value:.1f}")
        self.edit.setModified(False)
        short, full = SOURCE_WORDS[source] if source is not None and value is not None else ("", "")
        self.source.setText(short)
        self.source.setToolTip(full)

    def take_over(self) -> None:
        """Hand on what was typed; a text that is no number is put back."""
        if not self.edit.isModified():
            return
        self.edit.setModified(False)
        text = self.edit.text().strip().replace(",", ".").removesuffix("mm").strip()
        try:
            value = float(text) if text else None
        except ValueError:
            value = float("nan")  # refused with the sentence that every other bad number gets
        if not self._typed(value):
            self.edit.setText("" if self._shown is None else f"{self._shown:.1f}")


class TargetsDock(QWidget):
    """Table and form of the targets."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self._filling = False
        self.table = self._make_table()
        self.earlier = _small("▲", "Earlier in the order of injection", lambda: self._move(-1))
        self.later = _small("▼", "Later in the order of injection", lambda: self._move(1))
        self.remove = QPushButton("Remove")
        self.remove.setMaximumWidth(80)
        self.remove.setToolTip("Take this target out of the plan")
        self.remove.clicked.connect(self._remove)
        self.hint = QLabel()
        self.hint.setWordWrap(True)

        self.side = _choice(SIDE_WORDS)
        self.vein = QComboBox()
        self.vein.addItem("unknown", UNKNOWN)
        for vein in VEINS:
            same = vein.display == vein.name
            self.vein.addItem(vein.display if same else f"{vein.name}: {vein.display}", vein.name)
        self.vein.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.vein.setMinimumContentsLength(5)
        self.vein.setMaxVisibleItems(20)
        self.diameter_field = MmField(
            "Diameter", partial(self._number, "diameter_mm"), lambda: bench.take_caliper(Tool.DIAMETER)
        )
        self.depth_field = MmField(
            "Depth", partial(self._number, "depth_mm"), lambda: bench.take_caliper(Tool.DEPTH)
        )
        self.artery = _choice(CHECKED_WORDS)
        self.artery.setToolTip("Whether a person looked for an artery beside the target")
        self.notes = QLineEdit()
        self.notes.setPlaceholderText("anything to remember")
        for box, name in ((self.side, "side"), (self.vein, "vein"), (self.artery, "artery_checked")):
            box.activated.connect(partial(self._picked, box, name))
        self.notes.textEdited.connect(partial(self._field, "notes"))
        self.caliper = QLabel()
        self.caliper.setWordWrap(True)

        self._lay_out()

        bench.before_saving(self.take_over)
        self._session.record_changed.connect(self._show)
        self._session.selection_changed.connect(self._show)
        bench.calipers.changed.connect(self._show_caliper)
        self._show()
        self._show_caliper()

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(COLUMNS))
        table.setHorizontalHeaderLabels(list(COLUMNS))
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setDefaultSectionSize(24)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setMinimumSectionSize(30)
        table.horizontalHeader().setStretchLastSection(True)
        table.setMinimumHeight(86)
        table.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        table.cellClicked.connect(self._choose)
        table.currentCellChanged.connect(self._row_changed)
        return table

    def _lay_out(self) -> None:
        order = QHBoxLayout()
        order.addWidget(self.hint, 1)
        for widget in (self.earlier, self.later, self.remove):
            order.addWidget(widget)
        self.form = QWidget()
        form = QFormLayout(self.form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(2)
        form.setHorizontalSpacing(6)
        sides = QHBoxLayout()
        sides.addWidget(self.side)
        sides.addWidget(QLabel("Vein"))
        sides.addWidget(self.vein, 1)
        form.addRow("Side", sides)
        form.addRow("Diameter", self.diameter_field)
        form.addRow("Depth", self.depth_field)
        form.addRow("Artery checked", self.artery)
        form.addRow("Notes", self.notes)
        inner = QWidget()
        above = QVBoxLayout(inner)
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(4)
        above.addWidget(self.table, 1)
        above.addLayout(order)
        above.addWidget(self.form)
        above.addWidget(self.caliper)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scroll, 1)
        self.setMinimumWidth(390)

    # -- doing ------------------------------------------------------------------------

    def _choose(self, row: int, _column: int) -> None:
        targets = self._session.record.targets if self._session.record else ()
        if 0 <= row < len(targets):
            target = targets[row]
            if self._bench.attempt(lambda: self._session.select_target(target.id, show=True)):
                self._bench.layers.bring_into_sight(target.point)

    def _row_changed(self, row: int, column: int, before: int, _column_before: int) -> None:
        if row != before and not self._filling:
            self._choose(row, column)

    def _picked(self, box: QComboBox, name: str, _index: int) -> None:
        self._field(name, box.currentData())
        # the list keeps the focus and would take the letters of the review for itself
        compat.canvas_widget(self._bench.viewer).setFocus()

    def _field(self, name: str, value: Any) -> None:
        if not self._filling:
            self._bench.attempt(lambda: self._session.update_target(**{name: value}))

    def _number(self, name: str, value: float | None) -> bool:
        source = None if value is None else ValueSource.ENTERED
        fields = {name: value, name.replace("_mm", "_source"): source}
        return self._bench.attempt(lambda: self._session.update_target(**fields))

    def _move(self, step: int) -> None:
        self._bench.attempt(lambda: self._session.move_target(step))

    def _remove(self) -> None:
        self._bench.attempt(self._session.remove_target)

    def take_over(self) -> None:
        """Take over a number that is still being typed."""
        self.diameter_field.take_over()
        self.depth_field.take_over()

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        self._filling = True
        try:
            self._show_table()
            self._show_form(self._session.target)
        finally:
            self._filling = False

    def _show_table(self) -> None:
        targets = self._session.record.targets if self._session.record else ()
        self.table.setRowCount(len(targets))
        for row, target in enumerate(targets):
            texts = (
                f"{STYLES[Look.TARGET].sign} T{target.order}",
                SIDE_WORDS[target.side],
                target.vein,
                mm(target.diameter_mm),
                mm(target.depth_mm),
                CHECKED_WORDS[target.artery_checked],
            )
            for column, text in enumerate(texts):
                item = self.table.item(row, column)
                if item is None:
                    item = QTableWidgetItem()
                    self.table.setItem(row, column, item)
                item.setText(text)
                if column == 0:
                    item.setForeground(QColor(STYLES[Look.TARGET].colour))
        ids = [target.id for target in targets]
        if self._session.target_id in ids:
            self.table.selectRow(ids.index(self._session.target_id))
        else:
            self.table.clearSelection()
            self.table.setCurrentCell(-1, -1)

    def _show_form(self, target: InjectionTarget | None) -> None:
        count = len(self._session.record.targets) if self._session.record else 0
        for widget in (
            self.side,
            self.vein,
            self.artery,
            self.notes,
            self.diameter_field.edit,
            self.depth_field.edit,
        ):
            widget.setEnabled(target is not None)
        self.remove.setEnabled(target is not None)
        self.earlier.setEnabled(target is not None and target.order > 1)
        self.later.setEnabled(target is not None and target.order < count)
        if target is None:
            self.hint.setText("Choose a target." if count else "No targets yet: choose a vein and press T.")
            for box in (self.side, self.vein, self.artery):
                box.setCurrentIndex(0)
            self.notes.clear()
            self.diameter_field.show_value(None, None)
            self.depth_field.show_value(None, None)
            return
        clip = self._session.clip_of(target.sop_instance_uid)
        where = f"{clip.file}, frame {target.frame_index}" if clip else "its clip is not in this study"
        self.hint.setText(f"T{target.order}: {where}")
        for box, value in (
            (self.side, target.side),
            (self.vein, target.vein),
            (self.artery, target.artery_checked),
        ):
            box.setCurrentIndex(max(0, box.findData(value)))
        if self.notes.text() != target.notes:
            self.notes.setText(target.notes)
        self.diameter_field.show_value(target.diameter_mm, target.diameter_source)
        self.depth_field.show_value(target.depth_mm, target.depth_source)

    def _show_caliper(self) -> None:
        self.caliper.setText(self._bench.calipers.prompt)
        self.caliper.setVisible(bool(self._bench.calipers.prompt))


def _choice(words: dict[Any, str]) -> QComboBox:
    box = QComboBox()
    for value, text in words.items():
        box.addItem(text, value)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(5)
    return box


def _small(text: str, tip: str, action: Callable[[], None]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setMaximumWidth(34)
    button.clicked.connect(lambda _checked=False: action())
    return button
