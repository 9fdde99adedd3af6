"""Whether the installed Qt can be used; imports neither Qt nor napari, so that it can be asked first."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version


def qt_problem() -> str:
    """Why this Qt brings the window down sooner or later, in one sentence; empty when it does not.

    PySide6 6.12.0 gives back a reference to None at every call that returns nothing.  From
    Python 3.12 on None is immortal and nothing happens; before, the program is aborted after
    some minutes of play ('none_dealloc').
    """
    try:
        binding = version("PySide6-Essentials")
    except PackageNotFoundError:
        return ""  # another binding, or none: napari says so itself
    if sys.version_info < (3, 12) and binding.startswith("6.12"):
        python = ".".join(map(str, sys.version_info[:2]))
        return f"PySide6 {binding} aborts under Python {python}: pip install 'PySide6-Essentials<6.12'"
    return ""
