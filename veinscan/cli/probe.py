"""Whether a napari window can open here; tried in a process of its own.

Qt ends the whole program when it cannot reach a display or lacks a system
library, so the trial cannot happen in this one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

GUI_PACKAGES = ("napari", "qtpy", "PySide6")
"""What the [gui] extra brings; any Qt binding that qtpy knows stands in for PySide6."""

_BINDINGS = ("PySide6", "PyQt6", "PyQt5", "PySide2")
_TIMEOUT_S = 60
_TRIAL = "import sys; from qtpy.QtWidgets import QApplication; QApplication([]); print('opened')"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowProbe:
    """What was found; `works` when a window can open."""

    gui_installed: bool
    display: str
    """Name of the display, or empty."""
    works: bool
    problem: str = ""
    """What is wrong, one clause; empty when it works."""
    cure: str = ""


def missing_gui_packages() -> tuple[str, ...]:
    """Packages of the [gui] extra that are not installed."""
    missing = [name for name in ("napari", "qtpy") if importlib.util.find_spec(name) is None]
    if not any(importlib.util.find_spec(name) for name in _BINDINGS):
        missing.append("PySide6")
    if importlib.util.find_spec("napari_veinscan") is None:
        missing.append("napari_veinscan")
    return tuple(missing)


def display_name(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> str:
    """The display a window would open on; empty where there is none."""
    environ = os.environ if environ is None else environ
    if platform in ("win32", "darwin"):
        return "desktop"
    return environ.get("WAYLAND_DISPLAY") or environ.get("DISPLAY") or ""


def probe_window() -> WindowProbe:
    """Look for the [gui] extra and a display, then let Qt open the display for real."""
    missing = missing_gui_packages()
    display = display_name()
    if missing:
        return WindowProbe(
            gui_installed=False,
            display=display,
            works=False,
            problem=f"the window needs packages that are not installed ({', '.join(missing)})",
            cure='run: pip install "veinscan[gui]"',
        )
    if not display:
        return WindowProbe(
            gui_installed=True,
            display="",
            works=False,
            problem="there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            cure="start it on a desktop, over 'ssh -X', or under 'xvfb-run -a'",
        )
    error = _trial()
    return WindowProbe(
        gui_installed=True,
        display=display,
        works=not error,
        problem=f"Qt cannot open the display {display} ({error})" if error else "",
        cure="check DISPLAY, and on Debian or Ubuntu install libxcb-cursor0 libegl1 libgl1" if error else "",
    )


def _trial() -> str:
    """Empty when Qt could open the display, else the line in which it says why not."""
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and a constant)
            [sys.executable, "-c", _TRIAL],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {_TIMEOUT_S} s"
    except OSError as error:
        return error.strerror or type(error).__name__
    if "opened" in done.stdout:
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "could not" in line.lower() or "error" in line.lower()]
    return (telling or lines or [f"exit {done.returncode}"])[0][:160].rstrip(".")
