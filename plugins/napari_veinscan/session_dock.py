"""Sixth dock: the day of treatment.  What was planned beside what was given, target by target."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.checks_panel import ChecksPanel
from napari_veinscan.clinical_form import ClinicalForm
from napari_veinscan.day_form import DayForm, SessionEdits
from napari_veinscan.entry_form import EntryForm
from napari_veinscan.field_widgets import Choice, Group, NumberField, TextField
from napari_veinscan.findings_list import FindingsList
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.session_table import RowKey, SessionTable
from napari_veinscan.session_words import basis_words, hint_words, row_words, session_words
from napari_veinscan.workbench import Workbench
from veinscan.errors import InvalidInputError
from veinscan.plan import giving
from veinscan.plan.checks import CheckResult
from veinscan.plan.giving import Row
from veinscan.plan.model import Reader, Record
from veinscan.plan.treatment import Injection, TreatmentSession
from veinscan.plan.visits import put_session
from veinscan.plan.vocabulary import Checked

NO_SESSION = "No session yet. On the day of treatment press 'New today'."


DAY_RULES = ("R16", "R17", "R22")
"""Checks that sum over a calendar day."""


class SessionDock(QWidget):
    """Sessions of the record, rows of the chosen one, its forms, sums and checks."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self._compared = bench.part(Compared)
        self.session_id = ""
        """Of the session on show; empty where there is none."""
        self.key: RowKey | None = None
        """Of the row that is chosen."""
        self._showing = False
        self.edits = SessionEdits(bench, lambda: self.session_id)
        self.chooser = Choice([], self.choose, name="Session")
        self.new = bench.commands.button("session.new", "New today")
        self.remove = QPushButton("Remove")
        self.remove.setToolTip("Take this session out of the record; can be undone")
        self.remove.clicked.connect(self._remove)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.table = SessionTable(self._choose_row)
        self.buttons = {
            name: bench.commands.button(f"session.{name}", text)
            for name, text in (
                ("given", "Given as planned  G"),
                ("copy", "As the one before  ="),
                ("artery", "Artery checked  C"),
                ("vein", "In the vein  Y"),
                ("another", "Another injection"),
                ("back", "Not given"),
            )
        }
        self.given = Group("Given", is_open=True)
        self.entry = EntryForm(bench, self.where)
        self.given.column.addWidget(self.entry)
        self.sum = QLabel()
        self.sum.setWordWrap(True)
        self.day = DayForm(self.edits)
        self.clinical = ClinicalForm(self.edits)
        self.findings = FindingsList(self.edits)
        self.checks = ChecksPanel(
            bench, sums=self._sums, concerns=self._concerns, others=self._others, is_open=True
        )
        self._lay_out()
        bench.before_saving(self.take_over)
        self._session.record_changed.connect(self._show)
        self._session.selection_changed.connect(self._selection_changed)
        self._compared.changed.connect(self._course_changed)
        self._compared.baseline.record_changed.connect(self._course_changed)
        self._show()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.chooser, 1)
        top.addWidget(self.new)
        top.addWidget(self.remove)
        acts = QGridLayout()
        acts.setSpacing(3)
        for place, button in enumerate(self.buttons.values()):
            acts.addWidget(button, place // 2, place % 2)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.hint)
        column.addWidget(self.table)
        column.addLayout(acts)
        column.addWidget(self.sum)
        for part in (self.given, self.checks, self.day, self.clinical, self.findings):
            column.addWidget(part)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(scroll, 1)
        self.setMinimumWidth(390)

    # -- what is chosen ---------------------------------------------------------------

    @property
    def shown(self) -> TreatmentSession | None:
        """The session on show."""
        record = self._session.record
        sessions = record.sessions if record is not None else ()
        return next((one for one in sessions if one.id == self.session_id), None)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the session on show."""
        record, shown = self._session.record, self.shown
        return giving.rows(record, shown) if record is not None and shown is not None else ()

    @property
    def row(self) -> Row | None:
        """The row that is chosen."""
        return next((one for one in self.rows if one.key == self.key), None)

    def where(self) -> tuple[str, Row]:
        """The session and the row on show.  Raises in a sentence where one is missing."""
        if self.shown is None:
            raise InvalidInputError("no session is chosen", do="press 'New today', or choose one")
        row = self.row
        if row is None:
            raise InvalidInputError("no target is chosen", do="choose a row of the session")
        return self.session_id, row

    def choose(self, uid: str) -> bool:
        """Show another session."""
        self.take_over()
        self.session_id, self.key = uid, None
        self._show()
        self.checks.check()
        return True

    def _choose_row(self, key: RowKey) -> None:
        self.take_over()
        self.key = key
        self._showing = True  # the table has chosen already
        try:
            self._bench.attempt(lambda: self._session.select_target(key[0], show=True))
        finally:
            self._showing = False
        self._show()

    def _selection_changed(self) -> None:
        target_id = self._session.target_id
        if self._showing or target_id is None or (self.key is not None and self.key[0] == target_id):
            return
        self.take_over()
        self.key = next((row.key for row in self.rows if row.target_id == target_id), self.key)
        self._show()

    def _course_changed(self) -> None:
        self._show()
        self.checks.check()

    # -- doing ------------------------------------------------------------------------

    def begin(self) -> None:
        """Make a session of today and show it."""
        self.take_over()
        made = giving.new_session(date.today())
        reader = self._session.reader
        self._session.edit("session of today", lambda record: put_session(record, made, reader))
        self.session_id, self.key = made.id, None
        self._show()
        self.checks.check()

    def _remove(self, _checked: bool = False) -> None:
        uid = self.session_id
        self._bench.attempt(
            lambda: self._session.edit("session removed", lambda record: giving.drop_session(record, uid))
        )

    def act(self, what: str, change: Callable[[Record, str, Row, Reader], Record]) -> None:
        """Do something with the row that is chosen, as one edit."""
        self.take_over()
        uid, row = self.where()
        reader = self._session.reader
        name = f"target {row.target.order}" if row.target is not None else "an entry without a target"
        before = {one.key for one in self.rows}
        self._session.edit(f"{name}: {what}", lambda record: change(record, uid, row, reader))
        made = [one.key for one in self.rows if one.key not in before]
        if made and row.entry is not None:  # another entry beside one that is there: go to it
            self.key = made[0]
            self._show()

    def confirm(self, name: str) -> None:
        """Say of the chosen injection alone that a check was done, or take that back."""
        _, row = self.where()
        if row.is_laser:
            raise InvalidInputError("a laser treatment has no needle", do="choose an injection")
        entry = row.entry if isinstance(row.entry, Injection) else Injection(id="")
        new = Checked.UNKNOWN if getattr(entry, name) is Checked.YES else Checked.YES
        self.act(
            f"{name.replace('_', ' ')}: {new.value}",
            lambda record, uid, row, reader: giving.change_entry(record, uid, row, reader, **{name: new}),
        )

    def take_over(self) -> None:
        """Take over what is still being typed."""
        self.entry.take_over()
        for form in (self.day, self.clinical, self.findings):
            for field in form.typed_fields():
                if isinstance(field, NumberField | TextField):
                    field.take_over()

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        record = self._session.record
        sessions = record.sessions if record is not None else ()
        if self.shown is None:
            self.session_id = sessions[-1].id if sessions else ""
        self.chooser.put_entries([(session_words(n, one), one.id) for n, one in enumerate(sessions, start=1)])
        self.chooser.setEnabled(bool(sessions))
        self.chooser.show_value(self.session_id)
        shown, rows = self.shown, self.rows
        keys = [row.key for row in rows]
        if self.key is not None and self.key not in keys:
            mine = [key for key in keys if key[:2] == self.key[:2]]
            self.key = mine[-1] if mine else None
        self.table.show_rows(rows, self.key)
        self.entry.show_row(self.row)
        self.day.show_session(shown)
        self.clinical.show_session(shown)
        self.findings.show_session(shown, record.targets if record is not None else ())
        why = self._session.why_read_only
        can_edit = shown is not None and not why
        forms: list[QWidget] = [self.given, self.day, self.clinical, self.findings]
        for part in forms:
            part.setEnabled(can_edit)
        for part in (*forms, self.table, self.sum, self.checks, *self.buttons.values()):
            part.setVisible(shown is not None)
        self._allow(can_edit)
        self.remove.setEnabled(can_edit)
        self.new.setEnabled(record is not None and not why)
        self.hint.setText(self._say(why))
        self.given.say(row_words(self.row))
        if record is not None and shown is not None:
            first, *rest = self._sums(record).splitlines()
            self.sum.setText(first)
            self.sum.setToolTip("\n".join(rest))

    def _allow(self, can_edit: bool) -> None:
        row = self.row
        is_injection = row is not None and not row.is_laser
        has_entry = row is not None and row.entry is not None
        can = {
            "given": row is not None and row.target is not None,
            "copy": row is not None and row.target is not None,
            "artery": is_injection,
            "vein": is_injection,
            "another": is_injection and has_entry,
            "back": has_entry,
        }
        for name, button in self.buttons.items():
            button.setEnabled(can_edit and can[name])

    def _say(self, why: str) -> str:
        if why:
            return f"{why[:1].upper()}{why[1:]}."
        if self.shown is None:
            return NO_SESSION if self._session.record is not None else ""
        return hint_words(self.rows, self.row)

    def _sums(self, record: Record) -> str:
        shown = self.shown
        if shown is None:
            return ""
        first, *rest = giving.day_words(record, shown, self._others())
        return "\n".join([f"{first} ({basis_words(self._compared.is_on)})", *rest])

    def _others(self) -> tuple[TreatmentSession, ...]:
        """The sessions of the earlier study that is open beside this one."""
        earlier = self._compared.baseline.record
        return earlier.sessions if earlier is not None else ()

    def _concerns(self, result: CheckResult) -> bool:
        record, shown = self._session.record, self.shown
        if record is None or shown is None:
            return False
        # what is summed over a day is told of one of its sessions and belongs to all of them
        same_day = (
            giving.day_of(record, shown, self._others()).session_ids if result.rule in DAY_RULES else ()
        )
        return result.subject == shown.id or result.subject in same_day
