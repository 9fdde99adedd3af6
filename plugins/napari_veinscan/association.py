"""Asked once: shall .dcm files be opened by veinscan from now on?

napari's own reader claims them too, and scrambles colour clips; napari has no
way for a plugin to be the default but its user's settings.
"""

from __future__ import annotations

from typing import Any

from napari.settings import get_settings
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_veinscan import window_state

PATTERN = "*.dcm"
READER = "veinscan"
QUESTION = "dcm_reader"


class AssociationQuestion(QWidget):
    """Two buttons; gone for good once one was pressed."""

    def __init__(self) -> None:
        super().__init__()
        words = QLabel("Let veinscan read .dcm files that are dropped or opened in napari?")
        words.setWordWrap(True)
        self.yes = QPushButton("Yes")
        self.yes.setToolTip("Sets the reader for *.dcm in napari's preferences, where it can be changed")
        self.yes.clicked.connect(self._take)
        self.no = QPushButton("No")
        self.no.setToolTip("napari goes on asking")
        self.no.clicked.connect(self._done)
        row = QHBoxLayout()
        row.addWidget(self.yes)
        row.addWidget(self.no)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(words)
        layout.addLayout(row)
        self.setVisible(not is_set() and not window_state.was_asked(QUESTION))

    def _take(self) -> None:
        plugins: Any = get_settings().plugins
        plugins.extension2reader = {**plugins.extension2reader, PATTERN: READER}
        self._done()

    def _done(self) -> None:
        window_state.asked(QUESTION)
        self.hide()


def is_set() -> bool:
    """Whether .dcm files have a reader in napari's settings already."""
    plugins: Any = get_settings().plugins
    return PATTERN in plugins.extension2reader
