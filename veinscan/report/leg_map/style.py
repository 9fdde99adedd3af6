"""How the leg map looks, wherever it is painted.

A status is told by fill, edge and ink together, never by colour alone.
Colours after Okabe and Ito (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

from veinscan.plan.model import TargetStatus
from veinscan.report.leg_map.drawing import LineKind

RADIUS = 0.021
"""Of a number's disc, in units of the drawing's height."""

SKIN = "#f7f2ee"

STROKES: dict[LineKind, tuple[str, float, float]] = {
    LineKind.OUTLINE: ("#4d4d4d", 0.0026, 0.0),
    LineKind.FOLD: ("#b3a8a0", 0.0018, 0.0),
    LineKind.COURSE: ("#7fa8c9", 0.0020, 0.009),
}
"""Colour, thickness and length of a dash (0: a full line), in units of the drawing's height."""


@dataclass(frozen=True, slots=True)
class MarkLook:
    """Colours of a disc, its edge and its number; whether the number is struck through."""

    fill: str
    edge: str
    ink: str
    is_struck: bool = False


LOOKS: dict[TargetStatus, MarkLook] = {
    TargetStatus.PLANNED: MarkLook("#E69F00", "#7a5400", "#000000"),
    TargetStatus.TREATED: MarkLook("#00664b", "#00664b", "#ffffff"),
    TargetStatus.SKIPPED: MarkLook("#ffffff", "#666666", "#444444", is_struck=True),
}

STATUS_WORDS: dict[TargetStatus, str] = {
    TargetStatus.PLANNED: "planned",
    TargetStatus.TREATED: "treated",
    TargetStatus.SKIPPED: "skipped",
}
