"""The plan on paper, and pictures with candidates and targets drawn on them.

`write_report` is loaded when first used: drawing a picture needs no PDF library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veinscan.report.write import ReportInfo, write_report

__all__ = ["ReportInfo", "write_report"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name in __all__:
        from veinscan.report import write

        return getattr(write, name)
    raise AttributeError(f"module 'veinscan.report' has no attribute {name!r}")
