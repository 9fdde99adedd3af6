"""Settings: who wins, and what a bad file says.  The log: what it never holds."""

from __future__ import annotations

import itertools
import logging
import stat
import warnings
from pathlib import Path

import pytest

from veinscan import log
from veinscan.errors import InvalidInputError
from veinscan.settings import Settings, data_dir, load, reader_name, settings_names, settings_path


@pytest.mark.parametrize("given", list(itertools.product([False, True], repeat=3)))
def test_an_option_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path, given):
    by_option, by_environment, by_file = given
    path = tmp_path / "settings.toml"
    if by_file:
        path.write_text('reader = "File"\nmax_depth_mm = 25\n')
    seen = load(
        {"reader": "Option" if by_option else None},
        environ={"VEINSCAN_READER": "Environment"} if by_environment else {},
        path=path,
    )
    expected = "Option" if by_option else "Environment" if by_environment else "File" if by_file else ""
    assert seen.reader == expected
    assert seen.max_depth_mm == (25 if by_file else 40)
    assert seen.sources["max_depth_mm"] == (str(path) if by_file else "default")
    assert set(seen.sources) == set(settings_names())


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"reader = ", "TOML"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"readr = 'x'", "reader"),
        (b"colour_of_the_sky = 1", "page_size"),
        (b"reader = 3", "a name"),
        (b"page_size = 'A0'", "letter"),
        (b"max_depth_mm = -1", "positive"),
        (b"max_depth_mm = nan", "positive"),
        (b"max_depth_mm = true", "positive"),
        (b"[reader]\nname='x'", "a name"),
        (b"min_diameter_mm = 9", "smaller"),
        (b"a" * 1_100_000, "1 MB"),
    ],
)
def test_a_bad_file_is_one_sentence_that_names_it(tmp_path: Path, content: bytes, word: str):
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError) as caught:
        load(environ={}, path=path)
    assert word in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_folder_in_place_of_the_file_is_a_sentence_too(tmp_path: Path):
    with pytest.raises(InvalidInputError, match="not a file"):
        load(environ={}, path=tmp_path)


def test_a_bad_variable_names_itself():
    with pytest.raises(InvalidInputError, match="VEINSCAN_MAX_DEPTH_MM"):
        load(environ={"VEINSCAN_MAX_DEPTH_MM": "deep"}, path=Path("/nonexistent/settings.toml"))


def test_places_can_be_named():
    assert settings_path({"VEINSCAN_SETTINGS": "/x/y.toml"}) == Path("/x/y.toml")
    assert data_dir({"VEINSCAN_DATA_DIR": "/x/data"}) == Path("/x/data")
    assert settings_path({}).name == "settings.toml"


def test_a_bad_settings_file_stops_a_command_and_the_doctor_tells(cli, tiny: Path):
    path = settings_path()
    path.parent.mkdir(parents=True)
    path.write_text("reader = \n")
    called = cli("inspect", tiny)
    assert called.code == 1 and str(path) in called.err and called.err.count("\n") == 1
    doctor = cli("doctor", "--json")
    assert doctor.code == 1
    assert any(str(path) in p["what"] and p["matters"] for p in doctor.json["problems"])


def test_the_reader_falls_back_to_the_user(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "night-shift")
    assert reader_name(Settings()) == "night-shift"
    assert reader_name(Settings(reader="Doe^Jane")) == "Doe^Jane"

    def nobody() -> str:
        raise KeyError("uid 4242")

    monkeypatch.setattr("getpass.getuser", nobody)
    with pytest.raises(InvalidInputError, match="--reader"):
        reader_name(Settings())


@pytest.fixture
def log_file():
    path = log.setup("debug")
    assert path is not None
    yield path
    log.shutdown()


def test_the_log_keeps_our_words_and_not_those_of_libraries(log_file: Path):
    logging.getLogger("veinscan.test").info("searched 3 clips")
    logging.getLogger("pydicom").warning("Invalid value for PN: %s", "Nobody^Anywhere")
    try:
        raise ValueError("Nobody^Anywhere")
    except ValueError:
        logging.getLogger("pydicom").exception("while reading Nobody^Anywhere")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.route_warnings()
        warnings.warn("Nobody^Anywhere has no birth date", UserWarning, stacklevel=1)
    text = log_file.read_text()
    assert "searched 3 clips" in text
    assert "pydicom: message at" in text and "builtins.ValueError" in text and "UserWarning at" in text
    assert "Nobody" not in text


def test_the_log_is_for_its_user_alone_and_rotates(log_file: Path, monkeypatch):
    assert stat.S_IMODE(log_file.stat().st_mode) == 0o600
    logger = logging.getLogger("veinscan.test")
    for handler in logging.getLogger().handlers:
        if getattr(handler, "baseFilename", "") == str(log_file):
            monkeypatch.setattr(handler, "maxBytes", 2000)
    for _ in range(200):
        logger.info("x" * 100)
    kept = sorted(p.name for p in log_file.parent.iterdir())
    assert kept == ["veinscan.log", *(f"veinscan.log.{n}" for n in range(1, log.KEPT_LOGS + 1))]
    assert all(p.stat().st_size <= 2000 for p in log_file.parent.iterdir())


def test_setting_up_twice_writes_once(log_file: Path):
    log.setup()
    log.setup()
    logging.getLogger("veinscan.test").info("once")
    assert log_file.read_text().count("once") == 1


def test_every_command_is_logged_by_its_name(cli, log_file: Path):
    from veinscan.cli.app import app

    names = [info.name for info in (*app.registered_commands, *app.registered_groups)]
    assert "inspect" in names and "targets" in names
    for name in names:
        assert cli(name, "--help").code == 0
        assert f" {name}: exit 0" in log_file.read_text()
