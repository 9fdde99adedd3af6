"""The visit as a whole: the day, deep veins, complications, evacuation, appearance, next step.

Nothing is preset: deep veins are 'not examined' until somebody says what was seen of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_veinscan.clinical_form import ClinicalForm
from napari_veinscan.field_widgets import Group, NumberField, TextField
from napari_veinscan.follow_up_edits import VisitEdits, with_value
from napari_veinscan.follow_up_fields import Entries, Spec, add_row, made_field, put_value, taken
from napari_veinscan.words import words_of
from veinscan.errors import InvalidInputError
from veinscan.plan.follow_up import Complication, DeepVeinFinding, Evacuation, FollowUp
from veinscan.plan.model import InjectionTarget
from veinscan.plan.vocabulary import (
    Checked,
    ComplicationKind,
    Compressible,
    Course,
    DeepVeins,
    JunctionClass,
    NextStep,
    Posture,
    Rater,
    Severity,
    Side,
)

DAY: tuple[Spec, ...] = (
    ("on", "Day", "day"),
    ("duplex_done", "Duplex done", Checked),
    ("posture", "Posture", Posture),
)
DEEP: tuple[Spec, ...] = (
    ("deep_veins", "Deep veins", DeepVeins),
    ("deep_veins_action", "Action taken", "text"),
    ("junction_class", "Junction", JunctionClass),
    ("junction_stump_mm", "Stump", "number"),
    ("junction_action", "Action taken there", "text"),
)
EVACUATION: tuple[Spec, ...] = (
    ("done", "Evacuated", Checked),
    ("on", "Day", "day"),
    ("sites", "Sites", "text"),
    ("volume_ml", "Volume", "number"),
)
AFTER: tuple[Spec, ...] = (
    ("appearance_percent", "Appearance changed by", "number"),
    ("rater", "Judged by", Rater),
    ("before_photo", "Photo from before", Checked),
    ("photos", "Photos", "text"),
    ("satisfaction", "Satisfaction", "number"),
    ("compression_worn_days", "Compression worn", "number"),
)
NEXT: tuple[Spec, ...] = (
    ("next_step", "Next step", NextStep),
    ("next_step_text", "In words", "text"),
    ("notes", "Notes", "text"),
)
COMPLICATION: tuple[Spec, ...] = (
    ("target_id", "At", "target"),
    ("site", "Site", "text"),
    ("size_mm", "Size", "number"),
    ("severity", "Severity", Severity),
    ("course", "Course", Course),
    ("onset_on", "Began", "day"),
    ("resolved_on", "Gone", "day"),
    ("shade", "Shade", "number"),
    ("onset_min", "Began after", "number"),
    ("duration_min", "Lasted", "number"),
    ("action", "Action taken", "text"),
)
DEEP_FINDING: tuple[Spec, ...] = (
    ("side", "Side", Side),
    ("extent", "Extent", "text"),
    ("compressible", "Compressible", Compressible),
    ("occlusive", "Occlusive", Checked),
    ("symptomatic", "Symptomatic", Checked),
    ("notes", "Notes", "text"),
)
LISTS = ("sites", "photos")
"""Fields of several texts, typed with commas."""


class VisitForm(QWidget):
    """Groups of the visit; what stands in the heading says what is in a closed one."""

    def __init__(self, edits: VisitEdits) -> None:
        super().__init__()
        self._edits = edits
        self.fields: dict[str, Any] = {}
        """By the name of their field in the model."""
        self.evacuated: dict[str, Any] = {}
        self.day = Group("This visit", is_open=True)
        self.deep = Group("Deep veins and junction", is_open=False)
        self.evacuation = Group("Clot evacuation", is_open=False)
        self.after = Group("Appearance and compression", is_open=False)
        self.next = Group("Next step", is_open=False)
        for group, specs in (
            (self.day, DAY), (self.deep, DEEP), (self.after, AFTER), (self.next, NEXT),
        ):  # fmt: skip
            for spec in specs:
                self.fields[spec[0]] = made_field(spec, partial(self._put, spec))
                add_row(group.form, spec[1], self.fields[spec[0]])
        for spec in EVACUATION:
            field = made_field(spec, partial(self._put_evacuation, spec), where="Clot evacuation")
            self.evacuated[spec[0]] = field
            add_row(self.evacuation.form, spec[1], field)
        self.windows = QLabel()
        self.windows.setWordWrap(True)
        self.day.column.addWidget(self.windows)
        self.veins = self._entries(
            "Deep veins one by one", ("vein", "Vein", "vein"), DEEP_FINDING, DeepVeinFinding
        )
        kind: Spec = ("kind", "Complication", ComplicationKind)
        self.complications = self._entries("Complications and side effects", kind, COMPLICATION, Complication)
        self.clinical = ClinicalForm(edits)
        for group in (self.clinical.patient, self.clinical.checklist):
            group.hide()  # of the day of treatment
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for part in (
            self.day, self.deep, self.veins, self.complications, self.evacuation, self.after, self.clinical,
            self.next,
        ):  # fmt: skip
            layout.addWidget(part)

    def _entries(self, title: str, head: Spec, specs: Sequence[Spec], kind: Any) -> Entries:
        name = {Complication: "complications", DeepVeinFinding: "deep_vein_findings"}[kind]
        what = head[1].lower()

        def add(value: Any) -> bool:
            return self._edits.attempt(
                f"{what} {words_of(value)}",
                lambda visit: with_value(visit, name, (*getattr(visit, name), kind(**{head[0]: value}))),
            )

        def change(index: int, field: str, value: Any) -> bool:
            spec = next(spec for spec in specs if spec[0] == field)

            def put(visit: FollowUp) -> FollowUp:
                members = list(getattr(visit, name))
                members[index] = with_value(members[index], field, taken(spec, value))
                changed: FollowUp = with_value(visit, name, tuple(members))
                return changed

            return self._edits.attempt(f"{what} {spec[1].lower()}", put)

        def remove(index: int) -> bool:
            def put(visit: FollowUp) -> FollowUp:
                members = getattr(visit, name)
                changed: FollowUp = with_value(visit, name, members[:index] + members[index + 1 :])
                return changed

            return self._edits.attempt(f"{what} removed", put)

        return Entries(title, head, specs, add=add, change=change, remove=remove)

    # -- doing ------------------------------------------------------------------------

    def _put(self, spec: Spec, value: Any) -> bool:
        def change(visit: FollowUp) -> FollowUp:
            new: Any = _several(value) if spec[0] in LISTS else taken(spec, value)
            if spec[0] == "appearance_percent" and new is not None and new % 5:
                raise InvalidInputError(f"the appearance is {new} %", do="give steps of 5, from -100 to 100")
            changed: FollowUp = with_value(visit, spec[0], new)
            return changed

        return self._edits.attempt(spec[0], change)

    def _put_evacuation(self, spec: Spec, value: Any) -> bool:
        def change(visit: FollowUp) -> FollowUp:
            new = _several(value) if spec[0] in LISTS else taken(spec, value)
            done = with_value(visit.evacuation or Evacuation(), spec[0], new)
            return replace(visit, evacuation=None if done == Evacuation() else done)

        return self._edits.attempt(f"evacuation {spec[0]}", change)

    def take_over(self) -> None:
        """Take over what is still being typed."""
        lists = [*self.veins.typed_fields(), *self.complications.typed_fields()]
        lists += self.clinical.typed_fields()
        for field in [*self.fields.values(), *self.evacuated.values(), *lists]:
            if isinstance(field, NumberField | TextField):
                field.take_over()

    # -- showing ----------------------------------------------------------------------

    def show_visit(
        self, visit: FollowUp | None, targets: Sequence[tuple[str, InjectionTarget]], windows: str
    ) -> None:
        """Show a visit; `targets` with the names they have on the screen, `windows` in words."""
        shown = visit or FollowUp(id="")
        for name, field in self.fields.items():
            value = getattr(shown, name)
            put_value(field, ", ".join(value) if name in LISTS else value)
        for name, field in self.evacuated.items():
            value = getattr(shown.evacuation or Evacuation(), name)
            put_value(field, ", ".join(value) if name in LISTS else value)
        self.veins.show_entries(shown.id, shown.deep_vein_findings)
        self.complications.show_entries(shown.id, shown.complications, targets)
        self.clinical.show_session(visit)
        self.windows.setText(windows)
        self.day.say(f"{shown.on}" if shown.on is not None else "day not said")
        self.deep.say(words_of(shown.deep_veins))
        self.evacuation.say(_evacuation_words(shown.evacuation))
        self.after.say("" if shown.appearance_percent is None else f"{shown.appearance_percent:+d} %")
        self.next.say("" if shown.next_step is NextStep.UNKNOWN else words_of(shown.next_step))


def _several(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _evacuation_words(evacuation: Evacuation | None) -> str:
    if evacuation is None or evacuation.done is Checked.UNKNOWN:
        return ""
    day = f", {evacuation.on}" if evacuation.on is not None else ""
    return f"{words_of(evacuation.done)}{day}"
