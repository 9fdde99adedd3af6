"""The `[pacs.NAME]` tables of the settings file: where an archive is, and how it is spoken to.

A table never holds a secret and has no switch that weakens TLS; a key that
looks like either is refused, so that nobody believes it had an effect.
"""

from __future__ import annotations

import difflib
import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from veinscan.errors import InvalidInputError

AUTHS = ("basic", "bearer", "none")
MAX_ARCHIVES = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_AET = re.compile(r"[ -\[\]-~]{1,16}")
"""Application Entity title: printable ASCII without backslash, 16 characters (PS3.5 6.2, VR AE)."""
_PREFIX = re.compile(r"[A-Za-z0-9_~.-]+(/[A-Za-z0-9_~.-]+)*")
_SECRET = re.compile(r"passw|passphrase|pwd|secret|token|credential|api_?key|authori|bearer", re.IGNORECASE)
_WEAKER = re.compile(r"verif|insecure|trust|hostname|tls|ssl", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PacsConfig:
    """One archive as the settings file describes it; what is empty is not set."""

    name: str
    url: str = ""
    """Root of its DICOMweb services, without a slash at the end."""
    qido_prefix: str = ""
    """Path of the search service under `url` (QIDO-RS), where it is not the root itself."""
    wado_prefix: str = ""
    """The same for WADO-RS."""
    stow_prefix: str = ""
    """The same for STOW-RS."""
    ca_bundle: Path | None = None
    """PEM file of the authorities that may vouch for this archive; None: those of the system."""
    client_certificate: Path | None = None
    """PEM file with which we show who we are."""
    client_key: Path | None = None
    """PEM file of its private key, where it is not in `client_certificate`."""
    user: str = field(default="", repr=False)
    auth: str = "none"
    """'basic' (user and password), 'bearer' (token) or 'none'."""
    dimse: str = ""
    """'AET@host:port' for DIMSE."""
    dimse_tls: bool = False
    """Whether DIMSE goes through TLS (PS3.15 B.9), with `ca_bundle` and `client_certificate`."""
    calling_aet: str = "VEINSCAN"
    move_port: int | None = None
    """Port on which a C-MOVE comes back to us; None: C-GET only."""
    timeout_s: float = 60.0
    """The longest wait for an answer, and the longest pause within one, in seconds."""
    transfer_timeout_s: float = 1800.0
    """The longest time that one transfer may take as a whole, in seconds."""

    @property
    def where(self) -> str:
        """How a sentence names this archive."""
        return f"archive '{self.name}'"


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def variable_part(name: str) -> str:
    """An archive's name as it stands in the name of an environment variable."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def parse_archives(table: object, where: Path) -> dict[str, PacsConfig]:
    """Archives by name from the `pacs` table of the settings file `where`.

    Raises
    ------
    InvalidInputError
        Anything in it that cannot be used, or that must not stand there.  Values are never repeated.
    """
    if not isinstance(table, Mapping) or not all(isinstance(value, Mapping) for value in table.values()):
        raise InvalidInputError(
            "'pacs' must be one table for each archive",
            where=str(where),
            do='write [pacs.NAME] and below it url = "https://..."',
        )
    if len(table) > MAX_ARCHIVES:
        raise InvalidInputError(
            f"there are {len(table)} archives", where=str(where), do=f"keep at most {MAX_ARCHIVES}"
        )
    found: dict[str, PacsConfig] = {}
    variables: dict[str, str] = {}
    for name, values in table.items():
        if not _NAME.fullmatch(name):
            raise InvalidInputError(
                f"an archive is named {name[:60]!r}",
                where=str(where),
                do="use letters, digits, '-', '_' and '.', at most 40",
            )
        other = variables.setdefault(variable_part(name), name)
        if other != name:
            raise InvalidInputError(
                f"the archives '{other}' and '{name}' would share one environment variable",
                where=str(where),
                do="rename one of them",
            )
        found[name] = _archive(name, values, where)
    return found


def archive_at(dimse: str) -> PacsConfig:
    """An archive that stands in no file, from `AET@host:port`.

    Raises
    ------
    InvalidInputError
        The text is not of that form.
    """
    try:
        return PacsConfig(name=_dimse(dimse), dimse=dimse.strip())
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"{dimse[:60]!r} is no address of an archive", where="--dimse", do=_KEYS["dimse"][1]
        ) from None


def check_url(url: str, where: str) -> str:
    """A DICOMweb root that may be connected to, without the slash at its end.

    Raises
    ------
    InvalidInputError
        It is no web address, is plain http to another machine, or holds a user or a password.
    """
    return str(_value("url", url, _url, where))


def _archive(name: str, values: Mapping[str, object], where: Path) -> PacsConfig:
    place = f"[pacs.{name}] in {where}"
    given: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _KEYS:
            raise _refused(name, key, place)
        parsed = _value(key, value, _KEYS[key][0], place)
        given[key] = where.parent / parsed if isinstance(parsed, Path) else parsed
    if not given.get("url") and not given.get("dimse"):
        raise InvalidInputError(
            "this archive has no address",
            where=place,
            do='add url = "https://..." or dimse = "AET@host:port"',
        )
    given.setdefault("auth", "basic" if given.get("user") else "none")
    if given["auth"] == "basic" and not given.get("user"):
        raise InvalidInputError("auth is 'basic' and there is no user", where=place, do="add user")
    if given.get("client_key") and not given.get("client_certificate"):
        raise InvalidInputError(
            "there is a client_key and no client_certificate", where=place, do="add client_certificate"
        )
    return PacsConfig(name=name, **given)


def _refused(name: str, key: str, place: str) -> InvalidInputError:
    shown = key[:60]
    if _SECRET.search(key):
        part = variable_part(name)
        return InvalidInputError(
            f"'{shown}' looks like a secret, and this file is no place for one",
            where=place,
            do=f"take it out; keep it in the system's keyring (veinscan pacs login) or set"
            f" VEINSCAN_PACS_{part}_PASSWORD or VEINSCAN_PACS_{part}_TOKEN",
        )
    if _WEAKER.search(key):
        return InvalidInputError(
            f"there is no setting '{shown}': certificates are always verified",
            where=place,
            do="take it out; a hospital's own authority goes into ca_bundle",
        )
    near = difflib.get_close_matches(key, _KEYS, n=1)
    return InvalidInputError(
        f"an archive has no setting '{shown}'",
        where=place,
        do=f"did you mean '{near[0]}'?" if near else "take it out, or use one of " + ", ".join(_KEYS),
    )


def _value(key: str, value: object, parse: Callable[[object], Any], where: str) -> Any:
    try:
        return parse(value)
    except (TypeError, ValueError):
        raise InvalidInputError(f"'{key}' cannot be used", where=where, do=_KEYS[key][1]) from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    text = value.strip()
    if not text or len(text) > 1000 or not text.isprintable():
        raise ValueError
    return text


def _url(value: object) -> str:
    text = _text(value)
    parts = urlsplit(text)
    host = parts.hostname
    if not host or parts.port == 0 or any(c.isspace() or c in '\\"<>' for c in text):
        raise ValueError
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError
    return text.rstrip("/?#")


def _prefix(value: object) -> str:
    text = _text(value).strip("/")
    if not _PREFIX.fullmatch(text) or ".." in text.split("/"):
        raise ValueError
    return text


def _path(value: object) -> Path:
    return Path(_text(value)).expanduser()


def _user(value: object) -> str:
    text = _text(value)
    if ":" in text:  # RFC 7617 2: a user-id cannot hold one
        raise ValueError
    return text


def _auth(value: object) -> str:
    text = _text(value).lower()
    if text not in AUTHS:
        raise ValueError
    return text


def _aet(value: object) -> str:
    text = _text(value)
    if not _AET.fullmatch(text):
        raise ValueError
    return text


def _port(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not 1 <= value <= 65535:
        raise ValueError
    return value


def _dimse(value: object) -> str:
    text = _text(value)
    aet, at, address = text.rpartition("@")
    host, colon, port = address.rpartition(":")
    if not (at and colon and host and port.isascii() and port.isdigit()) or any(c.isspace() for c in host):
        raise ValueError
    _aet(aet)
    _port(int(port[:6]))
    return text


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    if not (math.isfinite(value) and 0.1 <= value <= 86_400):
        raise ValueError
    return float(value)


_KEYS: dict[str, tuple[Callable[[object], Any], str]] = {
    "url": (
        _url,
        "give the https address of its DICOMweb root, without user and password;"
        " plain http is for this machine alone (localhost)",
    ),
    "qido_prefix": (_prefix, "give a path under url, like 'qido-rs'"),
    "wado_prefix": (_prefix, "give a path under url, like 'wado-rs'"),
    "stow_prefix": (_prefix, "give a path under url, like 'stow-rs'"),
    "ca_bundle": (_path, "give the path of a PEM file"),
    "client_certificate": (_path, "give the path of a PEM file"),
    "client_key": (_path, "give the path of a PEM file"),
    "user": (_user, "give a user name without ':'"),
    "auth": (_auth, "give it 'basic', 'bearer' or 'none'"),
    "dimse": (_dimse, "write it as AET@host:port, the AE title with at most 16 characters"),
    "dimse_tls": (_yes_or_no, "write true where the archive's DICOM port speaks TLS, else leave it out"),
    "calling_aet": (_aet, "give an AE title of at most 16 characters, without backslash"),
    "move_port": (_port, "give a port from 1 to 65535"),
    "timeout_s": (_seconds, "give seconds, from 0.1 to 86400"),
    "transfer_timeout_s": (_seconds, "give seconds, from 0.1 to 86400"),
}
"""Key of a table to its parser and to what a sentence says about the values it takes."""
