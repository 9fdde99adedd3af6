"""Studies pulled from archives, kept until room is needed: least recently used first, nothing unsent.

Each study has an entry of its own, `<hash of archive and study>/<Study
Instance UID>/`, in a folder that lets in its user alone.  An entry is taken
out by renaming it first: nobody ever opens half of a study.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from veinscan.errors import NotSavedError, PacsError, VeinscanError
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.cache_entry import CachedStudy, Hold, SendingLike, is_held, look_at, size_of, study_in
from veinscan.pacs.pull import Progress, PulledStudy, pull
from veinscan.pacs.rows import check_study_uid
from veinscan.pacs.words import size_words
from veinscan.record.files import make_folder
from veinscan.record.locks import FileLock
from veinscan.settings import data_dir, load

FOLDER = "pacs-cache"
_TRASH = "trash-"
_LEAVING = "leaving-"
_LOCK = "lock"
_PATIENCE_S = 30.0
_STEP_S = 0.02
_LOOKS = 50
"""How often the room is looked at while as much comes as the cache may hold."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """What `empty` did."""

    removed: tuple[CachedStudy, ...]
    kept: tuple[CachedStudy, ...]
    """With `kept_because`."""


class StudyCache:
    """Pulled studies of this user, at most `limit_bytes` of them.

    Parameters
    ----------
    folder : Path, optional
        Default: `pacs-cache` in the user's data folder.
    limit_bytes : int, optional
        Default: the setting `cache_gb`.
    sendings : callable, optional
        Stands in for the queue of sends.
    """

    def __init__(
        self,
        folder: Path | None = None,
        limit_bytes: int | None = None,
        *,
        sendings: Callable[[], Iterable[SendingLike]] | None = None,
    ) -> None:
        self.folder = data_dir() / FOLDER if folder is None else Path(folder)
        self.limit_bytes = round(load().cache_gb * 1e9) if limit_bytes is None else limit_bytes
        self._queue = _queued if sendings is None else sendings

    def folder_of(self, archive: Archive | str, study_uid: str) -> Path:
        """Where a study of an archive lies or would lie.  InvalidInputError for a UID that is none."""
        check_study_uid(study_uid)
        name = archive if isinstance(archive, str) else archive.name
        key = hashlib.sha256(f"{name}\0{study_uid}".encode()).hexdigest()[:24]
        return self.folder / key / study_uid

    def pull(
        self,
        archive: Archive,
        study_uid: str,
        *,
        modalities: Collection[str] | None = None,
        dimse: str = "",
        progress: Progress | None = None,
        stop: Stop | None = None,
    ) -> PulledStudy:
        """Fetch a study into the cache, and make room for it by what was not used for longest.

        As `veinscan.pacs.pull.pull`.  Raises besides NotSavedError where the
        study is larger than the cache, or what fills it may not be removed.
        """
        folder = self.folder_of(archive, study_uid)
        room = Room(self, folder)

        def grown(done: int, total: int, size: int) -> None:
            room.look(size)
            if progress is not None:
                progress(done, total, size)

        try:
            with self.hold(folder):
                return pull(
                    archive,
                    study_uid,
                    folder,
                    modalities=modalities,
                    dimse=dimse,
                    progress=grown,
                    stop=stop,
                )
        finally:
            with contextlib.suppress(VeinscanError):  # what the pull says is told
                if room.too_large:
                    self.remove(folder)
                self.evict()

    def hold(self, folder: Path) -> Hold:
        """Say that a study of the cache is open: it is not removed until `release`, or the process ends.

        A `Hold` for a folder that is not of this cache holds nothing.
        """
        entry = Path(folder).absolute().parent
        if entry.parent != self.folder.absolute():
            return Hold(None)
        with self._alone(), _as_error(self.folder):
            make_folder(entry, private=True)
            return Hold.take(entry)

    def entries(self) -> tuple[CachedStudy, ...]:
        """Every study that is kept, the last used first."""
        with self._alone():
            return self._entries()

    def evict(self, *, room: int = 0, beside: Path | None = None) -> tuple[CachedStudy, ...]:
        """Remove what was used longest ago, until the limit holds with `room` bytes to spare; what went.

        Never a study that is open, has unsaved edits, or holds what is not shown to be in the archive.  The
        study `beside` is not counted: its files move while it grows, and `room` is what it needs.
        """
        removed = []
        with self._alone():
            studies = self._entries()
            over = sum(one.bytes for one in studies if one.folder != beside) + room - self.limit_bytes
            for one in reversed(studies):
                if over <= 0:
                    break
                if not one.kept_because and self._take_out(one):
                    removed.append(one)
                    over -= one.bytes
        self._sweep()
        return tuple(removed)

    def empty(self) -> Emptied:
        """Remove every study that may be removed."""
        removed: list[CachedStudy] = []
        kept: list[CachedStudy] = []
        with self._alone():
            for one in self._entries():
                (removed if not one.kept_because and self._take_out(one) else kept).append(one)
        self._sweep()
        return Emptied(tuple(removed), tuple(kept))

    def remove(self, folder: Path) -> bool:
        """Remove one study, where it may be; whether it went."""
        with self._alone():
            gone = [self._take_out(one) for one in self._entries()
                    if one.folder == folder and not one.kept_because]  # fmt: skip
        self._sweep()
        return any(gone)

    def bytes_beside(self, folder: Path) -> int:
        """Bytes of all studies but one."""
        return sum(
            size_of(path) for entry in self._places() if (path := study_in(entry)) not in (None, folder)
        )

    def _entries(self) -> tuple[CachedStudy, ...]:
        """Under the lock."""
        sendings = self._sendings()
        self._put_back()
        found = []
        for entry in self._places():
            one = look_at(entry, sendings)
            if one is not None:
                found.append(one)
            elif not is_held(entry):
                self._to_trash(entry)  # a pull ended before it had a folder
        return tuple(sorted(found, key=lambda one: one.used_at, reverse=True))

    def _places(self) -> list[Path]:
        try:
            return [
                path
                for path in self.folder.iterdir()
                if path.is_dir() and not path.is_symlink() and not path.name.startswith(_TRASH)
            ]
        except FileNotFoundError:
            return []

    def _take_out(self, one: CachedStudy) -> bool:
        """Rename an entry, under the lock; what it held is deleted afterwards.

        It is looked at once more where nobody finds it any longer: a program that does not hold the study
        may have saved a plan in it meanwhile.
        """
        entry = one.folder.parent
        aside = self.folder / f"{_LEAVING}{entry.name}"
        with contextlib.suppress(OSError):
            entry.rename(aside)
            now = look_at(aside, self._sendings())
            if now is None or not now.kept_because:
                return self._to_trash(aside)
            aside.rename(entry)
        return False

    def _put_back(self) -> None:
        """What a program was about to take out when it was killed."""
        with contextlib.suppress(OSError):
            for aside in self.folder.glob(f"{_LEAVING}*"):
                entry = self.folder / aside.name.removeprefix(_LEAVING)
                if not entry.exists():
                    aside.rename(entry)

    def _sendings(self) -> list[SendingLike] | None:
        """None where the queue cannot be read."""
        try:
            return list(self._queue())
        except VeinscanError:
            return None

    def _to_trash(self, entry: Path) -> bool:
        with contextlib.suppress(OSError):
            entry.rename(self.folder / f"{_TRASH}{secrets.token_hex(8)}")
            return True
        return False

    def _sweep(self) -> None:
        """Delete what was taken out, also by a program that was killed meanwhile."""
        with contextlib.suppress(OSError):
            for path in self.folder.glob(f"{_TRASH}*"):
                shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time looks at the cache and changes what is in it."""
        with _as_error(self.folder):
            make_folder(self.folder, private=True)
            with contextlib.suppress(OSError):
                self.folder.chmod(0o700)
            lock = FileLock.take(self.folder / _LOCK)
            until = time.monotonic() + _PATIENCE_S
            while lock is None and time.monotonic() < until:
                time.sleep(_STEP_S)
                lock = FileLock.take(self.folder / _LOCK)
        if lock is None:
            raise PacsError(
                "another program keeps the cache busy", where=str(self.folder), do="try again", temporary=True
            )
        try:
            yield
        finally:
            lock.release()


class Room:
    """Keeps the cache within its limit while a study grows in it."""

    def __init__(self, cache: StudyCache, folder: Path) -> None:
        self._cache = cache
        self._folder = folder
        self._looked_at = -1
        self._had = size_of(folder)
        self.too_large = False

    def look(self, size: int) -> None:
        """To be called while the study grows, with the bytes that came so far.

        Raises NotSavedError where there is no room.
        """
        if self._looked_at < 0 or size - self._looked_at > self._cache.limit_bytes // _LOOKS:
            self._looked_at = size
            self.make(self._had + size)

    def make(self, mine: int) -> None:
        """Make room for `mine` bytes of the study.  Raises NotSavedError where that cannot be."""
        limit = self._cache.limit_bytes
        if mine > limit:
            self.too_large = True
            raise NotSavedError(
                f"the study is larger than the cache may be ({size_words(limit)})",
                where=str(self._cache.folder),
                do="make cache_gb larger in the settings, or pull the study into a folder of your own",
            )
        if self._cache.bytes_beside(self._folder) + mine <= limit:
            return
        self._cache.evict(room=mine, beside=self._folder)
        if self._cache.bytes_beside(self._folder) + mine > limit:
            raise NotSavedError(
                f"the cache ({size_words(limit)}) is full of studies that are open or hold what is not yet"
                " in the archive",
                where=str(self._cache.folder),
                do="close studies, send what is unsent, or make cache_gb larger in the settings",
            )


def _queued() -> Iterable[SendingLike]:
    from veinscan.pacs.queue import SendQueue

    return SendQueue().all()


@contextlib.contextmanager
def _as_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise NotSavedError(
            f"the cache cannot be written ({(error.strerror or 'unknown reason').lower()})",
            where=str(folder),
            do="make room, or look after the rights of the folder",
        ) from error
