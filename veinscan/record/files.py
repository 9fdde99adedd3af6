"""Writing a file so that it is whole or not there, and reading it back before anybody says 'saved'.

The order of things is that of safe replacement on POSIX: a temporary file in
the same folder, fsync, a name given without replacing anything, fsync of the
folder.  A failed fsync means not saved; nothing is ever retried on the same
file, since the pages may be gone.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import socket
import stat
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from veinscan.errors import NotSavedError

TEMPORARY = re.compile(r"\.veinscan-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[0-9a-f]{8}\.tmp")
"""Names of temporary files: machine, process, chance."""
_STALE_S = 24 * 3600.0
"""A temporary file of another machine is left over when it is older than this."""
_PIECE = 2**20
_NOT_WRITABLE = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_LINKS = {
    errno.EPERM,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOSYS,
    errno.EMLINK,
    errno.EXDEV,
    errno.EACCES,
}


class NotWritableError(NotSavedError):
    """The folder does not let us write at all: another place may."""


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """Put a new file on the disk, whole, durable and read back, or leave no trace.

    Parameters
    ----------
    path : Path
        Must not exist; its folder must.
    data : bytes
    mode : int
        Permission bits of the file.

    Raises
    ------
    NotWritableError
        When the folder is read-only or forbidden.
    NotSavedError
        When anything else failed; the sentence says what.
    """
    _put(path, (data,), mode, lambda: read_all(path) == data)


def copy_new(source: Path, path: Path, *, mode: int, flush_name: bool = True) -> str:
    """As `write_new`, of the bytes of another file, which may be larger than memory; their SHA-256.

    Without `flush_name` the name is durable after the next `sync_folder`.
    Raises OSError where the source cannot be read, and as `write_new`.
    """
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        while piece := stream.read(_PIECE):
            digest.update(piece)
            yield piece

    with source.open("rb") as stream:
        _put(path, pieces(), mode, lambda: sha256_of(path) == digest.hexdigest(), flush_name=flush_name)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Checksum of a file, as hexadecimal digits; OSError where it cannot be read."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _put(
    path: Path,
    pieces: Iterable[bytes],
    mode: int,
    reads_back: Callable[[], bool],
    *,
    flush_name: bool = True,
) -> None:
    folder = path.parent
    temporary = folder / _temporary_name()
    step = "writing"
    try:
        handle = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode | stat.S_IWUSR
        )
    except OSError as error:
        kind = NotWritableError if error.errno in _NOT_WRITABLE else NotSavedError
        raise kind(f"not saved: {_why(error)}", where=str(folder), do=_cure(error)) from error
    named = False
    try:
        try:
            for piece in pieces:
                view = memoryview(piece)
                while view:
                    view = view[os.write(handle, view) :]
            with contextlib.suppress(OSError):
                # the umask took bits away that the folder's other files have; a share may refuse: then not
                os.fchmod(handle, mode)
            step = "flushing"
            os.fsync(handle)
        finally:
            os.close(handle)
        step = "naming"
        _name(temporary, path)
        named = True
        step = "flushing the folder of"
        if flush_name:
            sync_folder(folder)
        step = "reading back"
        if not reads_back():
            raise NotSavedError(
                "not saved: what was read back differs from what was written", where=str(path)
            )
    except BaseException as error:
        _remove(temporary)
        left = named and not _remove(path)
        if not isinstance(error, OSError):
            raise
        where = str(path) if left else str(folder)
        rest = " (a file that may be damaged is left there)" if left else ""
        raise NotSavedError(
            f"not saved: {step} the file failed, {_why(error)}{rest}", where=where, do=_cure(error)
        ) from error
    _remove(temporary)


def replace_file(path: Path, data: bytes, *, mode: int = 0o666, flush_name: bool = True) -> None:
    """Write a file whole or not at all and durably; an earlier one of that name is replaced.

    For what a person named (an export) and for notes that change; a record is never replaced.
    `mode` are the permission bits, less what the umask takes away.  Without `flush_name` the earlier
    file may come back after a loss of power, until the next `sync_folder`.  Raises NotSavedError.
    """
    temporary = path.parent / _temporary_name()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        if flush_name:
            sync_folder(path.parent)
    except OSError as error:
        _remove(temporary)
        raise NotSavedError(f"not written: {_why(error)}", where=str(path), do=_cure(error)) from error


def keep_file(temporary: Path, path: Path) -> None:
    """Give a file that lies written beside its place its name: whole, whatever happens, or not there.

    For what comes as a file and is too large to be copied.  Both must be on one disk; `path` must not exist.
    Its bytes are durable at once, its name after the next `sync_folder`: many files need one for all.
    Raises NotSavedError; `temporary` is then left to the caller.
    """
    step = "flushing"
    try:
        handle = os.open(temporary, os.O_RDWR | getattr(os, "O_BINARY", 0))
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        step = "naming"
        _name(temporary, path)
    except OSError as error:
        raise NotSavedError(
            f"not saved: {step} the file failed, {_why(error)}", where=str(path.parent), do=_cure(error)
        ) from error
    _remove(temporary)


def make_folder(folder: Path, *, private: bool = False) -> None:
    """Make a folder (and, for a private one, those above it) that lets in whom its parent lets in.

    Raises NotWritableError and NotSavedError like `write_new`.
    """
    if folder.is_dir():
        return
    try:
        if private:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            folder.mkdir(exist_ok=True)
            with contextlib.suppress(OSError):
                folder.chmod(stat.S_IMODE(folder.parent.stat().st_mode))
        sync_folder(folder.parent)
    except OSError as error:
        kind = NotWritableError if error.errno in _NOT_WRITABLE else NotSavedError
        raise kind(
            f"not saved: the folder cannot be made, {_why(error)}", where=str(folder), do=_cure(error)
        ) from error


def mode_of_folder(folder: Path, like: Path | None = None) -> int:
    """Permission bits for a new file: those of the folder's files, else of `like`, else the umask's."""
    with contextlib.suppress(OSError):
        for entry in sorted(folder.iterdir()):
            if entry.suffix == ".dcm" and entry.is_file():
                return stat.S_IMODE(entry.stat().st_mode) & 0o666
    if like is not None:
        with contextlib.suppress(OSError):
            return stat.S_IMODE(like.stat().st_mode) & 0o666
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def read_all(path: Path) -> bytes:
    """Every byte of a regular file."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the system has a way to."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        os.fsync(handle)
    except OSError as error:
        # some network shares cannot flush a folder; that is not a failed write
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def sweep(folder: Path) -> int:
    """Remove temporary files that a killed process of ours left behind; how many."""
    removed = 0
    with contextlib.suppress(OSError):
        for entry in folder.iterdir():
            found = TEMPORARY.fullmatch(entry.name)
            if found is None:
                continue
            orphan = found["host"] == host_mark() and not alive(int(found["pid"]))
            if orphan or time.time() - entry.stat().st_mtime > _STALE_S:
                removed += _remove(entry)
    return removed


def _name(temporary: Path, path: Path) -> None:
    """Give the file its name without ever replacing another."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # No hard links here (FAT, some shares).  The name is a UID made a moment ago: nobody else makes it.
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, "the name is taken", str(path)) from None
        temporary.rename(path)


def _temporary_name() -> str:
    return f".veinscan-{host_mark()}-{os.getpid()}-{secrets.token_hex(4)}.tmp"


def host_mark() -> str:
    """Tells the temporary files of this machine from those of others on a shared folder."""
    return f"{zlib.crc32(socket.gethostname().encode('utf-8', 'replace')):08x}"


def alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(path: Path) -> bool:
    """Whether the file is gone."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _why(error: OSError) -> str:
    return (error.strerror or str(error) or "unknown reason").lower()


def _cure(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "make room on the disk and save again"
    if error.errno in _NOT_WRITABLE:
        return "ask for the right to write there"
    return "save again, or choose another disk; your edits are still here"
