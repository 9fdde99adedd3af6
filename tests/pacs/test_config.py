"""`[pacs.NAME]` tables: what they take, what they refuse, and what a refusal never repeats."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from veinscan.errors import InvalidInputError, PacsError
from veinscan.pacs.config import PacsConfig, archive_at, archive_config, archives
from veinscan.pacs.connect import connect
from veinscan.settings import Settings, load, settings_names, settings_path
from veinscan.settings_pacs import is_loopback, variable_part


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return load(environ={}, path=path)


def one(tmp_path: Path, text: str, head: str = "[pacs.north]\n") -> PacsConfig:
    (config,) = archives(read(tmp_path, head + text)).values()
    return config


def test_every_key_arrives(tmp_path: Path):
    config = one(
        tmp_path,
        """
        url = " https://archive.example:8443/dicom-web/ "
        qido_prefix = "/qido-rs/"
        wado_prefix = "a/b.c"
        stow_prefix = "stow_rs"
        ca_bundle = "authority.pem"
        client_certificate = "/etc/ours.pem"
        client_key = "~/ours.key"
        user = "anna"
        auth = "Basic"
        dimse = "NORTH@archive.example:104"
        dimse_tls = true
        calling_aet = "VEIN SCAN"
        move_port = 11112
        timeout_s = 12.5
        transfer_timeout_s = 300
        """,
    )
    assert config == PacsConfig(
        name="north",
        url="https://archive.example:8443/dicom-web",
        qido_prefix="qido-rs",
        wado_prefix="a/b.c",
        stow_prefix="stow_rs",
        ca_bundle=tmp_path / "authority.pem",
        client_certificate=Path("/etc/ours.pem"),
        client_key=Path("~/ours.key").expanduser(),
        user="anna",
        auth="basic",
        dimse="NORTH@archive.example:104",
        dimse_tls=True,
        calling_aet="VEIN SCAN",
        move_port=11112,
        timeout_s=12.5,
        transfer_timeout_s=300.0,
    )
    assert "anna" not in repr(config)


def test_the_tables_know_every_field_and_no_other(tmp_path: Path):
    with pytest.raises(InvalidInputError) as caught:
        one(tmp_path, 'url = "https://a"\ncolour_of_the_sky = 1')
    told = caught.value.do
    assert set(told.partition("one of ")[2].split(", ")) == {f.name for f in fields(PacsConfig)} - {"name"}


def test_login_follows_from_what_is_there(tmp_path: Path):
    assert one(tmp_path, 'url = "https://a"').auth == "none"
    assert one(tmp_path, 'url = "https://a"\nuser = "anna"').auth == "basic"
    assert one(tmp_path, 'url = "https://a"\nauth = "bearer"').auth == "bearer"


@pytest.mark.parametrize(
    "key",
    [
        "password", "Password", "passwd", "pwd", "passphrase", "user_password", "key_password", "token",
        "access_token", "secret", "client_secret",
        "api_key", "apikey", "bearer", "credentials", "Authorization",
    ],
)  # fmt: skip
def test_a_secret_is_refused_and_not_repeated(tmp_path: Path, key: str):
    with pytest.raises(InvalidInputError, match="looks like a secret") as caught:
        one(tmp_path, f'url = "https://a"\n{key} = "open-sesame"')
    assert "VEINSCAN_PACS_NORTH_PASSWORD" in str(caught.value)
    assert "open-sesame" not in str(caught.value)
    assert "[pacs.north]" in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "verify",
        "tls_verify",
        "verify_tls",
        "insecure",
        "ssl_verify",
        "check_hostname",
        "no_tls",
        "verify_ssl",
        "trust",
    ],
)
@pytest.mark.parametrize("value", ["false", "true", '"no"', "0"])
def test_there_is_no_switch_for_tls(tmp_path: Path, key: str, value: str):
    with pytest.raises(InvalidInputError, match="always verified"):
        one(tmp_path, f'url = "https://a"\n{key} = {value}')


@pytest.mark.parametrize(
    "text",
    [
        'url = "http://archive.example/dicom-web"',
        'url = "http://192.168.1.5/dicom-web"',
        'url = "http://localhost.example/x"',
        'url = "http://127.0.0.1.example/x"',
        'url = "http://0.0.0.0/x"',
        'url = "https://anna:open-sesame@archive.example"',
        'url = "https://open-sesame@archive.example"',
        'url = "https://a/x?token=open-sesame"',
        'url = "https://a/#open-sesame"',
        'url = "https://"',
        'url = "https://a:99999/x"',
        'url = "https://a:b/x"',
        'url = "https://[::1/x"',
        'url = "https://a b/x"',
        'url = "https://a\\u0000b/x"',
        'url = "ftp://localhost"',
        'url = "archive.example"',
        'url = ""',
        "url = 7",
        'url = ["https://a"]',
        'url = "https://a"\nqido_prefix = "../x"',
        'url = "https://a"\nqido_prefix = "a?b"',
        'url = "https://a"\nauth = "digest"',
        'url = "https://a"\nauth = "basic"',
        'url = "https://a"\nuser = "a:b"',
        'url = "https://a"\nuser = "a\\nb"',
        'url = "https://a"\nclient_key = "k.pem"',
        'url = "https://a"\ntimeout_s = 0',
        'url = "https://a"\ntimeout_s = -1',
        'url = "https://a"\ntimeout_s = nan',
        'url = "https://a"\ntimeout_s = inf',
        'url = "https://a"\ntimeout_s = true',
        'url = "https://a"\ntransfer_timeout_s = 1e9',
        'url = "https://a"\nmove_port = 0',
        'url = "https://a"\nmove_port = 104.0',
        'dimse = "archive.example:104"',
        'dimse = "A@archive.example"',
        'dimse = "A@:104"',
        'dimse = "A@a:0"',
        'dimse = "A@a:99999"',
        'dimse = "A\\\\B@a:104"',
        'dimse = "AN_AE_TITLE_TOO_LONG@a:104"',
        'user = "anna"',
        "",
    ],
)
def test_what_cannot_be_used_is_one_sentence(tmp_path: Path, text: str):
    with pytest.raises(InvalidInputError) as caught:
        one(tmp_path, text)
    sentence = str(caught.value)
    assert "[pacs.north]" in sentence
    assert str(tmp_path / "settings.toml") in sentence
    assert caught.value.do
    assert "open-sesame" not in sentence


@pytest.mark.parametrize(
    "text",
    [
        'pacs = "north"',
        "pacs = 7",
        '[[pacs]]\nurl = "https://a"',
        'pacs.url = "https://a"',
        '[pacs."a/../b"]\nurl = "https://a"',
        '[pacs.""]\nurl = "https://a"',
        '[pacs."\\u202e"]\nurl = "https://a"',
        '[pacs.a-b]\nurl = "https://a"\n[pacs.a_b]\nurl = "https://a"',
        "".join(f'[pacs.n{n}]\nurl = "https://a"\n' for n in range(101)),
    ],
)
def test_tables_that_are_none(tmp_path: Path, text: str):
    with pytest.raises(InvalidInputError):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:8042/dicom-web",
        "http://LOCALHOST./x",
        "http://127.0.0.1:8042",
        "http://127.9.8.7",
        "http://[::1]:8042/x",
        "https://archive.example",
        "https://[2001:db8::1]:8443/x",
        "https://archive.example/aets/DCM4CHEE/rs",
    ],
)
def test_addresses_that_are_taken(tmp_path: Path, url: str):
    assert one(tmp_path, f'url = "{url}"').url == url


def test_loopback():
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "[::1]", "::1", "::ffff:127.0.0.1"))
    assert not any(is_loopback(host) for host in ("", "localhost.example", "0.0.0.0", "::", "10.1.2.3"))  # noqa: S104


def test_other_settings_stay_what_they_are(tmp_path: Path):
    seen = read(
        tmp_path, 'reader = "Anna"\ncache_gb = 2.5\n[pacs.a]\nurl = "https://a"\n[pacs.b]\ndimse = "B@b:104"'
    )
    assert (seen.reader, seen.cache_gb) == ("Anna", 2.5)
    assert list(seen.archives) == ["a", "b"]
    assert "archives" not in settings_names()
    assert load(environ={"VEINSCAN_CACHE_GB": "7"}, path=tmp_path / "none").cache_gb == 7
    with pytest.raises(InvalidInputError, match="gigabytes"):
        read(tmp_path, "cache_gb = 0")


def write(text: str) -> None:
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(text)


def test_which_archive():
    with pytest.raises(InvalidInputError, match="no archive is set up"):
        archive_config()
    write('[pacs.north]\nurl = "https://a"\n')
    assert archive_config().name == "north"
    assert archive_config("north").url == "https://a"
    with pytest.raises(InvalidInputError, match=r"'south'.*'north'"):
        archive_config("south")
    write('[pacs.north]\nurl = "https://a"\n[pacs.south]\nurl = "https://b"\n')
    with pytest.raises(InvalidInputError, match="--pacs"):
        archive_config()
    assert list(archives()) == ["north", "south"]


def test_connect_chooses_who_answers():
    from veinscan.pacs.dimse import DimseArchive
    from veinscan.pacs.web import WebArchive

    write(
        '[pacs.north]\nurl = "https://a"\ndimse = "N@n:104"\ncalling_aet = "US"\n'
        '[pacs.south]\ndimse = "S@s:104"\n'
    )
    with connect("north") as archive:
        assert isinstance(archive, WebArchive)
        assert archive.name == "north"
    with connect("south") as archive:
        assert isinstance(archive, DimseArchive)
    with connect(dimse="OTHER@localhost:4242") as archive:
        assert isinstance(archive, DimseArchive)
        assert archive.name == "OTHER@localhost:4242"
    with pytest.raises(InvalidInputError, match="AET@host:port"):
        connect(dimse="localhost:4242")
    assert archive_at(" A@b:104 ").dimse == "A@b:104"


def test_a_missing_password_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    write('[pacs.north]\nurl = "https://a"\nuser = "anna"\n')
    with pytest.raises(PacsError) as caught:
        connect("north")
    assert caught.value.step == "login"


def test_variables():
    assert variable_part("my-archive.2") == "MY_ARCHIVE_2"
    assert "VEINSCAN_PACS_X" not in os.environ
