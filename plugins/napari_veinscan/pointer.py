"""The mouse in the picture: a click goes to the first tool that wants it, else it chooses."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Protocol

from veinscan.plan.model import Point

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

STILL_PX = 4
"""Pixels of the screen that a click may wander before it is a drag."""


class ClickTool(Protocol):
    """Something that may want clicks in the picture: calipers, a drawn outline, ..."""

    def click(self, point: Point) -> bool:
        """Take a click at `(row, col)` of the shown frame; whether it was wanted."""

    def hover(self, point: Point) -> None:
        """The mouse is at `(row, col)`, no button held."""


class Pointer:
    """Takes clicks and moves of one viewer's mouse."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        bench.viewer.mouse_drag_callbacks.append(self._pressed)
        bench.viewer.mouse_move_callbacks.append(self._moved)

    def _pressed(self, _viewer: Any, event: Any) -> Generator[None, None, None]:
        """A click (press and release without a drag) chooses or measures."""
        position = tuple(event.position)
        start = tuple(event.pos)
        yield
        while event.type == "mouse_move":
            if max(abs(a - b) for a, b in zip(start, event.pos, strict=True)) > STILL_PX:
                return
            yield
        if event.button not in (1, None):
            return
        point = self._bench.layers.point_at(position)
        if point is not None and not any(tool.click(point) for tool in self._bench.tools):
            self._bench.session.point_at(point)

    def _moved(self, _viewer: Any, event: Any) -> None:
        point = self._bench.layers.point_at(tuple(event.position)) if self._bench.tools else None
        if point is not None:
            for tool in self._bench.tools:
                tool.hover(point)
