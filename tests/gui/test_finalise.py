"""Final, amended, withdrawn: dialogs worked by hand on the real window, and what the saved file says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pydicom
import pytest

from veinscan.plan import editing
from veinscan.plan.vocabulary import RecordState

pytestmark = pytest.mark.gui


def in_dialog(work: Callable[[Any], None], failed: list[BaseException]) -> None:
    """Work a modal dialog once it is open; what goes wrong there closes it and is raised after."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    def run() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            QTimer.singleShot(50, run)
            return
        try:
            work(dialog)
        except BaseException as error:  # raised again by who asked
            failed.append(error)
        if dialog.isVisible():
            dialog.reject()

    QTimer.singleShot(50, run)


def ask(person: Any, button: Any, work: Callable[[Any], None]) -> None:
    failed: list[BaseException] = []
    in_dialog(work, failed)
    button() if callable(button) else person.click(button)
    for error in failed:
        raise error


def last_saved(person: Any) -> Any:
    return pydicom.dcmread(person.session.saved_path)


def test_finalise_amend_withdraw(window: Any) -> None:
    person, session = window, window.session
    bar, bench = person.bar, person.bench
    made = editing.target_at_point(session.clip, 0, (150.0, 200.0), session.reader)
    session.edit("a target", lambda record: editing.add_target(record, made))
    session.select_target(made.id)
    session.update_target(modality="liquid", planned_volume_ml=0.5, concentration_percent=0.5)

    # its side is missing: a data error stops it, with a way to the target
    def blocked(dialog: Any) -> None:
        dialog.confirmed.setChecked(True)
        for _, tick, _ in dialog.seen:
            tick.setChecked(True)
        assert not dialog.act.isEnabled()
        assert "put right first" in dialog.why_not.text()
        dialog.ways[0].click()

    session.select_target(None)
    bench.show_dock("map")
    ask(person, bar.finalise, blocked)
    assert session.target is not None
    person.qtbot.waitUntil(lambda: not bench.docks["targets"].visibleRegion().isEmpty(), timeout=5000)
    assert session.record.status.state is RecordState.SAVED

    # warnings one by one, then the name
    session.update_target(side="right")

    def sign(dialog: Any) -> None:
        assert dialog.seen, "no artery check is recorded: that has to be acknowledged"
        dialog.confirmed.setChecked(True)
        assert not dialog.act.isEnabled()
        for _, tick, reason in dialog.seen:
            tick.setChecked(True)
            reason.setText("checked by hand")
        assert dialog.act.isEnabled()
        dialog.name.setText("Dr. Final")
        assert not dialog.act.isEnabled(), "another name has to be confirmed anew"
        dialog.confirmed.setChecked(True)
        dialog.act.click()

    ask(person, bar.finalise, sign)
    record = session.record
    assert (record.status.state, record.status.set_by) == (RecordState.FINAL, "Dr. Final")
    assert {one.reason for one in record.acknowledgements} == {"checked by hand"}
    assert not session.is_dirty
    saved = last_saved(person)
    assert (saved.CompletionFlag, saved.VerificationFlag) == ("COMPLETE", "VERIFIED")
    assert "final by Dr. Final: read-only until amended" in bar.state.text()
    assert not bar.finalise.isVisible()
    assert bar.reader.text() == "Dr. Final"

    # read-only: a key, a form and undo change nothing, and a sentence says why
    from napari.utils.notifications import notification_manager

    person.press("Ctrl+2")
    assert "amend it with a reason" in notification_manager.records[-1].message
    assert not bar.undo.isEnabled()
    assert session.record == record
    assert "amend it with a reason" in bench.docks["session"].hint.text()
    assert not bench.docks["session"].new.isEnabled()

    # amended with a reason; until it is finalised again it can be given up
    def amend(dialog: Any) -> None:
        dialog.confirmed.setChecked(True)
        assert not dialog.act.isEnabled()
        dialog.reason.setText("volume was typed wrongly")
        dialog.act.click()

    ask(person, bar.amend, amend)
    assert session.record.status.state is RecordState.AMENDING
    assert "being amended" in bar.state.text()
    person.press("Ctrl+Z")
    assert session.record.status.state is RecordState.FINAL
    person.press("Ctrl+Shift+Z")
    session.update_target(planned_volume_ml=0.4)

    def sign_again(dialog: Any) -> None:
        for _, tick, _ in dialog.seen:
            tick.setChecked(True)
        dialog.confirmed.setChecked(True)
        dialog.act.click()

    ask(person, bar.finalise, sign_again)
    assert session.record.status.state is RecordState.AMENDED
    assert session.record.status.reason == "volume was typed wrongly"
    assert bar.state.text().startswith("amended by Dr. Final (volume was typed wrongly)")

    # withdrawn: reason, name and a second confirmation
    def withdraw(dialog: Any) -> None:
        dialog.offered[0].click()
        dialog.confirmed.setChecked(True)
        assert not dialog.act.isEnabled()
        assert "second time" in dialog.why_not.text()
        dialog.second.setChecked(True)
        dialog.act.click()

    ask(person, lambda: bench.commands.run("record.withdraw"), withdraw)
    assert session.record.status.state is RecordState.WITHDRAWN
    assert bar.state.text().startswith("withdrawn by Dr. Final (wrong patient)")
    assert session.record.targets[0].planned_volume_ml == 0.4, "its content stays readable"
    assert not session.is_dirty


def test_what_the_disk_refuses_is_not_final(window: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from veinscan import record as store
    from veinscan.errors import NotSavedError

    def refused(*_: Any, **__: Any) -> None:
        raise NotSavedError("the disk is full", do="make room")

    monkeypatch.setattr(store, "save_record", refused)

    def sign(dialog: Any) -> None:
        dialog.confirmed.setChecked(True)
        dialog.act.click()

    ask(window, window.bar.finalise, sign)
    assert window.session.record.status.state is RecordState.SAVED
