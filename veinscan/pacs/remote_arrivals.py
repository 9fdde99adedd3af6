"""Files of a study that come in the background while it is looked at."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from veinscan.errors import CancelledError, PacsError, UnreadableError, VeinscanError
from veinscan.pacs.archive import Archive
from veinscan.pacs.landing import Landing
from veinscan.pacs.model import InstanceRow
from veinscan.pacs.pull import FailedObject, Progress, PulledStudy, pulled_study
from veinscan.pacs.remote_frames import Traffic

WORKERS = 2
"""Files under way at once."""
TICK_S = 0.5
FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0
FIRST_LOOK_S = 1.0
"""The files wait so long for the first picture to be asked for."""
_COURTESY_S = 5.0
"""A file begins at the latest so long after a frame was asked for."""

_LOG = logging.getLogger(__name__)


class Arrivals:
    """Fetches what is missing of a study, the clip that is looked at first.  Thread-safe.

    Parameters
    ----------
    archive : Archive
    landing : Landing
        Closed by `close`, or when everything has come.
    rows : sequence of InstanceRow
        The study, as listed.
    room : callable, optional
        Called with the bytes fetched so far after each file; raises NotSavedError where no more fits.
    progress, clip_ready, finished : callable, optional
        As for `open_remote`; called in one background thread.
    """

    def __init__(
        self,
        archive: Archive,
        landing: Landing,
        rows: Sequence[InstanceRow],
        *,
        room: Callable[[int], None] | None = None,
        progress: Progress | None = None,
        clip_ready: Callable[[int], None] | None = None,
        finished: Callable[[], None] | None = None,
    ) -> None:
        self.traffic = Traffic()
        self.error: VeinscanError | None = None
        self.problem = ""
        self.result: PulledStudy | None = None
        self._archive = archive
        self._landing = landing
        self._rows = {row.sop_instance_uid: row for row in rows}
        self._room = room
        self._progress = progress
        self._clip_ready = clip_ready
        self._finished = finished
        self._changed = threading.Condition()
        self._ended = threading.Event()
        self._over = threading.Event()
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._at_work = 0
        self._files: dict[str, Path] = {}
        self._failed: dict[str, FailedObject] = {}
        self._coming: set[str] = set()
        self._order: list[str] = []
        self._came: dict[str, Callable[[Path], None]] = {}
        self._clips: dict[str, int] = {}
        self._fetched = 0
        self._bytes = 0
        self._notes: list[str] = []
        for sop, row in self._rows.items():
            try:
                path = landing.has(row)
            except PacsError as problem:
                self._failed[sop] = FailedObject(sop, str(problem))
                continue
            if path is None:
                self._order.append(sop)
            else:
                self._files[sop] = path

    @property
    def files(self) -> Mapping[str, Path]:
        """What is here, by SOP Instance UID."""
        with self._changed:
            return dict(self._files)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, one sentence each."""
        with self._changed:
            notes = tuple(self._notes)
        return notes if self.result is None else (*notes, *self.result.notes)

    @property
    def is_over(self) -> bool:
        """Whether nothing is to come."""
        return self._over.is_set()

    def is_ended(self) -> bool:
        """Whether `close` was called."""
        return self._ended.is_set()

    def is_here(self, sop: str) -> bool:
        """Whether an object's file is here."""
        with self._changed:
            return sop in self._files

    def on_arrival(self, row: InstanceRow, came: Callable[[Path], None]) -> None:
        """Call `came` in the fetching thread when the object's file is here; it may raise UnreadableError."""
        self._came[row.sop_instance_uid] = came

    def prefer(self, sop: str) -> None:
        """Fetch an object next."""
        with self._changed:
            if sop in self._order:
                self._order.remove(sop)
                self._order.insert(0, sop)

    def begin(self, clips: Sequence[str]) -> None:
        """Fetch the rest in the background; `clips` are the SOP Instance UIDs of the study's clips."""
        self._clips = {sop: index for index, sop in enumerate(clips)}
        with self._changed:
            # what is looked at comes first, in its order
            self._order.sort(key=lambda sop: self._clips.get(sop, len(clips)))
        self._at_work = WORKERS
        names = [
            ("veinscan-remote", self._call),
            *((f"veinscan-remote-{n}", self._work) for n in range(WORKERS)),
        ]
        self._threads = [threading.Thread(target=work, name=name, daemon=True) for name, work in names]
        for thread in self._threads:
            thread.start()

    def bring(self, row: InstanceRow) -> Path:
        """Fetch an object now, or wait for it where it is on its way; its file.

        Raises PacsError, NotSavedError, CancelledError.
        """
        sop = row.sop_instance_uid
        with self._changed:
            self._changed.wait_for(lambda: sop not in self._coming or self._ended.is_set())
            if sop in self._files:
                return self._files[sop]
            if self._ended.is_set():
                raise CancelledError("the study was closed while it was coming", where=sop)
            self._coming.add(sop)
            if sop in self._order:
                self._order.remove(sop)
        try:
            path = self._fetch(row)
        except BaseException as problem:
            with self._changed:
                self._coming.discard(sop)
                if isinstance(problem, PacsError) and not problem.temporary:
                    self._failed[sop] = FailedObject(sop, str(problem))
                elif sop not in self._order:
                    self._order.append(sop)  # the others first
                self._changed.notify_all()
            raise
        size = self._landing.size_of(sop)
        with self._changed:
            self._files[sop] = path
            self._failed.pop(sop, None)
            self._fetched += 1
            self._bytes += size
        self._change_over(sop, path)
        with self._changed:
            self._coming.discard(sop)
            self._changed.notify_all()
        return path

    def wait(self, timeout_s: float | None) -> bool:
        """Wait until nothing is to come; whether that is so."""
        return self._over.wait(timeout_s)

    def close(self) -> None:
        """End what is on its way and let go of the folder.  Raises NotSavedError as `Landing.close`."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._landing.close(complete=False)

    def _fetch(self, row: InstanceRow) -> Path:
        path: Path | None = None
        for fetched in self._archive.fetch([row], self._landing.arrivals, stop=self._ended.is_set):
            if fetched.path is None:
                raise fetched.error or PacsError("the archive does not send the object")
            path = self._landing.settle(row, fetched.path)
        if path is None:
            raise PacsError("the archive lists the object and does not send it", where=row.sop_instance_uid)
        return path

    def _change_over(self, sop: str, path: Path) -> None:
        came = self._came.get(sop)
        try:
            if came is not None:
                came(path)
        except UnreadableError as problem:
            with self._changed:
                self._notes.append(str(problem))
            return
        if came is not None and self._clip_ready is not None and sop in self._clips:
            index, clip_ready = self._clips[sop], self._clip_ready
            self._calls.put(lambda: clip_ready(index))

    def _work(self) -> None:
        failures = 0
        try:
            if self._clips:
                self.traffic.wait_for_first(FIRST_LOOK_S)
            while (row := self._next()) is not None and self.error is None:
                self.traffic.wait_for_frames(_COURTESY_S)
                try:
                    self.bring(row)
                    if self._room is not None:
                        self._room(self._bytes)
                except CancelledError:
                    return
                except PacsError as problem:
                    if problem.temporary:
                        self.problem = str(problem)
                        self._ended.wait(min(_LONGEST_WAIT_S, FIRST_WAIT_S * 2**failures))
                        failures += 1
                except VeinscanError as problem:
                    self.error = problem  # no room: no other file would find any
                else:
                    failures = 0
                    self.problem = ""
        finally:
            with self._changed:
                self._at_work -= 1
                last = self._at_work == 0
            if last:
                self._finish()

    def _next(self) -> InstanceRow | None:
        """What to fetch next; waits for what others are fetching, since that may come back."""
        with self._changed:
            while not self._ended.is_set():
                if self._order:
                    return self._rows[self._order.pop(0)]
                if not self._coming:
                    return None
                self._changed.wait(TICK_S)
            return None

    def _finish(self) -> None:
        try:
            if not self._ended.is_set():
                self.result = pulled_study(
                    self._landing,
                    tuple(self._rows.values()),
                    self._files,
                    self._failed,
                    fetched=self._fetched,
                    size=self._bytes,
                )
            complete = len(self._files) == len(self._rows)
            self._landing.close(complete=complete)
        except VeinscanError as problem:
            self.error = problem
        finally:
            self._over.set()
            if self._finished is not None and not self._ended.is_set():
                self._calls.put(self._finished)
            self._calls.put(None)

    def _call(self) -> None:
        """All callbacks, one after the other."""
        told = (-1, -1, -1)
        while True:
            try:
                call = self._calls.get(timeout=TICK_S)
            except queue.Empty:
                call = _nothing
            if self._progress is not None:
                with self._changed:
                    done, size = len(self._files) + len(self._failed), self._bytes
                now = (done, len(self._rows), size + self._landing.arriving_bytes())
                if now != told:
                    told = now
                    self._safely(self._progress, *now)
            if call is None:
                return
            self._safely(call)

    def _safely(self, call: Callable[..., None], *values: int) -> None:
        try:
            call(*values)
        except Exception as problem:
            # its words may hold anything
            _LOG.warning("a callback of a study that is coming failed: %s", type(problem).__name__)


def _nothing() -> None:
    pass
