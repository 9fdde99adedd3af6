"""One scale in millimetres for the two pictures, and zoom and movement together when it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_veinscan.follow_up_pane import FramePane, fit_of

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

SAME = 0.01
"""Share by which two scales may differ and still be told as one."""


class SharedScale:
    """Keeps the canvas and the pane of the baseline at one scale.

    A clip that comes up in either is shown at the scale at which both fit.
    A person may zoom one alone: then the pane says by how much they differ,
    until 'Same scale'.  Linked, both zoom and move together.
    """

    changed = Signal()
    """Linked or not, or the ratio of the scales."""

    def __init__(self, bench: Workbench, pane: FramePane) -> None:
        self._viewer = bench.viewer
        self._session = bench.session
        self._pane = pane
        self._setting = False
        self._touched = False
        """Whether a person zoomed or moved since both were shown whole."""
        self._soon = QTimer(pane)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.equalise)
        self._on = False
        self._linked = False
        self._seen: tuple[float, tuple[float, float]] = (1.0, (0.0, 0.0))
        """Zoom and centre of the canvas, as they were last."""
        camera = self._viewer.scene.camera
        camera.events.zoom.connect(self._canvas_moved)
        camera.events.center.connect(self._canvas_moved)
        self._session.clip_changed.connect(self.equalise)
        pane.view_moved.connect(self._pane_moved)
        pane.resized.connect(self._pane_resized)

    @property
    def linked(self) -> bool:
        """Whether zoom and movement of one are those of the other."""
        return self._linked

    def link(self, on: bool) -> None:
        """Zoom and move both together from now on, or each alone; what is shown stays."""
        self._linked = on
        self.changed.emit()

    @property
    def can_compare(self) -> bool:
        """Whether both pictures have millimetres."""
        clip = self._session.clip
        return self._on and self._pane.has_scale and clip is not None and clip.spacing_mm is not None

    @property
    def ratio(self) -> float | None:
        """Size of the baseline's millimetre on the screen by the follow-up's; None without millimetres."""
        return self._pane.zoom / self._camera.zoom if self.can_compare else None

    @property
    def is_same(self) -> bool:
        """Whether a millimetre is as long in both."""
        return self.ratio is not None and abs(self.ratio - 1.0) <= SAME

    def words(self) -> str:
        """What is to be said of the scales; empty where they are one."""
        clip = self._session.clip
        if not self._on or self._pane.clip is None or clip is None or self.is_same:
            return ""
        if self.ratio is not None:
            return f"baseline {self.ratio:.2f} times as large as the follow-up"
        neither = not self._pane.has_scale and clip.spacing_mm is None
        which = "both" if neither else "the baseline" if not self._pane.has_scale else "the follow-up"
        return f"no common scale: {which} not calibrated"

    def use(self, on: bool) -> None:
        """Begin or end to hold the pictures at one scale."""
        self._on = on
        if on:
            self.equalise()
        self.changed.emit()

    def equalise(self) -> None:
        """Show both clips whole, a millimetre as long in the one as in the other where that is known."""
        clip, pane = self._session.clip, self._pane
        if not self._on or clip is None:
            return
        self._setting, self._touched = True, False
        try:
            rows, cols = self._viewer.canvas.size
            centre, zoom = fit_of(clip, float(cols), float(rows))
            pane.fit()
            if self.can_compare:
                zoom = min(zoom, pane.zoom)
                pane.set_view(zoom=zoom)
            self._camera.center = (0.0, *centre)
            self._camera.zoom = zoom
        finally:
            self._setting = False
        self._remember()
        self.changed.emit()

    def take_over(self) -> None:
        """Give the baseline the scale of the follow-up as it is on the screen."""
        if self.can_compare:
            self._pane.set_view(zoom=self._camera.zoom)
            self.changed.emit()

    def zoom_both(self, factor: float) -> None:
        """Show both larger or smaller about their middles."""
        self._pane.set_view(zoom=self._pane.zoom * factor)
        self._setting, self._touched = True, True
        try:
            self._camera.zoom *= factor
        finally:
            self._setting = False
        self._remember()
        self.changed.emit()

    def close(self) -> None:
        """Let go of the camera."""
        camera = self._viewer.scene.camera
        camera.events.zoom.disconnect(self._canvas_moved)
        camera.events.center.disconnect(self._canvas_moved)

    @property
    def _camera(self) -> Any:
        return self._viewer.scene.camera

    def _remember(self) -> None:
        self._seen = float(self._camera.zoom), tuple(map(float, self._camera.center[-2:]))  # type: ignore[assignment]

    def _canvas_moved(self, _event: object = None) -> None:
        if self._setting or not self._on:
            return
        zoom, centre = self._seen
        self._touched = True
        self._remember()
        new_zoom, new_centre = self._seen
        if self._linked and self._pane.clip is not None:
            pane = self._pane
            went = [(b - a) * new_zoom for a, b in zip(centre, new_centre, strict=True)]
            pane.set_view(zoom=pane.zoom * new_zoom / zoom)
            row, col = (one + gone / pane.zoom for one, gone in zip(pane.centre, went, strict=True))
            pane.set_view(centre=(row, col))
        self.changed.emit()

    def _pane_moved(self, factor: float, rows: float, cols: float) -> None:
        self._touched = True
        if self._linked and self._on:
            self._setting = True
            try:
                camera = self._camera
                camera.zoom *= factor
                by = self._pane.zoom / camera.zoom
                depth, row, col = camera.center
                camera.center = (depth, row + rows * by, col + cols * by)
            finally:
                self._setting = False
            self._remember()
        self.changed.emit()

    def _pane_resized(self) -> None:
        """Pictures that are shown whole stay whole; others keep their scale."""
        if self._on and not self._touched:
            self._soon.start()  # once the canvas has its new size too
