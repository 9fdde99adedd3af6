"""What was seen at once during a session: a line for each finding, with its target and details."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from napari_veinscan.day_form import SessionEdits
from napari_veinscan.field_widgets import Choice, Group, NumberField, TextField, empty, entries_of
from napari_veinscan.words import words_of
from veinscan.plan.model import InjectionTarget
from veinscan.plan.treatment import Finding, TreatmentSession
from veinscan.plan.values import number
from veinscan.plan.vocabulary import ImmediateEvent


class FindingsList(Group):
    """Immediate findings; 'none' is a finding of its own, and nobody's but a person's."""

    def __init__(self, edits: SessionEdits) -> None:
        super().__init__("Seen at once", is_open=False)
        self._edits = edits
        self._made_for: tuple[Any, ...] = ()
        self.lines: list[dict[str, Any]] = []
        """Of each finding its fields, by their name in the model."""
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self.column.addLayout(self._rows)
        self.event_kind = Choice(entries_of(ImmediateEvent), lambda _value: True, name="Finding")
        self.add = QPushButton("Add")
        self.add.setToolTip("Record this finding")
        self.add.clicked.connect(self._add)
        adding = QHBoxLayout()
        adding.addWidget(self.event_kind, 1)
        adding.addWidget(self.add)
        self.column.addLayout(adding)

    def _add(self, _checked: bool = False) -> None:
        event = ImmediateEvent(self.event_kind.currentData())
        self._edits.attempt(
            f"{words_of(event)} seen",
            lambda one: replace(one, findings=(*one.findings, Finding(event=event))),
        )

    def _change(self, index: int, name: str, value: Any) -> bool:
        def change(one: TreatmentSession) -> TreatmentSession:
            given: dict[str, Any] = {name: number(name, value) if name.endswith("_min") else value}
            found = list(one.findings)
            found[index] = replace(found[index], **given)
            return replace(one, findings=tuple(found))

        return self._edits.attempt(f"finding {name}", change)

    def _remove(self, index: int, _checked: bool = False) -> None:
        self._edits.attempt(
            "finding removed",
            lambda one: replace(one, findings=one.findings[:index] + one.findings[index + 1 :]),
        )

    def typed_fields(self) -> list[Any]:
        """Fields that may hold something that is still being typed."""
        return [field for line in self.lines for field in line.values()]

    def show_session(self, session: TreatmentSession | None, targets: Sequence[InjectionTarget]) -> None:
        """Show the findings; the lines are made anew only when there are others."""
        findings = session.findings if session is not None else ()
        made_for = (
            session.id if session is not None else "",
            tuple(one.event for one in findings),
            tuple((target.id, target.order) for target in targets),
        )
        if made_for != self._made_for:
            self._made_for = made_for
            empty(self._rows)
            self.lines = [self._line(index, one, targets) for index, one in enumerate(findings)]
        for line, one in zip(self.lines, findings, strict=True):
            for name, field in line.items():
                field.show_value(getattr(one, name))
        self.say(", ".join(words_of(one.event) for one in findings))

    def _line(self, index: int, finding: Finding, targets: Sequence[InjectionTarget]) -> dict[str, Any]:
        box = QWidget()
        lines = QVBoxLayout(box)
        lines.setContentsMargins(0, 0, 0, 4)
        lines.setSpacing(2)
        first, second = QHBoxLayout(), QHBoxLayout()
        entries = [("not at one target", ""), *((f"T{target.order}", target.id) for target in targets)]
        title = words_of(finding.event)
        line: dict[str, Any] = {
            "target_id": Choice(entries, partial(self._change, index, "target_id"), name=f"{title}, target"),
            "onset_min": NumberField(
                "onset_min", partial(self._change, index, "onset_min"), name=f"{title}, began after"
            ),
            "duration_min": NumberField(
                "duration_min", partial(self._change, index, "duration_min"), name=f"{title}, lasted"
            ),
            "details": TextField(
                partial(self._change, index, "details"), name=f"{title}, details", hint="details"
            ),
        }
        off = QToolButton()
        off.setText("✕")
        off.setToolTip("Take this finding off")
        off.clicked.connect(partial(self._remove, index))
        said = QLabel(title)
        first.addWidget(said, 1)
        first.addWidget(line["target_id"])
        first.addWidget(off)
        second.addWidget(QLabel("after"))
        second.addWidget(line["onset_min"])
        second.addWidget(QLabel("for"))
        second.addWidget(line["duration_min"])
        second.addStretch(1)
        lines.addLayout(first)
        lines.addLayout(second)
        lines.addWidget(line["details"])
        self._rows.addWidget(box)
        return line
