"""A clip as the array that napari wants: decoded when a frame is shown, ahead of it while playing.

A frame that has to come over a network is never waited for in the window's thread: it is asked
for, a dark one stands in for it, and it is shown when it is there.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.dicom import Clip
from veinscan.errors import VeinscanError

Frame = npt.NDArray[np.uint8]

RAM_BUDGET_BYTES = 400_000_000
"""Decoded frames of one clip are kept up to this size; older ones are dropped first."""

NOT_HERE = 32
"""Grey of a frame that is on its way."""


class ClipFrames:
    """(frames, rows, cols) or (frames, rows, cols, 3) uint8, indexed like an array.

    napari asks for one frame at a time; that frame is decoded then and kept
    while the budget lasts.  A frame that cannot be decoded is black, and the
    reason is in `problems`: one bad frame must not stop a clip.
    """

    def __init__(self, clip: Clip, budget_bytes: int = RAM_BUDGET_BYTES) -> None:
        self.clip = clip
        self.shape: tuple[int, ...] = tuple(clip.shape)
        self.dtype = np.dtype(np.uint8)
        self.ndim = len(self.shape)
        self.size = int(np.prod(self.shape))
        self.problems: dict[int, VeinscanError] = {}
        self.pinned: int | None = None
        """While a clip plays: the frame that napari gets whichever it asks for.  It then fetches this one
        picture anew and need not move all its layers to another frame, which takes longer."""
        self.ask: Callable[[ClipFrames, int], None] | None = None
        """While frames come over a network: told which one is wanted.  It must not wait."""
        self._room = max(2, budget_bytes // max(1, int(np.prod(self.shape[1:]))))
        self._kept: OrderedDict[int, Frame] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def fits(self) -> bool:
        """Whether the whole clip may stay in memory."""
        return self.shape[0] <= self._room

    @property
    def kept(self) -> int:
        """How many decoded frames are in memory."""
        return len(self._kept)

    def has(self, index: int) -> bool:
        """Whether a frame is in memory."""
        return index in self._kept

    def __len__(self) -> int:
        return self.shape[0]

    def shown(self, index: int) -> Frame:
        """One frame as `frame` gives it; a dark one, without waiting, while it is on its way."""
        if self.ask is None or self.has(index):
            return self.frame(index)
        self.ask(self, index)
        return np.full(self.shape[1:], NOT_HERE, dtype=np.uint8)

    def frame(self, index: int) -> Frame:
        """One frame, (rows, cols) or (rows, cols, 3) uint8, read-only; black when it cannot be decoded."""
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        try:
            frame = np.ascontiguousarray(self.clip.frame(index))
        except VeinscanError as error:
            self.problems[index] = error
            frame = np.zeros(self.shape[1:], dtype=np.uint8)
            if self.ask is not None:
                return frame  # it may come at the next asking
        else:
            self.problems.pop(index, None)
        with self._lock:
            self._kept[index] = frame
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        return frame

    def __getitem__(self, key: Any) -> npt.NDArray[np.uint8]:
        """The part of the clip that `key` (integers and slices) names."""
        keys = key if isinstance(key, tuple) else (key,)
        first, rest = (keys[0], keys[1:]) if keys else (slice(None), ())
        if first is Ellipsis:
            first, rest = slice(None), keys
        if isinstance(first, slice):
            wanted = range(*first.indices(self.shape[0]))
            if len(wanted) == 1:  # how napari asks for a frame: no copy is made of it
                one = wanted[0] if self.pinned is None else self.pinned
                return self.shown(one)[None][(slice(None), *rest)]
            picked = [self.frame(i)[rest] for i in wanted]
            none = np.zeros((0, *self.shape[1:]), dtype=np.uint8)
            return np.stack(picked) if picked else none[(slice(None), *rest)]
        index = int(first)
        return self.frame(index + self.shape[0] if index < 0 else index)[rest]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        """All frames at once; only for callers that cannot do with one."""
        whole = np.stack([self.frame(index) for index in range(self.shape[0])])
        return whole if dtype is None else whole.astype(dtype)


class Ahead:
    """Decodes the frames that are due next, in a thread of its own, the nearest first."""

    def __init__(self, done: Callable[[ClipFrames, int], None] = lambda _frames, _index: None) -> None:
        """`done` is called in that thread, after each."""
        self._wish: tuple[ClipFrames | None, list[int]] = (None, [])
        self._changed = threading.Condition()
        self._ended = False
        self._done = done
        self._thread: threading.Thread | None = None

    def want(self, frames: ClipFrames, indices: Sequence[int]) -> None:
        """Decode these next; what was wanted before and is not begun is given up."""
        missing = [index for index in indices if not frames.has(index)]
        with self._changed:
            self._wish = (frames, missing)
            if not missing or self._ended:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="veinscan-ahead", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Stop, after the frame in hand."""
        with self._changed:
            self._ended = True
            self._wish = (None, [])
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(10.0)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._wish[1] and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                frames, wanted = self._wish
                index = wanted.pop(0)
            if frames is not None and not frames.has(index):
                frames.frame(index)
                self._done(frames, index)
