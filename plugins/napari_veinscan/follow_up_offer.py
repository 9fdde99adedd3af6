"""Earlier studies of the patient: looked for when a study is opened, offered, or chosen by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtWidgets import (
    QFileDialog,
    QMessageBox,
)

from napari_veinscan.background import Callbacks, Job
from napari_veinscan.follow_up_state import Compared
from napari_veinscan.pacs_calls import near_and_archived
from napari_veinscan.pacs_earlier import EarlierInArchive
from napari_veinscan.recovery import offer_drafts
from napari_veinscan.session import read_study
from napari_veinscan.which_study import ask_which, can_choose
from veinscan.dicom import Study
from veinscan.dicom.patients import Match, PatientMatch, match_patients
from veinscan.follow_up.earlier import EarlierStudies, EarlierStudy, find_earlier
from veinscan.plan.model import Record

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class Earlier:
    """Looks for earlier studies of the study on show; `bench.part(Earlier)`."""

    changed = Signal()
    """Something was found, or another study is looked at."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._session = bench.session
        self._compared = bench.part(Compared)
        self._job: Job | None = None
        self._which: tuple[str, Path] | None = None
        self.near: EarlierStudies | None = None
        """Beside the study on show and in the folders of the preferences; None until the search has ended."""
        self.found: EarlierStudies | None = None
        """That, and what the archive holds."""
        self.archive = bench.part(EarlierInArchive)
        self.archive.changed.connect(self._put_together)
        self._session.study_changed.connect(self._study_changed)
        bench.recording.ask_too(self.may_leave, self._compared.baseline.forget_edits)
        self._study_changed()

    @property
    def is_searching(self) -> bool:
        """Whether a search runs."""
        return self._job is not None or self.archive.is_searching

    @property
    def offered(self) -> tuple[EarlierStudy, ...]:
        """What was found, to choose from."""
        return self.found.studies if self.found is not None else ()

    def _study_changed(self) -> None:
        study = self._session.study
        which = (study.study_instance_uid, study.path) if study is not None else None
        if which == self._which:
            return  # a calibration changes the clips, not the study
        self._which, self.near, self.found = which, None, None
        if self._job is not None:
            self._job.drop()
            self._job = None
        if study is not None and study.clips:
            folders = self._folders(study)

            def look(job: Job) -> EarlierStudies:
                return find_earlier(study, folders, progress=lambda count: job.report(count, count))

            self._job = self._bench.jobs.start(
                look, Callbacks(done=self._found, failed=self._failed, cancelled=self._ended)
            )
        self.changed.emit()

    def _folders(self, study: Study) -> list[Path] | None:
        """Those of the preferences and the one that the study lies in; None for that one alone."""
        given = [part.strip() for part in self._bench.preferences.earlier_folders.split(";")]
        folders = [Path(part).expanduser() for part in given if part]
        return [*folders, study.path.parent] if folders else None

    def _ended(self) -> None:
        self._job = None
        self.changed.emit()

    def _failed(self, error: Exception) -> None:
        self._job = None
        self._bench.warn(error)
        self.changed.emit()

    def _found(self, found: EarlierStudies) -> None:
        self._job, self.near = None, found
        self._put_together()
        record = self._session.record
        named = {visit.baseline_study_uid for visit in (record.follow_ups if record is not None else ())}
        again = [
            one for one in found.studies if one.study_instance_uid in named and one.match is Match.CERTAIN
        ]
        if again and not self._compared.is_on and not self._bench.work:
            self.take(again[0])  # a person has chosen it before

    def _put_together(self) -> None:
        archived = self.archive.found
        if archived is None:
            self.found = self.near
        else:
            self.found = near_and_archived(self.near or EarlierStudies((), ()), archived)
        self.changed.emit()

    # -- choosing ---------------------------------------------------------------------

    def take(self, one: EarlierStudy) -> None:
        """Compare with a study that was found; one in the archive is fetched first."""
        if one.archive:
            self.archive.fetch(one, partial(self._open, one))
        else:
            self._open(one)

    def _open(self, one: EarlierStudy) -> None:
        self.open_baseline(one.path, study_uid=one.study_instance_uid)

    def choose_folder(self) -> None:
        """Ask for the folder of the earlier study."""
        folder = QFileDialog.getExistingDirectory(self._bench.window, "Choose the baseline", self._start())
        if folder:
            self.open_baseline(folder)

    def choose_file(self) -> None:
        """Ask for the file or zip of the earlier study."""
        path, _ = QFileDialog.getOpenFileName(self._bench.window, "Choose the baseline", self._start())
        if path:
            self.open_baseline(path)

    def _start(self) -> str:
        study = self._session.study
        return str(study.path.parent) if study is not None else ""

    def open_baseline(self, path: str | Path, *, study_uid: str | None = None) -> None:
        """Open a study and put it beside the one on show, asking where the patient is not certain."""
        bench = self._bench
        if bench.refuse_when_busy() or not self.may_leave():
            return
        bench.start(
            "Opening the baseline",
            lambda job: read_study(path, study_uid=study_uid),
            done=self._opened,
            failed=lambda error: self._not_opened(path, error),
        )

    def _opened(self, result: tuple[Study, Record]) -> None:
        study, record = result
        mine = self._session.study
        if mine is None:
            return
        match: PatientMatch | None = None

        def compare() -> None:
            nonlocal match
            match = match_patients(study.header(), mine.header())
            if match.verdict is not Match.ASK or self._is_same_patient(match):
                self._compared.choose(study, record, match)

        if self._bench.attempt(compare) and self._compared.is_on:
            for problem in self._compared.baseline.calibration_problems:
                self._bench.warn(problem)
            offer_drafts(self._bench, self._compared.baseline)
            self._bench.show_dock("follow_up")
            self._bench.show_dock("baseline")

    def _not_opened(self, path: str | Path, error: Exception) -> None:
        if not can_choose(error):
            self._bench.warn(error)
            return
        question = "There is more than one study in this place. Which is the baseline?"
        uid = ask_which(self._bench.window, error, question)
        if uid is not None:
            self.open_baseline(path, study_uid=uid)

    def _is_same_patient(self, match: PatientMatch) -> bool:
        """Ask a person, with the reason why it is not certain."""
        box = QMessageBox(self._bench.window)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Is it the same patient?")
        box.setText("It is not certain that both studies are of one patient.")
        box.setInformativeText(
            f"{match.reason[:1].upper()}{match.reason[1:]}. Look at both before you say yes."
        )
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Yes | buttons.No)
        box.button(buttons.Yes).setText("The same patient")
        box.button(buttons.No).setText("Do not compare")
        box.setDefaultButton(buttons.No)
        return bool(box.exec() == buttons.Yes)

    # -- leaving ----------------------------------------------------------------------

    def may_leave(self) -> bool:
        """Ask for marks of the baseline that are not saved; True when the baseline may be taken away."""
        baseline = self._compared.baseline
        if not self._compared.is_on or not baseline.is_dirty:
            return True
        box = QMessageBox(self._bench.window)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("Marks of the baseline")
        box.setText("The baseline's record has changes that are not saved.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Save | buttons.Ignore | buttons.Discard | buttons.Cancel)
        box.button(buttons.Ignore).setText("Keep in the draft")
        box.setDefaultButton(buttons.Save)
        answer = box.exec()
        if answer == buttons.Save:
            return self._bench.attempt(baseline.save)
        if answer == buttons.Discard:
            return self._bench.attempt(baseline.forget_edits)
        return bool(answer == buttons.Ignore)

    def leave(self) -> None:
        """Take the baseline away, asking first for marks that are not saved."""
        if self.may_leave():
            self._compared.leave()
