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
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.background import Job
from napari_veinscan.commands import Command
from napari_veinscan.export import GROUP
from napari_veinscan.palette import WARNING_COLOUR
from napari_veinscan.research_look import LookDialog, wrapped_label
from veinscan.candidates.model import FinderSettings
from veinscan.deidentify import Dates, Options, Pixels, project_key
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.export import Done, Exported, ExportOptions, Format, Look, export_studies, item_of, looks_at
from veinscan.export.review import Said
from veinscan.export.work import PICTURES

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.dicom import Study

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
    "Names, numbers and dates in headers and records are replaced. Before pictures are written you see each "
    "clip as it leaves: writing inside the picture is searched for, not read."
)
_WHOLE = "The scanner writes the patient's name and number round the picture: they will be in the files."


class ResearchDialog(QDialog):
    """Which formats, and what becomes of pixels, dates and notes."""

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
        pixels = QGroupBox("Pixels")
        lines = QVBoxLayout(pixels)
        self.cleaned = QRadioButton("Black all but the picture")
        self.whole = QRadioButton("Keep the whole screen as it is")
        self.cleaned.setChecked(True)
        self.whole_note = wrapped_label(_WHOLE, WARNING_COLOUR)
        kept_free = self.whole_note.sizePolicy()
        kept_free.setRetainSizeWhenHidden(True)
        self.whole_note.setSizePolicy(kept_free)
        self.whole_note.setMinimumHeight(2 * self.whole_note.fontMetrics().lineSpacing())
        self.whole_note.setVisible(False)
        self.whole.toggled.connect(self.whole_note.setVisible)
        for line in (self.cleaned, self.whole, self.whole_note):
            lines.addWidget(line)
        layout = QVBoxLayout(self)
        for widget in (box, pixels, self.candidates, self.dates, self.notes):
            layout.addWidget(widget)
        layout.addWidget(wrapped_label(_NOTE))
        if unsaved:
            layout.addWidget(wrapped_label("Edits that are not saved yet are not in it.", WARNING_COLOUR))
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
                Dates.MODIFIED if self.dates.isChecked() else Dates.REMOVED,
                self.notes.isChecked(),
                Pixels.WHOLE if self.whole.isChecked() else Pixels.CLEANED,
            ),
            search=search if self.candidates.isChecked() else None,
        )


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
    study = session.study

    def look(_job: Job) -> tuple[Look, ...]:
        return looks_at(study, project_key(), options)

    def looked(looks: tuple[Look, ...]) -> None:
        shown = LookDialog(bench.window, looks, session.reader.name)
        if not looks or shown.exec() == QDialog.DialogCode.Accepted:
            _write(bench, study, options, shown.said() if looks else {})

    if PICTURES & set(options.formats):
        bench.start("Preparing what leaves", look, done=looked)
    else:
        _write(bench, study, options, {})


def _write(bench: Workbench, study: Study, options: ExportOptions, said: dict[str, Said]) -> None:
    """Ask where to, and write it there."""
    start = str(bench.last_folder or Path.home())
    folder = QFileDialog.getExistingDirectory(bench.window, "A new or empty folder for the data set", start)
    if not folder:
        return

    def work(job: Job) -> Exported:
        key = project_key()

        def progress(done: int, total: int, _last: Done) -> None:
            job.report(done, total)

        return export_studies([item_of(study, key)], folder, options, key, said=said, progress=progress)

    def done(exported: Exported) -> None:
        if exported.failed:
            bench.warn(VeinscanError(f"the study could not be exported: {exported.failed[0][1]}"))
            return
        show_info(f"{exported.cases} clips exported. not_judged.json says what could not be judged.")

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
