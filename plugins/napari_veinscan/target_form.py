"""The form of one target: its fields, grouped by what is decided when.

Nothing that is a medical decision is preset: a list begins at 'unknown' or
'none chosen', a number is empty until it is measured or typed.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from typing import Any

from qtpy.QtWidgets import (
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.calipers import Tool
from napari_veinscan.field_widgets import (
    Choice,
    Group,
    MmField,
    NumberField,
    TextField,
    entries_of,
    vein_entries,
)
from napari_veinscan.target_parts import FeedsButton, FlowList, SkinEntry
from napari_veinscan.target_words import plan_words, summary
from napari_veinscan.workbench import Workbench
from veinscan.plan import editing
from veinscan.plan.context import INHERITED
from veinscan.plan.flow_edits import remove_flow
from veinscan.plan.model import InjectionTarget, ValueSource
from veinscan.plan.planned import label_numbers
from veinscan.plan.products import product, product_names
from veinscan.plan.treatment import LaserSettings
from veinscan.plan.values import ENUMS, number
from veinscan.plan.vocabulary import Modality

LASER_FIELDS = ("wavelength_nm", "spot_mm", "fluence_j_cm2", "pulse_ms", "passes")
CLIP_MARK = " ⤶"
"""After the title of a field whose value comes from the label of the clip."""


class TargetForm(QWidget):
    """All fields of the chosen target."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self.fields: dict[str, Any] = {}
        """Widgets by the name of their field in the model."""
        self._titles: dict[str, tuple[QLabel, str]] = {}
        self._shown_id = ""
        self._is_taking = False
        self.where = Group("Where it is", is_open=True)
        self.measured = Group("What it is", is_open=True)
        self.feeding = Group("What it feeds", is_open=False)
        self.plan = Group("Plan", is_open=False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        self._build_where()
        self._build_measured()
        self._build_feeding()
        self._build_plan()
        self._notes = QFormLayout()
        self._notes.setHorizontalSpacing(6)
        self._add(self._notes, "Notes", "notes", self._text("notes", "Notes", "anything to remember"))
        for group in (self.where, self.measured, self.feeding, self.plan):
            layout.addWidget(group)
        layout.addLayout(self._notes)

    # -- building ---------------------------------------------------------------------

    def _build_where(self) -> None:
        form = self.where.form
        self._add(form, "Side", "side", self._choice("side", "Side"))
        self._add(form, "Vein", "vein", Choice(vein_entries(), partial(self._commit, "vein"), name="Vein"))
        self._add(form, "Part of the vein", "segment", self._choice("segment", "Part of the vein"))
        self._add(form, "Level", "level", self._choice("level", "Level"))
        self._add(form, "Aspect", "aspect", self._choice("aspect", "Aspect"))
        self._add(form, "Landmark", "landmark", self._choice("landmark", "Landmark"))
        self._add(
            form, "Distance from it", "landmark_cm", self._number("landmark_cm", "Distance to the landmark")
        )
        self._add(form, "Posture", "posture", self._choice("posture", "Posture"))
        self._add(form, "Plane of the picture", "plane", self._choice("plane", "Plane of the picture"))

    def _build_measured(self) -> None:
        form = self.measured.form
        for name, tool in (("diameter_mm", Tool.DIAMETER), ("depth_mm", Tool.DEPTH)):
            title = name.removesuffix("_mm").capitalize()
            field = MmField(
                name,
                partial(self._measured_number, name),
                partial(self._bench.take_caliper, tool),
                name=title,
            )
            self._add(form, title, name, field)
        self._add(form, "Length", "length_mm", self._number("length_mm", "Length"))
        for name, title in (
            ("compressible", "Compressible"),
            ("vein_class", "Class of vein"),
            ("compartment", "Compartment"),
            ("vessel_type", "Vessel"),
            ("artery_checked", "Artery checked"),
        ):
            self._add(form, title, name, self._choice(name, title))
        self.fields["artery_checked"].setToolTip("Whether a person looked for an artery beside the target")
        self._add(
            form,
            "Artery at",
            "artery_distance_mm",
            self._number("artery_distance_mm", "Distance to the artery"),
        )
        self.flow = FlowList(self._remove_flow)
        form.addRow("Flow", self.flow)

    def _build_feeding(self) -> None:
        form = self.feeding.form
        self._add(form, "A feeder", "is_feeder", self._choice("is_feeder", "A feeder"))
        self.fields["is_feeder"].setToolTip("Your judgement; veinscan never sets it")
        self._add(form, "Feeds", "feeds_text", self._text("feeds_text", "Feeds", "what it feeds, in words"))
        self.feeds = FeedsButton(self._toggle_feed)
        form.addRow("Feeds targets", self.feeds)

    def _build_plan(self) -> None:
        form = self.plan.form
        self._add(form, "Status", "status", self._choice("status", "Status"))
        self._add(form, "Modality", "modality", self._choice("modality", "Modality"))
        self._add(
            form,
            "Ultrasound-guided",
            "ultrasound_guided",
            self._choice("ultrasound_guided", "Ultrasound-guided"),
        )
        products = [("none chosen", ""), *((product(key).name, key) for key in product_names())]
        self._add(
            form, "Product", "product", Choice(products, partial(self._commit, "product"), name="Product")
        )
        for name, title in (
            ("concentration_percent", "Concentration"),
            ("planned_volume_ml", "Planned volume"),
            ("needle_gauge", "Needle"),
        ):
            self._add(form, title, name, self._number(name, title))
        self.laser: dict[str, NumberField] = {}
        self._laser_rows: list[QWidget] = []
        for name in LASER_FIELDS:
            title = f"Laser {name.split('_')[0]}"
            self.laser[name] = NumberField(name, partial(self._commit_laser, name), name=title)
            form.addRow(title, self.laser[name])
            self._laser_rows.append(self.laser[name])
        self.entry = SkinEntry(self._bench, lambda point: self._update(skin_entry=point))
        form.addRow("Skin entry", self.entry)

    def _choice(self, name: str, title: str) -> Choice:
        return Choice(entries_of(ENUMS[name]), partial(self._commit, name), name=title)

    def _number(self, name: str, title: str) -> NumberField:
        return NumberField(name, partial(self._commit, name), name=title)

    def _text(self, name: str, title: str, hint: str) -> TextField:
        return TextField(partial(self._commit, name), name=title, hint=hint)

    def _add(self, form: QFormLayout, title: str, name: str, widget: QWidget) -> None:
        label = QLabel(title)
        label.setBuddy(widget.edit if isinstance(widget, NumberField) else widget)
        self.fields[name] = widget
        self._titles[name] = label, title
        form.addRow(label, widget)

    # -- doing ------------------------------------------------------------------------

    def _update(self, **values: Any) -> None:
        """Change the target that the form shows: a text typed for one never reaches another."""
        record = self._session.editable_record()
        target = editing.find_target(record, self._shown_id)
        names = " and ".join(n.removesuffix("_mm") for n in values if not n.endswith("_source"))
        self._session.edit(
            f"target {target.order}: {names.replace('_', ' ')}",
            lambda record: editing.update_target(record, target.id, **values),
        )

    def _commit(self, name: str, value: Any) -> bool:
        return self._bench.attempt(lambda: self._update(**{name: value}))

    def _measured_number(self, name: str, value: Any) -> bool:
        source = None if value is None else ValueSource.ENTERED
        values = {name: value, name.replace("_mm", "_source"): source}
        return self._bench.attempt(lambda: self._update(**values))

    def _commit_laser(self, name: str, value: Any) -> bool:
        target = self._session.target
        if target is None:
            return False

        def change() -> None:
            given: dict[str, Any] = {name: number(name, value)}
            settings = replace(target.laser or LaserSettings(), **given)
            is_empty = all(getattr(settings, f.name) in (None, "") for f in fields(settings))
            self._update(laser=None if is_empty else settings)

        return self._bench.attempt(change)

    def _toggle_feed(self, other_id: str, is_fed: bool) -> None:
        target = self._session.target
        if target is not None:
            others = tuple(uid for uid in target.feeds if uid != other_id)
            self._commit("feeds", (*others, other_id) if is_fed else others)

    def take_over(self) -> None:
        """Take over everything that is still being typed."""
        self._is_taking = True
        try:
            for widget in (*self.fields.values(), *self.laser.values()):
                if isinstance(widget, NumberField | TextField):
                    widget.take_over()
        finally:
            self._is_taking = False

    # -- showing ----------------------------------------------------------------------

    def show_target(self, target: InjectionTarget | None) -> None:
        """Show a target's values; without one everything is empty and closed to typing."""
        if self._is_taking:
            return
        new_id = target.id if target is not None else ""
        if new_id != self._shown_id:
            if self._shown_id:
                self.take_over()
            self._shown_id = new_id
        self.setEnabled(target is not None)
        shown = target or InjectionTarget(id="", order=0)
        for name, widget in self.fields.items():
            value = getattr(shown, name)
            if isinstance(widget, MmField):
                widget.show_measured(value, getattr(shown, name.replace("_mm", "_source")))
            else:
                widget.show_value(value)
            label, title = self._titles.get(name, (None, ""))
            if label is not None and name in INHERITED:
                follows = name not in shown.own and value is not None and str(value) != "unknown"
                label.setText(title + CLIP_MARK * follows)
                label.setToolTip(
                    "From the label of its clip; changed here, it holds for this target alone"
                    if follows
                    else ""
                )
        is_laser = shown.modality is Modality.LASER
        with_laser = is_laser or shown.modality is Modality.LASER_PLUS_INJECTION
        for name, field in self.laser.items():
            field.show_value(getattr(shown.laser, name) if shown.laser else None)
            row_label = self.plan.form.labelForField(field)
            for part in (field, row_label):
                part.setVisible(with_laser or shown.laser is not None)
        for name in ("product", "concentration_percent", "planned_volume_ml", "needle_gauge"):
            is_needed = not is_laser or getattr(shown, name) not in (None, "")
            self.fields[name].setVisible(is_needed)
            self._titles[name][0].setVisible(is_needed)
        self.fields["product"].setToolTip("\n".join(label_numbers(shown.product)) if shown.product else "")
        self.entry.show_entry(shown)
        everything = self._session.record.targets if self._session.record else ()
        self.feeds.show_feeds(shown, [one for one in everything if one.id != shown.id])
        self.flow.show_flow(shown)
        self.where.say(summary(shown, "side", "vein", "level", "aspect"))
        self.measured.say(summary(shown, "vein_class", "compressible"))
        self.feeding.say(summary(shown, "is_feeder", "feeds_text"))
        self.plan.say(plan_words(shown))

    def _remove_flow(self, target: InjectionTarget, value_id: str) -> None:
        self._bench.attempt(
            lambda: self._session.edit(
                f"target {target.order}: measurement off",
                lambda record: remove_flow(record, target.id, value_id),
            )
        )
