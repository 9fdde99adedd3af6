"""The day of a session: who, when and how, and what is worn after it.  Nothing clinical is preset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from napari_veinscan.field_widgets import Choice, Group, NumberField, TextField, entries_of
from napari_veinscan.words import words_of
from napari_veinscan.workbench import Workbench
from veinscan.errors import InvalidInputError
from veinscan.plan import giving
from veinscan.plan.products import product, product_names
from veinscan.plan.treatment import Compression, TreatmentSession
from veinscan.plan.values import number
from veinscan.plan.visits import put_session
from veinscan.plan.vocabulary import (
    Checked,
    CompressionKind,
    Guidance,
    Indication,
    Legs,
    PatientPosition,
    SkinPrep,
    Symptom,
)


class SessionEdits:
    """Edits of the session that is chosen, for the forms that show it."""

    def __init__(self, bench: Workbench, chosen: Callable[[], str]) -> None:
        self._bench = bench
        self._chosen = chosen

    def attempt(self, what: str, change: Callable[[TreatmentSession], TreatmentSession]) -> bool:
        """Change the session as one edit; whether it was taken."""
        session = self._bench.session

        def put() -> None:
            uid = self._chosen()
            session.edit(
                f"session: {what.replace('_', ' ')}",
                lambda record: put_session(record, change(giving.find_session(record, uid)), session.reader),
            )

        return self._bench.attempt(put)

    def put(self, name: str, value: Any) -> bool:
        """Set one field of the session."""
        return self.attempt(name, lambda one: _with(one, name, value))

    def put_number(self, name: str, value: Any) -> bool:
        """Set one number of the session, as typed."""
        return self.attempt(name, lambda one: _with(one, name, number(name, value)))

    def put_day(self, name: str, text: str) -> bool:
        """Set one day of the session, as typed."""
        return self.attempt(name, lambda one: _with(one, name, typed_day(text)))


class Several(QToolButton):
    """Any number of a list, from a menu; the button says which."""

    def __init__(self, kind: type[StrEnum], commit: Callable[[Any], bool], *, name: str) -> None:
        super().__init__()
        self._commit = commit
        self._shown: tuple[Any, ...] = ()
        self.setAccessibleName(name)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        menu = QMenu(self)
        self._actions: dict[Any, Any] = {}
        for member in kind:
            action = menu.addAction(words_of(member))
            action.setCheckable(True)
            action.triggered.connect(partial(self._toggled, member, action))
            self._actions[member] = action
        self.setMenu(menu)
        self.show_value(())

    def show_value(self, value: Sequence[Any]) -> None:
        """Show which are chosen."""
        self._shown = tuple(value)
        for member, action in self._actions.items():
            action.setChecked(member in self._shown)
        self.setText(", ".join(words_of(one) for one in self._shown) or "not said")

    def _toggled(self, member: Any, action: Any, _checked: bool = False) -> None:
        others = tuple(one for one in self._shown if one != member)
        if not self._commit((*others, member) if action.isChecked() else others):
            self.show_value(self._shown)


class DayForm(QWidget):
    """Fields of the session in two groups: the day, and what follows."""

    def __init__(self, edits: SessionEdits) -> None:
        super().__init__()
        self._edits = edits
        self.fields: dict[str, Any] = {}
        """By the name of their field in the model."""
        self.worn: dict[str, Any] = {}
        """Of the compression."""
        self.day = Group("The day", is_open=True)
        self.after = Group("After it", is_open=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.day)
        layout.addWidget(self.after)
        self._build_day()
        self._build_after()

    def _build_day(self) -> None:
        self._day_field(self.day, "on", "Day")
        counted = QWidget()
        row = QHBoxLayout(counted)
        row.setContentsMargins(0, 0, 0, 0)
        for name, title in (("number", "Session number"), ("planned_total", "Sessions planned in all")):
            self.fields[name] = NumberField(name, partial(self._edits.put_number, name), name=title)
            row.addWidget(self.fields[name])
            row.addWidget(QLabel("of" if name == "number" else "planned"))
        row.addStretch(1)
        self.day.form.addRow("Session", counted)
        self._text(self.day, "operator", "Who treats")
        self._choice(self.day, "legs", "Legs", Legs)
        names = [("none chosen", ""), *((product(key).name, key) for key in product_names())]
        self.fields["product"] = Choice(
            names, partial(self._edits.put, "product"), name="Product of the session"
        )
        self.fields["product"].setToolTip("For injections where no product of their own is chosen")
        self._row(self.day, "Product", "product")
        self._choice(self.day, "position", "Posture", PatientPosition)
        self._choice(self.day, "skin_prep", "Skin cleansed with", SkinPrep)
        self._several("guidance", "Guided by", Guidance)
        self._choice(self.day, "consent_recorded", "Consent recorded", Checked)
        self._choice(self.day, "indication", "Indication", Indication)
        self._several("symptoms", "Symptoms", Symptom)

    def _build_after(self) -> None:
        form = self.after.form
        kind = Choice(entries_of(CompressionKind), partial(self._put_worn, "kind"), name="Compression")
        self.worn["kind"] = kind
        form.addRow("Compression", kind)
        for name, title in (("pressure_mmhg", "Pressure"), ("days", "Worn for")):
            self.worn[name] = NumberField(name, partial(self._put_worn, name), name=title)
            form.addRow(title, self.worn[name])
        for name, title in (
            ("pain_score", "Pain"),
            ("observation_min", "Observed for"),
            ("downtime_days", "Downtime"),
        ):
            self.fields[name] = NumberField(name, partial(self._edits.put_number, name), name=title)
            self._row(self.after, title, name)
        self._day_field(self.after, "next_due", "Next session due")
        self._text(self.after, "notes", "Notes")

    def _row(self, group: Group, title: str, name: str) -> None:
        label = QLabel(title)
        field = self.fields[name]
        label.setBuddy(field.edit if isinstance(field, NumberField) else field)
        group.form.addRow(label, field)

    def _choice(self, group: Group, name: str, title: str, kind: type[StrEnum]) -> None:
        self.fields[name] = Choice(entries_of(kind), partial(self._edits.put, name), name=title)
        self._row(group, title, name)

    def _several(self, name: str, title: str, kind: type[StrEnum]) -> None:
        self.fields[name] = Several(kind, partial(self._edits.put, name), name=title)
        self._row(self.day, title, name)

    def _text(self, group: Group, name: str, title: str) -> None:
        self.fields[name] = TextField(partial(self._edits.put, name), name=title)
        self._row(group, title, name)

    def _day_field(self, group: Group, name: str, title: str) -> None:
        field = TextField(partial(self._edits.put_day, name), name=title, hint="year-month-day")
        field.setMaximumWidth(130)
        self.fields[name] = field
        self._row(group, title, name)

    def _put_worn(self, name: str, value: Any) -> bool:
        def change(one: TreatmentSession) -> TreatmentSession:
            given: dict[str, Any] = {name: value if name == "kind" else number(name, value)}
            worn = replace(one.compression or Compression(), **given)
            return replace(one, compression=None if worn == Compression() else worn)

        return self._edits.attempt(f"compression {name}", change)

    def typed_fields(self) -> list[Any]:
        """Fields that may hold something that is still being typed."""
        return [*self.fields.values(), *self.worn.values()]

    def show_session(self, session: TreatmentSession | None) -> None:
        """Show a session's values."""
        shown = session or TreatmentSession(id="")
        for name, field in self.fields.items():
            value = getattr(shown, name)
            if name in ("on", "next_due"):
                value = value.isoformat() if value is not None else ""
            field.show_value(value)
        for name, field in self.worn.items():
            field.show_value(getattr(shown.compression or Compression(), name))
        who = f", {shown.operator}" if shown.operator else ""
        self.day.say(f"{shown.on or 'day not said'}{who}" if session is not None else "")
        worn = shown.compression
        self.after.say(words_of(worn.kind) if worn is not None else "")


def _with(session: TreatmentSession, name: str, value: Any) -> TreatmentSession:
    given: dict[str, Any] = {name: value}
    return replace(session, **given)


def typed_day(text: str) -> date | None:
    """A day as typed: year-month-day, or day.month.year; None for nothing."""
    text = text.strip()
    if not text:
        return None
    parts = text.split(".")
    ordered = "-".join(part.strip().zfill(2) for part in reversed(parts)) if len(parts) == 3 else text
    try:
        return date.fromisoformat(ordered)
    except ValueError:
        raise InvalidInputError(f"{text!r} is not a day", do="write it like 2026-11-30") from None
