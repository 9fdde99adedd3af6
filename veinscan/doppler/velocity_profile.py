"""Velocity profile and peak from the spectra around a moment.

The 95th percentile of a displayed spectrum is not that of the velocities: the
window of the transform, the smoothing and the transit of the cells through the
gate widen it, a blunt profile more than a parabola, and speckle leaves only a
few independent values within a short time.  So the spectra of the run are
brought to one velocity by their envelopes and added up, and a velocity
distribution with a sharp upper end, blurred along the rows, is laid through
the sum (least squares).  Its upper end, its bluntness and the blur are told
apart by the fall of the spectrum beyond the end.

The distribution is that of the profile v(r) = v_max (1 - (r/R)^n) over a round
lumen, n = 2 (parabola) to 8 (nearly flat), as used for Doppler spectra since
Evans (1982) and in Evans and McDicken, Doppler Ultrasound (2000).  A lumen
need not keep to it, so the percentile of the sharpened sum counts too, and
alone where the fit is poor or the flow too short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d  # type: ignore[attr-defined]
from scipy.optimize import least_squares

from veinscan.doppler.envelope import PERCENTILE, Traces, percentile
from veinscan.doppler.events import velocity
from veinscan.doppler.peak import sharpened

Array = npt.NDArray[np.float64]

STEADY_S = 0.018
"""Standard deviation of the smoothing of the envelope along time."""
NEAR_TOP = 0.85
"""Share of the greatest mean velocity from which speckle hides which moment is the greatest."""
AROUND_S = 0.5
"""Spectra this far from the moment are added up."""
LIKE_TOP = 0.7
"""Share of the velocity at the moment below which a spectrum is too slow to be brought to it."""
LEAST_SHARE = 0.3
"""Slower than this share of the percentile nothing is fitted: the wall filter takes of it."""
BLUNTNESS = (2.0, 8.0)
"""Exponents n of the profile."""
BLUR = (0.8, 2.0)
"""Blur of the spectrum as shares of what the grain of the strip shows: transit adds to the window."""
FIT_SHARE = 2 / 3
"""Part of the fitted percentile in the result; the rest is the sharpened one's."""
LEAST_S = 0.1
"""Spectra from less time than this are not fitted: the flow changes within the transform's window."""
WORST_MISFIT = 0.1
"""Root mean square from which a fit is poor, as share of the spectrum's top."""
AGREED = (0.82, 1.12)
"""A fit further than this from the percentile of the short average is not believed."""
SHORT_S = 0.03
"""Half of the time that the short average takes in."""
FINER = 4
"""Steps of the model within a row."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """The distribution of velocities that was fitted to a spectrum; velocities in its unit."""

    greatest: float
    """Velocity in the middle of the lumen."""
    bluntness: float
    """Exponent n of the profile."""
    blur: float
    """Standard deviation of the blur."""

    @property
    def percentile(self) -> float:
        """Velocity below which `PERCENTILE` of the blood flows."""
        return float(self.greatest * (1 - (1 - PERCENTILE) ** (self.bluntness / 2)))


def moment_of(traces: Traces, sign: int, first: int, last: int, step_s: float) -> int:
    """Index of the greatest mean velocity of a run.

    The mean jitters with the speckle, the envelope far less: of the columns whose mean is not told from
    the greatest, the one with the highest envelope.
    """
    span = slice(first, last + 1)
    mean = gaussian_filter1d(velocity(traces, sign, step_s)[span], max(0.5, 0.03 / step_s), mode="nearest")
    envelope = _steady(traces, sign, first, last, step_s)[span]
    return first + int(np.argmax(np.where(mean >= NEAR_TOP * mean.max(), envelope, -1.0)))


def peak_velocity(traces: Traces, sign: int, at: int, first: int, last: int, step_s: float) -> float:
    """95th percentile of the velocities in the lumen at a moment, in the strip's unit; NaN without flow.

    Parameters
    ----------
    traces : Traces
    sign : int
        +1 for flow towards the probe.
    at : int
        Index of the moment.
    first, last : int
        The run of flow that it lies in.
    step_s : float
        Seconds per column.
    """
    rows = np.flatnonzero(traces.values * sign > 0)
    rows = rows[np.argsort(traces.values[rows] * sign)]
    if rows.size < 4:
        return float("nan")
    speed = traces.values[rows] * sign
    reach = max(1, round(SHORT_S / step_s))
    beside = traces.power[rows, max(0, at - reach) : at + reach + 1].sum(axis=1, dtype=np.float64)
    if beside.sum() <= 0:
        return float("nan")
    short = _sharp_percentile(beside, speed, traces.blur_rows)
    spectrum, count = _gathered(traces, rows, speed, sign, at, (first, last), step_s)
    fitted = fit(spectrum, speed, traces.blur_rows) if count * step_s >= LEAST_S else None
    if fitted is None or not AGREED[0] < fitted.percentile / short < AGREED[1]:
        return short
    return FIT_SHARE * fitted.percentile + (1 - FIT_SHARE) * _sharp_percentile(
        spectrum, speed, traces.blur_rows
    )


def _sharp_percentile(spectrum: Array, speed: Array, blur_rows: float) -> float:
    return float(percentile(sharpened(spectrum, blur_rows)[:, None], speed, PERCENTILE)[0])


def _steady(traces: Traces, sign: int, first: int, last: int, step_s: float) -> Array:
    out = np.zeros(traces.times_s.size)
    span = slice(first, last + 1)
    envelope = np.nan_to_num(traces.side(sign).envelope[span])
    out[span] = gaussian_filter1d(envelope, max(0.5, STEADY_S / step_s), mode="nearest")
    return out


def _gathered(
    traces: Traces,
    rows: npt.NDArray[np.int64],
    speed: Array,
    sign: int,
    at: int,
    run: tuple[int, int],
    step_s: float,
) -> tuple[Array, int]:
    """(k,) sum of the spectra around a moment, each brought to the velocity of the moment; how many."""
    steady = _steady(traces, sign, *run, step_s)
    reach = max(1, round(AROUND_S / step_s))
    out, count = np.zeros(speed.size), 0
    for k in range(max(run[0], at - reach), min(run[1], at + reach) + 1):
        if steady[k] < LIKE_TOP * steady[at] or steady[k] <= 0:
            continue
        faster = steady[at] / steady[k]
        column = traces.power[rows, k].astype(np.float64)
        out += np.interp(speed / faster, speed, column, right=0.0) / faster
        count += 1
    return out, count


def fit(spectrum: Array, speed: Array, blur_rows: float) -> Fitted | None:
    """The distribution of velocities that fits a spectrum; None where none fits, or too few rows tell it.

    Parameters
    ----------
    spectrum : (k,)
        Power of each row, slow rows first.
    speed : (k,)
        Positive, evenly spaced.
    blur_rows : float
        What the grain of the strip shows of its blur, in rows.
    """
    step = float(speed[1] - speed[0])
    shown = float(percentile(spectrum[:, None], speed, PERCENTILE)[0])
    use = (speed > LEAST_SHARE * shown) & (speed < 1.6 * shown)
    if int(use.sum()) < 8 or spectrum.sum() <= 0:
        return None
    seen = spectrum / spectrum.max()
    least = max(0.5, BLUR[0] * blur_rows) * step
    most = max(1.2 * least, BLUR[1] * blur_rows * step)
    low = np.array([0.75 * shown, BLUNTNESS[0], least, 0.0])
    high = np.array([1.25 * shown, BLUNTNESS[1], most, np.inf])

    def misfit(wanted: Array) -> Array:
        return np.asarray(wanted[3] * spectrum_of(speed, *wanted[:3])[use] - seen[use])

    best = None
    for bluntness in (2.2, 5.0):
        start = np.array([shown, bluntness, min(max(blur_rows * step, 1.01 * least), 0.99 * most), 1.0])
        start[3] = float(seen[use].sum()) / max(float(spectrum_of(speed, *start[:3])[use].sum()), 1e-9)
        found = least_squares(  # type: ignore[operator]
            misfit, start, bounds=(low, high), x_scale=[shown, 1.0, step, max(start[3], 1e-6)]
        )
        if best is None or found.cost < best.cost:
            best = found
    # least_squares gives half of the sum of squares
    if best is None or np.sqrt(2 * best.cost / use.sum()) > WORST_MISFIT:
        return None
    return Fitted(float(best.x[0]), float(best.x[1]), float(best.x[2]))


def spectrum_of(speed: Array, greatest: float, bluntness: float, blur: float) -> Array:
    """(k,) share of the blood in each row of an evenly spaced axis, blurred along it."""
    fine = float(speed[1] - speed[0]) / FINER
    reach = int(np.ceil(4 * blur / fine))
    places = np.arange(speed[0] - 2 * reach * fine, speed[-1] + 2 * reach * fine, fine)
    edges = np.append(places - fine / 2, places[-1] + fine / 2)
    slower = 1 - (1 - np.clip(edges / greatest, 0.0, 1.0)) ** (2 / bluntness)
    kernel = np.exp(-((np.arange(-reach, reach + 1) * fine) ** 2) / (2 * blur**2))
    shared = np.convolve(np.diff(slower), kernel / kernel.sum(), mode="same")
    return np.asarray(FINER * np.interp(speed, places, shared), dtype=np.float64)
