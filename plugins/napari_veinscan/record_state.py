"""The record of the study on show: every edit of it, undo and redo, the draft, and saving.

Knows neither Qt nor napari.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from psygnal import Signal

from napari_veinscan.drafting import EditLog
from veinscan import record as store
from veinscan.dicom import Study
from veinscan.errors import InvalidInputError, RecordError, VeinscanError
from veinscan.plan.model import Reader, Record
from veinscan.plan.signing import check_editable
from veinscan.record import Draft


class EditedRecord:
    """A study's record in one window: what `Session` knows of it."""

    record_changed = Signal()
    """Anything in the record was edited, undone, saved or loaded, or the state of the draft changed."""

    version_saved = Signal(object)
    """A version is on the disk: a `SavedRecord`."""

    def __init__(self, reader: Reader, study: Study | None = None) -> None:
        self.reader = reader
        self.study = study
        self.record: Record | None = None
        self.saved_at: datetime | None = None
        self.saved_path: Path | None = None
        self.saved_note = ""
        """Where the last save went and why, when it is not beside the study."""
        self._saved: Record | None = None
        self._log = EditLog()

    def editable_record(self) -> Record:
        """The record, when it may be changed.  Raises with the reason when not."""
        if self.record is None:
            raise InvalidInputError("no study is open", do="open a study first")
        check_editable(self.record)
        return self.record

    # -- editing ----------------------------------------------------------------------

    def edit(self, label: str, change: Callable[[Record], Record]) -> None:
        """Change the record; `label` says in a few words what was done ('target 2: side').

        Every edit of every dock goes through here.  What `change` raises
        leaves the record as it was.  The edit is in the draft on the disk
        before `record_changed` is emitted; where the disk refuses, it is kept
        in memory and `draft_state` says so.  A change that changes nothing is
        no edit.
        """
        record = self.editable_record()
        edited = change(record)
        if edited != record:
            self._show_record(self._log.keep(edited, label))

    def sign(self, label: str, change: Callable[[Record], Record]) -> None:
        """Finalise, amend or withdraw: an edit that may also be made in a record that is final."""
        if self.record is None:
            raise InvalidInputError("no study is open", do="open a study first")
        self._show_record(self._log.keep(change(self.record), label))

    def undo(self) -> str:
        """Take back the last edit; returns its label.  Raises where there is none."""
        label = self._log.undo_label
        if label is None:
            raise InvalidInputError(
                "there is nothing to undo", do="edits of a saved version stay as they are"
            )
        self._show_record(self._log.undo())
        return label

    def redo(self) -> str:
        """Bring back the edit that was taken back last; returns its label.  Raises where there is none."""
        label = self._log.redo_label
        if label is None:
            raise InvalidInputError("there is nothing to redo")
        self._show_record(self._log.redo())
        return label

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back; None where there is nothing."""
        return self._log.undo_label

    @property
    def redo_label(self) -> str | None:
        """What `redo` would bring back; None where there is nothing."""
        return self._log.redo_label

    @property
    def why_read_only(self) -> str:
        """Why the record cannot be changed, in a sentence; empty when it can."""
        if self.record is None:
            return ""
        try:
            check_editable(self.record)
        except RecordError as error:
            return str(error)
        return ""

    @property
    def draft_problem(self) -> VeinscanError | None:
        """Why the last edits are on the screen alone; None when the draft holds all."""
        return self._log.problem

    @property
    def draft_state(self) -> str:
        """What became of the edits, in words: '3 edits in the draft', 'saved 12:03 as version 4'."""
        if self.record is None:
            return ""
        if words := self._log.words():
            return words
        if len(self.record.heads) > 1:
            return f"{len(self.record.heads)} saved versions together, not saved as one"
        if self.saved_at is not None:
            return f"saved {self.saved_at:%H:%M} as version {self.record.version}"
        if self.record.version:
            return f"version {self.record.version}, unchanged"
        return "nothing to save yet"

    def go_on_with(self, draft: Draft) -> None:
        """Go on with the edits that another program left behind, its undo and redo included."""
        self._saved = draft.base
        self._show_record(self._log.adopt(draft))

    # -- saving -----------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        """Whether the record differs from what is on the disk."""
        return self.record is not None and self.record != self._saved

    def forget_edits(self) -> None:
        """Go back to the record as it is on the disk, and empty the draft."""
        if self._log.edits or self._log.redo_label:
            self._log.discard()
        if self.is_dirty:
            self._show_record(self._saved)

    def save(self) -> Path:
        """Write a new version of the record beside the study; returns its path.

        Raises `NotSavedError` when it did not reach the disk; the edits are kept.
        """
        if self.study is None or self.record is None:
            raise RecordError("there is nothing to save", do="open a study first")
        saved = store.save_record(self.study, self.record, self.reader)
        self._saved = saved.record
        self._log.saved(saved.record)
        self.saved_at, self.saved_path = datetime.now().astimezone(), saved.path
        self.saved_note = saved.note
        self._show_record(saved.record)
        self.version_saved.emit(saved)
        return saved.path

    def close(self) -> None:
        """Let go of the draft; edits that are in it are offered at the next start."""
        self._log.close()

    def _take_over(self, record: Record) -> None:
        """Begin at a record as it is on the disk, without telling anybody yet."""
        self.saved_at, self.saved_path, self.saved_note = None, None, ""
        self._saved = record
        self.record = record if self.study is None else self._log.begin(self.study, record)

    def _show_record(self, record: Record | None) -> None:
        self.record = record
        self.record_changed.emit()
