"""Works off the queue of what is to go into an archive, beside the window, as long as the window is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_veinscan import pacs_calls
from napari_veinscan.background import Callbacks, Job

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.pacs.queue_entry import Sending

TICK_MS = 10_000
"""How often the words on a wait are brought up to date."""
LOOK_S = 60.0
"""How often the queue is looked at while something waits: another program may have sent it."""


class Sender:
    """One pass over the queue at a time; `bench.part(Sender)`.

    What is in the queue is on the disk: whenever this ends, the next window goes on with it.
    """

    changed = Signal()
    """Something in the queue is another than before, or the words on a wait are."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self.entries: tuple[Sending, ...] = ()
        """The queue as it was last seen, with the receipts of what is stored."""
        self.is_known = not pacs_calls.queue_folder().is_dir()
        """Whether the queue was looked at since the window was opened."""
        self._job: Job | None = None
        self._again = False
        self._due = QTimer(bench.window)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self.run)
        self._tick = QTimer(bench.window)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self.changed.emit)
        self._is_closed = False
        if not self.is_known:
            self._due.start(0)

    @property
    def is_sending(self) -> bool:
        """Whether a pass runs."""
        return self._job is not None

    @property
    def unsent(self) -> tuple[Sending, ...]:
        """What is on its way."""
        return tuple(one for one in self.entries if one.pending)

    def run(self, *, now: bool = False) -> None:
        """Work off what is due; with `now` all that waits.  Asked for again while it runs, it runs again."""
        if self._is_closed:
            return
        if self._job is not None:
            self._again = True
            return

        def work(job: Job) -> tuple[Sending, ...]:
            queue = pacs_calls.queue()
            entries: tuple[Sending, ...] = queue.all()
            if not any(one.pending for one in entries):
                return entries

            def progress(_done: int, _total: int, _one: Sending) -> None:
                if not job.is_cancelled:
                    job.give(queue.all())

            if not job.is_cancelled:
                job.give(entries)
            queue.run(pacs_calls.connect, now=now, stop=lambda: job.is_cancelled, progress=progress)
            entries = queue.all()
            return entries  # noqa: RET504  # typed

        self._start(work)

    def do(self, act: Callable[[Any], object]) -> None:
        """Change the queue (`act(queue)`) off the window's thread, and work it off."""

        def work(_job: Job) -> tuple[Sending, ...]:
            queue = pacs_calls.queue()
            act(queue)
            entries: tuple[Sending, ...] = queue.all()
            return entries

        self._bench.jobs.start(work, Callbacks(done=self._changed_by_hand, failed=self._bench.warn))

    def _changed_by_hand(self, entries: tuple[Sending, ...]) -> None:
        self._take(entries)
        self.run()

    def _start(self, work: Callable[[Job], tuple[Sending, ...]]) -> None:
        self._due.stop()
        self._job = self._bench.jobs.start(
            work,
            Callbacks(
                done=self._ended, failed=self._failed, cancelled=lambda: self._ended(None), part=self._take
            ),
            patience_s=pacs_calls.PATIENCE_S,
        )
        self.changed.emit()

    def _take(self, entries: Sequence[Sending]) -> None:
        self.entries, self.is_known = tuple(entries), True
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self._bench.warn(error)
        self._ended(None)

    def _ended(self, entries: tuple[Sending, ...] | None) -> None:
        self._job = None
        if entries is not None:
            self.entries, self.is_known = entries, True
        if self._is_closed:
            return
        self._plan()
        self.changed.emit()

    def _plan(self) -> None:
        """When the next pass is due."""
        again, self._again = self._again, False
        waiting = self.unsent
        if again:
            self._due.start(0)
        elif waiting:
            now = datetime.now(UTC)
            waits = [(one.next_try - now).total_seconds() if one.next_try else 0.0 for one in waiting]
            # at least a second: what another program holds would be asked for without end
            self._due.start(round(1000 * min(max(1.0, min(waits)), LOOK_S)))
        (self._tick.start if waiting else self._tick.stop)()

    def close(self) -> None:
        """Stop; what is not sent stays in the queue."""
        self._is_closed = True
        self._due.stop()
        self._tick.stop()
