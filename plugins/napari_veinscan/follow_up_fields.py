"""Fields of the follow-up's forms, made from a table: what a line holds is said once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any

from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_veinscan.day_form import typed_day
from napari_veinscan.field_widgets import (
    Choice,
    Commit,
    Group,
    NumberField,
    TextField,
    empty,
    entries_of,
    vein_entries,
)
from napari_veinscan.words import words_of
from veinscan.plan.model import InjectionTarget
from veinscan.plan.values import number

Kind = type[StrEnum] | str
"""A vocabulary, or 'number', 'day', 'text', 'vein', 'target'."""
Spec = tuple[str, str, Kind]
"""Name of the field in the model, title on the screen, kind."""

NO_TARGET = ("not at one target", "")


def made_field(spec: Spec, commit: Commit, *, where: str = "") -> Any:
    """A field of a kind, with its accessible name."""
    name, title, kind = spec
    title = f"{where}, {title}" if where else title
    if kind == "number":
        return NumberField(name, commit, name=title)
    if kind == "text":
        return TextField(commit, name=title)
    if kind == "day":
        field = TextField(commit, name=title, hint="year-month-day")
        field.setMaximumWidth(120)
        return field
    if kind == "vein":
        return Choice(vein_entries(), commit, name=title)
    if kind == "target":
        return Choice([NO_TARGET], commit, name=title)
    assert not isinstance(kind, str)  # noqa: S101  # a table of this package
    return Choice(first_open(kind), commit, name=title)


def first_open(kind: type[StrEnum]) -> list[tuple[str, Any]]:
    """The members of a vocabulary as words, the one that says nothing first."""
    open_ones = ("not_examined", "not_assessed")
    return sorted(entries_of(kind), key=lambda entry: str(entry[1]) not in open_ones)


def taken(spec: Spec, value: Any) -> Any:
    """What a field gave as the model keeps it.  Raises in a sentence where it is no such value."""
    name, _, kind = spec
    if kind == "number":
        return number(name, value)
    if kind == "day":
        return typed_day(value)
    return value


def put_value(field: Any, value: Any) -> None:
    """Show a value of the model in its field."""
    field.show_value(value.isoformat() if isinstance(value, date) else shown_day(field, value))


def shown_day(field: Any, value: Any) -> Any:
    """Nothing said is an empty text in a field of text."""
    return "" if value is None and isinstance(field, TextField) else value


def add_row(form: QFormLayout, title: str, field: QWidget) -> QLabel:
    """A line of a form whose title leads to the field."""
    label = QLabel(title)
    label.setBuddy(field.edit if isinstance(field, NumberField) else field)
    form.addRow(label, field)
    return label


class Entries(Group):
    """A list of like things, each with a few fields; added by its first field, taken off by a button."""

    def __init__(
        self,
        title: str,
        head: Spec,
        specs: Sequence[Spec],
        *,
        add: Callable[[Any], bool],
        change: Callable[[int, str, Any], bool],
        remove: Callable[[int], bool],
    ) -> None:
        """`head` is the field that says what an entry is: it is chosen when one is added."""
        super().__init__(title, is_open=False)
        self._head, self._specs = head, tuple(specs)
        self._change, self._remove = change, remove
        self._made_for: tuple[Any, ...] = ()
        self.lines: list[dict[str, Any]] = []
        """Of each entry its fields, by their name in the model."""
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self.column.addLayout(self._rows)
        self.which = made_field(head, lambda _value: True, where=title)
        self.add = QPushButton("Add")
        self.add.setToolTip(f"Record: {head[1].lower()}")
        self.add.clicked.connect(lambda _checked=False: add(self.which.currentData()))
        adding = QHBoxLayout()
        adding.addWidget(self.which, 1)
        adding.addWidget(self.add)
        self.column.addLayout(adding)

    def show_entries(
        self, owner: str, members: Sequence[Any], targets: Sequence[tuple[str, InjectionTarget]] = ()
    ) -> None:
        """Show the entries of `owner`; the lines are made anew only when there are others."""
        heads = tuple(getattr(one, self._head[0]) for one in members)
        names = tuple((name, target.id) for name, target in targets)
        if (owner, heads, names) != self._made_for:
            self._made_for = (owner, heads, names)
            empty(self._rows)
            self.lines = [self._line(index, head, names) for index, head in enumerate(heads)]
        for line, one in zip(self.lines, members, strict=True):
            for name, field in line.items():
                put_value(field, getattr(one, name))
        self.say(", ".join(words_of(head) for head in heads))

    def _line(self, index: int, head: Any, targets: Sequence[tuple[str, str]]) -> dict[str, Any]:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        title = words_of(head)
        first = QHBoxLayout()
        said = QLabel(title)
        said.setStyleSheet("font-weight: bold")
        off = QToolButton()
        off.setText("✕")
        off.setToolTip(f"Take '{title}' off")
        off.clicked.connect(lambda _checked=False: self._remove(index))
        first.addWidget(said, 1)
        first.addWidget(off)
        column.addLayout(first)
        form = QFormLayout()
        form.setVerticalSpacing(2)
        column.addLayout(form)
        line: dict[str, Any] = {}
        for spec in self._specs:
            field = made_field(spec, partial(self._taken, index, spec), where=title)
            if spec[2] == "target":
                field.put_entries([NO_TARGET, *targets])
            line[spec[0]] = field
            add_row(form, spec[1], field)
        self._rows.addWidget(box)
        return line

    def _taken(self, index: int, spec: Spec, value: Any) -> bool:
        return self._change(index, spec[0], value)

    def spec_of(self, name: str) -> Spec:
        """How a field is described."""
        return next(spec for spec in self._specs if spec[0] == name)

    def typed_fields(self) -> list[Any]:
        """Fields that may hold something that is still being typed."""
        return [field for line in self.lines for field in line.values()]
