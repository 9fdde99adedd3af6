"""One rotating application log, without patient data.

What other libraries say may quote a header (a name, an id, a date), and so
may the text of an exception.  Of those the log keeps who said it and where in
the code, never the text.  Paths of studies are not logged either: folders are
often named after people.
"""

from __future__ import annotations

import logging
import os
import traceback
import warnings
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

MAX_LOG_BYTES = 1_000_000
"""One log file; then it rotates."""
KEPT_LOGS = 3
"""How many earlier files stay."""

_OWN = ("veinscan", "napari_veinscan")


def log_path() -> Path:
    """Where the log lies; `VEINSCAN_LOG_DIR` names another folder."""
    if named := os.environ.get("VEINSCAN_LOG_DIR"):
        return Path(named).expanduser() / "veinscan.log"
    import platformdirs

    return Path(platformdirs.user_log_dir("veinscan", appauthor=False)) / "veinscan.log"


class _NoPatientData(logging.Formatter):
    """Text of our own messages; of others only the logger, the level and the place."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.split(".")[0] in _OWN
        text = record.getMessage() if own else f"message at {record.filename}:{record.lineno}"
        text = text.replace("\r", " ").replace("\n", "\n    ")
        line = f"{self.formatTime(record)} {os.getpid()} {record.levelname} {record.name}: {text}"
        if record.exc_info and record.exc_info[1] is not None:
            line += "\n" + describe_exception(record.exc_info[1])
        return line


class _Handler(RotatingFileHandler):
    """Never lets a full disk or a vanished folder reach the person."""

    def _open(self) -> TextIO:  # type: ignore[override]
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (a method of logging)
        """Nothing: a log that cannot be written must not stop the work."""


def setup(level: str = "info") -> Path | None:
    """Send messages to the log; calling it again changes only the level.

    Returns
    -------
    Path or None
        The log file, or None where none can be written; the work goes on either way.
    """
    root = logging.getLogger()
    path = log_path()
    for handler in root.handlers:
        if isinstance(handler, _Handler):
            if handler.baseFilename == os.path.abspath(path):  # noqa: PTH100  (as logging compares it)
                _set_level(handler, level)
                return path
            root.removeHandler(handler)
            handler.close()
            break
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = _Handler(path, maxBytes=MAX_LOG_BYTES, backupCount=KEPT_LOGS, encoding="utf-8")
    except OSError:
        if not root.handlers:
            # Without any handler Python prints the text of other libraries' messages.
            root.addHandler(logging.NullHandler())
        return None
    new.setFormatter(_NoPatientData())
    _set_level(new, level)
    root.addHandler(new)
    return path


def shutdown() -> None:
    """Take the log away again; for tests, and for a program that embeds veinscan."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Handler)]:
        root.removeHandler(handler)
        handler.close()


def _set_level(handler: logging.Handler, level: str) -> None:
    handler.setLevel(level.upper())
    for name in _OWN:
        logging.getLogger(name).setLevel(level.upper())


def describe_exception(error: BaseException) -> str:
    """Types and places of an exception and its causes, without its text and without values."""
    lines: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        kind = type(current)
        lines.append(f"    {kind.__module__}.{kind.__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)
        for frame in frames[-40:]:
            lines.append(f"      {frame.filename}:{frame.lineno} in {frame.name}")  # noqa: PERF401
        if current.__cause__ is not None:
            current = current.__cause__
        else:
            current = None if current.__suppress_context__ else current.__context__
    return "\n".join(lines)


def log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Stand-in for `warnings.showwarning`: category and place go to the log, the text nowhere."""
    logging.getLogger("veinscan.warnings").info("%s at %s:%d", category.__name__, filename, lineno)


def route_warnings() -> None:
    """Send Python's warnings to the log; call it inside `warnings.catch_warnings()` to undo it."""
    warnings.showwarning = log_warning
