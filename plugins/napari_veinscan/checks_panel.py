"""What the checks say of the plan while it is made: sums with source, errors, warnings, informations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QHBoxLayout, QInputDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_veinscan.field_widgets import Group, empty
from napari_veinscan.palette import WARNING_COLOUR
from napari_veinscan.workbench import Workbench
from veinscan.plan.checks import CheckLevel, CheckResult, acknowledge, check_record
from veinscan.plan.model import Record
from veinscan.plan.planned import planned_sum
from veinscan.plan.treatment import TreatmentSession

SIGNS = {CheckLevel.ERROR: "✕", CheckLevel.WARNING: "▲", CheckLevel.INFORMATION: "ⓘ"}
WAIT_MS = 120
"""After an edit, before the checks run: typing is not held up."""


def _plan_sums(record: Record) -> str:
    planned = planned_sum(record)
    return "\n".join((planned.words(), *planned.limits))


class ChecksPanel(Group):
    """Sums and checks, with a button where a warning waits for an acknowledgement.

    `sums` gives the words on top, `concerns` says which results belong here;
    by default those of the whole plan.  `others` are the sessions of the
    patient's other studies that are open.
    """

    def __init__(
        self,
        bench: Workbench,
        *,
        sums: Callable[[Record], str] = _plan_sums,
        concerns: Callable[[CheckResult], bool] = lambda _: True,
        others: Callable[[], Sequence[TreatmentSession]] = tuple,
        is_open: bool = False,
    ) -> None:
        super().__init__("Checks", is_open=is_open)
        self._sums_of = sums
        self._concerns = concerns
        self._others = others
        self._bench = bench
        self._session = bench.session
        self.results: tuple[CheckResult, ...] = ()
        self.sums = QLabel()
        self.sums.setWordWrap(True)
        self._lines = QVBoxLayout()
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(2)
        self.column.addWidget(self.sums)
        self.column.addLayout(self._lines)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WAIT_MS)
        self._timer.timeout.connect(self.check)
        self._session.record_changed.connect(self._later)
        self.check()

    def _later(self) -> None:
        self._timer.start()

    def check(self) -> None:
        """Run the checks and show what they say."""
        empty(self._lines)
        record = self._session.record
        if record is None:
            self.results = ()
            self.sums.setText("")
            self.say("")
            return
        self.sums.setText(self._sums_of(record))
        found = check_record(record, self._session.study, other_sessions=self._others())
        self.results = tuple(filter(self._concerns, found))
        for result in self.results:
            self._lines.addWidget(self._line(result))
        self.say(summary(self.results))

    def _line(self, result: CheckResult) -> QWidget:
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        text = f"{SIGNS[result.level]} {result.sentence} [{result.rule}]"
        if result.acknowledged_by:
            text += f" – acknowledged by {result.acknowledged_by}"
        said = QLabel(text)
        said.setTextFormat(Qt.TextFormat.PlainText)
        said.setWordWrap(True)
        is_open = result.level is CheckLevel.ERROR or (
            result.level is CheckLevel.WARNING and not result.acknowledged_by
        )
        if is_open:
            said.setStyleSheet(f"color: {WARNING_COLOUR};")
        line.addWidget(said, 1)
        target = next((t for t in self._session.record.targets if t.id == result.subject), None)  # type: ignore[union-attr]  # called with a record
        if target is not None:
            show = QPushButton(f"T{target.order}")
            show.setToolTip("Show this target")
            show.clicked.connect(partial(self._show, target.id))
            line.addWidget(show)
        if result.level is CheckLevel.WARNING and not result.acknowledged_by:
            button = QPushButton("Acknowledge…")
            button.setToolTip("Say that you have seen this; kept with your name and the time")
            button.clicked.connect(partial(self._acknowledge, result))
            line.addWidget(button)
        return row

    def _show(self, target_id: str, _checked: bool = False) -> None:
        self._bench.attempt(lambda: self._session.select_target(target_id, show=True))

    def _acknowledge(self, result: CheckResult, _checked: bool = False) -> None:
        reason, agreed = QInputDialog.getText(
            self._bench.window,
            f"Acknowledge {result.rule}",
            f"{result.sentence}\n\nReason (may be left empty):",
        )
        if agreed:
            self._bench.attempt(
                lambda: self._session.edit(
                    f"{result.rule} acknowledged",
                    lambda record: acknowledge(record, result, self._session.reader, reason),
                )
            )


def summary(results: tuple[CheckResult, ...]) -> str:
    """'1 error, 2 warnings' for a heading."""
    counts = [
        (sum(r.level is CheckLevel.ERROR for r in results), "error"),
        (sum(r.level is CheckLevel.WARNING and not r.acknowledged_by for r in results), "open warning"),
        (sum(r.level is CheckLevel.INFORMATION for r in results), "note"),
    ]
    return ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in counts if n) or "nothing to say"
