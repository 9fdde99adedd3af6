"""`veinscan compare FOLLOW_UP --pacs NAME`: the baseline comes with its plan from a real archive."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_studies import tree
from orthanc_rig import Orthanc
from test_cli_compare import Phantoms, made

__all__ = ["made"]


@pytest.fixture
def filled(orthanc: Orthanc, archive_settings: Path, made: Phantoms) -> Phantoms:
    orthanc.empty()
    for path in sorted(made.before.rglob("*.dcm")):
        orthanc.add(path)
    return made


def places(orthanc: Orthanc, way: str) -> tuple[str, str]:
    return ("--pacs", "test") if way == "dicomweb" else ("--dimse", orthanc.dimse)


@pytest.mark.parametrize("way", ["dicomweb", "dimse"])
def test_the_baseline_of_the_archive_says_what_the_one_on_the_disk_says(
    cli: Callable[..., Any], orthanc: Orthanc, filled: Phantoms, way: str
) -> None:
    lying = tree(filled.after)
    near = cli("compare", filled.before, filled.after, "--json").json
    far = cli("compare", filled.after, *places(orthanc, way), "--json").json
    assert far["baseline"].pop("archive") == ("test" if way == "dicomweb" else orthanc.dimse)
    assert near["baseline"].pop("archive") is None
    for said in (near, far):
        for row in said["targets"]:
            row["baseline"].pop("file")  # named after its UID there
    assert far == near
    assert tree(filled.after) == lying
    text = cli("compare", filled.after, *places(orthanc, way)).out
    assert f", from the archive {'test' if way == 'dicomweb' else orthanc.dimse}" in text
    uid = near["baseline"]["study_instance_uid"]
    named = cli("compare", filled.after, *places(orthanc, way), "--baseline-study", uid, "--json").json
    assert named["days_between"] == near["days_between"]
    # what was pulled lies in the cache, whole
    kept = Path(os.environ["VEINSCAN_DATA_DIR"]) / "pacs-cache"
    assert len(list(kept.rglob("*.dcm"))) == len(list(filled.before.rglob("*.dcm")))


def refused(cli: Callable[..., Any], *args: object) -> dict[str, Any]:
    called = cli(*args, "--json")
    assert called.code == 1
    error: dict[str, Any] = called.json["error"]
    return error


def test_none_or_several_are_told(
    cli: Callable[..., Any], orthanc: Orthanc, filled: Phantoms, tmp_path: Path
) -> None:
    import pydicom

    twin = Path(shutil.copytree(filled.before, tmp_path / "twin"))
    for path in sorted(twin.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, keyword, f"{dataset[keyword].value[:60]}.7")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.StudyDate = "20250401"
        dataset.save_as(path)
        orthanc.add(path)
    several = refused(cli, "compare", filled.after, "--pacs", "test")
    assert several["what"] == "the archive has 2 earlier studies of this patient with a plan"
    assert several["do"].startswith("choose one with --baseline-study UID: ")
    assert several["do"].count(" of 2025-0") == 2
    orthanc.empty()
    none = refused(cli, "compare", filled.after, "--pacs", "test")
    assert none["what"] == "the archive has no earlier study of this patient with a plan"
    wrong = refused(cli, "compare", filled.after, "--pacs", "test", "--baseline-study", "1.2.3")
    assert "lists no study 1.2.3" in wrong["what"]


def test_words_that_do_not_fit_together(cli: Callable[..., Any], made: Phantoms) -> None:
    both = cli("compare", made.before, made.after, "--pacs", "x")
    assert (both.code, "is to come from an archive" in both.err) == (2, True)
    one = cli("compare", made.after)
    assert (one.code, "a baseline and a follow-up are needed" in one.err) == (2, True)
    nobody = refused(cli, "compare", made.after, "--pacs", "nobody")
    assert json.dumps(nobody).isascii()
    assert "no archive" in nobody["what"]
