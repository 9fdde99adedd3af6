"""The whole way, by mouse and keyboard: study, clip, candidates, verdict, target, save, open again."""

from __future__ import annotations

from pathlib import Path

import pytest

from veinscan.candidates.model import ClipCandidates, FinderSettings

pytestmark = pytest.mark.gui


def test_from_the_folder_to_a_saved_target_and_back(open_window, sample_study_dir: Path, qtbot, monkeypatch):
    from qtpy.QtWidgets import QFileDialog

    from veinscan.plan.model import Decision, Side, ValueSource

    person = open_window()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_a, **_k: str(sample_study_dir))
    person.click(person.study_dock.open_folder)
    person.wait_for_work()
    assert person.study_dock.clips.count() == 4

    person.choose_clip(2)
    clip = person.session.study.clips[2]
    assert person.session.clip is clip
    person.click(person.candidates_dock.find_here)
    assert person.candidates_dock.progress.isVisible()
    assert person.candidates_dock.cancel.isVisible()
    person.wait_for_work()
    rows = person.session.rows()
    assert rows, "the colour clip of the sample study has vessels"
    assert person.candidates_dock.table.rowCount() == len(rows)

    person.press("N")
    chosen = person.session.selected.candidate
    assert chosen.rank == 1
    assert person.session.frame_index == chosen.best_frame == person.viewer.dims.current_step[0]
    person.press("A")
    assert person.session.selected.review.decision is Decision.VEIN
    person.press("T")
    target = person.session.target
    assert target.candidate_id == chosen.id
    assert target.diameter_mm == pytest.approx(chosen.diameter_mm)

    fields = person.targets_dock.form.fields
    qtbot.keyClicks(fields["notes"], "beside the tattoo, 3 cm below the knee")
    fields["depth_mm"].edit.selectAll()
    qtbot.keyClicks(fields["depth_mm"].edit, "4,5\r")
    side = fields["side"]
    side.setFocus()
    qtbot.keyClick(side, "r")
    side.activated.emit(side.currentIndex())
    assert person.session.is_dirty
    assert "not saved" in person.bar.state.text()
    person.click(person.bar.save)
    assert not person.session.is_dirty
    assert "as version 1" in person.bar.state.text()
    assert list((sample_study_dir / "veinscan").glob("*.dcm"))

    again = open_window(sample_study_dir)
    assert again.targets_dock.table.rowCount() == 1
    (read,) = again.session.record.targets
    assert read.id == target.id
    assert read.point == target.point
    assert (read.side, read.depth_mm, read.depth_source) == (Side.RIGHT, 4.5, ValueSource.ENTERED)
    assert read.notes == "beside the tattoo, 3 cm below the knee"
    again.click_row(again.targets_dock.table, 0)
    assert again.session.clip.sop_instance_uid == clip.sop_instance_uid
    assert again.viewer.dims.current_step[0] == read.frame_index
    assert [row.review.decision for row in again.session.rows()] == [Decision.VEIN]


def test_a_click_in_a_lumen_makes_a_target_there(searched):
    candidate = searched.session.rows()[0].candidate
    searched.session.go_to_frame(candidate.best_frame)
    place = candidate.centre(candidate.best_frame)
    nothing = ClipCandidates(candidates=(), warnings=(), settings=FinderSettings())
    searched.session.set_candidates(searched.session.clip, nothing)
    searched.click_picture(place)
    assert searched.session.selected is None
    assert searched.session.spot == pytest.approx(place, abs=1.0)
    searched.press("T")
    target = searched.session.target
    assert target.candidate_id is None
    assert target.point == pytest.approx(place, abs=1.0)
    assert target.diameter_mm == pytest.approx(candidate.diameter_mm, rel=0.25)


def test_click_on_a_row_goes_to_frame_and_place(searched):
    rows = searched.session.rows()
    searched.viewer.scene.camera.zoom *= 4
    searched.viewer.dims.set_current_step(0, 0)
    searched.click_row(searched.candidates_dock.table, len(rows) - 1)
    candidate = rows[-1].candidate
    assert searched.session.selected.candidate.id == candidate.id
    assert searched.viewer.dims.current_step[0] == candidate.best_frame
    place = searched.place_of(candidate.centre(candidate.best_frame))
    assert searched.canvas.rect().contains(place)


def test_a_click_on_a_candidate_in_the_picture_chooses_it(searched):
    candidate = searched.session.rows()[1].candidate
    searched.session.go_to_frame(candidate.best_frame)
    searched.click_picture(candidate.centre(candidate.best_frame))
    assert searched.session.selected.candidate.id == candidate.id
    assert searched.candidates_dock.table.currentRow() == 1


def test_a_drag_pans_and_chooses_nothing(searched):
    before = searched.viewer.scene.camera.center
    searched.drag((300, 400), (340, 440))
    assert searched.session.spot is None
    assert searched.viewer.scene.camera.center != before


def test_a_search_can_be_cancelled(open_window, sample_study_dir: Path, qtbot):
    person = open_window(sample_study_dir)
    person.click(person.candidates_dock.find_all)
    qtbot.waitUntil(lambda: person.bench.work_done[0] > 0, timeout=60_000)
    person.click(person.candidates_dock.cancel)
    person.wait_for_work()
    assert person.session.searched(person.session.study.clips[-1]) is None
    assert not person.candidates_dock.progress.isVisible()
    qtbot.waitUntil(lambda: person.bench.jobs.running == 0, timeout=20_000)


def test_verdicts_and_refusals_speak_in_sentences(searched):
    from napari.utils.notifications import notification_manager

    from veinscan.plan.model import RejectReason

    searched.press("N")
    searched.press("R")
    assert searched.session.selected.review.reason is RejectReason.UNSTATED
    searched.press("1")
    assert searched.session.selected.review.reason is RejectReason.ARTERY
    verdict = searched.candidates_dock.table.columnCount() - 1
    assert "artery" in searched.candidates_dock.table.item(0, verdict).text()
    searched.press("T")
    assert not searched.session.record.targets
    assert "press A first" in notification_manager.records[-1].message
    searched.press("U")
    assert searched.session.selected.review is None
    searched.press("P")
    assert searched.session.selected.candidate.rank == len(searched.session.rows())
