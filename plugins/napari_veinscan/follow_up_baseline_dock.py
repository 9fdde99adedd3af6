"""The earlier study beside the picture: its clip with cine and marks, at the scale of the follow-up."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from napari_veinscan import compat
from napari_veinscan.clip_words import Marks, clip_text
from napari_veinscan.field_widgets import Choice, dress
from napari_veinscan.follow_up_cine import PaneCine
from napari_veinscan.follow_up_earlier_list import EarlierList
from napari_veinscan.follow_up_pane import Mark
from napari_veinscan.follow_up_scale import SharedScale
from napari_veinscan.follow_up_state import Compared, Line
from napari_veinscan.palette import STYLES, WARNING_COLOUR, Look
from napari_veinscan.places import LEFT_PX, dock_around
from napari_veinscan.record_bar import ElidedLabel
from napari_veinscan.workbench import Workbench
from veinscan.dicom import Clip
from veinscan.follow_up.states import TargetState
from veinscan.plan.model import Record

NEAR_PX = 16
"""How near to a target's mark a click chooses it."""
MARKING = "Click in a lumen of the baseline, then press 'Mark'."


class BaselineDock(QWidget):
    """Offers of earlier studies, or the chosen one with its pane."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self.compared = bench.part(Compared)
        self._session = self.compared.baseline
        self.title = ElidedLabel()
        self.title.setAccessibleName("Baseline")
        self.clips = Choice([], self._show_clip, name="Clip of the baseline")
        commands = bench.commands
        names = {"play": "follow_up.play", "back": "follow_up.back", "on": "follow_up.on"}
        self.cine = PaneCine(self._session, lambda name: commands.tip(names[name]))
        self.scale = SharedScale(bench, self.cine.pane)
        self.link = QToolButton()
        self.link.setText("Link zoom")
        self.link.setCheckable(True)
        self.link.setToolTip(commands.tip("follow_up.link"))
        self.link.setAccessibleName("Link zoom")
        self.link.toggled.connect(self.scale.link)
        self.same = commands.button("follow_up.scale", "Same scale")
        self.leave = QToolButton()
        self.leave.setText("✕")
        self.leave.setToolTip("Take the baseline away; what was entered stays in the follow-up")
        self.leave.setAccessibleName("Take the baseline away")
        self.leave.clicked.connect(lambda _checked=False: bench.commands.run("follow_up.leave"))
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.mark = commands.button("follow_up.mark_baseline", "Mark")
        self.unmark = QPushButton("Undo mark")
        self.unmark.setToolTip("Take back the last edit of the baseline's record")
        self.unmark.clicked.connect(lambda _checked=False: bench.attempt(self._session.undo))
        self.save = commands.button("follow_up.save_baseline", "Save baseline")
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self._share_width)
        self.earlier = EarlierList(bench)
        self.pages = QStackedWidget()
        self._lay_out()
        self.cine.pane.clicked.connect(self._clicked)
        self.compared.changed.connect(self._show)
        self.compared.target_changed.connect(self._target_chosen)
        for signal in (
            self._session.clip_changed, self._session.record_changed, self._session.selection_changed,
        ):  # fmt: skip
            signal.connect(self._show_marks)
        self._session.record_changed.connect(self._show_state)
        self._session.clip_changed.connect(self._show_state)
        self._session.clip_changed.connect(self.scale.equalise)
        self.scale.changed.connect(self._show_scale)
        self.compared.closing.connect(self._close_down)
        self._show()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.title, 1)
        top.addWidget(self.leave)
        second = QHBoxLayout()
        second.addWidget(self.clips, 1)
        second.addWidget(self.same)
        second.addWidget(self.link)
        self.marking = QWidget()
        marks = QHBoxLayout(self.marking)
        marks.setContentsMargins(0, 0, 0, 0)
        marks.addWidget(self.said, 1)
        for button in (self.mark, self.unmark, self.save):
            marks.addWidget(button)
        compared = QWidget()
        column = QVBoxLayout(compared)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(top)
        column.addLayout(second)
        column.addWidget(self.cine, 1)
        column.addWidget(self.marking)
        self.pages.addWidget(self.earlier)
        self.pages.addWidget(compared)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.pages)
        self.setMinimumWidth(240)

    def _close_down(self) -> None:
        """Stop playing and let go of the camera."""
        self.cine.close_down()
        self.scale.close()

    # -- doing ------------------------------------------------------------------------

    def _show_clip(self, uid: str) -> bool:
        self._session.show_clip(self._session.clip_of(uid))
        return True

    def _clicked(self, row: float, col: float) -> None:
        """A click chooses the target there; else it is the place for a mark."""
        pane = self.cine.pane
        place = pane.place_of((row, col))
        for line, state in self._here():
            on_frame = state.frame_index == self._session.frame_index
            if on_frame and (place - pane.place_of(state.point)).manhattanLength() < NEAR_PX:
                self._bench.attempt(partial(self.compared.select, line.target_id))
                return
        self._session.point_at((row, col))

    def _here(self) -> list[tuple[Line, TargetState]]:
        """The baseline's targets on the clip on show."""
        clip = self._session.clip
        lines = [(line, line.row.baseline) for line in self.compared.lines if line.row is not None]
        return [
            (line, state)
            for line, state in lines
            if clip is not None and state.sop_instance_uid == clip.sop_instance_uid
        ]

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        is_on = self.compared.is_on
        if bool(self.pages.currentIndex()) is not is_on:
            self.pages.setCurrentIndex(int(is_on))
            self._soon.start()  # once the dock is in front and laid out
        self.scale.use(is_on)
        record, study = self._session.record, self._session.study
        marks = Marks.of(record) if record is not None else Marks()
        entries = [
            (_one_line(number, clip, marks), clip.sop_instance_uid)
            for number, clip in enumerate(study.clips if study is not None else (), start=1)
        ]
        self.clips.put_entries(entries)
        self._show_state()
        self._show_marks()

    def _share_width(self) -> None:
        """Half of the room of both pictures for each, or the list's own width again."""
        bench, dock = self._bench, dock_around(self)
        if compat.is_gone(bench.viewer) or dock is None:
            return
        canvas = compat.canvas_widget(bench.viewer)
        room = canvas.mapTo(bench.window, QPoint(canvas.width(), 0)).x()
        width = room // 2 if self.compared.is_on else LEFT_PX
        bench.window.resizeDocks([dock], [width], Qt.Orientation.Horizontal)

    def _show_state(self) -> None:
        record, clip = self._session.record, self._session.clip
        if clip is not None:
            self.clips.show_value(clip.sop_instance_uid)
        text = ""
        if record is not None:
            text = f"Baseline {self.compared.baseline_on or 'of an unknown day'}: {_record_words(record)}"
        self.title.setText(text)
        match = self.compared.match
        self.title.setToolTip(text if match is None else f"{text}\nThe same patient: {match.reason}")
        dirty = self._session.is_dirty
        self.unmark.setVisible(dirty)
        self.save.setVisible(dirty)
        self.unmark.setEnabled(self._session.undo_label is not None)

    def _show_marks(self) -> None:
        chosen = self.compared.target_id
        marks = []
        for line, state in self._here():
            is_chosen = line.target_id == chosen
            name = f"{'▸' * is_chosen}{line.name}"
            marks.append(Mark(state.frame_index, state.point, state.outline, name, Look.TARGET, is_chosen))
        spot = self._session.spot
        if spot is not None:
            marks.append(Mark(self._session.frame_index, spot, (), "", Look.SELECTED))
        self.cine.set_marks(marks, STYLES[Look.TARGET].colour)
        self._say()

    def _target_chosen(self) -> None:
        state = self.compared.state_of(self.compared.target_id)
        if state is not None and state.has_place:
            self.cine.pane.bring_into_sight(state.point)
        self._show_marks()

    def _show_scale(self) -> None:
        self.link.blockSignals(True)
        self.link.setChecked(self.scale.linked)
        self.link.blockSignals(False)
        self.same.setEnabled(self.scale.can_compare and not self.scale.is_same)
        self._say()

    def _say(self) -> None:
        scale = self.scale.words()
        self.mark.setVisible(self._session.spot is not None)
        words = scale or (
            "" if any(line.row for line in self.compared.lines) else f"No targets in the baseline. {MARKING}"
        )
        self.said.setText(words[:1].upper() + words[1:])
        dress(self.said, f"color: {WARNING_COLOUR}" if scale else "")


def baseline_dock(bench: Workbench) -> BaselineDock:
    """The dock of a window."""
    dock = bench.docks["baseline"]
    assert isinstance(dock, BaselineDock)  # noqa: S101  # what `docks.py` puts there
    return dock


def _one_line(number: int, clip: Clip, marks: Marks) -> str:
    return "  ".join(clip_text(number, clip, 0, marks).split("\n"))


def _record_words(record: Record) -> str:
    if not record.version:
        return "no record"
    count = len(record.targets)
    return f"version {record.version}, {count} {'target' if count == 1 else 'targets'}"
