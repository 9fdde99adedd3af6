"""`veinscan export`, `batch` and `worklist` as a user and a script call them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_studies import ultrasound, write

import veinscan
from veinscan.record import load_record


def test_export_writes_a_data_set_and_lists_its_files(cli: Callable, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    called = cli("export", tiny, "-o", out, "--format", "coco,csv", "--format", "json", "--json")
    assert called.code == 0, called.err
    data = called.json
    assert data["cases"] == 2 and data["failed"] == []
    assert all(Path(path).is_file() and Path(path).is_relative_to(out) for path in data["files"])
    names = {Path(path).name for path in data["files"]}
    assert {"dataset.json", "checksums.sha256", "instances.json", "targets.csv", "review.json"} <= names
    assert any(Path(path).parent.name == "json" for path in data["files"])
    on_disk = {path for path in out.rglob("*") if path.is_file()}
    assert {Path(path) for path in data["files"]} == on_disk
    again = cli("export", tiny, "-o", out, "--format", "csv", "--json")
    assert again.code == 1 and "finished export" in again.json["error"]["what"]


def test_export_says_what_is_wrong_with_the_call(cli: Callable, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    for words, part in (
        ((), "no format"),
        (("--format", "docx"), "not a format"),
        (("--format", "csv", "--dates", "never"), "neither"),
        (("--format", "csv", "--pixels", "some"), "neither"),
        (("--format", "csv", "--splits", "1,2"), "three shares"),
        (("--format", "csv", "--splits", "0.5,0.1,0.1"), "do not sum to 1"),
        (("--format", "csv", "--reading", "mine"), "reading is 'mine'"),
    ):
        called = cli("export", tiny, "-o", out, *words, "--json")
        assert called.code == 2 and part in called.json["error"]["what"], words
    assert not out.exists()
    assert cli("export", tmp_path / "nowhere", "-o", out, "--format", "csv").code == 1
    inside = cli("export", tiny, "-o", tiny / "set", "--format", "csv", "--json")
    assert inside.code == 1 and "among the studies" in inside.json["error"]["what"]


def test_export_of_two_runs_has_one_key_and_another_project_another(
    cli: Callable, tiny: Path, tmp_path: Path
) -> None:
    patients = []
    for number, project in enumerate(("default", "default", "other")):
        out = tmp_path / str(number)
        called = cli("export", tiny, "-o", out, "--format", "csv,json", "--project", project)
        assert called.code == 0
        assert all(f"  {path.name}/" in called.out for path in out.iterdir() if path.is_dir()), called.out
        assert "  tables/targets.csv" in called.out
        patients.append(set(json.loads((out / "splits.json").read_text())))
    assert patients[0] == patients[1] != patients[2]


def test_batch_counts_what_was_done_and_lists_what_failed(cli: Callable, tmp_path: Path) -> None:
    for number in (1, 2):
        write(
            tmp_path / "in" / str(number) / "a.dcm",
            ultrasound(StudyInstanceUID=f"1.2.3.{number}", PatientID=f"N{number}", InstanceNumber=number),
        )
    (tmp_path / "in" / "broken").mkdir()
    broken = ultrasound(StudyInstanceUID="1.2.3.9", PatientID="N9")
    write(tmp_path / "in" / "broken" / "a.dcm", broken)
    mixed = ultrasound(StudyInstanceUID="1.2.3.9", PatientID="N8", InstanceNumber=4)
    write(tmp_path / "in" / "broken" / "b.dcm", mixed)
    out = tmp_path / "out"
    call = ("batch", tmp_path / "in", "-o", out, "--processes", "1", "--no-candidates", "--json")
    called = cli(*call)
    assert called.code == 0, called.err
    assert called.json["done"] == 2
    ((failed),) = called.json["failed"]
    assert failed["path"].endswith("broken") and "different patients" in failed["reason"]
    assert "N8" not in called.out and "N9" not in called.out
    assert {path.name for path in (out / "tables").glob("*.csv")} >= {"clips.csv", "targets.csv"}
    assert cli("batch", tmp_path / "nowhere", "-o", out).code == 1


def test_a_work_list_from_start_to_end(cli: Callable, tiny: Path, tmp_path: Path) -> None:
    folder = tmp_path / "list"
    early = cli("worklist", "adjudicate", tiny, "--reader", "Clara", "--json")
    assert early.code == 1 and early.json["error"]["what"].startswith("no readings are there")
    assert early.json["error"]["where"] and early.json["error"]["do"]
    readers = ("--reader", "Anna", "--reader", "Berta")
    made = cli("worklist", "create", folder, tiny, *readers, "--without-candidates-first", "--json")
    assert made.code == 0 and [one["left"] for one in made.json["readers"]] == [2, 2]
    for reader in ("Anna", "Berta"):
        for shown in (False, True):
            begun = cli("worklist", "next", folder, "--reader", reader, "--json").json["assignment"]
            assert begun["candidates_shown"] is shown
            study = veinscan.open_study(tiny)
            reading = load_record(study, reading_id=begun["reading_id"]).reading
            assert reading.candidates_shown is shown and reading.purpose == "research"
            assert cli("worklist", "pause", folder, "--reader", reader).code == 0
            cli("worklist", "next", folder, "--reader", reader)
            assert cli("worklist", "done", folder, "--reader", reader).code == 0
    assert cli("worklist", "next", folder, "--reader", "Anna", "--json").json["assignment"] is None
    assert "Everything is done" in cli("worklist", "next", folder, "--reader", "Anna").out
    status = cli("worklist", "status", folder, "--json").json
    assert [(one["reader"], one["done"], one["left"]) for one in status["readers"]] == [
        ("Anna", 2, 0), ("Berta", 2, 0),
    ]  # fmt: skip
    decided = cli("worklist", "adjudicate", tiny, "--reader", "Clara", "--json")
    assert decided.code == 0 and len(decided.json["sources"]) == 2
    assert cli("worklist", "done", folder, "--reader", "Zoe").code == 1


def test_who_is_who_is_asked_and_answered_by_a_file(cli: Callable, tmp_path: Path) -> None:
    for number, patient_id in enumerate(("A1", "")):
        study = ultrasound(StudyInstanceUID=f"1.2.3.{number}", PatientID=patient_id, InstanceNumber=number)
        write(tmp_path / "in" / str(number) / "a.dcm", study)
    studies = sorted((tmp_path / "in").iterdir())
    called = cli("export", *studies, "-o", tmp_path / "set", "--format", "csv")
    assert called.code == 0 and "1 question about who is who" in called.out
    (asked,) = json.loads((tmp_path / "set" / "not_judged.json").read_text())["patients"]
    said = tmp_path / "patients.csv"
    said.write_text("what,patient\n" + ",".join(asked["patients"]) + "\n")
    call = ("batch", tmp_path / "in", "-o", tmp_path / "one", "--no-candidates", "--processes", "1")
    called = cli(*call, "--patients", said)
    assert called.code == 0 and "who is who" not in called.out
    assert len(json.loads((tmp_path / "one" / "splits.json").read_text())) == 1
    called = cli("export", *studies, "-o", tmp_path / "no", "--format", "csv", "--patients", tmp_path / "x")
    assert called.code != 0 and "list of patients" in called.err


def test_progress_tells_the_rate_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody watches a bar: a line now and then; what an earlier run did counts for no rate."""
    from veinscan.cli.progress import Bar
    from veinscan.cli.research import Watch
    from veinscan.export import Done

    clock = [100.0]
    monkeypatch.setattr("veinscan.cli.research.time.monotonic", lambda: clock[0])
    with Bar("Studies", total=1000) as bar:
        watch = Watch(bar)
        for done in range(401, 412):
            clock[0] += 6.0
            watch(done, 1000, Done(f"P-{done}", reason="it is damaged" if done == 405 else ""))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "veinscan: P-405: it is damaged",
        "405 of 1000 studies, 600 an hour, 60 minutes left",
        "410 of 1000 studies, 600 an hour, 59 minutes left",
    ]
