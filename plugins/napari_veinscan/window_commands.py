"""Commands of the record and of the window itself."""

from __future__ import annotations

from napari_veinscan import compat
from napari_veinscan.calibration import CalibrationTool
from napari_veinscan.commands import Command
from napari_veinscan.conflict_dialog import show_conflicts
from napari_veinscan.docks import DOCKS, Dock
from napari_veinscan.drawing import Drawing
from napari_veinscan.key_sheet import show_key_sheet
from napari_veinscan.page import write_page
from napari_veinscan.record_bar import add_bar
from napari_veinscan.workbench import Workbench

RECORD = "Record"
WINDOW = "Window"


def _put_away(bench: Workbench) -> bool:
    if bench.part(CalibrationTool).put_away() or bench.part(Drawing).put_away():
        return True
    if bench.calipers.tool is None:
        return False
    bench.calipers.put_away()
    return True


def _show_preferences(bench: Workbench) -> None:
    before = bench.preferences.reader

    def closed(_result: int) -> None:
        reader = bench.preferences.reader.strip()
        if reader and reader != before:
            add_bar(bench).name_reader(reader)

    compat.show_preferences(bench.viewer).finished.connect(closed)


def _go_to(dock: Dock) -> Command:
    """F3 goes to '3  Targets': the number of the step."""
    return Command(
        f"window.{dock.id}",
        f"Go to '{dock.tab}'",
        WINDOW,
        lambda bench: bench.show_dock(dock.id),
        keys=(f"F{dock.title[0]}",),
        needs_study=False,
    )


COMMANDS = (
    *(_go_to(dock) for dock in DOCKS if dock.is_step),
    Command(
        "record.save",
        "Save a version",
        RECORD,
        lambda b: b.save(),
        keys=("Ctrl+S",),
        tip="Write a new DICOM document beside the study; nothing is overwritten",
    ),
    Command(
        "record.undo",
        "Undo",
        RECORD,
        lambda b: b.recording.undo(),
        keys=("Ctrl+Z",),
        tip="Take back the last edit",
    ),
    Command(
        "record.redo",
        "Redo",
        RECORD,
        lambda b: b.recording.redo(),
        keys=("Ctrl+Shift+Z", "Ctrl+Y"),
        tip="Bring back what was taken back",
    ),
    Command(
        "record.conflicts",
        "Settle conflicts",
        RECORD,
        show_conflicts,
        tip="Choose between what two readers changed differently",
    ),
    Command(
        "record.page",
        "One page",
        RECORD,
        write_page,
        keys=("Ctrl+P",),
        tip="Write the plan as a PDF to take to the procedure",
    ),
    Command(
        "window.preferences",
        "Preferences",
        WINDOW,
        _show_preferences,
        tip="Reader, threshold profile, autosave, colours, memory",
        needs_study=False,
    ),
    Command("window.escape", "Put the tool away", WINDOW, _put_away, keys=("Esc",), in_menu=False),
    Command("window.keys", "Keys and help", WINDOW, show_key_sheet, keys=("?",), needs_study=False),
)
