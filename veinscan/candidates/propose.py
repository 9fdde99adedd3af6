"""One frame: seeds, rings and features; everything the search knows before it scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veinscan.candidates.features import DepthProfile, depth_profile, measure_features
from veinscan.candidates.seeds import Seeds, find_seeds
from veinscan.candidates.shapes import Shapes, measure_polygons
from veinscan.candidates.walls import ANGLES, Rings, Starts, axis_strengths, fit_rings
from veinscan.enhance.grid import AnalysisGrid
from veinscan.enhance.medial import level_of, pyramid
from veinscan.enhance.tissue import filled, tissue_mask

Floats = npt.NDArray[np.float32]

SAME_PLACE, SAME_SIZE = 0.5, 1.35
"""First fits agree when their centres lie so close, in radii, and their sizes differ by no more."""

BAND_STRENGTH = 0.2
"""Rise on both sides of a band, in full walls, from which it is followed lengthwise."""

BAND_SHARE = 0.62
"""A place is a band when the mean over all axes stays below this part of the best axis."""

BAND_STRETCH = 4.0
"""Stretch of the rays along a band."""


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame on the analysis grid with what the fits read."""

    image: Floats
    """(rows, cols) grey levels, continued smoothly off the tissue."""
    raw: Floats
    """(rows, cols) grey levels as shown: a black lumen that reaches the picture's edge is black here."""
    mask: npt.NDArray[np.bool_]
    levels: list[Floats]
    profile: DepthProfile
    pixel_mm: float

    def rings(self, starts: Starts) -> Rings:
        """Rings from n starts, in pixels of the grid."""
        return fit_rings(self.levels, self.mask.astype(np.float32), starts)


@dataclass(frozen=True, slots=True)
class Proposals:
    """Rings of one frame with their features, in pixels of the grid; unscored."""

    outlines: npt.NDArray[np.float64]
    """(n, RAYS, 2) `(row, col)`."""
    shapes: Shapes
    features: npt.NDArray[np.float64]
    """(n, features)."""


def prepare(
    frame: Floats, grid: AnalysisGrid, largest_mm: float, rows: tuple[int, int] | None = None
) -> PreparedFrame:
    """A frame of grey levels on the grid, its tissue mask and its pyramid.

    `rows` (half-open, of the grid) are kept; what is tissue is judged on the whole frame.
    """
    small = grid.resample(frame)
    mask = tissue_mask(small, grid.pixel_mm)
    if rows is not None:
        small, mask = np.ascontiguousarray(small[slice(*rows)]), mask[slice(*rows)]
    image = filled(small, mask)
    levels = pyramid(image, level_of(2.0 * largest_mm, grid.pixel_mm, 6.0, 8))
    profile = depth_profile(image, mask, grid.pixel_mm)
    return PreparedFrame(image, small, mask, levels, profile, grid.pixel_mm)


def followed_starts(
    prepared: PreparedFrame, centres: npt.NDArray[np.float64], half_px: npt.NDArray[np.float64]
) -> tuple[Starts, npt.NDArray[np.int64]]:
    """Starts from the centre, size and direction of a first fit around each centre.

    Where a place is the middle of a band rather than of a blob, one stretched along the band is
    added.  First fits that agree are followed once.  The second array says which centre each came from.
    """
    bound = np.asarray(prepared.mask.shape, np.float64) - 1
    rings = prepared.rings(Starts.round(centres, half_px))
    shapes = measure_polygons(rings.outlines())
    angle, band_strength = band_directions(rings)
    radius = np.sqrt(shapes.area / np.pi)
    keep = distinct(shapes.centre, radius, rings.cost)
    bands = np.flatnonzero(band_strength > 0)
    bands = bands[distinct(centres[bands], half_px[bands], -band_strength[bands])]
    aspect = (shapes.major / np.maximum(shapes.minor, 1e-6))[keep]
    blobs = Starts(
        np.clip(shapes.centre[keep], 0, bound),
        np.clip(shapes.minor / 2, 0.5 * half_px, 2.5 * half_px)[keep],
        shapes.angle[keep],
        aspect,
    )
    along = Starts(centres[bands], half_px[bands], angle[bands], np.full(len(bands), BAND_STRETCH))
    return blobs.followed_by(along), np.concatenate([keep, bands])


def distinct(
    centres: npt.NDArray[np.float64], radius: npt.NDArray[np.float64], cost: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Indices of the circles that no cheaper one agrees with in place and size, ascending."""
    apart = np.hypot(*(centres[:, None] - centres[None]).transpose(2, 0, 1))
    same = (apart < SAME_PLACE * np.minimum(radius[:, None], radius)) & (
        np.abs(np.log(radius[:, None] / radius)) < np.log(SAME_SIZE)
    )
    gone = np.zeros(len(centres), bool)
    kept = []
    for index in np.argsort(cost, kind="stable").tolist():
        if not gone[index]:
            kept.append(index)
            gone |= same[index]
    return np.array(sorted(kept), np.int64)


def band_directions(rings: Rings) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(n,) direction of the band each centre lies in, and (n,) its strength, 0 in a blob."""
    strength = np.maximum(axis_strengths(rings), 0.0)
    best = strength.argmax(axis=1)
    top = strength.max(axis=1)
    band = (top > BAND_STRENGTH) & (strength.mean(axis=1) < BAND_SHARE * top)
    angle = ANGLES[best] + np.pi / 2
    return np.asarray(angle, np.float64), np.where(band, top, 0.0)


def classical_seeds(prepared: PreparedFrame, diameters_mm: tuple[float, float]) -> Seeds:
    """The maxima of the response on a frame."""
    return find_seeds(prepared.image, prepared.mask, prepared.pixel_mm, diameters_mm)


def classical_starts(prepared: PreparedFrame, seeds: Seeds) -> tuple[Starts, npt.NDArray[np.float64]]:
    """Starts at maxima of the response, and the response each came from."""
    if not len(seeds.centres):
        return Starts.round(seeds.centres, seeds.half_px), seeds.response
    starts, source = followed_starts(prepared, seeds.centres, seeds.half_px)
    return starts, seeds.response[source]


def propose(prepared: PreparedFrame, diameters_mm: tuple[float, float]) -> Proposals:
    """Every ring worth scoring on a frame, whose size lies in the range (with a margin of a tenth)."""
    starts, response = classical_starts(prepared, classical_seeds(prepared, diameters_mm))
    if not len(response):
        return Proposals(np.zeros((0, 0, 2)), measure_polygons(np.zeros((0, 3, 2))), np.zeros((0, 0)))
    rings = prepared.rings(starts)
    outlines = rings.outlines()
    shapes = measure_polygons(outlines)
    features = measure_features(rings, shapes, prepared.profile, response, prepared.pixel_mm)
    return Proposals(outlines, shapes, features)
