"""Places in images: where something was marked, and with what calibration it was measured."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
"""`(row, col)`, each exactly representable as float32 (SR GraphicData is float32)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The region calibration a position was measured with (millimetres are derived from it)."""

    box: tuple[int, int, int, int]
    """Half-open `(row0, col0, row1, col1)` of the region."""
    spacing_mm: tuple[float, float]
    skin_row: float
    """Whole-frame row from which depth is measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlace:
    """A place on one frame of a clip of the record's own study."""

    sop_instance_uid: str
    frame_index: int = 0
    """From 0."""
    point: Point = (0.0, 0.0)
    outline: tuple[Point, ...] = ()
    """Lumen outline on that frame; empty where none was drawn or fitted."""
    calibration: Calibration | None = None
    """None on a clip without usable calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselinePlace:
    """Where a target was marked in an earlier study, with all that a reference to it needs."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    frame_index: int = 0
    """From 0."""
    point: Point = (0.0, 0.0)
