"""A study out of an archive into the window: shown at once, its files come meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from napari_veinscan import pacs_calls
from napari_veinscan.background import Job
from napari_veinscan.clip_words import counted
from napari_veinscan.pacs_arriving import Arriving, Told, look_ahead
from napari_veinscan.pacs_dialog import PacsDialog
from napari_veinscan.pacs_words import progress_words
from veinscan import record as store
from veinscan.errors import CancelledError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.pacs.remote import RemoteStudy
    from veinscan.plan.model import Record


@dataclass(frozen=True, slots=True)
class Fetched:
    """A study as far as it has to be here to be looked at."""

    archive: str
    remote: RemoteStudy
    record: Record
    told: Told


def open_from_pacs(bench: Workbench) -> PacsDialog:
    """Ask for a study of an archive, and open it."""
    dialog = PacsDialog(bench, lambda name, row: partial(fetch, name, row.study_instance_uid, Told()))
    dialog.finished.connect(lambda _result: show(bench, dialog.fetched))
    dialog.open()
    return dialog


def open_again(bench: Workbench) -> None:
    """Go on with a study that did not come whole, keeping what has come."""
    arriving, study = bench.part(Arriving), bench.session.study
    if study is None or not arriving.archive or bench.refuse_when_busy():
        return
    if not bench.recording.may_lose_edits():
        return
    work = partial(fetch, arriving.archive, study.study_instance_uid, Told())
    bench.start(f"Opening from {arriving.archive}", work, done=partial(show, bench))


def fetch(name: str, study_uid: str, told: Told, job: Job) -> Fetched:
    """So much of a study that it can be looked at, and its plan; the rest comes in the background.

    An archive without single frames (DIMSE) gives all of it first.
    """
    is_open = False

    def progress(done: int, total: int, size: int) -> None:
        if is_open:
            told.progress.emit(done, total, size)
        elif not job.is_cancelled:
            job.give((progress_words(done, total, size), done, total))

    archive = pacs_calls.connect(name)
    try:
        remote = pacs_calls.open_remote(
            archive,
            study_uid,
            clip_ready=told.clip.emit,
            finished=told.finished.emit,
            progress=progress,
            stop=lambda: job.is_cancelled,
        )
    except BaseException:
        archive.close()
        raise
    try:
        is_open = True
        if not job.is_cancelled:
            job.give((f"Looking at {counted(len(remote.study.clips), 'clip')}…", 0, 0))
        look_ahead(remote.study, job)
        record = store.load_record(remote.study)
        if job.is_cancelled:
            raise CancelledError("stopped by the reader")
    except BaseException:
        remote.close()
        raise
    return Fetched(name, remote, record, told)


def show(bench: Workbench, fetched: Fetched | None) -> None:
    """Show what was fetched."""
    if fetched is None:
        return
    if bench.is_closed:
        fetched.remote.close()
        return
    bench.part(Arriving).take(fetched.remote, fetched.told, fetched.archive)
    bench.opening.show(fetched.remote.study, fetched.record)
