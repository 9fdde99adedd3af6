"""The one place that turns the session into napari layers and a place in the canvas into a point.

napari axes are (frame, row, col).  A calibrated clip has scale (1, mm, mm) and
units (pixel, mm, mm), so that the scale bar reads mm while the slider counts
frames: frames are not evenly spaced in time in every clip.  All layers carry
the same scale, units and labels; napari drops its units as soon as one differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.components import ViewerModel
from napari.layers import Image, Layer, Points, Vectors

from napari_veinscan.frames import ClipFrames
from napari_veinscan.lines import NO_SEGMENTS, Segments, beside, cross, line_segments
from napari_veinscan.palette import STYLES, Look, look_of
from napari_veinscan.session import Session
from veinscan.dicom import Clip, RegionKind
from veinscan.plan.model import InjectionTarget, Point

AXIS_LABELS = ("frame", "depth", "width")

PICTURES = {
    RegionKind.TISSUE,
    RegionKind.COLOR_FLOW,
    RegionKind.SPECTRAL_PW,
    RegionKind.SPECTRAL_CW,
    RegionKind.M_MODE,
}
"""Kinds of region that a reader looks at."""


Place = tuple[float, float, float]
"""`(frame, row, col)`."""


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


class Layers:
    """Keeps the layers of one viewer in step with its session.

    The layers are made once and given new data from clip to clip: napari
    collects garbage at every removal, which takes longer than all the rest.
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._image: Image | None = None
        self._lines: dict[str, Vectors] = {}
        self._points: dict[str, Points] = {}
        self._width = 1.0
        """Width of an outline in pixels of the clip."""
        self._changing = False
        session.clip_changed.connect(self._show_clip)
        session.frame_changed.connect(self._show_frame)
        session.candidates_changed.connect(self._show_candidates)
        session.selection_changed.connect(self._show_selection)
        session.record_changed.connect(self._show_targets)
        viewer.dims.events.current_step.connect(self._frame_was_moved)

    # -- places -----------------------------------------------------------------------

    def point_at(self, position: Sequence[float]) -> Point | None:
        """`(row, col)` of a place in napari's world; None outside the picture or in a 3D view."""
        clip = self._session.clip
        if self._image is None or clip is None or self._viewer.dims.ndisplay != 2:
            return None
        _, row, col = self._image.world_to_data(position)[-3:]
        if not (-0.5 <= row < clip.rows - 0.5 and -0.5 <= col < clip.columns - 0.5):
            return None
        # SR keeps coordinates as float32; so does the model
        return float(np.float32(row)), float(np.float32(col))

    def world_of(self, point: Point) -> tuple[float, ...]:
        """napari's world position of a point of the shown frame; where a click has to go."""
        if self._image is None:
            return (0.0, 0.0, 0.0)
        image: Any = self._image
        return tuple(map(float, image.data_to_world((self._session.frame_index, *point))))

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
        return None if self._image is None else self._image.data

    # -- the clip ---------------------------------------------------------------------

    @property
    def _own(self) -> list[Layer]:
        image = [] if self._image is None else [self._image]
        return [*image, *self._lines.values(), *self._points.values()]

    def clear(self) -> None:
        """Take out the layers of the clip; layers that a person added stay."""
        for layer in self._own:
            if layer in self._viewer.layers:
                self._viewer.layers.remove(layer)
        self._image, self._lines, self._points = None, {}, {}

    def _show_clip(self) -> None:
        clip = self._session.clip
        scale_bar = self._viewer.canvas.overlays.scale_bar
        scale_bar.visible = clip is not None
        self._changing = True  # napari moves to the middle frame of whatever is new
        try:
            if clip is None:
                self.clear()
                return
            self._show_image(clip)
            self._prepare(clip)
            self._viewer.layers.selection.active = self._image
            self._viewer.dims.set_current_step(0, self._session.frame_index)
            self._viewer.reset_view()
            self._fit(clip)
        finally:
            self._changing = False

    def _show_image(self, clip: Clip) -> None:
        frames, options, _ = image_layer_data(clip)
        intact = self._image is not None and all(layer in self._viewer.layers for layer in self._own)
        units = tuple(map(str, self._image.units)) if self._image is not None else ()
        if not intact or units != tuple(map(str, Image(frames, **options).units)):
            self.clear()
        if self._image is not None and self._image.rgb != options["rgb"]:
            self._viewer.layers.remove(self._image)
            self._image = None
        if self._image is None:
            self._image = Image(frames, **options)
            self._viewer.layers.insert(0, self._image)
            return
        self._image.data = frames
        self._image.scale = options["scale"]
        self._image.name = options["name"]
        self._image.metadata = options["metadata"]

    def _prepare(self, clip: Clip) -> None:
        """Make the layers over the picture, empty and in the clip's geometry."""
        geometry = geometry_of(clip)
        self._width = max(1.0, max(clip.rows, clip.columns) / 400)
        if not self._lines:
            self._lines = {name: _lines(name, geometry) for name in ("chosen", "outlines", "caliper")}
            self._points = {name: _points(name, geometry) for name in ("candidates", "targets", "measured")}
            for layer in (*self._lines.values(), *self._points.values()):
                self._viewer.add_layer(layer)
        for layer in (*self._lines.values(), *self._points.values()):
            layer.scale = geometry["scale"]
        for name, widths in (("chosen", 3.0), ("outlines", 1.0), ("caliper", 1.0)):
            self._lines[name].edge_width = widths * self._width
        self.show_caliper([])

    def _fit(self, clip: Clip) -> None:
        """Fill the view with what the probe saw; the scanner's margins come back with napari's 'home'."""
        seen = [region.box for region in clip.regions if region.kind in PICTURES]
        if self._image is None or not seen:
            return
        box = np.array(seen)
        top, left = box[:, :2].min(axis=0)
        bottom, right = box[:, 2:].max(axis=0)
        scale = np.array(self._image.scale[-2:])
        size = np.array([bottom - top, right - left]) * scale * 1.12
        centre = np.array([top + bottom - 1, left + right - 1]) / 2 * scale
        camera = self._viewer.scene.camera
        camera.center = (0.0, float(centre[0]), float(centre[1]))
        camera.zoom = float(np.min(np.array(self._viewer.canvas.size) / size))

    def _show_frame(self, frame_index: int) -> None:
        if self._image is not None and self._viewer.dims.current_step[0] != frame_index:
            self._viewer.dims.set_current_step(0, frame_index)

    def _frame_was_moved(self) -> None:
        if self._image is not None and not self._changing:
            self._session.go_to_frame(int(self._viewer.dims.current_step[0]))

    # -- what lies over it ------------------------------------------------------------

    def _show_candidates(self) -> None:
        if not self._lines:
            return
        pieces: list[tuple[Segments, Look]] = []
        marks: list[tuple[Place, str, Look]] = []
        for row in self._session.rows():
            look = look_of(row.review)
            for frame, outline in row.candidate.outlines.items():
                pieces.append((line_segments(outline, frame, STYLES[look].dash), look))
                if len(outline):
                    place = (float(frame), *beside(outline, 5 * self._width))
                    marks.append((place, str(row.candidate.rank), look))
        _set_lines(self._lines["outlines"], pieces)
        _set_points(self._points["candidates"], marks, 6 * self._width)

    def _show_selection(self) -> None:
        if not self._lines:
            return
        pieces: list[Segments] = []
        row, spot = self._session.selected, self._session.spot
        if row is not None:
            pieces = [line_segments(line, frame, (1, 0)) for frame, line in row.candidate.outlines.items()]
        elif spot is not None:
            pieces = [cross(spot, self._session.frame_index, 8 * self._width)]
        _set_lines(self._lines["chosen"], [(piece, Look.SELECTED) for piece in pieces])
        self._show_targets()

    def _show_targets(self) -> None:
        clip, record = self._session.clip, self._session.record
        if not self._points or clip is None or record is None:
            return
        here = [t for t in record.targets if t.sop_instance_uid == clip.sop_instance_uid]
        chosen = self._session.target_id
        marks = [
            ((float(t.frame_index), *t.point), target_label(t, t.id == chosen), Look.TARGET) for t in here
        ]
        _set_points(self._points["targets"], marks, 11 * self._width)

    def show_caliper(self, points: Sequence[Point], text: str = "") -> None:
        """Draw a caliper of no, one or two points with its reading on the shown frame."""
        if not self._lines:
            return
        frame = self._session.frame_index
        pieces = [cross(point, frame, 5 * self._width) for point in points]
        if len(points) == 2:
            pieces.append(line_segments(points, frame, (1, 0), closed=False))
        _set_lines(self._lines["caliper"], [(piece, Look.MEASURE) for piece in pieces])
        place = (float(frame), *points[-1]) if points else (0.0, 0.0, 0.0)
        _set_points(
            self._points["measured"],
            [(place, text, Look.MEASURE)] if text and points else [],
            6 * self._width,
        )


def target_label(target: InjectionTarget, chosen: bool) -> str:
    """What stands beside a target in the picture."""
    return f"▸T{target.order}" if chosen else f"T{target.order}"


def rgba(colour: str) -> tuple[float, float, float, float]:
    """'#RRGGBB' as red, green, blue and opacity in 0..1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0


_RGBA = {look: rgba(style.colour) for look, style in STYLES.items()}
_CLEAR = (0.0, 0.0, 0.0, 0.0)


def _lines(name: str, geometry: dict[str, Any]) -> Vectors:
    layer: Vectors = Vectors(NO_SEGMENTS, ndim=3, name=name, vector_style="line", opacity=1.0, **geometry)
    layer.visible = False
    layer.editable = False  # else a stray click would move what was found
    return layer


def _points(name: str, geometry: dict[str, Any]) -> Points:
    layer: Points = Points(
        np.zeros((0, 3)),
        ndim=3,
        name=name,
        opacity=1.0,
        features={"label": np.zeros(0, dtype=object)},
        border_width=0.12,
        text={"string": "{label}", "anchor": "center", "size": 10, "color": "white"},
        canvas_size_limits=(5, 22),
        **geometry,
    )
    layer.visible = False
    layer.editable = False
    return layer


def _set_lines(layer: Vectors, pieces: Sequence[tuple[Segments, Look]]) -> None:
    if not pieces and not len(layer.data):
        return
    if pieces:
        layer.visible = True  # first: napari does not slice a hidden layer
    layer.data = np.concatenate([piece for piece, _ in pieces]) if pieces else NO_SEGMENTS
    if len(layer.data):
        layer.edge_color = np.repeat([_RGBA[look] for _, look in pieces], [len(p) for p, _ in pieces], axis=0)
    layer.visible = bool(pieces)  # an empty layer that is shown slows every step


def _set_points(layer: Points, marks: Sequence[tuple[Place, str, Look]], size: float) -> None:
    if not marks and not len(layer.data):
        return
    if marks:
        layer.visible = True
    looks = [look for _, _, look in marks]
    layer.data = np.array([place for place, _, _ in marks], dtype=float).reshape(-1, 3)
    layer.features = {"label": np.array([label for _, label, _ in marks], dtype=object)}
    text: Any = layer.text
    text.translation = np.array([0.0, 0.0, size])
    if marks:
        filled = {"disc", "x"}
        layer.size = np.full(len(marks), size)
        layer.symbol = [STYLES[look].symbol for look in looks]
        layer.border_color = np.array([_RGBA[look] for look in looks])
        layer.face_color = np.array([_RGBA[k] if STYLES[k].symbol in filled else _CLEAR for k in looks])
    layer.selected_data = set()
    layer.visible = bool(marks)
