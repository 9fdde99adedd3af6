"""A speckled picture with round lumens."""

from __future__ import annotations

import cv2
import numpy as np
import pytest


@pytest.fixture(scope="session")
def picture():
    """Draws log-compressed speckle with black discs (depth, across, diameter in mm) at 0.1 mm a pixel."""

    def draw(discs: list[tuple[float, float, float]], seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        row, col = np.mgrid[:300, :360]
        y, x = (row + 0.5) * 0.1, (col + 0.5) * 0.1
        amplitude = np.ones((300, 360))
        for depth, across, diameter in discs:
            amplitude[np.hypot(y - depth, x - across) <= diameter / 2] = 0.015
        parts = [
            cv2.GaussianBlur(rng.normal(size=(300, 360)) * amplitude, (0, 0), 2.1, sigmaY=1.3)
            for _ in range(2)
        ]
        envelope = np.hypot(*parts)
        decibel = 20 * np.log10(np.maximum(envelope / np.median(envelope), 1e-4))
        return np.clip(110 + decibel * 255 / 60, 0, 255).astype(np.uint8)

    return draw
