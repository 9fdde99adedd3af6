"""Vesselness of the frame on show, worked out beside the window: the newest frame wins."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from psygnal import Signal
from qtpy.QtCore import QObject, Qt
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # qtpy renames Qt's own

from napari_veinscan import preferences
from veinscan.dicom import Clip
from veinscan.enhance import vesselness
from veinscan.errors import VeinscanError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

SMALLEST_MM, LARGEST_MM = 0.5, 12.0
"""What the range of diameters can be set to."""


def vesselness_of(clip: Clip, frame_index: int, diameters_mm: tuple[float, float]) -> npt.NDArray[np.float32]:
    """(rows, cols) float32, 0..1, of a frame's picture region; 0 around it.

    Raises `VeinscanError` where there is no calibrated picture or the frame cannot be decoded.
    """
    region = clip.picture_region
    whole = np.zeros((clip.rows, clip.columns), np.float32)
    if region is None or region.spacing_mm is None:
        return whole
    row0, col0, row1, col1 = region.box
    part = clip.bmode(frame_index)[row0:row1, col0:col1]
    whole[row0:row1, col0:col1] = vesselness(part, region.spacing_mm, diameters_mm, grade="live")
    return whole


class Latest(QObject):
    """A thread that works on the newest request only; results come in the window's thread."""

    ready = QtSignal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._wish: tuple[Any, ...] | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread: threading.Thread | None = None

    def want(self, clip: Clip, frame_index: int, diameters_mm: tuple[float, float]) -> None:
        """Work this out; a request that nobody began is forgotten."""
        with self._changed:
            if self._ended:
                return
            self._wish = (clip, frame_index, diameters_mm)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="veinscan-live", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Stop, after the frame in hand."""
        with self._changed:
            self._ended, self._wish = True, None
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(10.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                while self._wish is None and not self._ended:
                    self._changed.wait()
                if self._ended or self._wish is None:
                    return
                clip, frame_index, sizes = self._wish
                self._wish = None
            try:
                result: Any = vesselness_of(clip, frame_index, sizes)
            except VeinscanError as error:  # a frame that cannot be decoded is black already, and said
                result = error
            if not self._ended:
                self.ready.emit((clip, frame_index, sizes, result))


class Live:
    """Vesselness over the picture: on or off, range of diameters, opacity, colours."""

    changed = Signal()
    """On or off, range, opacity, colours, or what stands in the way."""

    def __init__(self, bench: Workbench) -> None:
        self._session, self._layers = bench.session, bench.layers
        self.is_on = False
        self.diameters_mm: tuple[float, float] = bench.settings.diameters_mm
        self.opacity = 0.6
        self.colours = preferences.load().vesselness_colours
        self.frame_index: int | None = None
        """The frame whose vesselness is on show; None when there is none."""
        self._latest = Latest(bench.window)
        self._latest.ready.connect(self._ready, Qt.ConnectionType.QueuedConnection)
        self._session.clip_changed.connect(self._clip_changed)
        self._session.frame_changed.connect(lambda _frame: self._ask())

    @property
    def problem(self) -> str:
        """Why there is none of the clip on show; empty when there can be."""
        clip = self._session.clip
        if clip is None:
            return "no clip is open"
        region = clip.picture_region
        if region is None:
            return "this clip has no picture region"
        return "" if region.spacing_mm is not None else "the picture is not calibrated in mm"

    def show(self, on: bool) -> None:
        """Show it or not."""
        self.is_on = on
        if not on:
            self._hide()
        self._ask()
        self.changed.emit()

    def set_diameters(self, smallest_mm: float, largest_mm: float) -> None:
        """Look for inner diameters of this range."""
        self.diameters_mm = (smallest_mm, max(largest_mm, 1.25 * smallest_mm))
        self._ask()
        self.changed.emit()

    def set_look(self, *, opacity: float | None = None, colours: str | None = None) -> None:
        """How strongly it covers the picture, and in which of `palette.VESSELNESS_COLOURS`."""
        self.opacity = self.opacity if opacity is None else opacity
        self.colours = self.colours if colours is None else colours
        self._layers.style_vesselness(self.opacity, self.colours)
        self.changed.emit()

    def close(self) -> None:
        """Stop for good."""
        self._latest.close()

    def _clip_changed(self) -> None:
        self._hide()
        self._ask()
        self.changed.emit()

    def _hide(self) -> None:
        self.frame_index = None
        self._layers.show_vesselness(None)

    def _ask(self) -> None:
        clip = self._session.clip
        if self.is_on and clip is not None and not self.problem:
            self._latest.want(clip, self._session.frame_index, self.diameters_mm)

    def _ready(self, answer: tuple[Clip, int, tuple[float, float], Any]) -> None:
        clip, frame_index, sizes, result = answer
        if not self.is_on or clip is not self._session.clip or sizes != self.diameters_mm:
            return
        if isinstance(result, VeinscanError):
            self._hide()
            return
        self.frame_index = frame_index
        self._layers.show_vesselness(result)
        self._layers.style_vesselness(self.opacity, self.colours)
