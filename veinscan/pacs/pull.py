"""Fetching a study into a folder: what is missing, checked, and each object whole or not there."""

from __future__ import annotations

import contextlib
import errno
import queue
import threading
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from veinscan.dicom.guard import clean_uid
from veinscan.errors import CancelledError, NotSavedError, PacsError, VeinscanError
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.landing import Landing
from veinscan.pacs.model import Fetched, InstanceRow
from veinscan.pacs.rows import check_study_uid

Progress = Callable[[int, int, int], None]
"""Called with (objects done, objects in all, bytes fetched so far); may raise CancelledError."""

_TICK_S = 0.25
"""How often `stop` is asked and progress told while an object is on its way."""
_WAITING = 4
"""Objects that may have arrived and not yet be in their place."""
PAUSE_S = 1.0
"""Before what failed for now is tried again."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class FailedObject:
    """One object that could not be fetched."""

    sop_instance_uid: str
    reason: str
    """One sentence."""
    temporary: bool = False
    """Worth another try as it is."""


@dataclass(frozen=True, slots=True)
class PulledStudy:
    """A study folder after a pull."""

    folder: Path
    study_instance_uid: str
    files: tuple[Path, ...]
    """Every object of the study that lies here now, in the archive's order."""
    failed: tuple[FailedObject, ...]
    bytes: int
    """Bytes fetched now."""
    fetched: int = 0
    """Objects fetched now; the others of `files` were here."""
    other_patients: tuple[str, ...] = ()
    """SOP Instance UIDs of objects that name another patient than most of the study."""
    notes: tuple[str, ...] = field(default=())
    """What a person should know of the study as a whole, one sentence each."""

    @property
    def sentence(self) -> str:
        """What came, what was here, what failed."""
        here = len(self.files) - self.fetched
        words = f"{_objects(self.fetched)} fetched ({self.bytes / 1e6:.1f} MB)"
        if here:
            words += f", {_objects(here)} already here"
        if self.failed:
            words += f", {_objects(len(self.failed))} not fetched: {self.failed[0].reason}"
        return words


def pull(
    archive: Archive,
    study_uid: str,
    folder: str | Path,
    *,
    modalities: Collection[str] | None = None,
    dimse: str = "",
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> PulledStudy:
    """Fetch a study of an archive into a folder; what is there already is not fetched again.

    Whenever it is ended, and by what, every file in the folder is whole, and
    the next call goes on from there.  The folder may be new, empty, or one
    that this study was pulled into before.

    Parameters
    ----------
    archive : Archive
    study_uid : str
        Study Instance UID.
    folder : str or Path
    modalities : collection of str, optional
        Only objects of these modalities (those whose modality the archive does not say included).
    dimse : str
        `AET@host:port` where the archive was named so; noted in the folder for the way back.
    progress : callable, optional
        `(done, total, bytes)`, in the calling thread.
    stop : callable, optional
        Asked in the calling thread, four times a second; True ends the pull.

    Raises
    ------
    PacsError
        When the archive does not have the study, or cannot be reached.
    InvalidInputError
        For a UID that is none, or a folder that holds something else.
    NotSavedError
        When the folder cannot be written, or the disk is full.
    CancelledError
        After `stop`.
    """
    listed = list_objects(archive, study_uid, modalities=modalities, stop=stop)
    dimse = dimse or getattr(archive, "dimse", "") or ""
    with Landing.open(
        Path(folder), archive=archive.name, dimse=dimse, study_instance_uid=study_uid
    ) as landing:
        return _Pull(archive, landing, listed, progress, stop).run(whole=modalities is None)


def list_objects(
    archive: Archive,
    study_uid: str,
    *,
    modalities: Collection[str] | None = None,
    stop: Stop | None = None,
) -> tuple[InstanceRow, ...]:
    """Objects of a study, each once, structured reports first: a plan is small and wanted at once.

    Raises PacsError where there is none; InvalidInputError for a UID that is none.
    """
    check_study_uid(study_uid)
    rows = archive.find_instances(study_uid, stop=stop)
    if not rows:
        raise PacsError(
            f"the archive lists no object of the study {study_uid}",
            where=archive.name,
            do="look for the study anew",
            step="qido",
        )
    allowed = None if modalities is None else {"", *(one.upper() for one in modalities)}
    once: dict[str, InstanceRow] = {}
    for row in rows:
        if row.study_instance_uid != study_uid or clean_uid(row.sop_instance_uid) != row.sop_instance_uid:
            continue
        if row.sop_instance_uid and (allowed is None or row.modality.upper() in allowed):
            once.setdefault(row.sop_instance_uid, row)
    if not once:
        wanted = ", ".join(sorted(one for one in allowed or () if one))
        raise PacsError(
            f"none of the study's {_objects(len(rows))} can be fetched"
            + (f": none is of modality {wanted}" if wanted else ""),
            where=archive.name,
            step="qido",
        )
    return tuple(sorted(once.values(), key=lambda row: row.modality.upper() != "SR"))


class _Pull:
    """One pull into an open landing."""

    def __init__(
        self,
        archive: Archive,
        landing: Landing,
        listed: Sequence[InstanceRow],
        progress: Progress | None,
        stop: Stop | None,
    ) -> None:
        self._archive = archive
        self._landing = landing
        self._listed = listed
        self._progress = progress
        self._stop = stop
        self._files: dict[str, Path] = {}
        self._failed: dict[str, FailedObject] = {}
        self._fetched = 0
        self._bytes = 0

    def run(self, *, whole: bool) -> PulledStudy:
        """`whole`: whether all of the study was asked for."""
        missing = self._look()
        while missing:
            missing = self._round(missing)
        self._landing.close(complete=whole and not self._failed)
        return pulled_study(
            self._landing, self._listed, self._files, self._failed, fetched=self._fetched, size=self._bytes
        )

    def _look(self) -> list[InstanceRow]:
        """What has to be fetched."""
        missing = []
        for row in self._listed:
            self._tell()
            try:
                path = self._landing.has(row)
            except PacsError as problem:
                self._failed[row.sop_instance_uid] = _failed(row, problem)
                continue
            if path is None:
                missing.append(row)
            else:
                self._files[row.sop_instance_uid] = path
        return missing

    def _round(self, missing: list[InstanceRow]) -> list[InstanceRow]:
        """Fetch once; what is worth another try at once: that which failed for now, while others came."""
        before = self._fetched
        lost: PacsError | None = None
        for row in missing:
            self._failed.pop(row.sop_instance_uid, None)
        try:
            self._fetch(missing)
        except PacsError as problem:
            if not problem.temporary:
                raise self._so_far(problem) from problem
            lost = problem
        except NotSavedError as problem:
            raise self._full(problem) from problem
        left = [row for row in missing if row.sop_instance_uid not in self._files]
        again = [row for row in left if self._worth_it(row, lost)]
        if again and self._fetched > before:
            self._pause()
            return again
        if lost is not None:
            raise self._so_far(lost) from lost
        for row in left:
            self._failed.setdefault(
                row.sop_instance_uid,
                FailedObject(row.sop_instance_uid, "the archive lists the object and does not send it"),
            )
        return []

    def _worth_it(self, row: InstanceRow, lost: PacsError | None) -> bool:
        failed = self._failed.get(row.sop_instance_uid)
        return failed.temporary if failed is not None else lost is not None

    def _fetch(self, missing: Sequence[InstanceRow]) -> None:
        """What arrives is looked at and flushed by several threads: the disk flushes their files together."""
        under_way: dict[str, tuple[InstanceRow, Future[Path]]] = {}
        with (
            contextlib.closing(arrivals(self._archive, missing, self._landing.arrivals)) as arriving,
            ThreadPoolExecutor(_WAITING, thread_name_prefix="veinscan-settle") as pool,
        ):
            try:
                for fetched in arriving:
                    if fetched is not None and fetched.path is None:
                        self._not_sent(fetched)
                    elif fetched is not None and fetched.path is not None:
                        row = fetched.instance
                        sop = row.sop_instance_uid
                        if sop not in self._files and sop not in under_way:
                            under_way[sop] = row, pool.submit(self._landing.settle, row, fetched.path)
                    for sop in [one for one, (_, path) in under_way.items() if path.done()]:
                        self._settled(*under_way.pop(sop))
                    if len(under_way) > _WAITING:
                        self._settled(*under_way.pop(next(iter(under_way))))
                    self._tell()
            finally:  # whatever ended it: what had arrived is put into its place, and counted
                for row, path in under_way.values():
                    self._settled(row, path)
            self._tell()

    def _not_sent(self, fetched: Fetched) -> None:
        problem = fetched.error or PacsError("the archive does not send the object")
        if no_room(problem):
            raise NotSavedError("the object cannot be written") from problem
        if fetched.instance.sop_instance_uid not in self._files:
            self._failed[fetched.instance.sop_instance_uid] = _failed(fetched.instance, problem)

    def _settled(self, row: InstanceRow, path: Future[Path]) -> None:
        sop = row.sop_instance_uid
        try:
            self._files[sop] = path.result()
        except PacsError as problem:
            self._failed[sop] = _failed(row, problem)
        else:
            self._failed.pop(sop, None)
            self._fetched += 1
            self._bytes += self._landing.size_of(sop)

    def _tell(self) -> None:
        if self._stop is not None and self._stop():
            raise CancelledError(f"the pull was stopped: {self._so_many}", do="pull again to go on")
        if self._progress is not None:
            done = len(self._files) + len(self._failed)
            self._progress(done, len(self._listed), self._bytes + self._landing.arriving_bytes())

    def _pause(self) -> None:
        waited = threading.Event()
        for _ in range(round(PAUSE_S / _TICK_S)):
            waited.wait(_TICK_S)
            self._tell()

    @property
    def _so_many(self) -> str:
        return f"{len(self._files)} of {_objects(len(self._listed))} are here"

    def _so_far(self, problem: PacsError) -> PacsError:
        return PacsError(
            f"{problem.what} ({self._so_many})",
            where=problem.where,
            do=problem.do or "pull again to go on",
            step=problem.step,
            temporary=problem.temporary,
        )

    def _full(self, problem: VeinscanError) -> NotSavedError:
        if no_room(problem):
            what, do = "the disk is full", "make room and pull again: what is here stays"
        else:
            what, do = problem.what, problem.do
        return NotSavedError(f"{what} ({self._so_many})", where=str(self._landing.folder), do=do)


def pulled_study(
    landing: Landing,
    listed: Sequence[InstanceRow],
    files: Mapping[str, Path],
    failed: Mapping[str, FailedObject],
    *,
    fetched: int,
    size: int,
) -> PulledStudy:
    """What a landing holds of the objects that were listed."""
    others = landing.patients_differ
    notes = []
    if others:
        notes.append(
            f"{_objects(len(others))} of the study name another patient than the others do:"
            " tell the archive's administrator, and do not use them"
        )
    if records := landing.records_differ:
        notes.append(
            f"the archive keeps something else under the UID of {len(records)} saved plan(s) that lie here:"
            " what lies here stays; compare it with a fresh pull into another folder"
        )
    return PulledStudy(
        landing.folder,
        listed[0].study_instance_uid,
        tuple(files[row.sop_instance_uid] for row in listed if row.sop_instance_uid in files),
        tuple(failed.values()),
        size,
        fetched,
        others,
        tuple(notes),
    )


def arrivals(archive: Archive, rows: Sequence[InstanceRow], folder: Path) -> Generator[Fetched | None]:
    """`Archive.fetch` in a thread of its own: None whenever nothing has come for a moment.

    So whoever goes through it can tell progress and stop while a large object
    is on its way, and the next object comes while one is put into its place.
    Closing it ends the fetching, and waits for that.
    """
    came: queue.Queue[Fetched | BaseException | None] = queue.Queue(maxsize=_WAITING)
    ended = threading.Event()

    def hand_over(item: Fetched | BaseException | None) -> None:
        while not ended.is_set():
            try:
                came.put(item, timeout=_TICK_S)
            except queue.Full:
                continue
            return

    def fetch() -> None:
        try:
            for fetched in archive.fetch(rows, folder, stop=ended.is_set):
                hand_over(fetched)
                if ended.is_set():
                    return
            hand_over(None)
        except BaseException as problem:
            hand_over(problem)

    worker = threading.Thread(target=fetch, name="veinscan-pull", daemon=True)
    worker.start()
    try:
        while True:
            try:
                item = came.get(timeout=_TICK_S)
            except queue.Empty:
                yield None
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        ended.set()
        worker.join()


def no_room(problem: BaseException) -> bool:
    """Whether a full disk is behind an error."""
    seen: BaseException | None = problem
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in _NO_ROOM:
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _failed(row: InstanceRow, problem: PacsError) -> FailedObject:
    return FailedObject(row.sop_instance_uid, str(problem), problem.temporary)


def _objects(count: int) -> str:
    return f"{count} {'object' if count == 1 else 'objects'}"
