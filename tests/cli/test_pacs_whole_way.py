"""The whole way by commands, against a real archive: a plan made final, sent, pulled elsewhere and read."""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest

POINT = ("--file", "0001_transverse.dcm", "--frame", "11", "--point", "126.5,177.4")
SECRET = "open-sesame-17"  # noqa: S105  (of an archive that lives for one test)


def mark(cli: Callable[..., Any], study: Path) -> None:
    called = cli("targets", "add", study, *POINT, "--reader", "A. Reader", "--set", "side=right",
                 "--set", "vein=tributary")  # fmt: skip
    assert called.code == 0, called.err


def without_files(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An archive knows UIDs, and no names of files."""
    return [{key: value for key, value in one.items() if key != "file"} for one in targets]


def make_final(cli: Callable[..., Any], study: Path) -> None:
    found = cli("record", "check", study, "--json").json["checks"]
    if rules := sorted({one["rule"] for one in found if one["level"] == "warning"}):
        assert (
            cli("record", "acknowledge", study, *rules, "--reason", "seen", "--reader", "A. Reader").code == 0
        )
    called = cli("record", "finalise", study, "--reader", "A. Reader")
    assert called.code == 0, called.err


def test_a_plan_goes_into_the_archive_and_comes_out_elsewhere(
    cli, orthanc: Any, archive_settings: Path, sample_study_dir: Path, tmp_path: Path
):
    orthanc.empty()
    mark(cli, sample_study_dir)
    draft = cli("pacs", "push", sample_study_dir, "--json")
    assert draft.code == 1 and draft.json["objects"] == [] and orthanc.count() == 0
    assert any("finalise" in one["reason"] for one in draft.json["left_out"])
    make_final(cli, sample_study_dir)
    pushed = cli("pacs", "push", sample_study_dir, "--images", "--seg", "--pdf", "--json")
    assert (pushed.code, pushed.err) == (0, "")
    assert set(pushed.json) == {
        "archive", "stored", "refused", "unsent", "objects", "left_out", "damaged",
    }  # fmt: skip
    assert pushed.json["refused"] == pushed.json["unsent"] == 0
    assert {"record", "segmentation", "report", "image"} == {one["kind"] for one in pushed.json["objects"]}
    assert {one["state"] for one in pushed.json["objects"]} == {"stored"}
    assert pushed.json["stored"] == orthanc.count()

    uid = cli("inspect", sample_study_dir, "--json").json["study_instance_uid"]
    assert [row["study_instance_uid"] for row in cli("pacs", "query", "--json").json["studies"]] == [uid]
    folder = tmp_path / "elsewhere"
    assert cli("pacs", "pull", uid, "-o", folder).code == 0
    here, there = (cli("targets", "list", one, "--json").json for one in (sample_study_dir, folder))
    assert there["targets"] and without_files(there["targets"]) == without_files(here["targets"])
    assert cli("history", folder).code == 0
    # back to where it came from, without saying so; it is there already
    again = cli("pacs", "push", folder, "--json")
    assert again.code == 0 and again.json["archive"] == "test"
    assert orthanc.count() == pushed.json["stored"]

    if shutil.which("dciodvfy"):
        for one in pushed.json["objects"]:
            if one["kind"] != "image":
                path = tmp_path / f"{one['kind']}.dcm"
                path.write_bytes(orthanc.files()[one["sop_instance_uid"]])
                said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False).stderr
                assert "Error" not in said, said


def test_the_commands_of_the_readme_run_as_they_stand(
    cli, orthanc: Any, archive_settings: Path, sample_study_dir: Path, tmp_path: Path
):
    orthanc.empty()
    mark(cli, sample_study_dir)
    make_final(cli, sample_study_dir)
    assert cli("pacs", "push", sample_study_dir, "--images").code == 0
    uid = cli("inspect", sample_study_dir, "--json").json["study_instance_uid"]
    words = {"NAME": "test", "STUDY_UID": uid, "STUDY": str(tmp_path / "pulled")}
    readme = Path(__file__).parents[2] / "README.md"
    lines = [line.partition("#")[0].split() for line in readme.read_text(encoding="utf-8").splitlines()]
    shown = [
        line[1:] for line in lines if line[:2] == ["veinscan", "pacs"] or "doctor --pacs" in " ".join(line)
    ]
    assert {call[1] for call in shown} >= {"query", "pull", "push", "queue"}
    for call in shown:
        if call[0] in ("pacs", "doctor") and call[1] != "login":
            called = cli(*(words.get(word, word) for word in call))
            assert called.code == 0, (call, called.out, called.err)


def test_what_cannot_be_sent_stays_in_the_queue_and_goes_later(
    cli, orthanc: Any, archive_settings: Path, sample_study_dir: Path
):
    orthanc.empty()
    mark(cli, sample_study_dir)
    make_final(cli, sample_study_dir)
    orthanc.stop()
    try:
        pushed = cli("pacs", "push", sample_study_dir)
    finally:
        orthanc.start()
    assert pushed.code == 1 and "stays in the queue" in pushed.out and "1 unsent" in pushed.out
    listed = cli("pacs", "queue", "--json")
    assert listed.code == 0
    (one,) = listed.json["objects"]
    assert (one["state"], one["tries"]) == ("waiting", 1) and one["reason"] and one["next_try"]
    assert cli("pacs", "queue", "--forget", one["sop_instance_uid"]).code == 1
    retried = cli("pacs", "queue", "--retry", "--json")
    assert retried.code == 0, retried.out
    assert [row["state"] for row in retried.json["objects"]] == ["stored"]
    assert list(orthanc.files()) == [one["sop_instance_uid"]]
    assert "Nothing is unsent" in cli("pacs", "queue").out


def test_no_patient_data_and_no_secret_in_log_or_errors(
    cli, make_orthanc, tmp_path: Path, sample_study_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = make_orthanc(login=("reader", SECRET))
    settings = tmp_path / "settings.toml"
    settings.write_text(f'log_level = "debug"\n[pacs.test]\nurl = "{archive.url}"\nuser = "reader"\n')
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(settings))
    monkeypatch.setenv("VEINSCAN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("VEINSCAN_PACS_TEST_PASSWORD", SECRET)
    header = pydicom.dcmread(sample_study_dir / "0001_transverse.dcm", stop_before_pixels=True)
    archive.add(sample_study_dir / "0001_transverse.dcm")
    uid, family = str(header.StudyInstanceUID), str(header.PatientName).split("^")[0]
    patient, accession = str(header.PatientID), str(header.AccessionNumber)
    said = []
    calls = [
        ("pacs", "query", "--name", family, "--patient", patient, "--accession", accession),
        ("pacs", "pull", uid, "-o", tmp_path / "pulled"),
        ("pacs", "push", sample_study_dir, "--drafts", "--images"),
        ("pacs", "list"), ("pacs", "queue"), ("pacs", "cache"), ("doctor", "--pacs", "test"),
    ]  # fmt: skip
    for stopped in (False, True):
        if stopped:
            archive.stop()
        for call in calls:
            called = cli(*call)
            said.append(called.err)
            if call[1] != "query":
                said.append(called.out)
    monkeypatch.setenv("VEINSCAN_PACS_TEST_PASSWORD", SECRET + "-wrong")
    archive.start()
    said.append(cli("pacs", "query", "--name", family).err)
    from veinscan.log import log_path

    said.append(log_path().read_text())
    for word in (
        family,
        str(header.PatientID),
        str(header.PatientBirthDate),
        str(header.AccessionNumber),
        SECRET,
    ):
        assert word and not any(word in text for text in said), word


def test_a_secret_is_kept_in_the_keyring_and_taken_out_again(cli, tmp_path: Path, monkeypatch):
    import keyring
    from keyring.backend import KeyringBackend

    class Held(KeyringBackend):
        priority = 1  # type: ignore[assignment]
        held: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.held.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.held[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.held[service, username]

    monkeypatch.setattr(keyring.core, "_keyring_backend", Held())
    settings = tmp_path / "settings.toml"
    settings.write_text('[pacs.test]\nurl = "https://pacs.example"\nuser = "reader"\n')
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(settings))
    assert "missing" in cli("pacs", "list").out
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n"))
    kept = cli("pacs", "login")
    assert kept.code == 0 and SECRET not in kept.out + kept.err
    assert list(Held.held.values()) == [SECRET]
    (listed,) = cli("pacs", "list", "--json").json["archives"]
    assert "keyring" in listed.values() and SECRET not in repr(listed)
    assert cli("pacs", "login", "test", SECRET).code == 2, "never an argument"
    assert cli("pacs", "logout", "--json").json["was_kept"] is True
    assert Held.held == {}


def test_where_no_keyring_is_no_secret_is_asked_for(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import keyring
    from keyring.backends import fail

    monkeypatch.setattr(keyring.core, "_keyring_backend", fail.Keyring())
    settings = tmp_path / "settings.toml"
    settings.write_text('[pacs.test]\nurl = "https://pacs.example"\nuser = "reader"\n')
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(settings))
    typed = io.StringIO(f"{SECRET}\n")
    monkeypatch.setattr("sys.stdin", typed)
    called = cli("pacs", "login")
    assert called.code == 1 and "VEINSCAN_PACS_TEST_PASSWORD" in called.err
    assert typed.read() == f"{SECRET}\n"
