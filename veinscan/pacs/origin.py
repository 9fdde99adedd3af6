"""Where a study folder was pulled from: `veinscan/archive.json` in it.

It names the archive that a plan goes back to, and what was fetched, with sizes and checksums.  It
holds no patient data.  Whoever hands over a study folder may have written anything into the file:
it is read strictly, and no path is ever taken from it.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from veinscan import __version__
from veinscan.dicom.guard import clean_uid, plain
from veinscan.dicom.sources import ORIGIN_NOTE
from veinscan.record.files import make_folder, replace_file

_FORMAT = 1
_MAX_BYTES = 64 * 2**20
"""200,000 objects need less."""
_MAX_OBJECTS = 200_000
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PulledObject:
    """One object as it was fetched."""

    size: int
    """Bytes."""
    sha256: str
    """Of all its bytes, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a study folder came from."""

    archive: str
    """Name in the settings, or `AET@host:port`."""
    dimse: str = ""
    """`AET@host:port` where it was asked for over DIMSE; empty: as the settings say."""
    study_instance_uid: str
    pulled_at: datetime
    """When the pull that wrote last began; with a time zone."""
    complete: bool = False
    """Whether everything that the archive listed was fetched."""
    objects: Mapping[str, PulledObject] = field(default_factory=dict)
    """By SOP Instance UID."""
    veinscan: str = __version__
    """Version of the program that wrote it."""


def origin_path(study_root: Path) -> Path:
    """Where the origin of a study folder is kept, whether or not there is one."""
    return Path(study_root).joinpath(*ORIGIN_NOTE)


def origin_of(study_root: Path) -> Origin | None:
    """The archive that a study folder was pulled from; None for a folder that was not pulled.

    A file that cannot be used counts as none: `read_origin` says why.  Never raises.
    """
    return read_origin(study_root)[0]


def read_origin(study_root: Path) -> tuple[Origin | None, str]:
    """`(origin, '')`, or `(None, why the file cannot be used)`; `(None, '')` where there is no file."""
    path = origin_path(study_root)
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except OSError as error:
        return None, f"it cannot be read ({(error.strerror or 'unknown reason').lower()})"
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return None, "it is not a regular file"
        try:
            data = file.read(_MAX_BYTES + 1)
        except OSError as error:
            return None, f"it cannot be read ({(error.strerror or 'unknown reason').lower()})"
    if len(data) > _MAX_BYTES:
        return None, f"it is larger than {_MAX_BYTES} bytes"
    try:
        return _parsed(json.loads(data.decode("utf-8"), parse_constant=_no_constant)), ""
    except _UnusableError as problem:
        return None, str(problem)
    except (ValueError, RecursionError, MemoryError):
        return None, "it is not JSON"


def write_origin(study_root: Path, origin: Origin) -> None:
    """Write it whole or not at all, in place of an earlier one.  Raises NotSavedError."""
    path = origin_path(study_root)
    make_folder(path.parent)
    content = {
        "format": _FORMAT,
        "veinscan": origin.veinscan,
        "archive": origin.archive,
        "dimse": origin.dimse,
        "study_instance_uid": origin.study_instance_uid,
        "pulled_at": origin.pulled_at.isoformat(timespec="seconds"),
        "complete": origin.complete,
        "objects": {uid: {"size": o.size, "sha256": o.sha256} for uid, o in sorted(origin.objects.items())},
    }
    replace_file(path, json.dumps(content, indent=1).encode() + b"\n")


class _UnusableError(Exception):
    """With the reason, in words that quote nothing of the file."""


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _parsed(content: Any) -> Origin:
    if not isinstance(content, dict):
        raise _UnusableError("it is not what veinscan writes")
    version = content.get("format")
    if isinstance(version, int) and version > _FORMAT:
        raise _UnusableError("a newer veinscan wrote it")
    if version != _FORMAT or isinstance(version, bool):
        raise _UnusableError("it is not what veinscan writes")
    study = _text(content, "study_instance_uid", 64)
    if clean_uid(study) != study or not study:
        raise _UnusableError("its study_instance_uid is no UID")
    archive = _text(content, "archive", 300)
    if not archive:
        raise _UnusableError("it names no archive")
    try:
        pulled_at = datetime.fromisoformat(_text(content, "pulled_at", 64))
    except ValueError:
        raise _UnusableError("its pulled_at is no time") from None
    if pulled_at.tzinfo is None:
        raise _UnusableError("its pulled_at has no time zone")
    return Origin(
        archive=archive,
        dimse=_text(content, "dimse", 300),
        study_instance_uid=study,
        pulled_at=pulled_at,
        complete=content.get("complete") is True,
        objects=_objects(content.get("objects")),
        veinscan=_text(content, "veinscan", 64),
    )


def _text(content: dict[str, Any], key: str, longest: int) -> str:
    value = content.get(key)
    if not isinstance(value, str) or len(value) > longest or plain(value, longest) != value:
        raise _UnusableError(f"its {key} is not one line of text")
    return value


def _objects(content: Any) -> dict[str, PulledObject]:
    if not isinstance(content, dict) or len(content) > _MAX_OBJECTS:
        raise _UnusableError("its objects are not a list by UID")
    out = {}
    for uid, item in content.items():
        size = item.get("size") if isinstance(item, dict) else None
        digest = item.get("sha256") if isinstance(item, dict) else None
        if (
            clean_uid(uid) != uid
            or not uid
            or not isinstance(size, int)
            or isinstance(size, bool)
            or not 0 < size < 2**63
            or not isinstance(digest, str)
            or not _SHA256.fullmatch(digest)
        ):
            raise _UnusableError("one of its objects has no UID, size or checksum")
        out[uid] = PulledObject(size, digest)
    return out
