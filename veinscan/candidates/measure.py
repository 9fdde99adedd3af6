"""`measure_at`: the lumen at a place a person clicked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from veinscan.candidates import joint_score
from veinscan.candidates.agreed import agreed_outlines
from veinscan.candidates.joint import network_view, pool_at
from veinscan.candidates.model import LumenMeasure
from veinscan.candidates.propose import prepare
from veinscan.candidates.shapes import inner_diameters, measure_polygons, near_wall, outside
from veinscan.enhance.checks import checked_diameters, checked_image, checked_point, checked_spacing
from veinscan.enhance.graphics import burned_in, without_graphics
from veinscan.enhance.grid import analysis_grid
from veinscan.enhance.medial import diameters_between
from veinscan.errors import InvalidInputError

LEAST_LOGIT = -1.0
"""Joint logit below which there is no lumen: lower than for a proposal, as a person points at it."""

RIM_MM, RIM_SHARE = 0.4, 0.25
"""How far outside the wall a click may lie, in mm and in diameters."""


def measure_at(
    image: npt.ArrayLike,
    point: Sequence[float],
    spacing_mm: float | Sequence[float],
    *,
    skin_row: float = 0,
    diameters_mm: Sequence[float] = (0.5, 20.0),
) -> LumenMeasure | None:
    """The inner wall around a point, or None where the point lies in no lumen nor at the rim of one.

    Parameters
    ----------
    image : (rows, cols) array
        Grey levels 0..255.
    point : (row, col)
        In pixels of the image; inside the lumen or at its rim, need not be its middle.
    spacing_mm : float or (row, col)
        Sides of a pixel in mm.
    skin_row : float
        Row from which depth counts.
    diameters_mm : (smallest, largest)
        Inner diameters that are tried, in mm.

    Raises
    ------
    InvalidInputError
        When a value cannot be used or the point lies off the image.
    """
    grey = checked_image(image)
    spacing = checked_spacing(spacing_mm)
    sizes = checked_diameters(diameters_mm)
    rows, cols = grey.shape
    row, col = checked_point(point)
    if not (
        math.isfinite(row) and math.isfinite(col) and -0.5 <= row < rows - 0.5 and -0.5 <= col < cols - 0.5
    ):
        raise InvalidInputError(
            f"the point ({row:g}, {col:g}) lies off the image of {rows} x {cols} pixels",
            do="pass (row, col) on a pixel of it",
        )
    grid = analysis_grid((rows, cols), spacing, sizes[0])
    shown = np.clip(np.rint(grey), 0, 255).astype(np.uint8)
    plain = without_graphics(shown, burned_in(shown))
    prepared = prepare(plain.astype(np.float32), grid, sizes[1])
    clicked = grid.to_grid(np.array([row, col]))
    every = (0, rows), (0, grid.grid_shape[0])
    view = network_view(plain, spacing, grid, *every)
    pool = pool_at(prepared, view, clicked, np.array(diameters_between(*sizes)) / grid.pixel_mm / 2.0)
    usable = joint_score.logits(pool) >= LEAST_LOGIT
    fine = agreed_outlines(prepared, pool.outlines, pool.places)
    size_mm = inner_diameters(fine, measure_polygons(fine)) * grid.pixel_mm
    usable &= (size_mm >= sizes[0] / 1.1) & (size_mm <= sizes[1] * 1.1)
    away_mm = np.array([outside(one, clicked) for one in fine]) * grid.pixel_mm
    usable &= away_mm <= np.minimum(RIM_MM, RIM_SHARE * size_mm)
    if not usable.any():
        return None
    best = int(np.where(usable, joint_score.logits(pool), -np.inf).argmax())
    fine = fine[best]
    outline = np.clip(grid.to_frame(fine), -0.5, np.array([rows, cols]) - 0.5)
    polygon = outline[None] * np.asarray(spacing)
    in_mm = measure_polygons(polygon)
    diameter = float(inner_diameters(polygon, in_mm)[0])
    centre = in_mm.centre[0] / np.asarray(spacing)
    return LumenMeasure(
        outline=outline.astype(np.float32),
        centre=(float(centre[0]), float(centre[1])),
        diameter_mm=round(diameter, 3),
        depth_mm=round((near_wall(outline) - skin_row) * spacing[0], 3),
    )


def measure_within(
    frame: npt.NDArray[np.uint8],
    box: tuple[int, int, int, int],
    point: tuple[float, float],
    spacing_mm: tuple[float, float],
    skin_row: float,
    *,
    diameters_mm: Sequence[float] = (0.5, 20.0),
) -> LumenMeasure | None:
    """`measure_at` within a box of a frame; `point`, `skin_row` and what comes back in whole-frame pixels."""
    row0, col0, row1, col1 = box
    found = measure_at(
        frame[row0:row1, col0:col1],
        (point[0] - row0, point[1] - col0),
        spacing_mm,
        skin_row=skin_row - row0,
        diameters_mm=diameters_mm,
    )
    if found is None:
        return None
    return replace(
        found,
        outline=found.outline + np.array([row0, col0], np.float32),
        centre=(found.centre[0] + row0, found.centre[1] + col0),
    )
