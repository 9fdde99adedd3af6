"""One object's header: everything before its pixels, and where those lie.

Only as much of a file is read as the header needs.  Parsing is pydicom's; what
is added here are bounds (a length field cannot make it allocate or read beyond
the file) and the plain reason when a file is not a whole DICOM object.
"""

from __future__ import annotations

import io
import logging
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pydicom
from pydicom.dataset import FileDataset

from veinscan.dicom.guard import Limits, clean_uid, only_veinscan_errors, plain
from veinscan.dicom.sources import Bytes, MemoryBytes, inflate
from veinscan.errors import UnreadableError

DEFLATED = "1.2.840.10008.1.2.1.99"
_EXPLICIT = "1.2.840.10008.1.2.1"
_WINDOWS = (64 * 1024, 1024 * 1024, 16 * 1024 * 1024)
_UNDEFINED = 0xFFFFFFFF
_LONG_VRS = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"UN"}

_OTHER_FORMATS = (
    (b"PK\x03\x04", 0, "a zip (open it by itself)"),
    (b"\xff\xd8\xff", 0, "a JPEG picture"),
    (b"\x89PNG", 0, "a PNG picture"),
    (b"BM", 0, "a BMP picture"),
    (b"%PDF", 0, "a PDF"),
    (b"RIFF", 0, "an AVI or WAV file"),
    (b"ftyp", 4, "an MP4 or QuickTime video"),
)
"""(mark, its place, what it is): exports that people keep beside a study."""

_PROGRAMS = ((b"MZ", "Windows"), (b"\x7fELF", "Linux"), (b"#!", "script"), (b"\xcf\xfa\xed\xfe", "macOS"))
"""Beginnings of programs: the 128 free bytes of a DICOM file can hold one (CVE-2019-11687)."""

_PARSING = threading.RLock()
_PYDICOM_LOG = logging.getLogger("pydicom")


_REPAIRS = (
    ("Character Set", "its character set has a wrong or unknown spelling; names may be read wrongly"),
    ("encoding", "its character set has a wrong or unknown spelling; names may be read wrongly"),
    ("delimiter", "a sequence has no end mark; it was read to where the next part begins"),
    ("undefined length", "a part of undefined length was not closed"),
)
"""What pydicom reports, by a word in it, and the sentence for it: its own may quote patient data."""


def named_repairs(reports: list[str]) -> list[str]:
    """Sentences for reports of pydicom, without any value of the file."""
    found = [sentence for report in reports for word, sentence in _REPAIRS if word in report and sentence]
    return list(dict.fromkeys(found))


@contextmanager
def quiet() -> Iterator[list[str]]:
    """Collect what pydicom reports on parsing or converting values, instead of printing it.

    Its reports are Python warnings and log entries and may quote values of the
    file; catching them swaps filters of the whole process, hence the lock.
    """
    found: list[str] = []
    with _PARSING, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        silent, _PYDICOM_LOG.disabled = _PYDICOM_LOG.disabled, True
        try:
            yield found
        finally:
            _PYDICOM_LOG.disabled = silent
            found.extend(plain(w.message, 200) for w in caught)


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixel data of an object lie."""

    offset: int
    """Of the value's first byte."""
    length: int | None
    """None for encapsulated pixel data (undefined length)."""
    little_endian: bool
    swapped_pairs: bool = False
    """Whether bytes come in exchanged pairs: 16-bit words (OW) in big endian (PS3.5 section 7.3)."""


@dataclass(slots=True)
class Header:
    """A parsed header.

    `source` are the bytes that offsets count in: the file itself, or what a
    deflated one inflates to.
    """

    dataset: FileDataset
    transfer_syntax: str
    source: Bytes
    pixels: PixelElement | None
    end: int
    """Offset of the first byte that is not header."""
    warnings: list[str] = field(default_factory=list)


def read_header(source: Bytes, limits: Limits) -> Header:
    """Parse the header of one object.

    Raises UnreadableError with the reason where it is not a DICOM object, is
    damaged, or asks for more than `limits` allow.
    """
    if source.size == 0:
        raise UnreadableError("empty file (0 bytes)", where=source.name)
    first = source.read(0, min(_WINDOWS[0], source.size))
    start = _with_preamble(first, source.name)
    bare = len(start) - len(first)  # bytes added in front
    syntax, meta_end = _transfer_syntax(start)
    if syntax == DEFLATED:
        source, bare = _inflated(source, meta_end, limits), 0
        first = source.read(0, _WINDOWS[0])
    header = _parse(source, first, bare, syntax, limits)
    header.warnings.extend(
        f"its preamble begins like a program ({system}); it is not passed on"
        for mark, system in _PROGRAMS
        if start.startswith(mark) and not bare
    )
    return header


def _with_preamble(start: bytes, name: str) -> bytes:
    if start[128:132] == b"DICM":
        if len(start) == 132:
            raise UnreadableError("not a DICOM object: nothing follows the DICOM mark", where=name)
        return start
    # Old writers left out the preamble: the object then begins with group 0002 or 0008, little endian.
    if len(start) >= 16 and start[:2] in (b"\x02\x00", b"\x08\x00") and start[3] == 0 and start[2] < 0x20:
        return b"\0" * 128 + b"DICM" + start
    for mark, at, what in _OTHER_FORMATS:
        if start[at : at + len(mark)] == mark:
            raise UnreadableError(f"{what}, not a DICOM file", where=name)
    raise UnreadableError("not a DICOM file (no DICOM mark at byte 128)", where=name)


def _transfer_syntax(start: bytes) -> tuple[str, int]:
    """(Transfer Syntax UID, end of group 0002) of the file meta information (PS3.10 7.1)."""
    position, found = 132, ""
    while position + 8 <= len(start) and start[position : position + 2] == b"\x02\x00":
        element, vr = struct.unpack_from("<H", start, position + 2)[0], start[position + 4 : position + 6]
        if vr in _LONG_VRS:
            (length,) = struct.unpack_from("<I", start.ljust(position + 12, b"\0"), position + 8)
            value = position + 12
        else:
            (length,) = struct.unpack_from("<H", start, position + 6)
            value = position + 8
        if element == 0x0010:
            found = clean_uid(start[value : value + length].decode("ascii", "replace"))
        position = value + length
    return found, position


def _inflated(source: Bytes, meta_end: int, limits: Limits) -> MemoryBytes:
    raw = source.read(0, source.size)
    body = inflate(raw[meta_end:], limits.inflated_bytes, source.name)
    syntax = struct.pack("<HH2sH", 2, 0x10, b"UI", len(_EXPLICIT) + 1) + _EXPLICIT.encode() + b"\0"
    return MemoryBytes(raw[:132] + syntax + body, source.name, source.path)


def _parse(source: Bytes, first: bytes, bare: int, syntax: str, limits: Limits) -> Header:
    name = source.name
    prefix = b"\0" * 128 + b"DICM" if bare else b""
    sizes = [w for w in _WINDOWS if w < min(source.size, limits.header_bytes)]
    sizes.append(min(source.size, limits.header_bytes))
    for size in sizes:
        last = size == sizes[-1]
        window = prefix + (first[:size] if size <= len(first) else source.read(0, size))
        stream = io.BytesIO(window)
        try:
            with quiet() as reports, only_veinscan_errors("its header is damaged", where=name):
                dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=bool(prefix))
        except UnreadableError:
            if last:
                raise
            continue
        end = stream.tell()
        if end + 12 < len(window) or last:
            break
    repairs = named_repairs(reports)
    if bare:
        repairs.append("the file has no DICOM preamble; it was read without")
    if end >= len(window) and size < source.size:
        raise UnreadableError(f"its header is longer than {limits.header_bytes} bytes", where=name)
    pixels = _pixel_element(dataset, window, end, len(prefix))
    return Header(dataset, syntax or _guessed(dataset), source, pixels, end - len(prefix), repairs)


def _guessed(dataset: FileDataset) -> str:
    """The default transfer syntax that the header was read with, where none is named."""
    implicit, little = dataset.original_encoding
    return "1.2.840.10008.1.2" if implicit else _EXPLICIT if little else "1.2.840.10008.1.2.2"


def _pixel_element(dataset: FileDataset, window: bytes, end: int, shift: int) -> PixelElement | None:
    implicit, little = dataset.original_encoding
    order = "<" if little else ">"
    head = window[end : end + 12]
    if len(head) < 8 or struct.unpack_from(order + "HH", head) != (0x7FE0, 0x0010):
        return None
    if implicit:
        (length,), value = struct.unpack_from(order + "I", head, 4), 8
    elif head[4:6] in _LONG_VRS:
        if len(head) < 12:
            return None
        (length,), value = struct.unpack_from(order + "I", head, 8), 12
    else:
        (length,), value = struct.unpack_from(order + "H", head, 6), 8
    swapped = not little and head[4:6] == b"OW"
    return PixelElement(end - shift + value, None if length == _UNDEFINED else length, bool(little), swapped)


def cleaned(dataset: Any) -> pydicom.Dataset:
    """A copy with only the elements whose values can be read, so that nothing raises later.

    Pixels and file-private parts are left out.
    """
    out = pydicom.Dataset()
    with quiet():
        for tag in list(dataset.keys()):
            if tag.group in (0x7FE0, 0xFFFC) or tag.group % 2:
                continue
            try:
                element = dataset[tag]
                if element.VR == "SQ":
                    element = pydicom.DataElement(
                        tag, "SQ", [cleaned_item(item, 1) for item in element.value]
                    )
                else:
                    str(element.value)
                out[tag] = element
            except Exception:  # noqa: S112 - an element that cannot be read is left out, that is the point
                continue
    return out


def cleaned_item(dataset: Any, depth: int) -> pydicom.Dataset:
    """An item of a sequence, cleaned like `cleaned`; nesting beyond 16 is cut off."""
    out = pydicom.Dataset()
    for tag in list(dataset.keys()):
        try:
            element = dataset[tag]
            if element.VR == "SQ":
                if depth >= 16:
                    continue
                element = pydicom.DataElement(
                    tag, "SQ", [cleaned_item(item, depth + 1) for item in element.value]
                )
            else:
                str(element.value)
            out[tag] = element
        except Exception:  # noqa: S112
            continue
    return out
