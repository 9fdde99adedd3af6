"""Second line under the picture: how vesselness is worked out and shown."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QWidget
from superqt import QDoubleRangeSlider

from napari_veinscan import compat
from napari_veinscan.commands import Command
from napari_veinscan.live import LARGEST_MM, SMALLEST_MM, Live
from napari_veinscan.palette import VESSELNESS_COLOURS, WARNING_COLOUR
from napari_veinscan.workbench import Workbench


class LiveBar(QWidget):
    """Range of inner diameters, opacity, colours; or why there is no vesselness."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._live = bench.part(Live)
        self.sizes = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.sizes.setRange(SMALLEST_MM, LARGEST_MM)
        self.sizes.setValue(self._live.diameters_mm)
        self.sizes.setToolTip("Inner diameters that are looked for")
        self.sizes.setAccessibleName("Range of diameters in mm")
        self.sizes.valueChanged.connect(self._sizes_moved)
        self.range = QLabel()
        self.range.setMinimumWidth(self.range.fontMetrics().horizontalAdvance("88.8 to 88.8 mm"))
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(round(100 * self._live.opacity))
        self.opacity.setToolTip("How strongly it covers the picture")
        self.opacity.setAccessibleName("Opacity of vesselness")
        self.opacity.valueChanged.connect(lambda value: self._live.set_look(opacity=value / 100))
        self.colours = QComboBox()
        self.colours.addItems(list(VESSELNESS_COLOURS))
        self.colours.setCurrentText(self._live.colours)
        self.colours.setToolTip("Colours that people with any kind of colour vision tell apart")
        self.colours.textActivated.connect(self._colours_chosen)
        self.problem = QLabel()
        self.problem.setStyleSheet(f"color: {WARNING_COLOUR}")

        layout = QHBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 2)
        layout.setSpacing(6)
        layout.addWidget(QLabel("Diameters"))
        layout.addWidget(self.sizes, 3)
        layout.addWidget(self.range)
        layout.addWidget(QLabel("Opacity"))
        layout.addWidget(self.opacity, 2)
        layout.addWidget(self.colours)
        layout.addWidget(self.problem, 1)
        self._live.changed.connect(self._show)
        self._show()

    def _sizes_moved(self, values: tuple[float, float]) -> None:
        self._live.set_diameters(round(values[0], 1), round(values[1], 1))

    def _colours_chosen(self, name: str) -> None:
        self._live.set_look(colours=name)
        compat.canvas_widget(self._bench.viewer).setFocus()  # the list would keep the keys

    def _show(self) -> None:
        live = self._live
        self.setVisible(live.is_on)
        self.range.setText(f"{live.diameters_mm[0]:.1f} to {live.diameters_mm[1]:.1f} mm")
        with QSignalBlocker(self.sizes), QSignalBlocker(self.opacity):
            self.sizes.setValue(live.diameters_mm)
            self.opacity.setValue(round(100 * live.opacity))
        self.colours.setCurrentText(live.colours)
        problem = live.problem
        self.problem.setText(f"No vesselness: {problem}" if problem else "")
        self.problem.setVisible(bool(problem))
        for widget in (self.sizes, self.opacity, self.colours):
            widget.setEnabled(not problem)


def _toggle(bench: Workbench) -> None:
    live = bench.part(Live)
    live.show(not live.is_on)


COMMANDS = (
    Command(
        "view.vesselness",
        "Vesselness over the picture",
        "Clip",
        _toggle,
        keys=("V",),
        tip="How much each place looks like the inside of a vessel, worked out as you go",
    ),
)
