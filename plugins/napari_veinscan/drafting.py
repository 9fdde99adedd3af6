"""The edits of one window since the last save: on the disk before the screen shows them.

Knows neither Qt nor napari.  The draft on the disk is `veinscan.record.Draft`;
this adds what a window needs beside it: an edit that the disk refused is not
lost, it waits in memory, is tried again with the next edit, and is told of.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime

from veinscan.errors import VeinscanError
from veinscan.plan.model import Record
from veinscan.plan.normal import normalised
from veinscan.record import Draft
from veinscan.record.store import StudyLike


@dataclass(frozen=True, slots=True)
class _Waiting:
    """An edit that is on the screen and not on the disk."""

    record: Record
    label: str


class EditLog:
    """Edits, undo and redo of one study in one window."""

    def __init__(self) -> None:
        self._draft: Draft | None = None
        self._waiting: list[_Waiting] = []
        self.problem: VeinscanError | None = None
        """Why the last edits are not kept in the draft; None when all are."""
        self.kept_at: datetime | None = None
        """When an edit was last kept."""

    def begin(self, study: StudyLike, record: Record) -> Record:
        """Start anew at a record as it is on the disk; an earlier draft is left for the next start."""
        self.close()
        self._draft = Draft.start(study, record)
        return self._draft.current

    def adopt(self, draft: Draft) -> Record:
        """Go on with a draft that was taken over; returns the record as it was on the screen."""
        self.close()
        self._draft = draft
        return draft.current

    @property
    def edits(self) -> int:
        """How many edits lie between the last save and the screen."""
        return 0 if self._draft is None else self._draft.edits + len(self._waiting)

    @property
    def unkept(self) -> int:
        """How many of them are on the screen alone."""
        return len(self._waiting)

    @property
    def base(self) -> Record | None:
        """The record that the edits began from."""
        return None if self._draft is None else self._draft.base

    def keep(self, record: Record, label: str) -> Record:
        """Put an edit on the disk; returns it as it is kept, for the screen.

        Where the disk refuses, the edit is kept in memory and `problem` says why.
        """
        record = normalised(record)
        self._waiting.append(_Waiting(record, label))
        self._write_waiting()
        return record

    def _write_waiting(self) -> None:
        if self._draft is None:
            return
        try:
            while self._waiting:
                self._draft.record(self._waiting[0].record, self._waiting[0].label)
                del self._waiting[0]
        except VeinscanError as error:
            self.problem = error
            return
        self.problem = None
        self.kept_at = datetime.now().astimezone()

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back; None where there is nothing."""
        if self._waiting:
            return self._waiting[-1].label
        return None if self._draft is None else self._draft.undo_label

    @property
    def redo_label(self) -> str | None:
        """What `redo` would bring back; None where there is nothing."""
        return None if self._draft is None or self._waiting else self._draft.redo_label

    def undo(self) -> Record | None:
        """One step back; the record as it stands then.  Raises DraftError where the disk refuses."""
        if self._draft is None:
            return None
        if self._waiting:
            self._waiting.pop()
            if self._waiting:
                return self._waiting[-1].record
            self.problem = None
            return self._draft.current
        return self._draft.undo()

    def redo(self) -> Record | None:
        """One step forward again.  Raises DraftError where the disk refuses."""
        if self._draft is None:
            return None
        return self._waiting[-1].record if self._waiting else self._draft.redo()

    def saved(self, record: Record) -> None:
        """After a save: nothing is left to undo, and the file of the draft is gone."""
        if self._draft is None:
            return
        self._waiting.clear()
        self.problem = None
        try:
            self._draft.saved(record)
        except VeinscanError as error:
            self.problem = error  # the save stands; the left-over file is told of

    def discard(self) -> None:
        """Forget the edits.  Raises DraftError where the file cannot be removed."""
        self._waiting.clear()
        self.problem = None
        if self._draft is not None:
            self._draft.discard()

    def close(self) -> None:
        """Let go of the draft and leave its file: the next start offers it."""
        self._waiting.clear()
        self.problem = None
        if self._draft is not None:
            with contextlib.suppress(VeinscanError):
                self._draft.close()
            self._draft = None

    def words(self) -> str:
        """The state of the edits in a few words; empty when there is none."""
        count = self.edits
        if not count:
            return ""
        if self.problem is not None:
            what = "edit is" if self.unkept == 1 else f"{self.unkept} edits are"
            return f"The last {what} NOT kept in the draft: {self.problem.what}. Save now."
        return f"{count} {'edit' if count == 1 else 'edits'} in the draft"
