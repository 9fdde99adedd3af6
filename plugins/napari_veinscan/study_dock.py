"""First dock: open a study, choose clips, label them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan import pacs_calls, window_state
from napari_veinscan.association import AssociationQuestion
from napari_veinscan.background import Callbacks, Job
from napari_veinscan.button_rows import ButtonRows
from napari_veinscan.clip_words import Marks, clip_text, clip_tip, counted
from napari_veinscan.label_dialog import is_labelled
from napari_veinscan.pacs_arriving_line import ArrivingLine
from napari_veinscan.pacs_pushing import Pushing
from napari_veinscan.palette import KIND_WORDS, NOT_A_DEVICE
from napari_veinscan.thumbnails import THUMBNAIL, blank_icon, icon_of, thumbnail
from napari_veinscan.workbench import Workbench
from veinscan.dicom import Clip
from veinscan.errors import VeinscanError
from veinscan.plan.model import Record

ALL, UNLABELLED = "all", "unlabelled"

FIRST_MS = 150
"""Time in which the list and the first picture are painted before the small pictures take the processor."""


class StudyDock(QWidget):
    """Opens studies; lists clips and stills in acquisition order."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self._thumbnails: Job | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(FIRST_MS)
        self._soon.timeout.connect(self._start_thumbnails)
        self.open_folder = QPushButton("Open study…")
        self.open_folder.setToolTip("A folder from the scanner, a CD or an export; files may have any name")
        self.open_folder.clicked.connect(self.choose_folder)
        self.open_file = QPushButton("File…")
        self.open_file.setToolTip("One DICOM file, or a zip")
        self.open_file.clicked.connect(self.choose_file)
        self.recent = QPushButton("Recent")
        self.recent.setToolTip("Studies that were opened before")
        self._recent_menu = QMenu(self.recent)
        self._recent_menu.aboutToShow.connect(self._fill_recent)
        self.recent.setMenu(self._recent_menu)
        self.from_pacs = bench.commands.button("pacs.open", "From PACS…")
        self.arriving = ArrivingLine(bench)
        self.association = AssociationQuestion()
        self.title = QLabel("No study is open. Drop a folder here, or open one.")
        self.title.setWordWrap(True)
        self.filter = QComboBox()
        self.filter.setToolTip("Show only clips of one kind")
        self.filter.setAccessibleName("Kinds shown")
        self.filter.activated.connect(self._filtered)
        self.clips = QListWidget()
        self.clips.setAccessibleName("Clips")
        self.clips.setIconSize(QSize(THUMBNAIL[1], THUMBNAIL[0]))
        self.clips.setSpacing(1)
        self.clips.setWordWrap(True)
        self.clips.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.clips.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clips.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.clips.currentRowChanged.connect(self._chosen)
        self.label = bench.commands.button("clip.label", "L  label")
        self.unlabelled = QPushButton()
        self.unlabelled.setFlat(True)
        self.unlabelled.setToolTip("Choose all clips that have no label yet")
        self.unlabelled.clicked.connect(self.choose_unlabelled)
        self.skipped = QPushButton()
        self.skipped.setFlat(True)
        self.skipped.setVisible(False)
        self.skipped.clicked.connect(self.show_skipped)
        self.help = bench.commands.button("window.keys")
        note = QLabel(NOT_A_DEVICE)
        note.setWordWrap(True)
        self._lay_out(note)

        self._session.study_changed.connect(self._show_study)
        self._session.clip_changed.connect(self._show_current)
        self._session.candidates_changed.connect(self._show_marks)
        bench.work_changed.connect(self._show_work)
        bench.part(Pushing).changed.connect(self._show_work)
        if self._session.study is not None:
            self._show_study()

    def _lay_out(self, note: QLabel) -> None:
        buttons = ButtonRows((self.open_folder, self.open_file, self.from_pacs, self.recent))
        labels = QHBoxLayout()
        labels.addWidget(self.label)
        labels.addWidget(self.unlabelled, 1)
        below = ButtonRows((self.skipped, self.help))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.association)
        layout.addWidget(self.title)
        layout.addWidget(self.arriving)
        layout.addWidget(self.filter)
        layout.addWidget(self.clips, 1)
        layout.addLayout(labels)
        layout.addLayout(below)
        layout.addWidget(note)
        self.setMinimumWidth(230)
        self._show_labels(None)

    # -- opening ----------------------------------------------------------------------

    def choose_folder(self) -> None:
        """Ask for a study folder and open it."""
        path = QFileDialog.getExistingDirectory(self, "Open a study folder")
        if path:
            self._bench.open_path(path)

    def choose_file(self) -> None:
        """Ask for a file or zip and open it."""
        path, _ = QFileDialog.getOpenFileName(self, "Open a DICOM file or a zip", "", "All files (*)")
        if path:
            self._bench.open_path(path)

    def _fill_recent(self) -> None:
        self._recent_menu.clear()
        studies = window_state.recent_studies()
        for path in studies:
            action = self._recent_menu.addAction(recent_name(path).replace("&", "&&") or str(path))
            action.setToolTip(str(path))
            action.triggered.connect(partial(self._open_recent, str(path)))
        self._recent_menu.setToolTipsVisible(True)
        if studies:
            self._recent_menu.addSeparator()
            self._recent_menu.addAction("Forget these").triggered.connect(window_state.forget_studies)
        else:
            self._recent_menu.addAction("None yet").setEnabled(False)

    def _open_recent(self, path: str, _checked: bool = False) -> None:
        self._bench.open_path(path)

    # -- choosing ---------------------------------------------------------------------

    @property
    def chosen(self) -> list[Clip]:
        """The clips that are chosen in the list; the one on show where none is."""
        study, clip = self._session.study, self._session.clip
        rows = sorted(self.clips.row(item) for item in self.clips.selectedItems())
        found = [study.clips[row] for row in rows] if study is not None else []
        return found or ([clip] if clip is not None else [])

    def choose_unlabelled(self) -> None:
        """Choose every clip without a label, for `L`."""
        study, record = self._session.study, self._session.record
        if study is None or record is None:
            return
        marks = Marks.of(record)
        for row, clip in enumerate(study.clips):
            self.clips.item(row).setSelected(not is_labelled(marks.context(clip.sop_instance_uid)))

    def step(self, step: int) -> None:
        """Show the next clip of those in the list, or the one before with -1."""
        row = self.clips.currentRow() + step
        while 0 <= row < self.clips.count() and self.clips.item(row).isHidden():
            row += step
        if 0 <= row < self.clips.count():
            self.clips.setCurrentRow(row)

    def _chosen(self, row: int) -> None:
        study = self._session.study
        if study is not None and 0 <= row < len(study.clips) and study.clips[row] is not self._session.clip:
            self._session.show_clip(study.clips[row])

    def _filtered(self, _index: int = 0) -> None:
        study, record = self._session.study, self._session.record
        kind = self.filter.currentData()
        marks = Marks.of(record) if record is not None else Marks()
        for row, clip in enumerate(study.clips if study else ()):
            there = kind in (ALL, None, clip.kind) or (
                kind == UNLABELLED and not is_labelled(marks.context(clip.sop_instance_uid))
            )
            self.clips.item(row).setHidden(not there)

    # -- showing ----------------------------------------------------------------------

    def _show_study(self) -> None:
        study = self._session.study
        clips = study.clips if study else ()
        if self._lists(clips):
            self._make_thumbnails()  # the same clips, one of them calibrated: nothing moves in the list
            return
        blank = blank_icon()
        self.clips.blockSignals(True)
        self.clips.clear()
        for clip in clips:
            item = QListWidgetItem(blank, "")
            item.setData(Qt.ItemDataRole.UserRole, clip.sop_instance_uid)
            self.clips.addItem(item)
        self.clips.blockSignals(False)
        self.filter.clear()
        self.filter.addItem(f"All kinds ({len(clips)})", ALL)
        kinds = [clip.kind for clip in clips]
        for kind in dict.fromkeys(kinds):
            self.filter.addItem(f"{KIND_WORDS[kind]} ({kinds.count(kind)})", kind)
        self.filter.addItem("Not labelled", UNLABELLED)
        skipped = study.skipped if study else ()
        self.skipped.setText(f"{counted(len(skipped), 'file')} skipped: why?")
        self.skipped.setVisible(bool(skipped))
        self._show_work()
        self._show_marks()
        self._make_thumbnails()

    def _lists(self, clips: tuple[Clip, ...]) -> bool:
        uids = [self.clips.item(row).data(Qt.ItemDataRole.UserRole) for row in range(self.clips.count())]
        return bool(uids) and uids == [clip.sop_instance_uid for clip in clips]

    def _show_work(self) -> None:
        study = self._session.study
        if self._bench.work.startswith("Opening"):
            self.title.setText(f"{self._bench.work} …")
        elif study is None:
            self.title.setText("No study is open. Drop a folder here, or open one.")
        else:
            # a folder of the cache is named by a UID
            archive = self._bench.part(Pushing).archive
            name = f"From {archive}" if archive else study.path.name
            self.title.setText(f"{name}: {counted(len(study.clips), 'clip')}")
            self.title.setToolTip(str(study.path))

    def _show_current(self) -> None:
        study, clip = self._session.study, self._session.clip
        if study is not None and clip is not None:
            row = study.clips.index(clip)
            if row != self.clips.currentRow():
                self.clips.setCurrentRow(row)

    def _show_marks(self) -> None:
        study, record = self._session.study, self._session.record
        if study is None or record is None or self.clips.count() != len(study.clips):
            return
        marks = Marks.of(record)
        for row, clip in enumerate(study.clips):
            item = self.clips.item(row)
            found = self._session.searched(clip)
            text = clip_text(row + 1, clip, len(found.candidates) if found else 0, marks)
            if item.text() != text:
                item.setText(text)
                item.setToolTip(clip_tip(clip, record))
        self._show_labels(record)

    def _show_labels(self, record: Record | None) -> None:
        study = self._session.study
        self.label.setEnabled(record is not None)
        marks = Marks.of(record) if record is not None else Marks()
        missing = sum(
            not is_labelled(marks.context(clip.sop_instance_uid)) for clip in (study.clips if study else ())
        )
        self.unlabelled.setText(f"{missing} not labelled" if missing else "all labelled")
        self.unlabelled.setEnabled(bool(missing))
        self.unlabelled.setVisible(study is not None)

    def show_skipped(self) -> None:
        """List what was not read, and why."""
        study = self._session.study
        if study is not None:
            lines = "\n".join(f"{entry.path}: {entry.reason}" for entry in study.skipped)
            box = QMessageBox(self)
            box.setWindowTitle("Skipped files")
            box.setText(f"{counted(len(study.skipped), 'file')} in this place could not be shown:")
            box.setInformativeText(lines if len(lines) < 2000 else lines[:2000] + " …")
            box.setDetailedText(lines if len(lines) >= 2000 else "")
            box.exec()

    # -- thumbnails -------------------------------------------------------------------

    def _make_thumbnails(self) -> None:
        if self._thumbnails is not None:
            self._thumbnails.cancel()
        self._soon.start()

    def _start_thumbnails(self) -> None:
        study = self._session.study
        if study is None or self._bench.is_closed:
            return
        clips = study.clips

        def work(job: Job) -> None:
            for row, clip in enumerate(clips):
                try:
                    picture = thumbnail(clip)
                except VeinscanError:
                    continue  # the clip says so itself when it is opened
                job.give((study, row, picture))

        self._thumbnails = self._bench.jobs.start(work, Callbacks(part=self._show_thumbnail))

    def _show_thumbnail(self, part: tuple[Any, int, npt.NDArray[np.uint8]]) -> None:
        study, row, picture = part
        item = self.clips.item(row)
        if study is self._session.study and item is not None:
            item.setIcon(icon_of(picture))


def recent_name(path: Path) -> str:
    """What the menu calls a study: its folder's name; one of the cache by its archive and when it came."""
    origin = pacs_calls.origin(path) if pacs_calls.is_in_cache(path) else None
    if origin is None:
        return path.name
    return f"From {origin.archive}, fetched {origin.pulled_at.astimezone():%Y-%m-%d %H:%M}"
