"""What was given in one row of a session: an injection with its foam, or a laser treatment.

A value is what a person typed, took over as planned, or copied; nothing is filled in by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from napari_veinscan.field_widgets import Choice, Group, NumberField, TextField, entries_of
from napari_veinscan.target_form import LASER_FIELDS
from napari_veinscan.workbench import Workbench
from veinscan.plan import giving
from veinscan.plan.giving import Row
from veinscan.plan.products import product, product_names
from veinscan.plan.treatment import FoamRecipe, Injection, LaserSettings
from veinscan.plan.values import number
from veinscan.plan.vocabulary import Agent, Checked, FoamMethod, Form, Gas

Where = Callable[[], tuple[str, Row]]
"""Gives the session's id and the row on show; raises where none is chosen."""


class EntryForm(QWidget):
    """Fields of the row that is chosen."""

    def __init__(self, bench: Workbench, where: Where) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self._where = where
        self._is_taking = False
        self.fields: dict[str, Any] = {}
        """Of an injection, by the name of their field in the model."""
        self.foam: dict[str, Any] = {}
        """Of the recipe of its foam."""
        self.laser: dict[str, Any] = {}
        """Of the settings of a laser."""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.drug_part = QWidget()
        self._build_drug(_form(self.drug_part))
        self.foam_part = Group("Foam", is_open=True)
        self._build_foam(self.foam_part.form)
        self.laser_part = QWidget()
        self._build_laser(_form(self.laser_part))
        notes = QWidget()
        self.notes = TextField(partial(self._put, "notes"), name="Notes", hint="anything to remember")
        _form(notes).addRow("Notes", self.notes)
        for part in (self.drug_part, self.foam_part, self.laser_part, notes):
            layout.addWidget(part)

    # -- building ---------------------------------------------------------------------

    def _build_drug(self, form: QFormLayout) -> None:
        for name, title in (("artery_checked", "Artery checked"), ("confirmed_intravenous", "In the vein")):
            self._add(form, self.fields, name, title, self._choice(name, title, Checked))
        self.fields["artery_checked"].setToolTip("Whether you looked for an artery here, before the drug")
        self.fields["confirmed_intravenous"].setToolTip("Whether you saw that the needle lies in the vein")
        names = [("that of the session", ""), *((product(key).name, key) for key in product_names())]
        self._add(
            form,
            self.fields,
            "product",
            "Product",
            Choice(names, partial(self._put, "product"), name="Product"),
        )
        self._add(form, self.fields, "agent", "Drug", self._choice("agent", "Drug", Agent))
        self.fields["agent"].setToolTip("Needed only where no product is chosen")
        self._add(form, self.fields, "form", "Form", self._choice("form", "Form", Form))
        for name, title in (
            ("concentration_percent", "Concentration"),
            ("volume_ml", "Volume given"),
            ("needle_gauge", "Needle"),
        ):
            field = NumberField(name, partial(self._put_number, name), name=title)
            self._add(form, self.fields, name, title, field)
        self._add(form, self.fields, "lot", "Lot", TextField(partial(self._put, "lot"), name="Lot"))
        self._add(
            form, self.fields, "venospasm", "Venospasm", self._choice("venospasm", "Venospasm", Checked)
        )

    def _build_foam(self, form: QFormLayout) -> None:
        for name, title, kind in (("method", "Method", FoamMethod), ("gas", "Gas", Gas)):
            choice = Choice(entries_of(kind), partial(self._put_foam, name), name=f"Foam, {title}")
            self._add(form, self.foam, name, title, choice)
        for name, title in (("liquid_parts", "Liquid"), ("gas_parts", "Gas to it"), ("age_s", "Age")):
            field = NumberField(name, partial(self._put_foam, name), name=f"Foam, {title}")
            self._add(form, self.foam, name, title, field)
        self.foam["age_s"].edit.setToolTip("Seconds from making to injecting")
        form.addRow("", self._bench.commands.button("session.foam", "Same foam for all"))

    def _build_laser(self, form: QFormLayout) -> None:
        for name in LASER_FIELDS:
            title = f"Laser {name.split('_')[0]}"
            field = NumberField(name, partial(self._put_laser, name), name=title)
            self._add(form, self.laser, name, title, field)
        cooling = TextField(partial(self._put_laser, "cooling"), name="Cooling")
        self._add(form, self.laser, "cooling", "Cooling", cooling)

    def _choice(self, name: str, title: str, kind: Any) -> Choice:
        return Choice(entries_of(kind), partial(self._put, name), name=title)

    def _add(self, form: QFormLayout, owner: dict[str, Any], name: str, title: str, field: QWidget) -> None:
        owner[name] = field
        label = QLabel(title)
        label.setBuddy(field.edit if isinstance(field, NumberField) else field)
        form.addRow(label, field)

    # -- doing ------------------------------------------------------------------------

    def _put(self, name: str, value: Any) -> bool:
        return self._bench.attempt(lambda: self._change(name, lambda _row: {name: value}))

    def _put_number(self, name: str, value: Any) -> bool:
        return self._bench.attempt(lambda: self._change(name, lambda _row: {name: number(name, value)}))

    def _put_foam(self, name: str, value: Any) -> bool:
        def made(row: Row) -> dict[str, Any]:
            foam = row.entry.foam if isinstance(row.entry, Injection) and row.entry.foam else FoamRecipe()
            given: dict[str, Any] = {name: value if name in ("method", "gas") else number(name, value)}
            return {"foam": replace(foam, **given)}

        return self._bench.attempt(lambda: self._change(f"foam {name}", made))

    def _put_laser(self, name: str, value: Any) -> bool:
        def made(row: Row) -> dict[str, Any]:
            settings = None if row.entry is None or isinstance(row.entry, Injection) else row.entry.settings
            given: dict[str, Any] = {name: value if name == "cooling" else number(name, value)}
            return {"settings": replace(settings or LaserSettings(), **given)}

        return self._bench.attempt(lambda: self._change(f"laser {name}", made))

    def _change(self, what: str, values: Callable[[Row], dict[str, Any]]) -> None:
        session_id, row = self._where()
        changed = values(row)
        order = row.target.order if row.target is not None else "gone"
        label = f"given to target {order}: {what.replace('_', ' ')}"
        reader = self._session.reader
        self._session.edit(
            label, lambda record: giving.change_entry(record, session_id, row, reader, **changed)
        )

    def take_over(self) -> None:
        """Take over what is still being typed."""
        if self._is_taking:
            return
        self._is_taking = True
        try:
            for field in (*self.fields.values(), *self.foam.values(), *self.laser.values(), self.notes):
                if isinstance(field, NumberField | TextField):
                    field.take_over()
        finally:
            self._is_taking = False

    # -- showing ----------------------------------------------------------------------

    def show_row(self, row: Row | None) -> None:
        """Show a row's values; without one everything is empty and closed to typing."""
        if self._is_taking:
            return
        self.setEnabled(row is not None)
        is_laser = row is not None and row.is_laser
        entry = row.entry if row is not None else None
        injection = entry if isinstance(entry, Injection) else Injection(id="")
        settings = None if entry is None or isinstance(entry, Injection) else entry.settings
        for name, field in self.fields.items():
            field.show_value(getattr(injection, name))
        for name, field in self.foam.items():
            field.show_value(getattr(injection.foam or FoamRecipe(), name))
        for name, field in self.laser.items():
            field.show_value(getattr(settings or LaserSettings(), name))
        self.notes.show_value(entry.notes if entry is not None else "")
        self.drug_part.setVisible(not is_laser)
        self.foam_part.setVisible(
            not is_laser and (injection.form is Form.FOAM or injection.foam is not None)
        )
        self.laser_part.setVisible(is_laser)


def _form(part: QWidget) -> QFormLayout:
    form = QFormLayout(part)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(2)
    form.setHorizontalSpacing(6)
    return form
