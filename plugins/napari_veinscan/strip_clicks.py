"""Two clicks on the burned-in axes of a strip, each with what the axes say there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout

from napari_veinscan.field_widgets import typed_number
from napari_veinscan.prompt import Prompt
from napari_veinscan.reflux_tool import RefluxTool
from veinscan.dicom.model import Box
from veinscan.errors import InvalidInputError
from veinscan.plan.model import Point

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

CORNERS = ("Click the upper left corner of the strip", "Click the lower right corner of the strip")
AXES = (
    "Click a point of the strip whose velocity and time you can read off its axes",
    "Click another point: another velocity and another time",
)


class AxisDialog(QDialog):
    """What the axes say at a clicked point."""

    def __init__(self, bench: Workbench, which: int) -> None:
        super().__init__(bench.window)
        self.setWindowTitle(f"Point {which} of 2")
        self.velocity, self.seconds = QLineEdit(), QLineEdit()
        self.unit = QComboBox()
        self.unit.addItems(["cm/s", "Hz"])
        form = QFormLayout()
        form.addRow("Velocity or frequency there", self.velocity)
        form.addRow("Unit of the axis", self.unit)
        form.addRow("Time there, s", self.seconds)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self._check)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Towards the probe is positive; time may count from anywhere."))
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)
        self.velocity.setFocus()

    @property
    def values(self) -> tuple[float, float] | None:
        """Velocity and seconds; None while one of them is no number."""
        found = typed_number(self.velocity.text()), typed_number(self.seconds.text(), "s")
        return found if all(isinstance(value, float) for value in found) else None  # type: ignore[return-value]

    def _check(self) -> None:
        if self.values is None:
            self.problem.setText("Give a number for both, with a point or a comma.")
            self.problem.show()
            return
        self.accept()


class StripClicks:
    """Asks for the clicks, one after the other; Escape or another clip lets go."""

    def __init__(self, bench: Workbench, tool: RefluxTool) -> None:
        self._bench = bench
        self._tool = tool
        self._box: Box | None = None
        self._points: list[Point] | None = None
        self._values: list[tuple[float, float]] = []
        bench.tools.append(self)
        bench.session.clip_changed.connect(self.stop)

    def start(self) -> None:
        """Begin; where no strip is known its corners are asked for first."""
        clip = self._bench.session.clip
        if clip is None:
            raise InvalidInputError("no clip is open", do="choose one in the list of clips")
        self._bench.session.editable_record()
        boxes = self._tool.boxes(clip)
        self._box = boxes[min(self._tool.index, len(boxes) - 1)] if boxes else None
        self._points, self._values = [], []
        self._ask()

    def stop(self) -> None:
        """Let go."""
        if self._points is not None:
            self._points = None
            self._bench.part(Prompt).say("")

    def click(self, point: Point) -> bool:
        """Take a click, when one is asked for."""
        if self._points is None:
            return False
        self._points.append(point)
        if self._box is None:
            if len(self._points) == 2:
                (row0, col0), (row1, col1) = self._points
                self._box = (
                    round(min(row0, row1)), round(min(col0, col1)),
                    round(max(row0, row1)) + 1, round(max(col0, col1)) + 1,
                )  # fmt: skip
                self._points = []
            self._ask()
            return True
        dialog = AxisDialog(self._bench, len(self._points))
        if not dialog.exec() or dialog.values is None:
            self.stop()
            return True
        self._values.append(dialog.values)
        if len(self._points) < 2:
            self._ask()
            return True
        box, (first, second), unit = self._box, self._points, dialog.unit.currentText()
        self.stop()
        self._bench.attempt(
            lambda: self._tool.calibrate(box, first, self._values[0], second, self._values[1], unit=unit)
        )
        return True

    def hover(self, point: Point) -> None:
        """Nothing to show."""

    def _ask(self) -> None:
        texts = CORNERS if self._box is None else AXES
        self._bench.part(Prompt).say(texts[len(self._points or [])])
