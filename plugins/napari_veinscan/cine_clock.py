"""Which frame is due when a clip plays, and how many of them were really seen.  Knows neither Qt nor napari.

The frame follows from the time that has passed, never from a count of ticks: a
clip that cannot be drawn fast enough skips frames and keeps its true speed.
Frames need not be evenly spaced (FrameTimeVector, PS3.3 C.7.6.5.1.2): each is
shown until the next one was taken.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ASSUMED_RATE_HZ = 15.0
"""Frames a second of a clip that does not say; the window says that it is assumed."""

SHORTEST_S = 1e-3
"""Least time a frame is shown at speed 1: times that do not grow would stop the clock."""

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Speeds that are offered, in multiples of the true one."""

OFF_BY = 0.05
"""Share by which the real rate may differ before it is said."""


def frame_times(times_s: npt.ArrayLike | None, n_frames: int) -> npt.NDArray[np.float64]:
    """(n,) seconds at which the frames were taken; at `ASSUMED_RATE_HZ` where nothing is known."""
    if times_s is None:
        return np.arange(n_frames, dtype=np.float64) / ASSUMED_RATE_HZ
    return np.asarray(times_s, dtype=np.float64)


class CineClock:
    """Frame by elapsed time, over a loop range, round and round or to and fro.

    Times of the wall (`now`) are seconds of any clock that only goes forward;
    they are always passed in, so that a test needs no waiting.
    """

    def __init__(
        self,
        times_s: npt.ArrayLike,
        *,
        first: int = 0,
        last: int | None = None,
        speed: float = 1.0,
        ping_pong: bool = False,
    ) -> None:
        """`times_s` (n,) when each frame was taken; the range `first` to `last` is played, both included."""
        times = np.asarray(times_s, dtype=np.float64)
        if len(times) < 1:
            raise ValueError("a clip has at least one frame")
        last = len(times) - 1 if last is None else last
        self.first, self.last = max(0, min(first, last)), min(len(times) - 1, max(first, last))
        self.speed, self.ping_pong = speed, ping_pong
        steps = np.maximum(np.diff(times[self.first : self.last + 1]), SHORTEST_S)
        forward = np.arange(self.first, self.last + 1)
        if ping_pong and len(steps):
            # on the way back a frame stays until the one before it was taken
            self._order = np.concatenate([forward, forward[-2:0:-1]])
            durations = np.concatenate([steps, steps[::-1]])
        else:
            # nothing says how long the last frame lasted: as long as most do
            usual = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
            self._order = forward
            durations = np.append(steps, max(usual, SHORTEST_S))
        self._ends = np.cumsum(durations)
        self._started, self._offset = 0.0, 0.0

    @property
    def period_s(self) -> float:
        """Seconds of the clip in one round."""
        return float(self._ends[-1])

    @property
    def rate_hz(self) -> float:
        """Frames a second that are due, on average over a round."""
        return len(self._order) / self.period_s * self.speed

    def start(self, frame: int, now: float, *, backwards: bool = False) -> None:
        """Let `frame` be due from `now` on; a frame out of the range starts at the range's beginning."""
        places = np.flatnonzero(self._order == frame)
        place = int(places[-1 if backwards else 0]) if len(places) else 0
        self._started, self._offset = now, float(self._ends[place - 1]) if place else 0.0

    def frame_at(self, now: float) -> int:
        """The frame that is due."""
        return int(self._order[self._place(now)[1]])

    def backwards_at(self, now: float) -> bool:
        """Whether it is on its way back."""
        return self._place(now)[1] > self.last - self.first

    def until_change(self, now: float) -> float:
        """Seconds of the wall until the next frame is due; infinite for a single frame."""
        if len(self._order) < 2:
            return float("inf")
        rounds, place = self._place(now)
        at = self._clip_time(now) - rounds * self.period_s
        return max(0.0, (float(self._ends[place]) - at) / self.speed)

    def steps(self, now: float) -> int:
        """How many frames have become due since the clock's zero; differences of it count frames."""
        rounds, place = self._place(now)
        return rounds * len(self._order) + place

    def coming(self, now: float, count: int) -> list[int]:
        """The frames that are due next, the nearest first, each once."""
        place = self._place(now)[1]
        ahead = [int(self._order[(place + n) % len(self._order)]) for n in range(1, count + 1)]
        return list(dict.fromkeys(ahead))

    def _clip_time(self, now: float) -> float:
        return self._offset + max(0.0, now - self._started) * self.speed

    def _place(self, now: float) -> tuple[int, int]:
        """Whole rounds done, and the place in the order of frames."""
        rounds, at = divmod(self._clip_time(now), self.period_s)
        # a hair before a change counts as after it: a timer that fires on time must find the next frame
        place = int(np.searchsorted(self._ends, at + 1e-9, side="right"))
        return (int(rounds), place) if place < len(self._order) else (int(rounds) + 1, 0)


class RateMeter:
    """The rate at which frames really appeared, over the last second or so."""

    def __init__(self, window_s: float = 1.5) -> None:
        self._window = window_s
        self._seen: deque[tuple[float, int]] = deque()

    def reset(self) -> None:
        """Forget what was seen."""
        self._seen.clear()

    def seen(self, now: float, due: int) -> None:
        """A new frame has appeared; `due` is `CineClock.steps` of that moment."""
        self._seen.append((now, due))
        while len(self._seen) > 2 and now - self._seen[0][0] > self._window:
            self._seen.popleft()

    @property
    def rate_hz(self) -> float | None:
        """Frames that appeared in a second; None before there is enough to tell."""
        if len(self._seen) < 3:
            return None
        took = self._seen[-1][0] - self._seen[0][0]
        return (len(self._seen) - 1) / took if took > 0 else None

    @property
    def share(self) -> float | None:
        """Frames that appeared, as a share of those that were due; None before there is enough to tell."""
        if len(self._seen) < 3:
            return None
        due = self._seen[-1][1] - self._seen[0][1]
        return (len(self._seen) - 1) / due if due > 0 else None

    @property
    def is_off(self) -> bool:
        """Whether the real rate differs from the due one by more than `OFF_BY`."""
        return self.share is not None and abs(self.share - 1.0) > OFF_BY


def faster(speed: float, step: int) -> float:
    """The next offered speed up (1) or down (-1); stays at the ends."""
    return stepped(SPEEDS, speed, step)


def stepped(offered: Sequence[float], value: float, step: int) -> float:
    """The neighbour of the nearest offered value, `step` places on, kept within the offer."""
    nearest = min(range(len(offered)), key=lambda n: abs(offered[n] - value))
    return offered[min(max(nearest + step, 0), len(offered) - 1)]
