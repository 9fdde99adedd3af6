"""Settings: what a person chose once and for all.

An option of the command line goes before the environment (`VEINSCAN_READER`
and so on), the environment before the settings file, the file before the
default.  The file is TOML, `settings.toml` in the user's configuration
folder; `VEINSCAN_SETTINGS` names another one.
"""

from __future__ import annotations

import difflib
import getpass
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.settings_pacs import PacsConfig, parse_archives

MAX_SETTINGS_BYTES = 1_000_000
"""A settings file larger than this is not a settings file."""

PAGE_SIZES = ("A4", "letter")
"""Paper that a plan can be printed on."""

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its value; `sources` says where each value comes from.

    Nothing clinical is a setting: side, vein, drug and dose have no default.
    """

    reader: str = ""
    """Reader's name as it is written into a record; empty: the user of the system."""
    page_size: str = "A4"
    """'A4' or 'letter'."""
    min_diameter_mm: float = 0.5
    """Candidates are searched from this inner diameter on."""
    max_diameter_mm: float = 8.0
    """Candidates are searched up to this inner diameter."""
    max_depth_mm: float = 40.0
    """Candidates are searched down to this depth below the skin."""
    log_level: str = "info"
    """'debug', 'info', 'warning' or 'error'."""
    cache_gb: float = 20.0
    """Studies pulled from an archive may take this much of the disk, in GB (10^9 bytes)."""
    archives: Mapping[str, PacsConfig] = field(default_factory=dict)
    """Archives by name: the file's tables `[pacs.NAME]`, which no option and no variable replaces."""
    sources: Mapping[str, str] = field(default_factory=dict, compare=False)
    """Setting to 'option', 'environment VEINSCAN_...', the file's path or 'default'."""

    @property
    def diameters_mm(self) -> tuple[float, float]:
        """`(min_diameter_mm, max_diameter_mm)`."""
        return self.min_diameter_mm, self.max_diameter_mm


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    if "\x00" in value or "\n" in value:
        raise ValueError
    return value.strip()


def _choice(*allowed: str) -> Callable[[object], str]:
    by_lower = {name.lower(): name for name in allowed}

    def parse(value: object) -> str:
        return by_lower[_text(value).lower()]

    return parse


def _positive(largest: float) -> Callable[[object], float]:
    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise TypeError
        number = float(value)
        if not (math.isfinite(number) and 0 < number <= largest):
            raise ValueError
        return number

    return parse


_PARSERS: dict[str, tuple[Callable[[object], Any], str]] = {
    "reader": (_text, "a name on one line, in quotes"),
    "page_size": (_choice(*PAGE_SIZES), "'A4' or 'letter'"),
    "min_diameter_mm": (_positive(1000), "a positive number of millimetres"),
    "max_diameter_mm": (_positive(1000), "a positive number of millimetres"),
    "max_depth_mm": (_positive(1000), "a positive number of millimetres"),
    "cache_gb": (_positive(1e6), "a positive number of gigabytes"),
    "log_level": (_choice(*LOG_LEVELS), "one of 'debug', 'info', 'warning', 'error'"),
}
"""Setting to its parser and to what a sentence says about the values it takes."""


def settings_names() -> tuple[str, ...]:
    """Names of all settings, in the order of `Settings`; archives are tables of their own."""
    return tuple(f.name for f in fields(Settings) if f.name not in ("archives", "sources"))


def settings_path(environ: Mapping[str, str] | None = None) -> Path:
    """Where the settings file lies, whether or not there is one."""
    environ = os.environ if environ is None else environ
    if named := environ.get("VEINSCAN_SETTINGS"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("veinscan", appauthor=False)) / "settings.toml"


def data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Folder for what veinscan keeps for this user; `VEINSCAN_DATA_DIR` names another one."""
    environ = os.environ if environ is None else environ
    if named := environ.get("VEINSCAN_DATA_DIR"):
        return Path(named).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("veinscan", appauthor=False))


def load(
    overrides: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    path: Path | None = None,
) -> Settings:
    """Settings from options, environment, settings file and defaults, in that order.

    Parameters
    ----------
    overrides : mapping, optional
        Values of command line options; None counts as not given.
    environ : mapping, optional
        Stands in for `os.environ`.
    path : Path, optional
        Stands in for `settings_path()`.

    Raises
    ------
    InvalidInputError
        A file that is not TOML or cannot be read, an unknown setting, a value that a setting does not take.
    """
    environ = os.environ if environ is None else environ
    path = settings_path(environ) if path is None else path
    values: dict[str, Any] = {}
    sources = dict.fromkeys(settings_names(), "default")

    def take(name: str, value: object, source: str, where: str) -> None:
        parse, expected = _PARSERS[name]
        try:
            values[name] = parse(value)
        except (TypeError, ValueError, KeyError):
            seen = repr(value)[:60]
            raise InvalidInputError(
                f"the setting '{name}' is {seen}", where=where, do=f"give it {expected}"
            ) from None
        sources[name] = source

    for name, value in _read_file(path).items():
        if name == "pacs":
            values["archives"] = parse_archives(value, path)
            continue
        if name not in sources:
            raise InvalidInputError(f"there is no setting '{name[:60]}'", where=str(path), do=_nearest(name))
        take(name, value, str(path), str(path))
    for name in settings_names():
        variable = f"VEINSCAN_{name.upper()}"
        if environ.get(variable):
            take(name, environ[variable], f"environment {variable}", variable)
    for name, value in (overrides or {}).items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            take(name, value, "option", option)
    settings = Settings(**values, sources=sources)
    low, high = settings.diameters_mm
    if low >= high:
        raise InvalidInputError(
            f"the smallest diameter is {low:g} mm and the largest {high:g} mm",
            where=sources["min_diameter_mm"],
            do="make min_diameter_mm smaller than max_diameter_mm",
        )
    return settings


def reader_name(settings: Settings) -> str:
    """The reader: the settings' name, else the user of the system; never asked for.

    Raises
    ------
    InvalidInputError
        There is neither.
    """
    if settings.reader:
        return settings.reader
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise InvalidInputError(
            "no reader's name is set and the system knows none",
            where="reader",
            do="pass --reader NAME, or set VEINSCAN_READER",
        ) from None


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, settings_names(), n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return "take it out, or use one of " + ", ".join(settings_names())


def _read_file(path: Path) -> dict[str, Any]:
    import tomllib

    cure = "mend it, or rename it to go back to the defaults"
    try:
        if not path.exists():
            return {}
        if not path.is_file():
            raise InvalidInputError("this is not a file", where=str(path), do=cure)
        with path.open("rb") as stream:
            raw = stream.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInputError(
            f"the settings file cannot be read ({reason})", where=str(path), do="check its permissions"
        ) from error
    if len(raw) > MAX_SETTINGS_BYTES:
        raise InvalidInputError("the settings file is larger than 1 MB", where=str(path), do=cure)
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InvalidInputError("the settings file is not UTF-8 text", where=str(path), do=cure) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidInputError(
            f"the settings file is not valid TOML ({str(error)[:120]})", where=str(path), do=cure
        ) from None
