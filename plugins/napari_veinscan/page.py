"""'One page': the plan as a PDF, written off the window's thread."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtCore import QStandardPaths
from qtpy.QtWidgets import QFileDialog

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.report import ReportInfo

FILE_NAME = "plan.pdf"
"""Says nothing of the patient."""


def write_page(bench: Workbench) -> None:
    """Ask where to, and write the plan; unsaved edits are on it, and it is then marked as a draft."""
    bench.recording.take_over()
    study, record = bench.session.study, bench.session.record
    if study is None or record is None or bench.refuse_when_busy():
        return
    place = bench.last_folder or QStandardPaths.writableLocation(
        QStandardPaths.StandardLocation.DocumentsLocation
    )
    name, _ = QFileDialog.getSaveFileName(
        bench.window, "Write the plan to", str(Path(place) / FILE_NAME), "PDF (*.pdf)"
    )
    if not name:
        return
    path = Path(name)
    path = path if path.suffix.lower() == ".pdf" else path.with_name(f"{path.name}.pdf")
    bench.last_folder = str(path.parent)
    shown = replace(record, version=0) if bench.session.is_dirty else record

    def write(_job: object) -> ReportInfo:
        from veinscan.report import write_report

        return write_report(study, shown, path, page_size=bench.settings.page_size)

    bench.start("Writing the page", write, done=_written)


def _written(info: ReportInfo) -> None:
    pages = "1 page" if info.pages == 1 else f"{info.pages} pages"
    show_info(f"The plan is in {info.path} ({pages}).")
