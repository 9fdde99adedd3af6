"""The password of an archive: asked for when the archive asks, kept only on wish."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QGridLayout,
    QGroupBox,
    QLabel,
    QLineEdit,
    QVBoxLayout,
)

from napari_veinscan import pacs_calls
from napari_veinscan.background import Callbacks
from napari_veinscan.field_widgets import push_button
from napari_veinscan.palette import WARNING_COLOUR
from veinscan.errors import PacsError, VeinscanError

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

KEEP = "Keep it in the keyring of this computer"


class LoginRow(QGroupBox):
    """A field for the password, hidden until the archive asks for it."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__("Password")
        self._bench = bench
        self._then: Callable[[], object] | None = None
        self._archive = ""
        self.said = QLabel()
        self.said.setWordWrap(True)
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setAccessibleName("Password")
        self.password.returnPressed.connect(self.log_in)
        self.keep = QCheckBox(KEEP)
        self.keep.setToolTip("Else it is forgotten when veinscan ends; it is never in a file of veinscan's")
        self.go = push_button("Log in", self.log_in)
        grid = QGridLayout(self)
        grid.addWidget(self.said, 0, 0, 1, 2)
        grid.addWidget(self.password, 1, 0)
        grid.addWidget(self.keep, 2, 0, 1, 2)  # a row of its own: at a larger text it takes all of it
        grid.addWidget(self.go, 1, 1)
        grid.setColumnStretch(0, 1)
        self.hide()

    def ask(self, archive: str, user: str, what: str, then: Callable[[], object]) -> None:
        """Ask for the password (or token) of an archive; `then` is done once there is one."""
        self._archive, self._then = archive, then
        whose = f"of {user} " if user else ""
        self.setTitle(what.capitalize())
        self.said.setText(f"{archive} asks who you are. The {what} {whose}goes to this archive alone.")
        self.said.setStyleSheet("")
        self.password.clear()
        self.keep.setChecked(False)
        self.show()
        self.password.setFocus()

    def log_in(self) -> None:
        """Use what was typed, and go on with what was asked for."""
        secret, then = self.password.text(), self._then
        if not secret or then is None:
            return
        self.password.clear()
        try:
            pacs_calls.use_password(self._archive, secret)
        except VeinscanError as error:  # a character that no password has
            self.said.setText(str(error))
            self.said.setStyleSheet(f"color: {WARNING_COLOUR}")
            return
        if self.keep.isChecked():
            keep_password(self._bench, self._archive, secret)
        self.put_away()
        then()

    def put_away(self) -> None:
        """Hide the field; what was typed is gone."""
        self._then = None
        self.password.clear()
        self.hide()


def keep_password(bench: Workbench, archive: str, secret: str) -> None:
    """Put a password into the keyring, beside the window: a locked one asks, and waits for an answer."""

    def not_kept(error: Exception) -> None:
        if isinstance(error, VeinscanError):
            error = PacsError(f"the password is used until veinscan ends, and was not kept: {error}")
        bench.warn(error)

    bench.jobs.start(
        lambda _job: pacs_calls.keep_password(archive, secret),
        Callbacks(failed=not_kept),
        patience_s=pacs_calls.PATIENCE_S,
    )


def ask_password(bench: Workbench, archive: str, then: Callable[[], object]) -> QDialog:
    """Ask for the password of an archive in a dialog of its own."""
    dialog = QDialog(bench.window)
    dialog.setWindowTitle(f"Log in to {archive}")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    row = LoginRow(bench)
    QVBoxLayout(dialog).addWidget(row)

    def go_on() -> None:
        then()
        dialog.accept()

    dialog.setMinimumWidth(520)
    # before it is shown: it opens as large as the words in it ask for
    row.ask(archive, pacs_calls.user_of(archive), pacs_calls.asks_for_password(archive) or "password", go_on)
    dialog.open()
    row.password.setFocus()
    return dialog
