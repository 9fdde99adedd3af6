"""'Test connection': every step of the way to an archive, and which of them fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan import pacs_calls
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.palette import WARNING_COLOUR
from veinscan.errors import VeinscanError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

SIGNS = {True: "✓", False: "✕", None: "–"}
"""None: it was not tried."""


class CheckDialog(QDialog):
    """The steps, each with what was found and what to do."""

    def __init__(self, bench: Workbench, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Connection to {name}")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.said = QLabel("Trying…")
        self.said.setWordWrap(True)
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        inner = QWidget()
        self.lines = QGridLayout(inner)
        self.lines.setColumnStretch(2, 1)
        self._count = 0
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.said, self.progress, scroll, buttons):
            layout.addWidget(widget, 1 if widget is scroll else 0)
        self.resize(600, 420)
        self._job: Job = bench.jobs.start(
            lambda job: pacs_calls.check(name, job.give),
            Callbacks(done=self._ended, failed=self._failed, part=self._add),
            patience_s=pacs_calls.PATIENCE_S,
        )
        self.finished.connect(lambda _result: self._job.abandon())

    def _add(self, step: Any) -> None:
        row, self._count = self._count, self._count + 1
        self.lines.setRowStretch(row, 0)
        self.lines.setRowStretch(row + 1, 1)
        sign = QLabel(SIGNS[step.ok])
        do = "" if not step.do else f"\n{step.do[:1].upper()}{step.do[1:]}."
        what = QLabel(f"{step.what}{do}")
        what.setTextFormat(Qt.TextFormat.PlainText)
        what.setWordWrap(True)
        what.setAlignment(Qt.AlignmentFlag.AlignTop)  # an address that is broken leaves a line empty
        if step.ok is False:
            for label in (sign, what):
                label.setStyleSheet(f"color: {WARNING_COLOUR}")
        time = QLabel(f"{step.seconds:.2f} s" if step.ok is not None else "")
        for column, label in enumerate((sign, QLabel(step.name), what, time)):
            self.lines.addWidget(label, row, column, Qt.AlignmentFlag.AlignTop)

    def _ended(self, steps: tuple[Any, ...]) -> None:
        self.progress.hide()
        bad = [step for step in steps if step.ok is False]
        if bad:
            self.said.setText(f"The step '{bad[0].name}' fails; what it says is below.")
        elif any(step.ok is None for step in steps):
            self.said.setText(f"Every step that was tried works ({SIGNS[None]}: not tried).")
        else:
            self.said.setText("Every step works.")

    def _failed(self, error: Exception) -> None:
        self.progress.hide()
        self.said.setText(str(error) if isinstance(error, VeinscanError) else type(error).__name__)
        self.said.setStyleSheet(f"color: {WARNING_COLOUR}")


def show_check(bench: Workbench, name: str, parent: QWidget) -> CheckDialog:
    """Try the connection to an archive, and show each step."""
    dialog = CheckDialog(bench, name, parent)
    dialog.open()
    return dialog
