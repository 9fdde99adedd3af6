"""Commands of the archive: by menu, key and button."""

from __future__ import annotations

from napari_veinscan.commands import Command
from napari_veinscan.pacs_opening import open_from_pacs

GROUP = "PACS"

COMMANDS = (
    Command(
        "pacs.open",
        "Open from PACS…",
        GROUP,
        open_from_pacs,
        keys=("Ctrl+Alt+P",),
        tip="Search the hospital's archive and open a study from it",
        needs_study=False,
    ),
)
