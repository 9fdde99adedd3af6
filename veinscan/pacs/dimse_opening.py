"""Opening an association: our bounded parts put in, and in words why it did not come about."""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from pynetdicom import AE, build_role, evt
from pynetdicom._globals import MODE_REQUESTOR
from pynetdicom.association import Association
from pynetdicom.presentation import build_context
from pynetdicom.transport import AddressInformation

from veinscan.errors import PacsError
from veinscan.pacs.answers import connection_error
from veinscan.pacs.dimse_peer import CONNECT_S, POLL_S, Asked, Peer, Watch, senseless
from veinscan.pacs.dimse_wire import MAX_PDU, Dul, Message, Messages, TooMuchError, Wire, telling, tls_client
from veinscan.pacs.dimse_words import rejected
from veinscan.pacs.doctor_line import resolve
from veinscan.pacs.quiet import quiet as without_text


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


def prepared(
    asked: Sequence[Asked], peer: Peer, inbox: queue.Queue[Message], open_object: Any
) -> tuple[Any, Wire]:
    """An association that has not begun, and its connection that is not open.

    Raises PacsError with step 'name' where there is no such machine.
    """
    entity = own_ae(peer)
    association = Association(entity, MODE_REQUESTOR)
    fit(association, inbox, open_object)
    found = resolve(peer.host, peer.port, limit_s=min(CONNECT_S, peer.timeout_s))
    # as pynetdicom: IPv4 where there is one
    host = min(found, key=lambda one: one[0] != socket.AF_INET)[1][0]
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


def request(association: Any, wire: Wire, watch: Watch) -> None:
    """Connect and associate.

    Raises PacsError with step 'tcp', 'tls' or 'association', and CancelledError after a stop.
    """
    asking = threading.Thread(target=quietly, args=(association.request,), daemon=True)
    asking.start()
    until = time.monotonic() + association.ae.connection_timeout + watch.peer.timeout_s
    while asking.is_alive():
        asking.join(POLL_S)
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
        return senseless("what is not DICOM", watch)
    return PacsError(
        "the archive ended the connection instead of answering",
        where=peer.where,
        do="check that the port is the archive's DICOM port and whether it uses TLS; its log may say why",
        step="association",
        temporary=True,
    )


def accepted(association: Any, asked: Sequence[Asked]) -> dict[int, Any]:
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


def quietly(call: Callable[[], object]) -> None:
    """Call it; what it stumbles over is seen by what it left undone."""
    with contextlib.suppress(Exception):
        call()
