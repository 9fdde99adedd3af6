"""Closing with unsaved work asks; nothing runs on after a window is closed."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

import pytest

from veinscan.plan.model import Decision

pytestmark = pytest.mark.gui


def answer(monkeypatch, name: str) -> list[str]:
    """Let the question for unsaved work be answered with a button; returns the questions asked."""
    from qtpy.QtWidgets import QMessageBox

    asked: list[str] = []

    def reply(box: QMessageBox) -> int:
        asked.append(box.text())
        return getattr(QMessageBox.StandardButton, name)

    monkeypatch.setattr(QMessageBox, "exec", reply)
    return asked


def versions(study: Path) -> int:
    return len(list((study / "veinscan").glob("*.dcm")))


def test_cancel_then_save(searched, sample_study_dir, monkeypatch, qtbot):
    searched.press("N")
    searched.press("A")
    asked = answer(monkeypatch, "Cancel")
    assert not searched.window.close()
    assert len(asked) == 1
    assert "not saved" in asked[0]
    assert searched.window.isVisible()
    assert searched.session.is_dirty
    assert versions(sample_study_dir) == 0
    answer(monkeypatch, "Save")
    assert searched.window.close()
    assert versions(sample_study_dir) == 1


def test_discard(searched, sample_study_dir, monkeypatch):
    searched.press("N")
    searched.press("R")
    asked = answer(monkeypatch, "Discard")
    assert searched.window.close()
    assert len(asked) == 1
    assert versions(sample_study_dir) == 0


def test_a_number_still_being_typed_counts_as_work(searched, monkeypatch, qtbot):
    searched.press("N")
    searched.press("T")
    assert searched.bench.save()
    edit = searched.targets_dock.form.fields["diameter_mm"].edit
    edit.selectAll()
    qtbot.keyClicks(edit, "2,5")
    asked = answer(monkeypatch, "Cancel")
    assert not searched.window.close()
    assert asked
    assert searched.session.target.diameter_mm == 2.5


def test_nothing_is_asked_when_all_is_saved(searched, monkeypatch):
    asked = answer(monkeypatch, "Cancel")
    searched.press("N")
    searched.press("A")
    assert searched.bench.save()
    assert searched.window.close()
    assert not asked


def test_opening_another_study_asks_too(searched, monkeypatch, extensionless_study):
    searched.press("N")
    searched.press("A")
    asked = answer(monkeypatch, "Cancel")
    before = searched.session.study
    searched.bench.open_path(extensionless_study)
    assert asked
    assert searched.session.study is before
    assert not searched.bench.work


def test_a_save_that_fails_says_so_and_keeps_the_work(searched, monkeypatch):
    from napari.utils.notifications import notification_manager

    from veinscan import record as store
    from veinscan.errors import NotSavedError

    def full(*_args, **_kwargs):
        raise NotSavedError("the disk is full", where="veinscan", do="free some space and save again")

    monkeypatch.setattr(store, "save_record", full)
    searched.press("N")
    searched.press("A")
    searched.click(searched.bar.save)
    assert searched.session.is_dirty
    assert searched.session.selected.review.decision is Decision.VEIN
    assert "not saved" in searched.bar.state.text()
    assert "the disk is full" in notification_manager.records[-1].message


def test_a_study_folder_that_cannot_be_written_is_said(searched, sample_study_dir, monkeypatch):
    from napari.utils.notifications import notification_manager

    from veinscan.record import store
    from veinscan.record.files import NotWritableError

    def refused(*_args, **_kwargs):
        raise NotWritableError("not saved: the folder is read-only", where="veinscan")

    monkeypatch.setattr(
        store, "make_folder", lambda path, **kw: refused() if not kw else path.mkdir(parents=True)
    )
    searched.press("N")
    searched.press("A")
    searched.click(searched.bar.save)
    assert not searched.session.is_dirty
    assert versions(sample_study_dir) == 0
    assert searched.session.saved_path.is_file()
    assert "in your user data folder" in searched.bar.state.text()
    assert "not beside the study" in notification_manager.records[-1].message


def test_closing_in_the_middle_of_a_search_leaves_no_thread(open_window, sample_study_dir, qtbot):
    person = open_window(sample_study_dir)
    person.click(person.candidates_dock.find_all)
    qtbot.waitUntil(lambda: person.bench.work_done[0] > 0, timeout=60_000)
    assert any(thread.name == "veinscan-job" for thread in threading.enumerate())
    assert person.window.close()
    assert not any(thread.name == "veinscan-job" for thread in threading.enumerate())


def test_a_closed_window_is_forgotten(qapp, sample_study_dir, qtbot):
    from napari_veinscan.launch import launch, workbench_of

    viewer = launch(sample_study_dir, block=False)
    bench = workbench_of(viewer)
    while bench.work:
        qtbot.wait(20)
    held = {name: weakref.ref(thing) for name, thing in (("bench", bench), ("session", bench.session))}
    viewer.close()
    qtbot.wait(50)
    del viewer, bench
    for _ in range(3):
        gc.collect()
        qtbot.wait(10)
    assert [name for name, ref in held.items() if ref() is not None] == []
