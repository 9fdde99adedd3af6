"""`Candidate`: what the program proposes.  It is never called a feeder; a reader says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Outline = npt.NDArray[np.float32]
"""(k, 2) float32: closed polygon of `(row, col)` vertices in pixels, the last joined to the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A vessel-like structure with its measures, seen on one or many frames of a clip."""

    id: str
    """Stable: the same input and settings give the same id."""
    frame_indices: tuple[int, ...]
    """Frames on which it was found, ascending, from 0."""
    best_frame: int
    """The frame that shows it best; the measures are taken there."""
    outlines: Mapping[int, Outline] = field(repr=False)
    """Frame index to the inner wall."""
    centres: Mapping[int, tuple[float, float]] = field(repr=False)
    """Frame index to `(row, col)` of the lumen's centre."""
    diameter_mm: float
    """Inner diameter, minor axis, on the best frame."""
    depth_mm: float
    """Skin to the near wall, on the best frame."""
    length_mm: float | None = None
    """Visible course, in a longitudinal view."""
    flow_fraction: float | None = None
    """Share of the lumen with colour, 0..1, on the frame with most; None where the clip has no colour."""
    score: float
    """0..1, higher is more vessel-like."""
    rank: int
    """1 is first."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    """Named contributions to the score."""

    def outline(self, frame_index: int) -> Outline:
        """(k, 2) float32 `(row, col)` polygon of the inner wall on a frame; KeyError off its frames."""
        return self.outlines[frame_index]

    def centre(self, frame_index: int) -> tuple[float, float]:
        """`(row, col)` of the lumen's centre on a frame; KeyError off its frames."""
        return self.centres[frame_index]


@dataclass(frozen=True, slots=True, kw_only=True)
class LumenMeasure:
    """A lumen measured at one place of one frame, in that frame's pixels."""

    outline: Outline
    """Inner wall."""
    centre: tuple[float, float]
    """`(row, col)`."""
    diameter_mm: float
    """Inner diameter, minor axis."""
    depth_mm: float
    """Skin to the near wall."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinderSettings:
    """What a search looks for; results carry the settings that made them."""

    diameters_mm: tuple[float, float] = (0.5, 8.0)
    """Smallest and largest inner diameter."""
    max_depth_mm: float = 40.0
    """Deepest near wall, from the skin."""
    min_score: float = 0.3
    """Candidates below it are not reported."""
    max_candidates: int = 20
    """At most so many to a clip, best first."""
    method: Literal["joint", "classical"] = "joint"
    """`joint`: the trained network and the wall fit together; `classical`: the wall fit alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipCandidates:
    """What a search of one clip gave."""

    candidates: tuple[Candidate, ...]
    """Best first, in whole-frame pixels."""
    warnings: tuple[str, ...]
    """Why there are none, or what to know about the measures; one sentence each."""
    settings: FinderSettings
