"""What became of one target: each value beside the baseline's, and differences only where they hold.

No field fills itself: an outcome is what a person chose, with 'not seen' first in every list.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from napari_veinscan.calipers import Tool
from napari_veinscan.field_widgets import Choice, Group, MmField, NumberField, TextField, entries_of
from napari_veinscan.follow_up_edits import VisitEdits
from napari_veinscan.follow_up_state import Compared, Line
from napari_veinscan.follow_up_words import (
    OUTCOMES,
    change_words,
    outcome_words,
    place_words,
    reason_words,
    taken_words,
    value_words,
)
from napari_veinscan.palette import SOURCE_WORDS
from napari_veinscan.reflux_dock import reflux_tool
from napari_veinscan.workbench import Workbench
from veinscan.follow_up.compare import TargetComparison
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.follow_up import TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.model import ValueSource
from veinscan.plan.values import number
from veinscan.plan.vocabulary import (
    Checked,
    Compartment,
    Compressible,
    FlowSource,
    Landmark,
    Outcome,
    Posture,
)

CHOICE_PX, NUMBER_PX = 112, 44
"""Widths of a list and of a number in the grid: the change beside them wants room."""
MEASURED = (("diameter_mm", "Diameter", Tool.DIAMETER), ("depth_mm", "Depth", Tool.DEPTH))


class OutcomeForm(QWidget):
    """Fields of the chosen target at this visit; a grid of title, baseline, now, difference."""

    def __init__(self, bench: Workbench, compared: Compared, edits: VisitEdits) -> None:
        super().__init__()
        self._bench, self._compared, self._edits = bench, compared, edits
        self._target_id = ""
        self._caliper: tuple[str, str] | None = None
        """Target and field that the next reading of the caliper is for."""
        self._is_taking = False
        self.fields: dict[str, Any] = {}
        """By the name of their field in the model."""
        self.before: dict[str, QLabel] = {}
        self.change: dict[str, QLabel] = {}
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.suggestion = QLabel()
        self.suggestion.setWordWrap(True)
        self.recanalised = QPushButton("Set 'recanalised'")
        self.recanalised.clicked.connect(lambda _checked=False: self._put("outcome", Outcome.RECANALISED))
        self.not_seen = bench.commands.button("follow_up.not_seen", "Not seen  0")
        self.mark = bench.commands.button("follow_up.mark", "Mark here")
        self.clear = bench.commands.button("follow_up.clear", "Clear")
        self.from_strip = QPushButton("⇤")
        self.from_strip.setAccessibleName("Reflux from the strip")
        self.from_strip.setToolTip("Take over the attempt that is chosen in the dock 'Reflux'")
        self.from_strip.clicked.connect(lambda _checked=False: bench.attempt(self._reflux_from_strip))
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.more = Group("How it was taken", is_open=True)
        self.taken = QLabel()
        self.taken.setWordWrap(True)
        self.more.column.insertWidget(0, self.taken)
        self._build()
        bench.calipers.changed.connect(self._caliper_changed)

    # -- building ---------------------------------------------------------------------

    def _build(self) -> None:
        acts = QHBoxLayout()
        acts.setSpacing(3)
        for button in (self.not_seen, self.mark, self.clear):
            acts.addWidget(button)
        suggested = QHBoxLayout()
        suggested.addWidget(self.suggestion, 1)
        suggested.addWidget(self.recanalised)
        self.grid = QGridLayout()
        self.grid.setVerticalSpacing(2)
        self.grid.setHorizontalSpacing(4)
        for column, title in enumerate(("", "Before", "Now", "Change")):
            head = QLabel(title)
            head.setStyleSheet("font-weight: bold")
            self.grid.addWidget(head, 0, column)
        self.grid.setColumnStretch(3, 1)
        self._row("outcome", "Outcome", Choice(list(OUTCOMES), partial(self._put, "outcome"), name="Outcome"))
        for name, title, tool in MEASURED:
            field = MmField(name, partial(self._put, name), partial(self._measure, name, tool), name=title)
            field.source.hide()  # it stands in the tooltip: the grid has no room
            field.measure.setText("↔")
            field.measure.setAccessibleName(f"Measure the {title.lower()}")
            field.after.addStretch(1)
            self._row(name, title, field)
        compressible = Choice(
            entries_of(Compressible), partial(self._put, "compressible"), name="Compressible"
        )
        self._row("compressible", "Compressible", compressible)
        reflux = NumberField("reflux_s", self._put_reflux, name="Reflux")
        reflux.after.addWidget(self.from_strip)
        reflux.after.addStretch(1)
        self._row("reflux_s", "Reflux", reflux)
        flow = NumberField("peak_cm_s", self._put_flow, name="Flow, peak")
        flow.after.addStretch(1)
        self._row("flow_cm_s", "Flow, peak", flow)
        self._more(
            "posture", "Posture", Choice(entries_of(Posture), partial(self._put, "posture"), name="Posture")
        )
        landmark = Choice(entries_of(Landmark), partial(self._put, "landmark"), name="Landmark")
        self._more("landmark", "Landmark", landmark)
        for name, title in (
            ("landmark_cm", "Distance from it"),
            ("treated_length_cm", "Treated length"),
            ("occluded_length_cm", "Occluded length"),
        ):
            self._more(name, title, NumberField(name, partial(self._put, name), name=title))
        for name, title, kind in (
            ("compartment", "Compartment", Compartment),
            ("recurrence", "Recurrence", Checked),
        ):
            self._more(name, title, Choice(entries_of(kind), partial(self._put, name), name=title))
        self._more("notes", "Notes", TextField(partial(self._put, "notes"), name="Notes of the follow-up"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.title)
        layout.addLayout(acts)
        layout.addLayout(suggested)
        layout.addLayout(self.grid)
        layout.addWidget(self.reason)
        layout.addWidget(self.more)

    def _row(self, name: str, title: str, field: Any) -> None:
        line = self.grid.rowCount()
        label = QLabel(title)
        label.setBuddy(field.edit if isinstance(field, NumberField) else field)
        self.fields[name] = field
        if isinstance(field, Choice):
            field.setMaximumWidth(CHOICE_PX)
        else:
            field.edit.setMaximumWidth(NUMBER_PX)
        self.before[name], self.change[name] = QLabel(), QLabel()
        self.before[name].setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # cut off rather than the dock widened; the tooltip has all of it
        self.change[name].setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for column, widget in enumerate((label, self.before[name], field, self.change[name])):
            self.grid.addWidget(widget, line, column)

    def _more(self, name: str, title: str, field: Any) -> None:
        label = QLabel(title)
        label.setBuddy(field.edit if isinstance(field, NumberField) else field)
        self.fields[name] = field
        self.more.form.addRow(label, field)

    # -- doing ------------------------------------------------------------------------

    def _put(self, name: str, value: Any) -> bool:
        what = name.removesuffix("_mm").removesuffix("_cm").replace("_", " ")
        return self._edits.attempt_target(self._target_id, what, **{name: value})

    def _put_reflux(self, value: Any) -> bool:
        def put() -> None:
            seconds = number("reflux_s", value)
            found = None
            if seconds is not None:
                found = RefluxValue(id=new_uid(), reflux_s=seconds, source=FlowSource.ENTERED, **self._who())
            self._edits.set_target(self._target_id, "reflux", reflux=found)

        return self._bench.attempt(put)

    def _put_flow(self, value: Any) -> bool:
        def put() -> None:
            peak = number("peak_cm_s", value)
            found: tuple[FlowValue, ...] = ()
            if peak is not None:
                found = (FlowValue(id=new_uid(), peak_cm_s=peak, source=FlowSource.ENTERED, **self._who()),)
            self._edits.set_target(self._target_id, "flow", flow=found)

        return self._bench.attempt(put)

    def _who(self) -> dict[str, Any]:
        return {"set_by": self._bench.session.reader.name}

    def _reflux_from_strip(self) -> None:
        self._edits.set_target(self._target_id, "reflux", reflux=self._bench.part(reflux_tool).value())

    def _measure(self, name: str, tool: Tool) -> None:
        self._bench.take_caliper(tool, onto_target=False)
        if self._bench.calipers.tool is not None:
            self._caliper = self._target_id, name

    def _caliper_changed(self) -> None:
        calipers = self._bench.calipers
        if self._caliper is None:
            return
        if calipers.tool is not None:
            if not calipers.points:
                self._caliper = None  # taken in hand anew, for something else
            return
        found = calipers.measured
        if found is None:
            return
        (target_id, name), self._caliper = self._caliper, None
        # as exact as the display: a caliper of tenths of a millimetre pretends nothing finer
        values = {name: round(found.value, 1), name.replace("_mm", "_source"): ValueSource.CALIPER}
        self._edits.attempt_target(target_id, f"{name.removesuffix('_mm')} with calipers", **values)

    def take_over(self) -> None:
        """Take over everything that is still being typed."""
        self._is_taking = True
        try:
            for field in self.fields.values():
                if isinstance(field, NumberField | TextField):
                    field.take_over()
        finally:
            self._is_taking = False

    # -- showing ----------------------------------------------------------------------

    def show_line(self, line: Line | None, can_edit: bool) -> None:
        """Show a line of the list; a new finding has its form in the dock of targets."""
        if self._is_taking:
            return
        new_id = line.target_id if line is not None and line.row is not None else ""
        if new_id != self._target_id:
            if self._target_id:
                self.take_over()  # a text typed for one target never reaches another
            self._target_id = new_id
        row = line.row if line is not None else None
        outcome = self._compared.outcome_of(new_id) if new_id else None
        shown = outcome or TargetOutcome(target_id="")
        for name in ("outcome", "compressible", "posture", "landmark", "compartment", "recurrence", "notes"):
            self.fields[name].show_value(getattr(shown, name))
        for name in ("landmark_cm", "treated_length_cm", "occluded_length_cm"):
            self.fields[name].show_value(getattr(shown, name))
        for name, _, _ in MEASURED:
            source = getattr(shown, name.replace("_mm", "_source"))
            self.fields[name].show_measured(getattr(shown, name), source)
            said = SOURCE_WORDS[source][1] if source is not None else ""
            self.fields[name].setToolTip(said)
        self.fields["reflux_s"].show_value(shown.reflux.reflux_s if shown.reflux is not None else None)
        self.fields["flow_cm_s"].show_value(shown.flow[-1].peak_cm_s if shown.flow else None)
        for part in self._parts():
            part.setEnabled(row is not None and can_edit)
        self.clear.setEnabled(outcome is not None and can_edit)
        self._show_row(line, row)

    def _parts(self) -> tuple[QWidget, ...]:
        return (*self.fields.values(), self.not_seen, self.mark)

    def _show_row(self, line: Line | None, row: TargetComparison | None) -> None:
        for label in (*self.before.values(), *self.change.values(), self.taken):
            label.setText("")
        opened = row.maybe_recanalised if row is not None else None
        self.suggestion.setText(
            opened.sentence[:1].upper() + opened.sentence[1:] if opened is not None else ""
        )
        is_open_question = opened is not None and row is not None and row.outcome is not Outcome.RECANALISED
        self.suggestion.setVisible(is_open_question)
        self.recanalised.setVisible(is_open_question)
        if line is None:
            self.title.setText("Choose a target.")
        elif row is None:
            self.title.setText(f"<b>{line.name}</b>  New finding: its form is in '3  Targets'.")
        else:
            conflicts = "".join(f"<br>{text}" for text in row.conflicts)
            self.title.setText(f"<b>{line.name}</b>  {place_words(row.baseline)}{conflicts}")
        self.reason.setText(reason_words(row.pairs) if row is not None else "")
        self.reason.setVisible(bool(self.reason.text()))
        if row is None:
            return
        for pair in row.pairs:
            self.before[pair.quantity].setText(value_words(pair, after=False))
            change = change_words(pair)
            self.change[pair.quantity].setText(change)
            self.change[pair.quantity].setToolTip(change or pair.reason)
        self.before["outcome"].setText(outcome_words(row.baseline.outcome))
        after = f"\nNow: {taken_words(row.follow_up)}" if row.follow_up is not None else ""
        self.taken.setText(f"Before: {taken_words(row.baseline)}{after}")
