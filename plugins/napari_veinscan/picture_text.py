"""What stands written in the picture: frame and time, and that nothing is measured where it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_veinscan import compat
from napari_veinscan.cine_clock import frame_times
from veinscan.dicom import Clip

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

UNCALIBRATED = "Not calibrated: shown in pixels, nothing is measured in mm"


def frame_words(clip: Clip, frame_index: int) -> str:
    """'frame 5/25  0.33 s'; without the time where the file does not tell it, 'still' for one frame."""
    last = clip.n_frames - 1
    if last < 1:
        return "still"
    if clip.frame_times_s is None:
        return f"frame {frame_index}/{last}"
    return f"frame {frame_index}/{last}  {frame_times(clip.frame_times_s, last + 1)[frame_index]:.2f} s"


class PictureText:
    """Frame and time on a label over the canvas, and napari's text overlay where there is no calibration.

    The label, because napari lays its own text out anew while it draws and so
    draws every frame twice.
    """

    def __init__(self, bench: Workbench) -> None:
        self._session = bench.session
        self._overlay = bench.viewer.canvas.overlays.text
        self._overlay.position = "top_center"
        self._time_is_shown = True
        self.label = QLabel(compat.canvas_widget(bench.viewer))
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.label.setStyleSheet("color: white; background: rgba(0, 0, 0, 150); padding: 2px 5px;")
        self.label.move(8, 6)
        self._session.clip_changed.connect(self._show_clip)
        self._session.frame_changed.connect(self._show_frame)
        self._show_clip()

    @property
    def time_is_shown(self) -> bool:
        """Whether frame and time are written in the picture."""
        return self._time_is_shown

    def show_time(self, on: bool) -> None:
        """Write frame and time in the picture, or not."""
        self._time_is_shown = on
        self._show_clip()

    def _show_clip(self) -> None:
        clip = self._session.clip
        if clip is not None and clip.spacing_mm is None:
            self._overlay.text = UNCALIBRATED
        self._overlay.visible = clip is not None and clip.spacing_mm is None
        self.label.setVisible(clip is not None and self._time_is_shown and clip.n_frames > 1)
        if clip is not None and clip.n_frames > 1:
            widest = frame_words(clip, clip.n_frames - 1)
            # of one size, so that nothing is laid out anew while it plays
            self.label.setFixedSize(self.label.fontMetrics().horizontalAdvance(widest) + 18, self._height)
        self._show_frame(self._session.frame_index)

    def _show_frame(self, frame_index: int) -> None:
        clip = self._session.clip
        if clip is not None and self._time_is_shown and clip.n_frames > 1:
            self.label.setText(frame_words(clip, frame_index))

    @property
    def _height(self) -> int:
        return self.label.fontMetrics().height() + 6
