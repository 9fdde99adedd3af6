"""Traces of a spectral strip: envelope on both sides, mean velocity, and how much blood is seen.

From the power of the blood (`blood`), with aliased flow carried over the edge (`aliased`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from veinscan.doppler.aliased import attached, carried_over, wrapped_round
from veinscan.doppler.blood import DISPLAY_RANGE_DB, SMOOTH_ROWS, blood_of
from veinscan.doppler.edge import outer_edge, shown_brightness
from veinscan.doppler.peak import grain_rows
from veinscan.doppler.strip import Strip

Array = npt.NDArray[np.float64]

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
    wall_rows: float
    """Rows from the baseline within which walls hide slow flow; 0 where none are bright."""
    aliased: npt.NDArray[np.bool_] = field(repr=False)
    """(n,) columns in which the spectrum goes over the strip's edge and comes back at the other."""

    def side(self, sign: int) -> Side:
        """The side towards the probe for +1, away from it for -1."""
        return self.towards if sign > 0 else self.away


def trace(strip: Strip, *, range_db: float = DISPLAY_RANGE_DB) -> Traces:
    """Envelope, mean and power of both directions, column by column."""
    values = strip.values
    blood, signal, wall_rows = blood_of(strip, range_db)
    wrapped = wrapped_round(signal, values)
    signal = attached(signal & ~wrapped, values)
    shown, _ = carried_over(shown_brightness(strip), ~wrapped, wrapped, values)
    blood, values = carried_over(blood, signal, wrapped, values)
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
        wall_rows=wall_rows,
        aliased=np.asarray(wrapped.any(axis=0)),
    )


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
