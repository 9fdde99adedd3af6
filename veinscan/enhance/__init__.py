"""Enhancement: a B-mode frame becomes a map of how vessel-like each place is, with sizes in mm."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from veinscan.enhance.api import Grade, Method, vesselness
    from veinscan.enhance.smoothing import Smoothing, registered_mean, smoothed

_HOMES = {
    "Grade": "api",
    "Method": "api",
    "vesselness": "api",
    "Smoothing": "smoothing",
    "registered_mean": "smoothing",
    "smoothed": "smoothing",
}
__all__ = ["Grade", "Method", "Smoothing", "registered_mean", "smoothed", "vesselness"]


def __getattr__(name: str) -> object:
    """Import OpenCV only when a filter is wanted: models of this package are read by light code too."""
    if name in _HOMES:
        return getattr(import_module(f"veinscan.enhance.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
