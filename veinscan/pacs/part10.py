"""The first bytes of an object's file: whether it is one, and which (PS3.10 section 7.1)."""

from __future__ import annotations

import io
from pathlib import Path

from pydicom.filereader import data_element_generator

from veinscan.dicom.guard import clean_uid
from veinscan.dicom.header import quiet

_HEAD_BYTES = 64 * 1024
"""The file meta information ends well before."""
_MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003


def read_head(path: Path) -> bytes:
    """The bytes that the other functions here look at.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with path.open("rb") as stream:
        return stream.read(_HEAD_BYTES)


def is_part10(head: bytes) -> bool:
    """Whether the preamble is followed by the DICOM prefix."""
    return head[128:132] == b"DICM"


def sop_instance_uid(head: bytes) -> str:
    """SOP Instance UID as the file meta information has it; '' where that cannot be read."""
    try:
        with quiet():
            for element in data_element_generator(
                io.BytesIO(head[132:]), False, True, stop_when=lambda tag, vr, length: tag.group != 2
            ):
                if element.tag == _MEDIA_STORAGE_SOP_INSTANCE_UID:
                    return clean_uid(bytes(element.value or b"").decode("ascii", "replace"))
    except Exception:  # whatever pydicom meets in hostile bytes
        return ""
    return ""


def looks_like_web_page(head: bytes) -> bool:
    """Whether an HTML page came in place of an object."""
    return head[:200].lstrip(b"\xef\xbb\xbf \t\r\n")[:15].lower().startswith((b"<!doctype html", b"<html"))
