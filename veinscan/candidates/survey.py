"""What is noted of every frame beside its lumens: fasciae, and how far the probe presses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from veinscan.candidates.detect import Lumen
from veinscan.candidates.fascia import Eye, compartment_of, find_eyes
from veinscan.candidates.model import Compartment
from veinscan.candidates.pressure import depth_profile, shortening
from veinscan.candidates.propose import PreparedFrame

Array = npt.NDArray[np.float64]

EYE_FRAMES = 12
"""About so many frames of a clip are looked at for fasciae."""

AGREE = 0.75
"""Share of the frames with an answer that must give the same one."""


@dataclass(slots=True)
class Survey:
    """Notes on the frames of a clip, taken while they are in memory."""

    count: int
    """Frames of the clip."""
    skin_row: float
    """In pixels of the grid that was searched."""
    pixel_mm: float
    _profiles: dict[int, npt.NDArray[np.float32]] = field(default_factory=dict)
    _eyes: dict[int, list[Eye]] = field(default_factory=dict)

    def note(self, frame: int, prepared: PreparedFrame, lumens: list[Lumen]) -> None:
        """Take notes on a frame; any order."""
        if self.count > 2:
            self._profiles[frame] = depth_profile(prepared.raw, self.skin_row, self.pixel_mm)
        if lumens and frame % max(1, self.count // EYE_FRAMES) == 0:
            outlines = [lumen.outline for lumen in lumens if lumen.tube is None]
            self._eyes[frame] = find_eyes(prepared.raw, self.skin_row, self.pixel_mm, outlines)

    def shortening(self) -> Array:
        """(frames,) by what part tissue is shorter than without pressure; NaN where that is not known."""
        return shortening(self._profiles, self.count)

    def compartment(self, lumens: Mapping[int, Lumen]) -> tuple[Compartment, str]:
        """Where a vein lies relative to the fasciae, and why that is said."""
        said: Counter[Compartment] = Counter()
        looked = 0
        for frame, lumen in lumens.items():
            if frame in self._eyes:
                looked += 1
                answer = compartment_of(lumen.outline, self._eyes[frame], self.pixel_mm)
                if answer != "unknown" and lumen.tube is None:
                    said[answer] += 1
        if not said:
            return "unknown", "no saphenous eye (two fasciae that part and meet) is clearly seen around it"
        answer, votes = said.most_common(1)[0]
        total = sum(said.values())
        seen = f"fasciae clear on {total} of {looked} frames looked at"
        if votes < AGREE * total:
            return "unknown", f"{seen}, which disagree"
        if looked >= 4 and total < 0.25 * looked:
            return "unknown", f"{seen}: too few"
        return answer, seen
