"""A progress bar on stderr, shown only where a person looks at it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Self


class Bar:
    """Context manager with an `update(done, total)` to hand down as `progress`.

    Parameters
    ----------
    label : str
    delay_s : float
        The bar appears only when the work takes longer than this.
    total : float, optional
        Known beforehand; else `update` brings it.
    """

    def __init__(self, label: str, *, delay_s: float = 0.0, total: float | None = None) -> None:
        self._label = label
        self._delay_s = delay_s
        self._total = total
        self._bar: Any = None
        self._task: Any = None
        self._began = 0.0
        self._visible = sys.stderr.isatty()

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        if self._visible and self._delay_s == 0:
            self._show()
        return self

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(self._label, total=self._total)

    def update(self, done: float, total: float | None = None) -> None:
        """`done` of `total` pieces are done."""
        if not self._visible:
            return
        if self._bar is None:
            if time.monotonic() - self._began < self._delay_s:
                return
            self._show()
        self._bar.update(self._task, completed=done, total=self._total if total is None else total)

    def label(self, text: str) -> None:
        """What is being worked on now."""
        self._label = text
        if self._bar is not None:
            self._bar.update(self._task, description=text)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
