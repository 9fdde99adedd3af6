"""The list of what is not in its archive yet, of all studies: why, 'Try again' and 'Forget'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

from napari_veinscan.field_widgets import push_button
from napari_veinscan.pacs_sender import Sender
from napari_veinscan.pacs_sending_words import KINDS, archive_of, state_words, unsent

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench
    from veinscan.pacs.queue_entry import Sending

COLUMNS = ("What", "Study", "Archive", "Put in", "Tries", "State")


class UnsentDialog(QDialog):
    """Objects with what became of each; the whole reason of the chosen one below."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.window)
        self._sender = bench.part(Sender)
        self._shown = bench.session.study.study_instance_uid if bench.session.study is not None else ""
        self._rows: tuple[Sending, ...] = ()
        self.setWindowTitle("Not in the archive yet")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.table = QTableWidget(0, len(COLUMNS))
        self.table.setAccessibleName("Objects that are not in their archive")
        self.table.setHorizontalHeaderLabels(list(COLUMNS))
        self.table.verticalHeader().setVisible(False)
        self.table.setTabKeyNavigation(False)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setWordWrap(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        self.table.currentCellChanged.connect(lambda *_: self._show_chosen())
        self.reason = QPlainTextEdit()
        self.reason.setReadOnly(True)
        self.reason.setTabChangesFocus(True)
        self.reason.setAccessibleName("All of it")
        self.reason.setFixedHeight(4 * self.reason.fontMetrics().lineSpacing() + 12)
        self.now = push_button("Send &now", lambda: self._sender.run(now=True), "Try all that waits at once")
        self.again = push_button("&Try again", self.try_again, "Put a refused object back into the queue")
        self.forget = push_button("&Forget…", self.ask_forget, "Take a refused object out of the queue")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        for button in (self.now, self.again, self.forget):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(buttons)
        layout = QVBoxLayout(self)
        layout.addWidget(self.said)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.reason)
        layout.addLayout(row)
        self.resize(min(920, bench.window.width() - 40), 420)
        self._sender.changed.connect(self._show)
        self.finished.connect(lambda _result: self._sender.changed.disconnect(self._show))
        self._show()

    @property
    def chosen(self) -> Sending | None:
        """The object that is chosen."""
        number = self.table.currentRow()
        return self._rows[number] if 0 <= number < len(self._rows) else None

    def _show(self) -> None:
        before = self.chosen.key if self.chosen is not None else ""
        self._rows = unsent(self._sender.entries)
        self.table.setRowCount(len(self._rows))
        for number, one in enumerate(self._rows):
            is_shown = one.study_instance_uid == self._shown
            study = "the one on show" if is_shown else f"…{one.study_instance_uid[-12:]}"
            texts = (
                KINDS.get(one.kind, one.kind),
                study,
                archive_of(one),
                f"{one.added_at.astimezone():%Y-%m-%d %H:%M}",
                str(one.tries),
                state_words(one),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(one.study_instance_uid if column == 1 else text)
                self.table.setItem(number, column, item)
        keys = [one.key for one in self._rows]
        if keys:
            self.table.setCurrentCell(keys.index(before) if before in keys else 0, 0)
        self.said.setText(
            "These stay in the queue until the archive has them, also when veinscan is closed."
            if keys
            else "Everything that was sent is in its archive, and was read back."
        )
        self.now.setEnabled(any(one.pending for one in self._rows) and not self._sender.is_sending)
        self._show_chosen()

    def _show_chosen(self) -> None:
        one = self.chosen
        is_refused = one is not None and not one.pending
        self.again.setEnabled(is_refused)
        self.forget.setEnabled(is_refused)
        words = ""
        if one is not None:
            lines = (state_words(one), one.note, f"Object {one.sop_instance_uid}")
            words = "\n".join(filter(None, lines))
        if self.reason.toPlainText() != words:
            self.reason.setPlainText(words)

    def try_again(self) -> None:
        """Put the chosen refused object back to be sent."""
        one = self.chosen
        if one is not None:
            self._sender.do(lambda queue: queue.again(one.sop_instance_uid))

    def ask_forget(self) -> None:
        """Take the chosen refused object out of the queue, after asking."""
        one = self.chosen
        if one is None:
            return
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("Forget it?")
        box.setText(f"The {KINDS.get(one.kind, one.kind)} will not be sent to {archive_of(one)}.")
        box.setInformativeText("What was saved beside the study stays, and can be sent again from there.")
        buttons = QMessageBox.StandardButton
        box.setStandardButtons(buttons.Ok | buttons.Cancel)
        box.button(buttons.Ok).setText("Forget it")
        box.setDefaultButton(buttons.Cancel)
        if box.exec() == buttons.Ok:
            self._sender.do(lambda queue: queue.forget(one.sop_instance_uid))


def show_unsent(bench: Workbench) -> UnsentDialog:
    """List what is not in its archive yet."""
    dialog = UnsentDialog(bench)
    dialog.open()
    return dialog
