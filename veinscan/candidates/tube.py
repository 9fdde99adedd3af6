"""A vein seen lengthwise: its two walls followed along its own axis.

A closed ring reaches only so far along a tube, and where rings were joined the outline has steps.
So the picture is read in sections across the tube's axis, and each wall is one path through all
sections: it gains where the grey level rises outwards, pays for echoes crossed on the way and for
bending.  The axis is then the middle of the two walls, and the walls are followed on beyond both ends
for as long as a dark lumen lies between two of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.candidates.paths import cheapest_paths
from veinscan.candidates.refine import refine_outlines
from veinscan.candidates.shapes import measure_polygons
from veinscan.candidates.walls import CROSSED_COST, CROSSED_TOLERANCE, FULL_STEP

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

SECTION_MM, OFFSET_MM = 0.5, 0.0625
"""Distance of the sections along the axis, and of the points read in one."""

BEYOND_MM = 12.0
"""How far past both ends the walls are looked for at a time."""

ROUNDS = 6
"""Most times that the axis is improved and prolonged."""

ROOM_MM, ROOM_SHARE = 0.7, 0.6
"""A wall lies at most so far beyond half the known width: a fixed part and one of the half width."""

RISE_MM = 0.12
"""Half the distance over which a rise is taken."""

JUMPS = (-3, -2, -1, 0, 1, 2, 3)
BEND_COST = 0.02
"""Steps a wall may move from section to section, and the cost of one; it grows with the square."""

LEAST_STEP = 16.0
"""Grey levels between lumen and wall below which there is no wall."""

STILL_DARK = 0.5
"""The lumen of a section may be so far from the tube's level towards its walls'."""

NARROWEST = 0.3
"""A section narrower than this part of the tube's width is its end."""

GAP_MM = 1.0
"""Bad sections over which a tube goes on: a shadow, or a drop-out of a wall."""

BEND_MM = 4.5
"""Length of a piece that allows its first axis one more bend."""

SMOOTH_MM = 0.6
"""Sigma along the axis of what walls and axis are smoothed by."""

STEADY = 11
"""Sections (5.5 mm) over which the finest move of a wall is voted on."""

LEAST_RATIO, LEAST_LENGTH_MM = 3.0, 5.0
"""A tube is at least so many times as long as wide, and so long: shorter ones may be flat cross-sections."""


@dataclass(frozen=True, slots=True)
class Tube:
    """A vein's visible course on one frame, in pixels of the grid."""

    axis: Array
    """(k, 2) `(row, col)` of its middle, from one end to the other."""
    widths: Array
    """(k,) inner diameter across the axis."""
    outline: Array
    """(2k, 2) one wall from end to end, then the other one back."""

    @property
    def length_px(self) -> float:
        """Along the axis."""
        return float(np.hypot(*np.diff(self.axis, axis=0).T).sum())

    @property
    def diameter_px(self) -> float:
        """Median over the middle three fifths of the course: ends taper where the plane leaves the vein."""
        k = len(self.widths)
        return float(np.median(self.widths[k // 5 : max(k - k // 5, k // 5 + 1)]))


def trace_tube(image: Floats, outline: Array, pixel_mm: float) -> Tube | None:
    """The tube of which a (k, 2) outline shows a piece, or None where no two walls are followed.

    `image` (rows, cols) grey levels on the grid, as they were shown; `outline` `(row, col)` in its pixels.
    """
    axis, half = _axis_of(outline, pixel_mm)
    if len(axis) < 4:
        return None
    smooth = np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.1 / pixel_mm, 0.5)), np.float32)
    seed = axis[len(axis) // 2]
    found: tuple[Array, Array, Array] | None = None
    for _ in range(ROUNDS):
        line = _prolonged(axis, BEYOND_MM / pixel_mm, SECTION_MM / pixel_mm)
        line = line[_on(image.shape, line)]
        if len(line) < 4:
            return None
        before = len(axis)
        sections = _walls(smooth, line, half, pixel_mm)
        kept = _run_through(sections.good, int(np.hypot(*(line - seed).T).argmin()), pixel_mm)
        if kept is None:
            return None
        top, bottom = sections.top[kept], sections.bottom[kept]
        if len(top) < 4:
            return None
        found = line[kept], top, bottom
        axis = _even((top + bottom) / 2, SECTION_MM / pixel_mm)
        half = float(np.median(np.hypot(*(bottom - top).T))) / 2
        if len(axis) < 4:
            return None
        if len(axis) <= before + 2:
            break
    if found is None:
        return None
    return _finished(image, found[1], found[2], pixel_mm)


def _axis_of(outline: Array, pixel_mm: float) -> tuple[Array, float]:
    """Middles of the chords across an outline's long direction, and half the median chord."""
    shape = measure_polygons(outline[None])
    centre, angle = shape.centre[0], float(shape.angle[0])
    along = np.array([np.sin(angle), np.cos(angle)])
    over = np.array([np.cos(angle), -np.sin(angle)])
    s, n = (outline - centre) @ along, (outline - centre) @ over
    s1, n1 = np.roll(s, -1), np.roll(n, -1)
    length = float(s.max() - s.min())
    at = np.linspace(s.min() + 0.1 * length, s.max() - 0.1 * length, max(4, round(length * pixel_mm / 0.5)))
    crosses = (s[:, None] <= at) != (s1[:, None] <= at)
    run = np.where(np.abs(s1 - s) < 1e-9, 1e-9, s1 - s)
    cut = n[:, None] + (at - s[:, None]) * ((n1 - n) / run)[:, None]
    low = np.where(crosses, cut, np.inf).min(axis=0)
    high = np.where(crosses, cut, -np.inf).max(axis=0)
    fine = crosses.any(axis=0)
    at, low, high = at[fine], low[fine], high[fine]
    if len(at) < 4:
        return np.zeros((0, 2)), 0.0
    # a smooth line through the middles: straight for a short piece, free to bend along a long one
    degree = int(np.clip(length * pixel_mm / BEND_MM, 1, 7))
    bend = np.polynomial.Polynomial.fit(at, (low + high) / 2, degree)
    middle = bend(at)
    return centre + at[:, None] * along + middle[:, None] * over, float(np.median(high - low)) / 2


def _even(line: Array, step: float) -> Array:
    """A polyline smoothed and sampled again at equal steps."""
    line = _smoothed(line, SMOOTH_MM / SECTION_MM)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    at = np.arange(0.0, way[-1] + 1e-9, step)
    return np.stack([np.interp(at, way, line[:, 0]), np.interp(at, way, line[:, 1])], axis=1)


def _smoothed(values: Array, sigma: float) -> Array:
    """(k, m) smoothed along k; ends are continued straight, so that they are not drawn inwards."""
    reach = max(1, round(3 * sigma))
    if len(values) < 3:
        return values
    slope = min(len(values) - 1, reach)
    first = (values[slope] - values[0]) / slope
    last = (values[-1] - values[-1 - slope]) / slope
    steps = np.arange(1, reach + 1)[:, None]
    padded = np.concatenate([values[0] - steps[::-1] * first, values, values[-1] + steps * last])
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    weights /= weights.sum()
    return np.stack([np.convolve(column, weights, mode="valid") for column in padded.T], axis=1)


def _prolonged(axis: Array, reach: float, step: float) -> Array:
    """The axis at equal steps, continued straight at both ends."""
    axis = _even(axis, step)
    back = min(len(axis) - 1, max(2, round(4.0 / SECTION_MM)))
    first = axis[0] - axis[back]
    last = axis[-1] - axis[-1 - back]
    steps = np.arange(step, reach + 1e-9, step)[:, None]
    head = axis[0] + steps[::-1] * first / max(float(np.hypot(*first)), 1e-9)
    tail = axis[-1] + steps * last / max(float(np.hypot(*last)), 1e-9)
    return np.concatenate([head, axis, tail])


def _on(shape: tuple[int, ...], line: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(((line >= 0) & (line <= np.array(shape) - 1)).all(axis=1), bool)


@dataclass(frozen=True, slots=True)
class _Sections:
    """Both walls in every section of a line, and whether a lumen lies between them."""

    top: Array
    bottom: Array
    good: npt.NDArray[np.bool_]


def _walls(smooth: Floats, line: Array, half: float, pixel_mm: float) -> _Sections:
    """The two walls along a line of sections; `half` the half width expected, in pixels."""
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.hypot(*tangent.T), 1e-9)[:, None]
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    reach = half * (1 + ROOM_SHARE) + ROOM_MM / pixel_mm
    step = OFFSET_MM / pixel_mm
    count = int(np.ceil(reach / step))
    offsets = np.arange(-count, count + 1) * step
    points = line[:, None, :] + offsets[:, None] * normal[:, None, :]
    grey = cv2.remap(
        smooth,
        points[..., 1].astype(np.float32),
        points[..., 0].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float64)
    core = np.abs(offsets) <= 0.5 * half
    level = float(np.median(grey[:, core]))
    lift = max(1, round(RISE_MM / OFFSET_MM))
    # both walls at once: (2, sections, offsets) outwards from the line
    outward = np.stack([grey[:, count::-1], grey[:, count:]])
    rise = np.zeros_like(outward)
    rise[..., lift:-lift] = outward[..., 2 * lift :] - outward[..., : -2 * lift]
    passed = np.maximum.accumulate(outward, axis=2)
    passed = np.concatenate([np.repeat(passed[..., :1], lift, axis=2), passed[..., :-lift]], axis=2)
    cost = CROSSED_COST * np.clip((passed - level - CROSSED_TOLERANCE) / FULL_STEP, 0.0, 1.0)
    cost -= np.clip(rise / FULL_STEP, 0.0, 1.0)
    cost[..., :lift] += 1.0
    cost[..., -lift:] += 0.5
    paths = cheapest_paths(cost, JUMPS, BEND_COST)
    steps = np.arange(count + 1)
    at_wall = (steps >= paths[..., None]) & (steps <= paths[..., None] + 2 * lift)
    above, below = np.where(at_wall, outward, -np.inf).max(axis=2)
    within = steps < np.maximum(0.6 * paths, 1)[..., None]
    inner = (outward * within).sum(axis=(0, 2)) / within.sum(axis=(0, 2))
    low, high = -paths[0] * step, paths[1] * step
    weaker = np.minimum(above, below)
    contrast = max(float(np.median(weaker)) - level, LEAST_STEP)
    width = high - low
    good = (
        (weaker - inner >= max(LEAST_STEP, 0.3 * contrast))
        & (inner <= level + STILL_DARK * contrast)
        & (width >= NARROWEST * 2 * half)
    )
    return _Sections(line + low[:, None] * normal, line + high[:, None] * normal, good)


def _run_through(good: npt.NDArray[np.bool_], middle: int, pixel_mm: float) -> slice | None:
    """The good sections around `middle`, over gaps of at most `GAP_MM`; None where there are none."""
    gap = max(1, round(GAP_MM / SECTION_MM))
    near = np.flatnonzero(good)
    if not len(near):
        return None
    start = int(near[np.abs(near - middle).argmin()])
    if abs(start - middle) > 2 * gap:
        return None
    first = last = start
    for index in near[near > start]:
        if index - last > gap:
            break
        last = int(index)
    for index in near[near < start][::-1]:
        if first - index > gap:
            break
        first = int(index)
    return slice(first, last + 1)


def _steady(moves: Array) -> Array:
    """(k,) moves of a wall: running median over `STEADY` places, then smoothed."""
    reach = min(STEADY // 2, (len(moves) - 1) // 2)
    # the normals of the corners say nothing of a wall
    inner = np.concatenate([moves[1:2], moves[1:-1], moves[-2:-1]])
    padded = np.pad(inner, reach, mode="reflect")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    return _smoothed(middle[:, None], SMOOTH_MM / SECTION_MM)[:, 0]


def _finished(image: Floats, top: Array, bottom: Array, pixel_mm: float) -> Tube | None:
    """Smooth walls put at the -6 dB place of their rise, and what is measured on them."""
    sigma = SMOOTH_MM / SECTION_MM
    top, bottom = _smoothed(top, sigma), _smoothed(bottom, sigma)
    count = len(top)
    polygon = np.concatenate([top, bottom[::-1]])
    middle = ((top + bottom) / 2)[count // 2]
    fine = refine_outlines(image, polygon[None], middle[None], pixel_mm)[0]
    across = bottom - top
    across /= np.maximum(np.hypot(*across.T), 1e-9)[:, None]
    # a wall moves as a whole: where single places jumped to the next echo their neighbours outvote them
    up = _steady(((fine[:count] - top) * across).sum(axis=1))
    down = _steady(((fine[count:][::-1] - bottom) * across).sum(axis=1))
    top, bottom = top + up[:, None] * across, bottom + down[:, None] * across
    axis = (top + bottom) / 2
    tube = Tube(axis, np.hypot(*(bottom - top).T), np.concatenate([top, bottom[::-1]]))
    length = tube.length_px
    if length < LEAST_RATIO * tube.diameter_px or length * pixel_mm < LEAST_LENGTH_MM:
        return None
    return tube
