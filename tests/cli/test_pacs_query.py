"""`veinscan pacs query` and `pull` against a real archive: what is printed, and how it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from cli_studies import ultrasound, write

ROWS = {
    "1.2.3.1": {"PatientName": "Ödland^Anna", "PatientID": "K-1", "StudyDate": "20260105",
                "AccessionNumber": "A1"},
    "1.2.3.2": {"PatientName": "BERG^BERTA", "PatientID": "K-2", "StudyDate": "20260301",
                "StudyTime": "093000"},
    "1.2.3.3": {"PatientName": "Bergmann^Carl", "PatientID": "K-3", "StudyDate": "20251224"},
    "1.2.3.4": {"PatientName": "Berg^Dora", "PatientID": "K-4", "StudyDate": "20260302", "Modality": "CT",
                "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"},
}  # fmt: skip


@pytest.fixture
def filled(orthanc: Any, archive_settings: Path, tmp_path: Path) -> Any:
    """The archive with four small studies."""
    orthanc.empty()
    for uid, values in ROWS.items():
        clip = ultrasound(
            StudyInstanceUID=uid, SeriesInstanceUID=f"{uid}.1", SOPInstanceUID=f"{uid}.1.1", NumberOfFrames=1,
            SpecificCharacterSet="ISO_IR 192", FrameIncrementPointer=None, FrameTime=None, **values,
        )  # fmt: skip
        orthanc.add(write(tmp_path / "sent" / f"{uid}.dcm", clip))
    return orthanc


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What comes in on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def uids(called: Any) -> list[str]:
    assert called.code == 0, called.err
    return [row["study_instance_uid"] for row in called.json["studies"]]


def test_studies_are_listed_latest_first_in_a_table(cli, filled: Any):
    called = cli("pacs", "query")
    assert (called.code, called.err) == (0, "")
    lines = called.out.splitlines()
    assert [line.split()[0] for line in lines] == ["day", "2026-03-01", "2026-01-05", "2025-12-24", "3"]
    assert "Ödland, Anna" in lines[2] and "K-1" in lines[2] and lines[2].endswith("1.2.3.1")
    assert "09:30" in lines[1] and lines[0].index("UID") == lines[1].index("1.2.3.2")
    assert lines[-1] == "3 studies."


def test_every_field_is_in_the_json(cli, filled: Any):
    called = cli("pacs", "query", "--patient", "K-1", "--json")
    assert set(called.json) == {"archive", "complete", "studies"}
    assert (called.json["archive"], called.json["complete"]) == ("test", True)
    (row,) = called.json["studies"]
    assert row == {
        "study_instance_uid": "1.2.3.1", "date": "2026-01-05", "time": "10:15", "patient_name": "Ödland^Anna",
        "patient_id": "K-1", "issuer_of_patient_id": "", "birth_date": "1961-02-03", "accession": "A1",
        "description": "", "modalities": ["US"], "series": 1, "instances": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--name", "berg"], ["1.2.3.2", "1.2.3.3"]),
        (["--name", "Berg, Ber"], ["1.2.3.2"]),
        (["--name", "berg^*"], ["1.2.3.2"]),
        (["--name", "Berg", "--modality", "any"], ["1.2.3.4", "1.2.3.2", "1.2.3.3"]),
        (["--name", "ödland, anna"], ["1.2.3.1"]),
        (["--modality", "ct"], ["1.2.3.4"]),
        (["--patient", "K-?", "--from", "2026-01-01"], ["1.2.3.2", "1.2.3.1"]),
        (["--to", "20251231"], ["1.2.3.3"]),
        (["--from", "2026-01-05", "--to", "2026-01-05"], ["1.2.3.1"]),
        (["--accession", "A1"], ["1.2.3.1"]),
        (["--patient", "K-9"], []),
        (["--from", "today"], []),
    ],
)
@pytest.mark.parametrize("way", ["DICOMweb", "DIMSE"])
def test_what_is_asked_for_is_what_comes(cli, filled: Any, words: list[str], found: list[str], way: str):
    over = ["--dimse", filled.dimse] if way == "DIMSE" else []
    assert uids(cli("pacs", "query", *words, *over, "--json")) == found


def test_that_there_are_more_is_said(cli, filled: Any):
    called = cli("pacs", "query", "--limit", "2")
    assert called.code == 0 and "The latest 2; there are more" in called.out and "1.2.3.3" not in called.out
    assert cli("pacs", "query", "--limit", "2", "--json").json["complete"] is False
    assert cli("pacs", "query", "--limit", "3", "--json").json["complete"] is True


def test_nothing_that_matches_is_said(cli, filled: Any):
    called = cli("pacs", "query", "--patient", "K-9")
    assert called.code == 0 and "no study of modality US" in called.out


def test_a_dash_is_read_from_standard_input_and_stands_in_no_call(cli, filled: Any, typed):
    typed("K-*\nBerg\n")
    assert uids(cli("pacs", "query", "--name", "-", "--patient", "-", "--json")) == ["1.2.3.2", "1.2.3.3"]
    typed("\n")
    called = cli("pacs", "query", "--patient", "-")
    assert called.code == 1 and "Patient ID" in called.err


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--from", "yesteryear"], "not a day"),
        (["--to", "2026-02-30"], "not a day"),
        (["--from", "2026-02-02", "--to", "2026-02-01"], "after the last"),
        (["--limit", "0"], "--limit"),
    ],
)
def test_a_wrong_call(cli, archive_settings: Path, words: list[str], part: str):
    called = cli("pacs", "query", *words)
    assert (called.code, called.out) == (2, "")
    assert part in called.err and called.err.count("\n") == 1


def test_an_archive_that_is_none(cli, archive_settings: Path):
    for words in (("query",), ("pull", "1.2.3", "-o", "x"), ("login",)):
        given = [] if words[0] == "login" else ["--pacs"]
        called = cli("pacs", *words, *given, "other", "--json")
        assert called.code == 1 and "'other'" in called.json["error"]["what"], words
    called = cli("pacs", "query", "--dimse", "nowhere")
    assert called.code == 1 and "'nowhere'" in called.err and "AET@host:port" in called.err


def test_an_archive_that_is_away_is_one_sentence(cli, archive_settings: Path):
    archive_settings.write_text('[pacs.test]\nurl = "http://127.0.0.1:1/dicom-web"\n', encoding="utf-8")
    for words in (("query", "--patient", "SECRET"), ("pull", "1.2.3", "-o", "x")):
        called = cli("pacs", *words)
        assert called.code == 1 and called.err.count("\n") == 1 and "SECRET" not in called.err
        assert "'test'" in called.err
    assert not Path("x").exists()


# -- pull -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["DICOMweb", "DIMSE"])
def test_a_study_is_pulled_and_pulled_again(cli, filled: Any, tmp_path: Path, way: str):
    over = ["--dimse", filled.dimse] if way == "DIMSE" else []
    folder = tmp_path / "here"
    called = cli("pacs", "pull", "1.2.3.1", "-o", folder, *over, "--json")
    assert (called.code, called.err) == (0, "")
    assert set(called.json) == {
        "study_instance_uid", "folder", "objects", "fetched", "bytes", "failed", "notes",
    }  # fmt: skip
    assert (called.json["objects"], called.json["fetched"], called.json["failed"]) == (1, 1, [])
    assert called.json["folder"] == str(folder)
    file = folder / "1.2.3.1.1.1.dcm"
    kept = filled.files()["1.2.3.1.1.1"]
    if over:  # over DIMSE the header of the file is the receiver's own
        assert pydicom.dcmread(file) == pydicom.dcmread(io.BytesIO(kept))
    else:
        assert file.read_bytes() == kept
    assert called.json["bytes"] == file.stat().st_size
    again = cli("pacs", "pull", "1.2.3.1", "-o", folder, *over)
    assert again.code == 0 and "already here" in again.out and f"veinscan open {folder}" in again.out
    assert cli("inspect", folder, "--json").json["study_instance_uid"] == "1.2.3.1"


def test_a_study_that_is_not_there_and_a_folder_that_is_taken(cli, filled: Any, tmp_path: Path):
    called = cli("pacs", "pull", "1.2.3.99", "-o", tmp_path / "x")
    assert called.code == 1 and "1.2.3.99" in called.err and not (tmp_path / "x").exists()
    assert cli("pacs", "pull", "not-a-uid", "-o", tmp_path / "x").code == 1
    cli("pacs", "pull", "1.2.3.1", "-o", tmp_path / "y")
    called = cli("pacs", "pull", "1.2.3.2", "-o", tmp_path / "y")
    assert called.code == 1 and "folder" in called.err and called.err.count("\n") == 1
    assert cli("pacs", "pull", "1.2.3.1").code == 2


def test_what_did_not_come_is_listed_and_the_exit_code_says_so(cli, filled: Any, tmp_path: Path, monkeypatch):
    from veinscan.errors import PacsError
    from veinscan.pacs.model import Fetched
    from veinscan.pacs.web import WebArchive

    def fetch(self: Any, instances: Any, folder: Path, *, stop: Any = None) -> Any:
        for one in instances:
            yield Fetched(one, None, error=PacsError("the archive refused it", step="wado"))

    monkeypatch.setattr(WebArchive, "fetch", fetch)
    called = cli("pacs", "pull", "1.2.3.1", "-o", tmp_path / "x")
    assert called.code == 1 and "not here: 1.2.3.1.1.1: " in called.out and "same command" in called.out
    (one,) = cli("pacs", "pull", "1.2.3.1", "-o", tmp_path / "x", "--json").json["failed"]
    assert one["sop_instance_uid"] == "1.2.3.1.1.1" and "refused" in one["reason"]


def test_ctrl_c_ends_a_pull_in_good_order_and_the_same_command_goes_on(
    cli, filled: Any, tmp_path: Path, archive_settings: Path, monkeypatch
):
    """The archive is between two objects for ever, until the person has had enough."""
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "pacs")
    from hostile_server import HostileServer, Request

    real = filled.url
    waiting = threading.Event()

    def answer(request: Request) -> Any:
        import urllib.request

        if request.path.endswith("/instances/1.2.3.1.1.1"):
            waiting.set()
            return server.silence()
        asked = urllib.request.Request(  # noqa: S310
            real + request.path.removeprefix("/dicom-web"), headers={"Accept": request.headers["accept"]}
        )
        with urllib.request.urlopen(asked) as came:  # noqa: S310
            body = came.read()
        head = f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
        return [f"{head}Content-Type: {came.headers['Content-Type']}\r\n\r\n".encode(), body]

    with HostileServer(answer) as server:
        archive_settings.write_text(f'[pacs.test]\nurl = "{server.url}"\n', encoding="utf-8")
        folder = tmp_path / "here"
        command = [sys.executable, "-m", "veinscan", "pacs", "pull", "1.2.3.1", "-o", str(folder)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ), text=True
        ) as running:
            assert waiting.wait(30)
            time.sleep(0.3)
            running.send_signal(signal.SIGINT)
            out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, "")
    assert "stopped" in err and "the same command goes on" in err and "Traceback" not in err
    archive_settings.write_text(f'[pacs.test]\nurl = "{real}"\n', encoding="utf-8")
    assert cli("pacs", "pull", "1.2.3.1", "-o", folder).code == 0
    assert (folder / "1.2.3.1.1.1.dcm").read_bytes() == filled.files()["1.2.3.1.1.1"]


def test_a_day_is_today(monkeypatch):
    from veinscan.cli.pacs_options import day_of

    assert day_of("Today", "--from") == date.today()
    assert day_of(None, "--from") is None
    assert json.dumps(str(day_of("20260131", "--to"))) == '"2026-01-31"'
