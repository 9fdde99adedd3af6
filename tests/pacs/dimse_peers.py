"""Peers that do what they are told: a well-behaved one of pynetdicom, and raw sockets that break rules."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from pynetdicom import AE
from pynetdicom.pdu import A_ASSOCIATE_RQ
from pynetdicom.sop_class import Verification

LOOPBACK = "127.0.0.1"
TITLE = "PEER"

Serve = Callable[[socket.socket], None]


class Raw:
    """A listener at 127.0.0.1 that hands each connection to `serve`, one after the other."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._listener = socket.create_server((LOOPBACK, 0))
        self.dimse = f"{TITLE}@{LOOPBACK}:{self._listener.getsockname()[1]}"
        self.over = threading.Event()
        self.calls = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._listener.settimeout(0.05)
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            self.calls += 1
            connection.settimeout(30)
            with connection, contextlib.suppress(OSError, EOFError):
                self._serve(connection)

    def close(self) -> None:
        self.over.set()
        self._thread.join(30)
        self._listener.close()
        assert not self._thread.is_alive()


@contextlib.contextmanager
def raw(serve: Serve) -> Iterator[Raw]:
    made = Raw(serve)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def behaved(
    contexts: list[tuple[str, list[str]]], handlers: list[Any] | None = None, **settings: Any
) -> Iterator[str]:
    """A pynetdicom AE; its address for `--dimse`."""
    entity = AE(ae_title=TITLE)
    for abstract, transfers in contexts:
        entity.add_supported_context(abstract, transfers, scu_role=True, scp_role=True)
    entity.add_supported_context(Verification)
    for name, value in settings.items():
        setattr(entity, name, value)
    server = entity.start_server((LOOPBACK, 0), block=False, evt_handlers=handlers or [])
    assert server is not None
    try:
        yield f"{TITLE}@{LOOPBACK}:{server.socket.getsockname()[1]}"
    finally:
        for association in list(server.active_associations):
            association.abort()
        server.shutdown()


def read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_pdu(connection: socket.socket) -> tuple[int, bytes]:
    head = read(connection, 6)
    return head[0], read(connection, struct.unpack(">L", head[2:])[0])


def accept(connection: socket.socket, *, roles: bool = True) -> Any:
    """Answer an A-ASSOCIATE-RQ with everything it proposes; the request."""
    kind, body = read_pdu(connection)
    assert kind == 1
    request = A_ASSOCIATE_RQ()
    request.decode(bytes([1, 0]) + struct.pack(">L", len(body)) + body)
    items = [item for item in request.variable_items if item.item_type == 0x20]
    out = b"\x10\x00" + _sized(b"1.2.840.10008.3.1.1.1")
    for item in items:
        transfer = item.transfer_syntax[0].encode()
        inner = bytes([item.context_id, 0, 0, 0]) + b"\x40\x00" + _sized(transfer)
        out += b"\x21\x00" + _sized(inner)
    user = b"\x51\x00" + _sized(struct.pack(">L", 16384)) + b"\x52\x00" + _sized(b"1.2.3.4")
    if roles:
        for abstract in dict.fromkeys(str(item.abstract_syntax) for item in items):
            uid = abstract.encode()
            user += b"\x54\x00" + _sized(struct.pack(">H", len(uid)) + uid + b"\x01\x01")
    out += b"\x50\x00" + _sized(user)
    head = struct.pack(">HH", 1, 0) + body[4:36] + bytes(32)
    connection.sendall(pdu(2, head + out))
    return request


def _sized(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def pdu(kind: int, body: bytes) -> bytes:
    return bytes([kind, 0]) + struct.pack(">L", len(body)) + body


def pdata(context_id: int, control: int, value: bytes) -> bytes:
    """One P-DATA-TF with one fragment; control 3: last of a command, 0: data, 2: last of data."""
    inner = bytes([context_id, control]) + value
    return pdu(4, struct.pack(">L", len(inner)) + inner)


def command(**values: Any) -> bytes:
    """A command set, Implicit VR Little Endian, from keywords."""
    import pydicom
    from pynetdicom.dsutils import encode

    dataset = pydicom.Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    data = encode(dataset, True, True)
    assert data is not None
    return struct.pack("<HHLL", 0, 0, 4, len(data)) + data


def request_of(connection: socket.socket) -> tuple[int, Any]:
    """Context and command set of the next message; its data set, if any, is read and dropped."""
    from io import BytesIO

    from pynetdicom.dsutils import decode

    found: Any = None
    context = 0
    while True:
        kind, body = read_pdu(connection)
        if kind != 4:
            raise EOFError
        at = 0
        while at < len(body):
            size = struct.unpack(">L", body[at : at + 4])[0]
            context, control = body[at + 4], body[at + 5]
            value = body[at + 6 : at + 4 + size]
            at += 4 + size
            if control == 3:
                found = decode(BytesIO(value), True, True)
                if found.CommandDataSetType == 0x0101:
                    return context, found
            elif control == 2 and found is not None:
                return context, found


def until_closed(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


def released(connection: socket.socket) -> None:
    """Answer an A-RELEASE-RQ as one should."""
    assert read_pdu(connection)[0] == 5
    connection.sendall(pdu(6, bytes(4)))
    until_closed(connection)


def slowly(connection: socket.socket, data: bytes, pause_s: float = 0.05) -> None:
    for at in range(len(data)):
        connection.sendall(data[at : at + 1])
        time.sleep(pause_s)


@contextlib.contextmanager
def silent_connections(port: int, count: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=5))
        yield
