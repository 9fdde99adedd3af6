"""What every layer over a clip shares (scale, units, labels), and how marks are written into napari's layers.

napari axes are (frame, row, col).  A calibrated clip has scale (1, mm, mm) and
units (pixel, mm, mm), so that the scale bar reads mm while the slider counts
frames: frames are not evenly spaced in time in every clip.  All layers carry
the same scale, units and labels; napari drops its units as soon as one differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.layers import Image, Layer, Points, Shapes, Vectors
from napari.utils import Colormap

from napari_veinscan import compat, preferences
from napari_veinscan.frames import ClipFrames
from napari_veinscan.lines import NO_SEGMENTS, Segments
from napari_veinscan.palette import REGION_LOOKS, STYLES, VESSELNESS_COLOURS, Look
from veinscan.dicom import Clip

AXIS_LABELS = ("frame", "depth", "width")

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
    frames = ClipFrames(clip, preferences.load().frame_budget_bytes)
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


def adopt(layer: Layer, geometry: dict[str, Any]) -> bool:
    """Give a layer without units and scale those of the clip; whether it was one.

    Such a layer (napari's 'new points layer', another plugin's) counts in the
    pixels of the clip already; `geometry` is that of `geometry_of`.
    """
    count = min(layer.ndim, 3)
    pixels = all(str(unit) in ("pixel", "dimensionless", "") for unit in layer.units)
    if layer.ndim > 3 or not pixels or not np.allclose(layer.scale, 1.0):
        return False
    layer.scale = geometry["scale"][-count:]
    layer.units = geometry["units"][-count:]
    layer.axis_labels = geometry["axis_labels"][-count:]
    return True


def rgba(colour: str) -> tuple[float, float, float, float]:
    """'#RRGGBB' as red, green, blue and opacity in 0..1."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, 1.0


_RGBA = {look: rgba(style.colour) for look, style in STYLES.items()}
_CLEAR = (0.0, 0.0, 0.0, 0.0)


def line_layer(name: str, geometry: dict[str, Any]) -> Vectors:
    """A layer for lines on frames, empty and hidden; nobody can edit it."""
    layer: Vectors = Vectors(NO_SEGMENTS, ndim=3, name=name, vector_style="line", opacity=1.0, **geometry)
    layer.visible = False
    layer.editable = False  # else a stray click would move what was found
    return layer


def point_layer(name: str, geometry: dict[str, Any]) -> Points:
    """A layer for marks with a label, empty and hidden; nobody can edit it."""
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


_SHOWN = "veinscan shows"
"""Under this name a layer's metadata keeps what it was last set to: napari draws anew at every setting."""


def set_lines(layer: Vectors, pieces: Sequence[tuple[Segments, Look]]) -> None:
    """Draw these lines and no others; a layer without lines is hidden."""
    data = np.concatenate([piece for piece, _ in pieces]) if pieces else NO_SEGMENTS
    counts = [(look, len(piece)) for piece, look in pieces]
    shown = layer.metadata.get(_SHOWN)
    if shown is not None and shown == counts and np.array_equal(layer.data, data):
        return
    layer.metadata[_SHOWN] = counts
    if not len(data) and not len(layer.data):
        return
    set_visible(layer, bool(len(data)) or layer.visible)  # first: napari does not slice a hidden layer
    with compat.held(layer):
        layer.data = data
        if len(data):
            layer.edge_color = np.repeat([_RGBA[look] for look, _ in counts], [n for _, n in counts], axis=0)
    layer.refresh(thumbnail=False)  # which nobody sees, and which takes as long as all the rest
    set_visible(layer, bool(len(data)))  # an empty layer that is shown slows every step


def set_points(layer: Points, marks: Sequence[tuple[Place, str, Look]], size: float) -> None:
    """Set these marks `(place, label, look)` and no others; a layer without marks is hidden."""
    places, labels = [place for place, _, _ in marks], [label for _, label, _ in marks]
    looks = [look for _, _, look in marks]
    wanted = (places, labels, looks, size)
    shown = layer.metadata.get(_SHOWN)
    if shown == wanted:
        return
    layer.metadata[_SHOWN] = wanted
    if not marks and not len(layer.data):
        return
    set_visible(layer, bool(marks) or layer.visible)
    text: Any = layer.text
    with compat.held(layer):
        if layer.selected_data:
            layer.selected_data = set()
        if shown is None or (places, labels, size) != (shown[0], shown[1], shown[3]):
            layer.data = np.array(places, dtype=float).reshape(-1, 3)
            layer.features = {"label": np.array(labels, dtype=object)}
            text.translation = np.array([0.0, 0.0, size])
        if marks:
            filled = {"disc", "x"}
            layer.size = np.full(len(marks), size)
            layer.symbol = [STYLES[look].symbol for look in looks]
            layer.border_color = np.array([_RGBA[look] for look in looks])
            layer.face_color = np.array([_RGBA[k] if STYLES[k].symbol in filled else _CLEAR for k in looks])
    layer.refresh(thumbnail=False)
    set_visible(layer, bool(marks))


def set_visible(layer: Layer, on: bool) -> None:
    """Show or hide a layer; napari draws everything anew even where nothing changes."""
    if layer.visible != on:
        layer.visible = on


VESSELNESS_LIMITS = (0.1, 0.5)
"""Responses shown as nothing and with the last colour: speckle gives 0.1, walls round dark blood 0.5."""


def vesselness_layer(clip: Clip) -> Image:
    """Vesselness over the picture, still all 0: one map for the frame on show."""
    geometry = {name: value[-2:] for name, value in geometry_of(clip).items()}
    return Image(
        np.zeros((clip.rows, clip.columns), np.float32),
        name="vesselness",
        contrast_limits=VESSELNESS_LIMITS,
        blending="translucent",
        interpolation2d="linear",
        **geometry,
    )


def vesselness_colours(name: str) -> Colormap:
    """A colour map of `VESSELNESS_COLOURS` that is clear where there is no response."""
    anchors = np.array([rgba(colour) for colour in VESSELNESS_COLOURS[name]])
    at = np.linspace(0.0, 1.0, 64)
    colours = np.stack(
        [np.interp(at, np.linspace(0, 1, len(anchors)), anchors[:, part]) for part in range(4)], axis=1
    )
    colours[:, 3] = np.clip(1.5 * at, 0.0, 1.0)
    return Colormap(colours, name=f"vesselness {name}")


def region_layer(clip: Clip, width: float) -> Shapes:
    """The scanner's regions as outlines with their names, coloured by kind; the same on every frame."""
    geometry = {name: value[-2:] for name, value in geometry_of(clip).items()}
    boxes, names, colours = [], [], []
    for region in clip.regions:
        row0, col0, row1, col1 = np.array(region.box) - 0.5  # edges of pixels, not their centres
        boxes.append(np.array([[row0, col0], [row0, col1], [row1, col1], [row1, col0]]))
        colour, name = REGION_LOOKS[region.kind]
        names.append(name if region.source == "file" else f"{name} ({region.source})")
        colours.append(rgba(colour))
    layer: Shapes = Shapes(
        boxes,
        ndim=2,
        name="regions",
        shape_type="rectangle",
        face_color="transparent",
        edge_color=np.array(colours).reshape(-1, 4) if boxes else "white",
        edge_width=1.5 * width,
        features={"name": np.array(names, dtype=object)},
        text={"string": "{name}", "anchor": "upper_left", "size": 9, "color": "white"},
        opacity=1.0,
        **geometry,
    )
    layer.editable = False
    return layer
