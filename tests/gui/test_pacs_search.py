"""'Open from PACS': searching by keyboard, what is shown, cancelling, errors, the password, no archive."""

from __future__ import annotations

import contextlib
import threading
from datetime import date, timedelta
from typing import Any

import pytest
from pacs_doubles import TODAY, SlowArchive, config, press, row, the_window_waits_for_nobody

from veinscan.errors import PacsError

pytestmark = pytest.mark.gui


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> SlowArchive:
    from napari_veinscan import pacs_calls

    double = SlowArchive()
    monkeypatch.setattr(pacs_calls, "configured", lambda: {"clinic": config()})
    monkeypatch.setattr(pacs_calls, "connect", lambda _name: double)
    yield double
    double.hold.clear()


@pytest.fixture
def dialog(window: Any, archive: SlowArchive, qtbot: Any) -> Any:
    from qtpy.QtWidgets import QApplication

    window.press("Ctrl+Alt+P")
    shown = QApplication.activeModalWidget()
    assert shown is not None
    yield shown
    archive.hold.clear()
    with contextlib.suppress(RuntimeError):  # the test closed it
        shown.reject()
    qtbot.wait(20)


def search(dialog: Any, qtbot: Any) -> None:
    press(dialog, "Return", qtbot)
    qtbot.waitUntil(lambda: dialog.search.isEnabled(), timeout=5000)


def test_a_search_by_keyboard_lists_the_latest_first(dialog, archive, qtbot):
    assert dialog.focusWidget() is dialog.form.patient_id
    qtbot.keyClicks(dialog.focusWidget(), "PHANTOM*")
    search(dialog, qtbot)
    (asked,) = archive.asked
    assert asked.patient_id == "PHANTOM*"
    assert asked.first_day == TODAY - timedelta(days=6), "a week, unless another period is chosen"
    assert asked.modality == "US"
    assert [one.on for one in dialog.table.rows] == sorted((r.on for r in archive.rows), reverse=True)
    assert dialog.focusWidget() is dialog.table
    assert dialog.table.item(0, 2).text() == "SAMPLE0, ANNA"
    assert "3 studies" in dialog.said.text()
    press(dialog, "Down", qtbot)
    assert dialog.table.chosen == dialog.table.rows[1]


def test_a_name_is_found_however_it_is_typed(dialog, archive, qtbot, monkeypatch):
    from veinscan.pacs.model import StudyRows

    def in_capitals_alone(query: Any, *, stop: Any = None) -> StudyRows:
        return StudyRows(archive.rows if query.patient_name == "SAMPLE*ANNA*" else (), True)

    monkeypatch.setattr(archive, "find_studies", in_capitals_alone)
    dialog.form.patient_name.setFocus()
    qtbot.keyClicks(dialog.form.patient_name, "sample anna")
    search(dialog, qtbot)
    assert set(dialog.table.rows) == set(archive.rows)


def test_the_list_is_sorted_by_headings_and_by_keyboard(dialog, archive, qtbot):
    archive.rows = tuple(row(n, instances=n * 7 % 5, patient_name=f"{'CAB'[n]}^X") for n in range(3))
    search(dialog, qtbot)
    chosen = dialog.table.chosen
    order = dialog.table.order
    order.setFocus()
    while order.currentText() != "name":
        press(dialog, "Down", qtbot)
    assert [one.patient_name[0] for one in dialog.table.rows] == ["A", "B", "C"]
    assert dialog.table.chosen == chosen, "the chosen study stays chosen"
    dialog.table.horizontalHeader().sectionClicked.emit(0)
    assert dialog.table.rows[0].on == TODAY
    dialog.table.horizontalHeader().sectionClicked.emit(0)
    assert dialog.table.rows[-1].on == TODAY


def test_more_than_is_shown_and_nothing_at_all_are_said(dialog, archive, qtbot):
    archive.complete = False
    search(dialog, qtbot)
    assert "the archive has more" in dialog.said.text()
    archive.complete, archive.rows = True, ()
    dialog.form.patient_id.setFocus()
    search(dialog, qtbot)
    assert "no study of these days" in dialog.said.text()
    assert not dialog.open_it.isEnabled()
    assert dialog.focusWidget() is dialog.any_day
    press(dialog, "Space", qtbot)
    qtbot.waitUntil(lambda: dialog.search.isEnabled())
    assert archive.asked[-1].first_day is None


@pytest.mark.parametrize("deaf", [False, True])
def test_cancel_is_at_once_even_when_the_archive_hangs(dialog, archive, qtbot, deaf):
    archive.deaf = deaf
    archive.hold.set()
    press(dialog, "Return", qtbot)
    assert not dialog.search.isEnabled()
    assert dialog.stop.isVisible()
    with the_window_waits_for_nobody():
        press(dialog, "Escape", qtbot)
    assert dialog.isVisible(), "Escape cancels what runs and leaves the dialog"
    assert dialog.search.isEnabled()
    assert "Cancelled" in dialog.said.text()
    assert archive.hold.is_set(), "the archive still hangs"
    archive.hold.clear()
    qtbot.wait(50)
    assert dialog.table.rows == (), "what comes after Cancel is not shown"


def test_an_error_is_one_sentence_in_the_dialog(dialog, archive, qtbot):
    archive.error = PacsError(
        "no answer within 10 s", where="clinic", do="ask whether the archive runs", step="tcp", temporary=True
    )
    search(dialog, qtbot)
    assert dialog.said.text() == "✕ Clinic: no answer within 10 s; ask whether the archive runs"
    archive.error = None
    dialog.form.patient_id.setFocus()
    search(dialog, qtbot)
    assert "3 studies" in dialog.said.text()


def test_the_password_is_asked_for_and_kept_only_on_wish(dialog, archive, qtbot, monkeypatch):
    from qtpy.QtWidgets import QLineEdit

    from napari_veinscan import pacs_calls

    used: list[Any] = []
    kept: list[Any] = []

    def use(*said: str) -> None:
        used.append(said)
        archive.error = None

    monkeypatch.setattr(pacs_calls, "use_password", use)
    monkeypatch.setattr(pacs_calls, "keep_password", lambda *said: kept.append(said))
    archive.error = PacsError("the archive asks for a login", where="clinic", step="login")
    search(dialog, qtbot)
    assert dialog.login.isVisible()
    assert dialog.focusWidget() is dialog.login.password
    assert dialog.login.password.echoMode() == QLineEdit.EchoMode.Password
    assert not dialog.login.keep.isChecked()
    qtbot.keyClicks(dialog.focusWidget(), "a secret")
    press(dialog, "Return", qtbot)
    qtbot.waitUntil(lambda: bool(dialog.table.rows))
    assert (used, kept) == ([("clinic", "a secret")], [])
    assert not dialog.login.isVisible()
    assert dialog.login.password.text() == ""


def test_a_keyring_that_asks_first_keeps_nobody_waiting(window, dialog, archive, qtbot, monkeypatch):
    from napari_veinscan import pacs_calls

    answer = threading.Event()
    kept: list[Any] = []
    warned: list[Exception] = []

    def keep(*said: str) -> None:
        kept.append(said)
        answer.wait(20)
        raise PacsError("this system has no keyring", where="clinic", step="login")

    monkeypatch.setattr(pacs_calls, "use_password", lambda *_: setattr(archive, "error", None))
    monkeypatch.setattr(pacs_calls, "keep_password", keep)
    monkeypatch.setattr(window.bench, "warn", warned.append)
    archive.error = PacsError("the archive asks for a login", where="clinic", step="login")
    search(dialog, qtbot)
    dialog.login.keep.setChecked(True)
    qtbot.keyClicks(dialog.login.password, "a secret")
    try:
        press(dialog, "Return", qtbot)
        qtbot.waitUntil(lambda: bool(dialog.table.rows) and bool(kept))
        assert not warned, "the keyring has not answered yet, and the search went on"
    finally:
        answer.set()
    qtbot.waitUntil(lambda: bool(warned))
    assert kept == [("clinic", "a secret")]
    assert "is used until veinscan ends, and was not kept: clinic: this system has no keyring" in str(
        warned[0]
    )


def test_a_password_that_no_archive_takes_is_said_at_once(dialog, archive, qtbot):
    archive.error = PacsError("the archive asks for a login", where="clinic", step="login")
    dialog.archive.setFocus()
    dialog.start_search()
    qtbot.waitUntil(dialog.login.isVisible)
    dialog.login.password.setText("a\tb")
    asked = len(archive.asked)
    dialog.login.log_in()
    assert "control characters" in dialog.login.said.text()
    assert dialog.login.isVisible()
    assert len(archive.asked) == asked


def test_days_of_ones_own(dialog, archive, qtbot):
    from qtpy.QtCore import QDate

    from napari_veinscan.pacs_words import BETWEEN

    form = dialog.form
    assert not form.first.isVisible()
    form.choose_period(BETWEEN)
    assert form.first.isVisible()
    form.first.setDate(QDate(2025, 5, 9))
    form.last.setDate(QDate(2025, 5, 8))
    form.patient_id.setFocus()
    search(dialog, qtbot)
    assert archive.asked == []
    assert "earlier first day" in dialog.said.text()
    form.last.setDate(QDate(2025, 6, 1))
    search(dialog, qtbot)
    assert (archive.asked[0].first_day, archive.asked[0].last_day) == (date(2025, 5, 9), date(2025, 6, 1))


def test_without_an_archive_it_says_how_to_set_one_up(window, qtbot, monkeypatch, tmp_path):
    from qtpy.QtWidgets import QApplication

    from napari_veinscan import pacs_calls

    known: dict[str, Any] = {}
    monkeypatch.setattr(pacs_calls, "configured", lambda: known)
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(tmp_path / "settings.toml"))
    window.press("Ctrl+Alt+P")
    dialog = QApplication.activeModalWidget()
    page = dialog.setup_page
    assert page.isVisible()
    assert not dialog.table.isVisible()
    assert page.where.text() == str(tmp_path / "settings.toml")
    assert "[pacs." in page.example.toPlainText()
    known["clinic"] = config()
    page.again.click()
    assert dialog.table.isVisible()
    assert dialog.name == "clinic"
    dialog.reject()


def test_nothing_that_was_searched_is_kept(dialog, archive, qtbot, tmp_path):
    from veinscan.settings import data_dir

    qtbot.keyClicks(dialog.focusWidget(), "PHANTOM-777")
    dialog.form.patient_name.setText("UNMISTAKABLE")
    search(dialog, qtbot)
    assert archive.asked[0].patient_name == "UNMISTAKABLE*"
    dialog.reject()
    for path in data_dir().rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"PHANTOM-777" not in content
            assert b"UNMISTAKABLE" not in content
