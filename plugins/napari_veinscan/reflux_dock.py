"""The reflux tool's dock: attempts, marks, polarity, manoeuvre, class by profile, onto the target."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_veinscan.commands import Command
from napari_veinscan.field_widgets import Choice, NumberField, dress
from napari_veinscan.palette import WARNING_COLOUR
from napari_veinscan.places import dock_around
from napari_veinscan.reflux_marks import RefluxMarks
from napari_veinscan.reflux_tool import RefluxTool
from napari_veinscan.strip_clicks import StripClicks
from napari_veinscan.workbench import Workbench
from veinscan.plan.thresholds import profiles
from veinscan.plan.values import number


def reflux_tool(bench: Workbench) -> RefluxTool:
    """The tool of a window."""
    return RefluxTool(bench.session, bench.preferences.threshold_profile)


class RefluxDock(QWidget):
    """Everything about the strip on show.  Measures only while it is in sight."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._follows = False
        self.tool = bench.part(reflux_tool)
        self.marks = RefluxMarks(bench, self.tool)
        self.clicks = StripClicks(bench, self.tool)
        self.strips = Choice([], self._choose_strip, name="Strip")
        self.attempts = Choice([], self._choose_attempt, name="Attempt")
        self.onset = NumberField("reflux_s", lambda s: self._move(onset_s=s), name="Onset", decimals=2)
        self.end = NumberField("reflux_s", lambda s: self._move(end_s=s), name="End", decimals=2)
        self.up = self._polarity_button("up", "Antegrade ↑")
        self.down = self._polarity_button("down", "Antegrade ↓")
        self.polarity = QLabel()
        self.manoeuvre = Choice(
            [("compression and release", "augmentation"), ("Valsalva", "valsalva")],
            lambda value: bench.attempt(lambda: self.tool.set_manoeuvre(value)),
            name="Manoeuvre",
        )
        self.profile = Choice(
            [(name, key) for key, name in profiles().items()], self._set_profile, name="Threshold profile"
        )
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reset = QPushButton("Marks as measured")
        self.reset.setToolTip("Put onset and end back to where they were measured")
        self.reset.clicked.connect(lambda _checked=False: bench.attempt(self.tool.reset_marks))
        self.calibrate = bench.commands.button("reflux.calibrate", "Calibrate by two clicks…")
        self.put = bench.commands.button("reflux.put", "Put on the target")
        self._lay_out()
        bench.before_saving(self.take_over)
        self.tool.changed.connect(self._show)
        bench.session.selection_changed.connect(self._show)
        bench.session.record_changed.connect(self._show)
        self._show()

    def _polarity_button(self, way: str, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setCheckable(True)
        button.clicked.connect(lambda _checked=False: self._bench.attempt(lambda: self.tool.confirm(way)))
        return button

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setVerticalSpacing(3)
        form.addRow("Strip", self.strips)
        form.addRow("Attempt", self.attempts)
        marks = QHBoxLayout()
        for title, field in (("onset", self.onset), ("end", self.end)):
            marks.addWidget(QLabel(title))
            marks.addWidget(field.edit)
            marks.addWidget(QLabel("s"))
        marks.addStretch(1)
        form.addRow("Marks", marks)
        form.addRow("", self.reset)
        ways = QHBoxLayout()
        ways.addWidget(self.up)
        ways.addWidget(self.down)
        form.addRow("Polarity", ways)
        form.addRow("", self.polarity)
        form.addRow("Manoeuvre", self.manoeuvre)
        form.addRow("Class by", self.profile)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(form)
        layout.addWidget(self.words)
        below = QHBoxLayout()
        below.addWidget(self.calibrate)
        below.addWidget(self.put)
        layout.addLayout(below)
        layout.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802  (a method of Qt)
        """In the window: follow the dock's tab, of which Qt tells no widget inside it."""
        super().showEvent(event)
        dock = dock_around(self)
        if dock is not None and not self._follows:
            self._follows = True
            dock.visibilityChanged.connect(self._seen)

    def _seen(self, is_seen: bool) -> None:
        """In sight: measure.  Out of sight: nothing over the picture."""
        clip = self._bench.session.clip
        if is_seen and clip is not None and self.tool.boxes(clip):
            self._bench.session.go_to_frame(clip.n_frames - 1)  # which holds the newest columns
        self.tool.show(is_seen)

    # -- doing ------------------------------------------------------------------------

    def take_over(self) -> None:
        """Take over a mark that is still being typed."""
        self.onset.take_over()
        self.end.take_over()

    def _choose_strip(self, index: Any) -> bool:
        self.tool.choose(index=int(index))
        return True

    def _choose_attempt(self, attempt: Any) -> bool:
        self.tool.choose(attempt=int(attempt))
        return True

    def _move(self, **marks: Any) -> bool:
        def move() -> None:
            self.tool.move(**{name: number("reflux_s", seconds) for name, seconds in marks.items()})

        return self._bench.attempt(move)

    def _set_profile(self, profile: Any) -> bool:
        self.tool.set_profile(str(profile))
        return True

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        clip, one = self._bench.session.clip, self.tool.chosen
        boxes = self.tool.boxes(clip) if clip is not None else []
        _fill(self.strips, [(f"strip {n + 1}", n) for n in range(len(boxes))], self.tool.index)
        _fill(self.attempts, [(_attempt_words(a), a.attempt) for a in self.tool.attempts], self.tool.attempt)
        onset, end = self.tool.marks_s
        self.onset.show_value(onset)
        self.end.show_value(end)
        measured = one is not None
        for widget in (self.onset, self.end, self.up, self.down, self.manoeuvre, self.profile):
            widget.setEnabled(measured)
        self.reset.setEnabled(one is not None and one.is_corrected)
        self.up.setChecked(one is not None and one.antegrade == "up" and one.polarity_confirmed)
        self.down.setChecked(one is not None and one.antegrade == "down" and one.polarity_confirmed)
        self.polarity.setText(_polarity_words(one))
        is_open = one is not None and not one.polarity_confirmed
        dress(self.polarity, f"color: {WARNING_COLOUR};" if is_open else "")
        if one is not None:
            self.manoeuvre.show_value(one.manoeuvre)
        self.profile.show_value(self.tool.profile)
        self.words.setText(self.tool.words() or "Choose a clip with a spectrum.")
        target = self._bench.session.target
        self.put.setText("Put on a target" if target is None else f"Put on T{target.order}")
        self.put.setEnabled(measured and target is not None)


def _fill(box: Choice, entries: list[tuple[str, Any]], shown: Any) -> None:
    known = [(box.itemText(i), box.itemData(i)) for i in range(box.count())]
    if known != entries:
        box.clear()
        for text, value in entries:
            box.addItem(text, value)
    box.show_value(shown)
    box.setEnabled(len(entries) > 1)


def _attempt_words(one: Any) -> str:
    if one.duration_s is None:
        return f"{one.attempt}: inadequate"
    return f"{one.attempt}: {'≥ ' * one.duration_is_lower_bound}{one.duration_s:.2f} s"


def _polarity_words(one: Any) -> str:
    if one is None:
        return ""
    if one.polarity_confirmed:
        return "confirmed"
    return "unconfirmed" if one.antegrade is None else f"unconfirmed (spike {one.antegrade})"


def _put(bench: Workbench) -> None:
    bench.attempt(bench.part(reflux_tool).put)


def _calibrate(bench: Workbench) -> None:
    bench.show_dock("reflux")
    dock = bench.docks.get("reflux")
    if isinstance(dock, RefluxDock):
        bench.attempt(dock.clicks.start)


def _show(bench: Workbench) -> None:
    bench.show_dock("reflux")


def _confirm(way: str) -> Callable[[Workbench], object]:
    return lambda bench: bench.attempt(lambda: bench.part(reflux_tool).confirm(way))


COMMANDS = (
    Command("reflux.show", "Reflux on this strip", "Reflux", _show, keys=("X",)),
    Command("reflux.put", "Put the measurement on the target", "Reflux", _put, keys=("Ctrl+Return",)),
    Command("reflux.up", "Antegrade is up", "Reflux", _confirm("up"), keys=("Ctrl+Up",)),
    Command("reflux.down", "Antegrade is down", "Reflux", _confirm("down"), keys=("Ctrl+Down",)),
    Command(
        "reflux.calibrate",
        "Calibrate a strip by two clicks",
        "Reflux",
        _calibrate,
        tip="Two clicks on the burned-in axes, where the file says nothing",
    ),
)
