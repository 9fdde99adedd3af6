"""How far the probe presses: tissue between skin and depth gets shorter, everywhere at once.

Of every frame the brightness along depth is kept in a few upright strips.  The scale along depth that
makes two frames alike says how much shorter the tissue is on one of them; from many pairs comes one
shortening for every frame.  A sweep changes the picture, but stretches it nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt
from scipy.linalg import solveh_banded

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

STRIPS = 8
"""Upright strips of the picture."""

STEP_MM, DEPTH_MM = 0.25, 25.0
"""Sampling along depth, and how deep."""

STEADY_MM = 2.0
"""Brightness that changes more slowly along depth than this is gain, not tissue."""

LAGS = (1, 2, 3, 5, 8, 12)
"""Frames apart that are compared."""

SCALES = np.linspace(-0.10, 0.10, 41)
"""Logarithms of the scales tried between two frames."""

LEAST_LIKENESS = 0.5
"""Correlation below which two frames say nothing of each other."""


def depth_profile(image: Floats, skin_row: float, pixel_mm: float) -> Floats:
    """(STRIPS, depths) brightness along depth below the skin, less its slow change, of unit length a strip.

    `image` (rows, cols) grey levels on the grid, `skin_row` in its pixels.
    """
    first = min(max(round(skin_row), 0), len(image) - 1)
    below = image[first : first + max(1, round(DEPTH_MM / pixel_mm))]
    count = max(8, round(len(below) * pixel_mm / STEP_MM))
    strips = cv2.resize(below, (STRIPS, count), interpolation=cv2.INTER_AREA)
    strips = strips - cv2.GaussianBlur(strips, (1, 0), sigmaX=1e-3, sigmaY=STEADY_MM / STEP_MM)
    strips /= np.maximum(np.linalg.norm(strips, axis=0), 1e-3)
    return np.ascontiguousarray(strips.T, np.float32)


def shortening(profiles: Mapping[int, Floats], count: int) -> Array:
    """(count,) by what part tissue is shorter on each frame than on those where it is longest, 0..1.

    `profiles` of the frames of a clip of `count`; NaN for frames that resemble no other.
    """
    out = np.full(count, np.nan)
    frames = sorted(profiles)
    if len(frames) < 3:
        return out
    depths = min(profile.shape[1] for profile in profiles.values())
    pairs: list[tuple[int, int]] = []
    wanted: list[float] = []
    weights: list[float] = []
    at = np.arange(depths)
    maps = np.clip(np.exp(SCALES)[:, None] * at, 0, depths - 1)
    low = np.minimum(maps.astype(int), depths - 2)
    share = (maps - low).astype(np.float32)
    for place in range(len(frames) - 1):
        one = profiles[frames[place]][:, :depths]
        # the frame read at scaled depths, at unit length: (strips, scales, depths)
        read = one[:, low] * (1 - share) + one[:, low + 1] * share
        read /= np.maximum(np.sqrt(np.einsum("sck,sck->sc", read, read)), 1e-6)[:, :, None]
        for later in (place + lag for lag in LAGS if place + lag < len(frames)):
            other = profiles[frames[later]][:, :depths]
            likeness = np.matmul(read, other[:, :, None])[:, :, 0].mean(axis=0)
            best = int(likeness.argmax())
            top = float(likeness[best]) / max(float(np.linalg.norm(other, axis=1).mean()), 1e-6)
            if top < LEAST_LIKENESS or best in (0, len(SCALES) - 1):
                continue
            before, here, after = likeness[best - 1 : best + 2]
            bend = before - 2 * here + after
            part = 0.5 * (before - after) / bend if bend < -1e-9 else 0.0
            pairs.append((place, later))
            wanted.append(SCALES[best] + part * (SCALES[1] - SCALES[0]))
            weights.append(top**2)
    known = np.zeros(len(frames), bool)
    known[[place for pair in pairs for place in pair]] = True
    if known.sum() < 3:
        return out
    scale = _least_squares((np.cumsum(known) - 1)[np.array(pairs)], np.array(wanted), np.array(weights))
    shorter = scale - np.percentile(scale, 10)
    result = np.full(len(frames), np.nan)
    result[known] = 1.0 - np.exp(-np.maximum(shorter, 0.0))
    out[frames] = result
    return out


def _least_squares(pairs: npt.NDArray[np.int64], wanted: Array, weights: Array) -> Array:
    """(n,) values whose differences (second less first of each pair) come nearest to the wanted ones."""
    size = int(pairs.max()) + 1
    band = np.zeros((int((pairs[:, 1] - pairs[:, 0]).max()) + 1, size))
    np.add.at(band[0], pairs.ravel(), np.repeat(weights, 2))
    np.add.at(band, (pairs[:, 1] - pairs[:, 0], pairs[:, 0]), -weights)
    band[0] += 1e-6  # the mean is free: it is held lightly at zero
    right = np.zeros(size)
    np.add.at(right, pairs[:, 1], weights * wanted)
    np.add.at(right, pairs[:, 0], -weights * wanted)
    return np.asarray(solveh_banded(band, right, lower=True), np.float64)
