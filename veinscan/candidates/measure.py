"""`measure_at`: the lumen at a place a person clicked."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from veinscan.candidates.features import NAMES, depth_profile, measure_features
from veinscan.candidates.model import LumenMeasure
from veinscan.candidates.propose import fit_at, prepare
from veinscan.candidates.refine import refine_outlines
from veinscan.candidates.score import shipped_scorer
from veinscan.candidates.shapes import inner_diameters, measure_polygons, near_wall, surrounds
from veinscan.enhance.checks import checked_diameters, checked_image, checked_spacing
from veinscan.enhance.grid import analysis_grid
from veinscan.enhance.medial import diameters_between
from veinscan.errors import InvalidInputError

LEAST_STEP = 0.15
"""Median rise from lumen to surroundings, in full walls, below which there is no lumen."""

LEAST_WALL = 0.4
"""Share of the rays that must meet a wall."""


def measure_at(
    image: npt.ArrayLike,
    point: Sequence[float],
    spacing_mm: float | Sequence[float],
    *,
    skin_row: float = 0,
    diameters_mm: Sequence[float] = (0.5, 20.0),
) -> LumenMeasure | None:
    """The inner wall around a point, or None where no wall surrounds it.

    Parameters
    ----------
    image : (rows, cols) array
        Grey levels 0..255.
    point : (row, col)
        In pixels of the image; inside the lumen, need not be its middle.
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
    row, col = (float(value) for value in point)
    if not (
        math.isfinite(row) and math.isfinite(col) and -0.5 <= row < rows - 0.5 and -0.5 <= col < cols - 0.5
    ):
        raise InvalidInputError(
            f"the point ({row:g}, {col:g}) lies off the image of {rows} x {cols} pixels",
            do="pass (row, col) on a pixel of it",
        )
    grid = analysis_grid((rows, cols), spacing, sizes[0])
    prepared = prepare(grey, grid, sizes[1])
    tried = np.array(diameters_between(*sizes)) / grid.pixel_mm / 2.0
    clicked = grid.to_grid(np.array([row, col]))
    starts = np.repeat(clicked[None], len(tried), axis=0)
    rings, shapes, _ = fit_at(prepared, starts, tried)
    outlines = rings.outlines()
    profile = depth_profile(prepared.image, prepared.mask, grid.pixel_mm)
    features = measure_features(rings, shapes, profile, np.zeros(len(outlines)), grid.pixel_mm)
    logits = shipped_scorer().logits(features)
    inside = np.array([surrounds(outline, clicked) for outline in outlines])
    size_mm = inner_diameters(outlines, shapes) * grid.pixel_mm
    walled = features[:, NAMES.index("step_median")] >= LEAST_STEP
    walled &= features[:, NAMES.index("wall_share")] >= LEAST_WALL
    usable = inside & walled & (size_mm >= sizes[0] / 1.1) & (size_mm <= sizes[1] * 1.1)
    if not usable.any():
        return None
    best = int(np.where(usable, logits, -np.inf).argmax())
    fine = refine_outlines(prepared.image, outlines[[best]], shapes.centre[[best]], grid.pixel_mm)[0]
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
