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
    grey = np.zeros((count, RAYS, STEPS), np.float32)
    inside = np.zeros_like(grey)
    radii = half_px[:, None, None] * RATIOS
    rows = centres[:, 0, None, None] + radii * directions[:, :, 0, None]
    cols = centres[:, 1, None, None] + radii * directions[:, :, 1, None]
    chosen = np.array([level_of(2 * half, 1.0, PIXELS_ACROSS, len(levels) - 1) for half in half_px], int)
    for level in np.unique(chosen):
        which = np.flatnonzero(chosen == level)
        scale = float(1 << int(level))
        map_rows = ((rows[which] + 0.5) / scale - 0.5).reshape(len(which), -1).astype(np.float32)
        map_cols = ((cols[which] + 0.5) / scale - 0.5).reshape(len(which), -1).astype(np.float32)
        read = cv2.remap(levels[level], map_cols, map_rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grey[which] = read.reshape(len(which), RAYS, STEPS)
    flat = (count, RAYS * STEPS)
    there = cv2.remap(
        mask,
        cols.reshape(flat).astype(np.float32),
        rows.reshape(flat).astype(np.float32),
        cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    inside[:] = there.reshape(inside.shape)
    return grey, inside


def edge_costs(grey: Floats, inside: Floats, crossed_cost: float = CROSSED_COST) -> tuple[Floats, Floats]:
    """(n, RAYS, STEPS) cost of a wall at each step, and the rise of the grey level (1: full wall)."""
    rise = np.zeros_like(grey)
    rise[:, :, EDGE_REACH:-EDGE_REACH] = grey[:, :, 2 * EDGE_REACH :] - grey[:, :, : -2 * EDGE_REACH]
    rise = np.clip(rise / FULL_STEP, -1.0, 1.0)
    # a wall is read beside the picture's edge, never across it
    off = np.zeros_like(inside)
    off[:, :, EDGE_REACH:-EDGE_REACH] = inside[:, :, : -2 * EDGE_REACH] - inside[:, :, 2 * EDGE_REACH :]
    rise = np.where(inside > 0, rise, 0.0).astype(np.float32)
    rise = np.where(off > 0, np.float32(PICTURE_EDGE), rise)
    centre = RATIOS < 0.6
    lumen = grey[:, :, centre].mean(axis=(1, 2))[:, None, None]
    passed = np.maximum.accumulate(grey, axis=2)
    passed = np.concatenate([passed[:, :, :1]] * EDGE_REACH + [passed[:, :, :-EDGE_REACH]], axis=2)
    crossed = np.clip((passed - lumen - CROSSED_TOLERANCE) / FULL_STEP, 0.0, 1.0)
    beyond = 1.0 - inside
    cost = crossed_cost * crossed - np.maximum(rise, 0.0) + beyond
    # no wall can be read at the very ends
    cost[:, :, :EDGE_REACH] += 0.5
    cost[:, :, -EDGE_REACH:] += 0.5
    return np.asarray(cost, np.float32), rise


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
    levels: list[Floats],
    mask: Floats,
    centres: npt.NDArray[np.float64],
    half_px: npt.NDArray[np.float64],
    angle: npt.NDArray[np.float64] | None = None,
    stretch: npt.NDArray[np.float64] | None = None,
    *,
    crossed_cost: float = CROSSED_COST,
) -> Rings:
    """Rings around n centres `(row, col)`, all in pixels of the grid.

    `levels` is the pyramid and `mask` 1 on tissue; `half_px` is half the diameter looked
    for, across `angle` where the rays are stretched along it.
    """
    count = len(centres)
    directions = ray_directions(
        np.zeros(count) if angle is None else angle, np.ones(count) if stretch is None else stretch
    )
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
