"""Writing the plan from the window: what is offered, what is written, what is refused."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pypdf
import pytest
from qtpy.QtWidgets import QFileDialog

pytestmark = pytest.mark.gui


def test_a_pdf_a_page_for_a_tablet_and_a_dicom_document(searched, tmp_path: Path, monkeypatch):
    offers = []

    def answer(name: str, chosen: int):
        def ask(_parent, _title, start, kinds):
            offers.append((Path(start).name, kinds.split(";;")))
            return str(tmp_path / name), offers[-1][1][chosen]

        monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)

    searched.press("N")
    searched.press("A")
    searched.press("T")
    answer("draft", 1)
    searched.press("Ctrl+P")
    searched.wait_for_work()
    start, kinds = offers[0]
    assert start == "plan.pdf", "nothing of the patient in a file's name"
    assert [kind.rpartition("*")[2] for kind in kinds] == [".pdf)", ".pdf)", ".html)", ".dcm)"]
    draft = pypdf.PdfReader(tmp_path / "draft.pdf").pages
    assert round(draft[0].mediabox[2]) == 612, "Letter was chosen"
    assert all("DRAFT" in page.extract_text() for page in draft)

    answer("early.dcm", 3)
    searched.press("Ctrl+P")
    searched.wait_for_work()
    assert not (tmp_path / "early.dcm").exists(), "a DICOM document needs a saved version"

    searched.press("Ctrl+S")
    searched.wait_for_work()
    for name, chosen in (("plan", 2), ("plan.dcm", 0)):
        answer(name, chosen)
        searched.press("Ctrl+P")
        searched.wait_for_work()
    page = (tmp_path / "plan.html").read_text("utf-8")
    (head,) = searched.session.record.heads
    assert head in page and "DRAFT" not in page
    document = pydicom.dcmread(tmp_path / "plan.dcm")
    assert document.SourceInstanceSequence[0].ReferencedSOPInstanceUID == head
    assert document.StudyInstanceUID == searched.session.study.study_instance_uid
