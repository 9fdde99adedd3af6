"""Enhancement: a B-mode frame becomes a map of how vessel-like each place is, with sizes in mm."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from veinscan.enhance.api import Grade, Method, vesselness

__all__ = ["Grade", "Method", "vesselness"]


def __getattr__(name: str) -> object:
    """Import OpenCV only when a filter is wanted: models of this package are read by light code too."""
    if name in __all__:
        from veinscan.enhance import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
