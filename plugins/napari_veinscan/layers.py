"""The one place that turns the session into napari layers and a place in the canvas into a point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.components import ViewerModel
from napari.layers import Image, Layer, Shapes, Vectors

from napari_veinscan import compat
from napari_veinscan.frames import ClipFrames
from napari_veinscan.layer_parts import (
    adopt,
    geometry_of,
    image_layer_data,
    region_layer,
    vesselness_colours,
    vesselness_layer,
)
from napari_veinscan.marks import Marks
from napari_veinscan.outline_layer import OutlineLayer
from napari_veinscan.session import Session
from veinscan.dicom import Clip, RegionKind
from veinscan.errors import InvalidInputError
from veinscan.plan.model import Point

PICTURES = {
    RegionKind.TISSUE,
    RegionKind.COLOR_FLOW,
    RegionKind.SPECTRAL_PW,
    RegionKind.SPECTRAL_CW,
    RegionKind.M_MODE,
}
"""Kinds of region that a reader looks at."""


class Layers:
    """Keeps the layers of one viewer in step with its session.

    The layers are made once and given new data from clip to clip: napari
    collects garbage at every removal, which takes longer than all the rest.
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._image: Image | None = None
        self.prepare: Callable[[ClipFrames], None] = lambda _frames: None
        """Called with the frames of a clip before it is drawn for the first time."""
        self._units: tuple[str, ...] = ()
        """Those that the layers were made with."""
        self._placed: list[Layer] = []
        """Those of the marks that are in the viewer."""
        self._changing = False
        self._playing = False
        self._regions: Shapes | None = None
        self._vesselness: Image | None = None
        session.clip_changed.connect(self._show_clip)
        session.frame_changed.connect(self._show_frame)
        self.marks = Marks(session, self._place)
        viewer.dims.events.current_step.connect(self._frame_was_moved)
        viewer.layers.events.inserted.connect(self._layer_was_added)

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

    def show_again(self) -> None:
        """Draw the frame on show anew: it is another than when it was asked for."""
        if self._image is not None:
            self._image.refresh(thumbnail=False, highlight=False, extent=False)

    # -- the clip ---------------------------------------------------------------------

    @property
    def own(self) -> list[Layer]:
        """The layers made here; others in the viewer are a person's or another plugin's."""
        image = [] if self._image is None else [self._image]
        return [*image, *self.marks.layers]

    def clear(self) -> None:
        """Take out the layers of the clip; layers that a person added stay."""
        for layer in self.own:
            self._drop(layer)
        self._image = None
        self.marks.clear()
        self._placed.clear()
        self.show_regions(False)
        if self._vesselness is not None and self._vesselness in self._viewer.layers:
            self._viewer.layers.remove(self._vesselness)
        self._vesselness = None

    def _drop(self, layer: Layer) -> None:
        """Take a layer out, and the frames from the picture's.

        napari's layers are in circles with themselves: decoded frames would stay until Python looks for such.
        """
        if layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        if layer is self._image and self._image is not None:
            # of the same shape: with another size GL errors were seen in the next window, cause unknown
            self._image.data = np.broadcast_to(np.uint8(0), self._image.data.shape)

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
            self.marks.prepare(geometry_of(clip), max(1.0, max(clip.rows, clip.columns) / 400))
            self._viewer.layers.selection.active = self._image
            self._viewer.dims.set_current_step(0, self._session.frame_index)
            self._viewer.reset_view()
            self._fit(clip)
            if self._regions is not None:
                self.show_regions(True)
        finally:
            self._changing = False

    def _show_image(self, clip: Clip) -> None:
        frames, options, _ = image_layer_data(clip)
        self.prepare(frames)
        intact = self._image is not None and all(layer in self._viewer.layers for layer in self._placed)
        if not intact or self._units != options["units"]:
            self.clear()
        self._units = options["units"]
        if self._image is not None and self._image.rgb != options["rgb"]:
            self._drop(self._image)
            self._image = None
        if self._image is None:
            self._image = Image(frames, **options)
            self._viewer.layers.insert(0, self._image)
            return
        self._image.data = frames
        self._image.scale = options["scale"]
        self._image.name = options["name"]
        self._image.metadata = options["metadata"]

    def _place(self, layer: Layer) -> None:
        """Put a layer into the viewer when it first holds something: napari visits all at every drawing."""
        if layer in self._viewer.layers:
            return
        below = {id(one) for one in self.own[: self.own.index(layer)]}
        if self._vesselness is not None:
            below.add(id(self._vesselness))
        places = [place for place, one in enumerate(self._viewer.layers) if id(one) in below]
        active, changing = self._viewer.layers.selection.active, self._changing
        self._changing = True
        try:
            self._placed.append(layer)
            self._viewer.layers.insert(max(places, default=-1) + 1, layer)
            if isinstance(layer, Vectors):
                compat.keep_shaders(self._viewer, layer)
            self._viewer.layers.selection.active = active
            self._viewer.dims.set_current_step(0, self._session.frame_index)
        finally:
            self._changing = changing

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

    def outline_layer(self, frame_index: int) -> OutlineLayer:
        """A layer to draw or change one outline in, on a frame of the clip on show."""
        clip = self._session.clip
        if clip is None:
            raise InvalidInputError("no clip is open", do="choose one in the list of clips")
        return OutlineLayer(self._viewer, clip, frame_index, self.marks.width)

    # -- vesselness -------------------------------------------------------------------

    def show_vesselness(self, response: npt.NDArray[np.float32] | None) -> None:
        """Lay a map (rows, cols) of the frame on show over the picture; None takes it away."""
        clip, layer = self._session.clip, self._vesselness
        if layer is not None and layer not in self._viewer.layers:
            layer = self._vesselness = None  # a person took it out
        if response is None or clip is None:
            if layer is not None:
                layer.visible = False
            return
        if layer is not None and layer.data.shape != response.shape:
            self._viewer.layers.remove(layer)
            layer = None
        if layer is None:
            active = self._viewer.layers.selection.active
            layer = self._vesselness = vesselness_layer(clip)
            self._viewer.layers.insert(1, layer)
            self._viewer.layers.selection.active = active
        layer.scale = geometry_of(clip)["scale"][-2:]
        np.copyto(layer.data, response)  # napari's own way works out extents and limits anew
        if layer.visible:
            layer.refresh(thumbnail=False, highlight=False, extent=False)
        layer.visible = True

    def style_vesselness(self, opacity: float, colours: str) -> None:
        """How strongly and in which colours vesselness is shown."""
        layer = self._vesselness
        if layer is not None:
            layer.opacity = opacity
            if layer.colormap.name != f"vesselness {colours}":
                layer.colormap = vesselness_colours(colours)

    # -- regions ----------------------------------------------------------------------

    @property
    def regions_are_shown(self) -> bool:
        """Whether the scanner's regions are outlined."""
        return self._regions is not None

    def show_regions(self, on: bool) -> None:
        """Outline the scanner's regions, coloured and named by kind, or not."""
        if self._regions is not None:
            if self._regions in self._viewer.layers:
                self._viewer.layers.remove(self._regions)
            self._regions = None
        clip = self._session.clip
        if on and clip is not None:
            active = self._viewer.layers.selection.active
            self._regions = region_layer(clip, self.marks.width)
            self._viewer.add_layer(self._regions)
            self._viewer.layers.selection.active = active

    # -- frames -----------------------------------------------------------------------

    def set_playing(self, playing: bool) -> None:
        """While a clip plays and nothing else depends on the frame, only its picture is exchanged.

        napari's own way moves every layer to the new frame, hidden ones too; it is gone again at the end.
        """
        self._playing = playing
        if not playing:
            self._show_frame(self._session.frame_index)

    def _show_frame(self, frame_index: int) -> None:
        image = self._image
        if image is None:
            return
        frames: ClipFrames = image.data
        if self._playing and self._only_the_picture():
            frames.pinned = frame_index
            image.refresh(thumbnail=False, highlight=False, extent=False)
            return
        stale, frames.pinned = frames.pinned is not None, None
        if self._viewer.dims.current_step[0] != frame_index:
            self._viewer.dims.set_current_step(0, frame_index)
        elif stale:
            image.refresh(extent=False)

    def _only_the_picture(self) -> bool:
        """Whether the picture is all that differs between frames."""
        return self._viewer.dims.ndim == 3 and not any(
            layer.visible and layer.ndim > 2 for layer in self._viewer.layers if layer is not self._image
        )

    def _frame_was_moved(self) -> None:
        if self._image is not None and not self._changing:
            self._session.go_to_frame(int(self._viewer.dims.current_step[0]))

    def _layer_was_added(self, event: Any) -> None:
        """napari shows no millimetres as soon as one layer has none: a layer without is taken for pixels."""
        clip = self._session.clip
        if clip is not None and event.value not in (*self.own, self._regions, self._vesselness):
            adopt(event.value, geometry_of(clip))
