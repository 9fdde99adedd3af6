"""Work off the window's thread that can be followed, cancelled and waited for.

napari's own workers swap Python's warning filters from their thread, which is
not safe, and cannot be joined one by one; a plain thread can.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, Qt, Signal  # type: ignore[attr-defined]  # qtpy renames Qt's own

from veinscan.errors import CancelledError


def nothing(*_: Any) -> None:
    """Take no notice of a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """Who is told what; all are called in the window's thread.

    Exactly one of `done`, `failed` and `cancelled` is called, unless the job was dropped.
    """

    done: Callable[[Any], None] = nothing
    failed: Callable[[Exception], None] = nothing
    cancelled: Callable[[], None] = nothing
    progress: Callable[[int, int], None] = nothing
    part: Callable[[Any], None] = nothing


class Job(QObject):
    """One piece of work in a thread of its own.

    `work(job)` runs there; it calls `job.report(done, total)` as it goes and
    `job.give(part)` for results that are ready early.  Both raise
    `CancelledError` once the person has cancelled.
    """

    _message = Signal(object)

    def __init__(self, work: Callable[[Job], Any], tell: Callbacks, *, patience_s: float = 10.0) -> None:
        """`patience_s`: how long the window waits for its end when it closes."""
        super().__init__()
        self.patience_s = patience_s
        self._work = work
        self._tell = tell
        self._stop = threading.Event()
        self._dropped = False
        self._told = False
        # the receiver is this object, which lives in the window's thread: messages are queued to it
        self._message.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name="veinscan-job", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to stop at its next report."""
        self._stop.set()

    def abandon(self) -> None:
        """Cancel, and go on at once: `cancelled` is told now, and whatever the thread still says is not.

        For work that waits for another computer: it ends when that answers, or in its time limit.
        """
        if not self._dropped and not self._told:
            self._stop.set()
            self._dropped = True
            self._tell.cancelled()

    def drop(self) -> bool:
        """Cancel, tell nobody any more, and wait for the thread; whether it ended in time."""
        self._dropped = True
        self._stop.set()
        self._thread.join(self.patience_s)
        return not self._thread.is_alive()

    @property
    def is_running(self) -> bool:
        """Whether its thread is alive."""
        return self._thread.is_alive()

    @property
    def is_heard(self) -> bool:
        """Whether how it ended was told, or is to be told to nobody."""
        return self._told or self._dropped

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    def report(self, done: int, total: int) -> None:
        """Say, from the work itself, how far it is.  Raises `CancelledError` when asked to stop."""
        self._raise_if_cancelled()
        self._message.emit((False, self._tell.progress, done, total))

    def give(self, part: object) -> None:
        """Hand over a result that is ready before the end.  Raises `CancelledError` when asked to stop."""
        self._raise_if_cancelled()
        self._message.emit((False, self._tell.part, part))

    def _raise_if_cancelled(self) -> None:
        if self._stop.is_set():
            raise CancelledError("stopped by the reader")

    def _run(self) -> None:
        message: tuple[Any, ...]
        try:
            message = (True, self._tell.done, self._work(self))
        except CancelledError:
            message = (True, self._tell.cancelled)
        except Exception as error:  # also faults of the program: the window must say so, not wait for ever
            message = (True, self._tell.failed, error)
        if not self._dropped:
            self._message.emit(message)

    def _deliver(self, message: tuple[Any, ...]) -> None:
        if not self._dropped:
            self._told, callback, *args = message
            callback(*args)


class Jobs:
    """The jobs of one window, so that closing it leaves none running."""

    def __init__(self) -> None:
        self._jobs: list[Job] = []

    def start(self, work: Callable[[Job], Any], tell: Callbacks, *, patience_s: float = 10.0) -> Job:
        """Start a job that this window owns; see `Job`."""
        # one that has ended and not been heard yet is kept: what it says would be lost with it
        self._jobs = [job for job in self._jobs if job.is_running or not job.is_heard]
        job = Job(work, tell, patience_s=patience_s)
        self._jobs.append(job)
        return job

    @property
    def running(self) -> int:
        """How many threads are alive."""
        return sum(job.is_running for job in self._jobs)

    def close(self) -> None:
        """Stop all and wait for them."""
        for job in self._jobs:
            job.cancel()
        for job in self._jobs:
            job.drop()
        self._jobs.clear()
