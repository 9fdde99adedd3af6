"""What of a study goes into an archive from the window, and what never does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pacs_doubles import MemoryArchive, config
from test_finalise import ask

from veinscan.dicom import open_study
from veinscan.pacs.origin import Origin, write_origin
from veinscan.pacs.queue import SendQueue

pytestmark = pytest.mark.gui


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> MemoryArchive:
    from napari_veinscan import pacs_calls

    double = MemoryArchive()
    known = {"clinic": config(dimse="PACS@pacs.example:104"), "other": config("other")}
    monkeypatch.setattr(pacs_calls, "configured", lambda: known)
    monkeypatch.setattr(pacs_calls, "connect", lambda _name, *, dimse=None: double)
    monkeypatch.setattr(pacs_calls, "find_earlier", lambda *_: _nothing())
    return double


def _nothing() -> Any:
    from veinscan.follow_up.earlier import EarlierStudies

    return EarlierStudies((), ())


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SendQueue:
    """A queue of this test's own."""
    from napari_veinscan import pacs_calls

    monkeypatch.setattr(pacs_calls, "queue_folder", lambda: tmp_path / "queue")
    return SendQueue(tmp_path / "queue")


def came_from(folder: Path, archive: str, **fields: Any) -> None:
    """Say that a study folder was pulled from an archive."""
    uid = open_study(folder).study_instance_uid
    write_origin(
        folder, Origin(archive=archive, study_instance_uid=uid, pulled_at=datetime.now(UTC), **fields)
    )


def sign(dialog: Any) -> None:
    for _, tick, _ in dialog.seen:
        tick.setChecked(True)
    dialog.confirmed.setChecked(True)
    dialog.act.click()


def wait_for_sending(person: Any) -> None:
    from napari_veinscan.pacs_pushing import Pushing
    from napari_veinscan.pacs_sender import Sender

    pushing, sender = person.bench.part(Pushing), person.bench.part(Sender)
    person.qtbot.waitUntil(lambda: not pushing.is_putting, timeout=20_000)
    person.qtbot.wait(50)
    person.qtbot.waitUntil(lambda: not sender.is_sending, timeout=20_000)


def test_a_final_version_goes_at_once_and_a_draft_on_wish_alone(
    open_window, sample_study_dir, archive, queue, qtbot, monkeypatch
):
    from qtpy.QtWidgets import QMessageBox

    from napari_veinscan.pacs_bar import add_pacs_bar
    from napari_veinscan.pacs_choices import SendChoices, kept

    came_from(sample_study_dir, "clinic")
    person = open_window(sample_study_dir)
    bench, session = person.bench, person.session
    assert person.study_dock.title.text() == "From clinic: 4 clips"
    session.edit("lost", lambda record: record)
    assert bench.save()
    wait_for_sending(person)
    assert queue.all() == (), "a save is not a send"
    answers = []

    def answer(box: Any) -> Any:
        answers.append(box.informativeText())
        return QMessageBox.StandardButton.Cancel if len(answers) == 1 else QMessageBox.StandardButton.Ok

    monkeypatch.setattr(QMessageBox, "exec", answer)
    bench.commands.run("pacs.send_draft")
    wait_for_sending(person)
    assert queue.all() == ()
    assert "partial and unverified" in answers[0]
    bench.commands.run("pacs.send_draft")
    wait_for_sending(person)
    (draft,) = queue.all()
    assert (draft.state, draft.sop_instance_uid) == ("stored", session.saved_path.stem)

    def with_segmentation(dialog: Any) -> None:
        choices = dialog.findChild(SendChoices)
        assert "clinic" in choices.title()
        assert not choices.segmentation.isChecked()
        choices.page.setChecked(True)
        sign(dialog)

    ask(person, person.bar.finalise, with_segmentation)
    wait_for_sending(person)
    kinds = sorted(one.kind for one in queue.all())
    assert kinds == ["record", "record", "report"]
    assert all(one.state == "stored" for one in queue.all())
    assert kept("clinic").page, "kept for this archive"
    assert not kept("other").page
    bar = add_pacs_bar(bench)
    assert bar.said.text().startswith("✓ sent and read back in clinic at ")


def test_nothing_goes_to_an_address_that_only_the_folder_names(open_window, sample_study_dir, archive, queue):
    from napari_veinscan.pacs_choices import SendChoices
    from napari_veinscan.pacs_pushing import home_of

    study = open_study(sample_study_dir)
    came_from(sample_study_dir, archive="clinic")
    assert home_of(study).archive == "clinic"
    came_from(sample_study_dir, archive="elsewhere")
    assert home_of(study) is None
    came_from(sample_study_dir, archive="clinic", dimse="THIEF@198.51.100.7:104")
    assert home_of(study) is None
    person = open_window(sample_study_dir)

    def look_and_sign(dialog: Any) -> None:
        assert dialog.findChild(SendChoices) is None
        sign(dialog)

    ask(person, person.bar.finalise, look_and_sign)
    wait_for_sending(person)
    assert queue.all() == ()
    assert archive.stores == 0


def test_a_study_of_a_folder_is_sent_where_a_person_says(open_window, sample_study_dir, archive, queue):
    person = open_window(sample_study_dir)
    bench = person.bench

    def send(dialog: Any) -> None:
        assert not dialog.send.isEnabled(), "a draft: not without the wish"
        dialog.archive.setCurrentIndex(dialog.archive.findData("other"))
        assert "other" in dialog.choices.title()
        dialog.draft.setChecked(True)
        dialog.pictures.setChecked(True)
        dialog.send.click()

    person.press("N")
    bench.session.edit("a label", lambda record: record)
    assert bench.save()
    ask(person, lambda: bench.commands.run("pacs.send"), send)
    wait_for_sending(person)
    entries = queue.all()
    assert {one.archive for one in entries} == {"other"}
    assert sorted(one.kind for one in entries) == ["image"] * 4 + ["record"]
    assert all(one.state == "stored" for one in entries)


def test_a_final_version_that_was_not_put_in_is_said_and_sent(
    open_window, sample_study_dir, archive, queue, qtbot, monkeypatch
):
    from napari_veinscan import pacs_calls
    from napari_veinscan.pacs_bar import add_pacs_bar
    from veinscan.errors import NotSavedError

    came_from(sample_study_dir, "clinic")
    person = open_window(sample_study_dir)
    put = pacs_calls.put_version

    def full(*_: Any, **__: Any) -> None:
        raise NotSavedError("the disk is full", do="make room")

    monkeypatch.setattr(pacs_calls, "put_version", full)
    ask(person, person.bar.finalise, sign)
    wait_for_sending(person)
    bar = add_pacs_bar(person.bench)
    assert person.session.record.status.state == "final", "it is saved, whatever became of the queue"
    assert bar.said.text() == "● this final version was not sent to clinic yet"
    monkeypatch.setattr(pacs_calls, "put_version", put)
    person.click(bar.now)
    wait_for_sending(person)
    assert bar.said.text().startswith("✓ sent and read back in clinic at ")


def test_the_connection_is_tested_step_by_step(open_window, archive, qtbot, monkeypatch):
    from napari_veinscan import pacs_calls
    from napari_veinscan.pacs_check import CheckDialog
    from veinscan.pacs.doctor_visit import Step

    steps = (
        Step("name", True, "it is there"),
        Step("tcp", False, "nothing listens on port 1", "start the archive"),
        Step("tls", None, "not tried"),
    )

    def check(_name: str, each: Any) -> tuple[Step, ...]:
        for step in steps:
            each(step)
        return steps

    monkeypatch.setattr(pacs_calls, "check", check)
    person = open_window()
    dialog = CheckDialog(person.bench, "clinic", person.window)
    dialog.show()
    qtbot.waitUntil(lambda: not dialog.progress.isVisible(), timeout=5000)
    from qtpy.QtWidgets import QLabel

    said = [label.text() for label in dialog.findChildren(QLabel)]
    assert "nothing listens on port 1\nStart the archive." in said
    assert {"✓", "✕", "–"} <= set(said)
    assert "'tcp'" in dialog.said.text()
    dialog.reject()
