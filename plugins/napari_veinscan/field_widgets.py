"""Fields of forms: a choice, a number with its unit, a text.  Each hands on what a person gave.

A field never changes a value by itself: the wheel over a closed list scrolls the form,
a text that is no number is put back, and what a refusal leaves is what was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.palette import SOURCE_WORDS
from napari_veinscan.words import words_of
from veinscan.plan.model import ValueSource
from veinscan.plan.values import LIMITS
from veinscan.plan.veins import UNKNOWN, VEINS

Commit = Callable[[Any], bool]
"""Takes a value a person gave; False when it was refused."""


class Choice(QComboBox):
    """One of a list; the wheel does not change it."""

    def __init__(self, entries: Sequence[tuple[str, Any]], commit: Commit, *, name: str = "") -> None:
        super().__init__()
        self._commit = commit
        self._shown: Any = None
        self._values: list[Any] = []
        self.put_entries(entries)
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(5)
        self.setMaxVisibleItems(20)
        self.activated.connect(self._picked)

    def put_entries(self, entries: Sequence[tuple[str, Any]]) -> None:
        """Offer other entries."""
        if [(self.itemText(place), value) for place, value in enumerate(self._values)] == list(entries):
            return
        self.clear()
        self._values = [value for _, value in entries]  # Qt hands a member of a vocabulary back as bare text
        for text, value in entries:
            self.addItem(text, value)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802  (a method of Qt)
        """Leave the wheel to the form."""
        event.ignore()

    def show_value(self, value: Any) -> None:
        """Show a value; one that is not in the list shows the first."""
        self._shown = value
        self.setCurrentIndex(max(0, self.findData(value)))

    def _picked(self, _index: int) -> None:
        value = self._values[self.currentIndex()]
        if value != self._shown and not self._commit(value):
            self.show_value(self._shown)


class NumberField(QWidget):
    """A number with its unit: typed with a point or a comma, within its plausible range."""

    def __init__(self, limit: str, commit: Commit, *, name: str = "", decimals: int | None = None) -> None:
        super().__init__()
        low, high, unit = LIMITS[limit]
        self._commit = commit
        self._unit = unit
        self._decimals = decimals
        self._shown: float | None = None
        self.edit = QLineEdit()
        self.edit.setMaximumWidth(64)
        self.edit.setPlaceholderText("–")
        self.edit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.edit.setAccessibleName(f"{name}, {unit}" if name else unit)
        self.edit.setToolTip(f"{name + ': ' if name else ''}{low:g} to {high:g} {unit}".strip())
        self.edit.editingFinished.connect(self.take_over)
        self.after = QHBoxLayout(self)
        self.after.setContentsMargins(0, 0, 0, 0)
        self.after.addWidget(self.edit)
        if unit:
            self.after.addWidget(QLabel(unit))

    def show_value(self, value: float | None) -> None:
        """Show a number; a dash where there is none."""
        self._shown = value
        if not self.edit.isModified():
            self._put_back()

    def take_over(self) -> None:
        """Hand on what was typed; a text that is refused is put back."""
        if not self.edit.isModified():
            return
        self.edit.setModified(False)
        value = typed_number(self.edit.text(), self._unit)
        if value == self._shown or not self._commit(value):
            self._put_back()

    def _put_back(self) -> None:
        value = self._shown
        if value is None:
            text = ""
        else:
            text = f"{value:g}" if self._decimals is None else f"{value:.{self._decimals}f}"
        if self.edit.text() != text:
            self.edit.setText(text)
        self.edit.setModified(False)


class MmField(NumberField):
    """A number in mm that can also be measured with the caliper, with where it comes from."""

    def __init__(self, limit: str, commit: Commit, measure: Callable[[], None], *, name: str) -> None:
        super().__init__(limit, commit, name=name, decimals=1)
        self.measure = QPushButton("Measure")
        self.measure.setToolTip(f"Measure the {name.lower()} with two clicks in the picture")
        self.measure.clicked.connect(lambda _checked=False: measure())
        self.source = QLabel()
        self.source.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.after.addWidget(self.measure)
        self.after.addWidget(self.source, 1)

    def show_measured(self, value: float | None, source: ValueSource | None) -> None:
        """Show a number and where it comes from."""
        self.show_value(value)
        short, full = SOURCE_WORDS[source] if source is not None and value is not None else ("", "")
        self.source.setText(short)
        self.source.setToolTip(full)


class TextField(QLineEdit):
    """A line of text, handed on when the field is left or Enter is pressed."""

    def __init__(self, commit: Commit, *, name: str = "", hint: str = "") -> None:
        super().__init__()
        self._commit = commit
        self._shown = ""
        self.setAccessibleName(name)
        self.setPlaceholderText(hint)
        self.editingFinished.connect(self.take_over)

    def show_value(self, value: str) -> None:
        """Show a text; what is being typed is left alone."""
        self._shown = value
        if not self.isModified() and self.text() != value:
            self.setText(value)

    def take_over(self) -> None:
        """Hand on what was typed."""
        if not self.isModified():
            return
        self.setModified(False)
        if self.text() != self._shown and not self._commit(self.text()):
            self.setText(self._shown)


class Group(QWidget):
    """A part of the form with a heading that opens and closes it; closed, it says what is in it."""

    def __init__(self, title: str, *, is_open: bool) -> None:
        super().__init__()
        self._title = title
        self.head = QToolButton()
        self.head.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.head.setCheckable(True)
        self.head.setAutoRaise(True)
        self.head.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.head.toggled.connect(self._toggled)
        self.inner = QWidget()
        self.column = QVBoxLayout(self.inner)
        """For what is no field: text that wraps gets its height here, which a form does not give it."""
        self.column.setContentsMargins(12, 0, 0, 2)
        self.column.setSpacing(2)
        self.form = QFormLayout()
        self.column.addLayout(self.form)
        self.form.setVerticalSpacing(2)
        self.form.setHorizontalSpacing(6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.head)
        layout.addWidget(self.inner)
        self.head.setChecked(is_open)
        self._toggled(is_open)
        self.say("")

    def say(self, summary: str) -> None:
        """What stands in the heading after its title."""
        self.head.setText(self._title + (f":  {summary}" if summary else ""))

    def _toggled(self, is_open: bool) -> None:
        self.inner.setVisible(is_open)
        self.head.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)


def typed_number(text: str, unit: str = "") -> float | str | None:
    """A number as typed (decimal comma or point, unit or not); None for nothing, the text itself for none.

    A text that is no number is handed on, so that it is refused with the sentence that every
    other bad value gets.
    """
    text = text.strip()
    bare = text.removesuffix(unit).strip().replace(",", ".")
    if not bare:
        return None
    try:
        return float(bare)
    except ValueError:
        return text


def push_button(text: str, do: Callable[[], object], tip: str = "") -> QPushButton:
    """A button that Enter in a field beside it does not press."""
    button = QPushButton(text)
    button.setAutoDefault(False)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: do())
    return button


def empty(layout: QLayout) -> None:
    """Take every widget out of a layout and let Qt delete it."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.deleteLater()


def dress(widget: QWidget, style: str) -> None:
    """Give a widget a style sheet where it has another: at every setting Qt lays out the window anew."""
    if widget.styleSheet() != style:
        widget.setStyleSheet(style)


def entries_of(kind: type[StrEnum]) -> list[tuple[str, Any]]:
    """The members of a vocabulary as words, unknown first."""
    members = sorted(
        kind, key=lambda one: one.value not in ("unknown", "not_judged", "not_tested", "not_asked")
    )
    return [(words_of(member), member) for member in members]


def vein_entries() -> list[tuple[str, Any]]:
    """The named veins, unknown first."""
    named = [(v.display if v.display == v.name else f"{v.name}: {v.display}", v.name) for v in VEINS]
    return [("unknown", UNKNOWN), *named]
