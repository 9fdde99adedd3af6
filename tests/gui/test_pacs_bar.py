"""The queue of what goes into an archive, as the window shows it and works it off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pacs_doubles import MemoryArchive, config

from veinscan.errors import PacsError
from veinscan.pacs.queue import SendQueue
from veinscan.pacs.queue_entry import Sending, State

pytestmark = pytest.mark.gui

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def sending(state: State, **fields: Any) -> Sending:
    return Sending(
        **{
            "sop_instance_uid": "1.2.3.4",
            "study_instance_uid": "1.2.3",
            "archive": "clinic",
            "kind": "record",
            "state": state,
            "added_at": NOW,
            "changed_at": NOW,
            **fields,
        }
    )


def test_the_words_say_where_it_is_and_what_happens_next():
    from napari_veinscan.pacs_sending_words import others_words, study_words

    waiting = sending(State.WAITING, next_try=NOW + timedelta(seconds=121), reason="no connection")
    at = f"{NOW.astimezone():%H:%M}"
    assert study_words([waiting], "1.2.3", NOW).words == (
        "● 1 version not sent to clinic yet, next try in 2 min: no connection"
    )
    stored = sending(State.STORED)
    assert study_words([stored], "1.2.3", NOW).words == f"✓ sent and read back in clinic at {at}"
    refused = sending(State.REFUSED, reason="not enough rights")
    assert study_words([stored, refused], "1.2.3", NOW).words == (
        "✕ plan refused by clinic: not enough rights"
    )
    assert study_words([waiting, stored, refused], "1.2.9", NOW).words == ""
    assert others_words([waiting, stored, refused], "1.2.9").words == (
        "2 objects of other studies not sent, 1 of them refused"
    )
    later = study_words([stored], "1.2.3", NOW + timedelta(days=2)).words
    assert f"{NOW.astimezone():%Y-%m-%d %H:%M}" in later


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> MemoryArchive:
    from napari_veinscan import pacs_calls

    double = MemoryArchive()
    monkeypatch.setattr(pacs_calls, "configured", lambda: {"clinic": config()})
    monkeypatch.setattr(pacs_calls, "connect", lambda _name, *, dimse=None: double)
    yield double
    double.hold.clear()


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SendQueue:
    """A queue of this test's own."""
    from napari_veinscan import pacs_calls

    monkeypatch.setattr(pacs_calls, "queue_folder", lambda: tmp_path / "queue")
    return SendQueue(tmp_path / "queue")


@pytest.fixture
def bar(window: Any) -> Any:
    from napari_veinscan.pacs_bar import add_pacs_bar

    return add_pacs_bar(window.bench)


def saved(person: Any) -> Path:
    """A version of the record of the study on show."""
    person.press("N")
    person.press("A")
    assert person.bench.save()
    return person.session.saved_path


@pytest.fixture
def sender(window: Any, archive: MemoryArchive, queue: SendQueue, qtbot: Any) -> Any:
    from napari_veinscan.pacs_sender import Sender

    sender = window.bench.part(Sender)
    yield sender
    archive.hold.clear()
    archive.error = None
    qtbot.waitUntil(lambda: not sender.is_sending, timeout=10_000)
    sender.entries = ()  # the window is the next test's too
    sender.run()
    queue.folder.rename(queue.folder.with_name("gone")) if queue.folder.exists() else None
    sender.changed.emit()


def test_what_is_put_in_is_sent_read_back_and_said(searched, bar, sender, queue, archive, qtbot):
    assert not bar.isVisible(), "there is nothing to say"
    path = saved(searched)
    archive.hold.set()
    queue.add("clinic", "", path)
    sender.run()
    qtbot.waitUntil(lambda: "being sent" in bar.said.text())
    assert bar.isVisible()
    assert not bar.now.isEnabled()
    archive.hold.clear()
    qtbot.waitUntil(lambda: "sent and read back in clinic" in bar.said.text(), timeout=10_000)
    assert archive.held[path.stem][1] == path.read_bytes()
    assert archive.stores == 1
    assert not bar.now.isVisible()
    assert not bar.list.isVisible()


def test_without_a_connection_one_works_on_and_send_now_goes_on(searched, bar, sender, queue, archive, qtbot):
    archive.error = PacsError("no connection", where="clinic", step="tcp", temporary=True)
    queue.add("clinic", "", saved(searched))
    sender.run()
    qtbot.waitUntil(lambda: "next try in" in bar.said.text(), timeout=10_000)
    assert bar.said.text().startswith("● 1 version not sent to clinic yet, next try in ")
    assert "no connection" in bar.said.text()
    searched.press("N")
    searched.press("T")
    assert searched.bench.save(), "one works on"
    archive.error = None
    searched.click(bar.now)
    qtbot.waitUntil(lambda: "sent and read back" in bar.said.text(), timeout=10_000)


def test_what_is_refused_is_listed_with_the_reason_tried_again_or_forgotten(
    searched, bar, sender, queue, archive, qtbot, monkeypatch
):
    from qtpy.QtWidgets import QApplication, QMessageBox

    archive.refusal = "Refused: SOP Class not supported (0x0122)"
    path = saved(searched)
    queue.add("clinic", "", path)
    sender.run()
    qtbot.waitUntil(lambda: "refused by clinic" in bar.said.text(), timeout=10_000)
    assert "SOP Class not supported" in bar.said.text()
    searched.click(bar.list)
    dialog = QApplication.activeModalWidget()
    assert dialog.table.rowCount() == 1
    assert "SOP Class not supported" in dialog.reason.toPlainText()
    assert path.stem in dialog.reason.toPlainText()
    monkeypatch.setattr(QMessageBox, "exec", lambda _box: QMessageBox.StandardButton.Ok)
    dialog.again.click()
    qtbot.waitUntil(lambda: archive.stores == 2 and not sender.is_sending, timeout=10_000)
    qtbot.waitUntil(dialog.forget.isEnabled, timeout=10_000)
    dialog.forget.click()
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 0, timeout=10_000)
    assert queue.all() == ()
    assert path.exists(), "the version beside the study stays"
    dialog.reject()
    assert not bar.isVisible()


def test_closing_says_what_is_not_sent_and_the_next_window_goes_on(
    open_window, sample_study_dir, archive, queue, qtbot, monkeypatch
):
    from qtpy.QtWidgets import QMessageBox

    from napari_veinscan.pacs_sender import Sender

    person = open_window(sample_study_dir)
    sender = person.bench.part(Sender)
    archive.error = PacsError("no connection", where="clinic", step="tcp", temporary=True)
    person.session.edit("note", lambda record: record)
    assert person.bench.save()
    queue.add("clinic", "", person.session.saved_path)
    sender.run()
    qtbot.waitUntil(lambda: bool(sender.unsent) and not sender.is_sending, timeout=10_000)
    asked: list[str] = []

    def answer(button: str) -> None:
        def reply(box: Any) -> Any:
            asked.append(f"{box.text()} {box.informativeText()}")
            return getattr(QMessageBox.StandardButton, button)

        monkeypatch.setattr(QMessageBox, "exec", reply)

    answer("Cancel")
    assert not person.window.close()
    assert person.window.isVisible()
    assert "1 object is not in the archive yet" in asked[0]
    assert "stays in the queue" in asked[0]
    answer("Close")
    assert person.window.close()
    assert len(queue.pending()) == 1
    archive.error = None
    # what was to wait is due in the meantime
    entry = queue.pending()[0]
    from dataclasses import replace

    from veinscan.pacs.queue_folder import QueueFolder

    QueueFolder(queue.folder).write(replace(entry, next_try=None))
    again = open_window()
    qtbot.waitUntil(lambda: not queue.pending(), timeout=10_000)
    assert archive.stores == 1
    qtbot.waitUntil(lambda: not again.bench.part(Sender).is_sending, timeout=10_000)
