"""The draft: every edit on the disk before the screen shows it as recorded, undo and redo across restarts.

One SQLite file for each window that edits a study, in the user's data
directory (SQLite is not safe on network shares), under the study's UID and
readable by its user alone.  `synchronous=FULL` and the rollback journal make
an edit durable when `record` returns.  It holds states of the record, each
as what it changed (`draft_states`), and no patient name.

A window holds a lock beside its file, which the system takes away with the
process.  A file whose lock is free was left behind: `pending_drafts` finds it,
`Draft.resume` takes it over.  A file without an edit is never made.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from veinscan.errors import RecordError, VeinscanError
from veinscan.plan.model import Record
from veinscan.plan.normal import normalised
from veinscan.record.draft_states import TABLES, StateWriter, read_states
from veinscan.record.locks import FileLock
from veinscan.record.store import StudyLike, study_folder
from veinscan.record.table import SCHEMA

_SUFFIX = ".draft"


class DraftError(RecordError):
    """An edit is not on the disk, or a draft cannot be read.  The window says that the draft is not kept."""


@dataclass(frozen=True, slots=True)
class PendingDraft:
    """Edits that a program left behind that is not running any more."""

    path: Path
    edits: int
    """Steps between what it started from and what was on the screen."""
    last_edit_at: datetime
    label: str
    """Of the last edit."""
    based_on: tuple[str, ...]
    """Heads of the record it started from."""


class Draft:
    """The edits of one window since the last save.

    >>> draft = Draft.start(study, load_record(study))           # doctest: +SKIP
    >>> draft.record(add_target(draft.current, target), "add a target")  # doctest: +SKIP
    >>> draft.undo()                                             # doctest: +SKIP
    """

    def __init__(self, path: Path, study_instance_uid: str, states: list[Record], labels: list[str]) -> None:
        self._path = path
        self._study = study_instance_uid
        self._states = states
        self._labels = labels
        self._place = len(states) - 1
        self._connection: sqlite3.Connection | None = None
        self._lock: FileLock | None = None
        self._writer = StateWriter()

    @classmethod
    def start(cls, study: StudyLike, record: Record) -> Draft:
        """A draft that begins at a record; nothing is written before the first edit."""
        path = _folder(study) / f"{secrets.token_hex(8)}{_SUFFIX}"
        draft = cls(path, study.study_instance_uid, [normalised(record)], [""])
        draft._writer = _prepared(draft.current)
        return draft

    @classmethod
    def resume(cls, study: StudyLike, pending: PendingDraft) -> Draft:
        """Take over what another program left behind, with its undo and redo.

        Raises DraftError where the file cannot be read, or somebody else has taken it.
        """
        with _errors(pending.path, "cannot be read"):
            lock = FileLock.take(_lock_path(pending.path))
            if lock is None or not pending.path.exists():
                raise DraftError("another window has taken the draft", where=str(pending.path))
            try:
                connection = _connect(pending.path)
                writer = StateWriter()
                try:
                    _check(connection, study.study_instance_uid)
                    states, labels, place = read_states(connection, writer)
                except BaseException:
                    connection.close()
                    raise
            except BaseException:
                lock.release()
                raise
        draft = cls(pending.path, study.study_instance_uid, states, labels)
        draft._place, draft._connection, draft._lock, draft._writer = place, connection, lock, writer
        return draft

    @property
    def path(self) -> Path:
        """Where the draft is kept; the file is there from the first edit on."""
        return self._path

    @property
    def current(self) -> Record:
        """The record as it stands."""
        return self._states[self._place]

    @property
    def base(self) -> Record:
        """The record that the edits began from."""
        return self._states[0]

    @property
    def edits(self) -> int:
        """How many steps `current` is from `base`."""
        return self._place

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back; None where there is nothing."""
        return self._labels[self._place] if self._place > 0 else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would bring back; None where there is nothing."""
        return self._labels[self._place + 1] if self._place + 1 < len(self._states) else None

    @property
    def is_empty(self) -> bool:
        """Whether the record stands where the draft began."""
        return self._place == 0

    def record(self, record: Record, label: str) -> Record:
        """Put an edit on the disk; when this returns, a crash does not lose it.

        What was undone before can no longer be redone.  Raises DraftError when
        the edit could not be written: the draft then stands where it stood.
        """
        record = normalised(record)
        with self._transaction() as connection:
            number = self._place + 1
            connection.execute("DELETE FROM state WHERE number >= ?", (number,))
            self._writer.write(connection, number, label, record, self.current)
            connection.execute("UPDATE place SET number = ?", (number,))
        del self._states[number:], self._labels[number:]
        self._states.append(record)
        self._labels.append(label)
        self._place = number
        return record

    def undo(self) -> Record:
        """One step back; the record as it stands then (the same where there is nothing to undo)."""
        return self._go(self._place - 1)

    def redo(self) -> Record:
        """One step forward again."""
        return self._go(self._place + 1)

    def saved(self, record: Record) -> None:
        """After a save: the draft is empty and begins at the saved record, undo included.

        Raises DraftError when the file could not be removed (the save stands).
        """
        self._states, self._labels, self._place = [record], [""], 0
        self._writer = _prepared(record)
        self.discard()

    def discard(self) -> None:
        """Forget the edits: remove the file.  Raises DraftError where that fails."""
        self._disconnect()
        with _errors(self._path, "cannot be removed"):
            _remove(self._path)
        self.close()
        del self._states[1:], self._labels[1:]
        self._place = 0

    def close(self) -> None:
        """Let go of the file and leave it: `pending_drafts` offers it when this program has ended."""
        self._disconnect()
        if self._lock is not None:
            self._lock.release(remove=not self._path.exists())
            self._lock = None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _go(self, place: int) -> Record:
        if 0 <= place < len(self._states) and place != self._place:
            with self._transaction() as connection:
                connection.execute("UPDATE place SET number = ?", (place,))
            self._place = place
        return self.current

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with _errors(self._path, "cannot be written: the edit is not kept there"):
            try:
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
                self._writer.committed()
            except BaseException:
                # a failed write may leave the connection in any state: the next edit opens the file anew
                self._writer.forget()
                self._disconnect()
                raise

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            if self._path.exists():
                return self._connection
            # somebody removed the file: what is written there is nowhere; all of it is written anew
            self.close()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = FileLock.take(_lock_path(self._path))
            if self._lock is None:
                raise DraftError("another window has taken the draft", where=str(self._path))
        if not self._path.exists():
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = _connect(self._path)
        try:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'place'").fetchone():
                connection.execute("BEGIN IMMEDIATE")
                for statement in TABLES.split(";"):
                    connection.execute(statement)
                connection.execute("INSERT INTO about VALUES (?, ?)", (SCHEMA, self._study))
                self._writer.forget_all()
                before = None
                for number, (record, label) in enumerate(zip(self._states, self._labels, strict=True)):
                    self._writer.write(connection, number, label, record, before)
                    before = record
                connection.execute("INSERT INTO place VALUES (?)", (self._place,))
                connection.execute("COMMIT")
                self._writer.committed()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection


def pending_drafts(study: StudyLike) -> tuple[PendingDraft, ...]:
    """Drafts of a study whose window is gone, the latest first.

    Raises DraftError, naming the file, for one that cannot be read: edits
    that are there are never taken for none.
    """
    found = []
    folder = _folder(study)
    _sweep_locks(folder)
    for path in sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else ():
        with _errors(path, "cannot be read"):
            lock = FileLock.take(_lock_path(path))
            if lock is None:
                continue
            try:
                pending = _pending(path, study.study_instance_uid) if path.stat().st_size else None
                if pending is None:
                    # killed before the first edit was in it
                    _remove(path)
                else:
                    found.append(pending)
            finally:
                lock.release(remove=not path.exists())
    return tuple(sorted(found, key=lambda draft: draft.last_edit_at, reverse=True))


def _sweep_locks(folder: Path) -> None:
    """Locks of programs that were killed before they had a file, or after they had removed it."""
    for path in sorted(folder.glob("*.lock")) if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            lock = None if path.with_suffix(_SUFFIX).exists() else FileLock.take(path)
            if lock is not None:
                lock.release(remove=not path.with_suffix(_SUFFIX).exists())


def _pending(path: Path, study_instance_uid: str) -> PendingDraft | None:
    connection = _connect(path)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'place'").fetchone():
            return None
        _check(connection, study_instance_uid)
        (place,) = connection.execute("SELECT number FROM place").fetchone()
        (last,) = connection.execute("SELECT max(number) FROM state").fetchone()
        if last == 0:
            return None
        label, made_at = connection.execute(
            "SELECT label, made_at FROM state WHERE number = ?", (last,)
        ).fetchone()
        (first,) = connection.execute("SELECT content FROM state WHERE number = 0").fetchone()
        return PendingDraft(
            path, place, datetime.fromisoformat(made_at), label, tuple(json.loads(first)["heads"])
        )
    finally:
        connection.close()


def _prepared(record: Record) -> StateWriter:
    writer = StateWriter()
    writer.prepare(record)
    return writer


def _folder(study: StudyLike) -> Path:
    return study_folder(study.study_instance_uid, "drafts")


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-journal"):
        path.with_name(name).unlink(missing_ok=True)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


@contextlib.contextmanager
def _errors(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        reason = str(getattr(error, "strerror", None) or error).lower()
        raise DraftError(
            f"the draft {what} ({reason})", where=str(path), do="save the record now, and look after the disk"
        ) from error
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, VeinscanError):
            raise
        raise DraftError(
            f"the draft {what}: it is damaged ({type(error).__name__})",
            where=str(path),
            do="move the file away to start without it",
        ) from error


def _check(connection: sqlite3.Connection, study_instance_uid: str) -> None:
    schema, study = connection.execute("SELECT schema, study FROM about").fetchone()
    if schema > SCHEMA or study != study_instance_uid:
        reason = "a newer veinscan" if schema > SCHEMA else "another study"
        raise DraftError(f"the draft is of {reason}", do="open it with that")
