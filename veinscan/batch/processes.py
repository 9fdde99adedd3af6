"""Studies done by several processes of this machine, each on one thread.

Every process is asked over a pipe of its own.  So it is known what each has in
hand, one that dies takes its own study with it and nobody else's, and no lock
or semaphore is shared that a kill could leave behind.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from pathlib import Path

from veinscan.batch.alone import READY, serve
from veinscan.errors import VeinscanError
from veinscan.export.work import Done, Job

TRIES = 2
"""How often a study is begun again, with nothing beside it, after a process that worked on it died."""
STARTS = 3
"""How many processes, one after the other, may die before their first study until the program gives up."""
LONGEST_S = 4 * 3600.0
"""No study takes so long: its process is ended, so that the others go on."""
STUDIES_A_PROCESS = 200
"""After so many a process makes room for a fresh one: what libraries keep does not add up."""
END_S = 5.0
"""How long a process may take to end when it is asked to."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_logger = logging.getLogger("veinscan.batch")


def run_in_processes(jobs: Sequence[Job], processes: int) -> Iterator[Done]:
    """Do jobs in several processes, those with most to read first.

    A study whose process died is begun again when all others are done, with no
    process beside it that might take its memory; one that ends its process
    `TRIES` times more has that as its reason, and so has one that takes longer
    than `LONGEST_S`.

    Raises
    ------
    VeinscanError
        No process can be started.
    """
    for name in _THREADS:
        os.environ.setdefault(name, "1")  # one thread a process: they would only fight each other
    waiting = deque(longest_first(jobs))
    suspects: deque[Job] = deque()
    deaths: Counter[str] = Counter()
    crew = _Crew()
    faults = 0
    try:
        while waiting or suspects or crew.busy:
            if waiting:
                crew.set_to(waiting, processes)
            elif suspects and not crew.busy:
                crew.set_to(suspects, 1)
            for job, done in crew.listen():
                if done is not None:
                    faults = 0
                    yield done
                elif job is None:
                    faults += 1
                    if faults == STARTS:
                        raise VeinscanError("processes end before they begin", do="try it with one process")
                else:
                    _logger.info("a process died; the study that it had is begun again")
                    deaths[job.item.name] += 1
                    if deaths[job.item.name] <= TRIES:
                        suspects.append(job)
                    else:
                        yield Done(job.item.name, reason="the process that had it was ended, every time")
    finally:
        crew.dismiss()


def longest_first(jobs: Iterable[Job]) -> list[Job]:
    """Jobs by what there is to read, most first: none is left running alone for long at the end."""
    return sorted(jobs, key=lambda job: -_bytes_of(Path(job.item.path)))


def _bytes_of(path: Path) -> int:
    """Of a file, or of the files that lie in a folder itself and one level below."""
    try:
        if path.is_file():
            return path.stat().st_size
        return sum(one.stat().st_size for one in (*path.glob("*"), *path.glob("*/*")) if one.is_file())
    except OSError:
        return 0


def _context() -> BaseContext:
    """Where it is safe, processes are copies of one that has read the program and its network already."""
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["veinscan.batch.warm"])
    return context


class _Worker:
    """A process, the pipe to it and what it has in hand."""

    def __init__(self, context: BaseContext) -> None:
        self.pipe, theirs = context.Pipe()
        self.job: Job | None = None
        self.is_ready = False
        self.studies = 0
        self._until = math.inf
        self._process = context.Process(target=serve, args=(theirs,), daemon=True)  # type: ignore[attr-defined]
        self._process.start()
        theirs.close()  # so that its end is told when the process ends

    def give(self, job: Job) -> None:
        """Let it do a job; where it has died, `hear` tells."""
        self.job = job
        self._until = time.monotonic() + LONGEST_S
        with suppress(OSError):
            self.pipe.send(job)

    @property
    def seconds_left(self) -> float:
        """Of what its job may take; infinite without one."""
        return math.inf if self.job is None else self._until - time.monotonic()

    def hear(self) -> Done | str | None:
        """What it says: that it is there, or what became of its job; None: it has died."""
        try:
            said: Done | str = self.pipe.recv()
        except (EOFError, OSError):
            return None
        self.is_ready = True
        self.studies += isinstance(said, Done)
        return said

    def end(self) -> None:
        """Ask it to end; at once where it is in the middle of something: files are whole or not there."""
        if self.job is not None or not self.is_ready:
            self._process.terminate()
        with suppress(OSError):
            self.pipe.send(None)
        self.pipe.close()
        self._process.join(END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._process.close()


class _Crew:
    """The processes that are there."""

    def __init__(self) -> None:
        self._context = _context()
        self._workers: list[_Worker] = []

    @property
    def busy(self) -> int:
        """How many have a job in hand."""
        return sum(worker.job is not None for worker in self._workers)

    def set_to(self, queue: deque[Job], most: int) -> None:
        """Give jobs of a queue to those that have none, at most so many at once, and find hands for them."""
        for worker in [one for one in self._workers if one.job is None][max(0, most - self.busy) :]:
            self._remove(worker)
        while len(self._workers) < min(most, self.busy + len(queue)):
            self._workers.append(_Worker(self._context))
        for worker in self._workers:
            if worker.is_ready and worker.job is None and queue:
                worker.give(queue.popleft())

    def listen(self) -> Iterator[tuple[Job | None, Done | None]]:
        """Wait until somebody has done a job, or has died with one (no Done) or before any (neither)."""
        left = min(worker.seconds_left for worker in self._workers)
        pipes = wait([worker.pipe for worker in self._workers], None if left == math.inf else max(0.0, left))
        for worker in [one for one in self._workers if one.pipe in pipes]:
            said = worker.hear()
            if said == READY:
                continue
            job, worker.job = worker.job, None
            if said is None or worker.studies >= STUDIES_A_PROCESS:
                self._remove(worker)
            if job is not None or not worker.is_ready:
                yield job, said if isinstance(said, Done) else None
        for worker in [one for one in self._workers if one.seconds_left <= 0]:
            late = worker.job
            self._remove(worker)
            if late is not None:
                yield late, Done(late.item.name, reason=f"it took longer than {LONGEST_S / 3600:g} hours")

    def dismiss(self) -> None:
        """End all."""
        for worker in list(self._workers):
            self._remove(worker)

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.end()
