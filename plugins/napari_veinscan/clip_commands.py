"""Going through the clips, labelling and calibrating them."""

from __future__ import annotations

from napari_veinscan.calibration import calibrate_by_distance, take_proposed
from napari_veinscan.colour_scale import ask as ask_colour_scale
from napari_veinscan.commands import Command
from napari_veinscan.label_dialog import label_clips
from napari_veinscan.workbench import Workbench

GROUP = "Study"


def _step(bench: Workbench, step: int) -> object:
    dock = bench.docks.get("clips")
    return False if dock is None else dock.step(step)  # type: ignore[attr-defined]  # StudyDock


def _label(bench: Workbench) -> None:
    dock = bench.docks.get("clips")
    shown = [bench.session.clip] if bench.session.clip is not None else []
    label_clips(bench, shown if dock is None else dock.chosen)  # type: ignore[attr-defined]  # StudyDock


def _open(bench: Workbench) -> None:
    dock = bench.docks.get("clips")
    if dock is not None:
        dock.choose_folder()  # type: ignore[attr-defined]  # StudyDock


COMMANDS = (
    Command(
        "study.open",
        "Open a study",
        GROUP,
        _open,
        keys=("Ctrl+Alt+O",),
        tip="A folder from the scanner, a CD or an export; files may have any name",
        needs_study=False,
    ),
    Command("clip.next", "Next clip", GROUP, lambda b: _step(b, 1), keys=("PgDown",)),
    Command("clip.previous", "Previous clip", GROUP, lambda b: _step(b, -1), keys=("PgUp",)),
    Command(
        "clip.label",
        "Label the chosen clips",
        GROUP,
        _label,
        keys=("L",),
        tip="Say where on the leg the chosen clips were taken",
    ),
    Command(
        "clip.calibrate",
        "Calibrate by a known distance",
        GROUP,
        calibrate_by_distance,
        tip="Two clicks a distance apart that you know, for a clip without scale",
    ),
    Command(
        "clip.take_proposed",
        "Take the proposed calibration",
        GROUP,
        take_proposed,
        tip="Take the scale that the burned-in ticks suggest, after you looked at it",
    ),
    Command(
        "clip.colour_scale",
        "Scale of the colour bar…",
        GROUP,
        lambda bench: ask_colour_scale(bench) is not None,
        tip="Say what stands at the two ends of the colour bar, where it cannot be read",
    ),
)
