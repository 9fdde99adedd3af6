"""What a person set on napari's page of preferences for veinscan (the manifest's `configurations`)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from napari.settings import get_plugin_settings

PLUGIN, PAGE = "veinscan", "review"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Every preference, with the manifest's default."""

    reader: str = ""
    """Reader's name; empty: that of veinscan's settings, else of the system's user."""
    threshold_profile: str = "svs_avf_avls_2022"
    """Key of `veinscan.plan.thresholds.profiles()`."""
    autosave: bool = False
    """Whether a version is saved without asking when a study is left."""
    vesselness_colours: str = "cividis"
    """Key of `palette.VESSELNESS_COLOURS`."""
    earlier_folders: str = ""
    """Where earlier studies are looked for beside the study's own folder, separated by `;`."""
    frame_budget_mb: int = 400
    """Memory for decoded frames of the clip on show."""

    @property
    def frame_budget_bytes(self) -> int:
        """`frame_budget_mb` in bytes."""
        return self.frame_budget_mb * 1_000_000


def load() -> Preferences:
    """As they are set now; the defaults where napari does not know the plugin yet."""
    try:
        page: Any = getattr(get_plugin_settings(PLUGIN), PAGE)
    except (KeyError, AttributeError):
        return Preferences()
    return Preferences(**{field.name: getattr(page, field.name) for field in fields(Preferences)})
