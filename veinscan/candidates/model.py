"""`Candidate`: what the program proposes.  It is never called a feeder; a reader says what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from veinscan.doppler.evidence import FlowEvidence

Outline = npt.NDArray[np.float32]
"""(k, 2) float32: closed polygon of `(row, col)` vertices in pixels, the last joined to the first."""


Compartment = Literal["epifascial", "saphenous", "subfascial", "unknown"]
"""Above, in or below the saphenous compartment; unknown where the fasciae are not clearly seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """A lumen's diameter while the probe is pressed down and released."""

    compressibility: float
    """Share of the resting inner diameter that is gone at full pressure, 0..1; 1 where no lumen is left."""
    resting_mm: float
    """Inner diameter without pressure: median of the frames nearest to the manoeuvre."""
    pressed_mm: float
    """Inner diameter at full pressure; 0 where no lumen was seen."""
    shortening: float
    """Greatest part by which the tissue got shorter, 0..1: how hard the probe was pressed."""
    frame_indices: tuple[int, ...]
    """The manoeuvre's frames, with two before and after."""
    diameters_mm: tuple[float | None, ...]
    """Inner diameter on each of them; None where no lumen was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """A beat that repeats in the flow of a lumen."""

    per_minute: float
    """Beats a minute."""
    regularity: float
    """How alike one beat is to the next: correlation of the flow with itself a beat later, up to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Where a vein runs: along the picture, or through the frames of a sweep."""

    view: Literal["longitudinal", "sweep"]
    """`longitudinal`: one frame shows it lengthwise; `sweep`: its cross-sections on many frames."""
    frame_indices: tuple[int, ...]
    """Longitudinal: the one frame; sweep: the frame of each point."""
    points: npt.NDArray[np.float32] = field(repr=False)
    """(k, 2) `(row, col)` of its middle, from end to end or frame by frame."""
    diameters_mm: npt.NDArray[np.float32] = field(repr=False)
    """(k,) inner diameter at each point."""
    length_mm: float | None = None
    """Along the middle; None for a sweep, as nothing tells how fast a probe was moved."""
    tortuosity: float | None = None
    """Length by the distance of the ends, 1 being straight; None for a sweep."""


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
    major_mm: float | None = None
    """The other axis of the inner wall on the best frame; of a vein seen lengthwise its length."""
    depth_mm: float
    """Skin to the near wall, on the best frame."""
    length_mm: float | None = None
    """Visible course along its middle, in a longitudinal view."""
    course: Course | None = None
    """Its way along the picture, or through the frames of a clip of at least 5."""
    persistence: float | None = None
    """Share of the clip's frames on which it was seen, 0..1."""
    compartment: Compartment = "unknown"
    """Where it lies relative to the two fasciae."""
    compartment_reason: str = ""
    """What that is said on, or why it is unknown; one sentence."""
    compression: Compression | None = None
    """What pressing the probe did to it; None where the clip shows no compression."""
    flow_fraction: float | None = None
    """Share of the lumen with colour, 0..1, on the frame with most; None where the clip has no colour."""
    flow: FlowEvidence | None = None
    """Velocity and pulse inside the lumen over its frames; None without colour or without a scale."""
    pulse: Pulse | None = None
    """A beat in the flow; None where none is seen, or the frames are too few to tell."""
    flow_note: str = ""
    """Why there is colour but no velocity; else empty."""
    warnings: tuple[str, ...] = ()
    """What a reader has to look at before anything is planned here; one sentence each."""
    not_validated: tuple[str, ...] = ()
    """Why score and measures are outside what was tested; empty where they are inside."""
    score: float
    """0..1, higher is more vessel-like."""
    rank: int
    """1 is first."""
    evidence: Mapping[str, float] = field(default_factory=dict)
    """Named contributions to the score."""

    @property
    def compressibility(self) -> float | None:
        """Share of the inner diameter that pressure takes away, 0..1; None where no compression is seen."""
        return None if self.compression is None else self.compression.compressibility

    @property
    def tortuosity(self) -> float | None:
        """Length of the visible course by the distance of its ends; None but in a longitudinal view."""
        return None if self.course is None else self.course.tortuosity

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


SENSITIVITIES = {"low": 0.5, "normal": 0.3, "high": 0.1}
"""Names for the least score that is reported: a high sensitivity shows weaker candidates too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinderSettings:
    """What a search looks for; results carry the settings that made them."""

    diameters_mm: tuple[float, float] = (0.5, 8.0)
    """Smallest and largest inner diameter."""
    max_depth_mm: float = 40.0
    """Deepest near wall, from the skin."""
    min_depth_mm: float = 0.0
    """Shallowest near wall, from the skin."""
    min_score: float = 0.3
    """Candidates below it are not reported; `SENSITIVITIES` has names for some values."""
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
    """What was looked for."""
    spacing_mm: tuple[float, float] | None = None
    """`(row, col)` sides of a pixel that the measures were made with."""
    not_validated: tuple[str, ...] = ()
    """Why no score of this clip is validated; empty where its pixels are of a tested size."""
