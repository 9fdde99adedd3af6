"""The look before an export leaves: every clip's first frame as it would be, and whether anybody is named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.field_widgets import Choice, push_button
from veinscan.export import Look
from veinscan.export.review import Said

OPEN, CLEAN, BLACKED = "open", "clean", "blacked"
_WORDS = {
    OPEN: "Not decided",
    CLEAN: "Names nobody",
    BLACKED: "Names nobody once the boxes are black",
}
_COLUMNS = 2
_WIDTH, _HEIGHT = 440, 340
_NOTE = (
    "This is what leaves, one frame of each clip. Yellow boxes may be writing. Look at each: does it name "
    "anybody? Only then does the file say that no writing is burned in."
)


def wrapped_label(text: str, colour: str = "") -> QLabel:
    """A label that breaks its lines."""
    label = QLabel(text)
    label.setWordWrap(True)
    if colour:
        label.setStyleSheet(f"color: {colour}")
    return label


class LookDialog(QDialog):
    """All clips, each with a choice; nothing is decided beforehand."""

    def __init__(self, parent: QWidget, looks: Sequence[Look], reader: str) -> None:
        super().__init__(parent)
        self.setWindowTitle("Look before it leaves")
        self._looks = tuple(looks)
        self.choices: list[Choice] = []
        self._decided = [OPEN] * len(looks)
        inside = QWidget()
        grid = QGridLayout(inside)
        for number, look in enumerate(self._looks):
            grid.addWidget(self._cell(number, look), number // _COLUMNS, number % _COLUMNS)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        self.by = QLineEdit(reader)
        self.by.setAccessibleName("Looked at by")
        self.all_clean = QPushButton("All name nobody")
        self.all_clean.setAutoDefault(False)
        self.all_clean.clicked.connect(lambda: self._set_all(CLEAN))
        who = QHBoxLayout()
        label = QLabel("Looked at &by")
        label.setBuddy(self.by)
        for widget in (label, self.by, self.all_clean):
            who.addWidget(widget)
        self.told = wrapped_label("")
        self.go_on = push_button("Go on", self.accept)
        self.cancel = push_button("Cancel", self.reject)
        # no box of Qt's: under napari's style Tab leaves out a button in it that was disabled before
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.go_on)
        buttons.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.addWidget(wrapped_label(_NOTE))
        layout.addWidget(scroll, 1)
        layout.addLayout(who)
        layout.addWidget(self.told)
        layout.addLayout(buttons)
        self.go_on.setDefault(True)  # not before it has its place: a button learns of its dialog then
        self.by.textChanged.connect(self._changed)
        self.resize(_COLUMNS * (_WIDTH + 55) + 60, 780)
        self._changed()
        if self.choices:
            self.choices[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def _cell(self, number: int, look: Look) -> QGroupBox:
        box = QGroupBox(f"Clip {number + 1}")
        kept = _kept_part(look)
        rows, columns = kept.shape[:2]
        image = QImage(kept.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_RGB888)
        picture = QLabel()
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        picture.setPixmap(
            QPixmap.fromImage(image).scaled(
                _WIDTH,
                _HEIGHT,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )
        picture.setAccessibleName(f"First frame of clip {number + 1}, as it leaves")
        entries = [(words, name) for name, words in _WORDS.items() if name != BLACKED or look.writing]
        choice = Choice(entries, partial(self._decide, number), name=f"Clip {number + 1}")
        choice.show_value(OPEN)
        self.choices.append(choice)
        layout = QVBoxLayout(box)
        layout.addWidget(picture)
        for doubt in look.doubts:
            layout.addWidget(wrapped_label(doubt))
        layout.addWidget(choice)
        return box

    def _decide(self, number: int, name: str) -> bool:
        self._decided[number] = name
        self._changed()
        return True

    def _set_all(self, name: str) -> None:
        for number, choice in enumerate(self.choices):
            choice.show_value(name)
            self._decide(number, name)

    def _changed(self) -> None:
        undecided = self._decided.count(OPEN)
        nameless = undecided < len(self._decided) and not self.by.text().strip()
        if nameless:
            text = "Say who looked: only a person's word counts."
        elif undecided:
            many, whose = ("clip", "it") if undecided == 1 else ("clips", "they")
            text = f"{undecided} {many} will say that {whose} may hold writing."
        else:
            text = "Every clip was looked at."
        self.told.setText(text)
        self.go_on.setEnabled(not nameless)

    def said(self) -> dict[str, Said]:
        """What was decided, by the pseudonym of each clip, as `export_studies` takes it."""
        by = " ".join(self.by.text().split())
        return {
            look.sop_instance_uid: look.said(by, black=decided == BLACKED)
            for look, decided in zip(self._looks, self._decided, strict=True)
            if decided != OPEN
        }


def _kept_part(look: Look) -> npt.NDArray[np.uint8]:
    """The picture without the black round it, so that it is shown as large as can be."""
    row0, col0, row1, col1 = (
        edge(box[k] for box in look.boxes) for k, edge in enumerate((min, min, max, max))
    )
    return np.ascontiguousarray(look.picture[row0:row1, col0:col1])
