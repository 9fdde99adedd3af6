"""From lumens on frames to tracks: one vein in many frames is one candidate."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment  # type: ignore[attr-defined]

from veinscan.candidates.detect import Lumen, overlap

REACH_MM = 0.6
"""Motion from frame to frame that is always believed; half the diameter is added."""

REACH_PER_GAP = 0.15
"""Growth of the reach for every frame the lumen was not seen."""

SIZE_COST = 0.7
"""Cost of a change of the diameter by an octave, in reaches."""

TUBE_COST = 1.5
"""Cost of two tubes that share nothing."""

MAX_COST = 1.4
"""Cost beyond which two lumens are not the same vein."""

MAX_GAP = 12
"""Frames a vein may stay unseen (collapsed, out of plane) and still be the same."""

SPEED_MEMORY = 0.6
"""Weight of the earlier motion when the next place is predicted."""


@dataclass(slots=True)
class Track:
    """A lumen followed over frames."""

    lumens: dict[int, Lumen] = field(default_factory=dict)
    """Frame index to what was found there, ascending."""
    speed: tuple[float, float] = (0.0, 0.0)
    """Grid pixels a frame, `(row, col)`."""

    @property
    def last_frame(self) -> int:
        """The last frame on which it was seen."""
        return next(reversed(self.lumens))

    def add(self, frame: int, lumen: Lumen) -> None:
        """Append what was found on a later frame."""
        if self.lumens:
            last = self.last_frame
            before = self.lumens[last].centre
            steps = frame - last
            self.speed = tuple(  # type: ignore[assignment]
                SPEED_MEMORY * old + (1 - SPEED_MEMORY) * (now - then) / steps
                for old, now, then in zip(self.speed, lumen.centre, before, strict=True)
            )
        self.lumens[frame] = lumen

    def cost(self, frame: int, lumen: Lumen, pixel_mm: float) -> float:
        """How unlike this track a lumen of a later frame is; 1 is a whole reach away at the same size."""
        last = self.last_frame
        known = self.lumens[last]
        gap = frame - last
        # after a gap the old speed says little
        steps = gap if gap <= 2 else 0
        row = lumen.centre[0] - known.centre[0] - steps * self.speed[0]
        col = lumen.centre[1] - known.centre[1] - steps * self.speed[1]
        reach = REACH_MM / pixel_mm + 0.5 * min(known.diameter_px, lumen.diameter_px)
        reach *= 1.0 + REACH_PER_GAP * (gap - 1)
        away = np.hypot(row, col) / reach
        if gap <= 2 and (known.length_px or lumen.length_px):
            # a tube's middle jumps when it is seen further along: what it covers says more
            away = min(away, TUBE_COST * (1.0 - overlap(known.outline, lumen.outline)))
        octaves = abs(np.log2(max(lumen.diameter_px, 1e-3) / max(known.diameter_px, 1e-3)))
        return float(away + SIZE_COST * octaves)


class Tracker:
    """Joins the lumens of one frame after the other to tracks."""

    def __init__(self, pixel_mm: float) -> None:
        self.pixel_mm = pixel_mm
        self.tracks: list[Track] = []
        self._active: list[Track] = []

    def add_frame(self, frame: int, lumens: list[Lumen]) -> None:
        """The lumens of the next frame; frames come in ascending order."""
        self._active = [track for track in self._active if frame - track.last_frame <= MAX_GAP]
        taken: set[int] = set()
        if self._active and lumens:
            costs = np.array(
                [[track.cost(frame, one, self.pixel_mm) for one in lumens] for track in self._active]
            )
            allowed = np.where(costs <= MAX_COST, costs, 1e3)
            for row, col in zip(*linear_sum_assignment(allowed), strict=True):
                if costs[row, col] <= MAX_COST:
                    self._active[row].add(frame, lumens[col])
                    taken.add(int(col))
        for index, lumen in enumerate(lumens):
            if index not in taken:
                track = Track()
                track.add(frame, lumen)
                self.tracks.append(track)
                self._active.append(track)
