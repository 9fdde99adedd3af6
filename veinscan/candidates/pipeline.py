"""Frames searched side by side: both cores work, a window of frames is in memory, the order is kept.

OpenCV and NumPy let go of the interpreter while they compute, so threads are enough.  A frame's
result depends on that frame alone: the number of threads changes nothing but the time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Read = TypeVar("Read")
Made = TypeVar("Made")

MOST_THREADS = 4
"""More wait for the interpreter between the filters than they gain."""

_most: ContextVar[int] = ContextVar("most", default=MOST_THREADS)


@contextmanager
def threads_at_most(number: int) -> Iterator[None]:
    """Searches inside use so many threads at most: where several processes share the cores, 1."""
    before = _most.set(number)
    try:
        yield
    finally:
        _most.reset(before)


def threads_here() -> int:
    """How many frames are worked on at once: the cores this process may use, up to `MOST_THREADS`."""
    mine = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    cores = len(mine(0)) if mine is not None else os.cpu_count() or 1
    return max(1, min(cores, MOST_THREADS, _most.get()))


def in_order(
    count: int,
    read: Callable[[int], Read],
    work: Callable[[Read], Made],
    *,
    threads: int | None = None,
) -> Generator[Made, None, None]:
    """`work(read(index))` for every index below `count`, ascending.

    `read` is called in the caller's thread, so that a file is read by one thread; `work` in
    `threads` others.  At most `threads` + 1 frames are read ahead of the one given out.  What
    `read` or `work` raises comes out at its place; nothing is begun after the iterator is closed.
    """
    number = threads_here() if threads is None else threads
    if number < 2 or count < 2:
        for index in range(count):
            yield work(read(index))
        return
    pool = ThreadPoolExecutor(number, thread_name_prefix="veinscan-search")
    waiting: deque[Future[Made]] = deque()
    try:
        for index in range(count):
            waiting.append(pool.submit(work, read(index)))
            if len(waiting) > number:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
