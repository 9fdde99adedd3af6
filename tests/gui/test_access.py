"""Every control by keyboard, with a name, and with text as large as it is set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from veinscan.dicom import open_study
from veinscan.record import load_record

pytestmark = pytest.mark.gui


@pytest.fixture
def planned(searched: Any) -> Any:
    """A window with a target and a day of treatment, so that no form is closed."""
    searched.press("N")
    searched.press("A")
    searched.press("T")
    searched.bench.commands.run("session.new")
    searched.press("N")
    return searched


def controls(person: Any) -> list[tuple[str, Any]]:
    """(dock, widget) of everything in docks and bar that a person may work with."""
    from qtpy.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QSlider

    found = []
    for name, dock in [*person.bench.docks.items(), ("bar", person.bar)]:
        for kind in (QAbstractButton, QLineEdit, QComboBox, QSlider, QAbstractItemView):
            for widget in dock.findChildren(kind):
                # parts of Qt's own: the field in a list of choices, its list, a table's corner
                inner = isinstance(widget.parentWidget(), QComboBox | QLineEdit | QAbstractItemView)
                inner = inner or widget.window() is not person.window
                if not inner and not widget.objectName().startswith("qt_"):
                    found.append((name, widget))
    return found


def test_every_control_is_reached_by_tab_and_has_a_name(planned):
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QAbstractButton, QLabel

    unreached, nameless = [], []
    buddies = {
        label.buddy()
        for dock in planned.bench.docks.values()
        for label in dock.findChildren(QLabel)
        if label.buddy() is not None
    }
    for name, widget in controls(planned):
        words = widget.text() if isinstance(widget, QAbstractButton) else ""
        what = f"{name}: {type(widget).__name__} '{words or widget.accessibleName() or widget.toolTip()}'"
        if not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            unreached.append(what)
        if not (words or widget.accessibleName() or widget.toolTip() or widget in buddies):
            nameless.append(what)
    assert not unreached
    assert not nameless


def test_a_session_is_planned_and_saved_by_keyboard_alone(
    open_window, sample_study_dir: Path, qtbot, monkeypatch
):
    from qtpy.QtCore import Qt, QTimer
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication, QFileDialog

    person = open_window()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(sample_study_dir))
    person.press("Ctrl+Alt+O")
    person.wait_for_work()
    session = person.session
    assert session.study is not None

    def label() -> None:
        dialog = QApplication.activeModalWidget()
        side = dialog.boxes["side"]
        for _ in range(30):  # Tab by Tab to the list of sides
            if dialog.focusWidget() is side:
                break
            QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
        QTest.keyClicks(dialog.focusWidget(), "r")
        QTest.keyClick(dialog, Qt.Key.Key_Return)

    QTimer.singleShot(300, label)
    person.press("L")
    assert [context.side for context in session.record.contexts] == ["right"]

    person.press("PgDown")
    assert session.clip is session.study.clips[1]
    person.press("PgUp")
    person.press("Ctrl+F")
    person.wait_for_work()
    for key in ("N", "A", "T"):
        person.press(key)
    assert session.target is not None
    assert session.target.side == "right"

    person.press("F3")
    vein = person.targets_dock.form.fields["vein"]
    for _ in range(60):  # Tab by Tab to the vein
        if person.window.focusWidget() is vein:
            break
        QTest.keyClick(person.window.focusWidget() or person.window, Qt.Key.Key_Tab)
    assert person.window.focusWidget() is vein
    QTest.keyClicks(vein, "trib")
    vein.activated.emit(vein.currentIndex())  # as Qt does in a window that is active
    person.press("Ctrl+S")
    assert not session.is_dirty
    (saved,) = load_record(open_study(sample_study_dir)).targets
    assert (saved.side, saved.id) == ("right", session.target_id)
    assert saved.vein == "tributary"


def test_text_is_as_large_as_it_is_set(planned, qtbot):
    from napari.settings import get_settings
    from qtpy.QtWidgets import QLabel

    appearance = get_settings().appearance
    before, size = appearance.font_size, planned.window.size()
    docks = planned.bench.docks

    def heights() -> dict[str, int]:
        """Of the letters in each dock."""
        return {name: dock.findChild(QLabel).fontMetrics().height() for name, dock in docks.items()}

    small = heights()
    try:
        appearance.font_size = before + 4
        qtbot.wait(200)
        grown = heights()
        assert all(grown[name] > small[name] for name in docks), (small, grown)
    finally:
        appearance.font_size = before
        planned.window.resize(size)
        qtbot.wait(100)


def test_a_large_text_of_the_system_is_taken_over_once(qapp, monkeypatch):
    from napari.settings import get_settings
    from qtpy.QtWidgets import QApplication

    from napari_veinscan.launch import LARGEST_TEXT, follow_text_size

    appearance = get_settings().appearance
    default = type(appearance).model_fields["font_size"].default
    before, font = appearance.font_size, QApplication.font()
    large = QApplication.font()
    try:
        for theirs, own, wanted in (
            (default + 4, default, default + 4),
            (default - 3, default, default),
            (default + 4, default - 2, default - 2),
            (40, default, LARGEST_TEXT),
        ):
            appearance.font_size = own
            large.setPointSize(theirs)
            monkeypatch.setattr(QApplication, "font", staticmethod(lambda: large))
            follow_text_size()
            assert appearance.font_size == wanted
    finally:
        monkeypatch.undo()
        appearance.font_size = before
        assert QApplication.font() == font
