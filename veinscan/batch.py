"""Many studies: found in folders, done by processes of this machine or by a Dask cluster.

The work of a study is one function of a small job (`export.work.do_job`), and
everything it gives lies in the folder of the export once it is done.  So it
does not matter who does it: a process, another machine, or the next run after
a kill.  The folder must be at the same path for all of them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from veinscan.deidentify.identity import patient_pseudonym
from veinscan.deidentify.key import ProjectKey
from veinscan.dicom.facts import patient_of
from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.header import Header, quiet, read_header
from veinscan.dicom.sources import SingleFileSource
from veinscan.dicom.study import RECORD_FOLDER, open_study
from veinscan.dicom.values import uid
from veinscan.errors import AmbiguousStudyError, InvalidInputError, VeinscanError
from veinscan.export.extra import installed
from veinscan.export.names import name_of
from veinscan.export.run import Runner, item_of, one_after_the_other
from veinscan.export.work import Done, Item, Job, do_job

MOST_PEEKS = 8
"""Files of a folder that are looked at for one that tells its study."""
TRIES = 2
"""How often a study is begun again alone, after a process that worked on it died."""
TASKS_A_PROCESS = 200
"""After so many studies a process makes room for a fresh one: what libraries keep does not add up."""

CONNECT_S = 10.0
"""How long a Dask scheduler may take to answer."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_logger = logging.getLogger("veinscan.batch")


@dataclass(slots=True)
class Found:
    """Studies under some folders."""

    items: list[Item] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of what looked like a study and is none."""


def find_studies(places: Iterable[Path], key: ProjectKey) -> Found:
    """Every study under some folders; zips and single files count as one each.

    A folder is one study as long as all files below it are of one; only the
    first and last file of a folder are looked at, so that 10,000 studies are
    found in minutes.
    """
    found = Found()
    seen: set[tuple[str, str]] = set()
    for place in places:
        if not place.exists():
            raise InvalidInputError("there is no such file or folder", where=str(place), do="check the path")
        for path in _units(place):
            for item in _items(path, key, found):
                if (item.study_uid, item.patient) not in seen:
                    seen.add((item.study_uid, item.patient))
                    found.items.append(item)
                else:
                    found.failed.append((item.path, "a second copy of a study that is already in the list"))
    return found


def _units(place: Path) -> Iterator[Path]:
    """Folders and zips that hold one study each, as far as a look at few files tells."""
    if not place.is_dir():
        yield place
        return
    folders, files = _listed(place)
    zips = [path for path in files if path.suffix.lower() == ".zip"]
    others = len(files) > len(zips)
    if not folders and not zips:
        if others:
            yield place
        return
    studies = {_study_in(folder) for folder in folders}
    own = _study_in(place) if others else ""
    if not zips and len((studies | {own}) - {""}) <= 1 and (own or studies - {""}):
        yield place
        return
    yield from zips
    if own:
        yield place  # files of its own beside other studies: opening it tells which
    else:
        for folder in folders:
            yield from _units(folder)


def _listed(place: Path) -> tuple[list[Path], list[Path]]:
    folders, files = [], []
    with os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name.startswith(".") or entry.is_symlink() or entry.name == RECORD_FOLDER:
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif entry.is_file():
                files.append(Path(entry.path))
    return folders, files


def _study_in(folder: Path) -> str:
    """The UID of the one study below a folder; '' for none, '*' for several."""
    folders, files = _listed(folder)
    found = {_study_in(one) for one in folders}
    for few in (files[:MOST_PEEKS], files[: -MOST_PEEKS - 1 : -1]):
        header = next((header for header in map(_peek, few) if header is not None), None)
        if header is not None:
            found.add(uid(header.dataset, "StudyInstanceUID"))
    found.discard("")
    return "" if not found else found.pop() if len(found) == 1 else "*"


def _peek(path: Path) -> Header | None:
    """The header of a file that is of a study; None for another."""
    try:
        for entry in SingleFileSource(path, DEFAULT_LIMITS).entries():
            with entry.at_hand(), quiet():
                header = read_header(entry, DEFAULT_LIMITS)
                if uid(header.dataset, "StudyInstanceUID") and header.pixels is not None:
                    return header
    except (VeinscanError, OSError):
        return None
    return None


def _items(path: Path, key: ProjectKey, found: Found) -> Iterator[Item]:
    try:
        quick = _quick_item(path, key)
        if quick is not None:
            yield quick
            return
        yield item_of(open_study(path), key)
    except AmbiguousStudyError as error:
        for study_uid in error.study_uids:
            try:
                yield item_of(open_study(path, study_uid=study_uid), key)
            except VeinscanError as inner:
                found.failed.append((str(path), inner.what))
    except VeinscanError as error:
        found.failed.append((str(path), error.what))


def _quick_item(path: Path, key: ProjectKey) -> Item | None:
    """The study of a folder by one of its files, where all that are looked at agree."""
    if not path.is_dir():
        return None
    study = _study_in(path)
    if study in ("", "*"):
        return None
    place: Path | None = path
    while place is not None:
        folders, files = _listed(place)
        header = next((header for header in map(_peek, files[:MOST_PEEKS]) if header is not None), None)
        if header is not None:
            with quiet():
                patient = patient_pseudonym(key, *patient_of(header.dataset), study)
            return Item(str(path.absolute()), study, patient, name_of(key, patient, study))
        place = next((folder for folder in folders if _study_in(folder)), None)
    return None


def runner_of(processes: int, scheduler: str | None) -> Runner:
    """Who does the jobs: a Dask cluster, this process, or several of this machine.

    Raises
    ------
    InvalidInputError
        A number of processes below 1.
    VeinscanError
        No cluster answers there, or `distributed` is not installed.
    """
    if scheduler is not None:
        return _dask_runner(scheduler)
    if processes < 1:
        raise InvalidInputError(f"{processes} processes", do="give 1 or more")
    return one_after_the_other if processes == 1 else lambda jobs: run_in_processes(jobs, processes)


def run_in_processes(jobs: Sequence[Job], processes: int) -> Iterator[Done]:
    """Do jobs in several processes; what a killed process had in hand is done again, each alone."""
    waiting = list(reversed(jobs))
    suspects: list[Job] = []
    tries: dict[str, int] = {}
    for name in _THREADS:
        os.environ.setdefault(name, "1")  # one thread a process: they would only fight each other
    while waiting or suspects:
        pool = ProcessPoolExecutor(
            processes if not suspects else 1,
            mp_context=get_context("spawn"),
            initializer=_end_with_parent,
            max_tasks_per_child=TASKS_A_PROCESS,
        )
        running: dict[Future[Done], Job] = {}
        alone = bool(suspects)
        queue = suspects if alone else waiting
        most = 1 if alone else 2 * processes
        try:
            while queue or running:
                while queue and len(running) < most:
                    job = queue.pop()
                    running[pool.submit(do_job, job)] = job
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    done = future.result()
                    del running[future]
                    yield done
        except BrokenProcessPool:
            _logger.info("a process died; %d studies are begun again", len(running))
            for job in running.values():
                tries[job.item.name] = tries.get(job.item.name, 0) + alone
                if tries[job.item.name] >= TRIES:
                    yield Done(job.item.name, reason="the process that worked on it was ended, twice")
                else:
                    suspects.append(job)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _end_with_parent() -> None:
    """In a process of the pool: end when the program that began it is killed, and use one thread."""
    import signal
    import threading
    from multiprocessing import parent_process
    from multiprocessing.connection import wait as wait_for

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the program, which then ends the pool
    cv2.setNumThreads(1)
    parent = parent_process()
    if parent is None:
        return

    def watch(sentinel: Any) -> None:
        wait_for([sentinel])
        os._exit(1)

    threading.Thread(target=watch, args=(parent.sentinel,), daemon=True).start()


def _dask_runner(scheduler: str) -> Runner:
    distributed = installed("distributed")
    try:
        client = distributed.Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise VeinscanError(
            f"no Dask scheduler answers ({type(error).__name__})",
            where=scheduler,
            do="start it with 'dask scheduler', and workers with 'dask worker ADDRESS'",
        ) from error

    def run(jobs: Sequence[Job]) -> Iterator[Done]:
        with client:
            futures = {client.submit(do_job, job, pure=False, retries=TRIES): job.item.name for job in jobs}
            for future in distributed.as_completed(list(futures), loop=client.loop):
                name = futures.pop(future)
                try:
                    done = future.result()
                except Exception as error:  # whatever a cluster has to say of a worker
                    done = Done(name, reason=f"the cluster could not do it ({type(error).__name__})")
                future.release()
                yield done

    return run
