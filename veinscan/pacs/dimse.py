"""An archive over DIMSE: C-ECHO, C-FIND, C-GET or C-MOVE, C-STORE (PS3.4 annexes B and C, PS3.7).

Each call has an association of its own, so that any thread may make one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pynetdicom.dimse_primitives import C_ECHO
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from veinscan.dicom.guard import clean_uid
from veinscan.errors import InvalidInputError
from veinscan.pacs import dimse_find
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.config import PacsConfig
from veinscan.pacs.dimse_association import associate
from veinscan.pacs.dimse_find import ASK_FIND, PLAIN_SYNTAXES
from veinscan.pacs.dimse_get import fetch_by_get
from veinscan.pacs.dimse_move import fetch_by_move
from veinscan.pacs.dimse_peer import Asked, Peer, Watch
from veinscan.pacs.dimse_store import store
from veinscan.pacs.dimse_tls import server_context
from veinscan.pacs.model import Fetched, InstanceRow, StoreOutcome, StudyQuery, StudyRows
from veinscan.pacs.transport import tls_context


def peer_of(config: PacsConfig) -> Peer:
    """Whom a configuration names; InvalidInputError where it has no DIMSE address."""
    title, _, address = config.dimse.rpartition("@")
    host, _, port = address.rpartition(":")
    if not (title and host and port.isdigit()):
        raise InvalidInputError(
            "this archive has no DIMSE address", where=config.where, do='add dimse = "AET@host:port"'
        )
    return Peer(
        title=title.strip(),
        host=host.strip("[]"),
        port=int(port),
        calling=config.calling_aet.strip(),
        where=config.where,
        timeout_s=config.timeout_s,
        transfer_timeout_s=config.transfer_timeout_s,
        tls=(lambda: tls_context(config)) if config.dimse_tls else None,
    )


class DimseArchive(Archive):
    """`veinscan.pacs.archive.Archive` over DIMSE.

    Parameters
    ----------
    config : PacsConfig
        With `dimse`; where it has a `move_port`, objects come by C-MOVE to it, otherwise by C-GET.
    """

    can_fetch_frames = False
    """DIMSE gives whole objects only."""

    def __init__(self, config: PacsConfig) -> None:
        self.name = config.name
        self.dimse = config.dimse if config.name == config.dimse.strip() else ""
        """`AET@host:port` of an archive that stands in no settings, for the way back of what is pulled."""
        self._config = config
        self._peer = peer_of(config)

    def echo(self, *, stop: Stop | None = None) -> None:
        """C-ECHO: the archive is there and knows us; PacsError where not."""
        watch = Watch(self._peer, "echo", stop)
        with associate([Asked(Verification, PLAIN_SYNTAXES)], watch) as line:
            context = line.context(Verification)
            if context is None:
                raise line.unexpected()
            request = C_ECHO()
            request.MessageID = line.number()
            request.AffectedSOPClassUID = Verification
            line.send(request, context.context_id)
            answer = line.next().primitive
            if not isinstance(answer, C_ECHO) or answer.Status != 0x0000:
                raise line.unexpected()

    def find_studies(self, query: StudyQuery, *, stop: Stop | None = None) -> StudyRows:
        """Studies that match; C-FIND knows no pages, so a full answer is cancelled at the limit."""
        with associate([ASK_FIND], Watch(self._peer, "find", stop)) as line:
            return dimse_find.find_studies(line, query)

    def find_instances(
        self,
        study_instance_uid: str,
        *,
        series_instance_uid: str = "",
        sop_instance_uid: str = "",
        modality: str = "",
        stop: Stop | None = None,
    ) -> tuple[InstanceRow, ...]:
        """Objects of one study, by series and instance number; what was not asked for is left out."""
        for one in (study_instance_uid, series_instance_uid, sop_instance_uid):
            if one and clean_uid(one) != one:
                raise InvalidInputError("this is not a UID (PS3.5 section 9.1)", where=self._peer.where)
        if not study_instance_uid:
            raise InvalidInputError("no study is named", where=self._peer.where, do="give its UID")
        with associate([ASK_FIND], Watch(self._peer, "find", stop)) as line:
            return dimse_find.find_instances(
                line,
                study_instance_uid,
                series_uid=series_instance_uid,
                sop_uid=sop_instance_uid,
                modality=modality,
            )

    def fetch(
        self, instances: Sequence[InstanceRow], folder: Path, *, stop: Stop | None = None
    ) -> Iterator[Fetched]:
        """Each object's bytes as the archive keeps them, as a file in `folder`, in the order of arrival."""
        if not instances:
            return
        port = self._config.move_port
        if port is None:
            yield from fetch_by_get(instances, folder, Watch(self._peer, "get", stop))
        else:
            tls = server_context(self._config) if self._config.dimse_tls else None
            yield from fetch_by_move(instances, folder, Watch(self._peer, "move", stop), port, tls)

    def store(self, files: Sequence[Path], *, stop: Stop | None = None) -> tuple[StoreOutcome, ...]:
        """Send Part 10 files byte for byte; one outcome for each, in the same order."""
        return store(files, lambda: Watch(self._peer, "store", stop))

    def close(self) -> None:
        """Nothing: no association outlives its call."""
