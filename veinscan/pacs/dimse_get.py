"""C-GET: objects over the association that asks for them (PS3.4 C.4.3, PS3.7 9.3.3)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from pydicom import uid as syntaxes
from pynetdicom import sop_class
from pynetdicom.dimse_primitives import C_ECHO, C_GET, C_STORE

from veinscan.errors import PacsError
from veinscan.pacs.dimse_association import Line, associate, send
from veinscan.pacs.dimse_find import PLAIN_SYNTAXES, encoded
from veinscan.pacs.dimse_objects import Wanted, is_proper
from veinscan.pacs.dimse_peer import MAX_CONTEXTS, Asked, Watch
from veinscan.pacs.dimse_wire import Message
from veinscan.pacs.dimse_words import Said, failed, query_status
from veinscan.pacs.model import Fetched, InstanceRow

GET = sop_class.StudyRootQueryRetrieveInformationModelGet  # type: ignore[attr-defined]
NATIVE = (
    syntaxes.ExplicitVRLittleEndian,
    syntaxes.ImplicitVRLittleEndian,
    syntaxes.DeflatedExplicitVRLittleEndian,
    syntaxes.ExplicitVRBigEndian,
)
COMPRESSED = (
    syntaxes.JPEGBaseline8Bit,
    syntaxes.JPEGExtended12Bit,
    syntaxes.JPEGLossless,
    syntaxes.JPEGLosslessSV1,
    syntaxes.JPEGLSLossless,
    syntaxes.JPEGLSNearLossless,
    syntaxes.JPEG2000Lossless,
    syntaxes.JPEG2000,
    syntaxes.HTJ2KLossless,
    syntaxes.HTJ2KLosslessRPCL,
    syntaxes.HTJ2K,
    syntaxes.RLELossless,
    syntaxes.MPEG2MPML,
    syntaxes.MPEG2MPHL,
    syntaxes.MPEG4HP41,
    syntaxes.MPEG4HP41BD,
    syntaxes.MPEG4HP422D,
    syntaxes.MPEG4HP423D,
    syntaxes.MPEG4HP42STEREO,
    syntaxes.HEVCMP51,
    syntaxes.HEVCM10P51,
)
"""Every way an image or a loop may be stored; each in a context of its own, so that nothing is converted."""
WITHOUT_PIXELS = (
    "1.2.840.10008.5.1.4.1.1.88.",  # structured reports
    "1.2.840.10008.5.1.4.1.1.104.",  # encapsulated PDF and its like
    "1.2.840.10008.5.1.4.1.1.11.",  # presentation states
)
USUAL = (
    "1.2.840.10008.5.1.4.1.1.6.1",  # Ultrasound Image
    "1.2.840.10008.5.1.4.1.1.3.1",  # Ultrasound Multi-frame Image
    "1.2.840.10008.5.1.4.1.1.7",  # Secondary Capture
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
)
"""Kinds of object to take where an archive does not say which an object is of."""
BATCH = 64
"""Objects of one request."""
_PENDING = 0xFF00
_NOT_FOR_US = frozenset({0x0122, 0x0124, 0xA801})
"""Statuses that every object would get: not supported, not allowed, we are not known as a destination."""


def fetch_by_get(instances: Sequence[InstanceRow], folder: Path, watch: Watch) -> Iterator[Fetched]:
    """Each object as the archive keeps it; see `Archive.fetch`."""
    wanted = Wanted.of(instances, folder)
    for kinds, group in by_kind(instances):
        asked = [Asked(GET, PLAIN_SYNTAXES), *storage_contexts(kinds, receiving=True)]
        with associate(asked, watch, wanted.open_object) as line:
            wanted.contexts[line.association] = line.contexts
            context = line.context(GET)
            if context is None:
                raise PacsError(
                    "the archive offers no C-GET",
                    where=watch.peer.where,
                    do="set move_port and have its administrator enter our AE title with it (C-MOVE)",
                    step="get",
                )

            def ask(some: Sequence[InstanceRow], line: Line = line, context: Any = context) -> Retrieval:
                return Retrieval(line, context, C_GET, some)

            yield from retrieve(ask, group, wanted, line)


class Retrieval:
    """One C-GET or C-MOVE request and its end."""

    def __init__(
        self, line: Line, context: Any, kind: Any, instances: Sequence[InstanceRow], destination: str = ""
    ) -> None:
        first = instances[0]
        request = kind()
        request.MessageID = line.number()
        request.AffectedSOPClassUID = context.abstract_syntax
        request.Priority = 0
        if destination:
            request.MoveDestination = destination
        keys = {
            "QueryRetrieveLevel": "IMAGE",
            "StudyInstanceUID": first.study_instance_uid,
            "SeriesInstanceUID": first.series_instance_uid,
            # a list of UIDs, PS3.4 C.4.2.1.4.1 and C.4.3.1.3.1
            "SOPInstanceUID": "\\".join(one.sop_instance_uid for one in instances),
        }
        request.Identifier = BytesIO(encoded(keys, context.transfer_syntax[0]))
        self.request, self.kind, self._line, self._context = request, kind, line, context
        line.send(request, context.context_id)

    def status(self, answer: Any) -> int | None:
        """The final status; None for a pending one."""
        if not isinstance(answer, self.kind) or answer.MessageIDBeingRespondedTo != self.request.MessageID:
            raise self._line.unexpected()
        status = self._line.status(answer)
        return None if status == _PENDING else status

    def cancel(self, refuse: Callable[[Message], None]) -> None:
        """Ask the archive to send no more of it; `refuse` answers for what it sends still."""
        self._line.cancel(self._context.context_id, self.request.MessageID, self.kind, refuse)


Ask = Callable[[Sequence[InstanceRow]], Retrieval]
"""Sends a request for objects of one series."""


def retrieve(
    ask: Ask,
    instances: Sequence[InstanceRow],
    wanted: Wanted,
    line: Line,
) -> Iterator[Fetched]:
    """Objects in batches; what does not come with its batch is asked for once more, alone."""
    for batch in _batches(instances):
        asked = [one for one in batch if one.sop_instance_uid in wanted.instances]
        status = 0x0000
        if asked:
            status = yield from _one_request(ask, asked, wanted, line)
        # some archives take no list of UIDs, or give up a whole batch for one object
        alone = len(asked) > 1
        nothing = all(one.sop_instance_uid in wanted.instances for one in asked)
        for instance in batch:
            if is_proper(instance) and instance.sop_instance_uid not in wanted.instances:
                continue
            if alone and is_proper(instance):
                status = yield from _one_request(ask, [instance], wanted, line)
            if wanted.instances.pop(instance.sop_instance_uid, None) or not is_proper(instance):
                alone = alone and not (nothing and _is_failure(status))
                yield Fetched(instance, None, error=_missing(instance, status, line))


def _is_failure(status: int) -> bool:
    return status != 0x0000 and status & 0xF000 != 0xB000


def _one_request(
    ask: Ask,
    instances: Sequence[InstanceRow],
    wanted: Wanted,
    line: Line,
) -> Generator[Fetched, None, int]:
    """Objects as they come; the final status is the generator's value."""
    line.watch.again()
    retrieval = ask(instances)
    over = False
    pending = 0
    try:
        while True:
            message = line.next()
            primitive: Any = message.primitive
            if isinstance(primitive, C_STORE) and primitive.MessageIDBeingRespondedTo is None:
                fetched = wanted.settle(message, line)
                if fetched is not None:
                    pending = 0
                    yield fetched
                    line.watch.again()
                continue
            if isinstance(primitive, C_ECHO):
                _echo_back(message)
                continue
            if message.association is not line.association:
                raise line.unexpected()
            status = retrieval.status(primitive)
            if status is not None:
                over = True
                if status in _NOT_FOR_US:
                    raise failed(
                        "fetching",
                        query_status(status),
                        status,
                        where=line.watch.peer.where,
                        step=line.watch.step,
                    )
                return status
            pending += 1
            if pending > 10 * len(instances) + 100_000:
                over = True
                raise line.unexpected()
    except PacsError:
        over = True
        raise
    finally:
        if not over:
            retrieval.cancel(wanted.refuse)


def _echo_back(message: Any) -> None:
    answer = C_ECHO()
    answer.MessageIDBeingRespondedTo = message.primitive.MessageID
    answer.AffectedSOPClassUID = message.primitive.AffectedSOPClassUID
    answer.Status = 0x0000
    send(message.association, answer, message.context_id)


def _missing(instance: InstanceRow, status: int, line: Line) -> PacsError:
    if _is_failure(status):
        said = query_status(status)
    else:
        said = Said("it said nothing of it", do="look into the archive's log")
    return PacsError(
        f"the archive did not send the object: {said.reason}",
        where=instance.sop_instance_uid,
        do=said.do,
        step=line.watch.step,
        temporary=said.temporary,
    )


def _batches(instances: Sequence[InstanceRow]) -> Iterator[Sequence[InstanceRow]]:
    """Objects of one series, at most `BATCH` together."""

    def series(one: InstanceRow) -> tuple[str, str]:
        return one.study_instance_uid, one.series_instance_uid

    for _, group in groupby(instances, key=series):
        held = list(group)
        yield from (held[start : start + BATCH] for start in range(0, len(held), BATCH))


def storage_contexts(kinds: Iterable[str], *, receiving: bool) -> list[Asked]:
    """One context for each kind and way of storing, so that none is converted into another."""
    return [
        Asked(kind, (syntax,), receiving)
        for kind in kinds
        for syntax in (NATIVE if kind.startswith(WITHOUT_PIXELS) else NATIVE + COMPRESSED)
    ]


def by_kind(instances: Sequence[InstanceRow]) -> Iterator[tuple[tuple[str, ...], list[InstanceRow]]]:
    """Objects in groups whose kinds fit into one association, each with its kinds; in order otherwise."""
    kinds = list(dict.fromkeys(one.sop_class_uid for one in instances))
    groups: list[tuple[str, ...]] = []
    held: list[str] = []
    for kind in kinds:
        more = [one for one in ((kind,) if kind else USUAL) if one not in held]
        if held and len(storage_contexts([*held, *more], receiving=True)) >= MAX_CONTEXTS:
            groups.append(tuple(held))
            held, more = [], [kind] if kind else list(USUAL)
        held += more
    groups.append(tuple(held))
    done: set[str] = set()
    for group in groups:
        mine = [
            one
            for one in instances
            if one.sop_instance_uid not in done
            and set((one.sop_class_uid,) if one.sop_class_uid else USUAL) <= set(group)
        ]
        done.update(one.sop_instance_uid for one in mine)
        if mine:
            yield group, mine
