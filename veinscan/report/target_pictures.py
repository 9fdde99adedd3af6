"""Pictures of one target: its surroundings close up, and the whole picture that it was marked on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from veinscan.plan.model import Calibration, InjectionTarget, Point
from veinscan.report.pictures import ORANGE, Mark, Rgb, draw_overlay

_LEAST_MM = 16.0
"""Height of what a close-up shows, at least."""
_DEEPEST_MM = 25.0
"""Up to this depth a close-up reaches to the skin, so that the whole depth is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place on a frame as it is drawn."""

    frame_index: int
    point: Point
    label: str
    outline: tuple[Point, ...] = ()
    calibration: Calibration | None = None
    diameter_mm: float | None = None
    depth_mm: float | None = None
    colour: tuple[int, int, int] = ORANGE

    @classmethod
    def of_target(cls, target: InjectionTarget) -> Spot:
        """Where a target was marked."""
        return cls(
            frame_index=target.frame_index,
            point=target.point,
            label=str(target.order),
            outline=target.outline,
            calibration=target.calibration,
            diameter_mm=target.diameter_mm,
            depth_mm=target.depth_mm,
        )

    def marks(self) -> list[Mark]:
        """Outline, cross and number, and the depth from the skin where it is known."""
        ring = np.asarray(self.outline, dtype=np.float32).reshape(-1, 2) if self.outline else None
        drawn = [Mark(label=self.label, colour=self.colour, outline=ring, cross=self.point)]
        if self.depth_mm is not None and self.calibration is not None:
            skin, col = self.calibration.skin_row, self.point[1]
            wall = skin + self.depth_mm / self.calibration.spacing_mm[0]
            drawn.append(
                Mark(label=f"{self.depth_mm:.1f} mm", colour=self.colour, ruler=((skin, col), (wall, col)))
            )
        return drawn


def close_up(
    clip: Any, spot: Spot, *, aspect: float = 4 / 3, height_px: int = 420, height_mm: float | None = None
) -> Rgb:
    """The surroundings of a spot: outline, cross, number, depth, and a scale bar where calibrated.

    Parameters
    ----------
    clip : Clip
        The clip that it lies on.
    spot : Spot
    aspect : float
        Width by height of the picture.
    height_px : int
        Its height.
    height_mm : float, optional
        What it shows from top to bottom where it is calibrated; `close_up_mm` by default.

    Raises
    ------
    DecodeError
        The frame cannot be decoded.
    """
    frame = clip.frame(spot.frame_index)
    box = _window(spot, _limits(clip, spot, frame.shape), aspect, height_mm or close_up_mm(spot))
    rgb = draw_overlay(
        frame,
        spot.marks(),
        spacing_mm=spot.calibration.spacing_mm if spot.calibration else None,
        box=box,
        longest_px=round(height_px * max(aspect, 1)),
        weight=2.2,
    )
    # A window cut short by the border of the picture is set on black, so that all have one shape.
    rows = max(rgb.shape[0], round(rgb.shape[1] / aspect))
    cols = max(rgb.shape[1], round(rgb.shape[0] * aspect))
    top, left = (rows - rgb.shape[0]) // 2, (cols - rgb.shape[1]) // 2
    whole = np.zeros((rows, cols, 3), np.uint8)
    whole[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return whole


def whole_picture(clip: Any, spot: Spot, *, longest_px: int = 640) -> Rgb:
    """The region of the frame that a spot lies in, with the same marks; raises as `close_up`.

    What stands round the region, the patient's name among it, is left out.
    """
    frame = clip.frame(spot.frame_index)
    return draw_overlay(
        frame,
        spot.marks(),
        spacing_mm=spot.calibration.spacing_mm if spot.calibration else None,
        box=_limits(clip, spot, frame.shape),
        longest_px=longest_px,
        weight=1.5,
    )


def _limits(clip: Any, spot: Spot, shape: Sequence[int]) -> tuple[int, int, int, int]:
    if spot.calibration is not None:
        return spot.calibration.box
    for region in clip.regions:
        if region.contains(*spot.point):
            box: tuple[int, int, int, int] = region.box
            return box
    return 0, 0, shape[0], shape[1]


def close_up_mm(spot: Spot) -> float:
    """Height of what a close-up of a spot shows: 16 mm, or 4 diameters, or up to the skin."""
    height = max(_LEAST_MM, 4 * (spot.diameter_mm or 0.0))
    reach = _reach_mm(spot)
    return max(height, reach) if 0 <= reach <= _DEEPEST_MM else height


def _reach_mm(spot: Spot) -> float:
    """From a millimetre above the skin to a little below the spot; 0 without calibration."""
    if spot.calibration is None:
        return 0.0
    below = max(_LEAST_MM / 4, 1.5 * (spot.diameter_mm or 0.0))
    return (spot.point[0] - spot.calibration.skin_row) * spot.calibration.spacing_mm[0] + 1.0 + below


def _window(
    spot: Spot, limits: tuple[int, int, int, int], aspect: float, height_mm: float
) -> tuple[int, int, int, int]:
    """Box about a spot, with the skin in it where it is near; a third of the region without mm."""
    row0, col0, row1, col1 = limits
    middle = spot.point[0]
    if spot.calibration is None:
        height = (row1 - row0) / 3
        rows, cols = height, height * aspect
    else:
        spacing = spot.calibration.spacing_mm
        if 0 <= _reach_mm(spot) <= height_mm:
            middle = min(middle, spot.calibration.skin_row + (height_mm / 2 - 1.0) / spacing[0])
        rows, cols = height_mm / spacing[0], height_mm * aspect / spacing[1]
    top, bottom = _span(middle, rows, row0, row1)
    left, right = _span(spot.point[1], cols, col0, col1)
    return top, left, bottom, right


def _span(centre: float, size: float, low: int, high: int) -> tuple[int, int]:
    """Whole pixels about `centre`, pushed inside `low..high` without losing size where there is room."""
    size = min(size, high - low)
    start = min(max(centre - size / 2, low), high - size)
    first = math.floor(start)
    return first, min(high, max(first + 1, math.ceil(start + size)))
