"""An association with an archive: opened, used and ended within time limits, and asked to stop at any time.

pynetdicom's own `send_c_find` and its like wait in one piece, write identifiers
into the log and keep objects in memory; here its association, upper layer and
messages are used one level lower, in the thread of the caller.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pynetdicom.dimse_primitives import C_CANCEL

from veinscan.dicom.header import quiet
from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.dimse_opening import accepted, prepared, quietly, request
from veinscan.pacs.dimse_peer import CONNECT_S, POLL_S, Asked, Watch, senseless
from veinscan.pacs.dimse_wire import Message, TooMuchError, Wire

__all__ = ["CONNECT_S", "Asked", "Line", "Watch", "associate", "end", "send"]

_GOODBYE_S = 2.0
"""The longest wait for the other side when an association ends."""
_TRICKLE = 1024
"""Bytes that must have moved in each second of a long message, on average."""
_CANCEL_S = 2.0
"""The longest wait for an archive to confirm a C-CANCEL."""


@dataclass(slots=True)
class Line:
    """An open association."""

    association: Any
    wire: Wire
    inbox: queue.Queue[Message]
    watch: Watch
    contexts: dict[int, Any]
    answers: bool = True
    """False while it cannot answer a release: it did not confirm a C-CANCEL, or has got half of an object."""
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
        send(self.association, primitive, context_id)

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
                message = self.inbox.get(timeout=POLL_S)
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
            return senseless(str(problem), self.watch)
        if problem is not None and not isinstance(problem, OSError):
            return senseless(f"a message that cannot be read ({type(problem).__name__})", self.watch)
        if self.association.dul.problem is not None:
            return senseless("what is not DICOM", self.watch)
        return PacsError(
            "the archive was too slow within a message"
            if isinstance(problem, TimeoutError)
            else "the archive ended the connection before it had answered",
            where=self.watch.peer.where,
            do="try again; the archive's log may say why",
            step=self.watch.step,
            temporary=True,
        )

    def cancel(
        self,
        context_id: int,
        message_id: int,
        final: Any,
        refuse: Callable[[Message], None] = lambda message: None,
    ) -> None:
        """Send C-CANCEL (PS3.7 9.3.2.3) and give the archive a moment to confirm it.

        `refuse` is given what comes before the response of kind `final`.
        """
        primitive = C_CANCEL()
        primitive.MessageIDBeingRespondedTo = message_id
        self.send(primitive, context_id)
        self.answers = False
        until = time.monotonic() + min(_CANCEL_S, self.watch.peer.timeout_s)
        while (left := until - time.monotonic()) > 0:
            try:
                message = self.inbox.get(timeout=left)
            except queue.Empty:
                return
            if message.primitive is None:
                return
            if not isinstance(message.primitive, final):
                refuse(message)
            elif message.primitive.Status not in (0xFF00, 0xFF01):
                self.answers = True
                return


def send(association: Any, primitive: Any, context_id: int) -> None:
    """Put a message on its way; what pydicom has to say of its values is not for any log."""
    with quiet():
        association.dimse.send_msg(primitive, context_id)


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
    association, wire = prepared(asked, watch.peer, inbox, open_object)
    line: Line | None = None
    polite = False
    try:
        request(association, wire, watch)
        line = Line(association, wire, inbox, watch, accepted(association, asked))
        yield line
        polite = True
    except (CancelledError, GeneratorExit):
        polite = True
        raise
    finally:
        end(association, wire, polite=polite and line is not None and line.answers)
        throw_away(inbox)


def throw_away(inbox: queue.Queue[Message]) -> None:
    """What arrived and was not looked at."""
    with contextlib.suppress(queue.Empty):
        while True:
            body = inbox.get_nowait().body
            if hasattr(body, "discard"):
                body.discard()


def end(association: Any, wire: Wire, *, polite: bool) -> None:
    """Release or abort; the connection is closed afterwards, whatever the other side does."""
    dimse = association.dimse
    dimse.close()
    association.acse_timeout = min(_GOODBYE_S, association.acse_timeout)
    goodbye = association.release if polite and association.is_established else association.abort
    _bounded(goodbye, _GOODBYE_S)
    wire.cut()
    association.dul.kill_dul()
    association.dul.to_user_queue.put(None)  # whoever waits for an answer to the association waits no more
    if association.dul.is_alive():
        _bounded(association.abort, _GOODBYE_S)
        association.dul.join(_GOODBYE_S)
    dimse.discard()


def _bounded(call: Callable[[], object], seconds: float) -> None:
    thread = threading.Thread(target=quietly, args=(call,), daemon=True)
    thread.start()
    thread.join(seconds)
