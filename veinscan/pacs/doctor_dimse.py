"""The steps of DIMSE: does the archive know us, does it answer, does an object come, may one be stored."""

from __future__ import annotations

from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    ComprehensiveSRStorage,
    EncapsulatedPDFStorage,
    SegmentationStorage,
    Verification,
)

from veinscan.errors import PacsError
from veinscan.pacs.dimse import DimseArchive, peer_of
from veinscan.pacs.dimse_association import CONNECT_S, Asked, Watch, associate
from veinscan.pacs.dimse_find import PLAIN_SYNTAXES
from veinscan.pacs.doctor_line import dial, resolve
from veinscan.pacs.doctor_visit import (
    DIMSE_STEPS,
    NotTried,
    Step,
    Told,
    Visit,
    read_one,
    some_object,
    some_study,
)
from veinscan.pacs.model import StudyRow
from veinscan.settings_pacs import PacsConfig

OURS = {
    "plans (Comprehensive SR)": ComprehensiveSRStorage,
    "outlines (Segmentation)": SegmentationStorage,
    "pages (Encapsulated PDF)": EncapsulatedPDFStorage,
}
"""What veinscan stores; only the first is needed."""


class DimseVisit:
    """One visit to an archive over DIMSE."""

    def __init__(self, config: PacsConfig, told: Told | None = None) -> None:
        self._told = told
        self._config = config
        self._peer = peer_of(config)
        self._archive = DimseArchive(config)
        self._limit_s = min(CONNECT_S, config.timeout_s)
        self._study: StudyRow | None = None

    def run(self) -> tuple[Step, ...]:
        """Every step, until one fails."""
        fetching = "get" if self._config.move_port is None else "move"
        names = tuple(fetching if name == "get" else name for name in DIMSE_STEPS)
        visit = Visit(names, self._config.where, self._told)
        visit.step("settings", self._settings)
        visit.step("name", self._name)
        visit.step("tcp", self._tcp)
        visit.step("association", self._association)
        visit.step("echo", self._echo)
        visit.step("find", self._find)
        visit.step(fetching, self._fetch)
        visit.step("store", self._store)
        return visit.all()

    def _settings(self) -> str:
        peer, port = self._peer, self._config.move_port
        way = "C-GET" if port is None else f"C-MOVE to port {port} of this machine"
        return f"{peer.title} at {peer.host}, port {peer.port}; we are {peer.calling}; objects come by {way}"

    def _name(self) -> str:
        self._addresses = resolve(self._peer.host, self._peer.port, limit_s=self._limit_s)
        return f"{self._peer.host} is {self._addresses[0][1][0]}"

    def _tcp(self) -> str:
        dial(self._addresses, host=self._peer.host, limit_s=self._limit_s).close()
        return f"port {self._peer.port} answers"

    def _association(self) -> str:
        with associate([Asked(Verification, PLAIN_SYNTAXES)], Watch(self._peer, "association")):
            return f"the archive takes us as {self._peer.calling}"

    def _echo(self) -> str:
        self._archive.echo()
        return "C-ECHO is answered"

    def _find(self) -> str:
        self._study = some_study(self._archive)
        if self._study is None:
            return "C-FIND answers; it shows us no study"
        self._object = some_object(self._archive, self._study)
        return "C-FIND of studies and of objects answers"

    def _fetch(self) -> str:
        if self._study is None:
            raise NotTried("there is no study to read")
        return read_one(self._archive, self._object)

    def _store(self) -> str:
        asked = [Asked(kind, PLAIN_SYNTAXES) for kind in OURS.values()]
        with associate(asked, Watch(self._peer, "store")) as line:
            refused = [words for words, kind in OURS.items() if line.context(kind) is None]
        if "plans (Comprehensive SR)" in refused:
            raise PacsError(
                f"the archive does not take {' and '.join(refused)}",
                where=self._peer.where,
                do="have its administrator allow the storage of these kinds of object from our AE title",
                step="store",
            )
        but = f", but not {' and '.join(refused)}" if refused else ""
        return f"the archive takes our kinds of object{but}; none was sent, so nothing is left there"
