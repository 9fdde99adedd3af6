"""Errors as notifications: a sentence with the next step, and details for those who ask."""

from __future__ import annotations

import logging

from napari.utils.notifications import Notification, notification_manager
from qtpy.QtWidgets import QMessageBox, QWidget

from veinscan.errors import VeinscanError
from veinscan.log import describe_exception, log_path


def tell(error: object, parent: QWidget) -> None:
    """Show an error once; what is no refusal but a fault of the program goes to the log, without values."""
    if isinstance(error, VeinscanError):
        text = str(error)
        text = text[:1].upper() + text[1:]
        details = describe_exception(error) if error.__cause__ is not None else ""
    else:
        kind = type(error).__name__
        text = f"A fault in veinscan ({kind}). Nothing was changed; please report it with the details."
        details = describe_exception(error) if isinstance(error, BaseException) else repr(error)
        logging.getLogger("veinscan.window").error("%s", details)
    actions = (("Details", lambda *_: show_details(parent, text, details)),) if details else ()
    notification_manager.dispatch(Notification(text, "warning", actions=actions))


def show_details(parent: QWidget, text: str, details: str) -> None:
    """The places in the program and where the log is; no values, so that it can be sent as it is."""
    box = QMessageBox(parent)
    box.setWindowTitle("Details")
    box.setText(text)
    box.setInformativeText(f"The log is {log_path()}. It holds no data of the patient.")
    box.setDetailedText(details)
    box.open()
