"""Seventh dock: the follow-up.  The list of targets drives both pictures; outcomes are entered here."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_veinscan.checks_panel import ChecksPanel
from napari_veinscan.field_widgets import dress
from napari_veinscan.follow_up_edits import VisitEdits
from napari_veinscan.follow_up_marks import FollowUpMarks
from napari_veinscan.follow_up_search import SearchGroup
from napari_veinscan.follow_up_series import SeriesGroup
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.follow_up_table import FollowUpTable
from napari_veinscan.follow_up_target_form import OutcomeForm
from napari_veinscan.follow_up_visit_form import VisitForm
from napari_veinscan.follow_up_words import window_words
from napari_veinscan.palette import WARNING_COLOUR
from napari_veinscan.workbench import Workbench
from veinscan.plan.checks import CheckResult
from veinscan.plan.model import Record

NO_BASELINE = (
    "No baseline: choose the earlier study on the left. Complications and the like can be entered without."
)


class FollowUpDock(QWidget):
    """List, form of the chosen target, where to look, the visit, checks, the course of treatment."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench, self._session = bench, bench.session
        self.compared = bench.part(Compared)
        self.edits = VisitEdits(bench, self.compared)
        self.marks = bench.part(FollowUpMarks)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.warnings = QLabel()
        self.warnings.setWordWrap(True)
        dress(self.warnings, f"color: {WARNING_COLOUR}")
        self.table = FollowUpTable(self._choose)
        self.finding = bench.commands.button("follow_up.finding", "New finding here")
        self.target = OutcomeForm(bench, self.compared, self.edits)
        self.search = SearchGroup(bench, self.compared)
        self.visit = VisitForm(self.edits)
        self.checks = ChecksPanel(bench, sums=self._sums, concerns=self._concerns)
        self.series = SeriesGroup(bench, self.compared)
        self._lay_out()
        bench.before_saving(self.take_over)
        compared = self.compared
        for signal in (compared.changed, compared.rows_changed):
            signal.connect(self._show)
        compared.target_changed.connect(self._target_chosen)
        for signal in (
            self._session.clip_changed,
            self._session.candidates_changed,
            self._session.study_changed,
        ):
            signal.connect(self._show_search)
        self._session.selection_changed.connect(self._show_search)
        self._show()

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.hint, 1)
        top.addWidget(self.finding)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.warnings)
        column.addWidget(self.table)
        column.addLayout(top)
        for part in (self.target, self.search, self.visit, self.checks, self.series):
            column.addWidget(part)
        column.addStretch()
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.area, 1)
        self.setMinimumWidth(390)

    # -- doing ------------------------------------------------------------------------

    def _choose(self, target_id: str) -> None:
        self.take_over()
        self._bench.attempt(lambda: self.compared.select(target_id))

    def take_over(self) -> None:
        """Take over what is still being typed."""
        self.target.take_over()
        self.visit.take_over()

    def _target_chosen(self) -> None:
        """Right goes to where the target was marked, else to the first clip of its side and segment."""
        compared, state = self.compared, self.compared.state_of(self.compared.target_id)
        if state is not None:
            outcome = compared.outcome_of(state.target_id)
            place = outcome.place if outcome is not None else None
            clip = self._session.clip_of(place.sop_instance_uid) if place is not None else None
            if place is not None and clip is not None:
                self._session.show_clip(clip, place.frame_index)
                self._bench.layers.bring_into_sight(place.point)
            elif (match := self.search.first_clip(state)) is not None:
                first = self._session.clip_of(match.sop_instance_uid)
                if first is not None and first is not self._session.clip:
                    self._session.show_clip(first)
        self._show()

    # -- showing ----------------------------------------------------------------------

    def _show(self) -> None:
        compared = self.compared
        lines, line, why = compared.lines, compared.line, self._session.why_read_only
        record, result = self._session.record, compared.result
        can_edit = record is not None and not why
        self.table.show_lines(lines, compared.target_id)
        self.target.show_line(line, can_edit)
        for part in (self.table, self.target, self.search):
            part.setVisible(compared.is_on)
        named = [(one.name, one.row.target if one.row is not None else one.finding) for one in lines]
        targets = [(name, target) for name, target in named if target is not None]
        self.visit.show_visit(compared.visit, targets, window_words(result))
        self.visit.setEnabled(can_edit)
        self.finding.setEnabled(can_edit)
        self.hint.setText(self._say(why))
        warnings = result.warnings if result is not None else ()
        self.warnings.setText("\n".join(f"{one[:1].upper()}{one[1:]}." for one in warnings))
        self.warnings.setVisible(bool(warnings))
        self._show_search()

    def _say(self, why: str) -> str:
        if why:
            return f"{why[:1].upper()}{why[1:]}."
        compared = self.compared
        if self._session.record is None:
            return "Open the follow-up: the later study."
        if not compared.is_on:
            return NO_BASELINE
        result = compared.result
        rows = result.targets if result is not None else ()
        if not rows:
            return "The baseline has no targets: mark them in its picture, or enter new findings."
        open_ones = sum(1 for row in rows if row.outcome.value == "not_assessed")
        return f"{len(rows) - open_ones} of {len(rows)} assessed. J: next target; 0: not seen."

    def _show_search(self) -> None:
        if self.compared.is_on:
            state = self.compared.state_of(self.compared.target_id)
            self.search.show_target(state, self.compared.name_of(self.compared.target_id))

    def _sums(self, _record: Record) -> str:
        return ""

    def _concerns(self, result: CheckResult) -> bool:
        visit = self.compared.visit
        return visit is not None and result.subject == visit.id


def follow_up_dock(bench: Workbench) -> FollowUpDock:
    """The dock of a window."""
    dock = bench.docks["follow_up"]
    assert isinstance(dock, FollowUpDock)  # noqa: S101  # what `docks.py` puts there
    return dock
