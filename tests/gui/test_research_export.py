"""Export for research from the window, and a reading that shows no candidates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from veinscan.plan.editing import new_record
from veinscan.plan.model import Reader
from veinscan.record import save_record

pytestmark = pytest.mark.gui


def test_the_study_on_show_is_exported_without_its_patient(
    window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtWidgets import QDialog, QFileDialog

    from napari_veinscan.research_export import ResearchDialog

    shown: list[Any] = []

    def accept(dialog: ResearchDialog) -> int:
        shown.append(dialog)
        return int(QDialog.DialogCode.Accepted)

    monkeypatch.setattr(ResearchDialog, "exec", accept)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "set"))
    header = window.session.study.header()
    window.bench.commands.run("export.research")
    window.wait_for_work()
    assert len(shown) == 1
    dataset = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert dataset["counts"]["clips"] == 4 and dataset["parameters"]["formats"] == ["coco", "csv"]
    family = str(header.PatientName).split("^")[0].encode()
    for path in (tmp_path / "set").rglob("*"):
        assert not path.is_file() or family not in path.read_bytes()


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
