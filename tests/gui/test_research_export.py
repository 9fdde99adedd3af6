"""Export for research from the window, and a reading that shows no candidates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydicom
import pytest

from veinscan.plan.editing import new_record
from veinscan.plan.model import Reader
from veinscan.record import save_record

pytestmark = pytest.mark.gui


@pytest.fixture
def dialogs(window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a person does in each dialog of an export, by its class; 'shown' lists those that were."""
    from qtpy.QtWidgets import QDialog, QFileDialog

    from napari_veinscan.research_export import ResearchDialog
    from napari_veinscan.research_look import LookDialog

    acts: dict[str, Any] = {"shown": []}
    for kind in (ResearchDialog, LookDialog):

        def run(dialog: Any, name: str = kind.__name__) -> int:
            acts["shown"].append(dialog)
            dialog.show()
            window.qtbot.waitExposed(dialog)
            acts.get(name, lambda _: None)(dialog)
            accepted = acts.get("accept", True)
            dialog.hide()
            return int(QDialog.DialogCode.Accepted if accepted else QDialog.DialogCode.Rejected)

        monkeypatch.setattr(kind, "exec", run)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "set"))
    return acts


def export(window: Any) -> None:
    window.bench.commands.run("export.research")
    window.wait_for_work()
    window.wait_for_work()  # the look, then the export itself


def review_of(folder: Path) -> dict[str, Any]:
    return {
        entry["clip"][-3:]: entry
        for entry in json.loads((folder / "review/review.json").read_text())["clips"]
    }


def test_the_study_on_show_is_exported_without_its_patient(
    window: Any, dialogs: dict[str, Any], tmp_path: Path
) -> None:
    header = window.session.study.header()
    export(window)
    assert [type(one).__name__ for one in dialogs["shown"]] == ["ResearchDialog", "LookDialog"]
    dataset = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert dataset["counts"]["clips"] == 4 and dataset["parameters"]["formats"] == ["coco", "csv"]
    assert dataset["deidentification"]["pixels"].startswith("black outside")
    assert {entry["clean"] for entry in review_of(tmp_path / "set").values()} == {None}  # nobody said so
    family = str(header.PatientName).split("^")[0].encode()
    for path in (tmp_path / "set").rglob("*"):
        assert not path.is_file() or family not in path.read_bytes()


def test_burned_in_annotation_becomes_no_only_where_a_person_looked(
    window: Any, dialogs: dict[str, Any], tmp_path: Path
) -> None:
    """By the keyboard alone: a choice a clip, and who looked."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    from veinscan.export import Format

    def choose(dialog: Any) -> None:
        dialog.formats[Format.DICOM_SEG].setChecked(True)

    def look(dialog: Any) -> None:
        go_on = dialog.go_on
        assert dialog.by.text() == window.session.reader.name and go_on.isEnabled()
        assert f"{len(dialog.choices)} clips will say that they may hold writing" in dialog.told.text()
        first = dialog.choices[0]
        first.setFocus()
        QTest.keyClick(first, Qt.Key.Key_Down)  # names nobody
        dialog.by.clear()
        assert not go_on.isEnabled() and "who looked" in dialog.told.text()
        dialog.by.setFocus()
        QTest.keyClicks(dialog.by, "Berta")
        assert go_on.isEnabled()
        for _ in range(10):
            QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
            if dialog.focusWidget() is go_on:
                break
        assert dialog.focusWidget() is go_on, "Tab reaches what was disabled a moment ago"

    dialogs["ResearchDialog"], dialogs["LookDialog"] = choose, look
    export(window)
    told = review_of(tmp_path / "set")
    assert [entry["clean"] for entry in told.values()].count(True) == 1 and told["c01"]["clean"] is True
    assert "Berta" not in json.dumps(told)
    said = {}
    for path in (tmp_path / "set" / "dicom").rglob("*_c*.dcm"):
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        said[path.stem[-3:]] = (ds.BurnedInAnnotation, ds.PatientIdentityRemoved)
    assert said.pop("c01") == ("NO", "YES")
    assert said and set(said.values()) == {("YES", "NO")}


def test_the_whole_screen_leaves_only_when_it_is_asked_for(
    window: Any, dialogs: dict[str, Any], tmp_path: Path
) -> None:
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    def choose(dialog: Any) -> None:
        assert dialog.cleaned.isChecked() and not dialog.whole_note.isVisible()
        QTest.keyClick(dialog.whole, Qt.Key.Key_Space)
        assert dialog.whole.isChecked() and dialog.whole_note.isVisible()

    dialogs["ResearchDialog"] = choose
    export(window)
    assert (
        "not cleaned"
        in json.loads((tmp_path / "set" / "dataset.json").read_text())["deidentification"]["pixels"]
    )
    clip = window.session.study.clips[0]
    assert review_of(tmp_path / "set")["c01"]["kept_boxes"] == [[0, 0, clip.rows, clip.columns]]


def test_what_looks_like_writing_can_be_blacked(window: Any, dialogs: dict[str, Any], tmp_path: Path) -> None:
    from napari_veinscan.research_look import BLACKED

    asked: list[int] = []

    def look(dialog: Any) -> None:
        dialog.all_clean.click()
        assert "Every clip" in dialog.told.text()
        for number, choice in enumerate(dialog.choices):
            place = choice.findData(BLACKED)
            if place >= 0:
                asked.append(number)
                choice.setCurrentIndex(place)
                choice.activated.emit(place)

    dialogs["LookDialog"] = look
    export(window)
    told = list(review_of(tmp_path / "set").values())
    assert asked and all(entry["clean"] for entry in told)
    for number, entry in enumerate(told):
        assert bool(entry["black"]) == (number in asked)
        assert not entry["writing_boxes"] or number not in asked


def test_nothing_is_written_when_the_look_is_left(
    window: Any, dialogs: dict[str, Any], tmp_path: Path
) -> None:
    def leave(_dialog: Any) -> None:
        dialogs["accept"] = False

    dialogs["LookDialog"] = leave
    export(window)
    assert len(dialogs["shown"]) == 2 and not (tmp_path / "set").exists()


def test_a_reading_without_candidates_refuses_to_search(window: Any) -> None:
    bench, study = window.bench, window.session.study
    reader = Reader(name="Anna")
    record = new_record(study, purpose="research", candidates_shown=False)
    saved = save_record(study, record, reader)
    bench.open_path(study.path, reading_id=saved.record.reading.id)
    window.wait_for_work()
    assert window.session.record.reading.id == record.reading.id
    told: list[object] = []
    bench.warn = told.append
    try:
        bench.find(window.session.study.clips[:1])
        window.qtbot.wait(50)
    finally:
        del bench.warn
    assert len(told) == 1 and "without candidates" in str(told[0]) and not bench.work
