"""Values of the patient on the day of a session: weight, checklist of contraindications, CEAP, r-VCSS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_veinscan.day_form import Several
from napari_veinscan.field_widgets import Choice, Group, NumberField, TextField, entries_of
from napari_veinscan.words import words_of
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.treatment import Ceap, ClinicalValues, Contraindication, Rvcss, TreatmentSession
from veinscan.plan.values import number
from veinscan.plan.vocabulary import Answer, CeapC, CeapE, CeapP, Checked, ContraindicationItem, Side

SIDES = (Side.LEFT, Side.RIGHT)
RVCSS_ITEMS = (
    "pain", "varicose_veins", "oedema", "pigmentation", "inflammation", "induration", "ulcers",
    "ulcer_duration", "ulcer_size", "compression_use",
)  # fmt: skip
NOT_SAID = ("–", None)

Change = Callable[[ClinicalValues], ClinicalValues]


class Edits(Protocol):
    """Edits of what holds the values: a session or a follow-up, each with its `values` and its day `on`."""

    def attempt(self, what: str, change: Callable[[Any], Any]) -> bool:
        """Change it as one edit; whether it was taken."""


class ClinicalForm(QWidget):
    """Weight and three lists, each closed until it is wanted; an empty list is not 'no'."""

    def __init__(self, edits: Edits) -> None:
        super().__init__()
        self._edits = edits
        self.weight = NumberField("weight_kg", self._put_weight, name="Weight")
        self.answers: dict[ContraindicationItem, Choice] = {}
        self.texts: dict[ContraindicationItem, TextField] = {}
        self.ceap: dict[tuple[Side, str], Any] = {}
        self.rvcss: dict[tuple[Side, str], Choice] = {}
        self.patient = Group("Patient", is_open=False)
        self.checklist = Group("Contraindications", is_open=False)
        self.classes = Group("CEAP", is_open=False)
        self.scores = Group("r-VCSS", is_open=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self.patient.form.addRow("Weight", self.weight)
        for group in (self.patient, self.checklist, self.classes, self.scores):
            layout.addWidget(group)
        self._build_checklist()
        self._build_ceap()
        self._build_rvcss()

    # -- building ---------------------------------------------------------------------

    def _build_checklist(self) -> None:
        for item in ContraindicationItem:
            title = words_of(item)
            self.answers[item] = Choice(
                entries_of(Answer), partial(self._put_answer, item, "answer"), name=title
            )
            self.texts[item] = TextField(
                partial(self._put_answer, item, "text"), name=f"{title}, remark", hint="remark"
            )
            row = QHBoxLayout()
            row.setSpacing(4)
            row.addWidget(self.answers[item])
            row.addWidget(self.texts[item], 1)
            label = QLabel(title)
            label.setBuddy(self.answers[item])
            self.checklist.form.addRow(label, row)

    def _build_ceap(self) -> None:
        grid = _two_legs(self.classes)
        makers: tuple[tuple[str, str, Callable[[Any, str], Any]], ...] = (
            ("clinical", "Clinical class", lambda put, name: _choice(CeapC, put, name)),
            ("symptomatic", "Symptomatic", lambda put, name: Choice(entries_of(Checked), put, name=name)),
            ("etiology", "Etiology", lambda put, name: Several(CeapE, put, name=name)),
            ("anatomy", "Anatomy", lambda put, name: TextField(put, name=name, hint="As, GSVa")),
            ("pathophysiology", "Pathophysiology", lambda put, name: _choice(CeapP, put, name)),
            ("investigation", "Level of investigation", lambda put, name: _scale(put, name, 1)),
        )
        for row, (name, title, make) in enumerate(makers, start=1):
            grid.addWidget(QLabel(title), row, 0)
            for column, side in enumerate(SIDES, start=1):
                self.ceap[side, name] = make(partial(self._put_ceap, side, name), f"{title}, {side.value}")
                grid.addWidget(self.ceap[side, name], row, column)

    def _build_rvcss(self) -> None:
        grid = _two_legs(self.scores)
        for row, name in enumerate(RVCSS_ITEMS, start=1):
            grid.addWidget(QLabel(words_of(name)), row, 0)
            for column, side in enumerate(SIDES, start=1):
                put = partial(self._put_rvcss, side, name)
                self.rvcss[side, name] = _scale(put, f"{words_of(name)}, {side.value}", 0)
                grid.addWidget(self.rvcss[side, name], row, column)

    # -- doing ------------------------------------------------------------------------

    def _attempt(self, what: str, change: Change) -> bool:
        def put(one: Any) -> Any:
            values = replace(change(one.values or ClinicalValues()), on=one.on)
            return replace(one, values=None if values == ClinicalValues(on=one.on) else values)

        return self._edits.attempt(what, put)

    def _put_weight(self, value: Any) -> bool:
        return self._attempt("weight", lambda v: replace(v, weight_kg=number("weight_kg", value)))

    def _put_answer(self, item: ContraindicationItem, name: str, value: Any) -> bool:
        def change(values: ClinicalValues) -> ClinicalValues:
            known = {one.item: one for one in values.contraindications}
            given: dict[str, Any] = {name: value}
            known[item] = replace(known.get(item, Contraindication(item=item)), **given)
            kept = (known[one] for one in ContraindicationItem if one in known)
            return replace(
                values, contraindications=tuple(one for one in kept if one != Contraindication(item=one.item))
            )

        return self._attempt(words_of(item), change)

    def _put_ceap(self, side: Side, name: str, value: Any) -> bool:
        if name == "anatomy":
            value = tuple(part.strip() for part in value.split(",") if part.strip())
        return self._attempt(
            f"CEAP {name}", lambda v: replace(v, ceap=_of_leg(v.ceap, Ceap, side, name, value))
        )

    def _put_rvcss(self, side: Side, name: str, value: Any) -> bool:
        return self._attempt(
            f"r-VCSS {name}", lambda v: replace(v, rvcss=_of_leg(v.rvcss, Rvcss, side, name, value))
        )

    def typed_fields(self) -> list[Any]:
        """Fields that may hold something that is still being typed."""
        return [self.weight, *self.texts.values(), *self.ceap.values()]

    # -- showing ----------------------------------------------------------------------

    def show_session(self, session: TreatmentSession | FollowUp | None) -> None:
        """Show the values that a session or a follow-up holds."""
        values = (session.values if session is not None else None) or ClinicalValues()
        self.weight.show_value(values.weight_kg)
        known = {one.item: one for one in values.contraindications}
        for item, choice in self.answers.items():
            said = known.get(item, Contraindication(item=item))
            choice.show_value(said.answer)
            self.texts[item].show_value(said.text)
        for (side, name), field in self.ceap.items():
            found = getattr(_leg(values.ceap, Ceap, side), name)
            field.show_value(", ".join(found) if name == "anatomy" else found)
        for (side, name), choice in self.rvcss.items():
            choice.show_value(getattr(_leg(values.rvcss, Rvcss, side), name))
        self.patient.say("" if values.weight_kg is None else f"{values.weight_kg:g} kg")
        self.checklist.say(_checklist_words(values))
        self.classes.say(
            ", ".join(f"{one.side.value} {one.clinical.value}" for one in values.ceap if one.clinical)
        )
        self.scores.say(", ".join(_score_words(one) for one in values.rvcss))


def _two_legs(group: Group) -> QGridLayout:
    grid = QGridLayout()
    grid.setVerticalSpacing(2)
    for column, title in enumerate(("", "left leg", "right leg")):
        grid.addWidget(QLabel(title), 0, column)
    grid.setColumnStretch(1, 1)
    grid.setColumnStretch(2, 1)
    group.column.addLayout(grid)
    return grid


def _choice(kind: Any, put: Any, name: str) -> Choice:
    return Choice([NOT_SAID, *((str(member.value), member) for member in kind)], put, name=name)


def _scale(put: Any, name: str, low: int) -> Choice:
    return Choice([NOT_SAID, *((str(value), value) for value in range(low, 4))], put, name=name)


def _leg(members: tuple[Any, ...], kind: Any, side: Side) -> Any:
    return next((one for one in members if one.side is side), kind(side=side))


def _of_leg(members: tuple[Any, ...], kind: Any, side: Side, name: str, value: Any) -> tuple[Any, ...]:
    """The values of both legs with one of them changed; a leg of which nothing is said is left out."""
    changed = replace(_leg(members, kind, side), **{name: value})
    found = [changed if one.side is side else one for one in members]
    if changed not in found:
        found.append(changed)
    return tuple(one for one in found if one != kind(side=one.side))


def _score_words(score: Rvcss) -> str:
    given = [value for name in RVCSS_ITEMS if (value := getattr(score, name)) is not None]
    part = "" if len(given) == len(RVCSS_ITEMS) else f" ({len(given)} of {len(RVCSS_ITEMS)} items)"
    return f"{score.side.value} {sum(given)}{part}"


def _checklist_words(values: ClinicalValues) -> str:
    answered = [one for one in values.contraindications if one.answer is not Answer.NOT_ASKED]
    if not answered:
        return "not asked yet"
    yes = [words_of(one.item) for one in answered if one.answer is Answer.YES]
    asked = len(ContraindicationItem) - 1  # 'other' need not be asked
    count = sum(one.item is not ContraindicationItem.OTHER for one in answered)
    return f"{count} of {asked} asked; yes: {', '.join(yes) or 'none'}"
