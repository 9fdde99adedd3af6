"""The plan as an Encapsulated PDF of its study."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pydicom
import pypdf
import pytest
from plan_samples import PaperStudy, record, target
from pydicom.uid import ComprehensiveSRStorage, EncapsulatedPDFStorage

from veinscan.dicom import open_study
from veinscan.errors import InvalidInputError
from veinscan.plan.editing import add_target, new_record, target_at_point
from veinscan.plan.model import Reader
from veinscan.record import load_record, save_record
from veinscan.report import write_report
from veinscan.report.encapsulated import document_in

MODULES = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate",
    "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription",
)  # fmt: skip


@pytest.fixture
def saved(sample_study_dir: Path):
    """The sample study with one saved target."""
    study = open_study(sample_study_dir)
    clip = study.clips[0]
    one = target_at_point(clip, 0, (clip.rows / 2, clip.columns / 2), reader=Reader(name="Doe^Jane"))
    first = add_target(new_record(study), one)
    save_record(study, first, Reader(name="Doe^Jane"))
    return study, load_record(study)


def test_it_is_a_valid_document_of_the_study_that_names_the_saved_version(saved, tmp_path: Path):
    study, plan = saved
    path = tmp_path / "plan.dcm"
    info = write_report(study, plan, path)
    made = pydicom.dcmread(path)
    assert made.SOPClassUID == EncapsulatedPDFStorage and made.SOPInstanceUID == info.sop_instance_uid
    header = study.header()
    for keyword in MODULES:
        assert str(made.get(keyword) or "") == str(header.get(keyword) or ""), keyword
    assert made.SeriesInstanceUID not in {clip.series_instance_uid for clip in study.clips}
    assert (
        made.SeriesInstanceUID != pydicom.dcmread(next((study.root / "veinscan").iterdir())).SeriesInstanceUID
    )
    assert [one.ReferencedSOPInstanceUID for one in made.SourceInstanceSequence] == list(plan.heads)
    assert {one.ReferencedSOPClassUID for one in made.SourceInstanceSequence} == {ComprehensiveSRStorage}
    assert made.MIMETypeOfEncapsulatedDocument == "application/pdf" and made.BurnedInAnnotation == "YES"
    pages = pypdf.PdfReader(io.BytesIO(document_in(made))).pages
    assert len(pages) == info.pages
    assert plan.heads[0] in pages[0].extract_text() and "Doe" in pages[0].extract_text()
    if shutil.which("dciodvfy"):
        run = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        assert "Error" not in run.stderr + run.stdout, run.stderr
        assert "EncapsulatedPDF" in run.stderr + run.stdout


def test_a_study_that_was_deidentified_without_a_word_how(saved, tmp_path: Path, monkeypatch):
    study, plan = saved
    header = study.header()
    header.PatientIdentityRemoved = "YES"
    monkeypatch.setattr(study, "header", lambda: header)
    write_report(study, plan, tmp_path / "plan.dcm")
    assert pydicom.dcmread(tmp_path / "plan.dcm").DeidentificationMethod == "not stated in the study"
    if shutil.which("dciodvfy"):
        call = ["dciodvfy", str(tmp_path / "plan.dcm")]
        said = subprocess.run(call, capture_output=True, text=True, check=False).stderr
        assert "Error" not in said, said


def test_beside_the_study_it_is_a_document_and_no_clip(saved):
    study, plan = saved
    write_report(study, plan, study.root / "plan.dcm")
    again = open_study(study.root)
    assert len(again.clips) == len(study.clips)
    assert [one.path for one in again.skipped] == ["truth.json"]
    assert [document.path for document in again.other_documents] == ["plan.dcm"]
    assert load_record(again) == plan


def test_an_earlier_report_is_replaced_and_a_clip_is_not(saved, tmp_path: Path):
    study, plan = saved
    path = tmp_path / "plan.dcm"
    first = write_report(study, plan, path)
    second = write_report(study, plan, path)
    assert first.sop_instance_uid != second.sop_instance_uid
    assert pydicom.dcmread(path).SeriesInstanceUID == pydicom.dcmread(path).SeriesInstanceUID
    clip = Path(study.clips[0].path)
    before = clip.read_bytes()
    with pytest.raises(InvalidInputError, match="not a report"):
        write_report(study, plan, clip)
    assert clip.read_bytes() == before


def test_what_was_never_saved_is_no_document(tmp_path: Path):
    with pytest.raises(InvalidInputError, match="never saved"):
        write_report(PaperStudy(), record(target(1), version=0, heads=()), tmp_path / "plan.dcm")
    assert not list(tmp_path.iterdir())


def test_a_pdf_may_have_any_length(saved, tmp_path: Path, monkeypatch):
    """An odd one is padded, and read back without the padding."""
    study, plan = saved
    for content in (b"%PDF-1.4 odd.", b"%PDF-1.4 even."):
        monkeypatch.setattr(
            "veinscan.report.pdf.pdf_of", lambda *_args, content=content, **_more: (content, 1)
        )
        write_report(study, plan, tmp_path / "plan.dcm")
        made = pydicom.dcmread(tmp_path / "plan.dcm")
        assert document_in(made) == content and len(made.EncapsulatedDocument) % 2 == 0
