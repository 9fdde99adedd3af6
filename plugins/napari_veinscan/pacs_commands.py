"""Commands of the archive: by menu, key and button."""

from __future__ import annotations

from napari_veinscan.commands import Command
from napari_veinscan.pacs_bar import add_pacs_bar
from napari_veinscan.pacs_opening import open_from_pacs
from napari_veinscan.pacs_pushing import Pushing
from napari_veinscan.pacs_send_dialog import send_to_pacs
from napari_veinscan.pacs_unsent import show_unsent

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
    Command(
        "pacs.send",
        "Send to PACS…",
        GROUP,
        send_to_pacs,
        tip="Send the plan of this study to an archive, wherever the study came from",
    ),
    Command(
        "pacs.send_draft",
        "Send this draft too",
        GROUP,
        lambda bench: bench.part(Pushing).send_draft(),
        tip="Send the version to the archive of its study although it is not final",
    ),
    Command(
        "pacs.send_now",
        "Send now",
        GROUP,
        lambda bench: add_pacs_bar(bench).send_now(),
        tip="Try all that waits for an archive at once",
        needs_study=False,
    ),
    Command(
        "pacs.unsent",
        "Not sent yet…",
        GROUP,
        show_unsent,
        tip="What is not in its archive, of all studies, and why",
        needs_study=False,
    ),
)
