"""Work off the window's thread is heard of, whatever else is started meanwhile."""

from __future__ import annotations

import gc
import time

import pytest

pytestmark = pytest.mark.gui


def test_the_end_of_a_job_is_heard_though_another_began_first(qapp, qtbot):
    from napari_veinscan.background import Callbacks, Jobs

    jobs, heard = Jobs(), []
    jobs.start(lambda _job: "first", Callbacks(done=heard.append))
    while jobs.running:
        time.sleep(0.005)  # no message is delivered while the window's thread is here
    jobs.start(lambda _job: "second", Callbacks(done=heard.append))
    gc.collect()
    qtbot.waitUntil(lambda: len(heard) == 2, timeout=5000)
    assert sorted(heard) == ["first", "second"]
    jobs.close()


def test_an_abandoned_job_tells_that_at_once_and_nothing_after(qapp, qtbot):
    import threading

    from napari_veinscan.background import Callbacks, Jobs

    jobs, heard, gate = Jobs(), [], threading.Event()
    job = jobs.start(
        lambda _job: gate.wait(10), Callbacks(done=heard.append, cancelled=lambda: heard.append("left"))
    )
    job.abandon()
    assert heard == ["left"]
    assert job.is_cancelled
    job.abandon()
    gate.set()
    qtbot.wait(50)
    assert heard == ["left"]
    jobs.close()
