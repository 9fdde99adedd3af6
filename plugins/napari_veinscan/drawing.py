"""Candidates by hand: drawn by a click or freehand, their outline changed, followed through the clip."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_veinscan.background import Callbacks, Job
from napari_veinscan.commands import Command
from napari_veinscan.outline_layer import OutlineLayer
from veinscan.candidates import Candidate, LumenMeasure
from veinscan.candidates.by_hand import drawn_candidate, follow, measure_in_clip
from veinscan.dicom import Clip
from veinscan.errors import InvalidInputError
from veinscan.plan.model import Point
from veinscan.plan.outlines import measured_outline

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

GROUP = "Candidates"

PROMPTS = {
    "click": "Draw: click in a lumen (Esc to leave it)",
    "freehand": "Draw: hold the button and go round the lumen (Esc to leave it)",
    "change": "Drag the corners, then press E to keep the outline (Esc to leave it)",
}
"""What to do next, by what is in hand."""


class Drawing:
    """What is being drawn in one window."""

    changed = Signal()
    """Something else is in hand."""

    def __init__(self, bench: Workbench) -> None:
        self._bench, self._session = bench, bench.session
        self.hand = ""
        """'click', 'freehand', 'change' or nothing: a key of `PROMPTS`."""
        self._layer: OutlineLayer | None = None
        self._of: str | None = None
        """The candidate whose outline is being changed."""
        bench.tools.insert(0, self)
        self._session.clip_changed.connect(self.put_away)
        self._session.frame_changed.connect(lambda _frame: self._frame_changed())
        self._session.selection_changed.connect(self._selection_changed)

    @property
    def prompt(self) -> str:
        """What to do next; empty when nothing is in hand."""
        return PROMPTS.get(self.hand, "")

    # -- taking in hand ---------------------------------------------------------------

    def take(self, hand: str) -> None:
        """Draw by a click or freehand; the same again puts it away."""
        if hand == self.hand:
            self.put_away()
            return
        self.put_away()
        if not self._bench.attempt(self._session.editable_record):
            return
        clip = self._session.clip
        if clip is None:
            self._bench.warn(InvalidInputError("no clip is open", do="choose one in the list of clips"))
            return
        if clip.spacing_mm is None:
            self._bench.warn(
                InvalidInputError(
                    "the picture is not calibrated: nothing drawn in it has a size", do="calibrate it first"
                )
            )
            return
        self.hand = hand
        if hand == "freehand":
            self._layer = self._bench.layers.outline_layer(self._session.frame_index)
            # napari is still busy with the mouse when it says that the outline is there
            self._layer.draw(lambda outline: QTimer.singleShot(0, lambda: self._drawn(outline)))
        self.changed.emit()

    def change_outline(self) -> None:
        """Let the corners of the chosen candidate's outline be dragged; again: keep what they are now."""
        if self.hand == "change":
            self._keep()
            return
        row = self._session.selected
        if row is None:
            self._bench.warn(
                InvalidInputError("no candidate is chosen", do="click one in the picture or in the table")
            )
            return
        if self._session.frame_index not in row.candidate.outlines:
            self._session.go_to_frame(row.candidate.best_frame)
        self.put_away()
        self.hand, self._of = "change", row.candidate.id
        self._layer = self._bench.layers.outline_layer(self._session.frame_index)
        self._layer.change(row.candidate.outline(self._session.frame_index))
        self.changed.emit()

    def put_away(self) -> bool:
        """Leave it as it was; whether there was anything in hand."""
        was, self.hand, self._of = self.hand, "", None
        if self._layer is not None:
            self._layer.close()
            self._layer = None
        if was:
            self.changed.emit()
        return bool(was)

    # -- the mouse --------------------------------------------------------------------

    def click(self, point: Point) -> bool:
        """Take a click in the picture; whether it was wanted."""
        if self.hand == "click":
            self._measure(point)
        return bool(self.hand)  # while corners are dragged, a click must not choose another candidate

    def hover(self, point: Point) -> None:
        """Nothing is shown before the click."""

    def _measure(self, point: Point) -> None:
        clip, frame = self._session.clip, self._session.frame_index
        if clip is None:
            return

        def found(lumen: LumenMeasure | None) -> None:
            if lumen is None:
                self._bench.warn(
                    InvalidInputError(
                        "no wall was found round that place",
                        do="click nearer to the middle, or draw it freehand (Shift+D)",
                    )
                )
            elif clip is self._session.clip:
                self.put_away()
                self._bench.attempt(lambda: self._session.add_drawn(frame, lumen))

        self._bench.jobs.start(
            lambda _job: measure_in_clip(clip, frame, point), Callbacks(done=found, failed=self._bench.warn)
        )

    def _drawn(self, outline: npt.NDArray[np.float64]) -> None:
        clip, frame = self._session.clip, self._session.frame_index
        if self.hand != "freehand" or clip is None:
            return
        self.put_away()
        self._bench.attempt(lambda: self._session.add_drawn(frame, measured_outline(clip, outline.tolist())))

    def _keep(self) -> None:
        outline = None if self._layer is None else self._layer.outline
        row = self._session.row(self._of)
        self.put_away()
        if outline is not None and row is not None:
            if self._session.candidate_id != row.candidate.id:
                self._session.select_candidate(row.candidate.id, show=False)
            self._bench.attempt(lambda: self._session.set_outline(outline.tolist()))

    def _frame_changed(self) -> None:
        if self.hand in ("change", "freehand"):
            self.put_away()  # it belongs to the frame that was left

    def _selection_changed(self) -> None:
        if self.hand == "change" and self._session.candidate_id != self._of:
            self.put_away()

    # -- following --------------------------------------------------------------------

    def follow(self) -> None:
        """Find the chosen candidate again on the other frames of the clip, from the frame on show."""
        clip, row, frame = self._session.clip, self._session.selected, self._session.frame_index
        if clip is None or row is None:
            self._bench.warn(
                InvalidInputError("no candidate is chosen", do="click one in the picture or in the table")
            )
            return
        if self._bench.refuse_when_busy():
            return
        candidate = row.candidate
        if frame not in candidate.outlines:
            frame = candidate.best_frame
        start = LumenMeasure(
            outline=candidate.outline(frame),
            centre=candidate.centre(frame),
            diameter_mm=candidate.diameter_mm,
            depth_mm=candidate.depth_mm,
        )

        def work(job: Job) -> dict[int, LumenMeasure]:
            return follow(clip, frame, start, progress=job.report)

        self._bench.start(
            f"Following candidate {candidate.rank}",
            work,
            done=lambda lumens: self._session.set_course(clip, _with_course(clip, candidate, frame, lumens)),
        )


def _with_course(clip: Clip, candidate: Candidate, frame: int, lumens: dict[int, LumenMeasure]) -> Candidate:
    """The candidate on the frames where it was found again; its measures stay those of its best frame."""
    course = drawn_candidate(frame, lumens, candidate_id=candidate.id, rank=candidate.rank)
    return replace(
        candidate,
        frame_indices=tuple(sorted({*course.frame_indices, candidate.best_frame})),
        outlines={**course.outlines, candidate.best_frame: candidate.outline(candidate.best_frame)},
        centres={**course.centres, candidate.best_frame: candidate.centre(candidate.best_frame)},
    )


COMMANDS = (
    Command(
        "candidate.draw",
        "Draw a vein by a click",
        GROUP,
        lambda b: b.part(Drawing).take("click"),
        keys=("D",),
        tip="Click in a lumen: its wall is found and becomes a candidate of yours",
    ),
    Command(
        "candidate.draw_freehand",
        "Draw a vein freehand",
        GROUP,
        lambda b: b.part(Drawing).take("freehand"),
        keys=("Shift+D",),
    ),
    Command(
        "candidate.outline",
        "Change the outline, or keep the change",
        GROUP,
        lambda b: b.part(Drawing).change_outline(),
        keys=("E",),
        tip="Drag the corners of the chosen candidate's outline; the record keeps that it is yours",
    ),
    Command(
        "candidate.follow",
        "Follow through the clip",
        GROUP,
        lambda b: b.part(Drawing).follow(),
        keys=("F",),
        tip="Find the chosen candidate again on the other frames, from this one on",
    ),
)
