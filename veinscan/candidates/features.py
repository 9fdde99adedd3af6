"""What is measured on a fitted ring to tell a lumen from the dark places between other structures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veinscan.candidates.shapes import Shapes
from veinscan.candidates.walls import ANGLES, FULL_STEP, RAYS, STEPS, Rings

NAMES = (
    "step_median",
    "step_low",
    "wall_median",
    "wall_low",
    "wall_share",
    "symmetry",
    "step_above",
    "step_below",
    "step_beside",
    "lumen_level",
    "lumen_spread",
    "lumen_evenness",
    "lumen_rank",
    "around_level",
    "around_darkest",
    "enhancement_below",
    "size",
    "size_squared",
    "elongation",
    "lying_flat",
    "roughness",
    "depth",
    "cut_off",
    "ring_cost",
    "medialness",
)
"""Features, in the order of the columns."""

SECTORS = 8
UP = np.sin(ANGLES) < -0.7
DOWN = np.sin(ANGLES) > 0.7
BESIDE = np.abs(np.cos(ANGLES)) > 0.7

DEPTH_BAND_MM = 3.0
"""Height of the band of the picture a lumen's darkness is compared with."""


@dataclass(frozen=True, slots=True)
class DepthProfile:
    """How bright tissue is at each depth of one frame: gain and attenuation differ from frame to frame."""

    dark: npt.NDArray[np.float32]
    """(rows,) 10th percentile of the grey levels around that row of the grid."""
    usual: npt.NDArray[np.float32]
    """(rows,) median."""


def shares_below(values: npt.NDArray[np.float32], share: float) -> float:
    """The value below which that share of the values lies; both arguments' order is left as it is."""
    place = share * (values.size - 1)
    low = int(place)
    high = min(low + 1, values.size - 1)
    two = np.partition(values, (low, high))
    return float(two[low] + (place - low) * (two[high] - two[low]))


def depth_profile(
    image: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], pixel_mm: float
) -> DepthProfile:
    """The profile of a frame on the grid, from bands of 3 mm."""
    band = max(1, round(DEPTH_BAND_MM / pixel_mm))
    rows = image.shape[0]
    middles, dark, usual = [], [], []
    for start in range(0, rows, max(1, band // 2)):
        part = image[start : start + band][mask[start : start + band]]
        if part.size < 8:
            continue
        low, middle = shares_below(part, 0.1), shares_below(part, 0.5)
        middles.append(min(start + band, rows) / 2 + start / 2)
        dark.append(low)
        usual.append(middle)
    if not middles:
        return DepthProfile(np.zeros(rows, np.float32), np.zeros(rows, np.float32))
    at = np.arange(rows)
    return DepthProfile(
        np.interp(at, middles, dark).astype(np.float32), np.interp(at, middles, usual).astype(np.float32)
    )


def measure_features(
    rings: Rings, shapes: Shapes, profile: DepthProfile, medialness: npt.NDArray[np.float64], pixel_mm: float
) -> npt.NDArray[np.float64]:
    """(n, len(NAMES)) features; levels in full walls (64 grey levels), sizes in octaves of 4 mm."""
    steps = np.arange(STEPS)
    wall = rings.wall[:, :, None]
    within = (steps < wall - 2) | (steps == 0)
    beyond = (steps > wall + 1) & (steps <= wall + 8)
    beyond |= (steps == STEPS - 1) & ~beyond.any(axis=2, keepdims=True)
    grey = rings.grey / FULL_STEP

    def mean_where(where: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return np.asarray((grey * where).sum(axis=2) / where.sum(axis=2), np.float64)

    # an area's mean: a step at twice the radius stands for four times the area, geometric steps squared
    weight = within * (4.0 ** (steps / STEPS * np.log2(10.0)))
    inner = (grey * weight).sum(axis=2) / weight.sum(axis=2)
    lumen = inner.mean(axis=1)
    spread = np.sqrt(((grey - lumen[:, None, None]) ** 2 * weight).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))
    outer = mean_where(beyond)
    step = outer - inner
    here = np.clip(rings.wall, 2, STEPS - 3)[:, :, None]
    edge = (np.take_along_axis(grey, here + 2, axis=2) - np.take_along_axis(grey, here - 2, axis=2))[:, :, 0]
    sectors = outer.reshape(len(outer), SECTORS, RAYS // SECTORS).mean(axis=2)
    inner_sectors = inner.reshape(len(inner), SECTORS, RAYS // SECTORS).mean(axis=2)
    opposite = np.minimum(step[:, : RAYS // 2], step[:, RAYS // 2 :])
    row = np.clip(np.round(shapes.centre[:, 0]).astype(int), 0, len(profile.dark) - 1)
    dark, usual = profile.dark[row] / FULL_STEP, profile.usual[row] / FULL_STEP
    size = np.log2(np.maximum(shapes.minor * pixel_mm, 0.05) / 4.0)
    long = np.log2(np.maximum(shapes.major / np.maximum(shapes.minor, 1e-3), 1.0))
    bend = np.roll(np.log(rings.radii), -1, axis=1) + np.roll(np.log(rings.radii), 1, axis=1)
    bend -= 2 * np.log(rings.radii)
    columns = {
        "step_median": np.median(step, axis=1),
        "step_low": np.percentile(step, 20, axis=1),
        "wall_median": np.median(edge, axis=1),
        "wall_low": np.percentile(edge, 20, axis=1),
        "wall_share": (edge > 0.15).mean(axis=1),
        "symmetry": np.maximum(opposite, 0).mean(axis=1),
        "step_above": step[:, UP].mean(axis=1),
        "step_below": step[:, DOWN].mean(axis=1),
        "step_beside": step[:, BESIDE].mean(axis=1),
        "lumen_level": lumen,
        "lumen_spread": spread,
        "lumen_evenness": inner_sectors.max(axis=1) - inner_sectors.min(axis=1),
        "lumen_rank": (lumen - dark) / (usual - dark + 0.15),
        "around_level": outer.mean(axis=1),
        "around_darkest": sectors.min(axis=1) - lumen,
        "enhancement_below": outer[:, DOWN].mean(axis=1) - outer[:, BESIDE].mean(axis=1),
        "size": size,
        "size_squared": size**2,
        "elongation": long,
        "lying_flat": long * np.cos(2 * shapes.angle),
        "roughness": np.sqrt((bend**2).mean(axis=1)),
        "depth": shapes.centre[:, 0] * pixel_mm / 10.0,
        "cut_off": 1.0 - (rings.inside * beyond).sum(axis=(1, 2)) / beyond.sum(axis=(1, 2)),
        "ring_cost": rings.cost,
        "medialness": medialness,
    }
    return np.stack([np.clip(columns[name], -5.0, 5.0) for name in NAMES], axis=1).astype(np.float64)
