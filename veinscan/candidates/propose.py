"""One frame: seeds, rings and features; everything the search knows before it scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veinscan.candidates.features import depth_profile, measure_features
from veinscan.candidates.seeds import find_seeds
from veinscan.candidates.shapes import Shapes, measure_polygons
from veinscan.candidates.walls import Rings, fit_rings
from veinscan.enhance.grid import AnalysisGrid
from veinscan.enhance.medial import level_of, pyramid
from veinscan.enhance.tissue import filled, tissue_mask

Floats = npt.NDArray[np.float32]

REFITS = 1
"""Times a ring is fitted again from its own centre and size."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame on the analysis grid with what the fits read."""

    image: Floats
    """(rows, cols) grey levels, continued smoothly off the tissue."""
    mask: npt.NDArray[np.bool_]
    levels: list[Floats]
    pixel_mm: float


@dataclass(frozen=True, slots=True)
class Proposals:
    """Rings of one frame with their features, in pixels of the grid; unscored."""

    outlines: npt.NDArray[np.float64]
    """(n, RAYS, 2) `(row, col)`."""
    shapes: Shapes
    features: npt.NDArray[np.float64]
    """(n, features)."""


def prepare(frame: Floats, grid: AnalysisGrid, largest_mm: float) -> PreparedFrame:
    """A frame of grey levels on the grid, its tissue mask and its pyramid."""
    small = grid.resample(frame)
    mask = tissue_mask(small, grid.pixel_mm)
    image = filled(small, mask)
    levels = pyramid(image, level_of(2.0 * largest_mm, grid.pixel_mm, 6.0, 8))
    return PreparedFrame(image, mask, levels, grid.pixel_mm)


def fit_at(
    prepared: PreparedFrame, centres: npt.NDArray[np.float64], half_px: npt.NDArray[np.float64]
) -> tuple[Rings, Shapes]:
    """Rings around centres, fitted again from the centre and size of the first fit."""
    mask = prepared.mask.astype(np.float32)
    rings = fit_rings(prepared.levels, mask, centres, half_px)
    shapes = measure_polygons(rings.outlines())
    for _ in range(REFITS):
        bound = np.asarray(prepared.mask.shape, np.float64) - 1
        again = np.clip(shapes.centre, 0, bound)
        half = np.clip(np.sqrt(shapes.area / np.pi), 0.5 * half_px, 2.5 * half_px)
        rings = fit_rings(prepared.levels, mask, again, half)
        shapes = measure_polygons(rings.outlines())
    return rings, shapes


def propose(prepared: PreparedFrame, diameters_mm: tuple[float, float]) -> Proposals:
    """Every ring worth scoring on a frame, whose size lies in the range (with a margin of a tenth)."""
    seeds = find_seeds(prepared.image, prepared.mask, prepared.pixel_mm, diameters_mm)
    if not len(seeds.centres):
        return Proposals(np.zeros((0, 0, 2)), measure_polygons(np.zeros((0, 3, 2))), np.zeros((0, 0)))
    rings, shapes = fit_at(prepared, seeds.centres, seeds.half_px)
    profile = depth_profile(prepared.image, prepared.mask, prepared.pixel_mm)
    features = measure_features(rings, shapes, profile, seeds.response, prepared.pixel_mm)
    return Proposals(rings.outlines(), shapes, features)
