"""The lumens of one frame or of a few that follow each other: what a thread of the search does."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from veinscan.candidates.carry import carried
from veinscan.candidates.detect import Lumen, detect, detect_jointly
from veinscan.candidates.joint import NetworkView, network_view
from veinscan.candidates.pipeline import threads_here
from veinscan.candidates.propose import PreparedFrame, classical_seeds, prepare
from veinscan.candidates.seeds import Seeds
from veinscan.candidates.survey import Survey
from veinscan.enhance.graphics import without_graphics
from veinscan.enhance.grid import AnalysisGrid

Grey = npt.NDArray[np.uint8]

Known = tuple[Grey, NetworkView]
"""A frame and what the network said of it."""

TOGETHER = 2
"""Frames that share one look of the network where they are alike: fewer than a candidate must be seen on
(`finder.MIN_SEEN`), so that what one look took for a vessel is not enough."""


@dataclass(frozen=True, slots=True)
class FrameSearch:
    """What is the same for every frame of a search."""

    grid: AnalysisGrid
    spacing_mm: tuple[float, float]
    frame_rows: tuple[int, int]
    """Half-open, searched."""
    grid_rows: tuple[int, int]
    """The same rows of the grid."""
    diameters_mm: tuple[float, float]
    joint: bool
    """With the network."""
    marks: npt.NDArray[np.bool_]
    """(rows, cols) strokes drawn over every frame."""
    survey: Survey

    def lumens_of(self, numbered: Sequence[tuple[int, Grey]]) -> list[list[Lumen]]:
        """The lumens on each of a few frames that follow each other, given with their indices."""
        found = []
        known: Known | None = None
        for index, shown in numbered:
            frame = without_graphics(shown, self.marks)
            if self.joint:
                prepared, lumens, known = self._by_network(frame, known)
            else:
                prepared = self._prepared(frame)
                lumens = detect(prepared, self.diameters_mm) if prepared.mask.any() else []
            if prepared.mask.any():
                self.survey.note(index, prepared, lumens)
            found.append(lumens)
        return found

    def _prepared(self, frame: Grey) -> PreparedFrame:
        return prepare(frame.astype(np.float32), self.grid, self.diameters_mm[1], self.grid_rows)

    def _by_network(
        self, frame: Grey, known: Known | None
    ) -> tuple[PreparedFrame, list[Lumen], Known | None]:
        """What is on a frame, and its maps for the next one; `known` are those of the one before."""

        def classical() -> tuple[PreparedFrame, Seeds]:
            made = self._prepared(frame)
            return made, classical_seeds(made, self.diameters_mm)

        if self.survey.count == 1 and threads_here() > 1:  # nothing else keeps the other core busy
            with ThreadPoolExecutor(1) as beside:
                waiting = beside.submit(self._view, frame, None)
                prepared, seeds = classical()
                view = waiting.result()
        else:
            prepared, seeds = classical()
            if not prepared.mask.any():
                return prepared, [], None
            view = self._view(frame, known)
        lumens = detect_jointly(prepared, view, self.diameters_mm, seeds) if prepared.mask.any() else []
        return prepared, lumens, (frame, view)

    def _view(self, frame: Grey, known: Known | None) -> NetworkView:
        if known is not None:
            before, view = known
            moved = carried(view.maps, *(one[slice(*self.frame_rows)] for one in (before, frame)))
            if moved is not None:
                return replace(view, maps=moved)
        return network_view(frame, self.spacing_mm, self.grid, self.frame_rows, self.grid_rows)
