"""The docks and where they stand, in the order of work; and who brings commands.  See `commands.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_veinscan.commands import Command

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Dock:
    """One dock of the window."""

    id: str
    """Its name in scripts and tests: ``bench.docks["targets"]``."""
    title: str
    """On the screen, with its place in the order of work."""
    build: str
    """'module:name' of what takes the workbench and gives the widget."""
    area: str
    """'left', 'right', 'top' or 'bottom'."""
    tab_with: str = ""
    """Id of an earlier dock that it is a tab beside of; empty for a place of its own."""
    is_step: bool = False
    """Whether it is one of the steps of a session, with a button in the bar over the picture."""

    @property
    def tab(self) -> str:
        """The title without its number: six of them have to fit side by side at 1280 pixels."""
        return self.title.lstrip("0123456789 ")

    def make(self, bench: Workbench) -> Any:
        """The widget."""
        module, name = self.build.split(":")
        return getattr(import_module(f"napari_veinscan.{module}"), name)(bench)


DOCKS: tuple[Dock, ...] = (
    Dock("clips", "1  Clips", "study_dock:StudyDock", "left", is_step=True),
    Dock("baseline", "Baseline", "follow_up_baseline_dock:BaselineDock", "left", tab_with="clips"),
    Dock("cine", "Cine", "cine_dock:CineDock", "bottom"),
    Dock("candidates", "2  Candidates", "candidates_dock:CandidatesDock", "right", is_step=True),
    Dock("targets", "3  Targets", "target_dock:TargetsDock", "right", tab_with="candidates", is_step=True),
    Dock("reflux", "Reflux", "reflux_dock:RefluxDock", "right", tab_with="candidates"),
    Dock("map", "4  Leg map", "leg_map_dock:LegMapDock", "right", tab_with="candidates", is_step=True),
    Dock("session", "6  Session", "session_dock:SessionDock", "right", tab_with="candidates", is_step=True),
    Dock(
        "follow_up",
        "7  Follow-up",
        "follow_up_dock:FollowUpDock",
        "right",
        tab_with="candidates",
        is_step=True,
    ),
)
"""In the order of work, which is their order on the screen."""

COMMAND_MODULES: tuple[str, ...] = (
    "clip_commands",
    "pacs_commands",
    "review_commands",
    "drawing",
    "cine_dock",
    "live_bar",
    "target_dock",
    "measurements_group",
    "reflux_dock",
    "leg_map_dock",
    "session_commands",
    "follow_up_commands",
    "signing_commands",
    "export",
    "research_export",
    "window_commands",
)
"""Modules with a tuple `COMMANDS`, in the order of the menu and of the key sheet."""


def all_commands() -> Iterator[Command]:
    """The commands of all modules."""
    for module in COMMAND_MODULES:
        yield from import_module(f"napari_veinscan.{module}").COMMANDS
