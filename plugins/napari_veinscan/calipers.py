"""Calipers: one or two clicks measure, and the record keeps it.  Knows neither Qt nor napari."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from psygnal import Signal

from napari_veinscan.session import Session
from veinscan.dicom import Clip
from veinscan.dicom.skin import depth_origin
from veinscan.errors import VeinscanError
from veinscan.plan import editing, measuring
from veinscan.plan.model import Measurement, Point, Record, ValueSource
from veinscan.plan.strips import strip_calibrations_of
from veinscan.plan.vocabulary import MeasurementKind


class Tool(StrEnum):
    """What the clicks measure."""

    DISTANCE = "distance"
    """Between two points of a picture."""
    DIAMETER = "diameter"
    """Inner wall to inner wall."""
    DEPTH = "depth"
    """Skin to near wall, straight down; the skin is clicked."""
    FROM_SKIN = "depth from skin"
    """Skin line of the clip to near wall; one click.  Where the line is not known, as `DEPTH`."""
    TIME = "time"
    """Between two columns of a strip."""
    VELOCITY = "velocity"
    """At one point of a spectral strip."""


@dataclass(frozen=True, slots=True)
class _Use:
    kind: MeasurementKind
    prompts: tuple[str, ...]
    """What to click, one for each click."""
    onto: str = ""
    """The field of a target that it fills."""


USES = {
    Tool.DISTANCE: _Use(
        MeasurementKind.DISTANCE, ("Distance: click one end", "Distance: click the other end")
    ),
    Tool.DIAMETER: _Use(
        MeasurementKind.DIAMETER,
        ("Diameter: click one inner wall", "Diameter: click the opposite inner wall"),
        "diameter",
    ),
    Tool.DEPTH: _Use(
        MeasurementKind.DEPTH,
        ("Depth: click the skin above the vein", "Depth: click the near wall of the vein"),
        "depth",
    ),
    Tool.FROM_SKIN: _Use(
        MeasurementKind.DEPTH, ("Depth from the skin line: click the near wall of the vein",), "depth"
    ),
    Tool.TIME: _Use(
        MeasurementKind.TIME,
        ("Time: click the beginning on the strip", "Time: click the end on the same strip"),
    ),
    Tool.VELOCITY: _Use(MeasurementKind.VELOCITY, ("Velocity: click a point of the strip",)),
}
_DECIMALS = {"mm": 1, "s": 2, "cm/s": 1}


def value_words(measurement: Measurement) -> str:
    """A value as it is shown: '3.2 mm', '0.84 s', '-12.0 cm/s'."""
    return f"{measurement.value:.{_DECIMALS[measurement.unit]}f} {measurement.unit}"


def points_of(measurement: Measurement) -> list[Point]:
    """Its one or two points."""
    return [measurement.point_a, *([] if measurement.point_b is None else [measurement.point_b])]


class Calipers:
    """The tool in hand, its clicks and its reading."""

    changed = Signal()
    failed = Signal(object)

    def __init__(self, session: Session) -> None:
        self._session = session
        self.tool: Tool | None = None
        self.points: list[Point] = []
        """Clicks of the tool in hand, and a reading that the record does not hold."""
        self.measured: Measurement | None = None
        """The last reading; None while measuring and where none could be taken."""
        self._onto_target = False
        self._skin_row: float | None = None
        session.clip_changed.connect(self.put_away)
        session.frame_changed.connect(self._frame_changed)
        session.record_changed.connect(self._record_changed)

    @property
    def prompt(self) -> str:
        """What to do next, or the reading; empty when there is neither."""
        if self.tool is not None:
            return USES[self.tool].prompts[len(self.points)]
        return f"{self.measured.kind.capitalize()} {self.reading}" if self.measured is not None else ""

    @property
    def reading(self) -> str:
        """The reading as text, e.g. '3.2 mm'."""
        return "" if self.measured is None else value_words(self.measured)

    @property
    def kept(self) -> tuple[Measurement, ...]:
        """What the record holds of the clip on show."""
        record, clip = self._session.record, self._session.clip
        return () if record is None or clip is None else measuring.measurements_of(record, clip)

    def take(self, tool: Tool | None, *, onto_target: bool = True) -> None:
        """Take a tool in hand; the next clicks in the picture are its.

        With `onto_target` a diameter or a depth also goes onto the chosen
        target, when that lies on the clip on show.
        """
        self._skin_row = None
        clip = self._session.clip
        if tool is Tool.FROM_SKIN and clip is not None:
            self._skin_row = _skin_row(clip)
            tool = Tool.DEPTH if self._skin_row is None else tool
        self.tool, self.points, self.measured, self._onto_target = tool, [], None, onto_target
        self.changed.emit()

    def put_away(self) -> None:
        """Let go of the tool and of its reading."""
        if self.tool is not None or self.points or self.measured is not None:
            self.take(None)

    def click(self, point: Point) -> bool:
        """Take a click; whether the tool wanted it."""
        if self.tool is None:
            return False
        self.points.append(point)
        if len(self.points) == len(USES[self.tool].prompts):
            self._measure(self.tool)
        self.changed.emit()
        return True

    def hover(self, point: Point) -> list[Point]:
        """The caliper's points if the last were here; none before the first click."""
        if self.tool is Tool.FROM_SKIN and self._skin_row is not None and point[0] > self._skin_row:
            return [(self._skin_row, point[1]), point]
        if self.tool is None or len(self.points) != 1:
            return []
        first = self.points[0]
        return [(first[0], point[1]) if self.tool is Tool.DEPTH else first, point]

    def remove(self, measurement: Measurement) -> None:
        """Take a measurement out of the record."""
        self._session.edit(
            f"{measurement.kind} {value_words(measurement)} removed",
            lambda record: measuring.remove_measurement(record, measurement.id),
        )

    def note(self, measurement: Measurement, notes: str) -> None:
        """Put a person's words beside a measurement."""
        self._session.edit(
            f"{measurement.kind} {value_words(measurement)}: note",
            lambda record: measuring.note_measurement(record, measurement.id, notes),
        )

    def _measure(self, tool: Tool) -> None:
        clicked, self.points, self.tool = self.points, [], None
        clip, record, use = self._session.clip, self._session.record, USES[tool]
        if clip is None or record is None:
            return
        try:
            found = measuring.measured(
                clip,
                self._session.frame_index,
                use.kind,
                clicked,
                self._session.reader,
                calibrations=strip_calibrations_of(record, clip),
            )
        except VeinscanError as error:
            self.failed.emit(error)
            return
        try:
            self._keep(found, clip, use.onto if self._onto_target else "")
        except VeinscanError as error:
            self.points = points_of(found)  # shown all the same: only keeping was refused
            self.failed.emit(error)
        self.measured = found

    def _keep(self, found: Measurement, clip: Clip, onto: str) -> None:
        """Into the record, and onto the chosen target where it is for one: one edit."""
        target = self._session.target
        if target is None or target.sop_instance_uid != clip.sop_instance_uid:
            onto = ""
        # as exact as the display: a caliper of tenths of a millimetre pretends nothing finer
        fields = {f"{onto}_mm": round(found.value, 1), f"{onto}_source": ValueSource.CALIPER} if onto else {}

        def change(record: Record) -> Record:
            kept = measuring.add_measurement(record, found)
            return kept if target is None or not onto else editing.update_target(kept, target.id, **fields)

        of = f"target {target.order}: {onto}" if target is not None and onto else str(found.kind)
        self._session.edit(f"{of} {value_words(found)} with calipers", change)

    def _record_changed(self) -> None:
        if self.measured is not None and self.tool is None and not self.points:
            ids = [one.id for one in self.kept]
            self.measured = self.measured if self.measured.id in ids else None
        self.changed.emit()

    def _frame_changed(self, _frame_index: int) -> None:
        self.put_away()


def _skin_row(clip: Clip) -> float | None:
    """Row of the skin line in the clip's picture; None where it is not known."""
    region = clip.picture_region
    if region is None:
        return None
    row, is_skin = depth_origin(clip, region)
    return row if is_skin else None
