"""Second dock: find candidates, go through them, say what they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.palette import REASON_WORDS, STYLES, look_of, mm, verdict_words
from napari_veinscan.rows import Row
from napari_veinscan.workbench import Workbench
from veinscan.plan.model import Decision, RejectReason

COLUMNS = ("#", "Diam.\nmm", "Depth\nmm", "Length\nmm", "Flow", "Score", "Verdict")


class CandidatesDock(QWidget):
    """Search with progress and cancel; table of candidates; verdicts."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self.find_here = QPushButton("Find candidates")
        self.find_here.setToolTip("Search the clip on show for vessels, by size and depth in mm")
        self.find_here.clicked.connect(self._find_here)
        self.find_all = QPushButton("in all clips")
        self.find_all.clicked.connect(self._find_everywhere)
        self.progress = QProgressBar()
        self.progress.setTextVisible(True)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(bench.cancel)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.verticalHeader().setVisible(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(30)
        self.table.verticalHeader().setDefaultSectionSize(24)
        self.table.currentCellChanged.connect(self._row_chosen)
        self.table.cellClicked.connect(self._row_clicked)

        self.previous = _button("P  back", "Previous candidate (P)", partial(bench.step, -1))
        self.next = _button("N  next", "Next candidate (N)", partial(bench.step, 1))
        self.vein = _button("A  a vein", "This candidate is a vein (A)", partial(bench.review, Decision.VEIN))
        self.reject = _button("R  reject", "This candidate is not a vein (R)", bench.reject)
        self.why = QPushButton()
        self.why.setToolTip("Reject and say what it is instead (R, then 1 to 5)")
        self.why.setFixedWidth(26)
        reasons = QMenu(self.why)
        for number, (reason, words) in enumerate(REASON_WORDS.items(), start=1):
            action = reasons.addAction(f"{number}  {words}")
            action.triggered.connect(partial(self._reject_because, reason))
        reasons.addSeparator()
        reasons.addAction("U  undecided again").triggered.connect(self._undecide)
        self.why.setMenu(reasons)
        self.target = _button(
            "T  target", "Make a target of it, or of the lumen you clicked (T)", bench.make_target
        )

        top = QHBoxLayout()
        top.addWidget(self.find_here, 2)
        top.addWidget(self.find_all, 1)
        running = QHBoxLayout()
        running.addWidget(self.progress, 1)
        running.addWidget(self.cancel)
        verdicts = QHBoxLayout()
        verdicts.setSpacing(4)
        for widget in (self.previous, self.next, self.vein, self.reject, self.why, self.target):
            verdicts.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(top)
        layout.addLayout(running)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addLayout(verdicts)
        self.setMinimumWidth(390)

        self._session.candidates_changed.connect(self._show)
        self._session.clip_changed.connect(self._show_clip)
        self._session.selection_changed.connect(self._show_selection)
        bench.work_changed.connect(self._show_work)
        self._show()
        self._show_work()

    # -- doing ------------------------------------------------------------------------

    def _find_here(self) -> None:
        self._bench.find([self._session.clip] if self._session.clip else [])

    def _find_everywhere(self) -> None:
        self._bench.find(self._session.study.clips if self._session.study else [])

    def _reject_because(self, reason: RejectReason, _checked: bool = False) -> None:
        self._bench.reject(reason)

    def _undecide(self) -> None:
        self._bench.review(Decision.UNREVIEWED)

    def _row_chosen(self, row: int, _column: int, before: int, _column_before: int) -> None:
        if row != before:
            self._choose(row)

    def _row_clicked(self, row: int, _column: int) -> None:
        self._choose(row)  # also when it is chosen already: go back to its frame and place

    def _choose(self, row: int) -> None:
        rows = self._session.rows()
        if 0 <= row < len(rows):
            self._session.select_candidate(rows[row].candidate.id)
            self._bench.look_at_selected()

    # -- showing ----------------------------------------------------------------------

    def _show_clip(self) -> None:
        self._show()
        self._show_work()

    def _show(self) -> None:
        rows = self._session.rows()
        self.table.blockSignals(True)
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            self._fill(number, row)
        self.table.blockSignals(False)
        self._show_selection()
        self._show_note(rows)

    def _fill(self, number: int, row: Row) -> None:
        c = row.candidate
        style = STYLES[look_of(row.review)]
        verdict = verdict_words(row.review)
        if row.targets:
            verdict = ", ".join([*([verdict] if verdict else []), *(f"◆ T{t.order}" for t in row.targets)])
        flow = "–" if c.flow_fraction is None else f"{100 * c.flow_fraction:.0f} %"
        length = mm(c.length_mm)
        texts = (
            f"{style.sign} {c.rank}",
            mm(c.diameter_mm),
            mm(c.depth_mm),
            length,
            flow,
            f"{c.score:.2f}",
            verdict,
        )
        tip = "\n".join(f"{name}: {value:.2f}" for name, value in c.evidence.items())
        for column, text in enumerate(texts):
            item = self.table.item(number, column)
            if item is None:
                item = QTableWidgetItem()
                self.table.setItem(number, column, item)
            item.setText(text)
            item.setToolTip(f"What made the score:\n{tip}" if tip and column == 5 else "")
            if column in (0, 6):
                item.setForeground(QColor(style.colour))
            else:
                item.setTextAlignment(int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter))

    def _show_selection(self) -> None:
        ids = [row.candidate.id for row in self._session.rows()]
        chosen = self._session.candidate_id
        self.table.blockSignals(True)
        if chosen in ids:
            self.table.selectRow(ids.index(chosen))
        else:
            self.table.clearSelection()
            self.table.setCurrentCell(-1, -1)
        self.table.blockSignals(False)
        has_candidate = chosen in ids
        for widget in (self.vein, self.reject, self.why):
            widget.setEnabled(has_candidate)
        self.target.setEnabled(has_candidate or self._session.spot is not None)
        for widget in (self.previous, self.next):
            widget.setEnabled(bool(ids))

    def _show_note(self, rows: list[Row]) -> None:
        clip = self._session.clip
        found = self._session.searched(clip) if clip is not None else None
        if clip is None:
            text = "Open a study and choose a clip."
        elif found is not None:
            text = "\n".join(found.warnings) or ("" if rows else "No candidate was found in this clip.")
        elif rows:
            text = "From the record. Search the clip again to see all candidates."
        else:
            text = "This clip was not searched yet."
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _show_work(self) -> None:
        busy = bool(self._bench.work)
        done, total = self._bench.work_done
        self.progress.setVisible(busy)
        self.cancel.setVisible(busy)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{self._bench.work}  %p %" if total else self._bench.work)
        self.find_here.setEnabled(not busy and self._session.clip is not None)
        self.find_all.setEnabled(not busy and self._session.study is not None)


def _button(text: str, tip: str, action: Callable[[], object]) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.clicked.connect(lambda _checked=False: action())
    return button
