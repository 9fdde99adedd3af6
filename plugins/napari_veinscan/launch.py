"""Ways into the plugin: from the command line, from napari's menus, from a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QWidget

from napari_veinscan import compat
from napari_veinscan.candidates_dock import CandidatesDock
from napari_veinscan.qt_check import qt_problem
from napari_veinscan.study_dock import StudyDock
from napari_veinscan.target_dock import TargetsDock
from napari_veinscan.workbench import Workbench
from veinscan.errors import VeinscanError

WINDOW_SIZE = (1280, 800)
"""(width, height) that everything fits into."""

_DOCKS: dict[str, tuple[type[StudyDock | CandidatesDock | TargetsDock], str]] = {
    "1  Study": (StudyDock, "left"),
    "2  Candidates": (CandidatesDock, "right"),
    "3  Targets": (TargetsDock, "right"),
}
_KEPT = "_veinscan_workbench"


def workbench_of(viewer: Any) -> Workbench:
    """The workbench of a viewer; made on first use.  It lives and dies with the window."""
    window = compat.main_window(viewer)
    bench = getattr(window, _KEPT, None)
    if bench is None:
        bench = Workbench(viewer)
        setattr(window, _KEPT, bench)
    return bench


def attach(viewer: Any, study_path: str | Path | None = None, *, study_uid: str | None = None) -> Workbench:
    """Put the three docks into a viewer and open a study in it.

    Docks that are there already are left where they are.
    """
    bench = workbench_of(viewer)
    for name, (dock, area) in _DOCKS.items():
        if name not in viewer.window.dock_widgets:
            viewer.window.add_dock_widget(dock(bench), name=name, area=area, add_vertical_stretch=False)
    if study_path is not None:
        bench.open_path(study_path, study_uid=study_uid)
    return bench


def launch(study_path: str | Path | None = None, *, study_uid: str | None = None, block: bool = True) -> Any:
    """Open a napari window for reviewing, with the docks and, if given, a study.

    Parameters
    ----------
    study_path : path, optional
        A folder, a file or a zip.
    study_uid : str, optional
        Which study, when the place holds several.
    block : bool
        Whether to run the window until it is closed.

    Returns
    -------
    napari.Viewer

    Raises
    ------
    VeinscanError
        The installed Qt would abort the program; the sentence says what to install.
    """
    if problem := qt_problem():
        raise VeinscanError(problem)
    viewer = napari.Viewer(title="veinscan", show_welcome_screen=False)
    arrange(viewer)
    attach(viewer, study_path, study_uid=study_uid)
    share_out(viewer)
    QTimer.singleShot(
        0, lambda: None if compat.is_gone(viewer) else share_out(viewer)
    )  # again, once laid out
    if block:
        napari.run()
    return viewer


def open_window(study_path: str | Path | None = None, *, study_uid: str | None = None) -> None:
    """What `veinscan open` does: the window, until it is closed."""
    launch(study_path, study_uid=study_uid, block=True)


def arrange(viewer: Any) -> None:
    """Give the window its size and put napari's layer docks away ('Window' brings them back)."""
    window = compat.main_window(viewer)
    screen = QApplication.primaryScreen()
    width, height = WINDOW_SIZE
    if screen is not None:
        room = screen.availableGeometry()
        width = min(max(width, round(0.9 * room.width())), room.width())
        height = min(max(height, round(0.9 * room.height())), room.height())
    window.resize(width, height)
    for dock in compat.layer_docks(viewer):
        dock.hide()


def share_out(viewer: Any) -> None:
    """Share the height of the right side between candidates and targets, and keep the left side slim."""
    window = compat.main_window(viewer)
    docks = [dock for name in _DOCKS if (dock := _dock_of(viewer.window.dock_widgets[name])) is not None]
    if len(docks) == len(_DOCKS):
        study, candidates, targets = docks
        window.resizeDocks([study, candidates], [250, 400], Qt.Orientation.Horizontal)
        window.resizeDocks([candidates, targets], [365, 385], Qt.Orientation.Vertical)


def _dock_of(widget: QWidget) -> QDockWidget | None:
    parent: QWidget | None = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


# -- what the manifest names --------------------------------------------------------------


def open_study_command() -> None:
    """'Open study': the docks, and the question for a folder."""
    viewer = napari.current_viewer()
    if viewer is None:
        raise VeinscanError("no napari window is open", do="start napari, or run 'veinscan open STUDY'")
    attach(viewer)
    dock: Any = viewer.window.dock_widgets["1  Study"]
    dock.choose_folder()


def study_widget(napari_viewer: napari.viewer.Viewer) -> QWidget:
    """The study dock, for napari's menu of plugins."""
    return StudyDock(workbench_of(napari_viewer))


def candidates_widget(napari_viewer: napari.viewer.Viewer) -> QWidget:
    """The candidates dock, for napari's menu of plugins."""
    return CandidatesDock(workbench_of(napari_viewer))


def targets_widget(napari_viewer: napari.viewer.Viewer) -> QWidget:
    """The targets dock, for napari's menu of plugins."""
    return TargetsDock(workbench_of(napari_viewer))
