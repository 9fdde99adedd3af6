"""The bar over the picture: the way through a session from left to right, and what became of the edits."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSizePolicy, QToolBar, QWidget

from napari_veinscan.docks import DOCKS
from napari_veinscan.palette import STATE_COLOURS, on_ground
from napari_veinscan.workbench import Workbench
from veinscan.plan.model import Reader
from veinscan.plan.vocabulary import RecordState

SIGNED = (RecordState.FINAL, RecordState.AMENDED, RecordState.WITHDRAWN)
"""States in which a record is read-only until it is amended."""
NAME = "veinscan: way and record"


class ElidedLabel(QLabel):
    """A line of text that ends in '…' where there is no room; all of it is in `text()`."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(60)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._words = ""
        self._colour = ""

    def text(self) -> str:
        """All of the line."""
        return self._words

    def setText(self, words: str) -> None:  # noqa: N802  # Qt's name
        """Show another line in the window's own colour."""
        self.say(words)

    def say(self, words: str, colour: str = "") -> None:
        """Show another line, in the same room.

        Neither a label's text nor a style sheet of Qt's: both lay out and paint the window once more.
        """
        if (words, colour) != (self._words, self._colour):
            self._words, self._colour = words, colour
            self.setAccessibleDescription(words)
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802  # Qt's name
        """Draw what fits."""
        painter = QPainter(self)
        own = self.palette().color(self.foregroundRole())
        # dark letters stand on a light ground, whichever theme is chosen
        colour = on_ground(self._colour, is_light=own.lightness() < 128)
        painter.setPen(QColor(colour) if colour else own)
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(self.rect(), int(self.alignment()), shown)
        painter.end()


class RecordBar(QToolBar):
    """Steps of a session, state of the draft, undo, redo, reader, save."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(NAME)
        self._bench = bench
        self._session = bench.session
        self._told = False
        self.setObjectName("veinscan_record_bar")
        self.setMovable(False)
        self.steps: dict[str, QPushButton] = {}
        self.page = bench.commands.button("record.page", "5  One page")
        self.state = ElidedLabel()
        self.state.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.state.setAccessibleName("State of the record")
        self.conflicts = bench.commands.button("record.conflicts", "Conflicts…")
        self.undo = bench.commands.button("record.undo", "↶ Undo")
        self.redo = bench.commands.button("record.redo", "↷ Redo")
        self.reader = QLineEdit(self._session.reader.name)
        self.reader.setToolTip("Your name, as it is written into the record")
        self.reader.setAccessibleName("Reader")
        self.reader.setPlaceholderText("reader")
        self.reader.setMaximumWidth(12 * self.reader.fontMetrics().averageCharWidth())
        self.reader.editingFinished.connect(self.take_over)
        self.save = bench.commands.button("record.save", "Save")
        self.finalise = bench.commands.button("record.finalise")
        self.amend = bench.commands.button("record.amend")

        inner = QWidget()
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(inner)
        row.setContentsMargins(4, 2, 4, 2)
        row.setSpacing(3)
        steps = [(dock.title, self._step(dock.id, dock.title)) for dock in DOCKS if dock.is_step]
        for place, (_, button) in enumerate(
            sorted([*steps, (self.page.text(), self.page)], key=lambda s: s[0])
        ):
            if place:
                row.addWidget(QLabel("›"))
            row.addWidget(button)
        row.addWidget(self.state, 1)
        for widget in (
            self.conflicts, self.undo, self.redo, self.reader, self.save, self.finalise, self.amend,
        ):  # fmt: skip
            row.addWidget(widget)
        self.addWidget(inner)

        bench.before_saving(self.take_over)
        self._session.record_changed.connect(self._show)
        self._session.study_changed.connect(self._show)
        self._show()

    def _step(self, dock_id: str, title: str) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(f"Go to '{title}' (F{title[0]})")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(partial(self._raise, dock_id))
        self.steps[dock_id] = button
        return button

    def _raise(self, dock_id: str, _checked: bool = False) -> None:
        self._bench.show_dock(dock_id)

    def take_over(self) -> None:
        """Take over the reader's name; an empty one is put back."""
        name = " ".join(self.reader.text().split())
        if name:
            self._session.reader = Reader(name=name)
        self.reader.setText(self._session.reader.name)

    def name_reader(self, name: str) -> None:
        """Let somebody else read from now on."""
        self.reader.setText(name)
        self.take_over()

    def _show(self) -> None:
        session = self._session
        record = session.record
        undo, redo = session.undo_label, session.redo_label
        for button, label, command in (
            (self.undo, undo, "record.undo"),
            (self.redo, redo, "record.redo"),
        ):
            button.setEnabled(label is not None)
            tip = self._bench.commands.tip(command)
            button.setToolTip(f"{tip}: {label}" if label else tip)
        self.save.setEnabled(record is not None and (session.is_dirty or len(record.heads) != 1))
        self.conflicts.setVisible(record is not None and bool(record.conflicts))
        self.page.setEnabled(record is not None)
        is_signed = record is not None and record.status.state in SIGNED
        self.finalise.setVisible(not is_signed)
        self.finalise.setEnabled(record is not None and not record.read_only)
        self.amend.setVisible(is_signed)
        words, look = self._state_words()
        self.state.say(words, STATE_COLOURS[look] if look else "")
        where = session.saved_note or str(session.saved_path or "")
        self.state.setToolTip("\n".join(filter(None, (words, where))))
        problem = session.draft_problem
        if problem is not None and not self._told:
            self._bench.warn(problem)
        self._told = problem is not None

    def _state_words(self) -> tuple[str, str]:
        session = self._session
        if session.record is None:
            return "", ""
        words = session.draft_state
        status = session.record.status
        if session.draft_problem is not None:
            return f"✕ {words}", "problem"
        if session.is_dirty:
            amending = "being amended, " if status.state is RecordState.AMENDING else ""
            return f"● {amending}{words}, not saved", "dirty"
        if status.state in SIGNED:
            reason = f" ({status.reason})" if status.reason else ""
            said = f"{status.state.value} by {status.set_by}{reason}: read-only until amended; {words}"
            return said, "problem" if status.state is RecordState.WITHDRAWN else "signed"
        if status.state is RecordState.AMENDING:
            return f"being amended: {words}", "dirty"
        if why := session.why_read_only:
            return f"read-only: {why}", "problem"
        if session.saved_note:
            return f"{words} in your user data folder", "dirty"
        return words, ""


def add_bar(bench: Workbench) -> RecordBar:
    """Put the bar into the window, once."""
    known = bench.window.findChild(RecordBar)
    if isinstance(known, RecordBar):
        return known
    bar = RecordBar(bench)
    bench.window.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
    return bar
