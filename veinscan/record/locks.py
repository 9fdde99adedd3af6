"""A lock on a file that the system takes away with the process that holds it."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path


class FileLock:
    """Held from `take` to `release` or to the end of the process, whatever ends it."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> FileLock | None:
        """The lock, or None where another window of this or any process holds it.  OSError where neither."""
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            try:
                taken = _try_lock(handle)
                # between opening and locking, the one before us may have removed the name
                same = taken and path.exists() and os.path.samestat(os.fstat(handle), path.stat())
            except BaseException:
                os.close(handle)
                raise
            if same:
                return cls(path, handle)
            os.close(handle)
            if not taken:
                return None

    def release(self, *, remove: bool = False) -> None:
        """Let go; with `remove` the file goes first, so that nobody waits on a name that is gone."""
        if remove:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
        os.close(self._handle)


def _try_lock(handle: int) -> bool:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
