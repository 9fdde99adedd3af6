"""Sockets that keep a request within its bytes and its time, whatever the other side does.

The time-outs of HTTP libraries count from one byte to the next: a server that
sends one byte a second holds a reader for ever.  Here every read and write
asks a `Guard`, which knows when the request as a whole has to be over, how
much may arrive, and whether the person wants to stop.  It stands below TLS,
headers, chunks and compression alike, so that none of them can get around it.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.archive import Stop
from veinscan.settings_pacs import is_loopback

SLOWEST_BYTES_PER_S = 1024.0
"""Slower than this over a whole pause (`Ask.pause_s`) counts as standing still."""
_SLICE_S = 0.2
"""How often a wait asks whether to stop."""
_HEADERS = 8 * 1024 * 1024
"""Wire bytes allowed beside an answer's body: http.client takes 100 header lines of 64 KiB."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one request is for and what it may cost."""

    step: str
    """'qido', 'wado' or 'stow'."""
    max_bytes: int
    """Of the answer's body, on the wire and unpacked."""
    seconds: float
    """For the request as a whole."""
    pause_s: float
    """The longest wait for the answer, and the longest pause in it."""
    stop: Stop | None = None
    where: str = ""


class _Stretch(Enum):
    """What a request is at, and what it means if that stands still."""

    SENDING = "took nothing or hardly anything"
    HEAD = "gave no answer"
    BODY = "sent nothing or hardly anything"


class Guard:
    """Watches over one request."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self._end = time.monotonic() + ask.seconds
        self._received = 0
        self._begin(_Stretch.SENDING)

    def answering(self) -> None:
        """The head of the answer is here, the body begins."""
        self._begin(_Stretch.BODY)

    def _begin(self, stretch: _Stretch) -> None:
        self._stretch = stretch
        self._waited = 0.0
        self._moved = 0

    def error(self, what: str, do: str = "", *, temporary: bool = True) -> PacsError:
        """An error of this request."""
        return PacsError(what, where=self.ask.where, do=do, step=self.ask.step, temporary=temporary)

    def connect_s(self) -> float:
        """Seconds that a new connection may take."""
        self.left_s()
        return max(0.001, min(self._end - time.monotonic(), self.ask.pause_s))

    def left_s(self) -> float:
        """Seconds until the next look at the clock.

        Raises
        ------
        CancelledError
            The person stopped it.
        PacsError
            The time is over.
        """
        ask = self.ask
        if ask.stop is not None and ask.stop():
            raise CancelledError("stopped", where=ask.where)
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.error(
                f"it was not over within {ask.seconds:g} s", "try again later, or raise the time limit"
            )
        pause = ask.pause_s - self._waited
        if pause <= 0:
            # a head is short: it may not take longer, however many bytes come
            if self._stretch is _Stretch.HEAD or self._moved < SLOWEST_BYTES_PER_S * self._waited:
                raise self.error(
                    f"the archive {self._stretch.value} for {ask.pause_s:g} s",
                    "try again later, or raise timeout_s",
                )
            self._begin(self._stretch)
            pause = ask.pause_s
        return max(0.001, min(left, pause, _SLICE_S if ask.stop is not None else left))

    def run(self, sock: socket.socket, move: Callable[[], int], *, receiving: bool) -> int:
        """Read or write once, waiting as long as the limits allow."""
        if receiving and self._stretch is _Stretch.SENDING:
            self._begin(_Stretch.HEAD)
        elif not receiving and self._stretch is not _Stretch.SENDING:
            self._begin(_Stretch.SENDING)
        while True:
            sock.settimeout(self.left_s())
            began = time.monotonic()
            try:
                moved = move()
            except TimeoutError:
                moved = -1
            self._waited += time.monotonic() - began
            if moved < 0:
                continue
            self._moved += moved
            if receiving:
                self._received += moved
                if self._received > self.ask.max_bytes + _HEADERS:
                    raise self.error(too_large(self.ask.max_bytes), temporary=False)
            return moved


def too_large(limit: int) -> str:
    """What is said of an answer that goes on and on."""
    return f"the archive's answer is larger than {limit / 1e6:,.0f} MB"


class _Current(threading.local):
    guard: Guard | None = None


_current = _Current()


@contextmanager
def guarding(guard: Guard) -> Iterator[None]:
    """Requests that this thread starts inside are watched over by `guard`, to the end of their answers."""
    before, _current.guard = _current.guard, guard
    try:
        yield
    finally:
        _current.guard = before


class _GuardedMixin:
    guard: Guard | None = None

    def _guarded(self, move: Callable[[], int], *, receiving: bool) -> int:
        if self.guard is None:
            return move()
        return self.guard.run(self, move, receiving=receiving)  # type: ignore[arg-type]


class _PlainSocket(_GuardedMixin, socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return self._guarded(lambda: socket.socket.recv_into(self, *args, **kwargs), receiving=True)

    def send(self, *args: Any, **kwargs: Any) -> int:
        return self._guarded(lambda: socket.socket.send(self, *args, **kwargs), receiving=False)

    def sendall(self, data: Any, flags: int = 0) -> None:
        with memoryview(data) as view, view.cast("B") as whole:
            sent = 0
            while sent < len(whole):
                sent += self.send(whole[sent:], flags)


class _TlsSocket(_GuardedMixin, ssl.SSLSocket):
    """`SSLSocket.sendall` is built on `send`, and `makefile` on `recv_into`."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return self._guarded(lambda: ssl.SSLSocket.recv_into(self, *args, **kwargs), receiving=True)

    def send(self, *args: Any, **kwargs: Any) -> int:
        try:
            return self._guarded(lambda: ssl.SSLSocket.send(self, *args, **kwargs), receiving=False)
        except (ssl.SSLEOFError, ConnectionError):
            # who refuses our certificate says so and hangs up; what was said is still to be read
            ssl.SSLSocket.recv(self, 1)
            raise


def guarded_context(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context; what it wraps is guarded."""
    context.sslsocket_class = _TlsSocket
    return context


class _GuardedConnection(HTTPConnection):
    sock: Any
    debuglevel = 0
    """Whatever `http.client` is set to: it would print whole requests, with address and login."""

    def _new_conn(self) -> socket.socket:
        guard = _current.guard
        if guard is not None:
            seconds = guard.connect_s()
            self.timeout = min(seconds, self.timeout) if isinstance(self.timeout, (int, float)) else seconds
        made = super()._new_conn()
        try:
            sock = _PlainSocket(made.family, made.type, made.proto, fileno=made.detach())
        finally:
            made.close()
        sock.settimeout(self.timeout if isinstance(self.timeout, (int, float)) else None)
        return sock

    def connect(self) -> None:
        super().connect()
        self._bind()

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._bind()
        super().request(*args, **kwargs)

    def _bind(self) -> None:
        if self.sock is not None:
            self.sock.guard = _current.guard


class _LoopbackConnection(_GuardedConnection):
    """Plain http: to this machine alone, whatever its name resolves to."""

    def connect(self) -> None:
        super().connect()
        peer = str(self.sock.getpeername()[0])
        if not is_loopback(peer):
            self.close()
            raise PacsError(
                f"plain http leads to {peer}, which is another machine",
                where=self.host,
                do="use https for it",
                step="tcp",
            )


class _TlsConnection(_GuardedConnection, HTTPSConnection):
    def connect(self) -> None:
        failure = ""
        try:
            super().connect()
        except TimeoutError:  # the handshake's; a connection that is not made has an error of urllib3
            failure = "it does not answer the TLS handshake within the time limit"
        except ConnectionError:
            failure = "it hangs up at the TLS handshake"
        if failure:
            self.close()
            guard = _current.guard
            raise PacsError(
                failure,
                where=self.host if guard is None else guard.ask.where,
                do="check that it speaks TLS at this port, or try again later",
                step="tls",
                temporary=True,
            )


class LoopbackPool(HTTPConnectionPool):
    """Connections of plain http."""

    ConnectionCls = _LoopbackConnection


class TlsPool(HTTPSConnectionPool):
    """Connections of https."""

    ConnectionCls = _TlsConnection
