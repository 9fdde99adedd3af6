"""Passwords and tokens of archives: from the environment, typed, or from the keyring, shown nowhere.

What the keyring says of a failure is not passed on: it may quote what was asked of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from veinscan.errors import InvalidInputError, PacsError
from veinscan.settings_pacs import PacsConfig, variable_part

SERVICE = "veinscan-pacs"
"""Name under which the keyring keeps our secrets."""

_held: dict[tuple[str, str, str, str], str] = {}
"""What was typed, until the program ends; by name, address, way to log in and user: no other is told it."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to log in; neither user nor secret is ever shown."""

    auth: str
    """'basic' or 'bearer'."""
    secret: str = field(repr=False)
    """Password or token."""
    user: str = field(default="", repr=False)
    source: str = "keyring"
    """'keyring', 'typed' or the name of the environment variable."""

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Refused: a secret does not travel through a pickle into a file or another process."""
        raise TypeError("credentials cannot be pickled")


def secret_variable(config: PacsConfig) -> str:
    """Environment variable that may hold the secret of this archive."""
    kind = "TOKEN" if config.auth == "bearer" else "PASSWORD"
    return f"VEINSCAN_PACS_{variable_part(config.name)}_{kind}"


def credentials(config: PacsConfig, *, environ: Mapping[str, str] | None = None) -> Credentials | None:
    """Credentials of an archive, or None where it asks for none (`auth` 'none').

    Raises
    ------
    PacsError
        There is no secret, or the keyring cannot be asked; `step` is 'login'.
    """
    if config.auth == "none":
        return None
    variable = secret_variable(config)
    given = (os.environ if environ is None else environ).get(variable, "").strip("\r\n")
    if given:
        return Credentials(config.auth, _usable(given, variable), config.user, variable)
    if _whose(config) in _held:
        return Credentials(config.auth, _held[_whose(config)], config.user, "typed")
    what = "token" if config.auth == "bearer" else "password"
    do = f"store it with 'veinscan pacs login {config.name}' or set {variable}"
    kept = _asked(
        config, do, lambda keyring: keyring.get_password(SERVICE, config.name), without=f"set {variable}"
    )
    if not kept:
        raise PacsError(f"no {what} is known", where=config.where, do=do, step="login")
    return Credentials(config.auth, _usable(str(kept), "keyring"), config.user)


def hold(config: PacsConfig, secret: str) -> None:
    """Use a password or token that was typed until the program ends; it is kept nowhere.

    Raises
    ------
    InvalidInputError
        The secret is empty or holds control characters.
    """
    _held[_whose(config)] = _usable(secret.strip("\r\n"), config.where)


def _whose(config: PacsConfig) -> tuple[str, str, str, str]:
    return config.name, config.url, config.auth, config.user


def remember(config: PacsConfig, secret: str) -> None:
    """Keep a password or token in the system's keyring.

    Raises
    ------
    InvalidInputError
        The secret is empty or holds control characters.
    PacsError
        There is no keyring, or it would keep the secret as plain text.
    """
    secret = _usable(secret.strip("\r\n"), config.where)
    check_keyring(config)
    do = f"set {secret_variable(config)} instead"
    _asked(config, do, lambda keyring: keyring.set_password(SERVICE, config.name, secret))


def check_keyring(config: PacsConfig) -> None:
    """Whether there is a keyring to keep a secret in, before anybody types one.

    Raises
    ------
    PacsError
        There is none, or it would keep the secret as plain text.
    """
    do = f"set {secret_variable(config)} instead"

    def look(keyring: Any) -> None:
        backend = keyring.get_keyring()
        kind = f"{type(backend).__module__}.{type(backend).__qualname__}"
        if "plaintext" in kind.lower() or kind.startswith("keyring.backends.null"):
            raise PacsError(
                f"the system's keyring ({kind}) does not protect what it keeps",
                where=config.where,
                do=do,
                step="login",
            )
        if kind.startswith("keyring.backends.fail"):
            raise keyring.errors.NoKeyringError

    _asked(config, do, look)


def forget(config: PacsConfig) -> bool:
    """Take the secret out of the keyring again; False where there was none.

    Raises
    ------
    PacsError
        The keyring cannot be asked.
    """

    def take_out(keyring: Any) -> bool:
        if keyring.get_password(SERVICE, config.name) is None:
            return False
        keyring.delete_password(SERVICE, config.name)
        return True

    do = "open the system's own password manager and delete it there"
    without = f"nothing is kept in one; take {secret_variable(config)} out of the environment if it is there"
    return _asked(config, do, take_out, without=without)


def _asked(config: PacsConfig, do: str, ask: Callable[[Any], _T], *, without: str = "") -> _T:
    """What the keyring says; `without` is what to do where there is none."""
    reason = ""
    try:
        import keyring
    except ImportError:
        reason = "the package 'keyring' is not installed"
        do = (
            f"install veinscan with its extra: pip install 'veinscan[pacs]', or set {secret_variable(config)}"
        )
    else:
        try:
            return ask(keyring)
        except PacsError:
            raise
        except Exception as error:  # a backend may raise anything, D-Bus errors among it
            missing = type(error).__name__ in ("NoKeyringError", "InitError")
            do = without if missing and without else do
            reason = (
                "this system has no keyring"
                if missing
                else f"the system's keyring did not answer ({type(error).__name__})"
            )
    # raised outside of the handler, so that no traceback shows what the keyring said
    raise PacsError(reason, where=config.where, do=do, step="login")


def _usable(secret: str, where: str) -> str:
    if not secret or len(secret) > 20_000 or any(ord(c) < 32 or ord(c) == 127 for c in secret):
        raise InvalidInputError(
            "the password or token is empty or holds control characters", where=where, do="enter it again"
        )
    return secret
