"""The place of one or many clips on the leg, set by a person; nothing is preset."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from napari_veinscan.words import words_of
from veinscan.dicom import Clip
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan.clips import context_of, set_context
from veinscan.plan.context import ClipContext
from veinscan.plan.values import parsed
from veinscan.plan.veins import UNKNOWN, VEINS
from veinscan.plan.vocabulary import Aspect, Landmark, Level, Manoeuvre, Plane, Posture, Side

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

CHOICES: dict[str, tuple[str, type[StrEnum]]] = {
    "side": ("Side", Side),
    "level": ("Level", Level),
    "aspect": ("Aspect", Aspect),
    "posture": ("Posture", Posture),
    "manoeuvre": ("Manoeuvre", Manoeuvre),
    "plane": ("Plane of the picture", Plane),
    "landmark": ("Landmark", Landmark),
}
DIFFERENT = "(different: left as they are)"


class LabelDialog(QDialog):
    """One form for all chosen clips; a field in which they differ stays as it is until it is chosen."""

    def __init__(self, parent: QWidget, contexts: Sequence[ClipContext]) -> None:
        super().__init__(parent)
        self._before = tuple(contexts)
        count = len(contexts)
        self.setWindowTitle("Label of the clip" if count == 1 else f"Label of {count} clips")
        self.boxes: dict[str, QComboBox] = {}
        form = QFormLayout()
        side, level = CHOICES["side"], CHOICES["level"]
        self._add_choice(form, "side", side[0], _entries(side[1]))
        self._add_choice(form, "vein", "Vein", _vein_entries())
        self._add_choice(form, "level", level[0], _entries(level[1]))
        for name in ("aspect", "posture", "manoeuvre", "plane", "landmark"):
            title, kind = CHOICES[name]
            self._add_choice(form, name, title, _entries(kind))
        self.distance = QLineEdit()
        self.distance.setMaximumWidth(80)
        self.distance.setToolTip("Along the leg, in cm, with a point or a comma")
        self._distance_before = self._same("landmark_cm")
        if self._distance_before == DIFFERENT:
            self.distance.setPlaceholderText("different")
        elif self._distance_before is not None:
            self.distance.setText(f"{self._distance_before:g}")
        along = QHBoxLayout()
        along.addWidget(self.distance)
        along.addWidget(QLabel("cm from the landmark"), 1)
        form.addRow("Distance", along)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.hide()
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.check)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(self.problem)
        layout.addWidget(buttons)
        self.boxes["side"].setFocus()

    def _add_choice(
        self, form: QFormLayout, name: str, title: str, entries: Sequence[tuple[str, Any]]
    ) -> None:
        box = QComboBox()
        now = self._same(name)
        if now == DIFFERENT:
            box.addItem(DIFFERENT, DIFFERENT)
        for text, value in entries:
            box.addItem(text, value)
        box.setCurrentIndex(max(0, box.findData(now)))
        box.setMaxVisibleItems(20)
        form.addRow(title, box)
        self.boxes[name] = box

    def _same(self, name: str) -> Any:
        values = {getattr(one, name) for one in self._before}
        return values.pop() if len(values) == 1 else DIFFERENT

    @property
    def values(self) -> dict[str, Any]:
        """The fields that were changed, with their values.  Raises for a distance that is none."""
        changed: dict[str, Any] = {}
        for name, box in self.boxes.items():
            value = box.currentData()
            if value != DIFFERENT and value != self._same(name):
                changed[name] = value
        text = self.distance.text().strip().replace(",", ".").removesuffix("cm").strip()
        if text or self._distance_before != DIFFERENT:
            distance = parsed("landmark_cm", text) if text else None
            if distance != self._distance_before:
                changed["landmark_cm"] = distance
        return changed

    def check(self) -> None:
        """Accept the form when its distance is a number; else say what is wrong."""
        try:
            _ = self.values
        except VeinscanError as error:
            self.problem.setText(str(error))
            self.problem.show()
            self.distance.setFocus()
            return
        self.accept()


def label_clips(bench: Workbench, clips: Sequence[Clip]) -> None:
    """Ask for the place of clips on the leg and put it into the record, as one edit."""
    session = bench.session
    if session.record is None or not clips:
        bench.warn(InvalidInputError("no clip is chosen", do="choose one or more in the list of clips"))
        return
    if not bench.attempt(session.editable_record):
        return
    uids = [clip.sop_instance_uid for clip in clips]
    dialog = LabelDialog(bench.window, [context_of(session.record, uid) for uid in uids])
    if dialog.exec() == QDialog.DialogCode.Accepted and (values := dialog.values):
        what = "clip" if len(uids) == 1 else f"{len(uids)} clips"
        label = f"label of {what}: {', '.join(values).replace('_', ' ')}"
        bench.attempt(
            lambda: session.edit(label, lambda record: set_context(record, uids, session.reader, **values))
        )
    dialog.deleteLater()


def is_labelled(context: ClipContext) -> bool:
    """Whether a person said at least which leg, or which vein or level, a clip shows."""
    return (context.side, context.vein, context.level) != (Side.UNKNOWN, UNKNOWN, Level.UNKNOWN)


def label_words(context: ClipContext) -> str:
    """'right, tributary, calf, middle third'; empty where nothing is known."""
    parts = [context.side, context.vein, context.level]
    return ", ".join(words_of(part) for part in parts if str(part) != UNKNOWN)


def _entries(kind: type[StrEnum]) -> list[tuple[str, Any]]:
    unknown = kind("unknown")
    return [(words_of(unknown), unknown), *((words_of(one), one) for one in kind if one != unknown)]


def _vein_entries() -> list[tuple[str, Any]]:
    return [
        (UNKNOWN, UNKNOWN),
        *((v.display if v.display == v.name else f"{v.name}: {v.display}", v.name) for v in VEINS),
    ]
