"""The first dock: going through the clips, labels for many at once, filter, drops, calibration by hand."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest

from veinscan.dicom import open_study
from veinscan.plan.vocabulary import Level, Side
from veinscan.record import load_record

pytestmark = pytest.mark.gui


def lines(window, row: int) -> list[str]:
    return window.study_dock.clips.item(row).text().splitlines()


def test_pages_go_through_the_clips_and_a_label_is_for_all_that_are_chosen(
    window, sample_study_dir: Path, monkeypatch
):
    from qtpy.QtWidgets import QDialog

    from napari_veinscan.label_dialog import LabelDialog

    dock, session = window.study_dock, window.session
    assert dock.clips.count() == 4
    assert [lines(window, row)[0].split("  ")[1] for row in range(4)] == [
        "B-mode",
        "B-mode",
        "Colour Doppler",
        "Duplex",
    ]
    assert lines(window, 0)[0].endswith("14:15")
    assert lines(window, 3)[1] == "still"
    window.press("PgDown")
    window.press("PgDown")
    assert session.clip is session.study.clips[2]
    window.press("PgUp")
    assert session.clip is session.study.clips[1]
    assert dock.unlabelled.text() == "4 not labelled"

    def fill(dialog: LabelDialog) -> int:
        for name, value in (("side", Side.LEFT), ("level", Level.CALF_MID)):
            box = dialog.boxes[name]
            box.setCurrentIndex(box.findData(value))
        dialog.distance.setText("7,5 cm")
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(LabelDialog, "exec", fill)
    dock.clips.clearSelection()
    for row in (0, 2):
        dock.clips.item(row).setSelected(True)
    window.press("L")
    contexts = {one.sop_instance_uid: one for one in session.record.contexts}
    assert set(contexts) == {session.study.clips[row].sop_instance_uid for row in (0, 2)}
    for context in contexts.values():
        assert (context.side, context.level, context.landmark_cm) == (Side.LEFT, Level.CALF_MID, 7.5)
        assert context.vein == "unknown", "what nobody set stays unknown"
        assert context.set_by == session.reader.name
    assert session.undo_label.startswith("label of 2 clips")
    assert "left, calf, middle third" in lines(window, 2)
    assert dock.unlabelled.text() == "2 not labelled"
    window.click(dock.unlabelled)
    assert [clip.file for clip in dock.chosen] == [session.study.clips[row].file for row in (1, 3)]
    window.press("Ctrl+Z")
    assert dock.unlabelled.text() == "4 not labelled"
    window.press("Ctrl+Shift+Z")
    window.press("Ctrl+S")
    assert len(load_record(open_study(sample_study_dir)).contexts) == 2


def test_of_several_studies_in_a_folder_one_is_chosen_by_its_day(
    window, sample_study_dir: Path, sample_follow_up_dir: Path, monkeypatch
):
    from napari.utils.notifications import notification_manager
    from qtpy.QtWidgets import QInputDialog

    both = sample_study_dir.parent
    asked: list[list[str]] = []

    def choose_the_later(_parent, _title, _question, lines, *_rest):
        asked.append(lines)
        return max(lines, key=lambda line: line.split()[1]), True

    monkeypatch.setattr(QInputDialog, "getItem", choose_the_later)
    window.bench.open_path(both)
    window.wait_for_work()
    window.wait_for_work()
    (lines,) = asked
    assert len(lines) == 2
    assert any(line.split()[1:4] == ["2025-05-09", "4", "clips"] for line in lines)
    assert window.session.study.study_instance_uid == open_study(sample_follow_up_dir).study_instance_uid

    # a choice does not help where the files of one study name two patients
    stranger = pydicom.dcmread(next(iter(sorted(sample_study_dir.glob("*.dcm")))))
    stranger.SOPInstanceUID += ".1"
    stranger.PatientID, stranger.PatientName = "SOMEBODY-ELSE", "Else^Somebody"
    stranger.save_as(sample_study_dir / "stranger.dcm")
    window.bench.open_path(sample_study_dir)
    window.wait_for_work()
    assert len(asked) == 1
    assert "different patients" in notification_manager.records[-1].message


def test_where_clips_differ_nothing_is_changed_unasked(window):
    from napari_veinscan.label_dialog import DIFFERENT, LabelDialog
    from veinscan.plan.context import ClipContext

    contexts = [
        ClipContext(sop_instance_uid="1.2", side=Side.LEFT, landmark_cm=3.0),
        ClipContext(sop_instance_uid="1.3", side=Side.RIGHT),
    ]
    dialog = LabelDialog(window.window, contexts)
    assert dialog.boxes["side"].currentData() == DIFFERENT
    assert dialog.values == {}
    dialog.boxes["side"].setCurrentIndex(dialog.boxes["side"].findData(Side.UNKNOWN))
    assert dialog.values == {"side": Side.UNKNOWN}
    dialog.distance.setText("three")
    dialog.accept = lambda: pytest.fail("a distance that is none was taken")
    dialog.check()
    assert "landmark_cm" in dialog.problem.text()
    dialog.deleteLater()


def test_the_filter_hides_kinds_and_pages_skip_them(window):
    dock = window.study_dock
    dock.filter.setCurrentIndex(dock.filter.findText("B-mode (2)"))
    dock.filter.activated.emit(dock.filter.currentIndex())
    assert [dock.clips.item(row).isHidden() for row in range(4)] == [False, False, True, True]
    window.press("PgDown")
    window.press("PgDown")
    assert window.session.clip is window.session.study.clips[1]
    dock.filter.setCurrentIndex(0)
    dock.filter.activated.emit(0)
    assert not any(dock.clips.item(row).isHidden() for row in range(4))


def test_a_folder_dropped_onto_the_canvas_opens_and_is_remembered(
    window, extensionless_study: Path, tmp_path
):
    from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
    from qtpy.QtGui import QDragEnterEvent, QDropEvent
    from qtpy.QtWidgets import QApplication

    from napari_veinscan.drops import looks_like_study
    from napari_veinscan.window_state import recent_studies

    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(extensionless_study))])
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), Qt.DropAction.CopyAction, mime, left, none)
    QApplication.sendEvent(window.canvas, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(20, 20), Qt.DropAction.CopyAction, mime, left, none)
    QApplication.sendEvent(window.canvas, drop)
    window.wait_for_work()
    assert window.session.study.path == extensionless_study
    assert recent_studies()[0] == extensionless_study
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.tif").write_bytes(b"II*\x00" + bytes(300))
    assert not looks_like_study(tmp_path / "pictures"), "other folders stay napari's"


@pytest.fixture
def uncalibrated(sample_study_dir: Path) -> Path:
    """The first clip of the sample without the scanner's calibration."""
    first, *others = sorted(sample_study_dir.glob("*.dcm"))
    for path in others:
        path.unlink()
    dataset = pydicom.dcmread(first)
    del dataset.SequenceOfUltrasoundRegions
    dataset.save_as(first)
    return sample_study_dir


def test_a_calibration_by_hand_is_an_edit_kept_in_the_record_and_put_back(
    window, uncalibrated: Path, monkeypatch
):
    from qtpy.QtWidgets import QInputDialog

    window.bench.open_path(uncalibrated)
    window.wait_for_work()
    session = window.session
    assert session.clip.spacing_mm is None
    assert "not calibrated" in lines(window, 0)
    monkeypatch.setattr(QInputDialog, "getText", lambda *_a, **_k: ("10,0", True))
    window.bench.commands.run("clip.calibrate")
    row, col = session.clip.rows / 2, session.clip.columns / 2
    window.click_picture((row, col))
    window.click_picture((row + 100, col))
    spacing = session.clip.spacing_mm
    assert spacing is not None
    assert spacing[0] == pytest.approx(0.1, rel=0.03)
    assert "not calibrated" not in lines(window, 0)
    assert "millimeter" in str(window.viewer.layers[0].units)
    window.press("Ctrl+Z")
    assert session.clip.spacing_mm is None
    window.press("Ctrl+Shift+Z")
    window.press("Ctrl+S")
    window.bench.open_path(uncalibrated)
    window.wait_for_work()
    assert session.clip.spacing_mm == pytest.approx(spacing)


def test_the_reader_of_dcm_is_asked_for_once(qapp, qtbot, tmp_path: Path):
    from napari.settings import get_settings

    from napari_veinscan.association import PATTERN, AssociationQuestion, is_set

    plugins = get_settings().plugins
    before = plugins.extension2reader
    plugins.extension2reader = {}
    try:
        question = AssociationQuestion()
        qtbot.addWidget(question)
        assert not question.isHidden()
        question.no.click()
        assert question.isHidden()
        again = AssociationQuestion()
        qtbot.addWidget(again)
        assert again.isHidden()
        assert not is_set()
        again.yes.click()
        assert plugins.extension2reader[PATTERN] == "veinscan"
    finally:
        plugins.extension2reader = before


def test_a_proposed_calibration_is_taken_only_when_a_person_says_yes(window, uncalibrated: Path, monkeypatch):
    from qtpy.QtWidgets import QMessageBox

    window.bench.open_path(uncalibrated)
    window.wait_for_work()
    session, asked = window.session, []

    def answer(button):
        def exec_(box: QMessageBox):
            asked.append((box.text(), box.defaultButton() is box.button(QMessageBox.StandardButton.No)))
            return button

        monkeypatch.setattr(QMessageBox, "exec", exec_)

    answer(QMessageBox.StandardButton.No)
    window.bench.commands.run("clip.take_proposed")
    assert session.clip.spacing_mm is None
    assert not session.is_dirty
    answer(QMessageBox.StandardButton.Yes)
    window.bench.commands.run("clip.take_proposed")
    assert all("taken as 5 mm" in text and refuses_by_default for text, refuses_by_default in asked)
    spacing = session.clip.spacing_mm
    assert spacing == pytest.approx((0.07, 0.07), rel=0.02)  # as the phantom's file had it
    (kept,) = session.record.calibrations
    assert kept.spacing_mm == pytest.approx(spacing)
    assert "not calibrated" not in lines(window, 0)
    window.press("Ctrl+Z")
    assert session.clip.spacing_mm is None
    window.press("Ctrl+Shift+Z")
    window.bench.commands.run("clip.take_proposed")  # nothing is proposed any more
    from napari.utils.notifications import notification_manager

    assert "it is calibrated already" in notification_manager.records[-1].message
