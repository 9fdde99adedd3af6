"""Where every vessel lies on a frame: the probe's view, the state of the leg, exact lumens.

Lumens are drawn from these shapes and the truth is written from the same
ones, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from veinscan.phantom.anatomy import Anatomy, Vessel

Array = npt.NDArray[np.float64]

SQUEEZE = 0.16
"""Share by which full probe pressure thickens the depth axis back to the resting tissue."""

SMALLEST_LUMEN_MM = 0.35
"""A lumen thinner than this is not resolved and is written as collapsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A linear probe's picture: where its pixels lie in the leg.

    Column c is at u = (c - (cols - 1) / 2) * spacing, row r at depth r * spacing - gel.
    Transverse: u is x, the plane lies at the frame's y.  Longitudinal: u is y, the plane
    lies at `plane_x_mm`.
    """

    longitudinal: bool
    shape: tuple[int, int]
    spacing_mm: float
    gel_mm: float
    plane_x_mm: float = 0.0

    @property
    def skin_row(self) -> float:
        """Row of the skin's surface."""
        return self.gel_mm / self.spacing_mm

    @property
    def depths_mm(self) -> Array:
        """(rows,) depth under the skin."""
        return np.arange(self.shape[0], dtype=np.float64) * self.spacing_mm - self.gel_mm

    @property
    def across_mm(self) -> Array:
        """(cols,) position along the probe."""
        return (np.arange(self.shape[1], dtype=np.float64) - (self.shape[1] - 1) / 2) * self.spacing_mm

    def to_pixels(self, u: Array, z: Array) -> Array:
        """(k, 2) `(row, col)` of places in mm."""
        rows = (z + self.gel_mm) / self.spacing_mm
        cols = u / self.spacing_mm + (self.shape[1] - 1) / 2
        return np.stack([rows, cols], axis=-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The leg and the probe at one moment."""

    index: int = 0
    time_s: float = 0.0
    y_mm: float = 0.0
    """Where along the leg a transverse plane lies."""
    shift_mm: tuple[float, float] = (0.0, 0.0)
    """Small motion of the probe: (along the picture, in depth)."""
    pressure: float = 0.0
    """Of the probe, 0..1."""
    pulse: float = 0.0
    """Arterial wall motion, 0..1."""
    breath: float = 0.0
    """Filling of the veins, about -1..1."""


def _ease(value: float) -> float:
    clipped = min(max(value, 0.0), 1.0)
    return clipped * clipped * (3.0 - 2.0 * clipped)


def flattened(vessel: Vessel, pressure: float) -> float:
    """How far a vessel is pressed flat, 0..1."""
    if not vessel.compressible:
        return 0.0
    begin, end = vessel.softness
    return _ease((pressure - begin) / (end - begin))


def semi_axes(vessel: Vessel, state: State) -> tuple[float, float]:
    """(half width, half height) of the lumen in mm at that moment."""
    width, height = vessel.half_width_mm, vessel.half_height_mm
    if vessel.kind == "artery":
        grow = 1.0 + 0.07 * state.pulse
        return width * grow, height * grow * (1.0 - 0.05 * state.pressure)
    if vessel.kind == "nerve" or vessel.occluded:
        return width * (1.0 + 0.03 * state.pressure), height * (1.0 - 0.06 * state.pressure)
    flat = flattened(vessel, state.pressure)
    # the wall keeps its length while the lumen goes, so the vein widens as it flattens
    return width * (1.0 + 0.03 * state.breath) * (1.0 + 0.22 * flat), height * (
        1.0 + 0.03 * state.breath
    ) * max(1.0 - 1.02 * flat, 0.01)


@dataclass(frozen=True, slots=True)
class Placed:
    """A vessel as one frame sees it: axis and size per column (longitudinal) or once (transverse)."""

    vessel: Vessel
    x_mm: Array
    """Picture x of the axis; in a longitudinal view the axis' distance from the plane is x - plane."""
    z_mm: Array
    half_width_mm: float
    half_height_mm: float
    tilt_rad: float = 0.0

    def window(self, view: View, reach_mm: float) -> tuple[slice, slice]:
        """Rows and columns of the picture that lie within `reach_mm` of the vessel; may be empty."""
        depth = np.atleast_1d(self.z_mm)
        tall = self.half_height_mm * 1.25 + abs(np.sin(self.tilt_rad)) * self.half_width_mm + reach_mm
        z0, z1 = float(depth.min()) - tall, float(depth.max()) + tall
        rows = slice(
            max(0, int((z0 + view.gel_mm) / view.spacing_mm)),
            max(0, min(view.shape[0], int((z1 + view.gel_mm) / view.spacing_mm) + 2)),
        )
        if view.longitudinal:
            return rows, slice(0, view.shape[1])
        wide = self.half_width_mm * 1.25 + abs(np.sin(self.tilt_rad)) * self.half_height_mm + reach_mm
        x = float(self.x_mm)
        first, last = np.searchsorted(view.across_mm, [x - wide, x + wide])
        return rows, slice(int(first), int(last))

    def level(self, view: View, u: Array, z: Array) -> tuple[Array, Array]:
        """Signed distance to the wall in mm (negative in the lumen), and how far the wall faces the beam.

        `u` (cols,) and `z` (rows,) in mm; both results are (rows, cols), the second 0 to 1.  First-order
        distance, exact on the wall itself.
        """
        width, height = self.half_width_mm, self.half_height_mm
        cos, sin = float(np.cos(self.tilt_rad)), float(np.sin(self.tilt_rad))
        across = np.broadcast_to(
            view.plane_x_mm - self.x_mm if view.longitudinal else u - self.x_mm, (z.size, u.size)
        )
        below = np.broadcast_to(z[:, None] - self.z_mm, (z.size, u.size))
        off = (across * cos + below * sin) / width
        down = (below * cos - across * sin) / height
        rho = np.hypot(off, down)
        safe = np.maximum(rho, 1e-3)
        along_z = (off * sin / width + down * cos / height) / safe
        along_u = (off * cos / width - down * sin / height) / safe
        if view.longitudinal:
            along_u = np.zeros_like(along_z)
        elif self.vessel.harmonics:
            rho = rho / self._bulge(np.arctan2(down, off))
        slope = np.hypot(along_z, along_u) + 1e-3
        distance = (rho - 1.0) / np.maximum(slope, 0.15 / max(width, height))
        return distance, np.abs(along_z) / slope

    def _bulge(self, angle: Array) -> Array:
        bulge = np.ones_like(angle)
        for order, share, phase in self.vessel.harmonics:
            bulge += share * np.cos(order * angle + phase)
        return bulge

    def outlines(self, view: View, points: int = 40) -> list[Array]:
        """Polygons (k, 2) `(row, col)` of the inner wall: one, or lengthwise none or several."""
        if not view.longitudinal:
            angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
            bulge = self._bulge(angle)
            off = self.half_width_mm * bulge * np.cos(angle)
            down = self.half_height_mm * bulge * np.sin(angle)
            cos, sin = float(np.cos(self.tilt_rad)), float(np.sin(self.tilt_rad))
            u = self.x_mm + off * cos - down * sin
            z = self.z_mm + off * sin + down * cos
            return [view.to_pixels(u, z)]
        off = (view.plane_x_mm - self.x_mm) / self.half_width_mm
        inside = np.abs(off) < 0.98
        half = np.where(inside, self.half_height_mm * np.sqrt(np.clip(1.0 - off**2, 0.0, None)), 0.0)
        inside &= half * 2 > SMALLEST_LUMEN_MM
        edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
        found = []
        u = view.across_mm
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            if (last - first) * view.spacing_mm < 2.0:
                continue
            chosen = np.unique(np.linspace(first, last - 1, max(points, 24)).astype(int))
            top = view.to_pixels(u[chosen], self.z_mm[chosen] - half[chosen])
            bottom = view.to_pixels(u[chosen], self.z_mm[chosen] + half[chosen])
            found.append(np.concatenate([top, bottom[::-1]]))
        return found


def observed_depth(z: Array | float, state: State) -> Array:
    """Depth in the picture, in mm, of tissue that rests at depth z."""
    rest = np.asarray(z, dtype=np.float64)
    return np.asarray(
        rest / (1.0 + SQUEEZE * state.pressure)
        + state.shift_mm[1] * (1.0 - np.exp(-np.maximum(rest, 0.0) / 2.0))
    )


def place(anatomy: Anatomy, view: View, state: State) -> list[Placed]:
    """All vessels as the frame sees them."""
    placed = []
    for vessel in anatomy.vessels:
        width, height = semi_axes(vessel, state)
        y = view.across_mm - state.shift_mm[0] if view.longitudinal else np.asarray(state.y_mm)
        x, z = vessel.centre(y)
        if not view.longitudinal:
            x = x + state.shift_mm[0]
        # lengthwise the section is taken upright; pressed veins lie down flat
        tilt = 0.0 if view.longitudinal else vessel.tilt_rad * (1.0 - flattened(vessel, state.pressure))
        placed.append(Placed(vessel, x, observed_depth(z, state), width, height, tilt))
    return placed


def resting_places(
    anatomy: Anatomy, placed: list[Placed], view: View, state: State
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """For every pixel the place (u, z) in mm, (rows, cols) each, at which its tissue rests.

    Pressure thins the layers, and where a vein has emptied its neighbours move in.
    """
    u, z = view.across_mm, view.depths_mm
    skin = 1.0 - np.exp(-np.maximum(z, 0.0) / 2.0)
    rest = (z - state.shift_mm[1] * skin) * (1.0 + SQUEEZE * state.pressure * (z > 0))
    depth = np.repeat(rest[:, None], u.size, axis=1).astype(np.float32)
    for item in placed:
        full = item.vessel.half_height_mm / (1.0 + SQUEEZE * state.pressure)
        lost = full - item.half_height_mm
        if abs(lost) < 0.01:
            continue
        if view.longitudinal:
            off = (view.plane_x_mm - item.x_mm) / (1.2 * item.half_width_mm)
        else:
            off = (u - item.x_mm) / (1.2 * item.half_width_mm)
        near = np.exp(-0.5 * off**2)
        away = z[:, None] - item.z_mm
        fade = np.exp(-np.abs(away) / (2.0 + 1.5 * full)) * skin[:, None]
        depth += (lost * np.tanh(away / max(0.3 * full, 0.1)) * fade * near).astype(np.float32)
    lateral = np.broadcast_to((u - state.shift_mm[0]).astype(np.float32), depth.shape)
    return lateral, depth
