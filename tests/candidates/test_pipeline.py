"""Frames searched side by side: same order, same results, few in memory, errors at their place."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from veinscan.candidates import find_candidates, finder
from veinscan.candidates.per_frame import TOGETHER
from veinscan.candidates.pipeline import in_order, threads_at_most, threads_here
from veinscan.errors import CancelledError


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("count", [0, 1, 2, 17])
def test_results_come_in_the_order_of_the_frames(threads, count):
    def work(value: int) -> int:
        time.sleep(0.002 * (value % 3))  # later ones are done first
        return value * value

    assert list(in_order(count, lambda index: index, work, threads=threads)) == [i * i for i in range(count)]


def test_reading_stays_in_one_thread_and_close_to_what_was_given_out():
    readers, ahead, read = set(), [], [0]

    def source(index: int) -> int:
        readers.add(threading.get_ident())
        read[0] += 1
        return index

    for given, _ in enumerate(in_order(60, source, lambda value: value, threads=2)):
        ahead.append(read[0] - given)
    assert readers == {threading.get_ident()}
    assert max(ahead) <= 4


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_comes_out_and_the_rest_is_not_begun(threads):
    begun = []

    def work(index: int) -> int:
        begun.append(index)
        if index == 3:
            raise ValueError("no frame")
        return index

    got = []
    with pytest.raises(ValueError, match="no frame"):
        got.extend(in_order(500, lambda index: index, work, threads=threads))
    assert got == [0, 1, 2]
    assert len(begun) < 20


def test_where_processes_share_the_cores_a_search_begins_no_thread(picture, ellipse, monkeypatch):
    frames = np.stack([picture([ellipse(9.0, 12.0, 3.0, 4.0)], seed=n) for n in range(3)])
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert threads_here() > 1
    with threads_at_most(1):
        assert threads_here() == 1
        monkeypatch.setattr(threading.Thread, "start", lambda self: pytest.fail("a thread was begun"))
        for some in (frames, frames[:1]):
            assert find_candidates(some, 0.1)
    assert threads_here() > 1


def test_the_number_of_threads_changes_nothing(picture, ellipse, monkeypatch):
    frames = np.stack([picture([ellipse(9.0, 12.0 + 0.1 * n, 3.0, 4.0)], seed=n) for n in range(5)])
    lists = []
    for threads in (1, 2, 4):
        monkeypatch.setattr("veinscan.candidates.pipeline.threads_here", lambda threads=threads: threads)
        lists.append(find_candidates(frames, 0.1))
    assert lists[0]
    for other in lists[1:]:
        assert [(one.id, one.score, one.evidence) for one in other] == [
            (one.id, one.score, one.evidence) for one in lists[0]
        ]
        for one, same in zip(other, lists[0], strict=True):
            for index in one.frame_indices:
                np.testing.assert_array_equal(one.outline(index), same.outline(index))


def test_a_cancelled_search_reads_no_further(picture, ellipse):
    frame = picture([ellipse(9.0, 12.0, 3.0, 4.0)])
    read = []

    def source(index: int) -> np.ndarray:
        read.append(index)
        return frame

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        finder.search(source, (1000, *frame.shape), (0.1, 0.1), finder.FinderSettings(), progress=stop)
    # three are looked at for graphics first
    assert len(read) <= 3 + TOGETHER * (2 + threads_here())
    assert not [one for one in threading.enumerate() if one.name.startswith("veinscan-search")]
