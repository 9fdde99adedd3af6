"""A small speckled picture with dark ellipses of known size: the truth for this part's tests."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import pytest


@dataclass(frozen=True)
class Ellipse:
    """A lumen in mm: centre below the top and right of the left edge, full axes, tilt in degrees."""

    depth: float
    across: float
    minor: float
    major: float
    tilt: float = 0.0


def draw(
    ellipses: list[Ellipse],
    *,
    spacing: tuple[float, float] = (0.1, 0.1),
    size_mm: tuple[float, float] = (30.0, 36.0),
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """Log-compressed speckle (Rayleigh, 0.3 x 0.5 mm grain) with lumens 35 dB darker than the tissue."""
    rng = np.random.default_rng(seed)
    rows, cols = (round(side / step) for side, step in zip(size_mm, spacing, strict=True))
    row, col = np.mgrid[:rows, :cols]
    y, x = (row + 0.5) * spacing[0], (col + 0.5) * spacing[1]
    amplitude = np.ones((rows, cols))
    for one in ellipses:
        angle = np.deg2rad(one.tilt)
        along = (x - one.across) * np.cos(angle) + (y - one.depth) * np.sin(angle)
        over = -(x - one.across) * np.sin(angle) + (y - one.depth) * np.cos(angle)
        amplitude[(along / one.major * 2) ** 2 + (over / one.minor * 2) ** 2 <= 1] = 0.015
    noise = rng.normal(size=(2, rows, cols))
    sigma = 0.21 / spacing[1], 0.13 / spacing[0]
    field = [cv2.GaussianBlur(part * amplitude, (0, 0), sigma[0], sigmaY=sigma[1]) for part in noise]
    envelope = np.hypot(*field)
    envelope /= np.median(envelope)
    decibel = 20 * np.log10(np.maximum(envelope, 1e-4))
    return np.clip(110 + decibel * 255 / 60, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def picture():
    return draw


@pytest.fixture(scope="session")
def ellipse():
    return Ellipse
