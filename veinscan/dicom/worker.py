"""A decoder in a process of its own, which can be ended: for the codec that a damaged frame keeps busy.

CharLS spends seconds on some damaged JPEG-LS frames, in code that cannot be
interrupted.  The other decoders give up at once (shown by fuzzing), so only
this one pays for a second process: one copy of the frame each way.
"""

from __future__ import annotations

import atexit
import contextlib
import struct
import subprocess
import sys
import threading

import numpy as np
import numpy.typing as npt

from veinscan.errors import DecodeError

_CHILD = """
import struct, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
except (ImportError, ValueError, OSError):
    pass
import imagecodecs
source, sink = sys.stdin.buffer, sys.stdout.buffer
sink.write(b"R")
sink.flush()
while True:
    head = source.read(4)
    if len(head) < 4:
        break
    data = source.read(struct.unpack("<I", head)[0])
    try:
        out = imagecodecs.jpegls_decode(data)
        sink.write(struct.pack("<4I", out.itemsize, out.ndim, *(out.shape[:2])))
        sink.write(struct.pack("<I", out.shape[2] if out.ndim == 3 else 1) + out.tobytes())
    except Exception:
        sink.write(struct.pack("<4I", 0, 0, 0, 0) + bytes(4))
    sink.flush()
"""


class JpegLsProcess:
    """Decodes JPEG-LS frames in a child process, started on first use and again after it was ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def decode(self, data: bytes, seconds: float) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        """(rows, cols[, samples]) of a frame; DecodeError where damaged or longer than `seconds`."""
        with self._lock:
            child = self._running()
            late = threading.Event()

            def end() -> None:
                late.set()
                child.kill()

            timer = threading.Timer(seconds, end)
            timer.start()
            try:
                return self._exchange(child, data)
            except (OSError, EOFError) as problem:
                self.close()
                if late.is_set():
                    raise DecodeError(
                        f"the decoder was ended after {seconds:g} s: the frame is damaged"
                    ) from problem
                raise DecodeError("the decoder ended by itself: the frame is damaged") from problem
            finally:
                timer.cancel()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            # -P: nothing is imported from the folder that veinscan happens to run in
            self._child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-c", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            # its start is not counted as time for a frame
            if self._child.stdout is None or self._child.stdout.read(1) != b"R":
                self.close()
                raise DecodeError("the decoder for JPEG-LS cannot be started")
        return self._child

    @staticmethod
    def _exchange(
        child: subprocess.Popen[bytes], data: bytes
    ) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
        if child.stdin is None or child.stdout is None:
            raise EOFError
        child.stdin.write(struct.pack("<I", len(data)) + data)
        child.stdin.flush()
        head = child.stdout.read(20)
        if len(head) < 20:
            raise EOFError
        size, ndim, rows, columns, samples = struct.unpack("<5I", head)
        if size not in (1, 2):
            raise DecodeError("its JPEG-LS frame is damaged")
        body = child.stdout.read(size * rows * columns * samples)
        if len(body) < size * rows * columns * samples:
            raise EOFError
        values = np.frombuffer(body, np.uint8 if size == 1 else np.uint16)
        return values.reshape((rows, columns) if ndim == 2 else (rows, columns, samples))

    def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(OSError):
                child.kill()
            child.wait()
            for stream in (child.stdin, child.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()


jpeg_ls = JpegLsProcess()
"""The one of this process."""
atexit.register(jpeg_ls.close)
