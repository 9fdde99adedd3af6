"""Quick speckle phantoms with lumens of 0.8 to 8 mm, for sizes and textures that the real images lack."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def ellipse_depth(
    grid: tuple[Floats, Floats], centre: tuple[float, float], half: tuple[float, float], turn: float
) -> Floats:
    """1 at the centre of an ellipse, 0 on its rim, negative outside; `half` along and across `turn`."""
    y, x = grid[0] - centre[0], grid[1] - centre[1]
    along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    return np.asarray(1 - np.sqrt((along / half[0]) ** 2 + (across / half[1]) ** 2), np.float32)


def tube_depth(
    grid: tuple[Floats, Floats],
    centre: tuple[float, float],
    half: float,
    reach: float,
    turn: float,
    bend: float,
) -> Floats:
    """The same for a tube seen lengthwise, with a bend."""
    y, x = grid[0] - centre[0], grid[1] - centre[1]
    along, across = x * np.cos(turn) + y * np.sin(turn), -x * np.sin(turn) + y * np.cos(turn)
    across = across - bend * np.sin(along / max(reach, 1.0) * 2.5) * half * 2
    beyond = np.maximum(np.abs(along) - reach, 0)
    return np.asarray(1 - np.sqrt(across**2 + beyond**2) / half, np.float32)


def tissue(rng: np.random.Generator, size: int, grid: tuple[Floats, Floats]) -> Floats:
    """(size, size) echo amplitude of skin, fat with septa, fascia and striated muscle."""
    rows = grid[0]
    coarse = cv2.resize(
        rng.normal(0, 1, (6, 6)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC
    )
    amplitude = np.exp(0.4 * coarse) * rng.uniform(0.5, 1.2)
    wave = cv2.resize(rng.normal(0, 1, (1, 5)).astype(np.float32), (size, 1), interpolation=cv2.INTER_CUBIC)[
        0
    ]
    fascia = rng.uniform(0.15, 0.7) * size + rng.uniform(2, 14) * wave[None]
    fat = rows < fascia
    amplitude = amplitude * np.where(fat, rng.uniform(0.25, 0.9), rng.uniform(0.3, 1.1))
    streaks = rng.normal(0, 1, (size, size)).astype(np.float32)
    streaks = cv2.GaussianBlur(streaks, (0, 0), rng.uniform(8, 25), sigmaY=rng.uniform(0.8, 2.0))
    streaks = np.clip(streaks / max(float(streaks.std()), 1e-6) - rng.uniform(0.3, 1.2), 0, None)
    amplitude = amplitude * (1 + rng.uniform(0.5, 4) * streaks)
    for _ in range(rng.integers(1, 4)):
        offset = rng.normal(0, 0.05 * size) if rng.random() < 0.5 else 0.0
        amplitude = amplitude + rng.uniform(2, 9) * np.exp(
            -(((rows - fascia - offset) / rng.uniform(1, 3)) ** 2)
        )
    if rng.random() < 0.5:
        skin = rng.uniform(-5, 25)
        amplitude = amplitude + 5 * np.exp(-(((rows - skin) / rng.uniform(3, 9)) ** 2))
        amplitude = np.where(rows < skin - 6, 0.02, amplitude)
    return np.asarray(amplitude, np.float32)


def envelope(rng: np.random.Generator, amplitude: Floats, pixel_mm: float) -> Floats:
    """Log-compressed envelope in 0..1 of point scatterers under a blurred pulse that widens with depth."""
    axial = rng.uniform(0.06, 0.18) / pixel_mm
    lateral = rng.uniform(0.12, 0.45) / pixel_mm
    scatter = rng.normal(0, 1, (2, *amplitude.shape)).astype(np.float32) * amplitude
    narrow = [cv2.GaussianBlur(part, (0, 0), lateral, sigmaY=axial) for part in scatter]
    wide = [cv2.GaussianBlur(part, (0, 0), 1.5 * lateral, sigmaY=axial) for part in scatter]
    blend = np.linspace(0, rng.uniform(0, 1), amplitude.shape[0], dtype=np.float32)[:, None]
    parts = [(1 - blend) * a + blend * 1.22 * b for a, b in zip(narrow, wide, strict=True)]
    if rng.random() < 0.4:  # spatial compounding: mean of several looks
        other = [cv2.GaussianBlur(s, (0, 0), lateral, sigmaY=axial) for s in
                 rng.normal(0, 1, (2, *amplitude.shape)).astype(np.float32) * amplitude]  # fmt: skip
        power = 0.5 * (parts[0] ** 2 + parts[1] ** 2 + other[0] ** 2 + other[1] ** 2)
    else:
        power = parts[0] ** 2 + parts[1] ** 2
    level = 10 * np.log10(power + 1e-9)
    top = np.percentile(level, rng.uniform(97, 99.7))
    return np.asarray(np.clip(rng.uniform(0.6, 1.0) + (level - top) / rng.uniform(38, 65), 0, 1), np.float32)


def synthetic_view(rng: np.random.Generator, size: int, pixel_mm: float) -> tuple[Floats, Floats]:
    """(size, size) image in 0..1 and (size / 2, size / 2, 3) targets: vessel, nerve, core depth."""
    axis = np.arange(size, dtype=np.float32)
    grid = (np.repeat(axis[:, None], size, 1), np.repeat(axis[None], size, 0))
    amplitude = tissue(rng, size, grid)
    vessel, nerve, core = (np.zeros((size, size), np.float32) for _ in range(3))
    taken: list[tuple[float, float, float]] = []
    for _ in range(int(rng.choice([0, 1, 2, 3, 4, 5], p=[0.1, 0.25, 0.25, 0.2, 0.1, 0.1]))):
        diameter = float(np.exp(rng.uniform(np.log(0.8), np.log(8.0)))) / pixel_mm
        ratio, turn = rng.uniform(0.4, 1.0), rng.normal(0, 0.3)
        centre = (float(rng.uniform(0.08, 0.92) * size), float(rng.uniform(0, 1) * size))
        reach = diameter / 2 / ratio
        lengthwise = rng.random() < 0.2 and diameter < 45
        if (
            any(np.hypot(centre[0] - r, centre[1] - c) < reach + other for r, c, other in taken)
            and not lengthwise
        ):
            continue
        if lengthwise:
            if taken:
                continue
            reach = float(rng.uniform(1.5, 12) * diameter)
            depth = tube_depth(grid, centre, diameter / 2, reach, turn, float(rng.normal(0, 0.5)))
        else:
            depth = ellipse_depth(grid, centre, (reach, diameter / 2), turn)
        taken.append((*centre, reach))
        rim = depth * diameter / 2  # pixels inside the wall, negative outside
        thick = rng.uniform(0.1, 0.7) / pixel_mm
        specular = 0.4 + 0.6 * np.abs(grid[0] - centre[0]) / max(diameter / 2, 1)
        wall = np.exp(-(((rim + thick / 2) / thick) ** 2)) * np.clip(specular, 0.3, 1.2)
        is_nerve = rng.random() < 0.15 and diameter > 20
        if is_nerve:
            spots = cv2.GaussianBlur(rng.normal(0, 1, (size, size)).astype(np.float32), (0, 0), diameter / 14)
            spots = spots / max(float(spots.std()), 1e-6)
            amplitude = np.where(rim > 0, rng.uniform(0.8, 2) * np.exp(0.8 * spots), amplitude)
            nerve = np.maximum(nerve, (rim > 0).astype(np.float32))
        else:
            inner = rng.uniform(0.01, 0.25) * float(amplitude[rim > -6].mean()) if (rim > -6).any() else 0.05
            amplitude = np.where(rim > 0, inner, amplitude)
            vessel = np.maximum(vessel, (rim > 0).astype(np.float32))
            core = np.maximum(core, np.clip(depth, 0, 1))
            beneath = np.clip((grid[0] - centre[0]) / (diameter / 2), 0, 1) * (rim <= 0)
            beneath = (
                beneath * (np.abs(grid[1] - centre[1]) < 0.8 * reach) * np.exp(-(grid[0] - centre[0]) / 120)
            )
            amplitude = amplitude * (1 + rng.uniform(0, 1.0) * beneath)
        amplitude = amplitude + wall * rng.uniform(0.2, 4) * (rim <= 0)
    for _ in range(rng.poisson(0.6)):  # dark layers and bright spots that are no vessels
        centre = (float(rng.uniform(0, size)), float(rng.uniform(0, size)))
        if rng.random() < 0.5:
            half = (float(rng.uniform(25, 120)), float(rng.uniform(2, 8)))
            layer = ellipse_depth(grid, centre, half, float(rng.normal(0, 0.15))) > 0
            amplitude = np.where(layer & (vessel == 0), amplitude * rng.uniform(0.3, 0.6), amplitude)
        else:
            half = (float(rng.uniform(3, 14)), float(rng.uniform(1, 4)))
            spot = (ellipse_depth(grid, centre, half, float(rng.normal(0, 0.3))) > 0) & (vessel == 0)
            shade = (np.abs(grid[1] - centre[1]) < half[0]) & (grid[0] > centre[0] + half[1])
            amplitude = np.where(spot, 8.0, amplitude) * np.where(shade, rng.uniform(0.1, 0.8), 1)
    fade = np.exp(-np.linspace(0, rng.uniform(0, 2.0), size, dtype=np.float32))[:, None]
    view = envelope(rng, np.asarray(amplitude * fade, np.float32), pixel_mm)
    small = (size // 2, size // 2)
    target = cv2.resize(np.dstack([vessel, nerve, core]), small, interpolation=cv2.INTER_AREA)
    return view, np.asarray(target, np.float32)
