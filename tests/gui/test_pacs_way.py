"""The whole way with a real archive, by keyboard alone: search, open, plan, finalise, sent and read back."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from orthanc_rig import Orthanc, settings_text
from pacs_doubles import press

from veinscan.plan.vocabulary import RecordState

pytestmark = pytest.mark.gui


@pytest.fixture
def filled(orthanc: Orthanc, archive_settings: Path, sample_study_dir: Path) -> Orthanc:
    """An archive that holds the sample study, and settings that name it."""
    orthanc.empty()
    for path in sample_study_dir.glob("*.dcm"):
        orthanc.add(path)
    return orthanc


def open_by_keyboard(person: Any, qtbot: Any) -> None:
    """Search any day for the sample's patient, and take the first study."""
    from qtpy.QtWidgets import QApplication

    person.press("Ctrl+Alt+P")
    dialog = QApplication.activeModalWidget()
    tab_to(dialog, dialog.form.period, qtbot)
    press(dialog, "a", qtbot)  # any day
    press(dialog, "Return", qtbot)
    qtbot.waitUntil(lambda: bool(dialog.table.rows), timeout=20_000)
    assert dialog.focusWidget() is dialog.table
    press(dialog, "Return", qtbot)
    qtbot.waitUntil(lambda: person.session.study is not None, timeout=60_000)
    person.wait_for_work()


def tab_to(dialog: Any, widget: Any, qtbot: Any) -> None:
    for _ in range(60):
        if dialog.focusWidget() is widget:
            return
        press(dialog, "Tab", qtbot)
    raise AssertionError(f"Tab does not reach {widget}")


def sign_by_keyboard(person: Any, qtbot: Any, *, along: tuple[str, ...]) -> None:
    """Acknowledge, tick what goes along, confirm the name, finalise."""
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    from napari_veinscan.pacs_choices import SendChoices

    failed: list[BaseException] = []

    def work() -> None:
        dialog = QApplication.activeModalWidget()
        try:
            for _, tick, reason in dialog.seen:
                tab_to(dialog, tick, qtbot)
                press(dialog, "Space", qtbot)
                if reason.isVisible() and not reason.text():
                    tab_to(dialog, reason, qtbot)
                    qtbot.keyClicks(reason, "looked at")
            choices = dialog.findChild(SendChoices)
            for name in along:
                tab_to(dialog, getattr(choices, name), qtbot)
                press(dialog, "Space", qtbot)
            tab_to(dialog, dialog.confirmed, qtbot)
            press(dialog, "Space", qtbot)
            assert not dialog.missing(), dialog.missing()
            tab_to(dialog, dialog.act, qtbot)
            press(dialog, "Space", qtbot)
        except BaseException as error:
            failed.append(error)
            dialog.reject()

    QTimer.singleShot(200, work)
    person.bench.commands.run("record.finalise")
    for error in failed:
        raise error


def test_from_the_archive_and_back_into_it(open_window, filled, sample_study_dir, found_in_sample, qtbot):
    from napari_veinscan.pacs_bar import add_pacs_bar

    person = open_window()
    open_by_keyboard(person, qtbot)
    session = person.session
    originals = {path.read_bytes() for path in sample_study_dir.glob("*.dcm")}
    uids = {str(pydicom.dcmread(path).SOPInstanceUID) for path in sample_study_dir.glob("*.dcm")}
    qtbot.waitUntil(
        lambda: {path.read_bytes() for path in session.study.root.glob("*.dcm")} == originals, timeout=60_000
    )
    session.set_candidates(session.clip, found_in_sample)
    for key in ("N", "A", "T"):
        person.press(key)
    session.update_target(side="right", modality="liquid", planned_volume_ml=0.5, concentration_percent=0.5)
    assert person.bench.save()
    draft = session.saved_path
    bar = add_pacs_bar(person.bench)
    sign_by_keyboard(person, qtbot, along=("segmentation", "page"))
    assert session.record.status.state is RecordState.FINAL
    qtbot.waitUntil(lambda: "sent and read back in test at" in bar.said.text(), timeout=60_000)
    qtbot.waitUntil(lambda: filled.count() == len(uids) + 3, timeout=60_000)
    held = filled.files()
    assert held[session.saved_path.stem] == session.saved_path.read_bytes()
    assert draft.stem not in held, "a version that is not final stays here"
    kinds = sorted(
        str(pydicom.dcmread(io.BytesIO(data)).Modality) for uid, data in held.items() if uid not in uids
    )
    assert kinds == ["DOC", "SEG", "SR"]


def test_without_the_archive_the_final_version_waits_and_goes_on_by_itself(
    open_window, filled, found_in_sample, qtbot
):
    from napari_veinscan.pacs_bar import add_pacs_bar

    person = open_window()
    open_by_keyboard(person, qtbot)
    qtbot.waitUntil(lambda: len(list(person.session.study.root.glob("*.dcm"))) == 4, timeout=60_000)
    before = filled.count()
    filled.stop()
    try:
        sign_by_keyboard(person, qtbot, along=())
        bar = add_pacs_bar(person.bench)
        qtbot.waitUntil(
            lambda: "1 version not sent to test yet, next try in" in bar.said.text(), timeout=60_000
        )
        assert person.session.saved_path.exists(), "it is saved here first"
    finally:
        filled.start()
    person.click(bar.now)
    qtbot.waitUntil(lambda: "sent and read back in test" in bar.said.text(), timeout=60_000)
    assert filled.count() == before + 1


def test_an_archive_with_a_password(
    open_window, make_orthanc, sample_study_dir, tmp_path, qtbot, monkeypatch
):
    from qtpy.QtWidgets import QApplication

    from napari_veinscan.pacs_bar import add_pacs_bar
    from napari_veinscan.pacs_sender import Sender
    from veinscan.pacs.queue import SendQueue

    locked = make_orthanc(login=("anna", "open-sesame"))
    for path in sample_study_dir.glob("*.dcm"):
        locked.add(path)
    (tmp_path / "settings.toml").write_text(settings_text("ward", locked), "utf-8")
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("VEINSCAN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr("veinscan.pacs.credentials._held", {})
    person = open_window(sample_study_dir)
    person.session.edit("nothing", lambda record: record)
    assert person.bench.save()
    sign_by_keyboard(person, qtbot, along=())
    SendQueue().add("ward", None, person.session.saved_path)
    sender, bar = person.bench.part(Sender), add_pacs_bar(person.bench)
    sender.run()
    qtbot.waitUntil(lambda: bar.password.isVisible() and not sender.is_sending, timeout=30_000)
    person.click(bar.password)
    dialog = QApplication.activeModalWidget()
    qtbot.keyClicks(dialog.focusWidget(), "wrong")
    press(dialog, "Return", qtbot)
    qtbot.waitUntil(lambda: "the login was refused" in bar.said.text(), timeout=30_000)
    qtbot.waitUntil(lambda: not sender.is_sending, timeout=30_000)
    person.click(bar.password)
    dialog = QApplication.activeModalWidget()
    qtbot.keyClicks(dialog.focusWidget(), "open-sesame")
    press(dialog, "Return", qtbot)
    qtbot.waitUntil(lambda: "sent and read back in ward" in bar.said.text(), timeout=30_000)
    held = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "orthanc" not in str(path)
    )
    assert b"open-sesame" not in held, "a password that is not to be kept is in no file"


def test_an_archive_without_dicomweb_gives_the_whole_study_first(
    open_window, filled, tmp_path, qtbot, monkeypatch
):
    from napari_veinscan.pacs_dialog import PacsDialog

    lines = settings_text("old", filled).splitlines()
    place = tmp_path / "settings.toml"
    place.write_text("\n".join(line for line in lines if not line.startswith("url")), "utf-8")
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(PacsDialog, "show_progress", lambda _dialog, part: told.append(part))
    person = open_window()
    open_by_keyboard(person, qtbot)
    assert person.study_dock.title.text() == "From old: 4 clips"
    assert not person.study_dock.arriving.isVisible(), "nothing is to come"
    assert len(list(person.session.study.root.glob("*.dcm"))) == 4
    assert any(words.startswith("4 of 4 objects, ") for words, _, _ in told), told
