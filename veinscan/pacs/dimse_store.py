"""C-STORE: files as they are, byte for byte, in the transfer syntax they are written in (PS3.4 annex B)."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dsutils import split_dataset
from pynetdicom.pdu_primitives import P_DATA

from veinscan.dicom.guard import only_veinscan_errors
from veinscan.dicom.header import quiet
from veinscan.dicom.values import uid
from veinscan.errors import CancelledError, InvalidInputError, PacsError, UnreadableError
from veinscan.pacs.dimse_association import Line, associate
from veinscan.pacs.dimse_peer import MAX_CONTEXTS, Asked, Watch, reason_of
from veinscan.pacs.dimse_wire import MAX_PDU
from veinscan.pacs.dimse_words import store_status, store_warning
from veinscan.pacs.model import StoreOutcome

_QUEUED = 128
"""PDUs that wait to be sent: a long loop is read as fast as it goes out, and no faster."""
_LAST_OF_COMMAND, _MORE_DATA, _LAST_OF_DATA = 3, b"\x00", b"\x02"
"""Message control headers (PS3.8 E.2)."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A Part 10 file, as far as sending it needs to know."""

    path: Path
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    offset: int
    """Where the data set begins, in bytes."""


def outgoing(path: Path) -> Outgoing:
    """What is in a file; InvalidInputError where it is no Part 10 file that says what it holds."""
    try:
        with quiet(), only_veinscan_errors("it cannot be read", where=path.name):
            meta, offset = split_dataset(path)
            found = Outgoing(
                path,
                uid(meta, "MediaStorageSOPClassUID"),
                uid(meta, "MediaStorageSOPInstanceUID"),
                uid(meta, "TransferSyntaxUID"),
                offset,
            )
            empty = path.stat().st_size <= offset
    except UnreadableError:
        raise _no_object(path) from None
    if empty or not (found.sop_class and found.sop_instance and found.transfer_syntax):
        raise _no_object(path)
    return found


def _no_object(path: Path) -> InvalidInputError:
    return InvalidInputError(
        "this is no DICOM file that can be sent (PS3.10 7.1)", where=path.name, do="leave it out"
    )


def store(files: Sequence[Path], make_watch: Callable[[], Watch]) -> tuple[StoreOutcome, ...]:
    """One outcome for each file, in order; see `Archive.store`.

    `make_watch` begins the time of a transfer anew for each association.
    """
    todo: dict[int, Outgoing] = {}
    done: dict[int, StoreOutcome] = {}
    for place, path in enumerate(files):
        try:
            todo[place] = outgoing(path)
        except InvalidInputError as error:
            done[place] = StoreOutcome(sop_instance_uid="", accepted=False, reason=str(error))
    failures = 0
    while todo:
        some = _one_association(todo)
        watch = make_watch()
        sending: int | None = None
        before = len(done)
        try:
            with associate(_contexts(some.values()), watch) as line:
                for place, one in some.items():
                    sending = place
                    done[place] = _send(one, line)
                    del todo[place]
                    watch.again()
        except CancelledError:
            raise
        except PacsError as error:
            failures += 1
            if sending is None:
                if not done or _only_unreadable(done):
                    raise
                rest = list(todo)
            else:
                # what was being sent may be what the archive stumbles over; the others get another connection
                rest = [sending] if failures < 3 or len(done) > before else list(todo)
            for place in rest:
                one = todo.pop(place)
                done[place] = StoreOutcome(
                    sop_instance_uid=one.sop_instance,
                    accepted=False,
                    reason=str(error),
                    temporary=error.temporary,
                )
    return tuple(done[place] for place in range(len(files)))


def _only_unreadable(done: dict[int, StoreOutcome]) -> bool:
    return not any(one.sop_instance_uid for one in done.values())


def _one_association(todo: dict[int, Outgoing]) -> dict[int, Outgoing]:
    """As many files, in order, as have contexts in one association."""
    kinds: set[tuple[str, str]] = set()
    some: dict[int, Outgoing] = {}
    for place, one in todo.items():
        kinds.add((one.sop_class, one.transfer_syntax))
        if len(kinds) > MAX_CONTEXTS:
            break
        some[place] = one
    return some


def _contexts(some: Any) -> list[Asked]:
    """One for each kind in each transfer syntax, so that what is accepted is what the file is."""
    pairs = dict.fromkeys((one.sop_class, one.transfer_syntax) for one in some)
    return [Asked(kind, (syntax,)) for kind, syntax in pairs]


def _send(one: Outgoing, line: Line) -> StoreOutcome:
    context = line.context(one.sop_class, one.transfer_syntax)
    if context is None:
        return StoreOutcome(
            sop_instance_uid=one.sop_instance,
            accepted=False,
            reason="the archive does not take this kind of object in this transfer syntax",
        )
    request = C_STORE()
    request.MessageID = line.number()
    request.AffectedSOPClassUID = one.sop_class
    request.AffectedSOPInstanceUID = one.sop_instance
    request.Priority = 0
    request.DataSet = BytesIO(b"\0")  # says that there is one; the file itself follows
    line.answers = False  # who leaves half of an object behind aborts
    with contextlib.closing(_pieces(request, context.context_id, one, line)) as pieces:
        for piece in pieces:
            _put(piece, line)
    while True:
        answer: Any = line.next().primitive
        if isinstance(answer, C_STORE) and answer.MessageIDBeingRespondedTo == request.MessageID:
            line.answers = True
            return _outcome(one, line.status(answer))
        raise line.unexpected()


def _pieces(request: Any, context_id: int, one: Outgoing, line: Line) -> Generator[Any, None, None]:
    """The command set, then the data set straight from the file."""
    message = C_STORE_RQ()
    message.primitive_to_message(request)
    most = line.association.dimse.maximum_pdu_size or MAX_PDU
    most = max(min(most, MAX_PDU), 128)
    for piece in message.encode_msg(context_id, most):
        yield piece
        if piece.presentation_data_value_list[0][1][0] & _LAST_OF_COMMAND == _LAST_OF_COMMAND:
            break
    try:
        with one.path.open("rb") as file:
            file.seek(one.offset)
            data = file.read(most - 6)
            while data:
                following = file.read(most - 6)
                yield _piece(context_id, (_MORE_DATA if following else _LAST_OF_DATA) + data)
                data = following
    except OSError as error:
        raise PacsError(
            f"the file cannot be read ({reason_of(error)})",
            where=one.path.name,
            step="store",
        ) from None


def _piece(context_id: int, value: bytes) -> Any:
    piece = P_DATA()
    piece.presentation_data_value_list.append((context_id, value))
    return piece


def _put(piece: Any, line: Line) -> None:
    upper = line.association.dul
    while upper.to_provider_queue.qsize() >= _QUEUED:
        line.watch.check()
        if not line.inbox.empty():
            line.next()  # the end of the association raises; an answer before its time has no place
            raise line.unexpected()
        time.sleep(0.0005)
    upper.send_pdu(piece)


def _outcome(one: Outgoing, status: int) -> StoreOutcome:
    warning = store_warning(status)
    if status == 0x0000 or warning:
        return StoreOutcome(
            sop_instance_uid=one.sop_instance, accepted=True, code=status or None, reason=warning
        )
    if status == 0x0111:
        # PS3.7 annex C: it has it already, as after a send whose answer was lost
        return StoreOutcome(
            sop_instance_uid=one.sop_instance, accepted=True, code=status, reason="the archive has it already"
        )
    said = store_status(status)
    reason = f"the archive refused it: {said.reason} (status {status:04X})"
    return StoreOutcome(
        sop_instance_uid=one.sop_instance,
        accepted=False,
        code=status,
        reason=f"{reason}; {said.do}" if said.do else reason,
        temporary=said.temporary,
    )
