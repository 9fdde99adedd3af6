"""The study on show beside an earlier one: which baseline, which target, which visit.

Knows neither Qt nor napari's layers.  The baseline is a second `Session` with
clip, frame, draft and saving of its own, so that a baseline without a record
can be marked like any study.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_veinscan.session import Session
from veinscan.dicom import Study
from veinscan.dicom.patients import PatientMatch
from veinscan.errors import InvalidInputError
from veinscan.follow_up.compare import Comparison, TargetComparison, compare_records, study_day
from veinscan.follow_up.marking import current_visit
from veinscan.follow_up.states import TargetState, in_order
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.model import InjectionTarget, Record
from veinscan.record.opening import Opened

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list: a target of the baseline with its comparison, or a new finding."""

    name: str
    """'T1' of the baseline, 'N1' for a new finding."""
    target_id: str
    row: TargetComparison | None
    """None for a new finding."""
    finding: InjectionTarget | None = None


class Compared:
    """What is compared in one window; `bench.part(Compared)`."""

    changed = Signal()
    """Another baseline, or none."""
    rows_changed = Signal()
    """What the comparison says: an edit of either record."""
    target_changed = Signal()
    """Another target of baseline or follow-up is chosen."""
    closing = Signal()
    """The window closes."""

    def __init__(self, bench: Workbench) -> None:
        self.session = bench.session
        """Of the follow-up: the study on show."""
        self.baseline = Session(bench.session.reader)
        """Of the earlier study; its `study` is None while nothing is compared."""
        self.match: PatientMatch | None = None
        """Why the two are of one patient."""
        self.baseline_on: date | None = None
        self.follow_up_on: date | None = None
        self.target_id = ""
        """Of the target that is chosen; empty when none is."""
        self._which: tuple[str, Path] | None = None
        self._worked_out: tuple[Any, Any, Comparison] | None = None
        self.session.study_changed.connect(self._study_changed)
        self.session.selection_changed.connect(self._selection_changed)
        self.session.record_changed.connect(self._record_changed)
        self.baseline.record_changed.connect(self._record_changed)

    # -- the two studies --------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        """Whether a baseline is beside the study on show."""
        return self.baseline.study is not None

    @property
    def opened(self) -> Opened:
        """The baseline as the library takes it.  Raises InvalidInputError where none is chosen."""
        study, record = self.baseline.study, self.baseline.record
        if study is None or record is None:
            raise InvalidInputError("no baseline is chosen", do="choose the earlier study to compare with")
        return Opened(study, record)

    def of_baseline(self) -> Session:
        """The baseline's session, for an edit by whoever reads now."""
        self.baseline.reader = self.session.reader
        return self.baseline

    def choose(self, study: Study, record: Record, match: PatientMatch) -> None:
        """Put a baseline beside the study on show; `match` says why they are of one patient.

        Raises InvalidInputError where no study is open, it is the same one,
        they are of two patients, or a record was withdrawn.
        """
        mine, own = self.session.study, self.session.record
        if mine is None or own is None:
            raise InvalidInputError("no follow-up is open", do="open the later study first")
        if study.study_instance_uid == mine.study_instance_uid:
            raise InvalidInputError("this is the study on show", do="choose an earlier one as the baseline")
        compare_records(record, own, patient=match)  # refuses what must not be compared
        self.match, self.target_id, self._worked_out = match, "", None
        self.baseline_on, self.follow_up_on = study_day(study), study_day(mine)
        self.baseline.show_study(study, record)
        self.changed.emit()
        first = next(iter(self.lines), None)
        if first is not None:
            self.select(first.target_id)

    def leave(self) -> None:
        """Take the baseline away; what was entered stays in the follow-up's record."""
        if not self.is_on:
            return
        self.baseline.close()
        self.baseline.study = self.baseline.record = None
        self.baseline.show_clip(None)
        self.target_id, self.match, self._worked_out = "", None, None
        self.changed.emit()
        self.target_changed.emit()

    def close(self) -> None:
        """Let go of the baseline's draft as the window closes; its file stays for the next start."""
        self.closing.emit()
        self.baseline.close()

    def _study_changed(self) -> None:
        study = self.session.study
        which = (study.study_instance_uid, study.path) if study is not None else None
        if which != self._which:  # a calibration changes the clips, not the study
            self._which = which
            self.leave()
            self.changed.emit()

    # -- target by target -------------------------------------------------------------

    @property
    def result(self) -> Comparison | None:
        """Both records target by target, as they are now; None without a baseline."""
        before, after = self.baseline.record, self.session.record
        if not self.is_on or before is None or after is None:
            return None
        known = self._worked_out
        if known is None or known[0] is not before or known[1] is not after:
            result = compare_records(
                before,
                after,
                baseline_study_uid=self._uid(self.baseline),
                follow_up_study_uid=self._uid(self.session),
                baseline_on=self.baseline_on,
                follow_up_on=self.follow_up_on,
                patient=self.match,
            )
            known = self._worked_out = (before, after, result)
        return known[2]

    @staticmethod
    def _uid(session: Session) -> str:
        return session.study.study_instance_uid if session.study is not None else ""

    @property
    def lines(self) -> list[Line]:
        """Targets of the baseline in their order, then the new findings."""
        result = self.result
        if result is None:
            return []
        rows = [
            Line(f"T{row.order}" if row.order is not None else f"F{number}", row.target_id, row)
            for number, row in enumerate(result.targets, start=1)
        ]
        new = [Line(f"N{n}", one.id, None, one) for n, one in enumerate(result.new_findings, start=1)]
        return rows + new

    @property
    def line(self) -> Line | None:
        """The chosen one."""
        return next((one for one in self.lines if one.target_id == self.target_id), None)

    def name_of(self, target_id: str) -> str:
        """'T1', or 'N1' for a new finding; 'a target' where it is in neither record."""
        return next((one.name for one in self.lines if one.target_id == target_id), "a target")

    def state_of(self, target_id: str) -> TargetState | None:
        """A target as the baseline has it; None for a new finding."""
        line = next((one for one in self.lines if one.target_id == target_id), None)
        return line.row.baseline if line is not None and line.row is not None else None

    def select(self, target_id: str) -> None:
        """Choose a target: the baseline goes to its frame; what the follow-up shows is up to who listens."""
        self.target_id = target_id
        before, line = self.state_of(target_id), self.line
        if before is not None:
            if self.session.target_id is not None:
                self.session.select_target(None)  # a caliper must not reach a target chosen before
            self.baseline.select_target(target_id)
            clip = self.baseline.clip_of(before.sop_instance_uid)
            if clip is not None:
                self.baseline.show_clip(clip, before.frame_index)
        elif line is not None and self.session.target_id != target_id:
            self.session.select_target(target_id, show=True)
        self.target_changed.emit()

    def step(self, step: int) -> None:
        """Choose the next (1) or previous (-1) target, round the end.  Raises where there is none."""
        ids = [line.target_id for line in self.lines]
        if not ids:
            raise InvalidInputError("there is no target", do="choose a baseline with targets")
        place = ids.index(self.target_id) + step if self.target_id in ids else (0 if step > 0 else -1)
        self.select(ids[place % len(ids)])

    def _selection_changed(self) -> None:
        chosen = self.session.target_id
        if (
            chosen is not None
            and chosen != self.target_id
            and any(one.target_id == chosen for one in self.lines)
        ):
            self.target_id = chosen
            self.target_changed.emit()

    def _record_changed(self) -> None:
        self.rows_changed.emit()
        if self.target_id and self.line is None:  # gone with an undo
            self.target_id = ""
            self.target_changed.emit()

    # -- the visit --------------------------------------------------------------------

    @property
    def visit(self) -> FollowUp | None:
        """The visit of this comparison; None before anything was entered."""
        return None if self.session.record is None else self.visit_in(self.session.record)

    def visit_in(self, record: Record) -> FollowUp | None:
        """The visit of a record that looks back on the baseline; without a baseline its latest."""
        if self.is_on:
            return current_visit(record, self._uid(self.baseline))
        return next(iter(reversed(in_order(record.follow_ups))), None)

    def outcome_of(self, target_id: str) -> TargetOutcome | None:
        """What this visit says of a target."""
        visit = self.visit
        return next(
            (o for o in (visit.outcomes if visit is not None else ()) if o.target_id == target_id), None
        )
