"""What a command hands back, and how it is printed: one JSON object, or plain text."""

from __future__ import annotations

import dataclasses
import json
import math
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from pathlib import PurePath
from typing import Any, TextIO

from veinscan.errors import InvalidInputError


class WrongCallError(InvalidInputError):
    """The words of the call are off (a malformed value of an option): exit code 2, not 1."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a command did: `data` is printed with `--json`, `text` without."""

    data: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    exit_code: int = 0


def plain(value: Any) -> Any:
    """A value as JSON knows it: NaN and infinity become None, arrays and tuples lists."""
    if value is None or (isinstance(value, (bool, str)) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # numpy arrays and scalars, without importing numpy here
        return plain(value.tolist())
    if isinstance(value, (Sequence, set, frozenset)):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def rounded(value: float | None, digits: int = 4) -> float | None:
    """A measured number without the digits nobody measured; None stays None, NaN becomes None."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def json_bytes(data: Mapping[str, Any]) -> bytes:
    """One JSON object on one line, in UTF-8; numbers are finite."""
    text = json.dumps(plain(data), ensure_ascii=False, allow_nan=False) + "\n"
    # A file name that is not UTF-8 holds lone surrogates; \udcxx is how JSON writes them.
    return text.encode("utf-8", errors="backslashreplace")


def print_json(data: Mapping[str, Any], stream: TextIO) -> None:
    """One JSON object in UTF-8, whatever encoding the stream was opened with."""
    raw = json_bytes(data)
    binary = getattr(stream, "buffer", None)
    if binary is None:
        stream.write(raw.decode("utf-8"))
    else:
        stream.flush()
        binary.write(raw)
    stream.flush()


def printable(text: str) -> str:
    """Text that cannot steer a terminal or hide its order: control and direction characters are escaped."""
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs") else c.encode("unicode_escape").decode()
        for c in text
    )


def print_text(text: str, stream: TextIO) -> None:
    """Plain text, each line made printable; an empty text prints nothing."""
    if text:
        for line in text.split("\n"):
            stream.write(printable(line).rstrip() + "\n")
        stream.flush()


def say(text: str) -> None:
    """A message to the person, on stderr."""
    print_text(text, sys.stderr)


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[int] = ()) -> str:
    """Aligned columns of text.

    Parameters
    ----------
    headers : sequence of str
    rows : sequence of sequences
        None prints as '-'.
    right : sequence of int
        Columns that stand to the right (numbers).
    """
    cells = [[printable("-" if c is None else str(c)) for c in row] for row in [headers, *rows]]
    widths = [max(_width(row[i]) for row in cells) for i in range(len(headers))]
    lines = []
    for row in cells:
        padded = []
        for i, cell in enumerate(row):
            gap = " " * (widths[i] - _width(cell))
            padded.append(gap + cell if i in right else cell + gap)
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def count(n: int, one: str, many: str | None = None) -> str:
    """'1 clip', '2 clips'."""
    return f"{n} {one if n == 1 else many or one + 's'}"
