"""The scale of a colour bar whose labels cannot be read is asked for; the record keeps who gave it.

It is put onto the clip again whenever the study is opened (`Session` does
that), and what is searched and shown uses it; undo takes it off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari.utils.notifications import Notification, notification_manager
from qtpy.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLabel, QLineEdit, QVBoxLayout

from napari_veinscan.field_widgets import typed_number
from veinscan.candidates import ClipCandidates
from veinscan.dicom import Clip
from veinscan.doppler.colour import UNKNOWN_SCALE
from veinscan.doppler.colour_bar import ColourBar, bar_of
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan.colour_scales import UNITS, bar_box, check_ends, set_colour_scale

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

SOURCES = {
    "region": "from the file's colour bar region",
    "nyquist": "worked out from the file's frequencies",
    "labels": "read from the numbers beside the bar",
    "given": "given by a reader",
}


class ScaleDialog(QDialog):
    """What stands at the two ends of the colour bar."""

    def __init__(self, bench: Workbench, clip: Clip, bar: ColourBar) -> None:
        super().__init__(bench.window)
        self._bench, self._clip = bench, clip
        self.setWindowTitle("Scale of the colour bar")
        self.top, self.bottom = QLineEdit(), QLineEdit()
        self.top.setAccessibleName("Upper end")
        self.bottom.setAccessibleName("Lower end")
        self.unit = QComboBox()
        self.unit.addItems(list(UNITS))
        if bar.top is not None and bar.bottom is not None:
            self.top.setText(f"{bar.top:g}")
            self.bottom.setText(f"{bar.bottom:g}")
            self.unit.setCurrentText(bar.unit)
        form = QFormLayout()
        form.addRow("Upper end", self.top)
        form.addRow("Lower end", self.bottom)
        form.addRow("Unit", self.unit)
        self.known = QLabel(known_words(bar))
        self.known.setWordWrap(True)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self._take)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.known)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(self.buttons)
        self.top.setFocus()

    def _take(self) -> None:
        top, bottom = typed_number(self.top.text()), typed_number(self.bottom.text())
        if not isinstance(top, float) or not isinstance(bottom, float):
            self._say("Give a number for both ends, with a point or a comma.")
            return
        try:
            check_ends(top, bottom, self.unit.currentText())
        except InvalidInputError as error:
            self._say(f"{error.what[:1].upper()}{error.what[1:]}: {error.do}.")
            return
        self.accept()
        self._bench.attempt(lambda: give(self._bench, self._clip, top, bottom, self.unit.currentText()))

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()


def known_words(bar: ColourBar) -> str:
    """What is known of the scale, and what to type."""
    if bar.top is None or bar.bottom is None:
        known = "The numbers beside the bar could not be read."
    else:
        known = f"Now {bar.top:g} to {bar.bottom:g} {bar.unit}, {SOURCES.get(bar.source, bar.source)}."
    return f"{known} Type what stands at its ends: towards the probe is positive, away from it has a minus."


def ask(bench: Workbench) -> ScaleDialog | None:
    """Ask for the scale of the clip on show; the dialog, or None where there is no bar to ask about."""
    clip = bench.session.clip
    if clip is None:
        bench.warn(InvalidInputError("no clip is open", do="open a study first"))
        return None
    frame = bench.session.frame_index
    try:
        bench.session.editable_record()
        bar_box(clip, None, frame)  # says why where there is nothing to ask about
        bar = bar_of(clip, frame)
    except VeinscanError as error:
        bench.warn(error)
        return None
    if bar is None:
        return None
    dialog = ScaleDialog(bench, clip, bar)
    dialog.open()
    return dialog


def give(bench: Workbench, clip: Clip, top: float, bottom: float, unit: str) -> None:
    """Put a scale into the record; the clip has it from then on."""
    frame = bench.session.frame_index if clip is bench.session.clip else 0
    bench.session.edit(
        "scale of a colour bar",
        lambda record: set_colour_scale(
            record, clip, bench.session.reader, top=top, bottom=bottom, unit=unit, frame_index=frame
        ),
    )


def ask_where_unknown(bench: Workbench, clip: Clip, found: ClipCandidates) -> None:
    """After a search without velocities for want of a scale: say so, with a way to give it."""
    if not any(UNKNOWN_SCALE in warning for warning in found.warnings):
        return

    def give_it(*_: object) -> None:
        shown = bench.session.clip_of(clip.sop_instance_uid)
        if shown is not None:
            bench.session.show_clip(shown)
            ask(bench)

    text = f"{clip.file}: no velocities, {UNKNOWN_SCALE}. What stands at its two ends?"
    notification_manager.dispatch(Notification(text, "info", actions=(("Give the scale", give_it),)))
