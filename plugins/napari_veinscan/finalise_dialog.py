"""A record becomes final, is opened for an amendment, or is withdrawn: a named person's act each time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.checks_panel import SIGNS
from napari_veinscan.field_widgets import push_button
from napari_veinscan.palette import WARNING_COLOUR
from veinscan.plan.checks import CheckResult

WITHDRAW_REASONS = ("wrong patient", "wrong side", "wrong study", "entered in error")


class SigningDialog(QDialog):
    """A name that is confirmed, and what it is put under."""

    def __init__(self, parent: QWidget, title: str, sentence: str, *, act: str, reader: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.column = QVBoxLayout(self)
        said = QLabel(sentence)
        said.setWordWrap(True)
        self.column.addWidget(said)
        self.middle = QVBoxLayout()
        self.column.addLayout(self.middle, 1)
        self.name = QLineEdit(reader)
        self.name.setAccessibleName("Your name")
        self.name.textChanged.connect(self._name_changed)
        self.confirmed = QCheckBox()
        self.confirmed.toggled.connect(self.show_state)
        form = QFormLayout()
        form.addRow("Your name", self.name)
        form.addRow("", self.confirmed)
        self.column.addLayout(form)
        self.why_not = QLabel()
        self.why_not.setWordWrap(True)
        self.column.addWidget(self.why_not)
        self.act = push_button(act, self.accept)
        self.cancel = push_button("Cancel", self.reject)
        # no box of Qt's: under napari's style Tab leaves out a button in it that was disabled before
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.act)
        buttons.addWidget(self.cancel)
        self.column.addLayout(buttons)
        self.cancel.setDefault(True)  # Enter in a field signs nothing
        self.setMinimumWidth(560)
        self._name_changed()

    @property
    def reader_name(self) -> str:
        """As typed, without the spaces around it."""
        return " ".join(self.name.text().split())

    def missing(self) -> str:
        """What is still missing, in a sentence; empty when nothing is."""
        if not self.reader_name:
            return "Type your name."
        return "" if self.confirmed.isChecked() else "Confirm that this is your name."

    def _name_changed(self) -> None:
        self.confirmed.setText(f"I am {self.reader_name or '…'}")
        self.confirmed.setEnabled(bool(self.reader_name))
        self.confirmed.setChecked(False)
        self.show_state()

    def show_state(self) -> None:
        """Say what is missing and let the act be done when nothing is."""
        missing = self.missing()
        self.why_not.setText(missing)
        self.act.setEnabled(not missing)


class FinaliseDialog(SigningDialog):
    """Data errors with a way to each, warnings to be acknowledged, and the name."""

    def __init__(
        self,
        parent: QWidget,
        reader: str,
        *,
        errors: Sequence[CheckResult],
        warnings: Sequence[CheckResult],
        conflicts: Sequence[str],
        go_to: Callable[[CheckResult], Callable[[], None] | None],
        settle: Callable[[], None],
        below: QWidget | None = None,
    ) -> None:
        """`below` is shown under all that (what is done with a final record)."""
        self._errors, self._conflicts = tuple(errors), tuple(conflicts)
        self.seen: list[tuple[CheckResult, QCheckBox, QLineEdit]] = []
        """Each warning with its tick and its reason."""
        self.ways: list[QPushButton] = []
        """A button for each data error and for the conflicts."""
        self.then: Callable[[], None] | None = None
        """Where a person wants to go instead."""
        super().__init__(
            parent,
            "Finalise",
            "A final record is complete and verified by you, and goes to other systems as such. "
            "It can be changed only by an amendment with a reason.",
            act="Finalise and save",
            reader=reader,
        )
        if below is not None:
            self.column.insertWidget(2, below)
        if not (errors or warnings or conflicts):
            self.middle.addWidget(QLabel("The checks found nothing that stands against it."))
            return
        inner = QWidget()
        lines = QVBoxLayout(inner)
        if errors or conflicts:
            lines.addWidget(_heading("To be put right first"))
        for result in errors:
            self._blocking(lines, f"{SIGNS[result.level]} {result.sentence} [{result.rule}]", go_to(result))
        if conflicts:
            many = f" and {len(conflicts) - 1} more" if len(conflicts) > 1 else ""
            self._blocking(lines, f"Two readers changed the same thing: {conflicts[0]}{many}", settle)
        if warnings:
            lines.addWidget(_heading("To be acknowledged by you, one by one"))
        for result in warnings:
            lines.addWidget(self._warning(result))
        lines.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        self.middle.addWidget(scroll)
        self.resize(640, 560)
        self.show_state()

    def _blocking(self, lines: QVBoxLayout, text: str, way: Callable[[], None] | None) -> None:
        row = QHBoxLayout()
        said = _wrapped(text)
        said.setStyleSheet(f"color: {WARNING_COLOUR};")
        row.addWidget(said, 1)
        if way is not None:
            button = QPushButton("Go there")
            button.setAutoDefault(False)
            button.setToolTip("Close this and show where it is put right")
            button.clicked.connect(partial(self._leave, way))
            self.ways.append(button)
            row.addWidget(button)
        lines.addLayout(row)

    def _warning(self, result: CheckResult) -> QWidget:
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(0, 0, 0, 4)
        column.addWidget(_wrapped(f"{SIGNS[result.level]} {result.sentence} [{result.rule}]"))
        row = QHBoxLayout()
        tick = QCheckBox("I have seen this")
        tick.toggled.connect(self.show_state)
        reason = QLineEdit()
        reason.setPlaceholderText("reason (may be left empty)")
        reason.setAccessibleName(f"Reason, {result.rule}")
        row.addWidget(tick)
        row.addWidget(reason, 1)
        column.addLayout(row)
        self.seen.append((result, tick, reason))
        return box

    def _leave(self, way: Callable[[], None], _checked: bool = False) -> None:
        self.then = way
        self.reject()

    def missing(self) -> str:
        """What stands against it, else what the name lacks."""
        count = len(self._errors) + bool(self._conflicts)
        if count:
            return f"{count} {'thing has' if count == 1 else 'things have'} to be put right first."
        unseen = sum(not tick.isChecked() for _, tick, _ in self.seen)
        if unseen:
            return f"{unseen} {'warning is' if unseen == 1 else 'warnings are'} not acknowledged yet."
        return super().missing()


class ReasonDialog(SigningDialog):
    """The reason of an amendment or a withdrawal; a withdrawal is confirmed twice."""

    def __init__(
        self,
        parent: QWidget,
        title: str,
        sentence: str,
        *,
        act: str,
        reader: str,
        reasons: Sequence[str] = (),
        second: str = "",
    ) -> None:
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Reason")
        self.reason.setPlaceholderText("why, in a few words")
        self.second = QCheckBox(second)
        super().__init__(parent, title, sentence, act=act, reader=reader)
        self.reason.textChanged.connect(self.show_state)
        self.second.toggled.connect(self.show_state)
        self.second.setVisible(bool(second))
        self.offered: list[QPushButton] = []
        row = QHBoxLayout()
        for text in reasons:
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(partial(self._take, text))
            row.addWidget(button)
            self.offered.append(button)
        self.middle.addWidget(QLabel("Reason"))
        self.middle.addWidget(self.reason)
        self.middle.addLayout(row)
        self.middle.addWidget(self.second)
        self.reason.setFocus()
        self.show_state()
        self.adjustSize()

    def _take(self, text: str, _checked: bool = False) -> None:
        self.reason.setText(text)

    def missing(self) -> str:
        """The reason and the second confirmation, then the name."""
        if not self.reason.text().strip():
            return "Say why."
        return super().missing() or (
            "Confirm it a second time." if self.second.text() and not self.second.isChecked() else ""
        )


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setStyleSheet("font-weight: bold;")
    return label


def _wrapped(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label
