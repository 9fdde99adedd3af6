"""Where bytes come from: the files of a folder, one file, or the members of a zip.

Nothing is ever unpacked to disk, links are not followed out of the folder,
and only regular files are opened (a FIFO would block for ever).
"""

from __future__ import annotations

import os
import stat
import threading
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from veinscan.dicom.guard import MIB, Limits, only_veinscan_errors, plain
from veinscan.dicom.model import Skipped
from veinscan.errors import UnreadableError

ARRIVALS = ".veinscan-pull"
"""Folder in a study into which objects of an archive come; it is there while some of them are missing."""
ORIGIN_NOTE = ("veinscan", "archive.json")
"""Folder and name of veinscan's note of the archive that a study was pulled from."""


class Bytes:
    """Random access to the bytes of one object."""

    name: str
    """Relative to the study, with `/`."""
    path: Path
    """The file that holds them (for a member of a zip: the zip)."""
    size: int

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end.

        Raises UnreadableError where the file has changed or gone since it was found.
        """
        raise NotImplementedError

    def at_hand(self) -> AbstractContextManager[None]:
        """Keep the bytes within reach for several reads by one thread, as when a header is looked at."""
        return nullcontext()


class FileBytes(Bytes):
    """A regular file.  Opened for every read: a study may hold more files than a process may keep open."""

    _handle: int | None = None

    def __init__(self, path: Path, name: str, info: os.stat_result) -> None:
        self.path = path
        self.name = name
        self.size = info.st_size
        self._stamp = (info.st_size, info.st_mtime_ns)

    def read(self, offset: int, length: int) -> bytes:
        """See `Bytes.read`."""
        with only_veinscan_errors("the file cannot be read", where=self.name):
            held = self._handle
            handle = self._opened() if held is None else held
            try:
                return _read_at(handle, offset, max(0, min(length, self.size - offset)))
            finally:
                if held is None:
                    os.close(handle)

    @contextmanager
    def at_hand(self) -> Iterator[None]:
        """See `Bytes.at_hand`: one opening instead of five, each a round trip on a network share."""
        with only_veinscan_errors("the file cannot be read", where=self.name):
            self._handle = self._opened()
        try:
            yield
        finally:
            os.close(self._handle)
            self._handle = None

    def _opened(self) -> int:
        # O_NONBLOCK: the name may have become a FIFO since it was looked at
        handle = os.open(self.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or (info.st_size, info.st_mtime_ns) != self._stamp:
            os.close(handle)
            raise UnreadableError(
                "the file has changed since the study was opened", where=self.name, do="open the study again"
            )
        return handle


def _read_at(handle: int, offset: int, length: int) -> bytes:
    os.lseek(handle, offset, os.SEEK_SET)
    parts = []
    while length > 0:
        part = os.read(handle, length)
        if not part:
            break
        parts.append(part)
        length -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class MemoryBytes(Bytes):
    """Bytes that are already in memory."""

    def __init__(self, data: bytes, name: str, path: Path) -> None:
        self._data = data
        self.name = name
        self.path = path
        self.size = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """See `Bytes.read`."""
        return self._data[offset : offset + max(0, length)]


class ZipMember(Bytes):
    """A member of a zip, unpacked into memory when it is read; the last few stay unpacked."""

    def __init__(self, archive: ZipSource, info: zipfile.ZipInfo, name: str) -> None:
        self._archive = archive
        self._info = info
        self.name = name
        self.path = archive.path
        self.size = info.file_size

    def read(self, offset: int, length: int) -> bytes:
        """See `Bytes.read`."""
        return self._archive.unpacked(self._info, self.name, offset, length)


class FolderSource:
    """All regular files under a folder, in a stable order."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root
        self.path = root
        self.expected = 0
        self.skipped: list[Skipped] = []
        self._limits = limits

    def entries(self) -> Iterator[Bytes]:
        """The files, by name; what cannot be one is noted in `skipped`."""
        count = 0
        root = self.root.resolve()
        for folder, names, files in os.walk(self.root, onerror=self._no_folder):
            here = Path(folder)
            names.sort()
            if len(here.relative_to(self.root).parts) >= self._limits.folder_depth:
                self._skip(
                    here, f"folders are nested deeper than {self._limits.folder_depth}: not looked into"
                )
                names.clear()
            for name in [n for n in names if (here / n).is_symlink()]:
                names.remove(name)
                self._skip(here / name, "a link to a folder: not followed")
            if ARRIVALS in names:
                names.remove(ARRIVALS)
                self._skip(
                    here / ARRIVALS,
                    "the study was not pulled whole from its archive: objects are missing; pull it again",
                )
            for name in sorted(files):
                if (here.name, name) == ORIGIN_NOTE:
                    continue
                count += 1
                if count > self._limits.files:
                    self._skip(
                        here / name, f"more than {self._limits.files} files: the rest is not looked at"
                    )
                    return
                entry = self._entry(here / name, root)
                if entry is not None:
                    yield entry

    def _entry(self, path: Path, root: Path) -> FileBytes | None:
        try:
            info = path.lstat()
            if stat.S_ISLNK(info.st_mode):
                if not path.resolve().is_relative_to(root):
                    self._skip(path, "a link that leads out of the folder: not followed")
                    return None
                info = path.stat()
        except (OSError, RuntimeError):
            self._skip(path, "cannot be looked at (a broken link, or no permission)")
            return None
        if not stat.S_ISREG(info.st_mode):
            self._skip(path, "not a regular file (a pipe, socket or device): never opened")
            return None
        return FileBytes(path, self._name(path), info)

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped.append(Skipped(self._name(path), reason))

    def _no_folder(self, problem: OSError) -> None:
        if problem.filename is not None and Path(problem.filename) != self.root:
            self._skip(Path(problem.filename), f"the folder cannot be read: {plain(problem.strerror)}")
        else:
            raise UnreadableError(
                f"the folder cannot be read: {plain(problem.strerror)}",
                where=self.root.name,
                do="check that you have read permission",
            ) from problem


class SingleFileSource:
    """One file; records lie in the folder beside it."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.root = path.parent
        self.expected = 1
        self.skipped: list[Skipped] = []

    def entries(self) -> Iterator[Bytes]:
        """The file, where it is a regular one."""
        with only_veinscan_errors("the file cannot be looked at", where=self.path.name):
            info = self.path.stat()
        if not stat.S_ISREG(info.st_mode):
            self.skipped.append(
                Skipped(self.path.name, "not a regular file (a pipe, socket or device): never opened")
            )
            return
        yield FileBytes(self.path, self.path.name, info)


class ZipSource:
    """The members of a zip; records lie in the folder beside it."""

    _KEPT = 2

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path = path
        self.root = path.parent
        self.expected = 0  # members, known once the zip is open
        self.skipped: list[Skipped] = []
        self._limits = limits
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._open: zipfile.ZipFile | None = None  # while the members are gone through
        with only_veinscan_errors("the zip cannot be looked at", where=path.name):
            info = path.stat()
        self._stamp = (info.st_size, info.st_mtime_ns)

    def entries(self) -> Iterator[Bytes]:
        """The members, by name; what may not be unpacked is noted in `skipped`."""
        with only_veinscan_errors("not a readable zip", where=self.path.name):
            archive = zipfile.ZipFile(self.path)
        with archive:
            self._open = archive
            try:
                yield from self._members(archive)
            finally:
                self._open = None

    def _members(self, archive: zipfile.ZipFile) -> Iterator[Bytes]:
        total = 0
        self.expected = sum(not info.is_dir() for info in archive.infolist())
        for count, info in enumerate(sorted(archive.infolist(), key=lambda i: i.filename)):
            if info.is_dir():
                continue
            name = plain(info.filename.replace("\\", "/"), 500)
            if count >= self._limits.files:
                self.skipped.append(
                    Skipped(name, f"more than {self._limits.files} files: the rest is not looked at")
                )
                return
            reason = self._refusal(info, name, total)
            if reason:
                self.skipped.append(Skipped(name, reason))
                continue
            total += info.file_size
            yield ZipMember(self, info, name)

    def _refusal(self, info: zipfile.ZipInfo, name: str, total: int) -> str:
        limits = self._limits
        if name.startswith("/") or ".." in name.split("/") or ":" in name.split("/")[0]:
            return "its name leads out of the zip: refused"
        if info.flag_bits & 0x1:
            return "encrypted: unpack the zip with its password first"
        if info.file_size > limits.inflated_bytes:
            return f"unpacks to more than {limits.inflated_bytes} bytes: unpack the zip and open the folder"
        if info.file_size > 10 * MIB and info.file_size > limits.zip_ratio * max(info.compress_size, 1):
            return f"packed more than {limits.zip_ratio} to 1: refused as a decompression bomb"
        if total + info.file_size > limits.zip_total_bytes:
            return f"the zip unpacks to more than {limits.zip_total_bytes} bytes: refused"
        return ""

    def unpacked(self, info: zipfile.ZipInfo, name: str, offset: int, length: int) -> bytes:
        """`length` bytes of a member from `offset`; never more than its declared size is unpacked."""
        with self._lock, only_veinscan_errors("the zip's member cannot be unpacked", where=name):
            data = self._kept.get(info.filename)
            if data is None:
                now = self.path.stat()
                if (now.st_size, now.st_mtime_ns) != self._stamp:
                    raise UnreadableError(
                        "the zip has changed since the study was opened",
                        where=name,
                        do="open the study again",
                    )
                with (
                    nullcontext(self._open) if self._open else zipfile.ZipFile(self.path) as archive,
                    archive.open(info) as member,
                ):
                    if offset == 0 and length < info.file_size // 4:
                        return member.read(length)
                    data = member.read(info.file_size)
                self._kept[info.filename] = data
                while len(self._kept) > self._KEPT:
                    self._kept.popitem(last=False)
            else:
                self._kept.move_to_end(info.filename)
            return data[offset : offset + max(0, length)]


Source = FolderSource | SingleFileSource | ZipSource


def inflate(data: bytes, limit: int, name: str) -> bytes:
    """The bytes of a raw deflate stream (PS3.5 A.5), at most `limit` of them.

    Raises UnreadableError beyond the limit: a few MB can hold gigabytes.
    """
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    with only_veinscan_errors("its deflated part is damaged", where=name):
        out = engine.decompress(data, limit + 1)
    if len(out) > limit:
        raise UnreadableError(
            f"it inflates to more than {limit} bytes: refused as a decompression bomb", where=name
        )
    return out
