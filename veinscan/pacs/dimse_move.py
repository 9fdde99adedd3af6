"""C-MOVE: the archive sends objects to us as to any other storage (PS3.4 C.4.2, PS3.7 9.3.4)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

from pynetdicom import sop_class
from pynetdicom.dimse_primitives import C_MOVE

from veinscan.errors import PacsError
from veinscan.pacs.dimse_association import associate
from veinscan.pacs.dimse_find import PLAIN_SYNTAXES
from veinscan.pacs.dimse_get import COMPRESSED, NATIVE, USUAL, Retrieval, retrieve
from veinscan.pacs.dimse_listener import Listener, only_user_of
from veinscan.pacs.dimse_objects import Wanted
from veinscan.pacs.dimse_peer import Asked, Watch
from veinscan.pacs.model import Fetched, InstanceRow

MOVE = sop_class.StudyRootQueryRetrieveInformationModelMove  # type: ignore[attr-defined]


def fetch_by_move(
    instances: Sequence[InstanceRow],
    folder: Path,
    watch: Watch,
    port: int,
    tls: ssl.SSLContext | None = None,
) -> Iterator[Fetched]:
    """Each object as the archive keeps it, sent to `port` of ours; see `Archive.fetch`.

    `tls`: our side as a server, where the archive speaks TLS.
    """
    wanted = Wanted.of(instances, folder)
    kinds = dict.fromkeys(one.sop_class_uid for one in instances if one.sop_class_uid)
    if not all(one.sop_class_uid for one in instances):
        kinds |= dict.fromkeys(USUAL)
    # of what the archive proposes for one object, the compressed way is the one it is stored in
    ways = [(kind, (*COMPRESSED, *NATIVE)) for kind in kinds]
    with only_user_of(port, watch), associate([Asked(MOVE, PLAIN_SYNTAXES)], watch) as line:
        context = line.context(MOVE)
        if context is None:
            raise PacsError(
                "the archive offers no C-MOVE",
                where=watch.peer.where,
                do="ask its administrator to allow it for our AE title",
                step="move",
            )
        listener = Listener(watch.peer, line.inbox, ways, wanted.open_object, tls)
        try:
            listener.open(port)

            def ask(some: Sequence[InstanceRow]) -> Retrieval:
                return Retrieval(line, context, C_MOVE, some, destination=watch.peer.calling)

            yield from retrieve(ask, list(instances), wanted, line)
        finally:
            listener.close()
