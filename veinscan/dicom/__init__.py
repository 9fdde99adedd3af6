"""Untrusted bytes to `Study`, `Clip` and `Region`.

`open_study` and the classes behind it load on first use: importing the model
alone stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veinscan.dicom.model import Box, ClipKind, Region, RegionKind, Skipped, SpacingMm

if TYPE_CHECKING:
    from veinscan.dicom.calibration import ManualCalibration
    from veinscan.dicom.clip import Clip
    from veinscan.dicom.depth_scale import ProposedCalibration
    from veinscan.dicom.guard import Limits
    from veinscan.dicom.study import Study, open_study

__all__ = [
    "open_study",
    "Study",
    "Clip",
    "ClipKind",
    "Region",
    "RegionKind",
    "Skipped",
    "Box",
    "SpacingMm",
    "Limits",
    "ManualCalibration",
    "ProposedCalibration",
]

_LAZY = {
    "open_study": "veinscan.dicom.study",
    "Study": "veinscan.dicom.study",
    "Clip": "veinscan.dicom.clip",
    "Limits": "veinscan.dicom.guard",
    "ManualCalibration": "veinscan.dicom.calibration",
    "ProposedCalibration": "veinscan.dicom.depth_scale",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        import importlib

        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
