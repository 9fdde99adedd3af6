"""Other libraries' log messages without their text.

The address of a search holds the patient's name and id, and the libraries
that send it log addresses (dicomweb-client, urllib3) and data sets
(pynetdicom).  Whoever turns on all messages still sees that something was
said, and where in the code, never what.
"""

from __future__ import annotations

import logging


class _NoText(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = f"message at {record.filename}:{record.lineno}"
        record.args = ()
        record.exc_info = None
        record.exc_text = None
        record.stack_info = None
        return True


_NO_TEXT = _NoText()


def quiet(*packages: str) -> None:
    """Take the text out of whatever the loggers of these packages say, at every level.

    A filter holds for one logger and not for those below it, so that every one
    there is gets it; call this after the packages were imported.  Calling it again is harmless.
    """
    known = list(logging.Logger.manager.loggerDict)
    for package in packages:
        for name in (package, *(name for name in known if name.startswith(f"{package}."))):
            logging.getLogger(name).addFilter(_NO_TEXT)
