"""Attempts on a strip: what followed each squeeze, by the definitions that `reflux` states."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from veinscan.doppler.axes import StripAxes
from veinscan.doppler.envelope import Array, Traces
from veinscan.doppler.events import MIN_BLOOD, Presence, Run, Spike, presence, runs, spikes, velocity
from veinscan.doppler.model import RefluxMeasurement
from veinscan.doppler.strip import Strip
from veinscan.doppler.velocity_profile import moment_of, peak_velocity

END_CM_S = 1.0
"""Mean retrograde velocity below which reflux has ended (definition)."""
END_SHARE_OF_SCALE = 0.02
"""The same on a strip in Hz whose frequency or angle is not known (definition)."""
CARRIED_S = 0.025
"""Furthest that the onset is carried back over flow hidden by the wall filter."""
RISE_S = 0.04
"""The line is laid through this much of the rise."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """What one strip is measured by."""

    limit: float
    end_rule: str
    unit_cm_s: float | None
    step_s: float


def measure_traces(
    strip: Strip, traces: Traces, *, antegrade: str | None, manoeuvre: str, threshold_profile: str
) -> list[RefluxMeasurement]:
    """Every attempt on a strip whose traces are there; one inadequate measurement when there is none."""
    axes = strip.axes
    rules = _rules(axes, traces.values)
    blank = RefluxMeasurement(
        attempt=1,
        n_attempts=0,
        adequate=False,
        reflux_s=None,
        manoeuvre=manoeuvre,
        antegrade=antegrade,
        polarity_confirmed=antegrade is not None,
        end_rule=rules.end_rule,
        time_step_s=axes.time_step_s,
        angle_deg=axes.angle_deg,
        calibration=axes.source,
        threshold_profile=threshold_profile,
        newest_s=float(strip.times_s[-1]),
        warnings=strip.warnings,
    )
    up = 1 if axes.up_is_positive else -1
    sign = None if antegrade is None else (up if antegrade == "up" else -up)
    if manoeuvre == "valsalva":
        if sign is None:
            note = "in a Valsalva no spike tells which way is antegrade: set the polarity"
            return [replace(blank, warnings=(*strip.warnings, note))]
        return [_valsalva(blank, traces, sign, rules)]
    sign, squeezes = _squeezes(traces, sign, rules)
    if not squeezes:
        note = "no antegrade spike was found: inadequate, not 'no reflux'"
        return [replace(blank, warnings=(*strip.warnings, note))]
    if antegrade is None:
        blank = replace(blank, antegrade="up" if sign == up else "down")
    ends = [*(s.start for s in squeezes[1:]), traces.times_s.size]
    return [
        _attempt(
            replace(blank, attempt=k + 1, n_attempts=len(squeezes), adequate=True),
            traces,
            sign,
            squeeze,
            stop,
            rules,
        )
        for k, (squeeze, stop) in enumerate(zip(squeezes, ends, strict=True))
    ]


def _rules(axes: StripAxes, values: Array) -> _Rules:
    unit = axes.cm_s_per_unit
    if unit is None:
        scale = float(np.ptp(values))
        return _Rules(END_SHARE_OF_SCALE * scale, "2 % of the scale", None, axes.time_step_s)
    return _Rules(END_CM_S / unit, "1.0 cm/s", unit, axes.time_step_s)


def _squeezes(traces: Traces, sign: int | None, rules: _Rules) -> tuple[int, list[Spike]]:
    """Direction of the spikes and the spikes; of two directions the one that was squeezed first."""
    if sign is not None:
        return sign, spikes(traces, sign, rules.step_s, rules.unit_cm_s)
    both = {s: spikes(traces, s, rules.step_s, rules.unit_cm_s) for s in (1, -1)}
    some = [s for s in (1, -1) if both[s]]
    if not some:
        return 1, []
    chosen = min(some, key=lambda s: both[s][0].start)
    return chosen, both[chosen]


def _attempt(
    blank: RefluxMeasurement, traces: Traces, sign: int, squeeze: Spike, stop: int, rules: _Rules
) -> RefluxMeasurement:
    """One squeeze and what follows it up to the next."""
    step = rules.step_s
    top = peak_velocity(traces, sign, squeeze.top, squeeze.start, squeeze.release, step)
    measured = replace(
        blank,
        spike_s=squeeze.top * step,
        release_s=squeeze.release * step,
        antegrade_peak_cm_s=_cm_s(top, rules),
    )
    found = runs(traces, -sign, squeeze.top, stop - 1, rules.limit, MIN_BLOOD * squeeze.power, step)
    if not found:
        return replace(measured, reflux_s=0.0)
    return _retrograde(measured, traces, -sign, found, stop, rules)


def _valsalva(blank: RefluxMeasurement, traces: Traces, sign: int, rules: _Rules) -> RefluxMeasurement:
    count = traces.times_s.size
    back = traces.side(-sign).power
    least = MIN_BLOOD * float(np.quantile(back[back > 0], 0.9)) if (back > 0).any() else 0.0
    found = runs(traces, -sign, 0, count - 1, rules.limit, least, rules.step_s) if least > 0 else []
    blank = replace(blank, adequate=True, n_attempts=1)
    if not found:
        return replace(blank, reflux_s=0.0)
    return _retrograde(blank, traces, -sign, found, count, rules)


def _retrograde(
    blank: RefluxMeasurement, traces: Traces, sign: int, found: list[Run], stop: int, rules: _Rules
) -> RefluxMeasurement:
    """Onset, end and peak of the longest of the runs found."""
    step = rules.step_s
    run = max(found, key=lambda r: r.length)
    flow = velocity(traces, sign, step)
    power = traces.side(sign).power
    there = presence(power, run.first, run.last, step)
    first, last = there.first, there.last
    top = moment_of(traces, sign, first, last, step)
    onset = _onset(traces, flow, sign, there, top, step)
    end, bound = _end(run, there, flow.size, step)
    peak = peak_velocity(traces, sign, top, first, last, step)
    inside = flow[first : last + 1]
    return replace(
        blank,
        reflux_s=float(max(0.0, end - onset)),
        is_lower_bound=bound,
        onset_s=float(onset),
        end_s=float(end),
        peak_reflux_cm_s=_cm_s(peak, rules),
        mean_reflux_cm_s=_cm_s(float(np.mean(inside)), rules) if inside.size else None,
        interrupted=len(found) > 1,
    )


def _end(run: Run, there: Presence, count: int, step: float) -> tuple[float, bool]:
    """Seconds of the end, and whether the newest edge cut it off.

    Flow that fades within the width of the transform's window ended where half
    of its power was left; flow that stays visible for longer slowed down, and
    ended where it was last seen above the limit.
    """
    if run.last >= count - 1 - max(1, int(0.012 / step)):
        return (count - 1) * step, True
    slow = (run.last - there.last) * step > 0.05
    return (run.last + 0.5 if slow else there.stop) * step, False


def _carried(flow: Array, step: float) -> float:
    """Columns before its first at which flow that rises along a straight line was zero.

    Slow flow is hidden by the wall filter.  0 where too few columns rise to
    tell; `CARRIED_S` at most.
    """
    height = float(flow[-1])
    flow = flow[: max(3, int(RISE_S / step))]
    rising = flow <= 0.5 * height
    count = int(np.argmin(rising)) if not rising.all() else flow.size
    if count < 2:
        return 0.0
    slope, start = np.polyfit(np.arange(count), flow[:count], 1)
    return float(min(max(start / slope, 0.0), CARRIED_S / step)) if slope > 0 else 0.0


def _onset(traces: Traces, flow: Array, sign: int, there: Presence, top: int, step: float) -> float:
    """Seconds at which the mean velocity crosses zero into the run that begins at `there`.

    Slow flow is hidden by the wall filter, so the rise of the mean is carried
    back to zero along a straight line, though not into antegrade flow.
    """
    first = there.first
    back = max(first - there.start, _carried(flow[first : top + 1], step))
    earliest = 0.0
    against = traces.side(-sign).power
    before = np.flatnonzero(np.nan_to_num(traces.mean[:first]) * sign < 0)
    if before.size and against[before[-1]] > 0:
        earliest = float(before[-1]) + 0.5
    return max(first - back, earliest, 0.0) * step if earliest <= first else first * step


def _cm_s(value: float, rules: _Rules) -> float | None:
    if rules.unit_cm_s is None or not np.isfinite(value):
        return None
    return float(value * rules.unit_cm_s)
