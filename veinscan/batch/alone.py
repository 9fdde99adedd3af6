"""A process that does studies one after the other on one thread: other cores have processes of their own."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait

import cv2

from veinscan.candidates.pipeline import threads_at_most
from veinscan.export.work import Done, Job, do_job

READY = "ready"
"""What a process says when it can be given a study."""


def do_alone(job: Job) -> Done:
    """As `do_job`, on one thread."""
    cv2.setNumThreads(1)
    with threads_at_most(1):
        return do_job(job)


def serve(pipe: Connection) -> None:
    """Do the jobs that come over a pipe until None comes, and say what became of each."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the program, which then ends this process
    _end_with_parent()
    pipe.send(READY)
    while (job := pipe.recv()) is not None:
        pipe.send(do_alone(job))


def _end_with_parent() -> None:
    """End in the middle of a study when the program is killed: it may be called again at once."""
    parent = parent_process()
    if parent is None:
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
