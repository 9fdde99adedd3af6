"""The baseline's own cine: plays the clip of another session in a painted pane.

The player of the canvas goes by the moment the canvas was put on the screen;
a painted pane has no such moment, so this one goes by the clock alone.  Both
share the clock, the decoding ahead and the bar of frames.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from napari_veinscan.cine_clock import CineClock, frame_times
from napari_veinscan.follow_up_pane import FramePane, Mark
from napari_veinscan.frame_bar import FrameBar, Marks
from napari_veinscan.frames import Ahead, ClipFrames
from napari_veinscan.picture_text import frame_words
from napari_veinscan.player import AHEAD
from napari_veinscan.preferences import load
from napari_veinscan.session import Session


class PaneCine(QWidget):
    """A pane with play, step and a bar of frames; shows the clip and frame of its session."""

    def __init__(self, session: Session, tip: Callable[[str], str]) -> None:
        """`tip(name)` is the tooltip of 'play', 'back' and 'on', with its key."""
        super().__init__()
        self._session = session
        self._frames: ClipFrames | None = None
        self._clock = CineClock([0.0])
        self._ahead = Ahead()
        self._handing = False
        self.is_playing = False
        self.pane = FramePane()
        self.bar = FrameBar(lambda frame: frame_words(session.clip, frame) if session.clip else "")
        self.bar.setAccessibleName("Frames of the baseline's clip")
        self.bar.frame_wanted.connect(self.go_to)
        self.bar.range_wanted.connect(self.set_range)
        self.back = self._tool("◂", tip("back"), lambda: self.step(-1))
        self.play = self._tool("▶", tip("play"), self.toggle)
        self.on = self._tool("▸", tip("on"), lambda: self.step(1))
        self.first, self.last = 0, 0
        """The loop range, both frames included."""
        self.rate = QLabel()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        line = QHBoxLayout()
        line.setContentsMargins(4, 2, 4, 2)
        line.setSpacing(4)
        for widget in (self.back, self.play, self.on):
            line.addWidget(widget)
        line.addWidget(self.bar, 1)
        line.addWidget(self.rate)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.pane, 1)
        layout.addLayout(line)
        session.clip_changed.connect(self._show_clip)
        session.frame_changed.connect(self._show_frame)
        self._show_clip()

    def _tool(self, text: str, tip: str, run: Callable[[], None]) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.clicked.connect(lambda _checked=False: run())
        return button

    # -- what a person does -----------------------------------------------------------

    @property
    def can_play(self) -> bool:
        """Whether the clip has more than one frame."""
        return self._session.clip is not None and self._session.clip.n_frames > 1

    def toggle(self) -> None:
        """Play or pause."""
        if self.is_playing:
            self.pause()
        elif self.can_play:
            self.is_playing = True
            self._wind()
            self.play.setText("❚❚")
            self._timer.start(0)

    def pause(self) -> None:
        """Stop at the frame on show."""
        self.is_playing = False
        self._timer.stop()
        self.play.setText("▶")

    def step(self, step: int) -> None:
        """Pause, and go some frames on or back."""
        self.go_to(self._session.frame_index + step)

    def go_to(self, frame_index: int) -> None:
        """Pause, and go to a frame."""
        self.pause()
        self._session.go_to_frame(frame_index)

    def set_range(self, first: int, last: int) -> None:
        """Play from `first` to `last` only, both included."""
        self.first, self.last = first, last
        self.bar.set_range(first, last)
        self._wind()

    def close_down(self) -> None:
        """Stop for good; frames are let go."""
        self.pause()
        self._ahead.close()
        self._frames = None
        self.pane.show_clip(None)

    # -- showing ----------------------------------------------------------------------

    def set_marks(self, marks: Sequence[Mark], colour: str) -> None:
        """Draw marks over their frames, and ticks on the bar."""
        self.pane.set_marks(marks)
        frames = sorted({mark.frame_index for mark in marks})
        self.bar.set_marks([Marks(colour, frames, above=False)] if frames else [])

    def _show_clip(self) -> None:
        clip = self._session.clip
        self.pause()
        self._frames = None if clip is None else ClipFrames(clip, load().frame_budget_bytes)
        self.first, self.last = 0, clip.n_frames - 1 if clip is not None else 0
        self.bar.set_clip(clip.n_frames if clip is not None else 1)
        self.pane.show_clip(clip)
        for widget in (self.back, self.play, self.on, self.bar):
            widget.setEnabled(self.can_play)
        self._wind()
        assumed = self.can_play and clip is not None and clip.frame_times_s is None
        self.rate.setText(
            f"{self._clock.rate_hz:.1f} /s{' assumed' if assumed else ''}" if self.can_play else ""
        )
        self._show_frame(self._session.frame_index)

    def _show_frame(self, frame_index: int) -> None:
        if self._frames is None:
            return
        if self.is_playing and not self._handing:
            self.pause()  # somebody went to a frame: that one is looked at
        self.pane.show_frame(frame_index, self._frames.frame(frame_index))
        self.bar.set_frame(frame_index)

    # -- the clockwork ----------------------------------------------------------------

    def _wind(self) -> None:
        clip = self._session.clip
        times = [0.0] if clip is None else frame_times(clip.frame_times_s, clip.n_frames)
        self._clock = CineClock(times, first=self.first, last=self.last)
        self._clock.start(self._session.frame_index, time.perf_counter())

    def _tick(self) -> None:
        if not self.is_playing or self._frames is None:
            return
        now = time.perf_counter()
        frame = self._clock.frame_at(now)
        if frame != self._session.frame_index:
            self._handing = True
            self._session.go_to_frame(frame)
            self._handing = False
            self._ahead.want(self._frames, self._clock.coming(now, AHEAD))
        wait = self._clock.until_change(time.perf_counter())
        self._timer.start(min(1000, math.ceil(1000 * wait)))
