"""Ways into the plugin: from the command line, from napari's menus, from a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import napari
from napari.settings import get_settings
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication, QWidget

from napari_veinscan import compat, menus
from napari_veinscan.docks import DOCKS
from napari_veinscan.pacs_bar import add_pacs_bar
from napari_veinscan.places import add_dock, share_out
from napari_veinscan.qt_check import qt_problem
from napari_veinscan.record_bar import add_bar
from napari_veinscan.workbench import Workbench
from veinscan.errors import VeinscanError

WINDOW_SIZE = (1280, 800)
"""(width, height) that everything fits into."""

LARGEST_TEXT = 20
"""Points; more napari does not take."""

_KEPT = "_veinscan_workbench"


def workbench_of(viewer: Any) -> Workbench:
    """The workbench of a viewer; made on first use.  It lives and dies with the window."""
    window = compat.main_window(viewer)
    bench = getattr(window, _KEPT, None)
    if bench is None:
        bench = Workbench(viewer)
        setattr(window, _KEPT, bench)
    return bench


def attach(
    viewer: Any,
    study_path: str | Path | None = None,
    *,
    study_uid: str | None = None,
    reading_id: str | None = None,
) -> Workbench:
    """Put the docks and the menu into a viewer and open a study in it.

    Docks that are there already are left where they are.
    """
    bench = workbench_of(viewer)
    for dock in DOCKS:
        add_dock(bench, dock)
    menus.add_menu(bench)
    add_bar(bench)
    add_pacs_bar(bench)
    if study_path is not None:
        bench.open_path(study_path, study_uid=study_uid, reading_id=reading_id)
    return bench


def launch(
    study_path: str | Path | None = None,
    *,
    study_uid: str | None = None,
    reading_id: str | None = None,
    block: bool = True,
) -> Any:
    """Open a napari window for reviewing, with the docks and, if given, a study.

    Parameters
    ----------
    study_path : path, optional
        A folder, a file or a zip.
    study_uid : str, optional
        Which study, when the place holds several.
    reading_id : str, optional
        Which of its readings; default the plan.
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
    attach(viewer, study_path, study_uid=study_uid, reading_id=reading_id)
    bench = workbench_of(viewer)
    share_out(bench)
    QTimer.singleShot(0, lambda: None if compat.is_gone(viewer) else share_out(bench))  # again, once laid out
    if block:
        napari.run()
    return viewer


def open_window(
    study_path: str | Path | None = None, *, study_uid: str | None = None, reading_id: str | None = None
) -> None:
    """What `veinscan open` does: the window, until it is closed."""
    launch(study_path, study_uid=study_uid, reading_id=reading_id, block=True)


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
    follow_text_size()


def follow_text_size() -> None:
    """Let the window's text be as large as the system's where that is larger than napari's own.

    napari sets a size of its own, whatever the system's is; one that a person chose there is left.
    """
    appearance = get_settings().appearance
    theirs = round(QApplication.font().pointSizeF())
    default = type(appearance).model_fields["font_size"].default
    if appearance.font_size == default < theirs:
        appearance.font_size = min(theirs, LARGEST_TEXT)


# -- what the manifest names --------------------------------------------------------------


def open_study_command() -> None:
    """'Open study': the docks, and the question for a folder."""
    viewer = napari.current_viewer()
    if viewer is None:
        raise VeinscanError("no napari window is open", do="start napari, or run 'veinscan open STUDY'")
    dock: Any = attach(viewer).docks["clips"]
    dock.choose_folder()


def _named_dock(viewer: napari.viewer.Viewer, name: str) -> QWidget:
    widget: QWidget = next(dock for dock in DOCKS if dock.id == name).make(workbench_of(viewer))
    return widget


def study_widget(napari_viewer: napari.viewer.Viewer) -> QWidget:
    """The dock of clips, for napari's menu of plugins."""
    return _named_dock(napari_viewer, "clips")


def candidates_widget(napari_viewer: napari.viewer.Viewer) -> QWidget:
    """The candidates dock, for napari's menu of plugins."""
    return _named_dock(napari_viewer, "candidates")


def targets_widget(napari_viewer: napari.viewer.Viewer) -> QWidget:
    """The targets dock, for napari's menu of plugins."""
    return _named_dock(napari_viewer, "targets")
