"""Decoded frames kept in memory, bounded in bytes, for all clips of a study together."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from veinscan.dicom.colour import Frame

AHEAD = 4
"""Frames decoded before they are asked for, in the direction of travel."""

_WORKERS = 2
"""The decoders let go of Python's lock: one frame is read while another is decoded."""

Decode = Callable[[int], Frame]
_Key = tuple[str, int]


class FrameCache:
    """The frames used last, at most `limit_bytes` of them; thread-safe.

    Stepping through a clip, forwards or backwards, has the next frames decoded
    in the background while the current one is looked at.  A frame that is
    being decoded is waited for, never decoded twice.
    """

    def __init__(self, limit_bytes: int, *, ahead: int = AHEAD) -> None:
        self._limit = limit_bytes
        self._ahead = ahead
        self._held = 0
        self._frames: OrderedDict[_Key, Frame] = OrderedDict()
        self._pending: dict[_Key, Future[Frame]] = {}
        self._last: dict[str, int] = {}
        self._lock = threading.Lock()
        self._workers: ThreadPoolExecutor | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes of the frames held now."""
        return self._held

    def get(self, clip: str, index: int, count: int, decode: Decode) -> Frame:
        """Frame `index` of a clip of `count` frames, decoded where it is not held; the array is read-only.

        `clip` names the clip uniquely.  Raises what `decode` raises.
        """
        key = (clip, index)
        with self._lock:
            step = index - self._last.get(clip, index)
            self._last[clip] = index
            frame = self._frames.get(key)
            if frame is not None:
                self._frames.move_to_end(key)
            waiting = self._pending.get(key)
            mine: Future[Frame] | None = None
            if frame is None and waiting is None:
                mine = self._pending[key] = Future()
        if frame is None:
            if mine is None:
                assert waiting is not None  # noqa: S101 - one of the two is set above
                frame = waiting.result()
            else:
                frame = self._decoded(key, mine, decode)
        if abs(step) == 1:
            self._look_ahead(clip, index, step, count, frame.nbytes, decode)
        return frame

    def _decoded(self, key: _Key, future: Future[Frame], decode: Decode) -> Frame:
        try:
            frame = decode(key[1])
            frame.setflags(write=False)
        except BaseException as problem:
            with self._lock:
                self._pending.pop(key, None)
            future.set_exception(problem)
            raise
        with self._lock:
            self._pending.pop(key, None)
            if frame.nbytes <= self._limit:
                self._frames[key] = frame
                self._held += frame.nbytes
                while self._held > self._limit:
                    _, old = self._frames.popitem(last=False)
                    self._held -= old.nbytes
        future.set_result(frame)
        return frame

    def _look_ahead(self, clip: str, index: int, step: int, count: int, size: int, decode: Decode) -> None:
        if size * 2 * self._ahead > self._limit:
            return
        wanted: list[tuple[_Key, Future[Frame]]] = []
        with self._lock:
            for n in range(1, self._ahead + 1):
                key = (clip, index + n * step)
                if 0 <= key[1] < count and key not in self._frames and key not in self._pending:
                    self._pending[key] = Future()
                    wanted.append((key, self._pending[key]))
            if wanted and self._workers is None:
                self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="veinscan-frames")
            workers = self._workers
        for key, future in wanted:
            if workers is not None:
                workers.submit(self._quietly, key, future, decode)

    def _quietly(self, key: _Key, future: Future[Frame], decode: Decode) -> None:
        """Decode ahead; a failure is left for whoever asks for that frame."""
        with contextlib.suppress(Exception):
            self._decoded(key, future, decode)
