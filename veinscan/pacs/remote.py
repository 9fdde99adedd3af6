"""The first look at a study of an archive: clips at once, frames when they are asked for, files meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from pydicom.dataset import FileDataset

from veinscan.dicom import open_study
from veinscan.dicom.examination import Study
from veinscan.dicom.facts import ClipFacts
from veinscan.dicom.frame_supply import FrameSupply
from veinscan.errors import CancelledError, NoStudyError, PacsError, UnreadableError, VeinscanError
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.cache import Room, StudyCache
from veinscan.pacs.cache_entry import Hold
from veinscan.pacs.landing import Landing
from veinscan.pacs.model import InstanceRow
from veinscan.pacs.pull import FailedObject, Progress, PulledStudy, list_objects, pull
from veinscan.pacs.remote_arrivals import Arrivals
from veinscan.pacs.remote_frames import RemoteSupply
from veinscan.pacs.remote_look import LocalClip, described, local_clip, look, same_picture
from veinscan.record.versions import is_ours


class RemoteStudy:
    """A study that is open while its files are still coming.  Made by `open_remote`.

    `study` is a `Study` like any other.  Its clips decode frames that are
    fetched one by one, and read their own file from the moment it is here;
    the pixels are the same.  `Clip.frame` may then wait for the archive (as
    long as its `timeout_s`) and raise PacsError: call it outside of a window's
    own thread.

    Callbacks come in a background thread, one at a time; a window passes them
    on to its own thread.  An exception of a callback ends nothing.
    """

    def __init__(
        self,
        archive: Archive,
        study: Study,
        folder: Path,
        hold: Hold,
        arrivals: Arrivals | None,
        pulled: PulledStudy | None,
    ) -> None:
        self.study = study
        self.folder = folder
        """The study folder, for `open_study` when all is here."""
        self._archive = archive
        self._hold = hold
        self._arrivals = arrivals
        self._pulled = pulled

    @property
    def is_complete(self) -> bool:
        """Whether nothing is to come any more: then `pulled` says how it went."""
        return self._arrivals is None or self._arrivals.is_over

    @property
    def pulled(self) -> PulledStudy | None:
        """What came, and what did not; None while it is coming."""
        return self._pulled if self._arrivals is None else self._arrivals.result

    @property
    def problem(self) -> str:
        """Why nothing comes at the moment, in one sentence ('' while all is well); it goes on by itself."""
        return "" if self._arrivals is None else self._arrivals.problem

    @property
    def error(self) -> VeinscanError | None:
        """What ended the fetching for good, as a full disk; frames still come one by one."""
        return None if self._arrivals is None else self._arrivals.error

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, one sentence each; grows while files come."""
        if self._arrivals is None:
            return () if self._pulled is None else self._pulled.notes
        return self._arrivals.notes

    def is_local(self, index: int) -> bool:
        """Whether the file of clip `index` of `study.clips` is here."""
        sop = self.study.clips[index].sop_instance_uid
        return self._arrivals is None or self._arrivals.is_here(sop)

    def prefer(self, index: int) -> None:
        """Fetch the file of clip `index` next; a clip whose frames are asked for is preferred by itself."""
        if self._arrivals is not None:
            self._arrivals.prefer(self.study.clips[index].sop_instance_uid)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing is to come; whether that is so."""
        return self._arrivals is None or self._arrivals.wait(timeout_s)

    def close(self) -> None:
        """End what is on its way, let go of the folder and close the archive.  What is here stays whole.

        Frames of clips whose file is not here cannot be read any more.  May take a moment, and may be
        called twice.
        """
        if self._arrivals is not None:
            self._arrivals.close()
        self._hold.release()
        self._archive.close()

    def __enter__(self) -> RemoteStudy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_remote(
    archive: Archive,
    study_uid: str,
    folder: str | Path | None = None,
    *,
    cache: StudyCache | None = None,
    dimse: str = "",
    clip_ready: Callable[[int], None] | None = None,
    finished: Callable[[], None] | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
) -> RemoteStudy:
    """Open a study of an archive without waiting for its files.

    veinscan's own records are fetched before this returns: a plan is never
    taken for missing because it had not come yet.  An archive that gives no
    single frames (DIMSE, or one without metadata) is pulled whole first: a
    list of clips that grows would look whole when it is not.

    Parameters
    ----------
    archive : Archive
        Belongs to the RemoteStudy from here on: `close` closes it.  Where this raises, it is the caller's.
    study_uid : str
        Study Instance UID.
    folder : str or Path, optional
        Where the files come; default: the cache.
    cache : StudyCache, optional
        Another cache than the user's.
    dimse : str
        As for `pull`.
    clip_ready : callable, optional
        `(index)` in `study.clips`, when the clip's file is here.  In a background thread.
    finished : callable, optional
        When nothing is to come any more; `RemoteStudy.pulled` says how it went.  In a background thread.
    progress : callable, optional
        `(done, total, bytes)`: in the calling thread until this returns, then in a background thread.
    stop : callable, optional
        Asked in the calling thread until this returns; True ends it.

    Raises
    ------
    As `pull`, and as `open_study`.
    """
    hold, room = Hold(None), None
    if folder is None:
        cache = StudyCache() if cache is None else cache
        folder = cache.folder_of(archive, study_uid)
        hold = cache.hold(folder)
        room = Room(cache, folder)
    try:
        opening = _Opening(archive, study_uid, Path(folder).absolute(), dimse, room, progress, stop)
        if not getattr(archive, "can_fetch_frames", False):
            return opening.whole(hold)
        return opening.first_look(hold, clip_ready, finished)
    except BaseException:
        hold.release()
        raise


class _Opening:
    """One call of `open_remote`."""

    def __init__(
        self,
        archive: Archive,
        study_uid: str,
        folder: Path,
        dimse: str,
        room: Room | None,
        progress: Progress | None,
        stop: Stop | None,
    ) -> None:
        self._room = room
        self._archive = archive
        self._study_uid = study_uid
        self._folder = folder
        self._dimse = dimse
        self._progress = progress
        self._stop = stop

    def whole(self, hold: Hold) -> RemoteStudy:
        """Everything first, then open."""

        def progress(done: int, total: int, size: int) -> None:
            if self._room is not None:
                self._room.look(size)
            if self._progress is not None:
                self._progress(done, total, size)

        pulled = pull(
            self._archive, self._study_uid, self._folder,
            dimse=self._dimse, progress=progress, stop=self._stop,
        )  # fmt: skip
        study = open_study(self._folder, study_uid=self._study_uid)
        return RemoteStudy(self._archive, study, self._folder, hold, None, pulled)

    def first_look(
        self, hold: Hold, clip_ready: Callable[[int], None] | None, finished: Callable[[], None] | None
    ) -> RemoteStudy:
        """Clips as the archive describes them; the files follow."""
        rows = list_objects(self._archive, self._study_uid, stop=self._stop)
        headers = self._headers()
        if headers is None:
            return self.whole(hold)
        landing = Landing.open(
            self._folder, archive=self._archive.name, dimse=self._dimse, study_instance_uid=self._study_uid
        )
        with _closed_on_error(landing):
            arrivals = Arrivals(
                self._archive,
                landing,
                rows,
                room=None if self._room is None else self._room.look,
                progress=self._progress,
                clip_ready=clip_ready,
                finished=finished,
            )
            with _closed_on_error(arrivals):
                self._records_first(arrivals, rows, headers)
                try:
                    study = self._look(arrivals, rows, headers)
                except NoStudyError:
                    study = None
                if study is not None:
                    arrivals.begin([clip.sop_instance_uid for clip in study.clips])
                    return RemoteStudy(self._archive, study, self._folder, hold, arrivals, None)
                arrivals.close()
        return self.whole(hold)  # what is described cannot be shown; the files have the last word

    def _headers(self) -> dict[str, FileDataset] | None:
        """None where the archive does not describe the study."""
        try:
            datasets = self._archive.metadata(self._study_uid, stop=self._stop)  # type: ignore[attr-defined]
        except PacsError as problem:
            if problem.temporary or problem.step == "login":
                raise
            return None
        return described(datasets, self._study_uid)

    def _records_first(
        self, arrivals: Arrivals, rows: tuple[InstanceRow, ...], headers: dict[str, FileDataset]
    ) -> None:
        for row in rows:
            header = headers.get(row.sop_instance_uid)
            # an object that is not described may be a plan as well
            if (row.modality in ("SR", "") if header is None else is_ours(header)) and not arrivals.is_here(
                row.sop_instance_uid
            ):
                if self._stop is not None and self._stop():
                    raise CancelledError("opening the study was stopped")
                arrivals.bring(row)

    def _look(
        self, arrivals: Arrivals, rows: tuple[InstanceRow, ...], headers: dict[str, FileDataset]
    ) -> Study:
        def supply_of(row: InstanceRow, header: FileDataset, facts: ClipFacts) -> FrameSupply:
            def whole(one: InstanceRow) -> FrameSupply:
                local = local_clip(arrivals.bring(one), self._folder)
                change_over(local)
                return local.supply

            def change_over(local: LocalClip) -> None:
                if same_picture(facts, local.facts):
                    supply.arrived(local.supply)
                else:
                    raise UnreadableError(
                        "its file differs from what the archive says of it",
                        where=row.sop_instance_uid,
                        do="open the study again",
                    )

            def came(path: Path) -> None:
                change_over(local_clip(path, self._folder))

            supply = RemoteSupply(
                self._archive,  # type: ignore[arg-type]
                row,
                header,
                facts.form,
                self._folder / f"{row.sop_instance_uid}.dcm",
                whole=whole,
                wanted=lambda: arrivals.prefer(row.sop_instance_uid),
                traffic=arrivals.traffic,
                stop=arrivals.is_ended,
            )
            arrivals.on_arrival(row, came)
            return supply

        return look(self._folder, rows, headers, arrivals.files, supply_of)


@contextlib.contextmanager
def _closed_on_error(held: Landing | Arrivals) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(VeinscanError):
            if isinstance(held, Landing):
                held.close(complete=False)
            else:
                held.close()
        raise


__all__ = ["FailedObject", "RemoteStudy", "open_remote"]
