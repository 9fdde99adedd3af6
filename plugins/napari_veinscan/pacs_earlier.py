"""Earlier studies of the patient in the archive: looked for beside the window, fetched when one is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_veinscan import pacs_calls
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.pacs_pushing import Pushing
from veinscan.errors import PacsError, VeinscanError
from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class EarlierInArchive:
    """Asks the archive that the study on show came from; another one only when a person wants it.

    `bench.part(EarlierInArchive)`.
    """

    changed = Signal()
    """Something was found, the search began or ended."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._pushing = bench.part(Pushing)
        self._job: Job | None = None
        self._which: tuple[str, Path] | None = None
        self.asked = ""
        """The archive that was asked for the study on show; empty before one was."""
        self.found: EarlierStudies | None = None
        self.problem = ""
        """Why the archive could not be asked, in a sentence."""
        self.names: list[str] = []
        """Archives that can be asked."""
        bench.session.study_changed.connect(self._study_changed)
        self._study_changed()

    @property
    def is_searching(self) -> bool:
        """Whether an archive is being asked."""
        return self._job is not None

    def _study_changed(self) -> None:
        study = self._bench.session.study
        which = (study.study_instance_uid, study.root) if study is not None else None
        if which == self._which:
            return  # a calibration changes the clips, not the study
        self._which = which
        self.stop()
        self.found, self.problem, self.asked = None, "", ""
        self.names = _known()
        self.changed.emit()
        if study is not None and self._pushing.home is not None:
            self.look(self._pushing.home.archive)

    def stop(self) -> None:
        """End a search; what it found is not told."""
        if self._job is not None:
            self._job.abandon()

    def look(self, name: str) -> None:
        """Ask an archive for earlier studies of the patient of the study on show."""
        study = self._bench.session.study
        if study is None or self._job is not None:
            return

        def work(job: Job) -> EarlierStudies:
            return pacs_calls.find_earlier(name, study, lambda: job.is_cancelled)

        self.asked, self.problem, self.found = name, "", None
        self._job = self._bench.jobs.start(
            work,
            Callbacks(done=self._found, failed=self._failed, cancelled=self._ended),
            patience_s=pacs_calls.PATIENCE_S,
        )
        self.changed.emit()

    def _found(self, found: EarlierStudies) -> None:
        self.found = found
        self._ended()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PacsError):
            self.problem = str(error)  # said where the list is: being offline is no reason for a notification
        else:
            self._bench.warn(error)
        self._ended()

    def _ended(self) -> None:
        self._job = None
        self.changed.emit()

    def fetch(self, one: EarlierStudy, then: Callable[[], None]) -> None:
        """Fetch a study that was found, with its plan; `then` is called when it is in the cache."""
        if self._bench.refuse_when_busy():
            return

        def work(job: Job) -> None:
            def progress(done: int, total: int, _size: int) -> None:
                job.report(done, total)

            pacs_calls.fetch_earlier(one, progress, lambda: job.is_cancelled)

        self._bench.start(f"Fetching the earlier study from {one.archive}", work, done=lambda _: then())


def _known() -> list[str]:
    try:
        return list(pacs_calls.configured())
    except VeinscanError:
        return []
