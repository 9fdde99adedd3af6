"""Plays the clip on show: a clock knows which frame is due, the canvas says when it was seen."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QObject, Qt, QTimer

from napari_veinscan import compat
from napari_veinscan.cine_clock import CineClock, RateMeter, faster, frame_times
from napari_veinscan.frames import Ahead

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

AHEAD = 12
"""Frames decoded before they are due."""

LATE_MS = 40
"""How often it is looked whether a frame has come over a network."""

UNSEEN_S = 0.25
"""After so long without being drawn (a window that is hidden) playing goes on regardless."""


class Player:
    """Play and pause, speed, loop range and direction of the clip on show."""

    changed = Signal()
    """Playing or not, speed, range, direction; or another clip."""

    def __init__(self, bench: Workbench) -> None:
        self._session = bench.session
        self._layers = bench.layers
        self.speed = 1.0
        self.ping_pong = False
        self.first, self.last = 0, 0
        """The loop range, both frames included."""
        self.is_playing = False
        self.meter = RateMeter()
        self._clock = CineClock([0.0])
        self._ahead = Ahead()
        self._awaited = 0.0
        """When the frame was handed over that was not drawn yet; 0 when none is."""
        self._handing = False
        canvas = compat.canvas_widget(bench.viewer)
        self._owner = QObject(canvas)
        self._timer = QTimer(self._owner)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        canvas.frameSwapped.connect(self._drawn)  # type: ignore[attr-defined]  # a QOpenGLWidget
        self._session.clip_changed.connect(self._clip_changed)
        self._session.frame_changed.connect(self._frame_changed)
        self._clip_changed()

    # -- the clip ---------------------------------------------------------------------

    @property
    def can_play(self) -> bool:
        """Whether the clip on show has more than one frame."""
        return self._session.clip is not None and self._session.clip.n_frames > 1

    @property
    def rate_is_assumed(self) -> bool:
        """Whether the file does not say how fast its frames were taken."""
        return self.can_play and self._session.clip.frame_times_s is None  # type: ignore[union-attr]

    @property
    def due_rate_hz(self) -> float:
        """Frames a second at which it plays if nothing holds it up."""
        return self._clock.rate_hz

    @property
    def has_range(self) -> bool:
        """Whether less than the whole clip is played."""
        clip = self._session.clip
        return clip is not None and (self.first, self.last) != (0, clip.n_frames - 1)

    def _clip_changed(self) -> None:
        self.pause()
        clip = self._session.clip
        self.first, self.last = 0, (clip.n_frames - 1 if clip is not None else 0)
        self._wind()
        self.changed.emit()

    def _wind(self) -> None:
        """Make the clock for clip, range, speed and direction as they are, due at the frame on show."""
        clip = self._session.clip
        now = time.perf_counter()
        times = [0.0] if clip is None else frame_times(clip.frame_times_s, clip.n_frames)
        backwards = self.is_playing and self._clock.backwards_at(now)
        self._clock = CineClock(
            times, first=self.first, last=self.last, speed=self.speed, ping_pong=self.ping_pong
        )
        self._clock.start(self._session.frame_index, now, backwards=backwards and self.ping_pong)
        self.meter.reset()
        if self.is_playing:
            self._timer.start(0)

    # -- what a person does -----------------------------------------------------------

    def toggle(self) -> None:
        """Play or pause."""
        if self.is_playing:
            self.pause()
        else:
            self.play()

    def play(self) -> None:
        """Play from the frame on show; one out of the loop range starts at its beginning."""
        if not self.can_play or self.is_playing:
            return
        self.is_playing = True
        self._layers.set_playing(True)
        self._wind()
        self._look_ahead(time.perf_counter())
        self._timer.start(0)
        self.changed.emit()

    def pause(self) -> None:
        """Stop at the frame on show."""
        if not self.is_playing:
            return
        self.is_playing, self._awaited = False, 0.0
        self._timer.stop()
        self._layers.set_playing(False)
        self.changed.emit()

    def step(self, step: int) -> None:
        """Pause, and go some frames on or back."""
        self.go_to(self._session.frame_index + step)

    def go_to(self, frame_index: int) -> None:
        """Pause, and go to a frame."""
        self.pause()
        self._session.go_to_frame(frame_index)

    def go_to_end(self, *, first: bool) -> None:
        """Pause, and go to the first or last frame of the loop range."""
        self.go_to(self.first if first else self.last)

    def set_speed(self, speed: float) -> None:
        """Play at a multiple of the true speed."""
        self.speed = speed
        self._wind()
        self.changed.emit()

    def change_speed(self, step: int) -> None:
        """To the next higher (1) or lower (-1) speed that is offered."""
        self.set_speed(faster(self.speed, step))

    def set_ping_pong(self, on: bool) -> None:
        """Play to and fro instead of round and round."""
        self.ping_pong = on
        self._wind()
        self.changed.emit()

    def set_range(self, first: int | None = None, last: int | None = None) -> None:
        """Play from `first` to `last` only; an end that passes the other takes it along."""
        clip = self._session.clip
        if clip is None:
            return
        end = clip.n_frames - 1
        if first is not None:
            self.first = min(max(0, first), end)
            self.last = max(self.first, self.last)
        if last is not None:
            self.last = min(max(0, last), end)
            self.first = min(self.first, self.last)
        self._wind()
        self.changed.emit()

    def clear_range(self) -> None:
        """Play the whole clip again."""
        clip = self._session.clip
        if clip is not None:
            self.set_range(0, clip.n_frames - 1)

    def close(self) -> None:
        """Stop for good."""
        self.pause()
        self._ahead.close()

    # -- the clockwork ----------------------------------------------------------------

    def _tick(self) -> None:
        now = time.perf_counter()
        if not self.is_playing:
            return
        if self._awaited and now - self._awaited < UNSEEN_S:
            # `_drawn` goes on, unless nothing is drawn at all
            self._timer.start(math.ceil(1000 * (self._awaited + UNSEEN_S - now)))
            return
        frame = self._clock.frame_at(now)
        if not self._is_here(frame):
            # it comes over a network: the clock stands still until it is there
            self._clock.start(self._session.frame_index, now, backwards=self._clock.backwards_at(now))
            self._timer.start(LATE_MS)
            return
        if frame != self._session.frame_index:
            self._awaited, self._handing = now, True
            self._session.go_to_frame(frame)
            self._handing = False
            self._look_ahead(now)
        self._wait()

    def _is_here(self, frame: int) -> bool:
        """Whether a frame can be shown at once; one that cannot is asked for."""
        frames = self._layers.frames
        if frames is None or frames.ask is None or frames.has(frame):
            return True
        self._ahead.want(frames, [frame, *self._clock.coming(time.perf_counter(), AHEAD)])
        return False

    def _drawn(self) -> None:
        """The canvas has been put on the screen."""
        if not self._awaited:
            return
        now = time.perf_counter()
        due = self._clock.steps(self._awaited)
        self._awaited = 0.0
        if not self.is_playing:
            return
        self.meter.seen(now, due)
        self._wait()

    def _wait(self) -> None:
        """Let the timer fire when the next frame is due: at once, when it is due already."""
        now = time.perf_counter()
        late = self._clock.frame_at(now) != self._session.frame_index
        self._timer.start(0 if late else min(1000, math.ceil(1000 * self._clock.until_change(now))))

    def _look_ahead(self, now: float) -> None:
        frames = self._layers.frames
        if frames is not None:
            self._ahead.want(frames, self._clock.coming(now, AHEAD))

    def _frame_changed(self, frame_index: int) -> None:
        if self.is_playing and not self._handing:
            # somebody else (a row of the table, a target) went to a frame: that one is looked at
            self.pause()
