"""The cine bar under the picture: play, step, speed, loop range, and the rate that is really reached."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_veinscan import compat
from napari_veinscan.cine_clock import SPEEDS
from napari_veinscan.commands import Command
from napari_veinscan.field_widgets import dress
from napari_veinscan.frame_bar import FrameBar, Marks
from napari_veinscan.live import Live
from napari_veinscan.live_bar import LiveBar
from napari_veinscan.palette import STYLES, WARNING_COLOUR, Look
from napari_veinscan.picture_text import PictureText, frame_words
from napari_veinscan.player import Player
from napari_veinscan.workbench import Workbench

GROUP = "Clip"

RATE_EVERY_MS = 500
"""How often the rate is shown while playing."""


def player_of(bench: Workbench) -> Player:
    """The player of a window."""
    return bench.part(Player)


class CineDock(QWidget):
    """Step back, play, step on, loop; the frames; speed and rate; what is laid over the picture."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench, self._session, self._player = bench, bench.session, player_of(bench)
        self._live = bench.part(Live)
        self.back = self._tool("clip.back", "◂")
        self.play = self._tool("clip.play", "▶")
        self.on = self._tool("clip.on", "▸")
        self.bounce = self._tool("clip.ping_pong", "⇄")
        self.bounce.setCheckable(True)
        self.bar = FrameBar(self._describe)
        self.bar.frame_wanted.connect(self._player.go_to)
        self.bar.range_wanted.connect(self._player.set_range)
        self.loop_from = self._tool("clip.loop_from", "[")
        self.loop_to = self._tool("clip.loop_to", "]")
        self.speed = QComboBox()
        for speed in SPEEDS:
            self.speed.addItem(f"{speed:g} ×", speed)
        self.speed.setToolTip(
            f"Speed, in multiples of the true one ({bench.commands['clip.slower'].keys[0]} and "
            f"{bench.commands['clip.faster'].keys[0]})"
        )
        self.speed.activated.connect(self._speed_chosen)
        self.rate = QLabel()
        # of one width, so that nothing moves while the numbers change
        self.rate.setMinimumWidth(self.rate.fontMetrics().horizontalAdvance("888.8 of 888.8 /s"))
        self.regions = QCheckBox("Regions")
        self.regions.setToolTip(bench.commands.tip("view.regions"))
        self.regions.toggled.connect(bench.layers.show_regions)

        self.vesselness = QCheckBox("Vesselness")
        self.vesselness.setToolTip(bench.commands.tip("view.vesselness"))
        self.vesselness.toggled.connect(self._live.show)

        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.setSpacing(4)
        for widget in (self.back, self.play, self.on, self.bounce, self.loop_from, self.loop_to):
            layout.addWidget(widget)
        layout.addWidget(self.bar, 1)
        layout.addWidget(self.speed)
        layout.addWidget(self.rate)
        layout.addWidget(self.regions)
        layout.addWidget(self.vesselness)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(0)
        lines.addWidget(line)
        lines.addWidget(LiveBar(bench))

        self._session.clip_changed.connect(self._show_clip)
        self._session.frame_changed.connect(self._show_frame)
        self._session.candidates_changed.connect(self._show_marks)
        self._player.changed.connect(self._show_state)
        # not with every frame: each change of the window has it composed once more
        self._often = QTimer(self)
        self._often.setInterval(RATE_EVERY_MS)
        self._often.timeout.connect(self._show_rate)
        self._live.changed.connect(self._show_live)
        self._show_clip()

    def _tool(self, command: str, text: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(self._bench.commands.tip(command))
        button.setAccessibleName(self._bench.commands[command].title)
        button.clicked.connect(lambda _checked=False: self._bench.commands.run(command))
        return button

    # -- doing ------------------------------------------------------------------------

    def _speed_chosen(self, _index: int) -> None:
        self._player.set_speed(self.speed.currentData())
        compat.canvas_widget(self._bench.viewer).setFocus()  # the list would keep the keys

    # -- showing ----------------------------------------------------------------------

    def _show_clip(self) -> None:
        clip = self._session.clip
        self.bar.set_clip(clip.n_frames if clip else 1)
        compat.show_frame_slider(self._bench.viewer, self._bench.viewer.dims.ndim > 3)
        self._show_marks()
        self._show_frame(self._session.frame_index)
        self._show_state()

    def _show_frame(self, frame: int) -> None:
        self.bar.set_frame(frame)

    def _describe(self, frame: int) -> str:
        return frame_words(self._session.clip, frame) if self._session.clip else ""

    def _show_marks(self) -> None:
        clip, record = self._session.clip, self._session.record
        if clip is None or record is None:
            return
        rows = [row for row in self._session.rows() if not row.is_rejected]
        found = [frame for row in rows for frame in row.candidate.frame_indices]
        aimed = [t.frame_index for t in record.targets if t.sop_instance_uid == clip.sop_instance_uid]
        self.bar.set_marks(
            [
                Marks(STYLES[Look.UNREVIEWED].colour, sorted(set(found)), above=True),
                Marks(STYLES[Look.TARGET].colour, sorted(set(aimed)), above=False),
            ]
        )

    def _show_state(self) -> None:
        player, can = self._player, self._player.can_play
        if player.is_playing:
            self._often.start()
        else:
            self._often.stop()
        self.play.setText("❚❚" if player.is_playing else "▶")
        self.bounce.setChecked(player.ping_pong)
        self.bar.set_range(player.first, player.last)
        self.speed.setCurrentIndex(self.speed.findData(player.speed))
        for widget in (self.back, self.play, self.on, self.bounce, self.bar, self.loop_from, self.loop_to):
            widget.setEnabled(can)
        self.speed.setEnabled(can)
        self._show_rate()

    def _show_live(self) -> None:
        self.vesselness.setChecked(self._live.is_on)

    def _show_rate(self) -> None:
        player = self._player
        due, real = player.due_rate_hz, player.meter.rate_hz if player.is_playing else None
        if not player.can_play:
            text, tip = "", ""
        elif real is None:
            text = f"{due:.1f} /s" + (" assumed" if player.rate_is_assumed else "")
            tip = "Frames a second, by the file's own times at this speed"
        else:
            text, tip = f"{real:.1f} of {due:.1f} /s", "Frames a second that appear, of those that are due"
        if player.rate_is_assumed:
            tip = "The file does not say how fast its frames were taken: this rate is assumed"
        self.rate.setText(text)
        self.rate.setToolTip(tip)
        is_off = real is not None and player.meter.is_off
        dress(self.rate, f"color: {WARNING_COLOUR}" if is_off or player.rate_is_assumed else "")


def _step(step: int, bench: Workbench) -> None:
    player_of(bench).step(step)


def _regions(bench: Workbench) -> None:
    dock = bench.docks.get("cine")
    if isinstance(dock, CineDock):
        dock.regions.toggle()
    else:
        bench.layers.show_regions(not bench.layers.regions_are_shown)


def _time(bench: Workbench) -> None:
    text = bench.part(PictureText)
    text.show_time(not text.time_is_shown)


def _loop_from(bench: Workbench) -> None:
    player_of(bench).set_range(first=bench.session.frame_index)


def _loop_to(bench: Workbench) -> None:
    player_of(bench).set_range(last=bench.session.frame_index)


COMMANDS = (
    Command(
        "clip.play",
        "Play or pause",
        GROUP,
        lambda b: player_of(b).toggle(),
        keys=("Space",),
        tip="Plays at the clip's own frame rate",
    ),
    Command("clip.back", "One frame back", GROUP, partial(_step, -1), keys=("Left",), repeats=True),
    Command("clip.on", "One frame on", GROUP, partial(_step, 1), keys=("Right",), repeats=True),
    Command(
        "clip.first",
        "First frame of the loop",
        GROUP,
        lambda b: player_of(b).go_to_end(first=True),
        keys=("Home",),
    ),
    Command(
        "clip.last",
        "Last frame of the loop",
        GROUP,
        lambda b: player_of(b).go_to_end(first=False),
        keys=("End",),
    ),
    Command("clip.faster", "Faster", GROUP, lambda b: player_of(b).change_speed(1), keys=(".",)),
    Command("clip.slower", "Slower", GROUP, lambda b: player_of(b).change_speed(-1), keys=(",",)),
    Command(
        "clip.ping_pong",
        "To and fro instead of round and round",
        GROUP,
        lambda b: player_of(b).set_ping_pong(not player_of(b).ping_pong),
        keys=("B",),
    ),
    Command("clip.loop_from", "The loop begins at this frame", GROUP, _loop_from, keys=("[",)),
    Command("clip.loop_to", "The loop ends at this frame", GROUP, _loop_to, keys=("]",)),
    Command(
        "clip.loop_all", "Loop over the whole clip", GROUP, lambda b: player_of(b).clear_range(), keys=("\\",)
    ),
    Command("view.time", "Frame and time in the picture", GROUP, _time, keys=("I",)),
    Command(
        "view.regions",
        "Outlines of the regions",
        GROUP,
        _regions,
        keys=("O",),
        tip="What the scanner says of each part of the screen, by colour",
    ),
)
