"""What the window says where no archive is set up."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan import pacs_calls

EXAMPLE = """[pacs.clinic]
url = "https://pacs.example.org/dicom-web"
user = "reader"
"""
NONE = "No archive is set up yet. Write these lines, with your archive's address, into the settings file:"
DOCS = "docs/pacs.md"


class SetupPage(QWidget):
    """How to set an archive up, where, and 'Look again'."""

    def __init__(self, look_again: Callable[[], object]) -> None:
        super().__init__()
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.where = QLineEdit()
        self.where.setReadOnly(True)
        self.where.setAccessibleName("Settings file")
        self.example = QPlainTextEdit(EXAMPLE)
        self.example.setReadOnly(True)
        self.example.setTabChangesFocus(True)
        self.example.setAccessibleName("Lines for the settings file")
        self.example.setFixedHeight(5 * self.example.fontMetrics().lineSpacing() + 8)
        self.again = QPushButton("Look again")
        self.again.clicked.connect(lambda _checked=False: look_again())
        more = QLabel(
            "The address is that of the archive's DICOMweb service; who looks after the archive knows it. "
            "A password does not belong in this file: it is asked for. An archive without DICOMweb takes "
            f'dimse = "AET@host:port" instead. {DOCS} says more, also how to try it with an archive of '
            "your own in five minutes."
        )
        more.setWordWrap(True)
        self.copy = QPushButton("Copy these lines")
        self.copy.clicked.connect(lambda _checked=False: QApplication.clipboard().setText(EXAMPLE))
        row = QHBoxLayout()
        row.addWidget(self.copy)
        row.addWidget(self.again)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.said, self.where, self.example, more):
            layout.addWidget(widget)
        layout.addLayout(row)
        layout.addStretch(1)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)

    def say(self, problem: str) -> None:
        """Show it: why there is no archive (empty: none is set up), and where the settings are."""
        self.said.setText(problem or NONE)
        self.where.setText(str(pacs_calls.settings_file()))
