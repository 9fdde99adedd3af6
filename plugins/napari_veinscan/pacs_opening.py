"""A study out of an archive into the window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_veinscan import pacs_calls
from napari_veinscan.background import Job
from napari_veinscan.pacs_dialog import PacsDialog
from napari_veinscan.pacs_words import progress_words
from veinscan.pacs.model import StudyRow

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


def open_from_pacs(bench: Workbench) -> PacsDialog:
    """Ask for a study of an archive, and open it."""
    dialog = PacsDialog(bench, fetch_study)

    def ended(result: int) -> None:
        if result and dialog.fetched is not None:
            bench.open_path(dialog.fetched)

    dialog.finished.connect(ended)
    dialog.open()
    return dialog


def fetch_study(name: str, row: StudyRow, job: Job) -> Path:
    """Fetch all of a study into the cache, saying how far it is; gives its folder."""

    def progress(done: int, total: int, size: int) -> None:
        job.give((progress_words(done, total, size), done, total))

    with pacs_calls.connect(name) as archive:
        return pacs_calls.pull(archive, row.study_instance_uid, progress, lambda: job.is_cancelled)
