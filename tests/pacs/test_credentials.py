"""Passwords and tokens: where they come from, and that they are shown nowhere."""

from __future__ import annotations

import logging
import pickle
import sys
import traceback
from dataclasses import replace
from typing import Any

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringError, KeyringLocked

from veinscan.errors import InvalidInputError, PacsError, VeinscanError
from veinscan.pacs.credentials import (
    SERVICE,
    Credentials,
    check_keyring,
    credentials,
    forget,
    hold,
    remember,
    secret_variable,
)
from veinscan.settings_pacs import PacsConfig

CONFIG = PacsConfig(name="my-archive", url="https://a", user="anna", auth="basic")
SECRET = "open-sesame"  # noqa: S105


class Memory(KeyringBackend):
    priority = 1.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class Broken(Memory):
    error: Exception = KeyringLocked(f"cannot unlock {SECRET}")

    def get_password(self, service: str, username: str) -> str | None:
        raise self.error

    def set_password(self, service: str, username: str, password: str) -> None:
        raise self.error


class PlaintextKeyring(Memory):
    """As that of `keyrings.alt.file`, which keeps what it gets in a file that anybody can read."""


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a backend the system's keyring, for one test."""

    def use(made: KeyringBackend) -> Any:
        monkeypatch.setattr(keyring.core, "_keyring_backend", made)
        return made

    return use


def test_the_environment_goes_first(backend: Any):
    backend(Broken())
    given = credentials(CONFIG, environ={"VEINSCAN_PACS_MY_ARCHIVE_PASSWORD": f"{SECRET}\n"})
    assert given == Credentials("basic", SECRET, "anna", "VEINSCAN_PACS_MY_ARCHIVE_PASSWORD")


def test_then_the_keyring(backend: Any):
    kept = backend(Memory())
    remember(CONFIG, SECRET)
    assert kept.kept == {(SERVICE, "my-archive"): SECRET}
    assert credentials(CONFIG, environ={}) == Credentials("basic", SECRET, "anna", "keyring")
    assert forget(CONFIG)
    assert not forget(CONFIG)
    with pytest.raises(PacsError, match="no password is known"):
        credentials(CONFIG, environ={})


def test_a_token(backend: Any):
    backend(Memory())
    config = PacsConfig(name="x", url="https://a", auth="bearer")
    assert secret_variable(config) == "VEINSCAN_PACS_X_TOKEN"
    given = credentials(config, environ={"VEINSCAN_PACS_X_TOKEN": "tok", "VEINSCAN_PACS_X_PASSWORD": "no"})
    assert given is not None
    assert (given.auth, given.secret) == ("bearer", "tok")
    with pytest.raises(PacsError, match="no token is known"):
        credentials(config, environ={})


def test_none_is_asked_for_where_none_is_needed(backend: Any):
    backend(Broken())
    assert credentials(PacsConfig(name="x", url="https://a"), environ={}) is None


@pytest.mark.parametrize(
    "made",
    [fail.Keyring(), null.Keyring(), Broken()],
    ids=["none", "null", "locked"],
)
@pytest.mark.parametrize("doing", ["get", "keep"])
def test_a_keyring_that_does_not_work_is_one_sentence(
    backend: Any, made: KeyringBackend, doing: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    backend(made)
    with pytest.raises(PacsError) as caught:
        if doing == "get":
            credentials(CONFIG, environ={})
        else:
            remember(CONFIG, SECRET)
    assert caught.value.step == "login"
    assert "VEINSCAN_PACS_MY_ARCHIVE_PASSWORD" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in caplog.text


@pytest.mark.parametrize("error", [KeyringError("x"), RuntimeError("x"), OSError(5, "x"), KeyError("x")])
def test_whatever_a_keyring_raises(backend: Any, error: Exception):
    made = Broken()
    made.error = error
    backend(made)
    with pytest.raises(PacsError, match=f"did not answer .{type(error).__name__}"):
        credentials(CONFIG, environ={})


def test_plain_text_is_no_keyring(backend: Any):
    made = backend(PlaintextKeyring())
    with pytest.raises(PacsError, match="does not protect"):
        remember(CONFIG, SECRET)
    assert not made.kept


def test_without_the_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(PacsError, match="not installed") as caught:
        credentials(CONFIG, environ={})
    assert "veinscan[pacs]" in caught.value.do
    assert credentials(CONFIG, environ={"VEINSCAN_PACS_MY_ARCHIVE_PASSWORD": SECRET})


@pytest.mark.parametrize("secret", ["", "\n", "a\r\nX-Header: y", "a\0b", "x" * 20_001])
def test_what_cannot_be_a_secret(backend: Any, secret: str):
    made = backend(Memory())
    with pytest.raises(VeinscanError) as caught:
        remember(CONFIG, secret)
    assert not made.kept
    assert not secret or secret not in str(caught.value)
    if secret.strip():
        with pytest.raises(InvalidInputError):
            credentials(CONFIG, environ={"VEINSCAN_PACS_MY_ARCHIVE_PASSWORD": secret})


def test_they_are_shown_nowhere():
    given = Credentials("basic", SECRET, "anna")
    for shown in (repr(given), str(given), f"{given}", repr([given]), repr({"x": given})):
        assert SECRET not in shown
        assert "anna" not in shown
    with pytest.raises(TypeError):
        pickle.dumps(given)


def test_what_was_typed_is_used_by_this_archive_alone_and_kept_nowhere(backend: Any, monkeypatch: Any):
    monkeypatch.setattr("veinscan.pacs.credentials._held", {})
    made = backend(Memory())
    hold(CONFIG, SECRET)
    assert credentials(CONFIG, environ={}).secret == SECRET
    assert not made.kept
    moved = replace(CONFIG, url="https://elsewhere.example/dicom-web")
    with pytest.raises(PacsError) as caught:
        credentials(moved, environ={})
    assert caught.value.step == "login"
    with pytest.raises(InvalidInputError):
        hold(CONFIG, "a\nb")


def test_without_a_keyring_nobody_is_sent_to_one(backend: Any):
    backend(fail.Keyring())
    told = []
    for ask in (
        lambda: credentials(CONFIG, environ={}),
        lambda: check_keyring(CONFIG),
        lambda: forget(CONFIG),
    ):
        with pytest.raises(PacsError, match="no keyring") as caught:
            ask()
        told.append(caught.value.do)
    for do in told:
        assert "VEINSCAN_PACS_MY_ARCHIVE_PASSWORD" in do
        assert "pacs login" not in do and "password manager" not in do
