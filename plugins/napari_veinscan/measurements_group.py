"""Measurements of the clip on show: a list with go to, remove and a note; and the tools with their keys."""

from __future__ import annotations

from functools import partial

from qtpy.QtWidgets import QAbstractItemView, QHBoxLayout, QListWidget, QPushButton

from napari_veinscan.calipers import Tool, points_of, value_words
from napari_veinscan.commands import Command
from napari_veinscan.field_widgets import Group, TextField
from napari_veinscan.workbench import Workbench
from veinscan.plan.model import Measurement

GROUP = "Measure"
SHOWN_ROWS = 4
"""Height of the list in rows; it scrolls beyond."""


class MeasurementsGroup(Group):
    """The measurements of the clip on show."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__("Measurements", is_open=False)
        self._bench, self._calipers = bench, bench.calipers
        self._shown: tuple[Measurement, ...] = ()
        tools = QHBoxLayout()
        for command in COMMANDS:
            tools.addWidget(
                bench.commands.button(command.id, command.title.removeprefix("Measure ").capitalize())
            )
        self.column.addLayout(tools)
        self.list = QListWidget()
        self.list.setAccessibleName("Measurements of this clip")
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFixedHeight(SHOWN_ROWS * (self.list.fontMetrics().height() + 6))
        self.list.itemActivated.connect(lambda _item: self._go_to())
        self.list.currentRowChanged.connect(lambda _row: self._show_chosen())
        self.column.addWidget(self.list)
        self.note = TextField(self._note, name="Note on the measurement", hint="note")
        self.go_to = QPushButton("Go to")
        self.go_to.setToolTip("Show the frame that it was measured on")
        self.go_to.clicked.connect(self._go_to)
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Take this measurement out of the record")
        self.remove.clicked.connect(self._remove)
        below = QHBoxLayout()
        below.addWidget(self.note, 1)
        below.addWidget(self.go_to)
        below.addWidget(self.remove)
        self.column.addLayout(below)
        bench.calipers.changed.connect(self._show)
        bench.session.clip_changed.connect(self._show)
        self._show()

    @property
    def chosen(self) -> Measurement | None:
        """The chosen measurement."""
        row = self.list.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    # -- doing ------------------------------------------------------------------------

    def _go_to(self, _checked: bool = False) -> None:
        one = self.chosen
        if one is not None:
            self._bench.session.go_to_frame(one.frame_index)
            self._bench.layers.bring_into_sight(points_of(one)[-1])

    def _remove(self, _checked: bool = False) -> None:
        one = self.chosen
        if one is not None:
            self._bench.attempt(lambda: self._calipers.remove(one))

    def _note(self, text: str) -> bool:
        one = self.chosen
        return one is not None and self._bench.attempt(lambda: self._calipers.note(one, text))

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        kept = self._calipers.kept
        if kept != self._shown:
            chosen, before = self.chosen, {one.id for one in self._shown}
            self._shown = kept
            self.list.blockSignals(True)
            self.list.clear()
            self.list.addItems([_words(one) for one in kept])
            new = [row for row, one in enumerate(kept) if one.id not in before]
            same = [row for row, one in enumerate(kept) if chosen is not None and one.id == chosen.id]
            self.list.setCurrentRow((new[-1:] or same or [len(kept) - 1])[0])
            self.list.blockSignals(False)
        self.say(f"{len(kept)} on this clip" if kept else "")
        self._show_chosen()

    def _show_chosen(self) -> None:
        one = self.chosen
        for widget in (self.note, self.go_to, self.remove):
            widget.setEnabled(one is not None)
        self.note.show_value("" if one is None else one.notes)


def _words(one: Measurement) -> str:
    by_hand = ", scale by hand" if one.strip is not None and one.strip.calibrated_by == "clicks" else ""
    noted = f": {one.notes}" if one.notes else ""
    return f"{one.kind.capitalize()} {value_words(one)}, frame {one.frame_index}{by_hand}{noted}"


def _take(tool: Tool, bench: Workbench) -> None:
    bench.take_caliper(tool, onto_target=False)


COMMANDS = (
    Command(
        "measure.distance",
        "Measure distance",
        GROUP,
        partial(_take, Tool.DISTANCE),
        keys=("M",),
        tip="Two clicks in the picture: mm between them, kept in the record",
    ),
    Command(
        "measure.diameter",
        "Measure diameter",
        GROUP,
        partial(_take, Tool.DIAMETER),
        keys=("W",),
        tip="Inner wall to inner wall in mm, kept in the record",
    ),
    Command(
        "measure.depth",
        "Measure depth",
        GROUP,
        partial(_take, Tool.FROM_SKIN),
        keys=("K",),
        tip="One click: mm straight down from the skin line; two where the line is not known",
    ),
    Command(
        "measure.time",
        "Measure time",
        GROUP,
        partial(_take, Tool.TIME),
        keys=("S",),
        tip="Two clicks on a strip: seconds between them, kept in the record",
    ),
    Command(
        "measure.velocity",
        "Measure velocity",
        GROUP,
        partial(_take, Tool.VELOCITY),
        keys=("H",),
        tip="One click on a spectral strip: cm/s there, towards the probe positive",
    ),
)
