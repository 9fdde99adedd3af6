"""Over the list of clips: how much of a study has come from the archive, 'Stop' and 'Try again'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from napari_veinscan.field_widgets import dress, push_button
from napari_veinscan.pacs_arriving import Arriving
from napari_veinscan.pacs_opening import open_again
from napari_veinscan.palette import WARNING_COLOUR
from veinscan.pacs.words import size_words

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

BAR_PX = 6


class ArrivingLine(QWidget):
    """Gone when everything is here."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._arriving = bench.part(Arriving)
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(BAR_PX)
        self.progress.setAccessibleName("Clips that have come")
        self.stop = push_button("Stop", self._arriving.stop, "What has come stays, and can be worked with")
        self.again = push_button("Try again", lambda: open_again(bench), "Fetch what has not come")
        row = QHBoxLayout()
        row.addWidget(self.said, 1)
        row.addWidget(self.stop)
        row.addWidget(self.again)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.progress)
        self._arriving.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        arriving = self._arriving
        self.setVisible(arriving.is_on)
        if not arriving.is_on:
            return
        problem = arriving.problem
        count = f"{arriving.here} of {arriving.total} clips"
        if problem and arriving.is_coming:
            why = problem.removeprefix(f"archive '{arriving.archive}': ").rstrip(".")
            words = f"Arriving: {count}. Waiting for {arriving.archive}: {why}. It goes on by itself."
        elif problem:
            words = f"{count} are here, and stay usable. {problem[:1].upper()}{problem[1:]}"
        else:
            size = f", {size_words(arriving.size)}" if arriving.size else ""
            words = f"Arriving: {count}{size}"
        self.said.setText(words)
        dress(self.said, f"color: {WARNING_COLOUR}" if problem and not arriving.is_stopped else "")
        self.progress.setVisible(arriving.is_coming)
        self.progress.setRange(0, max(1, arriving.total))
        self.progress.setValue(arriving.here)
        self.stop.setVisible(arriving.is_coming)
        self.again.setVisible(not arriving.is_coming)
