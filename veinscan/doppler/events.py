"""Where things happen on a strip: spikes of augmentation and runs of retrograde flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d, median_filter  # type: ignore[attr-defined]

from veinscan.doppler.envelope import Array, Side, Traces

JOIN_S = 0.100
"""Gaps shorter than this do not interrupt retrograde flow (definition)."""
MIN_SPIKE_CM_S = 5.0
"""Lowest mean velocity at the top of an augmentation spike."""
SPIKE_SMOOTH_S = 0.03
"""Standard deviation of the smoothing along time with which spikes are looked for."""
RISE_S = 0.2
"""A squeeze lifts the flow by `MIN_RISE` of its top within this time; breathing takes longer."""
MIN_RISE = 0.42
"""Share of the spike's top; so a spike stands out of resting flow by 1.7 times."""
MIN_ENVELOPE_RISE = 0.38
"""By this share the envelope rises within the same time: next to strong walls the mean jumps by itself."""
MAX_WIDTH_S = 1.6
"""A squeeze is released within this time of its rise; resting flow that comes back stays."""
MIN_BLOOD = 0.10
"""Retrograde flow shows at least this share of the blood the spike showed: the gate did not move."""
MIN_RUN_POWER = 0.12
"""Columns with less than this share of a run's blood do not belong to it."""
MIN_RUN_S = 0.030
"""A shorter run of retrograde flow is no more than the spectrum's own width in time."""

MIN_RUN_ROWS = 3.0
"""Rows from the baseline that a run's mean velocity must reach: nearer, its line is not told from flow.
Where walls reach further, so far."""


@dataclass(frozen=True, slots=True)
class Spike:
    """An augmentation: indices of start, top and release (half its height)."""

    start: int
    top: int
    release: int
    height: float
    """Mean velocity at the top, in the strip's unit."""
    power: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run of flow one way: first and last index with flow."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Columns."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Presence:
    """Where a run has half of its power: first and last index with more, and the crossings beside them."""

    first: int
    last: int
    start: float
    stop: float


def velocity(traces: Traces, sign: int, step_s: float) -> Array:
    """(n,) mean velocity that way (+1 towards the probe), 0 where there is none, or more the other way."""
    net = np.nan_to_num(traces.mean) * sign
    return np.clip(net, 0, None)


def spikes(traces: Traces, sign: int, step_s: float, unit_cm_s: float | None) -> list[Spike]:
    """Augmentation spikes of one direction, in the order of time.

    Parameters
    ----------
    traces : Traces
    sign : int
        +1 for towards the probe.
    step_s : float
        Seconds per column.
    unit_cm_s : float or None
        cm/s per unit of the strip; None when not known: then only the shape counts.
    """
    side = traces.side(sign)
    net, back = (_steady(velocity(traces, s, step_s), step_s) for s in (sign, -sign))
    envelope = _steady(np.nan_to_num(side.envelope), step_s)
    if not net.size or net.max() <= 0:
        return []
    least = MIN_SPIKE_CM_S / unit_cm_s if unit_cm_s else 0.04 * float(np.abs(traces.values).max())
    height = max(least, 0.4 * float(net.max()))
    from scipy.signal import find_peaks  # type: ignore[attr-defined]  # brings half of SciPy: .4 s

    tops, _ = find_peaks(
        np.r_[0, net, 0], height=height, prominence=0.5 * height, distance=max(1, int(0.25 / step_s))
    )
    found: list[Spike] = []
    for top in tops - 1:
        spike = _spike(net, side, int(top), step_s)
        if spike is None or not _rises(envelope, spike, step_s):
            continue
        before = slice(max(0, spike.start - int(0.25 / step_s)), spike.start + 1)
        if back[before].size and back[before].max() > 0.5 * spike.height:
            continue  # it follows flow the other way at once: that is what reflux does after a release
        if found and spike.start <= found[-1].release:
            if spike.height > found[-1].height:
                found[-1] = Spike(found[-1].start, spike.top, spike.release, spike.height, spike.power)
            continue
        found.append(spike)
    usual = float(np.median([s.power for s in found])) if found else 0.0
    return [s for s in found if s.power >= 0.1 * usual]


def _steady(flow: Array, step_s: float) -> Array:
    """Velocity without the jitter of speckle; a median keeps the steepness of a squeeze."""
    middle = median_filter(flow, size=max(1, 2 * round(0.06 / step_s) + 1), mode="nearest")
    return np.asarray(gaussian_filter1d(middle, max(0.5, SPIKE_SMOOTH_S / step_s)), dtype=np.float64)


def _spike(net: Array, side: Side, top: int, step_s: float) -> Spike | None:
    """The spike with its top at an index, or None when it does not rise and fall like a squeeze."""
    peak = float(net[top])
    before = net[max(0, top - int(np.ceil(1.5 / step_s))) : top + 1][::-1]
    near = np.flatnonzero(before < 0.85 * peak)
    if not near.size:
        return None
    rise = before[near[0] : near[0] + max(2, round(RISE_S / step_s))]
    low = np.flatnonzero(rise < (1 - MIN_RISE) * peak)
    if not low.size:
        return None  # its rise is not on the strip, too slow, or it stands on flow nearly as strong
    after = np.flatnonzero(net[top:] < 0.5 * peak)
    if not after.size or (after[0] + near[0]) * step_s > MAX_WIDTH_S:
        return None  # never released on the strip: nothing can be said about what follows a release
    start, release = top - int(near[0] + low[0]), top + int(after[0])
    part = side.power[start : release + 1]
    return Spike(start, top, release, peak, float(np.median(part)) if part.size else 0.0)


def _rises(envelope: Array, spike: Spike, step_s: float) -> bool:
    """Whether the envelope comes up as quickly as a spike's mean velocity."""
    span = max(1, round(RISE_S / step_s))
    part = envelope[max(0, spike.start - span // 2) : spike.top + 1]
    before, after = part[: max(1, part.size - span)], part[min(span, part.size - 1) :]
    return bool((before < (1 - MIN_ENVELOPE_RISE) * after).any())


def presence(power: Array, first: int, last: int, step_s: float) -> Presence:
    """Indices at which the power of a run rises over half of what it has next to its ends.

    The transform's window looks at time before and after a column, so that
    the spectrum of a flow that stops at once fades over the window's length;
    at the true end half of its power is left.
    """
    span = max(2, int(0.15 / step_s))
    whole = power[first : last + 1]
    head, tail = whole[: span + 1], whole[-span - 1 :]
    rise, fall = 0.5 * float(np.quantile(head, 0.6)), 0.5 * float(np.quantile(tail, 0.6))
    start, stop = np.flatnonzero(whole >= rise), np.flatnonzero(whole >= fall)
    left = first + (int(start[0]) if start.size else 0)
    right = first + (int(stop[-1]) if stop.size else whole.size - 1)
    return Presence(
        left, right, left - _part(power, left, left - 1, rise), right + _part(power, right, right + 1, fall)
    )


def _part(power: Array, inner: int, outer: int, limit: float) -> float:
    """Share of a column, 0..1, from an index above a limit towards its neighbour below it to the crossing."""
    beyond = float(power[outer]) if 0 <= outer < power.size else 0.0
    drop = float(power[inner]) - beyond
    return min(max((float(power[inner]) - limit) / drop, 0.0), 1.0) if drop > 0 else 0.5


def runs(
    traces: Traces, sign: int, first: int, last: int, limit: float, least_power: float, step_s: float
) -> list[Run]:
    """Runs of net flow one way in `first` to `last`, faster than `limit`, pauses under 100 ms joined."""
    flow = velocity(traces, sign, step_s)[first : last + 1]
    power = traces.side(sign).power[first : last + 1]
    smooth = median_filter(flow, size=3, mode="nearest")
    moving = power[smooth > limit]
    gate = max(least_power * 0.25, MIN_RUN_POWER * float(np.quantile(moving, 0.8)) if moving.size else 0.0)
    on: npt.NDArray[np.bool_] = (smooth > limit) & (power >= gate)
    edges = np.flatnonzero(np.diff(np.r_[False, on, False].astype(np.int8)))
    pieces = [Run(int(a) + first, int(b) - 1 + first) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    joined: list[Run] = []
    for piece in pieces:
        if joined and (piece.first - joined[-1].last - 1) * step_s < JOIN_S:
            joined[-1] = Run(joined[-1].first, piece.last)
        else:
            joined.append(piece)
    whole = traces.side(sign).power
    slowest = max(MIN_RUN_ROWS, traces.wall_rows) * float(np.abs(np.diff(traces.values[:2])).sum())
    found = []
    for run in joined:
        there = presence(whole, run.first, run.last, step_s)
        if (
            run.length * step_s >= MIN_RUN_S
            and float(smooth[there.first - first : there.last + 1 - first].max()) >= slowest
            and float(np.quantile(whole[run.first : run.last + 1], 0.8)) >= least_power
        ):
            found.append(run)
    return found
