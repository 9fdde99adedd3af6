"""First dock: open a study, choose a clip."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.background import Callbacks, Job
from napari_veinscan.palette import KIND_WORDS, NOT_A_DEVICE
from napari_veinscan.workbench import Workbench
from veinscan.dicom import Clip
from veinscan.errors import VeinscanError

THUMBNAIL = (72, 96)
"""(rows, cols) of a thumbnail."""


class StudyDock(QWidget):
    """Folder chooser and list of clips with kind, frames and a thumbnail."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__()
        self._bench = bench
        self._session = bench.session
        self._thumbnails: Job | None = None
        self.open_folder = QPushButton("Open study folder…")
        self.open_folder.setToolTip("A folder from the scanner, a CD or an export; files may have any name")
        self.open_folder.clicked.connect(self.choose_folder)
        self.open_file = QPushButton("File…")
        self.open_file.setToolTip("One DICOM file, or a zip")
        self.open_file.clicked.connect(self.choose_file)
        self.title = QLabel("No study is open.")
        self.title.setWordWrap(True)
        self.clips = QListWidget()
        self.clips.setIconSize(QSize(THUMBNAIL[1], THUMBNAIL[0]))
        self.clips.setSpacing(2)
        self.clips.setWordWrap(True)
        self.clips.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.clips.currentRowChanged.connect(self._chosen)
        self.skipped = QPushButton()
        self.skipped.setFlat(True)
        self.skipped.setVisible(False)
        self.skipped.clicked.connect(self.show_skipped)
        self.help = bench.commands.button("window.keys")
        note = QLabel(NOT_A_DEVICE)
        note.setWordWrap(True)

        buttons = QHBoxLayout()
        buttons.addWidget(self.open_folder, 1)
        buttons.addWidget(self.open_file)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addLayout(buttons)
        layout.addWidget(self.title)
        layout.addWidget(self.clips, 1)
        layout.addWidget(self.skipped)
        layout.addWidget(self.help)
        layout.addWidget(note)
        self.setMinimumWidth(230)

        self._session.study_changed.connect(self._show_study)
        self._session.clip_changed.connect(self._show_current)
        self._session.candidates_changed.connect(self._show_marks)
        self._session.record_changed.connect(self._show_marks)
        bench.work_changed.connect(self._show_work)
        if self._session.study is not None:
            self._show_study()

    # -- choosing ---------------------------------------------------------------------

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

    def _chosen(self, row: int) -> None:
        study = self._session.study
        if study is not None and 0 <= row < len(study.clips) and study.clips[row] is not self._session.clip:
            self._session.show_clip(study.clips[row])

    # -- showing ----------------------------------------------------------------------

    def _show_study(self) -> None:
        study = self._session.study
        self.clips.blockSignals(True)
        self.clips.clear()
        for number, clip in enumerate(study.clips if study else (), start=1):
            item = QListWidgetItem(_blank_icon(), "")
            item.setData(Qt.ItemDataRole.UserRole, number)
            item.setToolTip(clip_tip(clip))
            self.clips.addItem(item)
        self.clips.blockSignals(False)
        self._show_work()
        self._show_marks()
        skipped = study.skipped if study else ()
        self.skipped.setText(f"{counted(len(skipped), 'file')} skipped: why?")
        self.skipped.setVisible(bool(skipped))
        self._make_thumbnails()

    def _show_work(self) -> None:
        study = self._session.study
        if self._bench.work.startswith("Opening"):
            self.title.setText(f"{self._bench.work} …")
        elif study is None:
            self.title.setText("No study is open.")
        else:
            self.title.setText(f"{study.path.name}: {counted(len(study.clips), 'clip')}")
            self.title.setToolTip(str(study.path))

    def _show_current(self) -> None:
        study, clip = self._session.study, self._session.clip
        if study is not None and clip is not None:
            self.clips.setCurrentRow(study.clips.index(clip))

    def _show_marks(self) -> None:
        study, record = self._session.study, self._session.record
        if study is None or record is None:
            return
        for row, clip in enumerate(study.clips):
            item = self.clips.item(row)
            if item is not None:
                targets = sum(t.sop_instance_uid == clip.sop_instance_uid for t in record.targets)
                text = clip_text(row + 1, clip, len(self._session.rows(clip)), targets)
                if item.text() != text:
                    item.setText(text)

    def show_skipped(self) -> None:
        """List what was not read, and why."""
        study = self._session.study
        if study is not None:
            lines = "\n".join(f"{entry.path}: {entry.reason}" for entry in study.skipped)
            box = QMessageBox(self)
            box.setWindowTitle("Skipped files")
            box.setText(f"{counted(len(study.skipped), 'file')} in this place could not be shown:")
            box.setInformativeText(lines if len(lines) < 2000 else lines[:2000] + " …")
            box.exec()

    # -- thumbnails -------------------------------------------------------------------

    def _make_thumbnails(self) -> None:
        if self._thumbnails is not None:
            self._thumbnails.cancel()
        study = self._session.study
        if study is None:
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


def thumbnail(clip: Clip) -> npt.NDArray[np.uint8]:
    """(72, 96, 3) uint8 RGB: the middle frame, its picture region where one is known, on black."""
    frame = clip.frame(clip.n_frames // 2)
    rgb = frame if frame.ndim == 3 else np.repeat(frame[:, :, None], 3, axis=2)
    rows, cols = THUMBNAIL
    scale = min(rows / rgb.shape[0], cols / rgb.shape[1])
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    card = np.zeros((rows, cols, 3), dtype=np.uint8)
    top, left = (rows - small.shape[0]) // 2, (cols - small.shape[1]) // 2
    card[top : top + small.shape[0], left : left + small.shape[1]] = small
    return card


def icon_of(rgb: npt.NDArray[np.uint8]) -> QIcon:
    """An icon of a (rows, cols, 3) uint8 picture."""
    rows, cols, _ = rgb.shape
    data = np.ascontiguousarray(rgb)
    image = QImage(data.data, cols, rows, 3 * cols, QImage.Format.Format_RGB888)
    pixmap = QPixmap.fromImage(image.copy())  # the copy owns its pixels
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else Qt tints the chosen clip's picture
    return icon


def _blank_icon() -> QIcon:
    return icon_of(np.zeros((*THUMBNAIL, 3), dtype=np.uint8))


def counted(count: int, noun: str) -> str:
    """'1 clip', '2 clips'."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def clip_text(number: int, clip: Clip, candidates: int, targets: int) -> str:
    """What the list says of a clip, in lines."""
    still = clip.n_frames == 1
    rate = f", {clip.frame_rate_hz:.0f}/s" if clip.frame_rate_hz and not still else ""
    lines = [
        f"{number}  {KIND_WORDS[clip.kind]}",
        "still" if still else f"{clip.n_frames} frames{rate}",
    ]
    if clip.spacing_mm is None:
        lines.append("not calibrated")
    lines += [
        counted(count, noun) for count, noun in ((candidates, "candidate"), (targets, "target")) if count
    ]
    return "\n".join(lines)


def clip_tip(clip: Clip) -> str:
    """File, size, calibration and warnings of a clip."""
    lines = [clip.file, f"{clip.columns} x {clip.rows} pixels"]
    if clip.spacing_mm is not None:
        lines.append(f"{clip.spacing_mm[0]:.3f} mm per pixel")
    return "\n".join([*lines, *clip.warnings])
