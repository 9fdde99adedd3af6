"""Second dock: find candidates, go through them, say what they are, draw what the program missed."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QSize
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan import compat
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.button_rows import ButtonRows
from napari_veinscan.candidate_pictures import candidate_picture
from napari_veinscan.candidate_table import FILTERS, PICTURE_PX, CandidateTable
from napari_veinscan.drawing import Drawing
from napari_veinscan.evidence_words import full_evidence, short_evidence
from napari_veinscan.palette import REASON_WORDS, SEARCHED_WORDS
from napari_veinscan.rows import Row
from napari_veinscan.workbench import Workbench
from veinscan.candidates import FeederPlace, feeder_order
from veinscan.errors import VeinscanError
from veinscan.plan.clips import search_of
from veinscan.plan.model import RejectReason
from veinscan.plan.vocabulary import Searched

WIDTH_PX = 390
"""Least width, at a text of the usual size."""


class CandidatesDock(QWidget):
    """Search, table, the reasons behind a score, verdicts, drawing, how far the clip was searched."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._placed: list[FeederPlace] = []
        self._placed_for: object = None
        self._session = bench.session
        self._drawing = bench.part(Drawing)
        self._pictures: Job | None = None
        self._pictured: set[str] = set()
        self.find_here = bench.commands.button("candidate.find")
        self.find_all = bench.commands.button("candidate.find_all", "in all clips")
        self.progress = QProgressBar()
        self.progress.setTextVisible(True)
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(bench.cancel)
        self.note = _wrapped()
        self.filter = QComboBox()
        for name in FILTERS:
            self.filter.addItem(name, name)
        self.filter.setToolTip("Which candidates the table shows")
        self.filter.activated.connect(self._filtered)
        self.searched = QComboBox()
        for state, words in SEARCHED_WORDS.items():
            self.searched.addItem(words, state)
        self.searched.setToolTip("How far you looked through this clip: without it 'no vein' means nothing")
        self.searched.activated.connect(self._searched_said)
        self.table = CandidateTable()
        self.table.chosen.connect(self._choose)
        self.why_score = _wrapped()

        button = bench.commands.button
        self.previous = button("candidate.previous", "P  back")
        self.next = button("candidate.next", "N  next")
        self.vein = button("candidate.vein", "A  a vein")
        self.reject = button("candidate.reject", "R  reject")
        self.target = button("target.make", "T  target")
        self.why = QPushButton()
        self.why.setToolTip("Reject and say what it is instead (R, then 1 to 5)")
        self.why.setAccessibleName("Reject because")
        self.why.setFixedWidth(26)
        reasons = QMenu(self.why)
        for number, (reason, words) in enumerate(REASON_WORDS.items(), start=1):
            action = reasons.addAction(f"{number}  {words}")
            action.triggered.connect(partial(self._reject_because, reason))
        reasons.addSeparator()
        reasons.addAction("U  undecided again").triggered.connect(
            lambda _checked=False: bench.commands.run("candidate.undecided")
        )
        self.why.setMenu(reasons)
        self.draw = button("candidate.draw", "D  draw")
        self.freehand = button("candidate.draw_freehand", "⇧D  freehand")
        self.outline = button("candidate.outline", "E  outline")
        self.follow = button("candidate.follow", "F  follow")
        for tool in (self.draw, self.freehand, self.outline):
            tool.setCheckable(True)
        self._lay_out()

        self._session.candidates_changed.connect(self._show)
        self._session.clip_changed.connect(self._show_clip)
        self._session.selection_changed.connect(self._show_selection)
        self._session.record_changed.connect(self._show_searched)
        self._drawing.changed.connect(self._show_drawing)
        bench.work_changed.connect(self._show_work)
        self._show_clip()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(
            _line(self.find_here, self.find_all, self.progress, self.cancel, stretch=(2, 1, 3, 0))
        )
        layout.addWidget(self.note)
        layout.addLayout(ButtonRows((_named("Show", self.filter), _named("Clip searched", self.searched))))
        layout.addWidget(self.table, 1)
        layout.addWidget(self.why_score)
        layout.addLayout(
            ButtonRows((self.previous, self.next, self.vein, self.reject, self.why, self.target))
        )
        layout.addLayout(ButtonRows((self.draw, self.freehand, self.outline, self.follow)))

    def minimumSizeHint(self) -> QSize:  # noqa: N802  # Qt's name
        """Wide enough for what stands in it, at any size of text."""
        return super().minimumSizeHint().expandedTo(QSize(WIDTH_PX, 0))

    # -- doing ------------------------------------------------------------------------

    def _reject_because(self, reason: RejectReason, _checked: bool = False) -> None:
        self._bench.reject(reason)

    def _choose(self, candidate_id: str) -> None:
        self._session.select_candidate(candidate_id)  # also when it is chosen already: back to its frame
        self._bench.look_at_selected()

    def _filtered(self, _index: int) -> None:
        self._show()
        self._leave_list()

    def _searched_said(self, _index: int) -> None:
        self._bench.attempt(lambda: self._session.set_search(Searched(self.searched.currentData())))
        self._show_searched()
        self._leave_list()

    def _leave_list(self) -> None:
        compat.canvas_widget(self._bench.viewer).setFocus()  # the list would keep the keys of the review

    # -- showing ----------------------------------------------------------------------

    def _show_clip(self) -> None:
        self.table.forget_pictures()
        self._pictured.clear()
        self._show()
        self._show_work()
        self._show_searched()

    def _show(self) -> None:
        rows = self._session.rows()
        self.table.show_rows(rows, self.filter.currentData(), self._places())
        self._session.shown_ids = self.table.ids()
        self._show_selection()
        self._show_note(rows)
        self._draw_pictures(rows)

    def _places(self) -> list[FeederPlace]:
        """What the program found, in the order in which one looks for a feeder; what is rejected left out."""
        clip, record = self._session.clip, self._session.record
        found = self._session.searched(clip) if clip is not None else None
        if clip is None or record is None or found is None or found.spacing_mm is None:
            return []
        rows = [row for row in self._session.rows() if not row.is_rejected]
        targets = [
            (target.frame_index, target.point)
            for target in record.targets
            if target.sop_instance_uid == clip.sop_instance_uid
        ]
        known = {candidate.id for candidate in found.candidates}
        candidates = [row.candidate for row in rows if row.candidate.id in known]
        # worked out anew only when what it hangs on has changed: a verdict must be on the screen at once
        key = (found.spacing_mm, targets, [tuple(map(id, c.outlines.values())) for c in candidates])
        if key != self._placed_for:
            self._placed_for = key
            self._placed = feeder_order(candidates, found.spacing_mm, targets=targets)
        return self._placed

    def _show_selection(self) -> None:
        row = self._session.selected
        self.table.choose(self._session.candidate_id)
        self._session.shown_ids = self.table.ids()
        for widget in (self.vein, self.reject, self.why, self.outline, self.follow):
            widget.setEnabled(row is not None)
        self.target.setEnabled(row is not None or self._session.spot is not None)
        for widget in (self.previous, self.next):
            widget.setEnabled(self.table.rowCount() > 0)
        self.why_score.setText(self._drawing.prompt or ("" if row is None else short_evidence(row.candidate)))
        self.why_score.setToolTip("" if row is None else full_evidence(row.candidate))
        self.why_score.setVisible(bool(self.why_score.text()))

    def _show_drawing(self) -> None:
        hand = self._drawing.hand
        for tool, name in ((self.draw, "click"), (self.freehand, "freehand"), (self.outline, "change")):
            tool.setChecked(hand == name)
        self._show_selection()

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
        if rows and not self.table.rowCount():
            text = f"None of {len(rows)} is '{self.filter.currentText()}'."
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def _show_searched(self) -> None:
        clip, record = self._session.clip, self._session.record
        self.searched.setEnabled(clip is not None and record is not None)
        if clip is not None and record is not None:
            self.searched.setCurrentIndex(self.searched.findData(search_of(record, clip)))

    def _show_work(self) -> None:
        busy = bool(self._bench.work)
        done, total = self._bench.work_done
        for widget in (self.progress, self.cancel):
            widget.setVisible(busy)
        for widget in (self.find_here, self.find_all):
            widget.setVisible(not busy)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.progress.setFormat(f"{self._bench.work}  %p %" if total else self._bench.work)
        self.find_here.setEnabled(not busy and self._session.clip is not None)
        self.find_all.setEnabled(not busy and self._session.study is not None)

    def _draw_pictures(self, rows: list[Row]) -> None:
        """Have the pictures made that are missing, off the window's thread."""
        clip = self._session.clip
        wanted = [row.candidate for row in rows if _look_of_picture(row) not in self._pictured]
        if clip is None or not wanted:
            return
        self._pictured.update(_look_of_picture(row) for row in rows)

        def work(job: Job) -> None:
            for candidate in wanted:
                try:
                    rgb = candidate_picture(clip, candidate, PICTURE_PX)
                except VeinscanError:
                    continue  # a frame that cannot be decoded has no picture; the clip says why
                job.give((clip, candidate.id, rgb))

        def one(part: tuple[object, str, object]) -> None:
            if part[0] is self._session.clip:
                self.table.set_picture(part[1], part[2])  # type: ignore[arg-type]

        self._pictures = self._bench.jobs.start(work, Callbacks(part=one, failed=self._bench.warn))


def _look_of_picture(row: Row) -> str:
    """What the picture of a candidate depends on."""
    c = row.candidate
    return f"{c.id} {c.best_frame} {c.outlines[c.best_frame].tobytes().hex()[:64]}"


def _wrapped() -> QLabel:
    label = QLabel()
    label.setWordWrap(True)
    return label


def _named(words: str, box: QComboBox) -> QWidget:
    """A list with its name before it."""
    pair = QWidget()
    line = _line(QLabel(words), box, stretch=(0, 1))
    line.setContentsMargins(0, 0, 0, 0)
    pair.setLayout(line)
    return pair


def _line(*widgets: QWidget, stretch: tuple[int, ...] = ()) -> QHBoxLayout:
    line = QHBoxLayout()
    line.setSpacing(4)
    for place, widget in enumerate(widgets):
        line.addWidget(widget, stretch[place] if stretch else 0)
    return line
