"""Export of the frame on show and of the clip: what is asked first, and what is drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_veinscan.background import Job
from napari_veinscan.commands import Command
from napari_veinscan.palette import STYLES, WARNING_COLOUR, look_of
from napari_veinscan.player import Player
from napari_veinscan.rows import Row
from veinscan.dicom import Clip
from veinscan.errors import InvalidInputError
from veinscan.plan.model import InjectionTarget
from veinscan.report.movie import MarksAt, export_clip, export_frame
from veinscan.report.pictures import Mark

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

GROUP = "Export"


class ExportDialog(QDialog):
    """With what the picture is exported; the patient's data only when asked for."""

    def __init__(self, parent: QWidget, what: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Export {what}")
        self.overlays = QCheckBox("With outlines, targets and the scale bar")
        self.overlays.setChecked(True)
        self.everything = QCheckBox("With all that stands round the picture")
        self.everything.toggled.connect(self._show_note)
        self._note = QLabel()
        self._note.setWordWrap(True)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        for widget in (self.overlays, self.everything, self._note, buttons):
            layout.addWidget(widget)
        self.setMinimumWidth(420)
        self._show_note(False)

    def _show_note(self, everything: bool) -> None:
        if everything:
            text = "The scanner writes the patient's name and number there: they will be in the file."
        else:
            text = "Only what the probe saw. Writing inside the picture stays: look before you give it away."
        self._note.setText(text)
        self._note.setStyleSheet(f"color: {WARNING_COLOUR}" if everything else "")


def marks_of(rows: list[Row], targets: tuple[InjectionTarget, ...]) -> MarksAt:
    """What lies on a frame, in the colours of the window: rejected candidates are left out."""

    def at(frame_index: int) -> list[Mark | InjectionTarget]:
        found: list[Mark | InjectionTarget] = []
        for row in rows:
            if frame_index in row.candidate.outlines and not row.is_rejected:
                colour = STYLES[look_of(row.review)].colour
                found.append(
                    Mark(
                        label=str(row.candidate.rank),
                        colour=(int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)),
                        outline=row.candidate.outline(frame_index),
                    )
                )
        return [*found, *(target for target in targets if target.frame_index == frame_index)]

    return at


def _drawn(bench: Workbench, clip: Clip, overlays: bool) -> MarksAt:
    record = bench.session.record
    if not overlays or record is None:
        return lambda _frame: ()
    here = tuple(t for t in record.targets if t.sop_instance_uid == clip.sop_instance_uid)
    return marks_of(bench.session.rows(clip), here)


def _number(bench: Workbench, clip: Clip) -> int:
    clips = bench.session.study.clips if bench.session.study else ()
    uids = [one.sop_instance_uid for one in clips]
    return uids.index(clip.sop_instance_uid) + 1 if clip.sop_instance_uid in uids else 0


def _ask(
    bench: Workbench, what: str, name: str, kinds: str, then: Callable[[Path, bool, bool], None]
) -> None:
    dialog = ExportDialog(bench.window, what)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return
    # the name of the file is the program's: the scanner's own may hold the patient's
    start = str(Path(bench.last_folder or Path.home()) / name)
    path, _ = QFileDialog.getSaveFileName(bench.window, f"Export {what}", start, kinds)
    if path:
        bench.last_folder = str(Path(path).parent)
        then(Path(path), dialog.overlays.isChecked(), dialog.everything.isChecked())


def ask_frame(bench: Workbench) -> None:
    """Export the frame on show as PNG, after asking with what and where."""
    clip, frame = bench.session.clip, bench.session.frame_index
    if clip is None:
        bench.warn(InvalidInputError("no clip is open", do="choose one in the list of clips"))
        return

    def write(path: Path, overlays: bool, everything: bool) -> None:
        marks = _drawn(bench, clip, overlays)
        target = path if path.suffix.lower() == ".png" else path.with_name(f"{path.name}.png")
        bench.attempt(
            lambda: export_frame(target, clip, frame, marks, scale_bar=overlays, everything=everything)
        )

    _ask(bench, "this frame", f"clip-{_number(bench, clip)}-frame-{frame}.png", "PNG (*.png)", write)


def ask_clip(bench: Workbench) -> None:
    """Export the loop of the clip on show as MP4 or GIF, after asking with what and where."""
    clip = bench.session.clip
    if clip is None or clip.n_frames < 2:
        bench.warn(InvalidInputError("there is no clip of several frames on show", do="choose one"))
        return
    if bench.refuse_when_busy():
        return
    player = bench.part(Player)
    frames = range(player.first, player.last + 1)

    def write(path: Path, overlays: bool, everything: bool) -> None:
        marks = _drawn(bench, clip, overlays)
        target = path if path.suffix.lower() in (".mp4", ".gif") else path.with_name(f"{path.name}.mp4")

        def work(job: Job) -> Path:
            return export_clip(
                target,
                clip,
                marks,
                frames=frames,
                scale_bar=overlays,
                everything=everything,
                progress=job.report,
            )

        bench.start(f"Writing {target.name}", work)

    _ask(bench, "the loop", f"clip-{_number(bench, clip)}.mp4", "MP4 (*.mp4);;GIF (*.gif)", write)


COMMANDS = (
    Command(
        "export.frame",
        "Export this frame…",
        GROUP,
        ask_frame,
        keys=("Ctrl+E",),
        tip="Write the frame as PNG, without the patient's data unless you ask for them",
    ),
    Command(
        "export.clip",
        "Export the loop as a movie…",
        GROUP,
        ask_clip,
        keys=("Ctrl+Shift+E",),
        tip="Write the clip, or its loop range, as MP4 or GIF at its own speed",
    ),
)
