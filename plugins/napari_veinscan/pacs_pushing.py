"""A plan into the archive its study came from: a final version at once, a draft only on explicit wish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import QMessageBox

from napari_veinscan import pacs_calls
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.pacs_choices import With, kept
from napari_veinscan.pacs_sender import Sender
from napari_veinscan.pacs_sending_words import KINDS
from napari_veinscan.record_bar import SIGNED
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan.model import Record

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.dicom import Study
    from veinscan.pacs.send import Enqueued
    from veinscan.record.store import SavedRecord


@dataclass(frozen=True, slots=True)
class Home:
    """The archive that a study came from and its plan goes back to."""

    archive: str
    """As the settings name it."""
    objects: frozenset[str]
    """SOP Instance UIDs of what was fetched from it."""


class Pushing:
    """Puts versions of the record into the queue; `bench.part(Pushing)`."""

    changed = Signal()
    """Something is being put into the queue, or is in it."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._session = bench.session
        self._sender = bench.part(Sender)
        self.home: Home | None = None
        """None for a study that came from a folder, or from an archive that the settings do not know."""
        self._which: tuple[str, Path] | None = None
        self._putting = 0
        self._session.study_changed.connect(self._study_changed)
        self._session.version_saved.connect(self._saved)
        self._study_changed()

    @property
    def is_putting(self) -> bool:
        """Whether a version is on its way into the queue."""
        return self._putting > 0

    @property
    def archive(self) -> str:
        """Where the study came from; empty where that is no archive of the settings."""
        return self.home.archive if self.home is not None else ""

    @property
    def is_forgotten(self) -> bool:
        """Whether the final version on show neither came from the archive nor was put into the queue.

        A program that ended between the save and the queue leaves it so.
        """
        record, home = self._session.record, self.home
        if home is None or record is None or record.status.state not in SIGNED or len(record.heads) != 1:
            return False
        known = {*home.objects, *(one.sop_instance_uid for one in self._sender.entries)}
        return self._sender.is_known and not self._session.is_dirty and record.heads[0] not in known

    def put_forgotten(self) -> None:
        """Put the final version on show into the queue."""
        path = newest_version(self._session.study, self._session.record)
        if path is not None and self.home is not None:
            self.put(path, self.home.archive, kept(self.home.archive))

    def _study_changed(self) -> None:
        study = self._session.study
        which = (study.study_instance_uid, study.root) if study is not None else None
        if which != self._which:  # a calibration changes the clips, not the study
            self._which = which
            self.home = home_of(study) if study is not None else None
            self.changed.emit()

    def _saved(self, saved: SavedRecord) -> None:
        """A final version goes at once; it lies beside the study already, whatever becomes of this."""
        if self.home is not None and saved.record.status.state in SIGNED:
            self.put(saved.path, self.home.archive, kept(self.home.archive))

    def put(
        self, version: Path, archive: str, along: With, *, draft: bool = False, pictures: bool = False
    ) -> None:
        """Put a saved version into the queue of an archive, off the window's thread, and have it sent."""
        study = self._session.study
        if study is None:
            return
        profile = self._bench.preferences.threshold_profile

        def work(_job: Job) -> Enqueued:
            put = pacs_calls.put_version(
                study,
                version,
                archive,
                draft=draft,
                segmentation=along.segmentation,
                page=along.page,
                profile=profile,
            )
            if pictures:
                pacs_calls.put_pictures(study, archive)
            return put

        self._putting += 1
        self._bench.jobs.start(work, Callbacks(done=self._put, failed=self._not_put))
        self.changed.emit()

    def _put(self, put: Enqueued) -> None:
        self._putting -= 1
        self._sender.run()
        self.changed.emit()
        for one in put.left_out:
            what = KINDS.get(one.kind, one.kind)
            self._bench.warn(InvalidInputError(f"the {what} is not sent: {one.reason}"))

    def _not_put(self, error: Exception) -> None:
        self._putting -= 1
        self._sender.run()
        self.changed.emit()
        if isinstance(error, VeinscanError):
            error = InvalidInputError(
                f"the plan is saved beside the study, and was not put into the queue: {error}",
                do="choose 'Send to PACS…' in the menu once that is put right",
            )
        self._bench.warn(error)

    def send_draft(self) -> None:
        """Send the version as it is, although it is not final; saved first, and asked for once more."""
        record = self._session.record
        if record is None or self.home is None:
            self._bench.warn(
                InvalidInputError(
                    "this study did not come from an archive", do="choose 'Send to PACS…' in the menu"
                )
            )
            return
        if record.status.state in SIGNED:
            self._bench.warn(InvalidInputError("this version is final: it is sent without being asked for"))
            return
        if not self._is_wanted() or (self._session.is_dirty and not self._bench.save()):
            return
        record, path = self._session.record, self._session.saved_path
        path = path or newest_version(self._session.study, record)
        if record is None or path is None:
            self._bench.warn(InvalidInputError("there is no saved version", do="save one first"))
            return
        self.put(path, self.home.archive, With(), draft=True)

    def _is_wanted(self) -> bool:
        box = QMessageBox(self._bench.window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Send a draft?")
        box.setText(
            f"This version is not final. {self.home.archive if self.home else ''} will hold it as such."
        )
        box.setInformativeText(
            "Others see it there as partial and unverified. A final version goes there when you finalise it. "
            "Candidates that nobody reviewed are not in it."
        )
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Ok | buttons.Cancel)
        box.button(buttons.Ok).setText("Save and send the draft")
        box.setDefaultButton(buttons.Cancel)
        return bool(box.exec() == buttons.Ok)


def home_of(study: Study) -> Home | None:
    """The archive of the settings that a study was pulled from; None where it came from elsewhere.

    Whoever handed over the folder may have written anything into it: nothing is sent to an
    address that only the folder names.
    """
    origin = pacs_calls.origin(study.root)
    if origin is None or origin.study_instance_uid != study.study_instance_uid:
        return None
    try:
        config = pacs_calls.configured().get(origin.archive)
    except VeinscanError:
        return None
    if config is None or origin.dimse not in ("", config.dimse):
        return None
    return Home(origin.archive, frozenset(origin.objects))


def newest_version(study: Study | None, record: Record | None) -> Path | None:
    """The file of the version that a record was read from; None where there is none, or several."""
    if study is None or record is None or len(record.heads) != 1:
        return None
    from veinscan.record.store import record_paths

    name = f"{record.heads[0]}.dcm"
    return next((path for path in record_paths(study) if isinstance(path, Path) and path.name == name), None)
