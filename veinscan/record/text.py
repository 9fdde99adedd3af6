"""Texts and times in the form a DICOM value can hold, without losing a character.

An SR text (VR UT) holds graphic characters and a few controls, of which LF is
read everywhere (TAB is not), and trailing spaces are padding (PS3.5 section
6.2).  Anything else is escaped: `U+241B`, the code point in hexadecimal, `;`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from veinscan.errors import RecordError

ESCAPE = "\u241b"

_UNSAFE = re.compile(f"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff{ESCAPE}]|\\s+\\Z|\\A\\s+")
_ESCAPED = re.compile(f"{ESCAPE}([0-9a-f]*);")


def stored_text(text: str) -> str:
    """A text as VR UT holds it."""
    if not text:
        return f"{ESCAPE};"
    return _UNSAFE.sub(lambda found: "".join(f"{ESCAPE}{ord(char):x};" for char in found.group()), text)


def original_text(stored: str) -> str:
    """The text that `stored_text` was given."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)) if found.group(1) else "", stored)


def stored_name(name: str) -> str:
    """A person's name as VR PN holds it: at most 64 characters, no backslash, no '='.

    Readers that count bytes (dciodvfy) are met as well: 64 bytes of UTF-8.
    A name without components is a family name (PS3.5 section 6.2.1.1).
    """
    plain = "".join(
        " " if char in "\\=" or ord(char) < 32 or 0x7F <= ord(char) < 0xA0 else char for char in name
    )
    plain = plain.encode("utf-8", "replace").decode("utf-8")
    parts = [" ".join(part.split()) for part in plain.split("^")[:5]]
    stored = "^".join(parts).encode("utf-8")[:63].decode("utf-8", "ignore").rstrip("^ ") or "unknown"
    return stored if "^" in stored else f"{stored}^"


def shown_name(stored: str) -> str:
    """A VR PN for people to read: the alphabetic form, without empty components."""
    return stored.split("=", 1)[0].rstrip("^")


def stored_datetime(moment: datetime) -> str:
    """A moment as VR DT holds it, with its zone; one without a zone stays without."""
    offset = moment.utcoffset()
    text = f"{moment.year:04d}{moment:%m%d%H%M%S}"
    if moment.microsecond:
        text += f".{moment.microsecond:06d}"
    if offset is None:
        return text
    minutes = int(offset / timedelta(minutes=1))
    sign = "-" if minutes < 0 else "+"
    return f"{text}{sign}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"


_DT = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(\d\d))?")


def original_datetime(stored: str) -> datetime:
    """The moment that `stored_datetime` was given; raises RecordError for anything else."""
    found = _DT.fullmatch(stored.strip())
    if found is None:
        raise RecordError(f"{stored!r} is not a time of the form YYYYMMDDHHMMSS+ZZZZ")
    year, month, day, hour, minute, second = (int(text) for text in found.groups()[:6])
    zone = original_zone("".join(found.groups()[7:])) if found[8] else None
    try:
        return datetime(
            year, month, day, hour, minute, second, int((found[7] or "").ljust(6, "0")), tzinfo=zone
        )
    except ValueError as error:
        raise RecordError(f"{stored!r} is not a time: {error}") from None


def original_zone(stored: str) -> timezone:
    """The zone of an offset like +0100; raises RecordError for anything else."""
    found = re.fullmatch(r"([+-])(\d\d)([0-5]\d)", stored)
    if found is None or int(found[2]) > 14:
        raise RecordError(f"{stored!r} is not an offset from UTC")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset) if offset else UTC
