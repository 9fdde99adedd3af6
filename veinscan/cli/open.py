"""`veinscan open [STUDY]`: the napari window on a study."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from veinscan.cli.common import StudyUidOption, start
from veinscan.cli.output import Result
from veinscan.errors import NoStudyError, VeinscanError


def open_window(
    study: Annotated[
        Path | None, typer.Argument(metavar="STUDY", help="A folder, a file or a zip.", show_default=False)
    ] = None,
    study_uid: StudyUidOption = None,
    reading: Annotated[
        str | None,
        typer.Option(metavar="ID", help="A reading of the study instead of its plan.", show_default=False),
    ] = None,
) -> Result:
    """Open napari with the study (needs the [gui] extra and a display)."""
    start()
    if study is not None and not study.exists():
        raise NoStudyError("there is nothing here", where=str(study), do="check the path")
    from veinscan.cli.probe import probe_window

    probe = probe_window()
    if not probe.works:
        raise VeinscanError(probe.problem, where="veinscan open", do=probe.cure)
    # By name: the library itself never imports the plugin (an import contract watches over it).
    launch = importlib.import_module("napari_veinscan.launch")
    launch.open_window(study, study_uid=study_uid, reading_id=reading)
    return Result()
