"""veinscan inside napari: reader, docks and keys on top of the headless library.

Nothing here decides or measures: every edit goes through `Session.edit` and
`veinscan.plan.editing`, every file through `veinscan.dicom` and `veinscan.record`.

To add a dock, a command or a key, read the beginning of `commands.py`; `docks.py`
lists what is in the window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_veinscan.launch import attach, launch

__all__ = ["attach", "launch"]


def __getattr__(name: str) -> Any:
    """Load napari and Qt only when a window is asked for."""
    if name in __all__:
        from napari_veinscan import launch as module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
