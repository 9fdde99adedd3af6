"""Decoded frames kept in memory, bounded in bytes, for all clips of a study together."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from veinscan.dicom.colour import Frame


class FrameCache:
    """The frames used last, at most `limit_bytes` of them; thread-safe."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._held = 0
        self._frames: OrderedDict[tuple[int, int], Frame] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, owner: object, index: int, decode: Callable[[int], Frame]) -> Frame:
        """A frame of a clip, decoded where it is not held; the array is read-only."""
        key = (id(owner), index)
        with self._lock:
            held = self._frames.get(key)
            if held is not None:
                self._frames.move_to_end(key)
                return held
        frame = decode(index)
        frame.setflags(write=False)
        with self._lock:
            if key not in self._frames and frame.nbytes <= self._limit:
                self._frames[key] = frame
                self._held += frame.nbytes
                while self._held > self._limit:
                    _, old = self._frames.popitem(last=False)
                    self._held -= old.nbytes
        return frame
