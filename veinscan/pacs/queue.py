"""What is to go into an archive: kept until it is shown to be there.

An object's bytes are copied and flushed before `add` returns.  Each is
'waiting', then 'sent' when the archive said yes, then 'stored' when a query
found it and its bytes, read back, say the same; or 'refused' for good.  Before
every try a query asks whether it is there already: a lost answer sends nothing
twice, and a program that is killed at any moment loses nothing.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from veinscan.errors import InvalidInputError, NotSavedError, RecordError
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.queue_entry import Chance, Clock, Sending, State, chance, clock, key_of
from veinscan.pacs.queue_facts import Facts, check_whole, facts_of
from veinscan.pacs.queue_folder import Damaged, QueueFolder
from veinscan.pacs.queue_order import batches
from veinscan.pacs.queue_try import Attempt, Tools
from veinscan.record.files import sha256_of
from veinscan.record.locks import FileLock
from veinscan.settings import data_dir

FOLDER = "pacs-queue"

Progress = Callable[[int, int, Sending], None]
"""(done, total, the object that changed)."""


class Connect(Protocol):
    """Opens an archive, as `veinscan.pacs.connect.connect` does."""

    def __call__(self, name: str | None, *, dimse: str | None = None) -> Archive:
        """By its name in the settings or by 'AET@host:port'; VeinscanError where it cannot be opened."""
        ...


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one pass over the queue did."""

    tried: tuple[Sending, ...]
    """Every object that was due, as it is now."""
    busy: int
    """Objects that another process was sending."""
    damaged: tuple[Damaged, ...]
    """What cannot be sent and lies set aside, from this pass and from earlier ones."""
    next_try: datetime | None
    """When the next object of the whole queue is due; None where nothing is left."""
    stopped: bool = False

    @property
    def stored(self) -> tuple[Sending, ...]:
        """Shown to be in the archive."""
        return tuple(one for one in self.tried if one.state is State.STORED)

    @property
    def refused(self) -> tuple[Sending, ...]:
        """Not to be tried again as they are."""
        return tuple(one for one in self.tried if one.state is State.REFUSED)

    @property
    def unsent(self) -> tuple[Sending, ...]:
        """To be tried again."""
        return tuple(one for one in self.tried if one.pending)


class SendQueue:
    """Objects on their way into archives, in a private folder of the user."""

    def __init__(self, folder: Path | None = None, *, clock: Clock = clock, chance: Chance = chance) -> None:
        self._folder = QueueFolder(folder or data_dir() / FOLDER)
        self._clock = clock
        self._chance = chance

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self._folder.path

    def add(
        self,
        archive_name: str,
        dimse: str | None,
        path_or_bytes: Path | bytes,
        *,
        note: str = "",
        deidentified_study: bool = False,
        flush: bool = True,
    ) -> Sending:
        """Put a Part 10 file in: it is on the disk, flushed and read back when this returns.

        The same object twice is one entry.  One that was stored or refused
        before is asked for and, where it is not there, sent again.  Without
        `flush` it is durable after the next `flush()`: many objects need one.

        Raises
        ------
        InvalidInputError
            It is no DICOM file with the UIDs it needs, or another object with its UID was put in before.
        NotSavedError
            It could not be made durable: nothing was put in.
        """
        name, other = archive_name or "", dimse or ""
        facts, digest = _looked_at(path_or_bytes)
        key = key_of(name, other, facts.sop_instance_uid)
        known = self._known(key, held=False)
        # nothing to wait for where another program is sending it just now
        waits = {"patience_s": 0.0} if known is not None and known.pending else {}
        with self._folder.locked(key, **waits) as held:
            known = self._known(key, held=held)
            if known is not None and known.sha256 != digest:
                raise InvalidInputError(
                    f"another object with its UID {facts.sop_instance_uid} is in the queue or was sent",
                    do="an object that changed needs a UID of its own; see `veinscan pacs queue`",
                )
            if known is not None and (known.pending or not held):
                return known
            if not held:
                raise NotSavedError(
                    "not queued: another program holds the object",
                    where=str(self.folder),
                    do="wait until it is done and try again",
                )
            at = self._clock()
            entry = Sending(
                sop_instance_uid=facts.sop_instance_uid,
                study_instance_uid=facts.study_instance_uid,
                series_instance_uid=facts.series_instance_uid,
                sop_class_uid=facts.sop_class_uid,
                archive=name,
                dimse=other,
                kind=facts.kind,
                after=facts.after,
                sha256=digest,
                note=note,
                deidentified_study=deidentified_study,
                added_at=at,
                changed_at=at,
            )
            if self._folder.put(entry, path_or_bytes) != digest:
                self._folder.remove_object(entry)
                raise NotSavedError(
                    "not queued: the file changed while it was copied",
                    do="try again when nobody writes to it",
                )
            size = self._folder.object_of(entry).stat().st_size
            entry = self._folder.write(replace(entry, size=size))
        if flush:
            self.flush()
        return entry

    def flush(self) -> None:
        """Make everything durable that was put in.  Raises NotSavedError."""
        if self.folder.is_dir():
            self._folder.flush()

    def all(self) -> tuple[Sending, ...]:
        """Every object, in the order they were put in; stored ones are receipts."""
        return self._folder.entries()

    def pending(self) -> tuple[Sending, ...]:
        """What is not shown to be in its archive yet."""
        return tuple(one for one in self._folder.entries() if one.pending)

    def damaged(self) -> tuple[Damaged, ...]:
        """What was found damaged and set aside: to be looked at, and sent again from where it came."""
        self._folder.clean()
        return self._folder.damaged()

    def forget_damaged(self) -> int:
        """Delete what was set aside; how much."""
        return self._folder.forget_damaged()

    def run(
        self,
        connect: Connect | None = None,
        *,
        now: bool = False,
        stop: Stop | None = None,
        progress: Progress | None = None,
        only: Collection[str] | None = None,
    ) -> RunResult:
        """One pass over what is due.

        Parameters
        ----------
        connect : callable, optional
            Opens an archive by name and `dimse`; `veinscan.pacs.connect.connect` by default.
        now : bool
            Try everything that is pending, whatever its wait.
        stop : callable, optional
            True ends the pass after the piece of work at hand; what was not done stays in the queue.
        progress : callable, optional
            Told after each object.
        only : collection of str, optional
            Keys (`Sending.key`) to keep to.

        Raises
        ------
        NotSavedError
            The disk does not take the state of an object.
        """
        self._folder.clean()
        at = self._clock()
        for one in self._folder.left_locked():
            # a program that died over an object does not come back to it at once
            died = replace(one, tries=one.tries + 1)
            self._folder.write(died.later("the program ended while it was sent", at, chance=self._chance()))
        keys = None if only is None else set(only)
        wanted = [one for one in self.pending() if keys is None or one.key in keys]
        due = [one for one in wanted if now or one.due(at)]
        tools = Tools(self._folder, connect or _connect, self._clock, self._chance, stop or _never)
        attempt = Attempt(tools)
        tried: dict[str, Sending] = {}
        busy = 0

        def tell(one: Sending) -> None:
            tried[one.key] = one
            if progress is not None:
                progress(len(tried), len(due), one)

        with attempt:
            for batch in batches(due):
                if attempt.stopped:
                    break
                busy += self._try(batch, attempt, tell)
        waits = [one.next_try or at for one in self.pending()]
        return RunResult(
            tried=tuple(tried[one.key] for one in due if one.key in tried),
            busy=busy,
            damaged=self._folder.damaged(),
            next_try=min(waits, default=None),
            stopped=attempt.stopped,
        )

    def forget(self, uid: str) -> int:
        """Remove the refused or stored entries of a SOP Instance UID; how many.

        Raises InvalidInputError where one is still to be sent, or none is there.
        """
        return self._each(uid, self._folder.remove, (State.REFUSED, State.STORED), "forgotten")

    def again(self, uid: str) -> int:
        """Put the refused entries of a SOP Instance UID back to be sent; how many.  Raises as `forget`."""

        def waiting(one: Sending) -> None:
            at = self._clock()
            self._folder.write(
                replace(one, state=State.WAITING, tries=0, unseen=0, reason="", next_try=None, changed_at=at)
            )

        return self._each(uid, waiting, (State.REFUSED,), "sent again")

    def _each(self, uid: str, act: Callable[[Sending], object], states: Sequence[State], what: str) -> int:
        found = [one for one in self._folder.entries() if one.sop_instance_uid == uid]
        if not found:
            raise InvalidInputError(f"there is no object {uid[:64]} in the queue", do="list the queue")
        done = 0
        for one in found:
            with self._folder.locked(one.key) as held:
                current = self._folder.read(one.key)
                if held and current is not None and current.state in states:
                    act(current)
                    done += 1
        if not done:
            raise InvalidInputError(
                f"the object {uid[:64]} is {found[0].state}: it cannot be {what}",
                do="wait until it is refused or stored",
            )
        return done

    def _known(self, key: str, *, held: bool) -> Sending | None:
        """The entry of a key; what is damaged goes out of the way of a new one."""
        try:
            known = self._folder.read(key)
        except RecordError as error:
            if held:
                self._folder.set_aside(key, f"what is known of it is damaged: {error.what}")
            return None
        if known is not None and known.pending and held and not self._folder.whole(known):
            self._folder.set_aside(key, "its bytes are not those that were put in")
            return None
        return known

    def _try(self, batch: Sequence[Sending], attempt: Attempt, tell: Callable[[Sending], None]) -> int:
        locks: list[FileLock] = []
        mine: list[Sending] = []
        busy = 0
        try:
            for one in batch:
                lock = self._folder.try_lock(one.key)
                if lock is None:
                    busy += 1
                    continue
                locks.append(lock)
                try:
                    current = self._folder.read(one.key)
                except RecordError:
                    continue  # the next `clean` sets it aside
                if current is None:
                    continue
                if not current.pending or current.changed_at != one.changed_at:
                    # another process tried it since it was looked at
                    tell(current)
                elif not self._folder.whole(current):
                    self._folder.set_aside(current.key, "its bytes are not those that were put in")
                else:
                    mine.append(current)
            if mine:
                attempt.send(mine, tell)
        finally:
            for lock in locks:
                lock.release(remove=True)
        return busy


def _looked_at(source: Path | bytes) -> tuple[Facts, str]:
    """What the header says, and the checksum; InvalidInputError as `facts_of`."""
    if isinstance(source, Path):
        facts = facts_of(source)
        try:
            check_whole(source, source.stat().st_size)
            return facts, sha256_of(source)
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise InvalidInputError(f"it cannot be read ({reason})", where=source.name) from error
    facts = facts_of(io.BytesIO(source))
    check_whole(io.BytesIO(source), len(source))
    return facts, hashlib.sha256(source).hexdigest()


def _never() -> bool:
    return False


def _connect(name: str | None, *, dimse: str | None = None) -> Archive:
    from veinscan.pacs.connect import connect

    return connect(name or None, dimse=dimse or None)
