"""Ctrl+C for work that wants to end in good order."""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupt:
    """Context manager that is asked between pieces of work: has the person pressed Ctrl+C?

    The first Ctrl+C only makes `Interrupt()` true, so that the work ends where it
    can; a second one ends it where it stands (KeyboardInterrupt).

    Parameters
    ----------
    said : str
        What is said at the first one, on stderr.
    """

    def __init__(self, said: str = "stopping; Ctrl+C again stops at once") -> None:
        self._said = said
        self._asked = False
        self._before: Any = None

    def __call__(self) -> bool:
        """Whether the work is to end."""
        return self._asked

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        if self._said:
            # Not through the stream: the signal may have come while it was being written to.
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\nveinscan: {self._said}\n".encode())

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
