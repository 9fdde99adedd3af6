"""'One page': the plan as a PDF, a page for a tablet or a DICOM document, written off the window's thread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtCore import QStandardPaths
from qtpy.QtWidgets import QFileDialog

from napari_veinscan.follow_up_state import Compared

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.record import Opened
    from veinscan.report import ReportInfo

FILE_NAME = "plan"
"""Says nothing of the patient."""


@dataclass(frozen=True)
class Kind:
    """What can be written, as the dialog offers it."""

    title: str
    suffix: str
    page_size: str = "A4"

    @property
    def offered(self) -> str:
        """As Qt's dialog takes it."""
        return f"{self.title} (*{self.suffix})"


KINDS = (
    Kind("PDF, A4", ".pdf"),
    Kind("PDF, Letter", ".pdf", "letter"),
    Kind("Page for a tablet", ".html"),
    Kind("DICOM document of the study", ".dcm"),
)


def write_page(bench: Workbench) -> None:
    """Ask what and where to, and write the plan; unsaved edits are on it, and it is then marked as a draft.

    With a baseline beside the picture, each of its targets is shown before and after.
    """
    bench.recording.take_over()
    study, record = bench.session.study, bench.session.record
    if study is None or record is None or bench.refuse_when_busy():
        return
    place = bench.last_folder or QStandardPaths.writableLocation(
        QStandardPaths.StandardLocation.DocumentsLocation
    )
    first = next(kind for kind in KINDS if kind.page_size == bench.settings.page_size)
    offered = {kind.offered: kind for kind in (first, *(kind for kind in KINDS if kind is not first))}
    name, chosen = QFileDialog.getSaveFileName(
        bench.window,
        "Write the plan to",
        str(Path(place) / f"{FILE_NAME}{first.suffix}"),
        ";;".join(offered),
    )
    if not name:
        return
    kind = _kind_of(Path(name), offered.get(chosen, first))
    path = Path(name)
    if path.suffix.lower() != kind.suffix:
        path = path.with_name(f"{path.name}{kind.suffix}")
    bench.last_folder = str(path.parent)
    shown = replace(record, version=0) if bench.session.is_dirty else record
    baseline = _baseline(bench)

    def write(_job: object) -> ReportInfo:
        from veinscan.report import write_report

        return write_report(
            study,
            shown,
            path,
            page_size=kind.page_size,
            baseline=baseline,
            # the window asked when the baseline was opened
            confirmed=True,
            profile=bench.preferences.threshold_profile,
        )

    bench.start("Writing the page", write, done=_written)


def _kind_of(path: Path, chosen: Kind) -> Kind:
    """What was chosen, unless the name that was typed ends otherwise."""
    if path.suffix.lower() in ("", chosen.suffix):
        return chosen
    return next((kind for kind in KINDS if kind.suffix == path.suffix.lower()), chosen)


def _baseline(bench: Workbench) -> Opened | None:
    """The earlier study beside the picture; None without one."""
    compared = bench.part(Compared)
    return compared.opened if compared.is_on else None


def _written(info: ReportInfo) -> None:
    pages = "1 page" if info.pages == 1 else f"{info.pages} pages"
    show_info(f"The plan is in {info.path} ({pages}).")
