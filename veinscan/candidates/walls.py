"""The wall of a lumen: the best closed ring around a centre, found by dynamic programming.

Around a centre the picture is read along rays at radii in geometric steps.
The ring takes one radius a ray.  It gains where the grey level rises outwards,
pays for every bright echo already crossed on the way, and for jumping between
neighbouring rays; the cheapest closed ring is exact up to the closing seam.
All rings of a frame are fitted at once.
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
    grey: Floats
    """(n, RAYS, STEPS) grey levels along the rays."""
    inside: Floats
    """(n, RAYS, STEPS) 1 on tissue of the picture, 0 off it."""
    wall: npt.NDArray[np.int64]
    """(n, RAYS) step at which the wall lies."""
    radii: npt.NDArray[np.float64]
    """(n, RAYS) radius of the wall, between the steps."""
    cost: npt.NDArray[np.float64]
    """(n,) mean cost of a ray."""

    def outlines(self) -> npt.NDArray[np.float64]:
        """(n, RAYS, 2) `(row, col)` of the walls."""
        direction = np.stack([np.sin(ANGLES), np.cos(ANGLES)], axis=-1)
        return np.asarray(self.centres[:, None, :] + self.radii[:, :, None] * direction, np.float64)


def read_rays(
    levels: list[Floats],
    mask: Floats,
    centres: npt.NDArray[np.float64],
    half_px: npt.NDArray[np.float64],
) -> tuple[Floats, Floats]:
    """(n, RAYS, STEPS) grey levels and tissue along the rays of n centres (grid pixels)."""
    count = len(centres)
    grey = np.zeros((count, RAYS, STEPS), np.float32)
    inside = np.zeros_like(grey)
    radii = half_px[:, None, None] * RATIOS
    rows = centres[:, 0, None, None] + radii * np.sin(ANGLES)[:, None]
    cols = centres[:, 1, None, None] + radii * np.cos(ANGLES)[:, None]
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


def edge_costs(grey: Floats, inside: Floats) -> tuple[Floats, Floats]:
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
    cost = CROSSED_COST * crossed - np.maximum(rise, 0.0) + beyond
    # no wall can be read at the very ends
    cost[:, :, :EDGE_REACH] += 0.5
    cost[:, :, -EDGE_REACH:] += 0.5
    return np.asarray(cost, np.float32), rise


def cheapest_rings(cost: Floats) -> npt.NDArray[np.int64]:
    """(n, RAYS) step of the cheapest closed ring; the seam closes because two turns are walked."""
    count, rays, steps = cost.shape
    turns = 2 * rays
    total = cost[:, 0].copy()
    back = np.zeros((turns, count, steps), np.int8)
    for ray in range(1, turns):
        best = total.copy()
        from_jump = np.zeros((count, steps), np.int8)
        for jump in range(1, MAX_JUMP + 1):
            price = np.float32(JUMP_COST * jump * jump)
            for sign in (-1, 1):
                other = np.full_like(total, np.inf)
                if sign < 0:
                    other[:, jump:] = total[:, :-jump] + price
                else:
                    other[:, :-jump] = total[:, jump:] + price
                better = other < best
                best[better] = other[better]
                from_jump[better] = sign * jump
        back[ray] = from_jump
        total = best + cost[:, ray % rays]
    path = np.zeros((turns, count), np.int64)
    path[-1] = total.argmin(axis=1)
    index = np.arange(count)
    for ray in range(turns - 1, 0, -1):
        path[ray - 1] = path[ray] + back[ray, index, path[ray]]
    # the middle turn is free of both loose ends
    half = rays // 2
    middle = path[half : half + rays]
    return np.roll(middle, half, axis=0).T.copy()


def fit_rings(
    levels: list[Floats],
    mask: Floats,
    centres: npt.NDArray[np.float64],
    half_px: npt.NDArray[np.float64],
) -> Rings:
    """Rings around n centres `(row, col)`; `levels` is the pyramid, `mask` 1 on tissue, both of the grid."""
    grey, inside = read_rays(levels, mask, centres, half_px)
    cost, rise = edge_costs(grey, inside)
    wall = cheapest_rings(cost)
    at = np.take_along_axis
    index = np.clip(wall, 1, STEPS - 2)[:, :, None]
    before, here, after = (at(rise, index + offset, axis=2)[:, :, 0] for offset in (-1, 0, 1))
    curve = before - 2 * here + after
    shift = np.where(curve < -1e-4, 0.5 * (before - after) / np.where(curve < -1e-4, curve, 1.0), 0.0)
    exact = wall + np.clip(shift, -0.5, 0.5)
    radii = half_px[:, None] * NEAR * STEP_RATIO**exact
    mean_cost = at(cost, wall[:, :, None], axis=2)[:, :, 0].mean(axis=1)
    return Rings(centres, half_px, grey, inside, wall, radii, mean_cost.astype(np.float64))
