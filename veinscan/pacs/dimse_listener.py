"""Where objects of a C-MOVE come back to: a storage of ours, open only while one is asked for.

It listens at one address, takes associations only under our AE title and of the
archive's, and of those only objects that were asked for.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import AddressInformation

from veinscan.errors import PacsError
from veinscan.pacs.dimse_association import end
from veinscan.pacs.dimse_opening import fit, own_ae
from veinscan.pacs.dimse_peer import CONNECT_S, Peer, Watch, reason_of
from veinscan.pacs.dimse_wire import MAX_PDU, Message, Wire

MAX_CALLERS = 16
"""Connections at one time: the archive's, and those of whoever says nothing, until they time out."""
_POLL_S = 0.1
_PORTS: dict[int, threading.Lock] = {}
_PORTS_GUARD = threading.Lock()


class Listener:
    """Our storage while a C-MOVE runs; `inbox` gets its messages."""

    def __init__(
        self,
        peer: Peer,
        inbox: queue.Queue[Message],
        kinds: Iterable[tuple[str, Iterable[str]]],
        open_object: Callable[[Any, int | None, Any], Any],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._peer, self._inbox, self._open_object, self._tls = peer, inbox, open_object, tls
        entity = self._entity = own_ae(peer)
        entity.require_called_aet = True
        entity.require_calling_aet = [peer.title]
        entity.maximum_associations = MAX_CALLERS
        self._contexts = [build_context(kind, list(ways)) for kind, ways in kinds]
        self._contexts.append(build_context(Verification))
        self._callers: list[tuple[Any, Wire]] = []
        self._guard = threading.Lock()
        self._shaking = 0
        """Callers that have a connection and not yet an association."""
        self._over = False
        self._server: socket.socket | None = None
        self._thread = threading.Thread(target=self._accept, name="veinscan-storage", daemon=True)

    def open(self, port: int) -> None:
        """Listen; PacsError where the port is taken."""
        address = local_address(self._peer)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            self._server = socket.create_server((address, port), family=family, backlog=MAX_CALLERS)
        except OSError as error:
            raise PacsError(
                f"port {port} (move_port) cannot be listened at: {reason_of(error)}",
                where=self._peer.where,
                do="end the other program, or agree on another move_port with the archive's administrator",
                step="move",
                temporary=True,
            ) from None
        self._server.settimeout(_POLL_S)
        self._thread.start()

    def close(self) -> None:
        """Nobody is listened to any more."""
        with self._guard:
            self._over = True
            callers = list(self._callers)
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)  # where the system can, who waits in `accept` wakes
            with contextlib.suppress(OSError):
                self._server.close()
        for association, wire in callers:
            end(association, wire, polite=False)
        if self._thread.is_alive():
            self._thread.join(2 * _POLL_S + 1)

    def _accept(self) -> None:
        assert self._server is not None  # noqa: S101 - started by open
        while not self._over:
            try:
                connection, address = self._server.accept()
            except TimeoutError:
                continue
            except OSError:
                if not self._over:  # out of descriptors for a while
                    time.sleep(_POLL_S)
                continue
            with self._guard:
                self._callers = [one for one in self._callers if one[0].is_alive()]
                full = self._over or len(self._callers) + self._shaking >= MAX_CALLERS
                self._shaking += not full
            if full:
                connection.close()
            else:
                threading.Thread(target=self._taken, args=(connection, address), daemon=True).start()

    def _taken(self, connection: socket.socket, address: Any) -> None:
        try:
            connection.settimeout(min(CONNECT_S, self._peer.timeout_s))
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            begun = self._begin(connection, address)
        except Exception:  # a caller's doing; the next one may be the archive
            begun = None
        with self._guard:
            self._shaking -= 1
            if begun is not None and not self._over:
                self._callers.append(begun)
                begun[0].start()
                return
        with contextlib.suppress(OSError):
            connection.close()

    def _begin(self, connection: socket.socket, address: Any) -> tuple[Any, Wire]:
        association = Association(self._entity, MODE_ACCEPTOR)
        fit(association, self._inbox, self._open_object)
        association.acse_timeout = min(CONNECT_S, self._peer.timeout_s)
        wire = Wire(association, client_socket=connection)
        wire.timeout_s = self._peer.timeout_s
        association.set_socket(wire)
        acceptor = association.acceptor
        acceptor.maximum_length = MAX_PDU
        acceptor.ae_title = self._peer.calling
        acceptor.address_info = AddressInformation.from_tuple(connection.getsockname())
        acceptor.implementation_class_uid = self._entity.implementation_class_uid
        acceptor.implementation_version_name = self._entity.implementation_version_name
        acceptor.supported_contexts = self._contexts
        association.requestor.address_info = AddressInformation.from_tuple(address)
        return association, wire


def local_address(peer: Peer) -> str:
    """The address of this machine from which the archive is reached: the narrowest that it can answer to."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_DGRAM)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(address)  # a datagram socket: nothing is sent
            return str(probe.getsockname()[0])
    except OSError:
        raise PacsError(
            "the archive's machine cannot be reached", where=peer.where, step="tcp", temporary=True,
            do="check the network",
        ) from None  # fmt: skip


@contextlib.contextmanager
def only_user_of(port: int, watch: Watch) -> Iterator[None]:
    """One C-MOVE of this program at a time for one port; the others wait."""
    with _PORTS_GUARD:
        lock = _PORTS.setdefault(port, threading.Lock())
    while not lock.acquire(timeout=_POLL_S):
        watch.check()
    try:
        yield
    finally:
        lock.release()
