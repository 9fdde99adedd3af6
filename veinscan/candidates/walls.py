"""The wall of a lumen: the best closed ring around a centre, found by dynamic programming.

Around a centre the picture is read along rays at radii in geometric steps.
The ring takes one radius a ray.  It gains where the grey level rises outwards,
pays for every bright echo already crossed on the way, and for jumping between
neighbouring rays; the cheapest closed ring is exact up to the closing seam.
All rings of a frame are fitted at once.

The rays may be stretched along a direction, so that a tube seen lengthwise is a
ring as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.enhance.medial import level_of

Floats = npt.NDArray[np.float32]

RAYS = 32
"""Rays of a ring, from the right (column up) over down (row up) round again."""

STEPS = 44
"""Radii of a ray."""

NEAR, FAR = 0.30, 3.0
"""Smallest and largest radius, in units of half the diameter looked for."""

PIXELS_ACROSS = 12.0
"""Least pixels across the diameter on the level of the pyramid that is read."""

EDGE_REACH = 2
"""Steps on either side over which a rise is taken."""

MAX_JUMP = 3
"""Most steps between neighbouring rays."""

JUMP_COST = 0.012
"""Cost of a jump of one step; grows with its square."""

CROSSED_COST = 0.7
"""Cost of having crossed an echo one full step above the lumen."""

STRETCH_LIMITS = (1.0, 5.0)
"""How much longer the rays along the stretched direction are."""

CROSSED_TOLERANCE = 12.0
"""Grey levels above the lumen that are still speckle."""

FULL_STEP = 64.0
"""Grey levels of a full wall: about 15 dB of a 60 dB display."""

PICTURE_EDGE = 0.35
"""What the edge of the picture is worth as a wall: a cut lumen ends there."""

ANGLES = (2.0 * np.pi / RAYS) * np.arange(RAYS)
RATIOS = np.geomspace(NEAR, FAR, STEPS)
STEP_RATIO = float(RATIOS[1] / RATIOS[0])


@dataclass(frozen=True, slots=True)
class Starts:
    """Where n rings are begun, in pixels of the grid."""

    centres: npt.NDArray[np.float64]
    """(n, 2) `(row, col)` the rays start from."""
    half_px: npt.NDArray[np.float64]
    """(n,) half the diameter looked for, across `angle` where the rays are stretched along it."""
    angle: npt.NDArray[np.float64]
    """(n,) direction of the stretch, 0 along columns."""
    stretch: npt.NDArray[np.float64]
    """(n,) how much longer the rays along it are."""

    @classmethod
    def round(cls, centres: npt.NDArray[np.float64], half_px: npt.NDArray[np.float64]) -> Starts:
        """Starts of circles."""
        return cls(centres, half_px, np.zeros(len(centres)), np.ones(len(centres)))

    def followed_by(self, other: Starts) -> Starts:
        """These and then the others."""
        return Starts(
            np.concatenate([self.centres, other.centres]),
            np.concatenate([self.half_px, other.half_px]),
            np.concatenate([self.angle, other.angle]),
            np.concatenate([self.stretch, other.stretch]),
        )


@dataclass(frozen=True, slots=True)
class Rings:
    """Fitted rings of n centres, in pixels of the grid."""

    centres: npt.NDArray[np.float64]
    """(n, 2) `(row, col)` the rays start from."""
    half_px: npt.NDArray[np.float64]
    """(n,) half the diameter looked for."""
    directions: npt.NDArray[np.float64]
    """(n, RAYS, 2) `(row, col)` of a ray's end at a radius of 1."""
    grey: Floats
    """(n, RAYS, STEPS) grey levels along the rays."""
    inside: Floats
    """(n, RAYS, STEPS) 1 on tissue of the picture, 0 off it."""
    wall: npt.NDArray[np.int64]
    """(n, RAYS) step at which the wall lies."""
    radii: npt.NDArray[np.float64]
    """(n, RAYS) radius of the wall in lengths of its ray's direction, between the steps."""
    cost: npt.NDArray[np.float64]
    """(n,) mean cost of a ray."""

    def outlines(self) -> npt.NDArray[np.float64]:
        """(n, RAYS, 2) `(row, col)` of the walls."""
        return np.asarray(self.centres[:, None, :] + self.radii[:, :, None] * self.directions, np.float64)


def ray_directions(
    angle: npt.NDArray[np.float64], stretch: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(n, RAYS, 2) `(row, col)` ends of the rays of n ellipses: a circle stretched along `angle`."""
    along = np.cos(ANGLES - angle[:, None]) * np.clip(stretch, *STRETCH_LIMITS)[:, None]
    over = np.sin(ANGLES - angle[:, None])
    sine, cosine = np.sin(angle)[:, None], np.cos(angle)[:, None]
    return np.stack([along * sine + over * cosine, along * cosine - over * sine], axis=-1)


def read_rays(
    levels: list[Floats],
    mask: Floats,
    centres: npt.NDArray[np.float64],
    half_px: npt.NDArray[np.float64],
    directions: npt.NDArray[np.float64],
) -> tuple[Floats, Floats]:
    """(n, RAYS, STEPS) grey levels and tissue along the rays of n centres (grid pixels)."""
    count = len(centres)
    grey = np.empty((count, RAYS, STEPS), np.float32)
    inside = np.ones_like(grey)
    all_tissue = bool(mask.all())
    ratios = RATIOS.astype(np.float32)
    reach = (half_px[:, None, None] * directions).astype(np.float32)
    start = centres.astype(np.float32)
    last_row, last_col = mask.shape[0] - 0.5, mask.shape[1] - 0.5
    chosen = np.array([level_of(2 * half, 1.0, PIXELS_ACROSS, len(levels) - 1) for half in half_px], int)
    for level in np.unique(chosen):
        which = np.flatnonzero(chosen == level)
        rows = start[which, 0, None, None] + reach[which, :, 0, None] * ratios
        cols = start[which, 1, None, None] + reach[which, :, 1, None] * ratios
        flat = (len(which), RAYS * STEPS)
        rows, cols = rows.reshape(flat), cols.reshape(flat)
        if all_tissue:
            there = (rows >= -0.5) & (rows < last_row) & (cols >= -0.5) & (cols < last_col)
            inside[which] = there.reshape(-1, RAYS, STEPS)
        else:
            there = cv2.remap(
                mask, cols, rows, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0
            )
            inside[which] = there.reshape(-1, RAYS, STEPS)
        if level:
            scale = np.float32(1.0 / (1 << int(level)))
            shift = np.float32(0.5) * scale - np.float32(0.5)
            for places in (rows, cols):
                places *= scale
                places += shift
        read = cv2.remap(levels[level], cols, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grey[which] = read.reshape(-1, RAYS, STEPS)
    return grey, inside


def edge_costs(grey: Floats, inside: Floats, crossed_cost: float = CROSSED_COST) -> tuple[Floats, Floats]:
    """(n, RAYS, STEPS) cost of a wall at each step, and the rise of the grey level (1: full wall)."""
    far, near = slice(2 * EDGE_REACH, None), slice(None, -2 * EDGE_REACH)
    between = slice(EDGE_REACH, -EDGE_REACH)
    rise = np.zeros_like(grey)
    steps = rise[:, :, between]
    np.subtract(grey[:, :, far], grey[:, :, near], out=steps)
    steps *= np.float32(1.0 / FULL_STEP)
    np.clip(steps, -1.0, 1.0, out=steps)
    # a wall is read beside the picture's edge, never across it
    rise *= inside
    steps[inside[:, :, near] > inside[:, :, far]] = PICTURE_EDGE
    lumen = grey[:, :, RATIOS < 0.6].mean(axis=(1, 2))[:, None, None]
    crossed = np.empty_like(grey)
    # the brightest echo crossed before this step and its reach
    np.maximum.accumulate(grey[:, :, :-EDGE_REACH], axis=2, out=crossed[:, :, EDGE_REACH:])
    crossed[:, :, :EDGE_REACH] = grey[:, :, :1]
    crossed -= lumen + np.float32(CROSSED_TOLERANCE)
    crossed *= np.float32(1.0 / FULL_STEP)
    np.clip(crossed, 0.0, 1.0, out=crossed)
    cost = crossed
    cost *= np.float32(crossed_cost)
    cost -= np.maximum(rise, 0.0)
    cost += np.float32(1.0) - inside
    # no wall can be read at the very ends
    cost[:, :, :EDGE_REACH] += 0.5
    cost[:, :, -EDGE_REACH:] += 0.5
    return cost, rise


def cheapest_rings(cost: Floats) -> npt.NDArray[np.int64]:
    """(n, RAYS) step of the cheapest closed ring.

    One and a half turns are walked and the middle one kept, so that neither loose end is in it.
    """
    count, rays, steps = cost.shape
    lead = rays // 4
    order = np.arange(-lead, rays + lead) % rays
    jumps = np.arange(-MAX_JUMP, MAX_JUMP + 1)
    prices = (JUMP_COST * jumps**2).astype(np.float32)
    # totals of every ray, padded so that a jump beyond the ends is never cheapest
    totals = np.full((len(order), count, steps + 2 * MAX_JUMP), np.float32(1e6))
    inner = slice(MAX_JUMP, MAX_JUMP + steps)
    totals[0, :, inner] = cost[:, order[0]]
    best, other = np.empty((2, count, steps), np.float32)
    for place in range(1, len(order)):
        before = totals[place - 1]
        np.copyto(best, before[:, inner])
        for jump, price in zip(jumps, prices, strict=True):
            if jump:
                np.add(before[:, MAX_JUMP + jump : MAX_JUMP + jump + steps], price, out=other)
                np.minimum(best, other, out=best)
        np.add(best, cost[:, order[place]], out=totals[place, :, inner])
    path = np.zeros((len(order), count), np.int64)
    path[-1] = totals[-1].argmin(axis=1) - MAX_JUMP
    index = np.arange(count)[:, None]
    for place in range(len(order) - 1, 0, -1):
        reached = path[place][:, None] + jumps
        came = (totals[place - 1][index, reached + MAX_JUMP] + prices).argmin(axis=1)
        path[place - 1] = path[place] + jumps[came]
    return np.asarray(path[lead : lead + rays].T, np.int64)


def fit_rings(
    levels: list[Floats], mask: Floats, starts: Starts, *, crossed_cost: float = CROSSED_COST
) -> Rings:
    """Rings from n starts; `levels` is the pyramid of the grid and `mask` 1 on tissue."""
    centres, half_px = starts.centres, starts.half_px
    directions = ray_directions(starts.angle, starts.stretch)
    grey, inside = read_rays(levels, mask, centres, half_px, directions)
    cost, rise = edge_costs(grey, inside, crossed_cost)
    wall = cheapest_rings(cost)
    at = np.take_along_axis
    index = np.clip(wall, 1, STEPS - 2)[:, :, None]
    before, here, after = (at(rise, index + offset, axis=2)[:, :, 0] for offset in (-1, 0, 1))
    curve = before - 2 * here + after
    shift = np.where(curve < -1e-4, 0.5 * (before - after) / np.where(curve < -1e-4, curve, 1.0), 0.0)
    exact = wall + np.clip(shift, -0.5, 0.5)
    radii = half_px[:, None] * NEAR * STEP_RATIO**exact
    mean_cost = at(cost, wall[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    return Rings(centres, half_px, directions, grey, inside, wall, radii, mean_cost.astype(np.float64))


def axis_strengths(rings: Rings) -> npt.NDArray[np.float64]:
    """(n, RAYS / 2) smaller of the two opposite rises across the diameter looked for, in full walls."""
    near, far = (int(np.abs(RATIOS - ratio).argmin()) for ratio in (0.6, 1.45))
    rise = (rings.grey[:, :, far] - rings.grey[:, :, near]) / FULL_STEP
    half = RAYS // 2
    return np.asarray(np.minimum(rise[:, :half], rise[:, half:]), np.float64)
