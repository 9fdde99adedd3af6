"""Peak velocity from the spectrum around a moment, without the width that the transform gave it.

A spectrum is as wide as the velocities in the lumen, and wider: the window of
the transform and the smoothing of the picture blur it along the rows, by a
share of the velocity that is greatest for slow flow at a steep angle.  How far
is seen in the strip itself: the grain of a spectrum is as coarse as the
window is short.  The average spectrum around the moment is sharpened by that
much before its percentile is taken.  What the transit of the cells through the
gate adds is not taken out: nothing on a strip tells it from velocity.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.doppler.strip import Strip

Array = npt.NDArray[np.float64]

TURNS = 10
"""Steps of Richardson and Lucy (1972, 1974); more sharpen the noise, not the edge."""
GRAIN_SMOOTH_S = 0.05
"""Slower changes than this are flow, quicker ones grain."""
LAGS = 13
"""Rows over which the grain is compared with itself."""
MOST_ROWS = 4.0
"""Widths above this are not believed."""


def grain_rows(strip: Strip) -> float:
    """Standard deviation, in rows, of the blur that the transform's window gives the spectrum.

    For a window close to a Gaussian the power of Gaussian noise is correlated
    over rows as exp(-d^2 / (2 s^2)) with s = sqrt(2) times the standard
    deviation of the window's power spectrum, so that this is 0.6 of the
    distance at which the correlation has fallen to half.  0 where too little
    grain is seen.
    """
    level = strip.level
    sigma = max(1.5, GRAIN_SMOOTH_S / strip.axes.time_step_s)
    width = 2 * int(4 * sigma) + 1
    soft = cv2.GaussianBlur(level, (width, 1), sigmaX=sigma, borderType=cv2.BORDER_REPLICATE)
    use = (soft > 0.25) & (soft < 0.92) & strip.valid & (level > 0.02) & (level < 0.985)
    grain = np.where(use, level - soft, 0).astype(np.float32)
    rows = level.shape[0]
    likeness = np.full(LAGS, np.nan)
    for lag in range(min(LAGS, rows - 1)):
        both = use[lag:] & use[: rows - lag]
        count = int(np.count_nonzero(both))
        if count > 200:
            likeness[lag] = float((grain[lag:] * grain[: rows - lag])[both].mean())
    if not np.isfinite(likeness).all() or likeness[0] <= 0:
        return 0.0
    # what stays alike over many rows is flow that changed quickly
    ground = float(likeness[8:].mean())
    likeness = (likeness - ground) / max(float(likeness[0]) - ground, 1e-9)
    below = np.flatnonzero(likeness < 0.5)
    if not below.size:
        return MOST_ROWS
    k = int(below[0])
    half = k - 1 + (likeness[k - 1] - 0.5) / (likeness[k - 1] - likeness[k])
    return float(min(0.6 * half, MOST_ROWS))


def sharpened(spectrum: Array, rows: float) -> Array:
    """(k,) a spectrum with a Gaussian blur of so many rows taken out (Richardson and Lucy)."""
    if rows < 0.3 or spectrum.size < 3 or spectrum.sum() <= 0:
        return spectrum
    reach = int(4 * rows + 3)
    kernel = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * rows**2))
    kernel /= kernel.sum()
    seen = np.pad(np.clip(spectrum, 0, None), reach) + 1e-12 * float(spectrum.max())
    out = seen.copy()
    for _ in range(TURNS):
        blurred = np.convolve(out, kernel, mode="same")
        out = out * np.convolve(seen / np.maximum(blurred, 1e-15), kernel, mode="same")
    return np.asarray(out[reach:-reach], dtype=np.float64)
