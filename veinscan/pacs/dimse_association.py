"""An association with an archive: opened, used and ended within time limits, and asked to stop at any time.

pynetdicom's own `send_c_find` and its like wait in one piece, write identifiers
into the log and keep objects in memory; here its association, upper layer and
messages are used one level lower, in the thread of the caller.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pynetdicom import AE, build_role, evt
from pynetdicom._globals import MODE_REQUESTOR
from pynetdicom.association import Association
from pynetdicom.dimse_primitives import C_CANCEL
from pynetdicom.presentation import build_context
from pynetdicom.transport import AddressInformation

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.answers import connection_error
from veinscan.pacs.archive import Stop
from veinscan.pacs.dimse_wire import (
    MAX_PDU,
    Dul,
    Message,
    Messages,
    TooMuchError,
    Wire,
    telling,
    tls_client,
)
from veinscan.pacs.dimse_words import rejected
from veinscan.pacs.quiet import quiet as without_text

CONNECT_S = 10.0
"""The longest wait for a TCP connection and its TLS handshake."""
MAX_CONTEXTS = 128
"""Presentation contexts of one association: odd numbers from 1 to 255 (PS3.8 9.3.2.2)."""
_POLL_S = 0.05
"""How soon a stop is noticed."""
_GOODBYE_S = 2.0
"""The longest wait for the other side when an association ends."""
_TRICKLE = 1024
"""Bytes that must have moved in each second of a long message, on average."""
_CANCEL_S = 2.0
"""The longest wait for an archive to confirm a C-CANCEL."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom to associate with, as whom, and for how long at most."""

    title: str
    host: str
    port: int
    calling: str
    where: str
    """How sentences name the archive."""
    timeout_s: float = 60.0
    transfer_timeout_s: float = 1800.0
    tls: Callable[[], ssl.SSLContext] | None = field(default=None, repr=False)


@dataclass(slots=True)
class Watch:
    """How long something may go on, and who may stop it."""

    peer: Peer
    step: str
    stop: Stop | None = None
    until: float = field(init=False)

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """A new transfer begins: its time counts from here."""
        self.until = time.monotonic() + self.peer.transfer_timeout_s

    def check(self) -> None:
        """CancelledError after a stop, PacsError after the time for the whole."""
        if self.stop is not None and self.stop():
            raise CancelledError("stopped", where=self.peer.where)
        if time.monotonic() > self.until:
            raise PacsError(
                f"the archive took longer than {self.peer.transfer_timeout_s:g} s in all",
                where=self.peer.where,
                do="try again, or raise transfer_timeout_s in the settings",
                step=self.step,
                temporary=True,
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """A presentation context to propose."""

    abstract: str
    transfers: Sequence[str]
    receiving: bool = False
    """We play the part of the storage for it (C-GET; PS3.7 D.3.3.4)."""


@dataclass(slots=True)
class Line:
    """An open association."""

    association: Any
    wire: Wire
    inbox: queue.Queue[Message]
    watch: Watch
    contexts: dict[int, Any]
    _count: int = 0

    def context(self, abstract: str, transfer: str | None = None) -> Any:
        """An accepted context for a kind of object (and transfer syntax), or None."""
        for one in self.contexts.values():
            if one.abstract_syntax == abstract and transfer in (None, one.transfer_syntax[0]):
                return one
        return None

    def number(self) -> int:
        """A new Message ID."""
        self._count = self._count % 0xFFFF + 1
        return self._count

    def send(self, primitive: Any, context_id: int) -> None:
        """Put a message without a large data set on its way."""
        self.association.dimse.send_msg(primitive, context_id)

    def next(self) -> Message:
        """The next message of the peer.

        Raises
        ------
        CancelledError
            `stop` says so.
        PacsError
            The time is over, or the connection ended.
        """
        started = time.monotonic()
        moved = self.wire.moved
        while True:
            self.watch.check()
            with contextlib.suppress(queue.Empty):
                message = self.inbox.get(timeout=_POLL_S)
                if message.primitive is not None:
                    return message
                if message.association is self.association:
                    raise self.ended()
                continue
            waited = time.monotonic() - started
            timeout = self.watch.peer.timeout_s
            if waited > timeout and self.wire.moved - moved < waited * _TRICKLE:
                raise self.silent()

    def silent(self) -> PacsError:
        """The sentence for a peer that does not answer."""
        return PacsError(
            f"the archive did not answer within {self.watch.peer.timeout_s:g} s",
            where=self.watch.peer.where,
            do="try again, or raise timeout_s in the settings",
            step=self.watch.step,
            temporary=True,
        )

    def status(self, answer: Any) -> int:
        """The status of an answer, which has to have one."""
        if answer.Status is None:
            raise self.unexpected()
        return int(answer.Status)

    def unexpected(self) -> PacsError:
        """The sentence for a message that has no place in what goes on."""
        return PacsError(
            "the archive answered something else than was asked",
            where=self.watch.peer.where,
            do="ask its administrator",
            step=self.watch.step,
        )

    def ended(self) -> PacsError:
        """The sentence for a connection that ended before its time, and why as far as is known."""
        problem = self.association.dimse.problem or self.wire.problem
        if isinstance(problem, TooMuchError):
            return _senseless(str(problem), self.watch)
        if problem is not None and not isinstance(problem, OSError):
            return _senseless(f"a message that cannot be read ({type(problem).__name__})", self.watch)
        if self.association.dul.problem is not None:
            return _senseless("what is not DICOM", self.watch)
        return PacsError(
            "the archive was too slow within a message"
            if isinstance(problem, TimeoutError)
            else "the archive ended the connection before it had answered",
            where=self.watch.peer.where,
            do="try again; the archive's log may say why",
            step=self.watch.step,
            temporary=True,
        )

    def cancel(self, context_id: int, message_id: int, final: Any) -> None:
        """Send C-CANCEL (PS3.7 9.3.2.3) and give the archive a moment to confirm it."""
        primitive = C_CANCEL()
        primitive.MessageIDBeingRespondedTo = message_id
        self.send(primitive, context_id)
        until = time.monotonic() + min(_CANCEL_S, self.watch.peer.timeout_s)
        while (left := until - time.monotonic()) > 0:
            try:
                message = self.inbox.get(timeout=left)
            except queue.Empty:
                return
            if hasattr(message.body, "discard"):
                message.body.discard()
            if message.primitive is None or (
                isinstance(message.primitive, final) and message.primitive.Status not in (0xFF00, 0xFF01)
            ):
                return


def reason_of(error: OSError) -> str:
    """What the system says, without any path."""
    return (error.strerror or "unknown reason").lower()


def _senseless(what: str, watch: Watch) -> PacsError:
    return PacsError(
        f"the other side sent {what}",
        where=watch.peer.where,
        do="check that host and port are those of the archive",
        step=watch.step,
    )


@contextlib.contextmanager
def associate(
    asked: Sequence[Asked], watch: Watch, open_object: Callable[[Any, int | None, Any], Any] | None = None
) -> Iterator[Line]:
    """An association with the archive, ended whatever happens.

    Parameters
    ----------
    asked : sequence of Asked
        Presentation contexts, at most `MAX_CONTEXTS`.
    watch : Watch
    open_object : callable, optional
        See `veinscan.pacs.dimse_wire.Messages`.

    Raises
    ------
    PacsError
        step 'name', 'tcp', 'tls' or 'association'.
    CancelledError
        `watch.stop` says so.
    """
    inbox: queue.Queue[Message] = queue.Queue()
    association, wire = _prepare(asked, watch.peer, inbox, open_object)
    polite = False
    try:
        _open(association, wire, watch)
        contexts = _accepted(association, asked)
        yield Line(association, wire, inbox, watch, contexts)
        polite = True
    except CancelledError:
        polite = True
        raise
    finally:
        end(association, wire, polite=polite)
        throw_away(inbox)


def throw_away(inbox: queue.Queue[Message]) -> None:
    """What arrived and was not looked at."""
    with contextlib.suppress(queue.Empty):
        while True:
            body = inbox.get_nowait().body
            if hasattr(body, "discard"):
                body.discard()


def own_ae(peer: Peer) -> Any:
    """Our side of an association, with our limits; from here on pynetdicom's log has no text."""
    without_text("pynetdicom")
    entity = AE(ae_title=peer.calling)
    entity.acse_timeout = entity.dimse_timeout = peer.timeout_s
    entity.connection_timeout = min(CONNECT_S, peer.timeout_s)
    entity.network_timeout = None  # who waits for what is for the caller to say
    entity.maximum_pdu_size = MAX_PDU
    return entity


def fit(association: Any, inbox: queue.Queue[Message], open_object: Any) -> None:
    """Put our bounded parts into an association that has not begun."""
    entity = association.ae
    association.dul = Dul(association)
    association.dul.daemon = True
    association.dimse = Messages(association, inbox, open_object)
    association.acse_timeout = entity.acse_timeout
    association.network_timeout = entity.network_timeout
    for event in association.get_events():
        if isinstance(event, evt.NotificationEvent):
            # pynetdicom's own, which write every message into its log
            for handler, _ in tuple(association.get_handlers(event)):
                association.unbind(event, handler)


def _prepare(asked: Sequence[Asked], peer: Peer, inbox: queue.Queue[Message], open_object: Any) -> Any:
    entity = own_ae(peer)
    association = Association(entity, MODE_REQUESTOR)
    fit(association, inbox, open_object)
    host = _resolved(peer)
    local = AddressInformation.from_tuple(("", 0) if ":" not in host else ("::0", 0))
    wire = Wire(association, address=local)
    wire.timeout_s = peer.timeout_s
    bound: Any = wire.socket
    made = telling(socket.socket, wire)(bound.family, bound.type, fileno=bound.detach())
    wire.socket = made
    if peer.tls is not None:
        wire.tls_args = (tls_client(peer.tls(), wire), peer.host)
    association.set_socket(wire)
    association.acceptor.ae_title = peer.title
    association.acceptor.address_info = AddressInformation.from_tuple((host, peer.port))
    requestor = association.requestor
    requestor.address_info = local
    requestor.ae_title = peer.calling
    requestor.maximum_length = MAX_PDU
    requestor.implementation_class_uid = entity.implementation_class_uid
    requestor.implementation_version_name = entity.implementation_version_name
    contexts = [build_context(one.abstract, list(one.transfers)) for one in asked]
    for place, context in enumerate(contexts):
        context.context_id = 2 * place + 1
    requestor.requested_contexts = contexts
    for abstract in dict.fromkeys(one.abstract for one in asked if one.receiving):
        requestor.add_negotiation_item(build_role(abstract, scp_role=True))
    return association, wire


def _resolved(peer: Peer) -> str:
    try:
        found: Any = socket.getaddrinfo(peer.host, peer.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise connection_error(
            error if isinstance(error, OSError) else socket.gaierror(), step="name", where=peer.where
        ) from None
    # as pynetdicom: IPv4 where there is one
    return str(min(found, key=lambda one: one[0] != socket.AF_INET)[4][0])


def _open(association: Any, wire: Wire, watch: Watch) -> None:
    asking = threading.Thread(target=_quietly, args=(association.request,), daemon=True)
    asking.start()
    until = time.monotonic() + association.ae.connection_timeout + watch.peer.timeout_s
    while asking.is_alive():
        asking.join(_POLL_S)
        watch.check()
        if time.monotonic() > until:
            raise PacsError(
                f"no association within {watch.peer.timeout_s:g} s: a connection is there, and no answer",
                where=watch.peer.where,
                do="check that the port is the archive's DICOM port, and whether it uses TLS",
                step="association",
                temporary=True,
            )
    if not association.is_established:
        raise _not_open(association, wire, watch)
    association.start()


def _not_open(association: Any, wire: Wire, watch: Watch) -> PacsError:
    peer = watch.peer
    answer = association.acceptor.primitive
    if association.is_rejected:
        return rejected(
            answer.result,
            answer.result_source,
            answer.diagnostic,
            called=peer.title,
            calling=peer.calling,
            where=peer.where,
        )
    problem = wire.problem
    if isinstance(problem, ssl.SSLError):
        return connection_error(problem, step="tls", where=peer.where)
    if isinstance(problem, OSError) and answer is None and wire.moved == 0:
        refused = isinstance(problem, ConnectionRefusedError)
        return PacsError(
            f"nothing listens at port {peer.port}" if refused else f"port {peer.port} cannot be reached",
            where=peer.where,
            do="check host and port, and whether the archive runs and a firewall lets us through",
            step="tcp",
            temporary=True,
        )
    if answer is not None and answer.result == 0:
        return PacsError(
            "the archive offers nothing of what is needed", where=peer.where, step="association",
            do="ask its administrator to allow query and retrieve for our AE title",
        )  # fmt: skip
    if isinstance(problem, TooMuchError) or association.dul.problem is not None:
        watch.step = "association"
        return _senseless("what is not DICOM", watch)
    return PacsError(
        "the archive ended the connection instead of answering",
        where=peer.where,
        do="check that the port is the archive's DICOM port and whether it uses TLS; its log may say why",
        step="association",
        temporary=True,
    )


def _accepted(association: Any, asked: Sequence[Asked]) -> dict[int, Any]:
    """Accepted contexts by number; one whose transfer syntax was not proposed is none."""
    proposed = {2 * place + 1: one for place, one in enumerate(asked)}
    return {
        one.context_id: one
        for one in association.accepted_contexts
        if one.context_id in proposed
        and one.abstract_syntax == proposed[one.context_id].abstract
        and one.transfer_syntax
        and one.transfer_syntax[0] in proposed[one.context_id].transfers
    }


def end(association: Any, wire: Wire, *, polite: bool) -> None:
    """Release or abort; the connection is closed afterwards, whatever the other side does."""
    dimse = association.dimse
    dimse.close()
    association.acse_timeout = min(_GOODBYE_S, association.acse_timeout)
    goodbye = association.release if polite and association.is_established else association.abort
    _bounded(goodbye, _GOODBYE_S)
    wire.cut()
    association.dul.kill_dul()
    if association.dul.is_alive():
        _bounded(association.abort, _GOODBYE_S)
        association.dul.join(_GOODBYE_S)
    dimse.discard()


def _bounded(call: Callable[[], object], seconds: float) -> None:
    thread = threading.Thread(target=_quietly, args=(call,), daemon=True)
    thread.start()
    thread.join(seconds)


def _quietly(call: Callable[[], object]) -> None:
    with contextlib.suppress(Exception):
        call()
