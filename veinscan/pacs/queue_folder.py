"""The queue on the disk: for every object its bytes, a small file that says how far it is, and a lock.

An object is in the queue when its small file is there; that is written last,
whole or not at all.  Whoever changes an entry holds its lock, which the system
takes away with the process.  What is damaged is set aside in a folder of its
own and told; nothing is dropped.  Names are UIDs: no patient data.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from veinscan.errors import NotSavedError, RecordError
from veinscan.pacs.queue_entry import Sending, State, from_bytes, to_bytes
from veinscan.record.files import (
    alive,
    copy_new,
    host_mark,
    make_folder,
    read_all,
    replace_file,
    sha256_of,
    sweep,
    sync_folder,
    write_new,
)
from veinscan.record.locks import FileLock

RECEIPTS = 500
"""So many stored objects are remembered; of more the oldest are forgotten."""
_OBJECT, _STATE, _LOCK = ".dcm", ".json", ".lock"
_DAMAGED = "damaged"
_READ_BACK = "read-back"
_PATIENCE_S = 20.0
_LEFT_S = 2.0
_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Damaged:
    """Something in the queue that cannot be sent as it is."""

    path: Path
    """Where it lies now."""
    reason: str


class QueueFolder:
    """The files of a queue; several processes may use one folder at once."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self._known: dict[str, tuple[tuple[int, int, int], Sending]] = {}

    def object_of(self, sending: Sending) -> Path:
        """Where an object's bytes lie; gone when it is stored."""
        return self.path / f"{sending.key}{_OBJECT}"

    def read(self, key: str) -> Sending | None:
        """The entry of a key, None where there is none; RecordError where it is damaged."""
        try:
            found = from_bytes(read_all(self.path / f"{key}{_STATE}"))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RecordError(f"it cannot be read ({(error.strerror or 'unknown').lower()})") from error
        if found.key != key:
            raise RecordError("its name is that of another object")
        return found

    def _read_again(self, key: str) -> Sending | None:
        """As `read`, from memory where the file is the one that was read before: hundreds may be receipts."""
        try:
            info = (self.path / f"{key}{_STATE}").stat()
        except OSError:
            return None
        stamp = (info.st_ino, info.st_mtime_ns, info.st_size)
        known = self._known.get(key)
        if known is None or known[0] != stamp:
            found = self.read(key)
            if found is None:
                return None
            self._known[key] = known = (stamp, found)
        return known[1]

    def entries(self) -> tuple[Sending, ...]:
        """Every entry that can be read, in the order they were put in."""
        found = []
        for key in self._keys():
            # a damaged one is told by `clean` and `damaged`
            with contextlib.suppress(RecordError):
                one = self._read_again(key)
                if one is not None:
                    found.append(one)
        return tuple(sorted(found, key=lambda one: (one.added_at, one.sop_instance_uid)))

    def write(self, sending: Sending) -> Sending:
        """Put a state on the disk; the caller holds the lock.  NotSavedError where the disk does not take it.

        After a loss of power the state before may stand there again (until `flush`): the next try asks the
        archive first, so that costs a question and loses nothing.
        """
        replace_file(self.path / f"{sending.key}{_STATE}", to_bytes(sending), mode=0o600, flush_name=False)
        return sending

    def flush(self) -> None:
        """Make the names of what was put in durable.  NotSavedError where the disk fails."""
        try:
            sync_folder(self.path)
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise NotSavedError(
                f"the queue cannot be made durable ({reason})", where=str(self.path), do="look at the disk"
            ) from error

    def put(self, sending: Sending, source: Path | bytes) -> str:
        """Copy an object's bytes in and give their SHA-256; the caller holds the lock, and calls `flush`.

        An object that is there without an entry, or with other bytes than its
        entry says, is what a killed program left: it is replaced.
        """
        make_folder(self.path, private=True)
        target = self.object_of(sending)
        with contextlib.suppress(FileNotFoundError):
            target.unlink()
        try:
            if isinstance(source, Path):
                return copy_new(source, target, mode=0o600, flush_name=False)
            write_new(target, source, mode=0o600)
            return sha256_of(target)
        except NotSavedError:
            raise
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise NotSavedError(
                f"not queued: it cannot be read ({reason})", where=target.name, do="check the file"
            ) from error

    def whole(self, sending: Sending) -> bool:
        """Whether an object's bytes are those that were put in."""
        try:
            return sha256_of(self.object_of(sending)) == sending.sha256
        except OSError:
            return False

    def remove_object(self, sending: Sending) -> None:
        """Take the bytes of a stored object away; left ones go with the next sweep."""
        with contextlib.suppress(OSError):
            self.object_of(sending).unlink(missing_ok=True)

    def remove(self, sending: Sending) -> None:
        """Forget an entry: first its state, then its bytes; the caller holds the lock."""
        (self.path / f"{sending.key}{_STATE}").unlink(missing_ok=True)
        self.remove_object(sending)

    def try_lock(self, key: str) -> FileLock | None:
        """The lock of an entry, None where somebody else holds it."""
        make_folder(self.path, private=True)
        try:
            return FileLock.take(self.path / f"{key}{_LOCK}")
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise NotSavedError(
                f"the queue cannot be used ({reason})",
                where=str(self.path),
                do="check that the folder may be written to and that the disk has room",
            ) from error

    @contextmanager
    def locked(self, key: str, *, patience_s: float = _PATIENCE_S) -> Iterator[bool]:
        """Hold the lock of an entry, waiting a while for it; False where it is held all that time."""
        until = time.monotonic() + patience_s
        while (lock := self.try_lock(key)) is None and time.monotonic() < until:
            time.sleep(_POLL_S)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.release(remove=True)

    def set_aside(self, key: str, reason: str) -> Damaged:
        """Move what is damaged out of the way, with the reason beside it; the caller holds the lock."""
        folder = self.path / _DAMAGED
        make_folder(folder, private=True)
        name = f"{key}-{secrets.token_hex(4)}"
        moved = folder / f"{name}{_OBJECT}"
        for suffix in (_OBJECT, _STATE):
            with contextlib.suppress(FileNotFoundError):
                (self.path / f"{key}{suffix}").rename(folder / f"{name}{suffix}")
        replace_file(folder / f"{name}.reason", json.dumps({"reason": reason}).encode("ascii"), mode=0o600)
        return Damaged(moved if moved.exists() else moved.with_suffix(_STATE), reason)

    def damaged(self) -> tuple[Damaged, ...]:
        """What was set aside and still lies there."""
        found = []
        for path in sorted((self.path / _DAMAGED).glob("*.reason")):
            try:
                reason = str(json.loads(read_all(path))["reason"])
            except (OSError, ValueError, KeyError, TypeError):
                reason = "it was damaged"
            moved = path.with_suffix(_OBJECT)
            found.append(Damaged(moved if moved.exists() else path.with_suffix(_STATE), reason))
        return tuple(found)

    def forget_damaged(self) -> int:
        """Delete what was set aside; how much."""
        found = self.damaged()
        for one in found:
            for suffix in (_OBJECT, _STATE, ".reason"):
                one.path.with_suffix(suffix).unlink(missing_ok=True)
        return len(found)

    def clean(self) -> None:
        """Put right what killed programs left, set aside what is damaged, forget the oldest receipts."""
        if not self.path.is_dir():
            return
        sweep(self.path)
        for key in self._keys() | self._keys(_OBJECT):
            self._clean_one(key)
        stored = [one for one in self.entries() if one.state is State.STORED]
        stored.sort(key=lambda one: one.changed_at)
        for one in stored[:-RECEIPTS]:
            self._with_lock(one.key, partial(self._forget_receipt, one.key))
        self._clean_read_back()

    def left_locked(self) -> Iterator[Sending]:
        """Entries whose program ended while it held them, each under its lock; then the locks are gone."""
        for path in self.path.glob(f"*{_LOCK}"):
            key = path.name.removesuffix(_LOCK)
            lock = self.try_lock(key)
            if lock is None:
                continue
            try:
                with contextlib.suppress(RecordError, OSError):
                    entry = self.read(key)
                    # a younger one may be that of a program which was just about to take it
                    left = time.time() - path.stat().st_mtime > _LEFT_S
                    if left and entry is not None and entry.pending:
                        yield entry
            finally:
                lock.release(remove=True)

    @contextmanager
    def reading_back(self) -> Iterator[Path]:
        """A private folder for bytes that come back from an archive; it is gone afterwards."""
        folder = self.path / _READ_BACK / f"{host_mark()}-{os.getpid()}-{secrets.token_hex(4)}"
        make_folder(folder, private=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _clean_one(self, key: str) -> None:
        try:
            entry = self._read_again(key)
        except RecordError as error:
            reason = error.what
            self._with_lock(key, lambda: self._set_aside_if(key, reason))
            return
        done = entry is None or entry.state is State.STORED
        if done and (self.path / f"{key}{_OBJECT}").exists():
            # a copy that never became an entry, or the bytes of one that is done
            self._with_lock(key, lambda: self._drop_object(key))

    def _forget_receipt(self, key: str) -> None:
        with contextlib.suppress(RecordError):
            entry = self.read(key)
            if entry is not None and entry.state is State.STORED:
                self.remove(entry)

    def _set_aside_if(self, key: str, reason: str) -> None:
        try:
            self.read(key)
        except RecordError:
            self.set_aside(key, f"what is known of it is damaged: {reason}")

    def _drop_object(self, key: str) -> None:
        with contextlib.suppress(RecordError, OSError):
            entry = self.read(key)
            if entry is None or entry.state is State.STORED:
                (self.path / f"{key}{_OBJECT}").unlink(missing_ok=True)

    def _with_lock(self, key: str, act: Callable[[], object]) -> None:
        lock = self.try_lock(key)
        if lock is None:
            return
        try:
            act()
        finally:
            lock.release(remove=True)

    def _keys(self, suffix: str = _STATE) -> set[str]:
        try:
            return {path.name.removesuffix(suffix) for path in self.path.glob(f"*{suffix}")}
        except OSError:
            return set()

    def _clean_read_back(self) -> None:
        for folder in (self.path / _READ_BACK).glob("*-*-*"):
            host, pid, _ = folder.name.split("-")
            if host == host_mark() and pid.isdigit() and not alive(int(pid)):
                shutil.rmtree(folder, ignore_errors=True)
