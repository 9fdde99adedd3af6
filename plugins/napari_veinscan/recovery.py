"""Edits that a program left behind: found when a study is opened, and offered as they were on the screen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QMessageBox

from veinscan.errors import VeinscanError
from veinscan.plan.model import Record
from veinscan.record import Draft, PendingDraft, pending_drafts

if TYPE_CHECKING:
    from napari_veinscan.session import Session
    from napari_veinscan.workbench import Workbench


def offer_drafts(bench: Workbench, session: Session | None = None) -> None:
    """Offer what was left behind of a session's study, the latest first, until one is taken.

    By default of the study on show; a baseline beside it has a session of its own.
    """
    session = bench.session if session is None else session
    if session.study is None or session.record is None:
        return
    try:
        found = pending_drafts(session.study)
    except VeinscanError as error:
        bench.warn(error)
        return
    for pending in found:
        try:
            draft = Draft.resume(session.study, pending)
        except VeinscanError as error:
            bench.warn(error)
            continue
        if _take(bench, session, pending, draft):
            return


def _take(bench: Workbench, session: Session, pending: PendingDraft, draft: Draft) -> bool:
    """Whether the window goes on with the draft."""
    record = session.record
    if record is not None and draft.current.reading.id != record.reading.id:
        draft.close()  # of another reading of the study: not this reader's to see
        return False
    if record is None or _content(draft.current) == _content(record):
        if draft.redo_label is not None and pending.based_on == (record.heads if record else ()):
            session.go_on_with(draft)  # all was undone: nothing to ask, and redo is still there
            return True
        bench.attempt(draft.discard)  # saved before the end, or undone: nothing of it would be lost
        return False
    answer = _ask(bench, pending)
    buttons = QMessageBox.StandardButton
    if answer == buttons.Yes:
        session.go_on_with(draft)
        if pending.based_on != record.heads:
            show_info("The record was saved by somebody since. Your next save is merged with that.")
        return True
    if answer == buttons.Discard:
        bench.attempt(draft.discard)
    else:
        draft.close()
    return False


def _ask(bench: Workbench, pending: PendingDraft) -> int:
    edits = "1 edit" if pending.edits == 1 else f"{pending.edits} edits"
    box = QMessageBox(bench.window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Edits that were not saved")
    box.setText(f"A window on this study ended with {edits} in the draft.")
    last = f"{pending.last_edit_at.astimezone():%d %B, %H:%M}"
    box.setInformativeText(f"The last was '{pending.label}', {last}. Go on with them?")
    buttons = QMessageBox.StandardButton
    box.setStandardButtons(buttons.Yes | buttons.Ignore | buttons.Discard)
    box.button(buttons.Yes).setText("Go on with them")
    box.button(buttons.Ignore).setText("Not now")
    box.button(buttons.Discard).setText("Discard them")
    box.setDefaultButton(buttons.Yes)
    box.setEscapeButton(box.button(buttons.Ignore))
    return int(box.exec())


def _content(record: Record) -> Record:
    """The record without where it stands among the versions."""
    return replace(record, version=0, heads=(), conflicts=())
