"""The quarantine: every touch of napari's private parts, and why it is needed.

napari has no public way to the main window, the canvas widget, the slider's
frame rate or the docks of the layer list.  Nothing else in the plugin uses a
name of napari that begins with an underscore.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, cast

from napari.components import ViewerModel
from napari.layers import Layer, Points
from qtpy.QtWidgets import QMainWindow, QWidget


def main_window(viewer: Any) -> QMainWindow:
    """The Qt main window (napari's public `Window` is a wrapper that hands out no widget)."""
    return cast(QMainWindow, viewer.window._qt_window)


def canvas_widget(viewer: Any) -> QWidget:
    """The widget that shows the picture: keys arrive here first."""
    return cast(QWidget, viewer.window._qt_viewer.canvas.native)


def layer_docks(viewer: Any) -> tuple[QWidget, QWidget]:
    """napari's 'layer controls' and 'layer list' docks, which a review does not need."""
    qt_viewer = viewer.window._qt_viewer
    return qt_viewer.dockLayerControls, qt_viewer.dockLayerList


def drop_places(viewer: Any) -> tuple[QWidget, ...]:
    """The widgets that files can be dropped onto: napari takes drops itself before the window could."""
    qt_viewer = viewer.window._qt_viewer
    return viewer.window._qt_window, qt_viewer, qt_viewer.canvas.native


def show_preferences(viewer: Any) -> Any:
    """Open napari's dialog of preferences; its command is registered under a name of napari's own."""
    return viewer.window._open_preferences_dialog()


def set_frame_rate(viewer: Any, frames_per_second: float) -> bool:
    """Let the frame slider play at a clip's rate; napari's setting is whole numbers for all axes.

    Returns whether there was a slider to set.
    """
    sliders = viewer.window._qt_viewer.dims.slider_widgets
    if not sliders:
        return False
    sliders[0].fps = float(frames_per_second)
    return True


def frame_rate(viewer: Any) -> float:
    """Frames per second at which the slider plays."""
    return float(viewer.window._qt_viewer.dims.slider_widgets[0].fps)


def play(viewer: Any) -> None:
    """Start playing along the frame axis at the slider's rate."""
    viewer.window._qt_viewer.dims.play(0)


def stop(viewer: Any) -> None:
    """Stop playing."""
    viewer.window._qt_viewer.dims.stop()


def is_playing(viewer: Any) -> bool:
    """Whether a clip is playing."""
    return bool(viewer.window._qt_viewer.dims.is_playing)


def is_gone(viewer: ViewerModel) -> bool:
    """Whether the viewer's window has been closed."""
    return not hasattr(getattr(viewer, "window", None), "_qt_window")


def show_frame_slider(viewer: Any, visible: bool) -> None:
    """Show or hide napari's own sliders: the cine bar stands in for the one of the frames."""
    viewer.window._qt_viewer.dims.setVisible(visible)


@contextmanager
def held(layer: Layer) -> Iterator[None]:
    """A time in which a layer is set anew without being drawn at every setting; refresh it at the end.

    A layer of points hears of its colours by two emitters of their own, and draws all of itself at each.
    """
    with ExitStack() as stack:
        stack.enter_context(layer._block_refresh())
        stack.enter_context(layer.events.blocker_all())
        if isinstance(layer, Points):
            text: Any = layer.text
            for emitters in (text.events, layer._face.events, layer._border.events):
                stack.enter_context(emitters.blocker_all())
        yield


def keep_shaders(viewer: Any, layer: Layer) -> None:
    """Have the lines of a layer in the window drawn by one program, whatever their data.

    vispy (0.17) makes the function that colours a mesh anew with every change of its data: the program is
    then put together, compiled and linked once more, which takes as long as the rest of the drawing.  Lines
    have a colour at each vertex, so the function is always the same.
    """
    if is_gone(viewer):
        return
    mesh = viewer.window._qt_viewer.canvas.layer_to_visual[layer].node
    made = mesh._build_color_transform
    known: dict[bool, Any] = {}

    def kept(colors: Any) -> Any:
        by_value = colors.ndim == 2 and colors.shape[1] == 1
        return made(colors) if by_value else known.setdefault(by_value, made(colors))

    mesh._build_color_transform = kept
