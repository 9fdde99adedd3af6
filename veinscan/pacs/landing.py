"""A study folder into which objects of an archive come: checked one by one, whole or not there.

Objects arrive in `.veinscan-pull` inside the folder.  One that is what it
should be is flushed and renamed to `<SOP Instance UID>.dcm`, veinscan's own
records into `veinscan/`.  The arrival folder stays for as long as something
of the study is missing, so that nobody takes a part for the whole
(`open_study` says so); a lock in it keeps two pulls apart.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import threading
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from veinscan.dicom.facts import patient_of, several_patients
from veinscan.dicom.guard import DEFAULT_LIMITS, clean_uid, plain
from veinscan.dicom.header import Header, quiet, read_header
from veinscan.dicom.sources import ARRIVALS, FileBytes
from veinscan.dicom.values import uid
from veinscan.errors import InvalidInputError, NotSavedError, PacsError, UnreadableError
from veinscan.pacs.model import InstanceRow
from veinscan.pacs.origin import Origin, PulledObject, origin_path, read_origin, write_origin
from veinscan.pacs.verify import compare_files
from veinscan.record.files import TEMPORARY, keep_file, make_folder, sha256_of, sweep, sync_folder
from veinscan.record.locks import FileLock
from veinscan.record.store import FOLDER
from veinscan.record.versions import is_ours

_LITTER = {".ds_store", "thumbs.db", "desktop.ini"}
"""Files that file managers leave; they do not make a folder somebody's."""
_ELSEWHERE = "choose an empty folder"
_NOTED_TOGETHER = 32
"""Objects after which the note is written again; more where there are many."""

Patient = tuple[str, str]


class Landing:
    """One study folder while objects come into it.  All methods may be called from several threads.

    Made by `Landing.open`; `close` lets go of the folder, and must be called.
    """

    def __init__(self, folder: Path, origin: Origin, lock: FileLock) -> None:
        self.folder = folder
        self.arrivals = folder / ARRIVALS
        """Where `Archive.fetch` writes."""
        self._origin = origin
        self._lock: FileLock | None = lock
        self._guard = threading.Lock()
        self._unwritten = 0
        self._patients: dict[str, Patient] = {}
        self._otherwise: set[str] = set()

    @classmethod
    def open(cls, folder: Path, *, archive: str, dimse: str, study_instance_uid: str) -> Landing:
        """Take a folder for a study, new, empty or pulled into before.

        Raises
        ------
        InvalidInputError
            For one that holds another study, comes from another archive, or holds files of somebody else.
        NotSavedError
            Where it cannot be made or written.
        PacsError
            While another program pulls into it.
        """
        folder = Path(folder).absolute()
        before = _checked(folder, archive, study_instance_uid)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _not_writable(folder, error) from error
        arrivals = folder / ARRIVALS
        if arrivals.is_symlink():  # what lies in it is removed: not what lies somewhere else
            raise InvalidInputError(
                "the folder for what arrives leads to somewhere else", where=str(arrivals), do=_ELSEWHERE
            )
        make_folder(folder / FOLDER)
        make_folder(arrivals)
        try:
            lock = FileLock.take(arrivals / "lock")
        except OSError as error:
            raise _not_writable(folder, error) from error
        if lock is None:
            raise PacsError(
                "another program or window is pulling into the folder",
                where=str(folder),
                do="wait for it, or choose another folder",
                temporary=True,
            )
        origin = Origin(
            archive=archive,
            dimse=dimse,
            study_instance_uid=study_instance_uid,
            pulled_at=datetime.now(UTC),
            objects={} if before is None else before.objects,
        )
        landing = cls(folder, origin, lock)
        try:
            landing._tidy()
            write_origin(folder, origin)
        except BaseException:
            landing.close(complete=False)
            raise
        return landing

    def has(self, instance: InstanceRow) -> Path | None:
        """The file of an object that is here already; None where it has to be fetched.

        Raises PacsError where a file of that name is here and is something else.
        """
        name = file_name(instance.sop_instance_uid)
        for path in (self.folder / FOLDER / name, self.folder / name):
            try:
                info = path.lstat()
            except OSError:
                continue
            if not stat.S_ISREG(info.st_mode):
                raise _changed(path)
            known = self._origin.objects.get(instance.sop_instance_uid)
            if known is not None and known.size != info.st_size:
                raise _changed(path)
            header = _header(path, info.st_size)
            if header is None or _identity(header) != _wanted(instance):
                raise _changed(path)
            if known is None and path.parent != self.folder:
                # made here, or by a pull that was ended before it noted it: the archive's copy tells which
                return None
            if known is None:
                # a pull was ended after it had named the file and before it had noted that
                self._note(instance, header, PulledObject(info.st_size, sha256_of(path)))
            else:
                self._patients[instance.sop_instance_uid] = _patient(header)
            return path
        return None

    def settle(self, instance: InstanceRow, arrived: Path) -> Path:
        """Put an object that arrived into its place, its bytes durable; the file as it is named then.

        The names are durable when the note is written, at `close` at the latest: one that a power cut
        takes away is fetched again.

        Raises
        ------
        PacsError
            When it is not the object that was asked for; the file is then gone.
        NotSavedError
            When it could not be put there (the disk is full, the landing was closed); nothing half written
            is left.
        """
        try:
            if self._lock is None:
                raise NotSavedError("nothing more is put into the folder", where=str(self.folder))
            size = arrived.stat().st_size
            header = _header(arrived, size)
            _check_identity(header, instance)
            assert header is not None  # noqa: S101 - checked just above
            with quiet():
                own = is_ours(header.dataset)
            place = self.folder / FOLDER if own else self.folder
            path = place / file_name(instance.sop_instance_uid)
            found = PulledObject(size, sha256_of(arrived))
            if own and path.exists():
                # a record is never replaced; it is noted as the archive's only if it is the same
                if sha256_of(path) != found.sha256:
                    if not _says_the_same(path, arrived):
                        with self._guard:
                            self._otherwise.add(instance.sop_instance_uid)
                    return path
            else:
                keep_file(arrived, path)
        except OSError as error:
            raise _not_writable(self.folder, error) from error
        finally:
            with contextlib.suppress(OSError):
                arrived.unlink(missing_ok=True)
        self._note(instance, header, found)
        return path

    @property
    def patients_differ(self) -> tuple[str, ...]:
        """SOP Instance UIDs of objects that name another patient than most others do; () where all agree."""
        with self._guard:
            patients = dict(self._patients)
        if not several_patients(patients.values()):
            return ()
        counts: dict[Patient, int] = {}
        for patient in patients.values():
            counts[patient] = counts.get(patient, 0) + 1
        most = max(counts, key=lambda patient: counts[patient])
        return tuple(one for one, patient in patients.items() if several_patients((patient, most)))

    @property
    def records_differ(self) -> tuple[str, ...]:
        """SOP Instance UIDs of records here of which the archive keeps something else."""
        with self._guard:
            return tuple(sorted(self._otherwise))

    def size_of(self, sop_instance_uid: str) -> int:
        """Bytes of an object that is here; 0 for others."""
        known = self._origin.objects.get(sop_instance_uid)
        return 0 if known is None else known.size

    def arriving_bytes(self) -> int:
        """Bytes of what is being written now."""
        sizes: dict[int, int] = {}
        with contextlib.suppress(OSError):
            for path in self.arrivals.iterdir():
                with contextlib.suppress(OSError):
                    info = path.stat()
                    sizes[info.st_ino] = info.st_size  # one that is renamed meanwhile is listed twice
        return sum(sizes.values())

    def close(self, *, complete: bool) -> None:
        """Note what came and let go; `complete`: whether everything of the study is here.

        Raises NotSavedError where the note cannot be written.
        """
        with self._guard:
            if self._lock is None:
                return
            lock, self._lock = self._lock, None
        try:
            if complete != self._origin.complete or self._unwritten:
                self._origin = replace(self._origin, complete=complete)
                self._write_note()
        finally:
            _empty(self.arrivals)
            lock.release(remove=complete)
            if complete:
                with contextlib.suppress(OSError):
                    self.arrivals.rmdir()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close(complete=False)
            return
        with contextlib.suppress(NotSavedError):  # what failed first is told
            self.close(complete=False)

    def _note(self, instance: InstanceRow, header: Header, found: PulledObject) -> None:
        with self._guard:
            self._patients[instance.sop_instance_uid] = _patient(header)
            objects = {**self._origin.objects, instance.sop_instance_uid: found}
            self._origin = replace(self._origin, objects=objects)
            self._unwritten += 1
            # the list is as long as the study: it is written seldom, and an object that it lacks is looked at
            if self._unwritten >= max(_NOTED_TOGETHER, len(objects) // 20):
                self._write_note()
                self._unwritten = 0

    def _write_note(self) -> None:
        """The names of the objects first, then the list that has them.  Raises NotSavedError."""
        try:
            sync_folder(self.folder)
        except OSError as error:
            raise _not_writable(self.folder, error) from error
        write_origin(self.folder, self._origin)

    def _tidy(self) -> None:
        """What a killed program left half written."""
        _empty(self.arrivals)
        sweep(self.folder / FOLDER)


def file_name(sop_instance_uid: str) -> str:
    """The name of an object's file; it holds no patient data.  InvalidInputError for what is no UID."""
    if clean_uid(sop_instance_uid) != sop_instance_uid or not sop_instance_uid:
        raise InvalidInputError(f"'{plain(sop_instance_uid, 64)}' is not a UID (PS3.5 section 9.1)")
    return f"{sop_instance_uid}.dcm"


def _checked(folder: Path, archive: str, study: str) -> Origin | None:
    """The origin of a folder that was pulled into before; None for one that is new or empty."""
    where = str(folder)
    try:
        if not folder.exists():
            return None
        if not folder.is_dir():
            raise InvalidInputError("this is a file, not a folder", where=where, do=_ELSEWHERE)
        entries = sorted(entry for entry in folder.iterdir() if entry.name.lower() not in _LITTER)
        inside = [entry.name for entry in (folder / FOLDER).iterdir()] if (folder / FOLDER).is_dir() else []
    except OSError as error:
        raise _not_writable(folder, error) from error
    origin, problem = read_origin(folder)
    if problem:
        raise InvalidInputError(
            f"the note of where the study came from cannot be used: {problem}",
            where=str(origin_path(folder)),
            do=_ELSEWHERE,
        )
    if origin is None:
        others = [entry.name for entry in entries if entry.name not in (ARRIVALS, FOLDER)]
        others += [f"{FOLDER}/{name}" for name in inside if not TEMPORARY.fullmatch(name)]
        if others:
            raise InvalidInputError(
                f"the folder is not empty ('{plain(others[0], 60)}')", where=where, do=_ELSEWHERE
            )
        return None
    if origin.study_instance_uid != study:
        raise InvalidInputError(
            f"the folder holds another study ({origin.study_instance_uid})", where=where, do=_ELSEWHERE
        )
    if origin.archive != archive:
        raise InvalidInputError(
            f"the folder's study came from the archive '{origin.archive}', not '{plain(archive, 60)}'",
            where=where,
            do=_ELSEWHERE,
        )
    _refuse_strangers(entries, study, where)
    return origin


def _refuse_strangers(entries: Collection[Path], study: str, where: str) -> None:
    """Objects of another study that somebody put among the pulled ones; other files do no harm."""
    for entry in entries:
        try:
            info = entry.lstat()
            if not stat.S_ISREG(info.st_mode) or clean_uid(entry.stem):
                continue  # a UID for a name: looked at when its object's turn comes
            header = _header(entry, info.st_size)
        except OSError:
            continue
        if header is not None and uid(header.dataset, "StudyInstanceUID") not in ("", study):
            raise InvalidInputError(
                f"the folder holds an object of another study ('{plain(entry.name, 60)}')",
                where=where,
                do=_ELSEWHERE,
            )


def _header(path: Path, size: int) -> Header | None:
    """What a file's header says, within the limits of the reader; None where it is no DICOM object."""
    if size == 0:
        return None
    try:
        return read_header(FileBytes(path, path.name, path.lstat()), DEFAULT_LIMITS)
    except UnreadableError:
        return None


def _identity(header: Header) -> tuple[str, str]:
    with quiet():
        return uid(header.dataset, "StudyInstanceUID"), uid(header.dataset, "SOPInstanceUID")


def _wanted(instance: InstanceRow) -> tuple[str, str]:
    return instance.study_instance_uid, instance.sop_instance_uid


def _check_identity(header: Header | None, instance: InstanceRow) -> None:
    if header is None:
        raise _wrong("what the archive sent is not a DICOM object", instance)
    study, sop = _identity(header)
    if sop != instance.sop_instance_uid:
        raise _wrong("the archive sent another object than was asked for", instance)
    if study != instance.study_instance_uid:
        raise _wrong("the archive sent an object that names another study", instance)
    with quiet():
        named = uid(header.dataset.file_meta, "MediaStorageSOPInstanceUID")
    if named not in ("", sop):
        raise _wrong("its file meta information names another object (PS3.10 7.1)", instance)


def _wrong(what: str, instance: InstanceRow) -> PacsError:
    return PacsError(
        what, where=instance.sop_instance_uid, do="tell the administrator of the archive", step="wado"
    )


def _changed(path: Path) -> PacsError:
    return PacsError(
        "a file of that name is here, and it is not what the archive sent",
        where=str(path),
        do="move it away and pull again",
        step="wado",
    )


def _says_the_same(here: Path, arrived: Path) -> bool:
    """Whether the archive's copy of a record says the same; its own data of the patient may differ."""
    try:
        return compare_files(here, arrived).same
    except Exception:  # pydicom raises nearly anything on damaged bytes: the one here may be
        return False


def _patient(header: Header) -> Patient:
    with quiet():
        return patient_of(header.dataset)


def _empty(arrivals: Path) -> None:
    with contextlib.suppress(OSError):
        for entry in arrivals.iterdir():
            with contextlib.suppress(OSError):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                elif entry.name != "lock":
                    entry.unlink()


def _not_writable(folder: Path, error: OSError) -> NotSavedError:
    reason = (error.strerror or "unknown reason").lower()
    return NotSavedError(
        f"the folder cannot be written ({reason})",
        where=str(folder),
        do="make room, or choose another folder",
    )
