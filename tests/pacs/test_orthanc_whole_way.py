"""Into a real archive and out of it again: many studies, every byte, and flat memory."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from archive_worker import send_all
from many_studies import by_instance, data_set, instance_of, make_studies
from orthanc_rig import Orthanc, settings_text

from veinscan.errors import PacsError
from veinscan.pacs.connect import connect
from veinscan.pacs.model import StudyQuery
from veinscan.pacs.pull import pull
from veinscan.pacs.queue import SendQueue

WORKER = Path(__file__).with_name("archive_worker.py")
STUDIES, FEW = 200, 8
FLAT_KB = 8_000
"""So much more may be held after 200 studies than after 10: the slack of an interpreter and its allocator."""


def test_200_studies_there_and_back_over_dicomweb(
    orthanc: Orthanc, archive_settings: Path, tmp_path: Path
) -> None:
    orthanc.empty()
    kinds = ("native", "jpeg", "rle", "implicit", "report")
    studies: dict[str, list[Path]] = {}
    for at, kind in enumerate(kinds):
        studies |= make_studies(
            tmp_path / "in" / kind, STUDIES // len(kinds), seed=10 + at, kinds=(kind,), shape=(24, 32)
        )
    originals = {uid: path.read_bytes() for uid, path in by_instance(studies).items()}
    assert len(studies) == STUDIES

    pushed = run_worker("push", *(str(files[0].parent) for files in studies.values()))
    assert orthanc.files() == originals
    assert orthanc.count("studies") == STUDIES
    assert Counter(what for what, _ in orthanc.changes())["NewInstance"] == len(originals)
    assert SendQueue().pending() == ()

    pulled = run_worker("pull", str(tmp_path / "out"), *studies)
    assert {instance_of(path): path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm")} == originals

    for curve in (pushed, pulled):
        assert max(curve) == STUDIES
        assert curve[STUDIES] - curve[10] < FLAT_KB, curve


def run_worker(what: str, *rest: str) -> dict[int, int]:
    """Resident kilobytes after so many studies."""
    done = subprocess.run(
        [sys.executable, str(WORKER), what, "test", "-", *rest], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("done")]
    return {int(number): int(held) for _, number, held in lines}


def test_there_and_back_over_dimse(orthanc: Orthanc, archive_settings: Path, tmp_path: Path) -> None:
    orthanc.empty()
    studies = make_studies(tmp_path / "in", FEW, seed=21)
    originals = by_instance(studies)
    send_all("test", orthanc.dimse, [*originals.values()])
    held = orthanc.files()
    assert held.keys() == originals.keys()
    for uid, data in held.items():
        assert data_set(data) == data_set(originals[uid].read_bytes())
    assert Counter(what for what, _ in orthanc.changes())["NewInstance"] == len(originals)

    with connect("test", dimse=orthanc.dimse) as archive:
        for uid, files in studies.items():
            found = pull(archive, uid, tmp_path / "out" / uid)
            assert not found.failed
            assert len(found.files) == len(files)
    back = {instance_of(path): path for path in (tmp_path / "out").rglob("*.dcm")}
    assert back.keys() == originals.keys()
    for uid, path in back.items():
        assert data_set(path.read_bytes()) == data_set(held[uid])


def test_what_is_asked_for_is_what_is_listed(
    orthanc: Orthanc, archive_settings: Path, tmp_path: Path
) -> None:
    orthanc.empty()
    studies = make_studies(tmp_path / "in", 6, seed=31)
    for path in by_instance(studies).values():
        orthanc.add(path)
    for archive in (connect("test"), connect("test", dimse=orthanc.dimse)):
        with archive:
            rows = archive.find_studies(StudyQuery())
            assert rows.complete
            assert {row.study_instance_uid for row in rows.rows} == set(studies)
            first = archive.find_studies(StudyQuery(limit=2))
            assert (len(first.rows), first.complete) == (2, False)
            one = archive.find_studies(StudyQuery(patient_id="MANY-31-0003")).rows
            assert [row.patient_name for row in one] == ["Übung^Nr 3"]
            assert archive.find_studies(StudyQuery(modality="CT")).rows == ()
            uid = one[0].study_instance_uid
            listed = archive.find_instances(uid)
            assert {row.sop_instance_uid for row in listed} == {instance_of(path) for path in studies[uid]}
            assert {row.modality for row in archive.find_instances(uid, modality="SR")} == {"SR"}


def test_a_second_push_and_a_second_pull_change_nothing(
    orthanc: Orthanc, archive_settings: Path, tmp_path: Path
) -> None:
    orthanc.empty()
    studies = make_studies(tmp_path / "in", 2, seed=41)
    for _ in range(2):
        send_all("test", None, [*by_instance(studies).values()])
        assert orthanc.count() == len(by_instance(studies))
    assert Counter(what for what, _ in orthanc.changes())["NewInstance"] == len(by_instance(studies))
    uid = next(iter(studies))
    with connect("test") as archive:
        first = pull(archive, uid, tmp_path / "out")
        stamps = {path: path.stat().st_mtime_ns for path in first.files}
        second = pull(archive, uid, tmp_path / "out")
    assert {path: path.stat().st_mtime_ns for path in second.files} == stamps
    assert second.bytes == 0


def test_a_wrong_password_is_told_as_such(
    make_orthanc: Callable[..., Orthanc], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = make_orthanc(login=("anna", "right"))
    settings = tmp_path / "settings.toml"
    settings.write_text(settings_text("closed", closed), encoding="utf-8")
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(settings))
    monkeypatch.setenv("VEINSCAN_PACS_CLOSED_PASSWORD", "wrong")
    with connect("closed") as archive, pytest.raises(PacsError) as caught:
        archive.find_studies(StudyQuery())
    assert caught.value.step == "login"
    assert "wrong" not in str(caught.value)
    monkeypatch.setenv("VEINSCAN_PACS_CLOSED_PASSWORD", "right")
    with connect("closed") as archive:
        assert archive.find_studies(StudyQuery()).rows == ()
