"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from veinscan.errors import NotSavedError


def write_whole(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that a reader sees the earlier file or the new one, never a part.

    Raises
    ------
    NotSavedError
        The folder is missing or read-only, the disk is full; what was there before is untouched.
    """
    scratch = path.with_name(f".veinscan-{secrets.token_hex(6)}.tmp")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(scratch, flags, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            scratch.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                scratch.unlink()
            raise
    except OSError as error:
        raise NotSavedError(
            f"it could not be written ({error.strerror or type(error).__name__})",
            where=str(path),
            do="check that the folder exists, that it may be written to and that the disk has room",
        ) from error
