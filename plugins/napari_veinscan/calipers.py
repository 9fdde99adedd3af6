"""Two clicks measure a diameter or a depth in mm.  Knows neither Qt nor napari."""

from __future__ import annotations

from enum import StrEnum

from psygnal import Signal

from napari_veinscan.session import Session
from veinscan.errors import VeinscanError
from veinscan.plan.model import Point, ValueSource


class Tool(StrEnum):
    """What the two clicks measure."""

    DIAMETER = "diameter"
    """Inner wall to inner wall."""
    DEPTH = "depth"
    """Skin to near wall, straight down."""


PROMPTS = {
    Tool.DIAMETER: ("Diameter: click one inner wall", "Diameter: click the opposite inner wall"),
    Tool.DEPTH: ("Depth: click the skin above the vein", "Depth: click the near wall of the vein"),
}
"""What to click first and second."""


class Calipers:
    """The tool in hand, its clicks and its reading."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.tool: Tool | None = None
        self.points: list[Point] = []
        self.value_mm: float | None = None
        """The last reading; None while measuring and where none could be taken."""
        self.measured: Tool | None = None
        session.clip_changed.connect(self.put_away)
        session.frame_changed.connect(self._frame_changed)

    @property
    def prompt(self) -> str:
        """What to do next, or the reading; empty when there is neither."""
        if self.tool is not None:
            return PROMPTS[self.tool][min(len(self.points), 1)]
        if self.value_mm is not None and self.measured is not None:
            return f"{self.measured.value.capitalize()} {self.reading}"
        return ""

    @property
    def reading(self) -> str:
        """The reading as text, e.g. '3.2 mm'."""
        return "" if self.value_mm is None else f"{self.value_mm:.1f} mm"

    def take(self, tool: Tool | None) -> None:
        """Take a tool in hand; the next two clicks in the picture are its."""
        self.tool, self.points, self.value_mm, self.measured = tool, [], None, None
        self.changed.emit()

    def put_away(self) -> None:
        """Let go of the tool and of its reading."""
        if self.tool is not None or self.points:
            self.take(None)

    def click(self, point: Point) -> bool:
        """Take a click; whether the tool wanted it."""
        if self.tool is None:
            return False
        self.points.append(point)
        if len(self.points) == 2:
            self._measure(self.tool)
        self.changed.emit()
        return True

    def hover(self, point: Point) -> list[Point]:
        """The caliper's points if the second were here."""
        if self.tool is None or len(self.points) != 1:
            return []
        return self._placed(self.tool, self.points[0], point)

    def _measure(self, tool: Tool) -> None:
        self.points = self._placed(tool, *self.points)
        self.tool = None
        try:
            self.value_mm = self._session.distance_mm(*self.points)
        except VeinscanError as error:
            self.points = []
            self.failed.emit(error)
            return
        self.measured = tool
        target, clip = self._session.target, self._session.clip
        if target is not None and clip is not None and target.sop_instance_uid == clip.sop_instance_uid:
            # as exact as the display: a caliper of tenths of a millimetre pretends nothing finer
            value = round(self.value_mm, 1)
            try:
                if tool is Tool.DIAMETER:
                    self._session.update_target(diameter_mm=value, diameter_source=ValueSource.CALIPER)
                else:
                    self._session.update_target(depth_mm=value, depth_source=ValueSource.CALIPER)
            except VeinscanError as error:
                self.failed.emit(error)

    def _placed(self, tool: Tool, first: Point, second: Point) -> list[Point]:
        # depth is measured straight down, wherever along the skin the first click was
        return [(first[0], second[1]), second] if tool is Tool.DEPTH else [first, second]

    def _frame_changed(self, _frame_index: int) -> None:
        self.put_away()
