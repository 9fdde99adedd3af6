"""Traces of a spectral strip: envelope on both sides, mean velocity, and how much blood is seen.

Display levels are turned back into power with an assumed dynamic range; then
what is no blood is taken away: the noise floor, what stands on both sides of
the baseline all the time (vessel walls), and the mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.doppler.edge import outer_edge, shown_brightness
from veinscan.doppler.peak import grain_rows
from veinscan.doppler.strip import Strip

Array = npt.NDArray[np.float64]

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
WALL_ROWS = 4
"""Rows over which the strength of walls is read where their mirror places end."""
LEAST_BLOOD = 0.01
"""Columns with a smaller share of the usual power show no blood."""
PERCENTILE = 0.95
"""Share of the blood that is slower than the envelope (definition of the peak)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One direction of flow; values in the strip's unit, never negative, 0 where nothing flows."""

    mean: Array = field(repr=False)
    """(n,) power-weighted mean velocity of what flows this way."""
    envelope: Array = field(repr=False)
    """(n,) 95th percentile of the velocities this way; NaN where nothing flows."""
    maximum: Array = field(repr=False)
    """(n,) outer edge of the displayed spectrum, broadening included, as scanners trace and print it
    (`edge.outer_edge`); NaN where nothing flows.  Not the peak velocity of a reflux measurement."""
    power: Array = field(repr=False)
    """(n,) power of what flows this way, relative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Traces of a strip, a value for each of its columns, in the order of time."""

    times_s: Array = field(repr=False)
    values: Array = field(repr=False)
    """(k,) velocity of each row of `power`."""
    mean: Array = field(repr=False)
    """(n,) mean velocity of both directions together, towards the probe positive; NaN where none is seen."""
    towards: Side
    away: Side
    power: npt.NDArray[np.float32] = field(repr=False)
    """(k, n) power of the blood, smoothed, 0 where it is none; aliased flow lies beyond the strip."""
    blur_rows: float
    """Rows (standard deviation) by which `power` is wider than the velocities: transform and smoothing."""
    aliased: npt.NDArray[np.bool_] = field(repr=False)
    """(n,) columns in which the spectrum goes over the strip's edge and comes back at the other."""

    def side(self, sign: int) -> Side:
        """The side towards the probe for +1, away from it for -1."""
        return self.towards if sign > 0 else self.away


def power_of(strip: Strip, range_db: float = DISPLAY_RANGE_DB) -> npt.NDArray[np.float32]:
    """(rows, n) power, 1 at full display level; 0 at level 0 and where graphics lie."""
    floor = 10 ** (-range_db / 10)
    power = 10 ** ((strip.level - 1) * (range_db / 10))
    return np.where(strip.valid, np.clip(power - floor, 0, None), 0).astype(np.float32)


def trace(strip: Strip, *, range_db: float = DISPLAY_RANGE_DB) -> Traces:
    """Envelope, mean and power of both directions, column by column."""
    raw = power_of(strip, range_db)
    weight = strip.valid.astype(np.float32)
    sigma = max(0.6, SMOOTH_S / strip.axes.time_step_s)
    smooth = _blur(raw, sigma, SMOOTH_ROWS)
    share = _blur(weight, sigma, SMOOTH_ROWS)
    values = strip.values
    power = np.where(share > 0.05, smooth / np.maximum(share, 0.05), 0.0).astype(np.float32)
    power = _fill_rows(power, share)
    power = _fill_columns(power, strip.valid)
    away_from_zero = np.abs(values)
    far = _quiet_rows(power, values)
    noise = float(np.median(power[far])) if far.any() else 0.0
    spread = 1.4826 * float(np.median(np.abs(power[far] - noise))) if far.any() else 0.0
    baseline = strip.axes.baseline_row - strip.axes.box[0]
    mirrored = _mirror(power, baseline)
    walls = _walls(power, mirrored, noise, baseline)
    blood = np.clip(power - noise - walls, 0, None)
    signal = (
        (power > noise + NOISE_SIGMAS * spread + 2e-4)
        & (power - noise > 2.0 * walls)
        & (power - noise > MIRROR_RATIO * np.clip(mirrored - noise, 0, None))
        & (away_from_zero > 0.75 * strip.axes.value_step)[:, None]
    )
    wrapped = _wrapped(signal, values)
    signal = _attached(signal & ~wrapped, values)
    shown, _ = _unwrapped(shown_brightness(strip), ~wrapped, wrapped, values)
    blood, values = _unwrapped(blood, signal, wrapped, values)
    seen = blood.sum(axis=0)
    # the same blood crosses the gate all the time: a trace of its power is what a filter left of the walls
    blood[:, seen < LEAST_BLOOD * float(np.quantile(seen, 0.95))] = 0
    towards = _side(blood, shown, values, 1, strip.noise_shown)
    away = _side(blood, shown, values, -1, strip.noise_shown)
    total = blood.sum(axis=0)
    net = np.where(total > 0, (blood * values[:, None]).sum(axis=0) / np.maximum(total, 1e-12), np.nan)
    return Traces(
        times_s=strip.times_s,
        values=values,
        mean=net,
        towards=towards,
        away=away,
        power=blood,
        blur_rows=float(np.hypot(grain_rows(strip), SMOOTH_ROWS)),
        aliased=np.asarray(wrapped.any(axis=0)),
    )


def _blur(image: npt.NDArray[np.float32], along_time: float, along_rows: float) -> npt.NDArray[np.float32]:
    return np.asarray(
        cv2.GaussianBlur(
            image, (0, 0), sigmaX=along_time, sigmaY=along_rows, borderType=cv2.BORDER_REPLICATE
        ),
        dtype=np.float32,
    )


def _fill_rows(power: npt.NDArray[np.float32], share: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
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


def _fill_columns(power: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
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


def _quiet_rows(power: npt.NDArray[np.float32], values: Array) -> npt.NDArray[np.bool_]:
    """(rows,) the outer rows with the least in them: where the noise floor is read."""
    outer = np.abs(values) > 0.6 * np.abs(values).max()
    if outer.sum() < 6:
        outer = np.abs(values) > np.quantile(np.abs(values), 0.6)
    level = np.median(power, axis=1)
    limit = np.quantile(level[outer], 0.6) if outer.any() else 0.0
    return np.asarray(outer & (level <= limit))


def _mirror(power: npt.NDArray[np.float32], baseline: float) -> npt.NDArray[np.float32]:
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


def _walls(
    power: npt.NDArray[np.float32], mirrored: npt.NDArray[np.float32], noise: float, baseline: float
) -> npt.NDArray[np.float32]:
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


def _attached(signal: npt.NDArray[np.bool_], values: Array) -> npt.NDArray[np.bool_]:
    """Signal in pieces that reach down to slow flow, or are large; specks of noise and text are dropped."""
    closed = cv2.morphologyEx(signal.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
    total, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    slow = np.abs(values) < max(0.12 * float(np.abs(values).max()), 4 * float(np.abs(np.diff(values)).mean()))
    keep = np.zeros(total, dtype=bool)
    area = stats[:, cv2.CC_STAT_AREA]
    touching = np.unique(labels[slow])
    keep[touching] = area[touching] >= 12
    # text may stand on the noise floor; blood that does not reach down to slow flow is larger
    wide = stats[:, cv2.CC_STAT_WIDTH]
    keep |= (stats[:, cv2.CC_STAT_HEIGHT] > 24) | ((wide > 60) & (area > 5 * wide))
    keep[0] = False
    return np.asarray(signal & keep[labels])


def _wrapped(signal: npt.NDArray[np.bool_], values: Array) -> npt.NDArray[np.bool_]:
    """(rows, n) aliased signal: it hangs on one edge, clear of the baseline, while the other edge is full."""
    out = np.zeros_like(signal)
    closed = cv2.morphologyEx(signal.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 3), np.uint8))
    total, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    rows = signal.shape[0]
    slow = np.unique(labels[np.abs(values) < 0.12 * float(np.abs(values).max())])
    edges = (closed[:3].any(axis=0), closed[-3:].any(axis=0))
    for k in range(1, total):
        top, height, area = stats[k][1], stats[k][3], stats[k][4]
        if area < 12 or k in slow:
            continue
        at_top, at_bottom = top <= 2, top + height >= rows - 2
        if at_top == at_bottom:
            continue
        own = (labels[:3] == k).any(axis=0) if at_top else (labels[-3:] == k).any(axis=0)
        if (edges[1 if at_top else 0] & own).sum() >= 0.6 * own.sum():
            out |= (labels == k) & signal
    return out


def _unwrapped(
    blood: npt.NDArray[np.float32],
    signal: npt.NDArray[np.bool_],
    wrapped: npt.NDArray[np.bool_],
    values: Array,
) -> tuple[npt.NDArray[np.float32], Array]:
    """Power and values with aliased signal carried over the edge: one strip's height further out."""
    kept = np.where(signal, blood, 0).astype(np.float32)
    if not wrapped.any():
        return kept, values
    rows = blood.shape[0]
    moved = np.where(wrapped, blood, 0).astype(np.float32)
    half = rows // 2
    # rows above the strip hold what came in at the bottom, rows below it what came in at the top
    above, below = moved[rows - half :], moved[:half]
    step = (values[-1] - values[0]) / (rows - 1)
    long = values[0] + step * np.arange(-half, rows + half)
    return np.concatenate([above, kept, below]), np.asarray(long, dtype=np.float64)


def _side(
    blood: npt.NDArray[np.float32], shown: npt.NDArray[np.float32], values: Array, sign: int, noisy: bool
) -> Side:
    rows = np.flatnonzero(values * sign > 0)
    rows = rows[np.argsort(values[rows] * sign)]  # slow to fast
    speed = values[rows] * sign
    part = blood[rows].astype(np.float64)
    power = part.sum(axis=0)
    some = power > 0
    mean = np.where(some, (part * speed[:, None]).sum(axis=0) / np.maximum(power, 1e-12), 0.0)
    envelope = np.full(power.shape, np.nan)
    maximum = np.full(power.shape, np.nan)
    if rows.size >= 2:
        envelope[some] = percentile(part[:, some], speed, PERCENTILE)
        seen = np.asarray(part[:, some] > 0)
        edges = outer_edge(shown[rows][:, some].astype(np.float64), speed, envelope[some], seen, noisy)
        maximum[some] = edges
    return Side(mean=mean, envelope=envelope, maximum=maximum, power=power)


def percentile(part: Array, speed: Array, share: float) -> Array:
    """(n,) speed below which a share of each column's power lies; `part` (k, n), slow rows first."""
    gathered = np.cumsum(part, axis=0)
    total = gathered[-1]
    wanted = share * total
    at = np.argmax(gathered >= wanted[None, :], axis=0)
    columns = np.arange(part.shape[1])
    before = np.where(at > 0, gathered[np.maximum(at - 1, 0), columns], 0.0)
    inside = (wanted - before) / np.maximum(part[at, columns], 1e-12)
    step = float(np.abs(np.diff(speed)).mean()) if speed.size > 1 else 0.0
    return np.asarray(speed[at] + (np.clip(inside, 0, 1) - 0.5) * step, dtype=np.float64)
