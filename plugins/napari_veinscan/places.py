"""Docks in the window: putting them there, showing them, sharing the room between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QTabBar, QWidget

from napari_veinscan.docks import Dock

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

LEFT_PX, RIGHT_PX = 260, 400
"""Widths of the two sides at 1280 pixels of the screen."""
TAB_STYLE = "QTabBar::tab { padding: 3px 5px; margin: 0px; min-width: 0px; font-size: 10pt; }"


def add_dock(bench: Workbench, dock: Dock) -> QWidget:
    """Put one dock into the window; one that is there already is left where it is."""
    if dock.id in bench.docks:
        return bench.docks[dock.id]
    widget: QWidget = dock.make(bench)
    viewer_window = bench.viewer.window
    viewer_window.add_dock_widget(widget, name=dock.tab, area=dock.area, add_vertical_stretch=False)
    bench.docks[dock.id] = widget
    mine, other = dock_around(widget), dock_around(bench.docks.get(dock.tab_with))
    if mine is not None and other is not None:
        bench.window.tabifyDockWidget(other, mine)
        other.raise_()
    return widget


def show_dock(bench: Workbench, dock_id: str) -> None:
    """Bring a dock to the front and give it the keyboard."""
    widget = bench.docks.get(dock_id)
    dock = dock_around(widget)
    if widget is not None and dock is not None:
        dock.show()
        dock.raise_()
        widget.setFocus(Qt.FocusReason.OtherFocusReason)


def narrow_tabs(bench: Workbench) -> None:
    """Let all tabs be read beside each other: napari's theme gives them wide margins."""
    for bar in bench.window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        bar.setStyleSheet(TAB_STYLE)


def share_out(bench: Workbench) -> None:
    """Share the height of the right side between candidates and targets, and keep the left side slim."""
    found = [dock_around(bench.docks.get(name)) for name in ("clips", "candidates", "targets")]
    narrow_tabs(bench)
    docks = [dock for dock in found if dock is not None]
    if len(docks) == 3:
        clips, candidates, targets = docks
        bench.window.resizeDocks([clips, candidates], [LEFT_PX, RIGHT_PX], Qt.Orientation.Horizontal)
        bench.window.resizeDocks([candidates, targets], [365, 385], Qt.Orientation.Vertical)


def dock_around(widget: QWidget | None) -> QDockWidget | None:
    """The dock that holds a widget."""
    parent = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent
