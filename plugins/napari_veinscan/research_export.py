"""Export of the study on show as a research data set: what is asked first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari.utils.notifications import show_info
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.background import Job
from napari_veinscan.commands import Command
from napari_veinscan.export import GROUP
from napari_veinscan.palette import WARNING_COLOUR
from veinscan.candidates.model import FinderSettings
from veinscan.deidentify import Dates, Options, project_key
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.export import Done, Exported, ExportOptions, Format, export_studies, item_of

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

_WORDS = {
    Format.COCO: "COCO: boxes, masks, tracks",
    Format.NNUNET: "nnU-Net",
    Format.NIFTI: "NIfTI",
    Format.DICOM_SEG: "DICOM segmentations",
    Format.DICOM_SR: "DICOM reports",
    Format.CSV: "Tables as CSV",
    Format.PARQUET: "Tables as Parquet",
    Format.JSON: "JSON, everything",
}
_NOTE = (
    "Names, numbers and dates are replaced, and all outside the picture is black. "
    "Writing inside it is searched for, not read: look at the sheets in 'review' before you give it away."
)


class ResearchDialog(QDialog):
    """Which formats, and what becomes of dates and notes."""

    def __init__(self, parent: QWidget, *, unsaved: bool) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export for research")
        box = QGroupBox("Formats")
        grid = QGridLayout(box)
        self.formats: dict[Format, QCheckBox] = {}
        for place, (kind, words) in enumerate(_WORDS.items()):
            self.formats[kind] = QCheckBox(words)
            grid.addWidget(self.formats[kind], place // 2, place % 2)
        for kind in (Format.COCO, Format.CSV):
            self.formats[kind].setChecked(True)
        self.candidates = QCheckBox("Search candidates too (tracks, and what nobody judged)")
        self.dates = QCheckBox("Keep intervals: move dates instead of leaving them out")
        self.dates.setChecked(True)
        self.notes = QCheckBox("Keep notes, without what names the patient")
        layout = QVBoxLayout(self)
        for widget in (box, self.candidates, self.dates, self.notes):
            layout.addWidget(widget)
        layout.addWidget(_label(_NOTE))
        if unsaved:
            layout.addWidget(_label("Edits that are not saved yet are not in it.", WARNING_COLOUR))
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.setMinimumWidth(460)

    def options(self, search: FinderSettings) -> ExportOptions:
        """What was chosen.  Raises InvalidInputError without a format."""
        return ExportOptions(
            formats=tuple(kind for kind, box in self.formats.items() if box.isChecked()),
            deidentify=Options(
                Dates.MODIFIED if self.dates.isChecked() else Dates.REMOVED, self.notes.isChecked()
            ),
            search=search if self.candidates.isChecked() else None,
        )


def _label(text: str, colour: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    if colour:
        label.setStyleSheet(f"color: {colour}")
    return label


def ask_research(bench: Workbench) -> None:
    """Export the study on show, as it was saved last, after asking with what and where."""
    session = bench.session
    if session.study is None:
        bench.warn(InvalidInputError("no study is open", do="open a study first"))
        return
    if bench.refuse_when_busy():
        return
    dialog = ResearchDialog(bench.window, unsaved=session.undo_label is not None)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    settings = bench.settings
    search = FinderSettings(diameters_mm=settings.diameters_mm, max_depth_mm=settings.max_depth_mm)
    try:
        options = dialog.options(search)
    except InvalidInputError as error:
        bench.warn(error)
        return
    start = str(bench.last_folder or Path.home())
    folder = QFileDialog.getExistingDirectory(bench.window, "A new or empty folder for the data set", start)
    if not folder:
        return
    study = session.study

    def work(job: Job) -> Exported:
        key = project_key()

        def progress(done: int, total: int, _last: Done) -> None:
            job.report(done, total)

        return export_studies([item_of(study, key)], folder, options, key, progress=progress)

    def done(exported: Exported) -> None:
        if exported.failed:
            bench.warn(VeinscanError(f"the study could not be exported: {exported.failed[0][1]}"))
            return
        show_info(
            f"{exported.cases} clips exported. Look at the sheets in 'review' before you give it away; "
            "not_judged.json says what could not be judged."
        )

    bench.start("Exporting for research", work, done=done)


COMMANDS = (
    Command(
        "export.research",
        "Export for research…",
        GROUP,
        ask_research,
        tip="Write the study with its readings as a data set, de-identified",
    ),
)
