"""What a user sees when something is wrong: one sentence, the right exit code, and nothing written."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from cli_studies import PATIENT, tree, ultrasound, write

CT = "1.2.840.10008.5.1.4.1.1.2"


def one_sentence(text: str) -> str:
    """The message on stderr: one line, not a traceback, not empty."""
    assert text.startswith("veinscan: ")
    assert text.count("\n") == 1
    assert PATIENT not in text and "Nobody" not in text
    return text


def bad_inputs(folder: Path) -> dict[str, Path]:
    good = write(folder / "good", ultrasound()).read_bytes()
    (folder / "good").unlink()
    made = {
        "text": folder / "text.dcm",
        "empty file": folder / "empty.dcm",
        "truncated header": folder / "header.dcm",
        "mark only": folder / "mark.dcm",
        "zip of text": folder / "text.zip",
        "broken zip": folder / "broken.zip",
    }
    made["text"].write_text("Dear colleague,\n" * 40)
    made["empty file"].write_bytes(b"")
    made["truncated header"].write_bytes(good[:600])
    made["mark only"].write_bytes(b"\0" * 128 + b"DICM")
    with zipfile.ZipFile(made["zip of text"], "w") as archive:
        archive.writestr("readme.txt", "nothing")
    made["broken zip"].write_bytes(b"PK\3\4" + b"x" * 500)
    made["CT image"] = write(folder / "ct.dcm", ultrasound(SOPClassUID=CT, Modality="CT"))
    made["empty folder"] = folder / "nothing"
    made["empty folder"].mkdir()
    made["two patients"] = folder / "two"
    write(made["two patients"] / "a.dcm", ultrasound())
    write(
        made["two patients"] / "b.dcm",
        ultrasound(PatientID="NOBODY-2", StudyInstanceUID="1.2.826.0.1.3680043.8.498.2"),
    )
    made["missing"] = folder / "missing"
    return made


@pytest.mark.parametrize("command", ["inspect", "find", "targets list", "targets add", "report", "open"])
@pytest.mark.parametrize(
    "kind",
    ["text", "empty file", "truncated header", "mark only", "zip of text", "broken zip", "CT image",
     "empty folder", "two patients", "missing"],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_writes_nothing(cli, tmp_path, monkeypatch, kind: str, command: str):
    place = tmp_path / "input"
    place.mkdir()
    path = bad_inputs(place)[kind]
    before = tree(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    options = {
        "targets add": ["--file", "x", "--frame", "0", "--point", "1,1"],
        "find": ["-o", tmp_path / "out"],
        "report": ["-o", tmp_path / "plan.pdf"],
    }
    call = [*command.split(), path, *options.get(command, [])]
    plain = cli(*call)
    assert plain.code == 1
    assert plain.out == ""
    one_sentence(plain.err)
    if command != "open":
        as_json = cli(*call, "--json")
        assert as_json.code == 1
        error = as_json.json
        assert set(error) == {"error"} and set(error["error"]) == {"what", "where", "do"}
        assert error["error"]["what"]
    assert tree(tmp_path) == before
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_read_beside_a_good_clip_is_skipped(cli, tmp_path: Path):
    bad_inputs(tmp_path)
    for kept in tmp_path.glob("two/*"):
        kept.unlink()
    write(tmp_path / "good.dcm", ultrasound())
    data = cli("inspect", tmp_path, "--json").json
    assert [clip["file"] for clip in data["clips"]] == ["good.dcm"]
    reasons = {entry["file"]: entry["reason"] for entry in data["skipped"]}
    assert {"text.dcm", "empty.dcm", "header.dcm", "mark.dcm", "ct.dcm"} <= set(reasons)
    assert all(reasons.values())


def test_two_studies_are_asked_about_and_one_can_be_chosen(cli, tmp_path: Path):
    path = bad_inputs(tmp_path)["two patients"]
    error = cli("inspect", path, "--json").json["error"]
    said = " ".join(error.values())
    assert "--study" in error["do"]
    for uid in ("1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.2"):
        assert uid in said
        chosen = cli("inspect", path, "--study", uid, "--json")
        assert (chosen.code, chosen.json["study_instance_uid"]) == (0, uid)
    assert cli("inspect", path, "--study", "1.2.3").code == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--file", "nowhere"], "1 clips/IM_0001"),
        (["--file", "notes.txt"], "1 skipped"),
        (["--frame", "3"], "1 frame"),
        (["--frame", "-1"], "1 frame"),
        (["--point", "5"], "2 ROW,COL|row and column"),
        (["--point", "a,b"], "2 row and column"),
        (["--point", "nan,3"], "2 row and column"),
        (["--point", "1,1"], "1 outside"),
        (["--set", "side"], "2 FIELD=VALUE"),
        (["--set", "colour=red"], "2 notes"),
        (["--set", "side=up"], "1 left"),
        (["--set", "diameter_mm=wide"], "1 mm"),
        (["--set", "diameter_mm=nan"], "1 mm|finite"),
        (["--set", "diameter_mm=-2"], "1 mm"),
        (["--set", "side=left", "--set", "side=right"], "2 twice"),
        (["--set", "id=1.2.3"], "2 set"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(cli, tiny: Path, options: list[str], expected: str):
    """Exit 2 where the words of the call are off, 1 where what they name does not fit the study."""
    code, words = int(expected[0]), expected[2:]
    call = {"--file": "clips/IM_0001", "--frame": "0", "--point": "100,100"}
    call.update(zip(options[::2], options[1::2], strict=True) if options[0] != "--set" else {})
    flat = [part for pair in call.items() for part in pair]
    if options[0] == "--set":
        flat += options
    before = tree(tiny)
    called = cli("targets", "add", tiny, *flat)
    assert called.code == code
    sentence = one_sentence(called.err)
    assert any(word in sentence for word in words.split("|")), sentence
    assert tree(tiny) == before


@pytest.mark.parametrize(
    "args",
    [["--nonsense"], ["nonsense"], ["inspect"], ["find", "x", "--max-depth-mm", "deep"],
     ["sample", "x", "--seed", "-1"], ["targets", "add", "x"], ["inspect", "x", "y"], ["targets"]],
)  # fmt: skip
def test_a_wrong_call_is_2_and_says_where_help_is(cli, args: list[str]):
    called = cli(*args)
    assert (called.code, called.out) == (2, "")
    assert "--help" in one_sentence(called.err)
    assert set(cli(*args, "--json").json["error"]) == {"what", "where", "do"}


def test_no_command_shows_the_help(cli):
    called = cli()
    assert called.code == 2
    assert "Usage: veinscan" in called.out


def test_the_last_resort_is_a_sentence_and_a_log_without_patient_data(cli, tiny: Path, monkeypatch):
    import veinscan.dicom
    from veinscan.log import log_path

    def fail(*args: object, **kwargs: object) -> None:
        try:
            raise KeyError(PATIENT)
        except KeyError as error:
            raise ValueError(f"bad value {PATIENT} of NOBODY-1") from error

    monkeypatch.setattr(veinscan.dicom, "open_study", fail)
    called = cli("inspect", tiny)
    assert (called.code, called.out) == (1, "")
    sentence = one_sentence(called.err)
    assert str(log_path()) in sentence and "ValueError" in sentence
    logged = log_path().read_text()
    assert "builtins.ValueError" in logged and "builtins.KeyError" in logged and "in fail" in logged
    assert "Nobody" not in logged and "NOBODY" not in logged
    assert str(tiny) not in logged
    error = cli("inspect", tiny, "--json").json["error"]
    assert set(error) == {"what", "where", "do"}


@pytest.mark.parametrize(
    ("fault", "code", "word"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (MemoryError(), 1, "memory"),
        (OSError(28, "No space left on device"), 1, "No space left"),
    ],
)
def test_other_ends(cli, tiny: Path, monkeypatch, fault: BaseException, code: int, word: str):
    import veinscan.dicom

    def fail(*args: object, **kwargs: object) -> None:
        raise fault

    monkeypatch.setattr(veinscan.dicom, "open_study", fail)
    called = cli("inspect", tiny)
    assert called.code == code
    assert word in one_sentence(called.err)


def test_an_unwritable_log_stops_nothing(cli, tiny: Path, monkeypatch, tmp_path: Path):
    (tmp_path / "blocked").write_text("a file where the folder should be")
    monkeypatch.setenv("VEINSCAN_LOG_DIR", str(tmp_path / "blocked" / "log"))
    assert cli("inspect", tiny).code == 0


def test_chatter_of_a_library_goes_to_stderr(cli, tiny: Path, monkeypatch):
    import veinscan.dicom

    real = veinscan.dicom.open_study

    def noisy(*args: object, **kwargs: object) -> object:
        print("decoding with turbo boost")
        return real(*args, **kwargs)

    monkeypatch.setattr(veinscan.dicom, "open_study", noisy)
    called = cli("inspect", tiny, "--json")
    assert called.json["clips"]
    assert "turbo" in called.err


def test_terminal_control_in_a_name_is_shown_not_obeyed(cli, tiny: Path):
    (tiny / "clips" / "IM_0001").rename(tiny / "clips" / "\x1b[2Jgone\u202etxt")
    called = cli("inspect", tiny)
    assert called.code == 0
    assert "\x1b" not in called.out and "\u202e" not in called.out
    assert r"\x1b[2Jgone\u202etxt" in called.out


def test_open_without_display_says_how_to_get_one(cli, tiny: Path, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("veinscan.cli.probe.missing_gui_packages", lambda: ())
    called = cli("open", tiny)
    assert called.code == 1 and "xvfb-run" in one_sentence(called.err)


def test_open_without_the_gui_says_what_to_install(cli, tiny: Path, monkeypatch):
    monkeypatch.setattr("veinscan.cli.probe.missing_gui_packages", lambda: ("napari",))
    called = cli("open", tiny)
    assert called.code == 1 and 'pip install "veinscan[gui]"' in one_sentence(called.err)


def test_open_on_a_dead_display_ends_in_a_sentence(cli, tiny: Path, monkeypatch):
    pytest.importorskip("PySide6")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.setenv("DISPLAY", ":4242")
    called = cli("open", tiny)
    assert called.code == 1 and ":4242" in one_sentence(called.err)
