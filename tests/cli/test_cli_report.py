"""`veinscan report`: what is written by the ending of the name, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
import pypdf
import pytest

from veinscan.dicom import open_study


@pytest.fixture
def saved(cli, sample_study_dir: Path) -> Path:
    """The sample study with one saved target."""
    clip = "0001_transverse.dcm"
    called = cli(
        "targets", "add", sample_study_dir, "--file", clip, "--frame", "2", "--point", "129,177",
        "--set", "side=right", "--set", "vein=GSV",
    )  # fmt: skip
    assert called.code == 0, called.err
    return sample_study_dir


def test_the_ending_says_what_is_written(cli, saved: Path, tmp_path: Path):
    paper = cli("report", saved, "-o", tmp_path / "plan.pdf", "--page-size", "letter", "--json").json
    assert set(paper) == {"file", "pages"}
    pages = pypdf.PdfReader(paper["file"]).pages
    assert len(pages) == paper["pages"] > 1 and round(pages[0].mediabox[2]) == 612
    tablet = cli("report", saved, "-o", tmp_path / "plan.html", "--json").json
    assert (tmp_path / "plan.html").read_text("utf-8").startswith("<!doctype html>") and tablet["pages"] == 1
    other = cli("report", saved, "-o", tmp_path / "old.pdf", "--profile", "svs_avf_2011")
    assert other.code == 0 and "svs_avf_2011" in pypdf.PdfReader(tmp_path / "old.pdf").pages[0].extract_text()
    document = cli("report", saved, "-o", tmp_path / "plan.dcm", "--json").json
    made = pydicom.dcmread(tmp_path / "plan.dcm")
    assert made.SOPInstanceUID == document["sop_instance_uid"]
    assert made.StudyInstanceUID == open_study(saved).study_instance_uid
    assert cli("report", saved, "-o", tmp_path / "page", "--format", "html").code == 0
    assert (tmp_path / "page").read_text("utf-8").startswith("<!doctype html>")


def test_a_follow_up_is_shown_beside_its_baseline(
    cli, saved: Path, sample_follow_up_dir: Path, tmp_path: Path
):
    out = tmp_path / "plan.pdf"
    called = cli("report", sample_follow_up_dir, "--baseline", saved, "-o", out)
    assert called.code == 0, called.err
    said = " ".join(page.extract_text() for page in pypdf.PdfReader(out).pages)
    assert "Follow-up" in said and "nobody has looked at it yet" in said and "DRAFT" in said


def test_two_patients_and_an_open_question_name_place_and_option(
    cli, saved: Path, sample_follow_up_dir: Path, tmp_path: Path
):
    out = tmp_path / "plan.pdf"
    call = ("report", sample_follow_up_dir, "--baseline", saved, "-o", out, "--json")
    for header, said, do in (
        ({"PatientBirthDate": ""}, "not certain", "--same-patient"),
        ({"PatientID": "P2", "PatientBirthDate": "19500101"}, "not of one patient", "two studies"),
    ):
        for path in sample_follow_up_dir.glob("*.dcm"):
            dataset = pydicom.dcmread(path)
            for keyword, value in header.items():
                setattr(dataset, keyword, value)
            dataset.save_as(path)
        refused = cli(*call)
        error = refused.json["error"]
        assert refused.code == 1 and error["where"] == str(saved)
        assert said in error["what"] and do in error["do"] and not out.exists()
        assert cli(*call, "--same-patient").code == (0 if "certain" in said else 1)
        out.unlink(missing_ok=True)


def test_the_study_of_the_baseline_can_be_chosen(
    cli, saved: Path, sample_follow_up_dir: Path, tmp_path: Path
):
    both, out = tmp_path / "both", tmp_path / "plan.pdf"
    shutil.copytree(saved, both / "a")
    shutil.copytree(sample_follow_up_dir, both / "b")
    call = ("report", sample_follow_up_dir, "--baseline", both, "-o", out)
    asked = cli(*call)
    assert asked.code == 1 and "--baseline-study UID" in asked.err and not out.exists()
    uid = open_study(saved).study_instance_uid
    assert cli(*call, "--baseline-study", uid).code == 0 and out.exists()
    alone = cli("report", sample_follow_up_dir, "--baseline-study", uid, "-o", tmp_path / "other.pdf")
    assert alone.code == 2 and "--baseline STUDY" in alone.err


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "plan.docx"],
        ["-o", "plan"],
        ["-o", "plan.pdf", "--format", "word"],
        ["--page-size", "A0"],
        ["--profile", "mine"],
    ],
)
def test_a_wrong_call_writes_nothing(cli, saved: Path, tmp_path: Path, monkeypatch, options: list[str]):
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    assert cli("report", saved, *options).code == 2
    assert set(tmp_path.rglob("*")) == before


def test_what_was_never_saved_is_a_draft_and_no_dicom_document(cli, sample_study_dir: Path, tmp_path: Path):
    assert "draft" in cli("report", sample_study_dir, "-o", tmp_path / "plan.html").out
    refused = cli("report", sample_study_dir, "-o", tmp_path / "plan.dcm", "--json")
    assert refused.code == 1 and "never saved" in refused.json["error"]["what"]
    assert not (tmp_path / "plan.dcm").exists()
