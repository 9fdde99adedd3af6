"""The parts under an association that untrusted bytes reach first, each with a bound.

pynetdicom reads a PDU of any announced length, waits for its bytes for ever,
keeps every message in memory and starts a thread for each event report.  The
three classes here take the places of its own, through its public methods, and
end the connection where a peer goes beyond a bound.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.dul import DULServiceProvider
from pynetdicom.transport import AssociationSocket

from veinscan.dicom.header import quiet

MAX_PDU = 128 * 1024
"""Bytes of one P-DATA-TF PDU that we announce as the most we take (PS3.8 D.1); DCMTK's largest too."""
PDU_BOUND = 4 * MAX_PDU
"""Bytes of a PDU of any kind above which the peer is not listened to: an A-ASSOCIATE-AC may be longer."""
COMMAND_BOUND = 64 * 1024
"""Bytes of one command set (PS3.7 6.3); real ones have some hundred."""
ANSWER_BOUND = 4 * 1024 * 1024
"""Bytes of one identifier of a C-FIND, C-GET or C-MOVE response."""
INBOX = 64
"""Messages that wait to be looked at; then the peer waits."""
_EXPECTED = frozenset({0x0001, 0x8001, 0x8010, 0x8020, 0x8021, 0x8030, 0x0030})
"""Command Fields that may come (PS3.7 E.1): C-STORE-RQ, C-ECHO-RQ and the responses to what we ask."""


class TooMuchError(OSError):
    """A peer went beyond a bound; the text says which, without anything the peer said."""


@dataclass(frozen=True, slots=True)
class Message:
    """One DIMSE message that arrived whole, or the end of the association (`primitive` is None)."""

    association: Any
    context_id: int | None
    primitive: Any
    body: Any = None
    """What `Body.write` was given, kept where `receive` put it."""


class Body(BytesIO):
    """Takes the data set of a message piece by piece and hands it to where it belongs."""

    def __init__(self, route: Callable[[], Any]) -> None:
        super().__init__()
        self._route = route
        self.sink: Any = None

    def write(self, data: Any) -> int:
        """Bytes of the data set, as they came."""
        if self.sink is None:
            self.sink = self._route()
        self.sink.write(data)
        return len(data)

    def __bool__(self) -> bool:
        return self.sink is not None


class Memory(BytesIO):
    """A small data set or a command set in memory, never above `bound` bytes."""

    def __init__(self, bound: int) -> None:
        super().__init__()
        self._bound = bound

    def write(self, data: Any) -> int:
        """Append, or TooMuchError."""
        if self.tell() + len(data) > self._bound:
            raise TooMuchError("a message that is too long")
        return super().write(data)


class Wire(AssociationSocket):
    """The connection: no PDU beyond the bound, none that takes longer than the message time-out."""

    timeout_s: float = 60.0
    moved = 0
    """Bytes read and sent so far."""
    problem: Exception | None = None
    """Why it could not be opened or was given up."""

    def __init__(self, association: Any, **options: Any) -> None:
        super().__init__(association, **options)
        self.opened: list[socket.socket] = [] if self.socket is None else [self.socket]
        """Every socket it ever was; pynetdicom forgets some without closing them."""

    def recv(self, nr_bytes: int) -> bytearray:
        """As pynetdicom's, within bounds and in larger pieces."""
        if nr_bytes > PDU_BOUND:
            self.problem = TooMuchError("a network message that is too long")
            raise self.problem
        until = time.monotonic() + self.timeout_s
        data = bytearray(nr_bytes)
        view = memoryview(data)
        got = 0
        try:
            while got < nr_bytes:
                held = self._limited(until)
                self._acknowledge(held)
                count = held.recv_into(view[got:])
                if not count:
                    break
                got += count
                self.moved += count
        except OSError as error:
            self.problem = error
            raise
        finally:
            view.release()
        del data[got:]
        return data

    def send(self, bytestream: bytes) -> None:
        """As pynetdicom's; a peer that does not read is not waited for beyond the time-out."""
        until = time.monotonic() + self.timeout_s
        view = memoryview(bytestream)
        try:
            while view:
                count = self._limited(until).send(view)
                view = view[count:]
                self.moved += count
        except OSError as error:
            self.problem = error
            self.event_queue.put("Evt17")  # PS3.8 9.2.3: transport connection closed

    def _limited(self, until: float) -> Any:
        left = until - time.monotonic()
        held = self.socket
        if left <= 0 or held is None:
            raise TimeoutError("the other side was too slow")
        held.settimeout(left)
        return held

    @staticmethod
    def _acknowledge(held: Any) -> None:
        """At once: many archives send a message in two pieces, the second once the first is acknowledged.

        Linux would let them wait 40 ms for it, and forgets the wish after a while (tcp(7), TCP_QUICKACK).
        """
        if hasattr(socket, "TCP_QUICKACK"):
            with contextlib.suppress(OSError):
                held.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def cut(self) -> None:
        """Close the connection now, whoever waits on it."""
        for held in (*self.opened, self.socket):
            if held is None:
                continue
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                held.close()

    def close(self) -> None:
        """As pynetdicom's, which leaves a socket open that the other side has closed."""
        self.cut()
        super().close()


def telling(make: Any, wire: Wire) -> Any:
    """A kind of socket that leaves with `wire` why it could not connect: pynetdicom only logs it."""

    class Telling(make):  # type: ignore[misc]
        def connect(self, address: Any) -> None:
            wire.opened.append(self)
            try:
                # a short last piece of a message is not held back until the one before it is acknowledged
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                super().connect(address)
            except OSError as error:
                wire.problem = error
                self.close()  # pynetdicom forgets it, and does not close it
                raise

    return Telling


def tls_client(context: ssl.SSLContext, wire: Wire) -> ssl.SSLContext:
    """The same context, its sockets telling `wire` why a handshake failed."""
    context.sslsocket_class = telling(ssl.SSLSocket, wire)
    return context


class Dul(DULServiceProvider):
    """The upper layer's thread; hostile bytes that pynetdicom does not foresee end it without a traceback."""

    problem: Exception | None = None

    def run_reactor(self) -> None:
        """As pynetdicom's; a traceback on the terminal could quote what was received."""
        try:
            super().run_reactor()
        except Exception as error:
            self.problem = error
            if isinstance(self.socket, Wire):
                self.socket.cut()
        finally:
            self.assoc.dimse.msg_queue.put((None, None))

    def _decode_pdu(self, bytestream: bytearray) -> Any:
        # of an answer to an association pydicom says on the terminal what is wrong, in the peer's words;
        # should a later pynetdicom call this otherwise, that comes back and nothing else
        with contextlib.nullcontext() if bytestream[:1] == b"\x04" else quiet():
            return super()._decode_pdu(bytestream)


class _Forward(queue.Queue[Any]):
    """Where pynetdicom puts (None, None) at the end of an association."""

    def __init__(self, association: Any, inbox: queue.Queue[Message]) -> None:
        super().__init__()
        self._ends = (association, inbox)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        association, inbox = self._ends
        inbox.put(Message(association, *item))


class Messages(DIMSEServiceProvider):
    """Puts messages together and into `inbox`; nothing is served behind the caller's back.

    `open_object(command, context_id, association)` gives what a C-STORE's data set is written to.
    """

    def __init__(
        self,
        association: Any,
        inbox: queue.Queue[Message],
        open_object: Callable[[Any, int | None, Any], Any] | None = None,
    ) -> None:
        super().__init__(association)
        self._inbox = inbox
        self._open_object = open_object
        self.problem: Exception | None = None
        self.given_up = False
        self.msg_queue = _Forward(association, inbox)

    def get_msg(self, block: bool = False) -> tuple[None, None]:
        """Nothing: pynetdicom's own reactor is not to take messages."""
        return None, None

    def receive_primitive(self, primitive: Any) -> None:
        """One P-DATA from the peer; runs in the thread of the upper layer."""
        if self.given_up:
            return
        while self._inbox.qsize() >= INBOX and not self.given_up:
            time.sleep(0.005)
        try:
            self._take(primitive)
        except Exception as error:
            # of a hostile peer's bytes anything may come; the association ends
            self.problem = error
            self.given_up = True
            self.discard()
            self.dul.event_queue.put("Evt19")  # PS3.8 9.2.3: unrecognized or invalid PDU

    def _take(self, primitive: Any) -> None:
        if self.message is None:
            self.message = DIMSEMessage()
            self.message.encoded_command_set = Memory(COMMAND_BOUND)
            self.message.data_set = Body(self._route)
        has_command = any(data and data[0] & 1 for _, data in primitive.presentation_data_value_list)
        # the command set is parsed here, and pydicom's warnings quote values
        with quiet() if has_command else contextlib.nullcontext():
            if not self.message.decode_msg(primitive, self.assoc):
                return
        message: Any = self.message
        self.message = None
        if message.command_set.CommandField not in _EXPECTED:
            raise TooMuchError("a message that has no place here")
        with quiet():
            arrived = message.message_to_primitive()
        self._inbox.put(Message(self.assoc, message.context_id, arrived, message.data_set.sink))

    def _route(self) -> Any:
        message: Any = self.message
        command = message.command_set
        if command.get("CommandField") != 0x0001:
            return Memory(ANSWER_BOUND)
        if self._open_object is None:
            raise TooMuchError("an object that nobody asked for")
        return self._open_object(command, message.context_id, self.assoc)

    def close(self) -> None:
        """No message is taken any more; what was being received is thrown away."""
        self.given_up = True

    def discard(self) -> None:
        """Throw away what the message that was being received had brought so far."""
        sink: Any = getattr(getattr(self.message, "data_set", None), "sink", None)
        if hasattr(sink, "discard"):
            sink.discard()
        self.message = None
