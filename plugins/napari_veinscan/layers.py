"""The one place that turns the session into napari layers and a place in the canvas into a point.

napari axes are (frame, row, col).  A calibrated clip has scale (1, mm, mm) and
units (pixel, mm, mm), so that the scale bar reads mm while the slider counts
frames: frames are not evenly spaced in time in every clip.  All layers carry
the same scale, units and labels; napari drops its units as soon as one differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Image, Points, Vectors

from napari_veinscan.frames import ClipFrames
from napari_veinscan.palette import STYLES, Look, look_of
from napari_veinscan.session import Session
from veinscan.dicom import Clip
from veinscan.plan.model import InjectionTarget, Point

AXIS_LABELS = ("frame", "depth", "width")

Segments = npt.NDArray[np.float32]
"""(n, 2, 3) float32: start `(frame, row, col)` and step of each piece of a line."""

NO_SEGMENTS: Segments = np.zeros((0, 2, 3), dtype=np.float32)


def geometry_of(clip: Clip) -> dict[str, Any]:
    """Scale, units and axis labels that every layer of a clip shares."""
    if clip.spacing_mm is None:
        return {"scale": (1.0, 1.0, 1.0), "units": ("pixel",) * 3, "axis_labels": AXIS_LABELS}
    row_mm, col_mm = clip.spacing_mm
    return {"scale": (1.0, row_mm, col_mm), "units": ("pixel", "mm", "mm"), "axis_labels": AXIS_LABELS}


def image_layer_data(clip: Clip) -> tuple[ClipFrames, dict[str, Any], str]:
    """A clip as napari layer data: frames decoded on demand, true colours, mm where calibrated."""
    frames = ClipFrames(clip)
    rgb = frames.ndim == 4
    options: dict[str, Any] = {
        "name": clip.file,
        "rgb": rgb,
        "metadata": {
            "veinscan": {
                "file": clip.file,
                "sop_instance_uid": clip.sop_instance_uid,
                "series_instance_uid": clip.series_instance_uid,
                "kind": clip.kind.value,
                "frame_rate_hz": clip.frame_rate_hz,
                "calibrated": clip.spacing_mm is not None,
            }
        },
        **geometry_of(clip),
    }
    if not rgb:
        # given, so that napari neither decodes frames to look for them nor stretches a dark clip
        options |= {"contrast_limits": (0, 255), "colormap": "gray"}
    return frames, options, "image"


def line_segments(
    corners: npt.ArrayLike, frame: int, dash: tuple[int, int], *, closed: bool = True
) -> Segments:
    """A polygon of `(row, col)` corners as the pieces of a full or dashed line on one frame."""
    points = np.asarray(corners, dtype=np.float32).reshape(-1, 2)
    if len(points) < 2:
        return NO_SEGMENTS
    ends = np.roll(points, -1, axis=0) if closed else points[1:]
    starts = points if closed else points[:-1]
    drawn, skipped = dash
    if skipped:
        # cut into short pieces of about one width of line, so that the dashes are of one length all round
        starts, ends = _cut(starts, ends, 24 * (drawn + skipped))
        keep = np.arange(len(starts)) % (drawn + skipped) < drawn
        starts, ends = starts[keep], ends[keep]
    segments = np.zeros((len(starts), 2, 3), dtype=np.float32)
    segments[:, 0, 0] = frame
    segments[:, 0, 1:] = starts
    segments[:, 1, 1:] = ends - starts
    return segments


def _cut(
    starts: npt.NDArray[np.float32], ends: npt.NDArray[np.float32], pieces: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The same line in `pieces` parts of equal length."""
    path = np.concatenate([starts, ends[-1:]])
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*(ends - starts).T))])
    wanted = np.linspace(0.0, at[-1], pieces + 1)
    cut = np.stack([np.interp(wanted, at, path[:, axis]) for axis in (0, 1)], axis=1).astype(np.float32)
    return cut[:-1], cut[1:]


class Layers:
    """Keeps the layers of one viewer in step with its session."""

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._frames: ClipFrames | None = None
        self._image: Image | None = None
        self._halo: Vectors | None = None
        self._outlines: Vectors | None = None
        self._marks: Points | None = None
        self._targets: Points | None = None
        self._caliper: Vectors | None = None
        self._caliper_text: Points | None = None
        session.clip_changed.connect(self._show_clip)
        session.frame_changed.connect(self._show_frame)
        session.candidates_changed.connect(self._show_candidates)
        session.selection_changed.connect(self._show_selection)
        session.record_changed.connect(self._show_targets)
        viewer.dims.events.current_step.connect(self._frame_was_moved)

    # -- places -----------------------------------------------------------------------

    def point_at(self, position: tuple[float, ...]) -> Point | None:
        """`(row, col)` of a place in napari's world; None outside the picture or in a 3D view."""
        if self._image is None or self._viewer.dims.ndisplay != 2:
            return None
        _, row, col = self._image.world_to_data(position)[-3:]
        rows, cols = self._image.data.shape[1:3]
        if not (-0.5 <= row < rows - 0.5 and -0.5 <= col < cols - 0.5):
            return None
        # SR keeps coordinates as float32; so does the model
        return float(np.float32(row)), float(np.float32(col))

    def world_of(self, point: Point) -> tuple[float, ...]:
        """napari's world position of a point of the shown frame; where a click has to go."""
        if self._image is None:
            return (0.0, 0.0, 0.0)
        image: Any = self._image
        world = image.data_to_world((self._session.frame_index, *point))
        return tuple(map(float, world))

    def bring_into_sight(self, point: Point) -> None:
        """Centre the view on a point of the shown frame that lies outside of it; the zoom stays."""
        camera = self._viewer.scene.camera
        place = np.array(self.world_of(point)[-2:])
        half = np.array(self._viewer.canvas.size) / max(camera.zoom, 1e-9) / 2
        if np.any(np.abs(place - np.array(camera.center[-2:])) > 0.95 * half):
            camera.center = (0.0, float(place[0]), float(place[1]))

    @property
    def frames(self) -> ClipFrames | None:
        """The frames on show."""
        return self._frames

    # -- the clip ---------------------------------------------------------------------

    def clear(self) -> None:
        """Take out the layers of the clip; layers that a person added stay."""
        for layer in (
            self._image,
            self._halo,
            self._outlines,
            self._marks,
            self._targets,
            self._caliper,
            self._caliper_text,
        ):
            if layer is not None and layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._frames = self._image = self._halo = self._outlines = None
        self._marks = self._targets = self._caliper = self._caliper_text = None

    def _show_clip(self) -> None:
        clip = self._session.clip
        self.clear()
        scale_bar = self._viewer.canvas.overlays.scale_bar
        if clip is None:
            scale_bar.visible = False
            return
        self._frames, options, _ = image_layer_data(clip)
        self._image = Image(self._frames, **options)
        geometry = geometry_of(clip)
        width = max(1.0, max(clip.rows, clip.columns) / 400)
        self._halo = _lines("chosen", 3.0 * width, geometry)
        self._outlines = _lines("outlines", width, geometry)
        self._marks = _points("candidates", 9 * width, geometry)
        self._targets = _points("targets", 13 * width, geometry)
        self._caliper = _lines("caliper", width, geometry)
        self._caliper_text = _points("measured", 8 * width, geometry)
        for layer in (
            self._image,
            self._halo,
            self._outlines,
            self._marks,
            self._targets,
            self._caliper,
            self._caliper_text,
        ):
            self._viewer.add_layer(layer)
        self._viewer.layers.selection.active = self._image
        self._viewer.dims.set_current_step(0, self._session.frame_index)
        self._viewer.reset_view()
        scale_bar.visible = True

    def _show_frame(self, frame_index: int) -> None:
        if self._image is not None and self._viewer.dims.current_step[0] != frame_index:
            self._viewer.dims.set_current_step(0, frame_index)

    def _frame_was_moved(self) -> None:
        if self._image is not None and self._viewer.dims.ndim:
            self._session.go_to_frame(int(self._viewer.dims.current_step[0]))

    # -- what lies over it ------------------------------------------------------------

    def _show_candidates(self) -> None:
        if self._outlines is None or self._marks is None:
            return
        rows = self._session.rows()
        clear = 8 * float(self._outlines.edge_width)
        pieces: list[Segments] = []
        colours: list[str] = []
        places: list[tuple[float, float, float]] = []
        labels: list[str] = []
        looks: list[Look] = []
        for row in rows:
            look = look_of(row.review)
            style = STYLES[look]
            for frame, outline in row.candidate.outlines.items():
                line = line_segments(outline, frame, style.dash)
                pieces.append(line)
                colours += [style.colour] * len(line)
                if len(outline):
                    places.append((frame, *beside(outline, clear)))
                    labels.append(str(row.candidate.rank))
                    looks.append(look)
        _set_lines(self._outlines, pieces, colours)
        _set_points(self._marks, places, labels, looks)

    def _show_selection(self) -> None:
        if self._halo is None:
            return
        pieces: list[Segments] = []
        row = self._session.selected
        if row is not None:
            pieces = [line_segments(line, frame, (1, 0)) for frame, line in row.candidate.outlines.items()]
        elif self._session.spot is not None:
            pieces = list(cross(self._session.spot, self._session.frame_index, 8 * self._halo.edge_width / 3))
        _set_lines(self._halo, pieces, [STYLES[Look.SELECTED].colour] * sum(map(len, pieces)))
        self._show_targets()

    def _show_targets(self) -> None:
        if self._targets is None or self._session.clip is None or self._session.record is None:
            return
        uid = self._session.clip.sop_instance_uid
        here = [t for t in self._session.record.targets if t.sop_instance_uid == uid]
        places = [(float(t.frame_index), *t.point) for t in here]
        labels = [target_label(t, t.id == self._session.target_id) for t in here]
        _set_points(self._targets, places, labels, [Look.TARGET] * len(here))

    def show_caliper(self, points: list[Point], text: str = "") -> None:
        """Draw a caliper of no, one or two points with its reading on the shown frame."""
        if self._caliper is None or self._caliper_text is None:
            return
        frame = self._session.frame_index
        pieces = [NO_SEGMENTS]
        if points:
            arm = 6 * self._caliper.edge_width
            pieces = [piece for point in points for piece in cross(point, frame, arm)]
        if len(points) == 2:
            pieces.append(line_segments(points, frame, (1, 0), closed=False))
        _set_lines(self._caliper, pieces, [STYLES[Look.MEASURE].colour] * sum(map(len, pieces)))
        places = [(float(frame), *points[-1])] if text and points else []
        _set_points(self._caliper_text, places, [text] * len(places), [Look.MEASURE] * len(places))


def target_label(target: InjectionTarget, chosen: bool) -> str:
    """What stands beside a target in the picture."""
    return f"▸T{target.order}" if chosen else f"T{target.order}"


def beside(outline: npt.ArrayLike, clear: float) -> tuple[float, float]:
    """`(row, col)` at the upper right of an outline, `clear` pixels off: a number must not hide the lumen."""
    corners = np.asarray(outline, dtype=float)
    (top, _), (bottom, right) = corners.min(axis=0), corners.max(axis=0)
    return float(top + 0.15 * (bottom - top)), float(right + clear)


def cross(point: Point, frame: int, arm: float) -> Iterator[Segments]:
    """An upright cross at a point, in lines."""
    row, col = point
    yield line_segments([(row - arm, col), (row + arm, col)], frame, (1, 0), closed=False)
    yield line_segments([(row, col - arm), (row, col + arm)], frame, (1, 0), closed=False)


def _lines(name: str, width: float, geometry: dict[str, Any]) -> Vectors:
    layer: Vectors = Vectors(
        NO_SEGMENTS, ndim=3, name=name, vector_style="line", edge_width=width, opacity=1.0, **geometry
    )
    layer.editable = False
    return layer


def _points(name: str, size: float, geometry: dict[str, Any]) -> Points:
    layer: Points = Points(
        np.zeros((0, 3)),
        ndim=3,
        name=name,
        size=size,
        opacity=1.0,
        features={"label": np.zeros(0, dtype=object)},
        border_width=0.12,
        text={
            "string": "{label}",
            "anchor": "center",
            "size": 10,
            "color": "white",
            "translation": (0, 0, size),
        },
        canvas_size_limits=(5, 22),
        **geometry,
    )
    layer.editable = False
    return layer


def _set_lines(layer: Vectors, pieces: list[Segments], colours: list[str]) -> None:
    segments = np.concatenate(pieces) if pieces else NO_SEGMENTS
    layer.data = segments
    if colours:
        layer.edge_color = colours


def _set_points(
    layer: Points, places: list[tuple[float, float, float]], labels: list[str], looks: list[Look]
) -> None:
    count = len(places)
    layer.data = np.array(places, dtype=float).reshape(-1, 3)
    if count:
        styles = [STYLES[look] for look in looks]
        layer.symbol = [style.symbol for style in styles]
        layer.face_color = [
            style.colour if style.symbol in {"disc", "x"} else "transparent" for style in styles
        ]
        layer.border_color = [style.colour for style in styles]
    layer.features = {"label": np.array(labels, dtype=object)}
    layer.selected_data = set()
