"""Frames of the clip on show that come over a network: asked for beside the window, then shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Qt
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # qtpy renames Qt's own

from napari_veinscan.frames import Ahead, ClipFrames
from napari_veinscan.prompt import Prompt
from veinscan.dicom import Clip
from veinscan.plan.model import Point

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class LateFrames(QObject):
    """Fetches the frame that is looked at, the newest wish first; `bench.part(LateFrames)`."""

    _arrived = QtSignal(object, int)

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.window)
        self._bench = bench
        self._ahead = Ahead(self._arrived.emit)
        self._says = False
        self.is_late: Callable[[Clip], bool] = lambda _clip: False
        """Whether a clip's file is still to come; whoever fetches files says so."""
        bench.layers.prepare = self._prepare
        bench.tools.insert(0, self)
        self._arrived.connect(self._came, Qt.ConnectionType.QueuedConnection)
        bench.session.clip_changed.connect(self._say)
        bench.session.frame_changed.connect(lambda _frame: self._say())

    def ask(self, frames: ClipFrames, index: int) -> None:
        """Fetch this frame next, then those after it."""
        last = len(frames) - 1
        self._ahead.want(frames, [index, *range(index + 1, min(index + 4, last + 1))])

    def _prepare(self, frames: ClipFrames) -> None:
        """Before a clip is drawn for the first time."""
        frames.ask = self.ask if self.is_late(frames.clip) else None

    # -- clicks -----------------------------------------------------------------------

    def click(self, _point: Point) -> bool:
        """Nothing is chosen or measured in a picture that is not there yet."""
        return self._is_waiting()

    def hover(self, _point: Point) -> None:
        """Nothing follows the mouse."""

    # -- coming -----------------------------------------------------------------------

    def here(self) -> None:
        """The file of the clip on show is there: its frames are read from it from now on."""
        frames = self._bench.layers.frames
        if frames is not None and frames.ask is not None:
            frames.ask = None
            self._bench.layers.show_again()
        self._say()

    def _came(self, frames: ClipFrames, index: int) -> None:
        if frames is self._bench.layers.frames and index == self._bench.session.frame_index:
            if frames.has(index):
                self._bench.layers.show_again()
            self._say()

    def _is_waiting(self) -> bool:
        frames = self._bench.layers.frames
        return (
            frames is not None and frames.ask is not None and not frames.has(self._bench.session.frame_index)
        )

    def _say(self) -> None:
        frames, index = self._bench.layers.frames, self._bench.session.frame_index
        is_late = self._is_waiting()
        if is_late and frames is not None:
            problem = frames.problems.get(index)
            words = "is on its way…" if problem is None else f"did not come: {problem}"
            self._bench.part(Prompt).say(f"Frame {index} {words}")
        elif self._says:
            self._bench.part(Prompt).say("")
        self._says = is_late

    def close(self) -> None:
        """Stop for good."""
        self._ahead.close()
