"""The queue of what goes into an archive, as the window shows it and works it off."""

from __future__ import annotations

from collections.abc import Iterator
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


def test_a_password_is_asked_for_where_the_library_says_that_one_is_missing(monkeypatch):
    """The queue keeps the reason in words: those of the library are those that the window knows."""
    import keyring

    from napari_veinscan.pacs_sending_words import needs_login
    from veinscan.pacs.answers import status_error
    from veinscan.pacs.config import PacsConfig
    from veinscan.pacs.credentials import credentials

    def reasons() -> Iterator[str]:
        yield str(status_error(401, {}, step="stow", where="clinic"))
        for auth in ("basic", "bearer"):
            clinic = PacsConfig(name="clinic", url="https://clinic.example/dicom-web", user="anna", auth=auth)
            for answer in (lambda *_: None, lambda *_: 1 / 0):
                monkeypatch.setattr(keyring, "get_password", answer)
                with pytest.raises(PacsError) as raised:
                    credentials(clinic, environ={})
                yield str(raised.value)

    for reason in reasons():
        assert needs_login([sending(State.WAITING, reason=reason)]) == "clinic", reason
        assert not needs_login([sending(State.STORED, reason=reason)])
    for other in (status_error(503, {}, step="stow", where="clinic"), "no connection within the time limit"):
        assert not needs_login([sending(State.WAITING, reason=str(other))])


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("ground", ["background", "foreground"])
def test_the_colours_of_a_state_can_be_read_in_every_theme(theme, ground):
    from napari.utils.theme import get_theme
    from qtpy.QtGui import QColor

    from napari_veinscan.palette import STATE_COLOURS, on_ground

    def luminance(colour: Any) -> float:
        """Relative, WCAG 2.1."""
        linear = [
            part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
            for part in (colour.redF(), colour.greenF(), colour.blueF())
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    below = luminance(QColor(*getattr(get_theme(theme), ground).as_rgb_tuple()[:3]))
    for colour in STATE_COLOURS.values():
        light, dark = sorted(
            (luminance(QColor(on_ground(colour, is_light=theme == "light"))), below), reverse=True
        )
        assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize(("letters", "drawn"), [("#ffffff", "#E69F00"), ("#202020", "#7A5200")])
def test_a_line_takes_the_colour_that_its_ground_asks_for(qtbot, letters, drawn):
    from qtpy.QtGui import QColor, QPalette

    from napari_veinscan.palette import STATE_COLOURS
    from napari_veinscan.record_bar import ElidedLabel

    label = ElidedLabel()
    qtbot.addWidget(label)
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(letters))
    label.setPalette(palette)
    label.resize(200, 30)
    label.say("\u2588\u2588\u2588\u2588", STATE_COLOURS["dirty"])
    image = label.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(60) for y in range(30)}
    assert QColor(drawn).name() in colours


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
