"""Envelope, mean and marks of the reflux tool over the picture, and the marks dragged with the mouse."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_veinscan.layer_parts import geometry_of, line_layer, set_lines
from napari_veinscan.lines import Segments, line_segments
from napari_veinscan.palette import Look
from napari_veinscan.reflux_tool import ReadStrip, RefluxTool

if TYPE_CHECKING:
    from napari.layers import Vectors

    from napari_veinscan.workbench import Workbench

NEAR_PX = 9
"""How near on the screen the mouse must be to a mark to take it."""


class RefluxMarks:
    """Draws what the tool holds, and lets onset and end be dragged."""

    def __init__(self, bench: Workbench, tool: RefluxTool) -> None:
        self._bench = bench
        self._tool = tool
        self._layer: Vectors | None = None
        tool.changed.connect(self.draw)
        bench.viewer.mouse_drag_callbacks.append(self._pressed)

    def draw(self) -> None:
        """Draw the curves and marks of the strip on show; nothing when the tool is out of sight."""
        clip = self._bench.session.clip
        found = self._tool.now if self._tool.is_on else None
        if clip is None or found is None:
            self._hide()
            return
        frame = clip.n_frames - 1
        pieces: list[tuple[Segments, Look]] = []
        for rows, look in (
            (found.curves.towards_rows, Look.TARGET),
            (found.curves.away_rows, Look.TARGET),
            (found.curves.mean_rows, Look.UNREVIEWED),
        ):
            pieces += [(piece, look) for piece in path_segments(found, rows, frame)]
        top, _, bottom, _ = found.strip.axes.box
        onset, end = self._tool.marks_s
        for seconds, dash in ((onset, (1, 0)), (end, (2, 1))):
            if seconds is not None:
                column = found.strip.column_at(seconds)
                line = line_segments([(top, column), (bottom - 1, column)], frame, dash, closed=False)
                pieces.append((line, Look.SELECTED))
        self._show(pieces)

    def mark_at(self, position: Any) -> str:
        """'onset' or 'end' when a place in napari's world lies on that mark, else ''."""
        found = self._tool.now if self._tool.is_on else None
        point = self._bench.layers.point_at(position)
        if found is None or point is None:
            return ""
        row, col = point
        top, _, bottom, _ = found.strip.axes.box
        if not top - 4 <= row <= bottom + 4:
            return ""
        near: list[tuple[float, str]] = []
        for name, seconds in zip(("onset", "end"), self._tool.marks_s, strict=True):
            if seconds is not None:
                near.append((abs(col - found.strip.column_at(seconds)) * self._px_per_column(), name))
        best = min(near, default=(np.inf, ""))
        return best[1] if best[0] <= NEAR_PX else ""

    def _px_per_column(self) -> float:
        """Pixels of the screen that one column of the picture takes."""
        a, b = (np.array(self._bench.layers.world_of((0.0, col)))[-1] for col in (0.0, 1.0))
        return float(abs(b - a) * self._bench.viewer.scene.camera.zoom)

    def _pressed(self, viewer: Any, event: Any) -> Generator[None, None, None]:
        """Take a mark that is pressed along with the mouse; the picture stays where it is."""
        name = self.mark_at(tuple(event.position))
        found = self._tool.now
        if not name or found is None:
            return
        camera = viewer.scene.camera
        before = camera.mouse_pan
        camera.mouse_pan = False
        try:
            yield
            while event.type == "mouse_move":
                point = self._bench.layers.point_at(tuple(event.position))
                if point is not None:
                    seconds = found.strip.seconds_at(point[1])
                    self._bench.attempt(lambda s=seconds: self._tool.move(**{f"{name}_s": s}))  # type: ignore[misc]
                yield
        finally:
            camera.mouse_pan = before

    def _show(self, pieces: list[tuple[Segments, Look]]) -> None:
        clip, viewer = self._bench.session.clip, self._bench.viewer
        if clip is None:
            return
        geometry = geometry_of(clip)
        if self._layer is not None and (
            self._layer not in viewer.layers or tuple(map(str, self._layer.units)) != units_of(clip)
        ):
            self._hide(remove=True)
        if self._layer is None:
            active = viewer.layers.selection.active
            self._layer = line_layer("reflux", geometry)
            viewer.add_layer(self._layer)
            viewer.layers.selection.active = active
        self._layer.scale = geometry["scale"]
        self._layer.edge_width = max(1.0, max(clip.rows, clip.columns) / 500)
        set_lines(self._layer, pieces)

    def _hide(self, *, remove: bool = False) -> None:
        layer = self._layer
        if layer is None:
            return
        if layer not in self._bench.viewer.layers:
            self._layer = None
        elif remove:
            self._bench.viewer.layers.remove(layer)
            self._layer = None
        else:
            set_lines(layer, [])


def units_of(clip: Any) -> tuple[str, ...]:
    """The units of a clip's layers, as napari writes them back."""
    from napari.layers import Vectors

    return tuple(map(str, Vectors(ndim=3, **geometry_of(clip)).units))


def path_segments(found: ReadStrip, rows: npt.NDArray[np.float64], frame: int) -> list[Segments]:
    """A curve as lines, broken where it is not known and where a sweeping strip jumps back; in the box."""
    top, _, bottom, _ = found.strip.axes.box
    columns = found.curves.columns
    known = np.isfinite(rows)
    breaks = np.flatnonzero(~known[1:] | ~known[:-1] | (np.diff(columns) != 1)) + 1
    pieces = []
    for part in np.split(np.arange(rows.size), breaks):
        if part.size > 1 and known[part].all():
            line = np.stack([np.clip(rows[part], top, bottom - 1), columns[part]], axis=1)
            pieces.append(line_segments(line, frame, (1, 0), closed=False))
    return pieces
