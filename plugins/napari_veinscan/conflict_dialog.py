"""Two readers changed the same thing: both values side by side, who and when, and a choice for each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from veinscan.errors import VeinscanError
from veinscan.record.conflicts import REMOVED, STATUS, Difference, Side, differences, settled

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

FIELD_WORDS = {"sop_instance_uid": "place", "candidate_id": "candidate", "decision": "verdict"}


class ConflictDialog(QDialog):
    """One row for each field that two readers changed, one choice for each reader."""

    def __init__(self, parent: QWidget, found: Sequence[Difference], sentences: Sequence[str]) -> None:
        super().__init__(parent)
        self.setWindowTitle("Two readers changed the same thing")
        self.groups: list[QButtonGroup] = []
        self._found = tuple(found)
        grid_holder = QWidget()
        grid = QGridLayout(grid_holder)
        grid.setHorizontalSpacing(16)
        for row, difference in enumerate(found):
            self._add_row(grid, row, difference)
        grid.setRowStretch(len(found), 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(grid_holder)
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Choose what is right. Your choices are one edit, which can be undone."))
        layout.addWidget(scroll, 1)
        # what nobody can choose is said: two versions together are not final, whichever was
        rest = [text for text in sentences if not any(_is_of(text, one) for one in found)]
        said = QLabel("\n".join(rest))
        said.setWordWrap(True)
        said.setVisible(bool(rest))
        layout.addWidget(said)
        buttons = QDialogButtonBox()
        self.keep = buttons.addButton(
            "Take these" if found else "I have seen this", QDialogButtonBox.ButtonRole.AcceptRole
        )
        self.later = buttons.addButton("Later", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.resize(640, min(520, 140 + 70 * max(1, len(found))))

    def _add_row(self, grid: QGridLayout, row: int, difference: Difference) -> None:
        label = QLabel(f"<b>{_field_words(difference)}</b><br>{difference.label}")
        label.setTextFormat(Qt.TextFormat.RichText)
        grid.addWidget(label, row, 0)
        group = QButtonGroup(self)
        for index, side in enumerate(difference.sides):
            button = QRadioButton(f"{side_words(side)}\n{_who(side)}")
            button.setChecked(index == difference.shown)
            group.addButton(button, index)
            grid.addWidget(button, row, index + 1)
        self.groups.append(group)

    @property
    def choices(self) -> list[tuple[Difference, int]]:
        """What is chosen, one index for each difference."""
        return [(one, group.checkedId()) for one, group in zip(self._found, self.groups, strict=True)]


def show_conflicts(bench: Workbench) -> None:
    """Let a person settle what two readers changed differently; the result is one edit."""
    session = bench.session
    study, record = session.study, session.record
    if study is None or record is None or not record.conflicts:
        return
    try:
        found = differences(study, record)
    except VeinscanError as error:
        bench.warn(error)
        found = ()
    dialog = ConflictDialog(bench.window, found, record.conflicts)
    if dialog.exec() == QDialog.DialogCode.Accepted:
        choices = dialog.choices
        # a withdrawn record takes no edit, and whether it is withdrawn may be the question
        change = session.sign if any(one.part == STATUS for one, _ in choices) else session.edit
        bench.attempt(lambda: change("conflicts settled", lambda now: settled(now, choices)))
    dialog.deleteLater()


def _is_of(sentence: str, difference: Difference) -> bool:
    """Whether a sentence of the record tells of a difference that is offered."""
    if difference.part == STATUS:
        return "withdrew" in sentence
    return sentence.startswith(difference.label)


def _field_words(difference: Difference) -> str:
    if difference.part == STATUS:
        return "withdrawn or not"
    if not difference.fields:
        return "removed or kept"
    name = difference.fields[0]
    return FIELD_WORDS.get(name, name.removesuffix("_mm").replace("_", " "))


def _who(side: Side) -> str:
    when = f", {side.saved_at.astimezone():%d %b %Y %H:%M}" if side.saved_at is not None else ""
    return f"{side.reader or 'reader not named'}{when}"


def side_words(side: Side) -> str:
    """A side's value for a person."""
    if side.words:
        return side.words
    if side.values == (REMOVED,):
        return "removed"
    shown = [words for value in side.values[:2] if (words := _words(value))]
    return " / ".join(dict.fromkeys(shown)) or "empty"


def _words(value: Any) -> str:
    if value is None or value in ("", ()):
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    if isinstance(value, tuple):
        return ", ".join(filter(None, map(_words, value[:3])))
    if is_dataclass(value):
        return "set"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
