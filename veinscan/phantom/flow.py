"""How blood moves: velocity over time in veins and artery, and its profile over the lumen.

Mean velocities are along the vessel in cm/s, positive towards the heart
(antegrade in a vein).  Reflux follows the definitions the measurement is
held to: onset is the last zero crossing of the mean velocity before the
retrograde peak, the end the last moment the mean retrograde velocity exceeds
1.0 cm/s, the peak the 95th percentile of the velocities in the lumen at the
moment of the greatest mean retrograde velocity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from veinscan.phantom.anatomy import Array

END_OF_REFLUX_CM_S = 1.0
PEAK_PERCENTILE = 95.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """A squeeze of the calf and its release, as mean velocity over time."""

    rest_cm_s: float = 3.0
    squeeze_s: float = 0.7
    release_s: float = 1.3
    spike_cm_s: float = 22.0
    """0 for a squeeze that moved nothing."""
    reflux_cm_s: float = 12.0
    """Greatest mean retrograde velocity aimed at; 0 for a competent valve."""
    reflux_s: float = 1.2
    """Duration aimed at; the truth is worked out from the curve."""
    decay_s: float = 2.5
    end_s: float = 0.012
    """Time constant of the end: short is a sharp end."""
    flutter: float = 0.06
    """Share by which a hand's squeeze and the flow back are uneven."""
    profile: float = 2.5
    """Exponent of the velocity profile: 2 is a parabola."""

    def mean_cm_s(self, time_s: Array) -> Array:
        """Mean velocity over the lumen at each time."""
        t = np.asarray(time_s, dtype=np.float64)
        breath = self.rest_cm_s * (1.0 + 0.35 * np.sin(2 * np.pi * t / 3.7 + 0.6))
        rise = 1.0 / (1.0 + np.exp(-(t - self.squeeze_s - 0.09) / 0.025))
        hold = np.exp(-np.clip(t - self.squeeze_s - 0.15, 0, None) / 0.9)
        fall = 1.0 / (1.0 + np.exp((t - self.release_s) / 0.025))
        spike = self.spike_cm_s * rise * hold * fall
        onset = self.release_s + 0.13
        after = np.clip(t - onset, 0, None)
        end = onset + self.reflux_s
        back = np.zeros_like(t)
        if self.reflux_cm_s > 0:
            back = -self.reflux_cm_s * 1.06 * (1 - np.exp(-after / 0.05)) * np.exp(-after / self.decay_s)
            back = back * np.where(t < end, 1.0, np.exp(-np.clip(t - end, 0, None) / self.end_s))
        # resting flow stops with the squeeze and comes back slowly after the veins have refilled
        resting = breath * np.where(t < self.squeeze_s + 0.3, 1 - rise, 0.0)
        back_to_rest = end + 0.45 if self.reflux_cm_s > 0 else onset + 0.5
        resting = resting + breath * (1 - np.exp(-np.clip(t - back_to_rest, 0, None) / 0.5))
        uneven = 1.0 + self.flutter * (
            np.sin(2 * np.pi * 3.1 * t + self.release_s * 9)
            + 0.6 * np.sin(2 * np.pi * 7.3 * t + self.squeeze_s * 17)
        )
        return np.asarray(resting + (spike + back) * uneven, dtype=np.float64)

    def truth(self, length_s: float) -> dict[str, float | bool | None]:
        """Onset, end, duration and peaks of what a strip of that length shows."""
        t = np.arange(0.0, length_s, 0.0005)
        mean = self.mean_cm_s(t)
        antegrade = float(mean.max() * self.share(PEAK_PERCENTILE))
        adequate = self.spike_cm_s > 0
        nothing: dict[str, float | bool | None] = {
            "adequate": adequate,
            "reflux_s": 0.0 if adequate else None,
            "onset_s": None,
            "end_s": None,
            "is_lower_bound": False,
            "peak_reflux_cm_s": None,
            "mean_peak_reflux_cm_s": None,
            "antegrade_peak_cm_s": round(antegrade, 3) if adequate else None,
        }
        low = int(np.argmin(mean))
        if mean[low] > -END_OF_REFLUX_CM_S or not adequate:
            return nothing
        before = np.flatnonzero(mean[:low] >= 0)
        onset = float(t[before[-1] + 1]) if before.size else 0.0
        end = float(t[np.flatnonzero(mean < -END_OF_REFLUX_CM_S)[-1]])
        return nothing | {
            "reflux_s": round(end - onset, 4),
            "onset_s": round(onset, 4),
            "end_s": round(end, 4),
            "is_lower_bound": bool(mean[-1] < -END_OF_REFLUX_CM_S),
            "peak_reflux_cm_s": round(float(-mean[low] * self.share(PEAK_PERCENTILE)), 3),
            "mean_peak_reflux_cm_s": round(float(-mean[low]), 3),
        }

    def share(self, percentile: float) -> float:
        """Velocity at a percentile of the lumen's area, as a multiple of the mean."""
        return percentile_of_profile(self.profile, percentile)


def percentile_of_profile(exponent: float, percentile: float) -> float:
    """For v = vmax (1 - r^n) over a round lumen: the percentile by area, in units of the mean velocity.

    The mean is vmax n / (n + 2); a share q of the area moves faster than vmax (1 - q^(n/2)).
    """
    slower = 1.0 - percentile / 100.0
    return float((exponent + 2) / exponent * (1.0 - slower ** (exponent / 2)))


def profile_quantiles(exponent: float, count: int) -> Array:
    """(count,) velocities of equal shares of the lumen's area, in units of the mean."""
    area = (np.arange(count) + 0.5) / count
    return np.asarray((exponent + 2) / exponent * (1.0 - area ** (exponent / 2)), dtype=np.float64)


def heartbeat(time_s: Array | float, rate_hz: float) -> Array:
    """Arterial wave 0..1 over time: quick upstroke in systole, notch, slow fall."""
    phase = np.mod(np.asarray(time_s, dtype=np.float64) * rate_hz, 1.0)
    systole = np.exp(-(((phase - 0.16) / 0.085) ** 2))
    fall = 0.30 * np.exp(-(((phase - 0.43) / 0.10) ** 2))
    notch = -0.12 * np.exp(-(((phase - 0.31) / 0.035) ** 2))
    return np.asarray(np.clip(systole + fall + notch, 0.0, 1.0), dtype=np.float64)
