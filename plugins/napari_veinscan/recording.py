"""Saving, undo and redo, and the questions about unsaved work, for one window."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.utils.notifications import show_warning
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QMessageBox

from napari_veinscan.recovery import offer_drafts
from veinscan.errors import VeinscanError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class Recording:
    """What a window does with the record as a whole."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._session = bench.session
        self._flush: list[Callable[[], None]] = []
        self._others: list[tuple[Callable[[], bool], Callable[[], object]]] = []

    def before_saving(self, flush: Callable[[], None]) -> None:
        """Register what has to be taken over (a field being typed in) before saving or closing."""
        self._flush.append(flush)

    def ask_too(self, may_lose: Callable[[], bool], forget: Callable[[], object]) -> None:
        """Register another record that is edited in this window: how it asks, and how it lets go."""
        self._others.append((may_lose, forget))

    def forget_others(self) -> None:
        """Let go of what is not saved in the other records, without asking."""
        for _, forget in self._others:
            forget()

    def take_over(self) -> None:
        """Take over everything that is still being typed."""
        for flush in self._flush:
            flush()

    def forget(self) -> None:
        """Let go of the docks, which Qt has deleted with the window."""
        self._flush.clear()
        self._others.clear()

    def undo(self) -> None:
        """Take back the last edit."""
        self.take_over()
        self._bench.attempt(self._session.undo)

    def redo(self) -> None:
        """Bring back what was taken back last."""
        self._bench.attempt(self._session.redo)

    def save(self) -> bool:
        """Save the record as a new version; whether it reached the disk."""
        self.take_over()
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            self._session.save()
        except VeinscanError as error:
            text = str(error)
            show_warning(text if text.startswith("Not saved") else f"Not saved: {text}")
            return False
        finally:
            QApplication.restoreOverrideCursor()
        if self._session.saved_note:
            show_warning(f"Saved, but not beside the study: {self._session.saved_note}")
        return True

    def study_was_opened(self) -> None:
        """Say what is special about the record of a study that was just opened."""
        record = self._session.record
        if record is None:
            return
        if record.read_only:
            show_warning(f"This record cannot be changed here: {record.read_only}")
            return
        offer_drafts(self._bench)
        record = self._session.record
        if record is not None and record.conflicts:
            show_warning(
                f"Two readers changed the same thing: {record.conflicts[0]}. "
                "Press 'Conflicts' over the picture to choose."
            )

    def may_lose_edits(self) -> bool:
        """Ask for unsaved work: True when it is saved, kept, let go, or there is none."""
        self.take_over()
        return self._may_lose_own() and all(may_lose() for may_lose, _ in self._others)

    def _may_lose_own(self) -> bool:
        if not self._session.is_dirty:
            return True
        if self._bench.preferences.autosave and self.save():
            return True
        box = QMessageBox(self._bench.window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Unsaved work")
        box.setText("The plan of this study has changes that are not saved.")
        box.setInformativeText(
            "Save them beside the study, keep them in the draft for the next start, or discard them?"
        )
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Ignore | buttons.Discard | buttons.Cancel)
        box.button(buttons.Ignore).setText("Keep in the draft")
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        if answer == buttons.Save:
            return self.save()
        if answer == buttons.Discard:
            return self._bench.attempt(self._session.forget_edits)
        return bool(answer == buttons.Ignore)
