"""One study in the cache: where its parts lie, who has it open, and what forbids to remove it."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from veinscan.dicom.guard import clean_uid
from veinscan.dicom.sources import ARRIVALS, ORIGIN_NOTE
from veinscan.pacs.origin import Origin, origin_of
from veinscan.record.files import TEMPORARY, make_folder, sha256_of
from veinscan.record.locks import FileLock
from veinscan.record.store import FOLDER, study_folder

_OPEN = "open"
_USED = "used"


class SendingLike(Protocol):
    """What is used of an entry of the queue of sends."""

    @property
    def sop_instance_uid(self) -> str: ...  # noqa: D102
    @property
    def study_instance_uid(self) -> str: ...  # noqa: D102
    @property
    def archive(self) -> str: ...  # noqa: D102
    @property
    def dimse(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class CachedStudy:
    """One study that is kept here."""

    folder: Path
    """The study folder, to be opened."""
    study_instance_uid: str
    archive: str
    """The archive it came from; empty where its note cannot be read."""
    bytes: int
    used_at: datetime
    """When it was pulled or opened last."""
    complete: bool
    """Whether everything of the study is here."""
    kept_because: str = ""
    """Why it may not be removed now; empty where it may."""


class Hold:
    """Says that a study is open, from `take` to `release` or to the end of the process."""

    def __init__(self, lock: FileLock | None) -> None:
        self._lock = lock

    @classmethod
    def take(cls, entry: Path) -> Hold:
        """Hold the study of an entry's folder.  OSError, NotSavedError where that cannot be written."""
        make_folder(entry / _OPEN, private=True)
        lock = FileLock.take(entry / _OPEN / f"{secrets.token_hex(8)}.lock")
        if lock is None:
            raise OSError("a lock with a name made by chance is taken")
        touch(entry)
        return cls(lock)

    def release(self) -> None:
        """Let go; a second call does nothing."""
        if self._lock is not None:
            self._lock.release(remove=True)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def touch(entry: Path) -> None:
    """Note that the study is used now."""
    with contextlib.suppress(OSError):
        (entry / _USED).touch()
        os.utime(entry / _USED)


def study_in(entry: Path) -> Path | None:
    """The study folder of an entry; None where there is none."""
    with contextlib.suppress(OSError):
        for path in entry.iterdir():
            if clean_uid(path.name) and path.is_dir() and not path.is_symlink():
                return path
    return None


def look_at(entry: Path, sendings: Iterable[SendingLike] | None) -> CachedStudy | None:
    """What an entry holds and whether it may go; None where it holds no study.

    `sendings`: the queue; None where that cannot be read, and then nothing may go.
    """
    folder = study_in(entry)
    if folder is None:
        return None
    origin = origin_of(folder)
    try:
        used = (entry / _USED).stat().st_mtime
    except OSError:
        used = 0.0
    return CachedStudy(
        folder,
        folder.name,
        "" if origin is None else origin.archive,
        size_of(folder),
        datetime.fromtimestamp(used, UTC),
        origin is not None and origin.complete,
        _open(entry, folder) or _unsaved(folder.name) or _unsent(folder, origin, sendings),
    )


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(info.st_size for _, info in _files(folder))


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with contextlib.suppress(OSError):
                info = path.lstat()
                if not stat.S_ISDIR(info.st_mode):
                    yield path, info


def is_held(entry: Path) -> bool:
    """Whether somebody holds an entry; locks that nobody holds are taken away."""
    with contextlib.suppress(FileNotFoundError):
        return any(_held(path) for path in (entry / _OPEN).iterdir())
    return False


def _open(entry: Path, folder: Path) -> str:
    if is_held(entry):
        return "it is open"
    arriving = folder / ARRIVALS / "lock"
    if arriving.exists() and _held(arriving, remove=False):
        return "it is being pulled"
    return ""


def _held(path: Path, *, remove: bool = True) -> bool:
    """Whether a living process holds a lock; one that nobody holds is taken away."""
    try:
        lock = FileLock.take(path)
    except OSError:
        return True
    if lock is None:
        return True
    lock.release(remove=remove)
    return False


def _unsaved(study_instance_uid: str) -> str:
    drafts = study_folder(study_instance_uid, "drafts")
    try:
        if any(path.suffix == ".draft" for path in drafts.iterdir()):
            return "it has edits that are not saved"
    except FileNotFoundError:
        return ""
    except OSError:
        return "its edits cannot be looked at"
    return ""


def _unsent(folder: Path, origin: Origin | None, sendings: Iterable[SendingLike] | None) -> str:
    """What is here and not in its archive, as far as can be proven; another archive is no proof."""
    if sendings is None:
        return "what is not sent yet cannot be looked at"
    stored: set[tuple[str, str]] = set()
    for one in sendings:
        if one.study_instance_uid == folder.name and one.state != "stored":
            return "objects of it are not sent yet"
        if one.state == "stored" and origin is not None and _is_of(origin, one):
            stored.add((one.sop_instance_uid, one.sha256))
    if origin is not None:
        stored |= {(uid, found.sha256) for uid, found in origin.objects.items()}
    for path, _ in _files(folder):
        inside = path.relative_to(folder).parts
        if inside == ORIGIN_NOTE or inside[0] == ARRIVALS or TEMPORARY.fullmatch(path.name):
            continue
        if path.suffix != ".dcm" or not clean_uid(path.stem) or len(inside) > 2:
            return "it holds files that did not come from the archive"
        if len(inside) == 2:
            if inside[0] != FOLDER:
                return "it holds files that did not come from the archive"
            if (path.stem, _sha256(path)) not in stored:
                return "it holds a record that is not shown to be in the archive"
    return ""


def _is_of(origin: Origin, sending: SendingLike) -> bool:
    """Whether something was sent to the archive that a study came from."""
    if sending.archive:
        return sending.archive == origin.archive
    return bool(sending.dimse) and sending.dimse in (origin.dimse, origin.archive)


def _sha256(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return ""
