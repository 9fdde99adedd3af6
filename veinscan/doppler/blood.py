"""What on a strip is blood: power without noise, vessel walls and mirror image.

Display levels are turned back into power with an assumed dynamic range; what
graphics hide is bridged from what lies beside it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.doppler.burned_in import Mask
from veinscan.doppler.strip import Strip

Array = npt.NDArray[np.float64]
Power = npt.NDArray[np.float32]

DISPLAY_RANGE_DB = 40.0
"""Dynamic range taken for the display; scanners offer 30 to 60 dB and the file does not say which."""
SMOOTH_S = 0.008
"""Standard deviation of the smoothing along time."""
SMOOTH_ROWS = 1.0
"""Standard deviation of the smoothing along velocity."""
NOISE_SIGMAS = 4.0
"""Power this many standard deviations above the noise floor is signal."""
MIRROR_RATIO = 0.08
"""What is weaker than this share (-11 dB) of its mirror place is taken for the mirror image."""
BRIGHT_WALL = 0.02
"""Power of walls, of the brightest that is shown, under which slow flow is not seen."""
WALL_ROWS = 4
"""Rows over which the strength of walls is read where their mirror places end."""


def blood_of(strip: Strip, range_db: float = DISPLAY_RANGE_DB) -> tuple[Power, Mask, float]:
    """Power of the blood, smoothed, and where it stands out of noise, walls and mirror image.

    Returns
    -------
    power : (rows, n) float32
        Noise floor and walls taken away.
    signal : (rows, n) bool
        Aliased signal and specks included.
    wall_rows : float
        Rows from the baseline up to which walls are bright (`BRIGHT_WALL`); 0 without.
    """
    raw = power_of(strip, range_db)
    weight = strip.valid.astype(np.float32)
    sigma = max(0.6, SMOOTH_S / strip.axes.time_step_s)
    smooth = _blur(raw, sigma, SMOOTH_ROWS)
    share = _blur(weight, sigma, SMOOTH_ROWS)
    values = strip.values
    power = np.where(share > 0.05, smooth / np.maximum(share, 0.05), 0.0).astype(np.float32)
    power = _fill_rows(power, share)
    power = _fill_columns(power, strip.valid)
    far = _quiet_rows(power, values)
    noise = float(np.median(power[far])) if far.any() else 0.0
    spread = 1.4826 * float(np.median(np.abs(power[far] - noise))) if far.any() else 0.0
    baseline = strip.axes.baseline_row - strip.axes.box[0]
    mirrored = _mirror(power, baseline)
    walls = _walls(power, mirrored, noise, baseline)
    signal = (
        (power > noise + NOISE_SIGMAS * spread + 2e-4)
        & (power - noise > 2.0 * walls)
        & (power - noise > MIRROR_RATIO * np.clip(mirrored - noise, 0, None))
        & (np.abs(values) > 0.75 * strip.axes.value_step)[:, None]
    )
    bright = np.abs(np.arange(power.shape[0]) - baseline)[walls[:, 0] > BRIGHT_WALL]
    return np.clip(power - noise - walls, 0, None), np.asarray(signal), float(bright.max(initial=0.0))


def power_of(strip: Strip, range_db: float = DISPLAY_RANGE_DB) -> Power:
    """(rows, n) power, 1 at full display level; 0 at level 0 and where graphics lie."""
    floor = 10 ** (-range_db / 10)
    power = 10 ** ((strip.level - 1) * (range_db / 10))
    return np.where(strip.valid, np.clip(power - floor, 0, None), 0).astype(np.float32)


def _blur(image: Power, along_time: float, along_rows: float) -> Power:
    return np.asarray(
        cv2.GaussianBlur(
            image, (0, 0), sigmaX=along_time, sigmaY=along_rows, borderType=cv2.BORDER_REPLICATE
        ),
        dtype=np.float32,
    )


def _fill_rows(power: Power, share: Power) -> Power:
    """Rows hidden by a line take what lies above and below them."""
    hidden = share.mean(axis=1) < 0.3
    if not hidden.any() or hidden.all():
        return power
    rows = np.arange(power.shape[0])
    good = np.flatnonzero(~hidden)
    out = power.copy()
    for row in np.flatnonzero(hidden):
        place = int(np.searchsorted(good, row))
        low, high = good[max(0, place - 1)], good[min(good.size - 1, place)]
        part = 0.0 if high == low else float(rows[row] - low) / float(high - low)
        out[row] = power[low] * (1 - part) + power[high] * part
    return out


def _fill_columns(power: Power, valid: Mask) -> Power:
    """Columns hidden by a cursor, with those it smears into, take what lies left and right of them."""
    hidden = valid.mean(axis=0) < 0.3
    if not hidden.any():
        return power
    hidden = np.convolve(hidden, np.ones(5), mode="same") > 0
    good = np.flatnonzero(~hidden)
    if not good.size:
        return power
    out = power.copy()
    for col in np.flatnonzero(hidden):
        place = int(np.searchsorted(good, col))
        low, high = good[max(0, place - 1)], good[min(good.size - 1, place)]
        part = 0.0 if high == low else float(col - low) / float(high - low)
        out[:, col] = power[:, low] * (1 - part) + power[:, high] * part
    return out


def _quiet_rows(power: Power, values: Array) -> Mask:
    """(rows,) the outer rows with the least in them: where the noise floor is read."""
    outer = np.abs(values) > 0.6 * np.abs(values).max()
    if outer.sum() < 6:
        outer = np.abs(values) > np.quantile(np.abs(values), 0.6)
    level = np.median(power, axis=1)
    limit = np.quantile(level[outer], 0.6) if outer.any() else 0.0
    return np.asarray(outer & (level <= limit))


def _mirror(power: Power, baseline: float) -> Power:
    """(rows, n) the power at the same speed in the other direction; 0 where that lies off the strip."""
    rows = power.shape[0]
    other = 2 * baseline - np.arange(rows)
    low = np.floor(other).astype(int)
    part = (other - low)[:, None].astype(np.float32)
    inside = (low >= 0) & (low + 1 < rows)
    out = np.zeros_like(power)
    picked = low[inside]
    out[inside] = power[picked] * (1 - part[inside]) + power[picked + 1] * part[inside]
    return out


def _walls(power: Power, mirrored: Power, noise: float, baseline: float) -> Power:
    """(rows, 1) power that stands on both sides of the baseline most of the time.

    Where the mirror place lies off the strip, walls are no stronger than at the last row that has one:
    steady flow there is not taken for a wall.
    """
    count = power.shape[0]
    distance = np.abs(np.arange(count) - baseline)
    reach = min(baseline, count - 1 - baseline)
    both = np.minimum(power, np.where(mirrored > 0, mirrored, power)) - noise
    walls = np.clip(np.median(both, axis=1), 0, None)
    last = (distance <= reach) & (distance > reach - WALL_ROWS)
    if last.any():
        beyond = distance > reach
        walls[beyond] = np.minimum(walls[beyond], np.median(walls[last]))
    return np.asarray(walls[:, None], dtype=np.float32)
