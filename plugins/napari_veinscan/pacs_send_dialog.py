"""'Send to PACS…': the plan of the study on show into an archive, wherever the study came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QCheckBox, QComboBox, QDialog, QFormLayout, QHBoxLayout, QLabel, QVBoxLayout

from napari_veinscan import pacs_calls, window_state
from napari_veinscan.field_widgets import push_button
from napari_veinscan.pacs_choices import SendChoices, keep
from napari_veinscan.pacs_pushing import Pushing, newest_version
from napari_veinscan.palette import WARNING_COLOUR
from napari_veinscan.record_bar import SIGNED
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan.model import Record

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

PICTURES = "with the clips and stills, where the archive lacks them"


class SendDialog(QDialog):
    """Which archive, and what goes with the plan."""

    def __init__(self, bench: Workbench, record: Record, names: dict[str, str], chosen: str) -> None:
        """`names`: archives and how they are shown; `chosen` is offered first."""
        super().__init__(bench.window)
        self.setWindowTitle("Send to PACS")
        self._is_final = record.status.state in SIGNED
        self._column = QVBoxLayout(self)
        self.archive = QComboBox()
        self.archive.setAccessibleName("Archive")
        for name, shown in names.items():
            self.archive.addItem(shown, name)
        self.archive.setCurrentIndex(max(0, self.archive.findData(chosen)))
        form = QFormLayout()
        form.addRow("A&rchive", self.archive)
        self._column.addLayout(form)
        if self._is_final:
            words = f"Version {record.version} of the plan, final."
        else:
            words = "The plan is not final. Others would see it in the archive as partial and unverified."
        self.said = _label(words, "" if self._is_final else WARNING_COLOUR)
        self._column.addWidget(self.said)
        self.draft = QCheckBox("Send this &draft all the same")
        self.draft.setVisible(not self._is_final)
        self.draft.toggled.connect(self._show_state)
        self._column.addWidget(self.draft)
        self.choices = SendChoices(self.name)
        self.pictures = QCheckBox(PICTURES)
        self._column.addWidget(self.choices)
        self._column.addWidget(self.pictures)
        self._column.addWidget(_label("Candidates that nobody reviewed are in none of them."))
        self.send = push_button("&Send", self.accept)
        self.cancel = push_button("Cancel", self.reject)
        buttons = QHBoxLayout()
        buttons.addStretch(1)
        buttons.addWidget(self.send)
        buttons.addWidget(self.cancel)
        self._column.addLayout(buttons)
        self.archive.currentIndexChanged.connect(self._archive_changed)
        self.setMinimumWidth(520)
        self._show_state()

    @property
    def name(self) -> str:
        """Of the archive."""
        return str(self.archive.currentData() or "")

    def _archive_changed(self, _index: int) -> None:
        choices = SendChoices(self.name)  # as they were kept for this one
        self._column.replaceWidget(self.choices, choices)
        self.choices.deleteLater()
        self.choices = choices

    def _show_state(self, _on: bool = False) -> None:
        self.send.setEnabled(self._is_final or self.draft.isChecked())


def send_to_pacs(bench: Workbench) -> None:
    """Ask which archive and what with, and put it into the queue."""
    bench.recording.take_over()
    session, pushing = bench.session, bench.part(Pushing)
    study, record = session.study, session.record
    if study is None or record is None:
        bench.warn(InvalidInputError("no study is open", do="open a study first"))
        return
    try:
        known = {name: pacs_calls.shown(config) for name, config in pacs_calls.configured().items()}
    except VeinscanError as error:
        bench.warn(error)
        return
    if not known:
        bench.warn(
            InvalidInputError(
                "no archive is set up", do="choose 'Open from PACS…', which says how to set one up"
            )
        )
        return
    home = pushing.home.archive if pushing.home is not None else window_state.choice("archive")
    dialog = SendDialog(bench, record, known, home)
    agreed = dialog.exec() == QDialog.DialogCode.Accepted
    archive, along, pictures = dialog.name, dialog.choices.chosen, dialog.pictures.isChecked()
    draft = dialog.draft.isChecked()
    dialog.deleteLater()
    if not agreed or (session.is_dirty and not bench.save()):
        return
    record = session.record
    path: Path | None = session.saved_path or newest_version(study, record)
    if record is None or path is None:
        bench.warn(InvalidInputError("there is no saved version of the plan", do="save one first"))
        return
    keep(archive, along)
    pushing.put(path, archive, along, draft=draft, pictures=pictures)


def _label(text: str, colour: str = "") -> QLabel:
    label = QLabel(text)
    label.setWordWrap(True)
    if colour:
        label.setStyleSheet(f"color: {colour}")
    return label
