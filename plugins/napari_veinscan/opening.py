"""Opening a study in a window: off the window's thread, with the questions that come up."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_veinscan import window_state
from napari_veinscan.session import read_study
from napari_veinscan.which_study import ask_which, can_choose
from veinscan.dicom import Study
from veinscan.errors import NoStudyError
from veinscan.plan.model import Record

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


class Opening:
    """Opens studies for one workbench."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def open_path(
        self, path: str | Path, *, study_uid: str | None = None, reading_id: str | None = None
    ) -> None:
        """Open a study (folder, file or zip), asking first for unsaved work."""
        bench = self._bench
        if bench.refuse_when_busy() or not bench.recording.may_lose_edits():
            return
        bench.start(
            f"Opening {Path(path).name}",
            lambda job: read_study(path, study_uid=study_uid, reading_id=reading_id),
            done=self._opened,
            failed=lambda error: self._not_opened(path, error),
        )

    def _opened(self, result: tuple[Study, Record]) -> None:
        self.show(*result)

    def show(self, study: Study, record: Record) -> None:
        """Show a study that was opened, and say what is special about it."""
        bench = self._bench
        bench.session.show_study(study, record)
        window_state.remember_study(study.path)
        for problem in bench.session.calibration_problems:
            bench.warn(problem)
        if not study.clips:
            bench.warn(
                NoStudyError(
                    "there is no ultrasound clip in it",
                    where=study.path.name,
                    do="see 'skipped' in the list of clips for what was found",
                )
            )
        bench.recording.study_was_opened()

    def _not_opened(self, path: str | Path, error: Exception) -> None:
        bench = self._bench
        if not can_choose(error):
            bench.warn(error)
            return
        question = "There is more than one study in this place. They are never mixed. Open which?"
        uid = ask_which(bench.window, error, question)
        if uid is not None:
            self.open_path(path, study_uid=uid)
