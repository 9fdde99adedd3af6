"""What untrusted input may cost, and the small checks that everything read passes through."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from veinscan.errors import UnreadableError, VeinscanError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Upper bounds on what one study may ask of the machine.

    Every bound lies far above what scanners write; a file beyond one is
    skipped with a sentence that names the bound and the value seen.
    """

    files: int = 200_000
    """Files looked at under one path."""
    folder_depth: int = 32
    """Folders within folders."""
    header_bytes: int = 64 * MIB
    """Bytes of one object before its pixels."""
    inflated_bytes: int = 512 * MIB
    """Bytes that one deflated object or one member of a zip may grow to."""
    zip_total_bytes: int = 64 * 1024 * MIB
    """Sum of the unpacked sizes of a zip's members."""
    zip_ratio: int = 1000
    """Unpacked to packed size of one zip member above 10 MiB."""
    frame_pixels: int = 64 * MIB
    """Rows x columns of one frame."""
    frames: int = 200_000
    """Frames of one clip."""
    fragments: int = 2_000_000
    """Fragments of one encapsulated clip."""
    frame_seconds: float = 3.0
    """Wall time that decoding one frame may take where the decoder can be ended (JPEG-LS)."""
    regions: int = 256
    """Regions of one clip (SequenceOfUltrasoundRegions)."""
    cache_bytes: int = 256 * MIB
    """Decoded frames kept in memory for all clips of one study together."""


DEFAULT_LIMITS = Limits()

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")


def clean_uid(value: object) -> str:
    """A UID without the padding that writers leave (NUL, spaces); '' where it is not a UID at all.

    PS3.5 section 9.1: digits and dots, at most 64 characters.  Leading zeros
    in a component break the rule but are met in real files and do no harm.
    """
    text = str(value or "").strip(" \0\t\r\n")
    return text if len(text) <= 64 and _UID.fullmatch(text) else ""


def plain(value: object, length: int = 80) -> str:
    """A value of a file for a message or a picture: one line, no control or direction characters."""
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = "".join(
            " " if c.isspace() else c
            for c in text
            if not unicodedata.category(c).startswith("C") or c.isspace()
        )
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 3] + "..."


@contextmanager
def only_veinscan_errors(
    what: str, *, where: str = "", error: type[VeinscanError] = UnreadableError
) -> Iterator[None]:
    """Turn whatever a parser or decoder raises on hostile bytes into one VeinscanError.

    Parsers meet such bytes with RecursionError, MemoryError, StopIteration,
    struct.error and anything else; none of them says anything to a person,
    and their texts may quote the file's contents, so only the type is kept.
    """
    try:
        yield
    except VeinscanError:
        raise
    except MemoryError as problem:
        raise error(f"{what}: it asks for more memory than there is", where=where) from problem
    except RecursionError as problem:
        raise error(f"{what}: its sequences are nested too deep", where=where) from problem
    except OSError as problem:
        raise error(f"{what}: {plain(problem.strerror or type(problem).__name__)}", where=where) from problem
    except Exception as problem:
        raise error(f"{what} ({type(problem).__name__})", where=where) from problem
