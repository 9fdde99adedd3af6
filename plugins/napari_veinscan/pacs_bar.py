"""A line under the bar of the record: what became of what was sent, and what is not sent yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QMessageBox, QSizePolicy, QToolBar, QWidget

from napari_veinscan.clip_words import counted
from napari_veinscan.field_widgets import push_button
from napari_veinscan.pacs_login import ask_password
from napari_veinscan.pacs_pushing import Pushing
from napari_veinscan.pacs_sender import Sender
from napari_veinscan.pacs_sending_words import Said, needs_login, others_words, study_words, unsent
from napari_veinscan.pacs_unsent import show_unsent
from napari_veinscan.palette import STATE_COLOURS
from napari_veinscan.record_bar import ElidedLabel

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

NAME = "veinscan: archive"


class PacsBar(QToolBar):
    """Shown only while there is something to say."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(NAME, bench.window)
        self._bench = bench
        self._sender = bench.part(Sender)
        self._pushing = bench.part(Pushing)
        self.setObjectName("veinscan_pacs_bar")
        self.setMovable(False)
        self.said = ElidedLabel()
        self.said.setAccessibleName("State of what is sent to the archive")
        self.others = ElidedLabel()
        self.others.setAccessibleName("What is not sent of other studies")
        self.others.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.now = push_button("Send now", self.send_now, "Try all that waits at once")
        self.password = push_button("Password…", self.ask_password, "The archive asks who you are")
        self.list = push_button("Not sent…", lambda: show_unsent(bench), "What is not in its archive")
        for button in (self.password, self.now, self.list):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        inner = QWidget()
        inner.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        line = QHBoxLayout(inner)
        line.setContentsMargins(6, 1, 6, 1)
        line.addWidget(self.said, 3)
        line.addWidget(self.others, 2)
        line.addWidget(self.password)
        line.addWidget(self.now)
        line.addWidget(self.list)
        self.addWidget(inner)
        self._is_placed = False
        self._sender.changed.connect(self._show)
        self._pushing.changed.connect(self._show)
        bench.session.study_changed.connect(self._show)
        bench.session.record_changed.connect(self._show)
        bench.before_closing(self._may_close)
        self._show()

    def _show(self) -> None:
        study = self._bench.session.study
        uid = study.study_instance_uid if study is not None else ""
        entries = self._sender.entries
        said, others = study_words(entries, uid), others_words(entries, uid)
        waits = bool(self._sender.unsent)
        if self._pushing.is_putting:
            said = Said("● being put into the queue…", "dirty")
        elif self._pushing.is_forgotten:
            said = Said(f"● this final version was not sent to {self._pushing.archive} yet", "dirty")
            waits = True
        if waits and self._sender.is_sending:
            said = Said("● being sent…", "dirty") if said.look == "dirty" else said
        for label, one in ((self.said, said), (self.others, others)):
            label.say(one.words, STATE_COLOURS.get(one.look, ""))
            label.setToolTip(one.words)
        self.others.setVisible(bool(others.words))
        self.password.setVisible(bool(needs_login(entries)))
        self.now.setVisible(waits)
        self.now.setEnabled(not self._sender.is_sending)
        count = len(unsent(entries))
        self.list.setText(f"Not sent ({count})…")
        self.list.setVisible(bool(count))
        wanted = bool(said.words or others.words)
        if wanted and not self._is_placed:
            # not before: a line of its own, below bars that are made after this one
            self._is_placed = True
            self._bench.window.addToolBarBreak(Qt.ToolBarArea.TopToolBarArea)
            self._bench.window.addToolBar(Qt.ToolBarArea.TopToolBarArea, self)
        self.setVisible(wanted)

    def send_now(self) -> None:
        """Try all that waits, and put in what should have been."""
        if self._pushing.is_forgotten:
            self._pushing.put_forgotten()
        self._sender.run(now=True)

    def ask_password(self) -> None:
        """Ask for the password that something waits for, and send it."""
        name = needs_login(self._sender.entries)
        if name:
            ask_password(self._bench, name, lambda: self._sender.run(now=True))

    def _may_close(self) -> bool:
        """Say what is not sent as the window closes: it stays in the queue."""
        waiting = self._sender.unsent
        if not waiting:
            return True
        studies = {one.study_instance_uid for one in waiting}
        of = "" if len(studies) == 1 else f" of {len(studies)} studies"
        box = QMessageBox(self._bench.window)
        box.setIcon(QMessageBox.Icon.Information)
        box.setWindowTitle("Not sent yet")
        it, be = ("It stays", "is") if len(waiting) == 1 else ("They stay", "are")
        box.setText(f"{counted(len(waiting), 'object')}{of} {be} not in the archive yet.")
        box.setInformativeText(
            f"{it} in the queue on this computer, and {be} sent when veinscan is open the next time."
        )
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Close | buttons.Cancel)
        box.button(buttons.Cancel).setText("Stay")
        box.setDefaultButton(buttons.Close)
        box.setEscapeButton(buttons.Cancel)
        return bool(box.exec() == buttons.Close)


def add_pacs_bar(bench: Workbench) -> PacsBar:
    """Put the line into the window, once."""
    known = bench.window.findChild(PacsBar)
    return known if isinstance(known, PacsBar) else PacsBar(bench)
