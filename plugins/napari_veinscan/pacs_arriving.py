"""A study that is looked at while its files are still coming from an archive."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psygnal import Signal
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtCore import Signal as QtSignal  # type: ignore[attr-defined]  # qtpy renames Qt's own

from napari_veinscan import pacs_calls
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.late_frames import LateFrames
from veinscan.dicom import Clip, Study
from veinscan.errors import CancelledError, PacsError, UnreadableError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.pacs.remote import RemoteStudy

LOOK_MS = 500
"""How often it is asked whether the connection is there."""
LOOKERS = 4
"""Clips whose first frames are fetched at once."""


class Told(QObject):
    """Carries what is told in threads of the library into the window's."""

    clip = QtSignal(int)
    progress = QtSignal(int, int, int)
    finished = QtSignal()


class Arriving:
    """The study that is coming, if one is; `bench.part(Arriving)`."""

    changed = Signal()
    """More has come, the connection is lost or back, or it ended."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._late = bench.part(LateFrames)
        self._remote: RemoteStudy | None = None
        self._uids: tuple[str, ...] = ()
        self._told: Told | None = None
        self._which: Path | None = None
        self._hold: Any = None
        self.archive = ""
        """Where it comes from."""
        self.size = 0
        """Bytes that have come."""
        self.is_stopped = False
        """Whether a person stopped it; what has come stays."""
        self._timer = QTimer(bench.window)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._problem = ""
        self._late.is_late = self.is_late
        bench.session.study_changed.connect(self._study_changed)

    # -- what is coming ---------------------------------------------------------------

    def take(self, remote: RemoteStudy, told: Told, archive: str) -> None:
        """Follow a study that was just opened; its session has to show it next."""
        self._let_go()
        self._remote, self._told, self.archive = remote, told, archive
        self._uids = tuple(clip.sop_instance_uid for clip in remote.study.clips)
        self._which, self.size, self.is_stopped, self._problem = remote.study.root, 0, False, ""
        told.clip.connect(self._clip_came, Qt.ConnectionType.QueuedConnection)
        told.progress.connect(self._progressed, Qt.ConnectionType.QueuedConnection)
        told.finished.connect(self._finished, Qt.ConnectionType.QueuedConnection)
        self._timer.start()
        if remote.is_complete:
            self._finished()
        self.changed.emit()

    @property
    def is_on(self) -> bool:
        """Whether there is something to say: it comes, was stopped, or did not come whole."""
        return self._remote is not None and (not self._remote.is_complete or bool(self.problem))

    @property
    def is_coming(self) -> bool:
        """Whether files are still coming."""
        return self._remote is not None and not self.is_stopped and not self._remote.is_complete

    @property
    def total(self) -> int:
        """Clips of the study."""
        return len(self._uids)

    @property
    def here(self) -> int:
        """Clips whose file is here."""
        remote = self._remote
        return 0 if remote is None else sum(remote.is_local(index) for index in range(self.total))

    @property
    def problem(self) -> str:
        """Why it does not come, or not all of it, in a sentence; empty while all is well."""
        remote = self._remote
        if remote is None:
            return ""
        if remote.error is not None:
            return str(remote.error)
        if remote.problem and not remote.is_complete:
            return remote.problem
        failed = remote.pulled.failed if remote.pulled is not None else ()
        if failed:
            more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
            return f"an object did not come: {failed[0].reason}{more}"
        return "it was stopped" if self.is_stopped else ""

    def is_late(self, clip: Clip) -> bool:
        """Whether a clip's file is still to come."""
        remote = self._remote
        if remote is None or clip.sop_instance_uid not in self._uids:
            return False
        return not remote.is_local(self._uids.index(clip.sop_instance_uid))

    def wait_for(self, clip: Clip, job: Job) -> None:
        """Wait, in a job, until a clip's file is here; it is fetched next.

        Raises CancelledError when the job is cancelled, PacsError when it does not come.
        """
        remote = self._remote
        while remote is not None and self.is_late(clip):
            if job.is_cancelled:
                raise CancelledError("stopped by the reader")
            if self.problem or remote.is_complete:
                raise PacsError(
                    f"the clip has not come from {self.archive}: {self.problem}",
                    do="press 'Try again' over the list of clips",
                )
            remote.prefer(self._uids.index(clip.sop_instance_uid))
            time.sleep(0.1)

    # -- what a person does -----------------------------------------------------------

    def stop(self) -> None:
        """End it; what has come stays, and can be worked with."""
        if self._remote is not None and not self.is_stopped:
            self.is_stopped = True
            _close(self._remote)
            self._timer.stop()
            self.changed.emit()

    # -- what happens -----------------------------------------------------------------

    def _clip_came(self, index: int) -> None:
        clip = self._bench.session.clip
        if clip is not None and clip.sop_instance_uid == self._uids[index]:
            self._late.here()
        self.changed.emit()

    def _progressed(self, _done: int, _total: int, size: int) -> None:
        self.size = size
        self.changed.emit()

    def _finished(self) -> None:
        self._timer.stop()
        clip = self._bench.session.clip
        if clip is not None and not self.is_late(clip):
            self._late.here()
        for note in () if self._remote is None else self._remote.notes:
            self._bench.warn(PacsError(note, where=self.archive))  # as that objects name another patient
        self.changed.emit()

    def _look(self) -> None:
        if self.problem != self._problem:
            self._problem = self.problem
            self.changed.emit()

    def _study_changed(self) -> None:
        study = self._bench.session.study
        root = study.root if study is not None else None
        if root == self._which:
            return  # a calibration changes the clips, not the study
        self._let_go()
        self._which = root
        self.changed.emit()
        if root is not None:
            self._keep(root)

    def _keep(self, root: Path) -> None:
        """A study of the cache that is open is not removed from it."""

        def held(hold: Any) -> None:
            if self._which == root and self._remote is None:
                self._hold = hold
            else:
                hold.release()

        if pacs_calls.is_in_cache(root):
            self._bench.jobs.start(
                lambda _job: pacs_calls.hold(root), Callbacks(done=held, failed=self._bench.warn)
            )

    def _let_go(self) -> None:
        self._timer.stop()
        if self._told is not None:
            for signal in (self._told.clip, self._told.progress, self._told.finished):
                signal.disconnect()
            self._told = None
        if self._remote is not None:
            _close(self._remote)
        if self._hold is not None:
            self._hold.release()
        self._remote, self._hold, self._uids, self.archive = None, None, (), ""
        self.is_stopped, self._problem = False, ""

    def close(self) -> None:
        """As the window closes: what is on its way ends, what is here stays."""
        self._let_go()


def _close(remote: RemoteStudy) -> None:
    """Beside the window: it waits for what is on its way."""
    threading.Thread(target=remote.close, name="veinscan-remote-close", daemon=True).start()


def look_ahead(study: Study, job: Job) -> None:
    """Fetch what the window asks of clips before it shows them: their kind and regions, the first picture.

    Where the archive's description has no regions these are seen in a few frames.
    """

    def look(clip: Clip) -> None:
        if job.is_cancelled:
            return
        try:
            _ = clip.kind, clip.regions, clip.picture_region
            if clip is study.clips[0]:
                clip.frame(0)
        except UnreadableError:
            pass  # the clip says so itself when it is shown

    with ThreadPoolExecutor(LOOKERS, thread_name_prefix="veinscan-look") as pool:
        for done in [pool.submit(look, clip) for clip in study.clips]:
            done.result()
    if job.is_cancelled:
        raise CancelledError("stopped by the reader")
