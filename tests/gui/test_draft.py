"""Edit, undo, kill, restart, recover; a draft that the disk refuses; two readers' conflict."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from veinscan import record as store
from veinscan.dicom import open_study
from veinscan.plan import editing
from veinscan.plan.model import Decision, Reader, Side

pytestmark = pytest.mark.gui

EDIT_AND_WAIT = """
import json, sys
from pathlib import Path
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from napari_veinscan import compat
from napari_veinscan.launch import launch, workbench_of

viewer = launch(sys.argv[1], block=False)
bench = workbench_of(viewer)
while bench.work or bench.session.study is None:
    QTest.qWait(20)
session, handle = bench.session, compat.main_window(viewer).windowHandle()
row0, col0, row1, col1 = session.clip.picture_region.box
for part in (3, 2):
    session.point_at(((row0 + row1) / part, (col0 + col1) / 2))
    QTest.keyClick(handle, Qt.Key.Key_T)
    bench.attempt(lambda: session.update_target(side="right"))
QTest.keyClick(handle, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
print(json.dumps({
    "targets": [[t.id, t.side.value, t.diameter_mm] for t in session.record.targets],
    "state": session.draft_state,
    "undo": session.undo_label,
    "redo": session.redo_label,
}), flush=True)
QTest.qWait(300_000)
"""


def answer(monkeypatch, name: str) -> list[str]:
    from qtpy.QtWidgets import QMessageBox

    asked: list[str] = []

    def reply(box: QMessageBox) -> int:
        asked.append(f"{box.text()} {box.informativeText()}")
        return getattr(QMessageBox.StandardButton, name)

    monkeypatch.setattr(QMessageBox, "exec", reply)
    return asked


def test_edit_undo_kill_restart_recover(window, sample_study_dir: Path, tmp_path: Path, monkeypatch):
    other = tmp_path / "killed"
    sample_study_dir.rename(other)
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", EDIT_AND_WAIT, str(other)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    shown = json.loads(line)
    assert shown["state"] == "3 edits in the draft"
    assert shown["redo"] == "target 2: side"
    assert [side for _, side, _ in shown["targets"]] == ["right", "unknown"]

    asked = answer(monkeypatch, "Ignore")
    window.bench.open_path(other)
    window.wait_for_work()
    assert len(asked) == 1
    assert "3 edits" in asked[0]
    assert not window.session.record.targets, "nobody asked for the edits yet"

    asked = answer(monkeypatch, "Yes")
    window.bench.open_path(other)
    window.wait_for_work()
    session = window.session
    now = [[t.id, t.side.value, t.diameter_mm] for t in session.record.targets]
    assert now == shown["targets"]
    assert (session.draft_state, session.undo_label, session.redo_label) == (
        shown["state"],
        shown["undo"],
        shown["redo"],
    )
    assert "3 edits in the draft, not saved" in window.bar.state.text()
    window.press("Ctrl+Shift+Z")
    assert [t.side for t in session.record.targets] == [Side.RIGHT, Side.RIGHT]
    for _ in range(4):
        window.press("Ctrl+Z")
    assert not session.record.targets
    assert not session.is_dirty
    for _ in range(4):
        window.press("Ctrl+Y")
    assert [t.side for t in session.record.targets] == [Side.RIGHT, Side.RIGHT]
    window.press("Ctrl+S")
    assert not session.is_dirty
    assert session.draft_state.endswith("as version 1")
    assert not store.pending_drafts(session.study)
    assert [t.id for t in store.load_record(open_study(other)).targets] == [t[0] for t in now]


def test_an_edit_that_the_disk_refuses_is_told_of_and_tried_again(searched, monkeypatch):
    from napari.utils.notifications import notification_manager

    from veinscan.record.draft import DraftError

    def full(*_args: object) -> None:
        raise DraftError("the draft cannot be written (no space left on device)", do="save the record now")

    with monkeypatch.context() as patch:
        patch.setattr(store.Draft, "record", full)
        searched.press("N")
        searched.press("A")
        assert searched.session.selected.review.decision is Decision.VEIN
        assert "NOT kept in the draft" in searched.bar.state.text()
        assert "no space left" in notification_manager.records[-1].message
        searched.press("Ctrl+Z")
        assert searched.session.selected.review is None
        searched.press("A")
    searched.press("T")
    assert searched.session.draft_problem is None
    assert searched.session.draft_state == "2 edits in the draft"
    searched.session.close()
    (pending,) = store.pending_drafts(searched.session.study)
    assert pending.edits == 2


def test_two_readers_conflict_is_settled_field_by_field(window, sample_study_dir: Path, monkeypatch):
    from qtpy.QtWidgets import QDialog

    from napari_veinscan import conflict_dialog

    study = open_study(sample_study_dir)
    clip = study.clips[0]
    row0, col0, row1, col1 = clip.picture_region.box
    target = editing.target_at_point(clip, 0, ((row0 + row1) / 3, (col0 + col1) / 2), Reader(name="Ann"))
    record = editing.add_target(store.load_record(study), target)
    base = store.save_record(study, record, Reader(name="Ann")).record
    for name, side in (("Ann", "left"), ("Bob", "right")):
        store.save_record(study, editing.update_target(base, target.id, side=side), Reader(name=name))

    window.bench.open_path(sample_study_dir)
    window.wait_for_work()
    session = window.session
    assert window.bar.conflicts.isVisible()
    assert "together" in window.bar.state.text()
    before = session.record.targets[0].side
    offered: list[str] = []

    def choose(dialog: conflict_dialog.ConflictDialog) -> int:
        (group,) = dialog.groups
        for button in group.buttons():
            offered.append(button.text())
            if not button.isChecked():
                chosen = button
        chosen.click()
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(conflict_dialog.ConflictDialog, "exec", choose)
    window.click(window.bar.conflicts)
    assert {text.split("\n")[0] for text in offered} == {"left", "right"}
    assert {text.split("\n")[1].split(",")[0] for text in offered} == {"Ann", "Bob"}
    after = session.record.targets[0].side
    assert after != before
    assert not session.record.conflicts
    assert not window.bar.conflicts.isVisible()
    window.press("Ctrl+Z")
    assert session.record.targets[0].side == before
    assert session.record.conflicts
    window.press("Ctrl+Shift+Z")
    window.press("Ctrl+S")
    again = store.load_record(open_study(sample_study_dir))
    assert (again.targets[0].side, again.conflicts, len(again.heads)) == (after, (), 1)


def test_all_rejected_is_saved_and_shown_again(searched, sample_study_dir: Path):
    rows = searched.session.rows()
    for _ in rows:
        searched.press("N")
        searched.press("R")
    assert all(row.is_rejected for row in searched.session.rows())
    searched.press("T")
    assert not searched.session.record.targets, "a rejected candidate is no target"
    searched.press("Ctrl+S")
    searched.bench.open_path(sample_study_dir)
    searched.wait_for_work()
    again = searched.session.rows()
    assert len(again) == len(rows)
    assert all(row.is_rejected for row in again)
