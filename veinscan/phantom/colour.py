"""Colour Doppler: from velocities to the colours a scanner lays over the picture.

The estimate is made as a scanner does it: the phase of the lag-one
autocorrelation, averaged over a neighbourhood and with noise, so that
velocities beyond the Nyquist limit wrap round by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.phantom.scene import Placed, View
from veinscan.phantom.seeds import FloatMap

Rgb = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourSettings:
    """Scale and thresholds of the colour mode."""

    nyquist_cm_s: float
    """Half the range of velocities the map can show."""
    baseline: float = 0.5
    """Place of zero on the bar, 0 (bottom) to 1 (top)."""
    inverted: bool = False
    """Red at the bottom of the bar."""
    wall_filter_cm_s: float = 0.6
    noise: float = 0.16
    blur_mm: float = 0.24
    steps: int = 64
    """Different colours on the bar."""

    @property
    def limits_cm_s(self) -> tuple[float, float]:
        """Velocity at the bottom and at the top of the bar."""
        span = 2 * self.nyquist_cm_s
        return -span * self.baseline, span * (1 - self.baseline)


def colour_map(settings: ColourSettings) -> Rgb:
    """(steps, 3) colours from the lowest velocity to the highest."""
    low, high = settings.limits_cm_s
    values = np.linspace(low, high, settings.steps)
    up = np.array([[40, 0, 0], [150, 0, 0], [225, 30, 0], [250, 130, 0], [255, 235, 90]], dtype=float)
    down = np.array([[0, 0, 45], [0, 0, 160], [10, 60, 235], [20, 150, 255], [140, 245, 255]], dtype=float)
    if settings.inverted:
        up, down = down, up
    stops = np.linspace(0.0, 1.0, 5)
    colours = np.empty((settings.steps, 3))
    for channel in range(3):
        positive = np.interp(values / max(high, 1e-6), stops, up[:, channel])
        negative = np.interp(-values / max(-low, 1e-6), stops, down[:, channel])
        colours[:, channel] = np.where(values >= 0, positive, negative)
    return np.asarray(np.round(colours), dtype=np.uint8)


def velocity_map(
    placed: list[Placed], means: dict[str, float], view: View, profile: dict[str, float]
) -> FloatMap:
    """(rows, cols) float32 true velocity along the beam in cm/s, NaN outside open lumens."""
    field = np.full(view.shape, np.nan, dtype=np.float32)
    for item in placed:
        mean = means.get(item.vessel.name)
        if mean is None:
            continue
        here = rows, cols = item.window(view, 0.2)
        if field[here].size == 0:
            continue
        distance, _ = item.level(view, view.across_mm[cols], view.depths_mm[rows])
        inside = distance < 0
        radius = min(item.half_width_mm, item.half_height_mm)
        rho = np.clip(1.0 + distance / radius, 0.0, 1.0)
        n = profile.get(item.vessel.name, 2.0)
        value = mean * (n + 2) / n * (1.0 - rho**n)
        field[here][inside] = value[inside].astype(np.float32)
    return field


def estimate(
    true_cm_s: FloatMap, settings: ColourSettings, spacing_mm: float, rng: np.random.Generator
) -> FloatMap:
    """(rows, cols) float32 velocity as a scanner shows it, wrapped into the bar; NaN where it stays grey."""
    low, high = settings.limits_cm_s
    span = high - low
    moving = np.isfinite(true_cm_s)
    phase = np.where(moving, true_cm_s, 0.0) * np.float32(2 * np.pi / span)
    # clutter from slow walls takes the power of slow blood
    slow = np.float32(2.5 * settings.wall_filter_cm_s)
    power = np.clip(np.where(moving, np.abs(true_cm_s), 0.0) / slow, 0.0, 1.0).astype(np.float32)
    blur = settings.blur_mm / spacing_mm

    def smooth(image: FloatMap) -> FloatMap:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), blur), dtype=np.float32)

    grain = [smooth(rng.standard_normal(true_cm_s.shape, dtype=np.float32)) for _ in range(3)]
    scale = settings.noise / max(float(grain[0].std()), 1e-6)
    real = smooth(power * np.cos(phase)) + grain[0] * np.float32(scale * 0.35)
    imaginary = smooth(power * np.sin(phase)) + grain[1] * np.float32(scale * 0.35)
    strength = smooth(power) + grain[2] * np.float32(scale * 0.5)
    angle = np.arctan2(imaginary, real)
    velocity = angle * np.float32(span / (2 * np.pi))
    velocity = np.where(velocity >= high, velocity - span, velocity)
    velocity = np.where(velocity < low, velocity + span, velocity)
    shown = (strength > 0.45) & (np.abs(velocity) > settings.wall_filter_cm_s)
    return np.where(shown, velocity, np.float32(np.nan)).astype(np.float32)


def paint(
    grey: npt.NDArray[np.uint8], velocity: FloatMap, inside: npt.NDArray[np.bool_], settings: ColourSettings
) -> Rgb:
    """(rows, cols, 3): the grey picture with colour where there is a velocity inside the colour box."""
    picture = np.repeat(grey[:, :, None], 3, axis=2)
    low, high = settings.limits_cm_s
    shown = np.isfinite(velocity) & inside
    index = (velocity[shown] - low) / (high - low) * settings.steps
    picture[shown] = colour_map(settings)[np.clip(index.astype(int), 0, settings.steps - 1)]
    return picture


def box_mask(corners: npt.NDArray[np.float64], shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """(rows, cols) inside of the colour box given its corners (4, 2) as `(row, col)`."""
    canvas = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(canvas, [np.round(corners[:, ::-1]).astype(np.int32)], 1)
    return canvas.astype(bool)
