"""A layer in which one outline is drawn or changed by hand, by napari's own shape tools."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Layer, Shapes

from napari_veinscan.layer_parts import geometry_of, rgba
from napari_veinscan.palette import STYLES, Look
from veinscan.dicom import Clip

MOST_CORNERS = 24
"""Corners of an outline that is to be changed by hand: more are too near to each other to be caught."""


class OutlineLayer:
    """One outline on one frame; the layer that was active is so again at the end."""

    def __init__(self, viewer: ViewerModel, clip: Clip, frame_index: int, width: float) -> None:
        self._viewer, self._frame = viewer, frame_index
        self._before: Layer | None = viewer.layers.selection.active
        self._layer: Shapes = Shapes(
            ndim=3,
            name="outline by hand",
            edge_color=np.array([rgba(STYLES[Look.SELECTED].colour)]),
            face_color="transparent",
            edge_width=1.5 * width,
            opacity=1.0,
            **geometry_of(clip),
        )
        viewer.add_layer(self._layer)
        viewer.layers.selection.active = self._layer

    @property
    def is_there(self) -> bool:
        """Whether the layer is still in the viewer."""
        return self._layer in self._viewer.layers

    def change(self, outline: npt.ArrayLike) -> None:
        """Show an outline (k, 2) of `(row, col)` whose corners can be dragged."""
        corners = _thinned(np.asarray(outline, np.float64).reshape(-1, 2))
        placed = np.column_stack([np.full(len(corners), float(self._frame)), corners])
        self._layer.add(placed, shape_type="polygon")  # type: ignore[no-untyped-call]
        self._layer.selected_data = {0}
        self._layer.mode = "direct"

    def draw(self, done: Callable[[npt.NDArray[np.float64]], None]) -> None:
        """Let a person draw freehand, button held; `done(outline)` once it is closed."""
        self._layer.mode = "add_polygon_lasso"

        def changed(event: Any) -> None:
            if str(event.action) in ("added", "ActionType.ADDED") and len(self._layer.data):
                outline = self.outline
                if outline is not None and len(outline) >= 3:
                    done(outline)

        self._layer.events.data.connect(changed)

    @property
    def outline(self) -> npt.NDArray[np.float64] | None:
        """(k, 2) `(row, col)` as it is now; None when nothing is drawn."""
        if not len(self._layer.data):
            return None
        return np.asarray(self._layer.data[-1], np.float64)[:, 1:]

    def close(self) -> None:
        """Take the layer away."""
        if self.is_there:
            self._viewer.layers.remove(self._layer)
        if self._before is not None and self._before in self._viewer.layers:
            self._viewer.layers.selection.active = self._before


def _thinned(corners: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    step = max(1, int(np.ceil(len(corners) / MOST_CORNERS)))
    return corners[::step]
