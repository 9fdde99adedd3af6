"""A line over the picture that says what the next click does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_veinscan import compat

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class Prompt:
    """Says what to click; an empty text puts it away."""

    def __init__(self, bench: Workbench) -> None:
        self.label = QLabel(compat.canvas_widget(bench.viewer))
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.label.setStyleSheet("color: black; background: #F0E442; padding: 4px 8px;")
        self.label.hide()

    def say(self, text: str) -> None:
        """Show a line below the upper edge of the picture."""
        self.label.setText(text)
        self.label.adjustSize()
        canvas = self.label.parentWidget()
        if canvas is not None:
            self.label.move(max(0, (canvas.width() - self.label.width()) // 2), 44)
        self.label.setVisible(bool(text))
