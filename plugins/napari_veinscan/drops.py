"""A study folder, zip or DICOM file dropped onto the window opens as a study.

napari would ask which of its readers may read every file of the folder.  What
holds no DICOM stays napari's.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QWidget

from napari_veinscan import compat

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

LOOKED_AT = 50
"""Files of a folder that are looked at for a DICOM mark."""


class Drops(QObject):
    """Takes drops of studies for one window."""

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.window)
        self._bench = bench
        self._watched: tuple[QWidget, ...] = compat.drop_places(bench.viewer)
        for widget in self._watched:
            widget.setAcceptDrops(True)
            widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802  # Qt's name
        """Qt's hook: True when the event goes no further."""
        kinds = QEvent.Type
        if event.type() not in (kinds.DragEnter, kinds.DragMove, kinds.Drop):
            return False
        path = _only_path(event)
        if path is None or not looks_like_study(path):
            return False
        event.accept()
        if event.type() == kinds.Drop:
            self._bench.open_path(path)
        return True


def _only_path(event: QEvent) -> Path | None:
    if not isinstance(event, QDropEvent):
        return None
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    return Path(urls[0].toLocalFile())


def looks_like_study(path: Path) -> bool:
    """Whether a place is a zip or DICOM file, or a folder with one among its first files."""
    try:
        if path.is_dir():
            files = (one for one in path.rglob("*") if one.is_file())
            return any(_is_dicom(one) for one in itertools.islice(files, LOOKED_AT))
        return path.suffix.lower() == ".zip" or _is_dicom(path)
    except OSError:
        return False


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False  # a pipe would hang
    with path.open("rb") as stream:
        stream.seek(128)
        return stream.read(4) == b"DICM"
