"""Pulsed-wave spectrum, built from what a gate over the lumen would receive.

Groups of red cells at the velocities of the profile send a signal whose phase
follows their way and whose strength changes as they cross the gate (so it is
broadened by the transit time).  Their sum, with noise, unequal channels (the
mirror image) and a wall filter, goes through a short-time Fourier transform:
speckle of the spectrogram, aliasing and finite resolution come by themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.phantom.anatomy import Array
from veinscan.phantom.flow import Augmentation, profile_quantiles
from veinscan.phantom.seeds import stream

SOUND_CM_S = 154_000.0
GROUPS = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class StripSettings:
    """Axes and look of a spectral strip."""

    rows: int = 180
    columns: int = 560
    length_s: float = 4.0
    low_cm_s: float = -40.0
    """Velocity at the strip's lower edge."""
    high_cm_s: float = 40.0
    """Velocity at the upper edge; the range is twice the Nyquist velocity."""
    frequency_mhz: float = 6.0
    angle_deg: float = 60.0
    """Already corrected for: the axis shows velocities along the vessel."""
    wall_filter_cm_s: float = 1.2
    noise_db: float = -30.0
    """Noise per bin under the strongest blood signal."""
    mirror_db: float = -24.0
    dynamic_range_db: float = 38.0
    gain_db: float = 0.0
    transit_mm: float = 0.75
    """Way over which a group keeps its strength: shorter is broader."""
    window_s: float = 0.026

    @property
    def prf_hz(self) -> float:
        """Pulse repetition frequency whose range is the strip's height."""
        return (self.high_cm_s - self.low_cm_s) * self.hz_per_cm_s

    @property
    def hz_per_cm_s(self) -> float:
        """Doppler shift of 1 cm/s along the vessel."""
        return 2.0 * self.frequency_mhz * 1e6 * float(np.cos(np.radians(self.angle_deg))) / SOUND_CM_S

    @property
    def step_s(self) -> float:
        """Seconds per column."""
        return self.length_s / self.columns

    @property
    def step_cm_s(self) -> float:
        """cm/s per row."""
        return (self.high_cm_s - self.low_cm_s) / self.rows

    @property
    def baseline_row(self) -> float:
        """Row of velocity zero, the strip's top row being 0."""
        return self.high_cm_s / self.step_cm_s


def _smooth(rows: Array, sigma: float) -> Array:
    """Gaussian along the second axis."""
    return np.asarray(cv2.GaussianBlur(rows, (2 * int(np.ceil(4 * sigma)) + 1, 1), sigma), dtype=np.float64)


def _wall_filter(signal: npt.NDArray[np.complex128], cut: float) -> npt.NDArray[np.complex128]:
    """High pass with the slope of a third order Butterworth filter; `cut` in cycles per sample."""
    frequency = np.abs(np.fft.fftfreq(signal.size))
    response = 1.0 / (1.0 + (cut / np.maximum(frequency, 1e-9)) ** 6)
    return np.asarray(np.fft.ifft(np.fft.fft(signal) * response), dtype=np.complex128)


def _signal(
    flow: Augmentation, settings: StripSettings, sign: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.complex128], float]:
    """Complex slow-time signal and its sampling rate in Hz."""
    rate = settings.prf_hz
    spare = settings.window_s
    t = np.arange(-spare, settings.length_s + spare, 1.0 / rate)
    way_mm = np.cumsum(flow.mean_cm_s(t)) / rate * 10.0
    travelled = np.cumsum(np.abs(flow.mean_cm_s(t))) / rate * 10.0
    cycles_per_mm = settings.hz_per_cm_s / 10.0
    total = np.zeros(t.size, dtype=np.complex128)
    for multiple in profile_quantiles(flow.profile, GROUPS):
        # even resting cells diffuse and are jostled: 1 mm/s keeps the signal from freezing
        path = (multiple * travelled + 1.0 * (t - t[0])) / settings.transit_mm
        knots = int(path[-1] / 0.25) + 8
        noise = rng.standard_normal((2, knots))
        smooth = _smooth(noise, 4.0)
        strength = np.interp(path, np.arange(knots) * 0.25, smooth[0]) + 1j * np.interp(
            path, np.arange(knots) * 0.25, smooth[1]
        )
        total += strength * np.exp(2j * np.pi * sign * multiple * way_mm * cycles_per_mm)
    total /= np.sqrt(np.mean(np.abs(total) ** 2))
    return total, rate


def strip(
    flow: Augmentation, settings: StripSettings, seed: int, *, antegrade_up: bool
) -> npt.NDArray[np.uint8]:
    """(rows, columns) uint8: time to the right, oldest left; velocity towards the probe up.

    Column c is at c * step_s, row r at velocity (baseline_row - r) * step_cm_s.
    """
    rng = stream(seed, "spectrum")
    signal, rate = _signal(flow, settings, 1.0 if antegrade_up else -1.0, rng)
    signal = signal + 10 ** (settings.mirror_db / 20) * np.conj(signal) * np.exp(0.7j)
    # vessel walls: strong and slow, what the wall filter is for
    slow = _smooth(rng.standard_normal((2, signal.size)), rate / 60.0)
    signal = signal + 1.5 * (slow[0] + 1j * slow[1]) / max(float(slow.std()), 1e-9)
    window = max(16, int(settings.window_s * rate))
    grain = rng.standard_normal((2, signal.size)) * np.sqrt(0.5)
    signal = signal + (grain[0] + 1j * grain[1]) * 10 ** (settings.noise_db / 20) * np.sqrt(window / 6.0)
    cut_hz = max(settings.wall_filter_cm_s * settings.hz_per_cm_s, rate / 400)
    filtered = _wall_filter(signal, cut_hz / rate)
    power = _spectrogram(filtered, settings, rate, window)
    # what is displayed is scaled to the strongest blood signal
    reference = np.percentile(power, 99.3)
    level = 10 * np.log10(power / reference + 1e-12)
    share = np.clip(
        (level + settings.dynamic_range_db + settings.gain_db - 6) / settings.dynamic_range_db, 0, 1
    )
    return np.asarray(np.round(share**1.15 * 245), dtype=np.uint8)


def _spectrogram(
    signal: npt.NDArray[np.complex128], settings: StripSettings, rate: float, window: int
) -> Array:
    """(rows, columns) power, rows from the highest velocity down, wrapped into the strip's range."""
    taper = np.hanning(window + 2)[1:-1]
    centre = (settings.window_s + np.arange(settings.columns) * settings.step_s) * rate
    first = np.round(centre - window / 2).astype(int)
    pieces = signal[np.clip(first[:, None] + np.arange(window), 0, signal.size - 1)] * taper
    size = int(2 ** np.ceil(np.log2(max(window, settings.rows) * 1.5)))
    spectrum = np.abs(np.fft.fft(pieces, size, axis=1)) ** 2
    rows = np.arange(settings.rows)
    velocity = (settings.baseline_row - rows) * settings.step_cm_s
    place = np.mod(velocity * settings.hz_per_cm_s / rate, 1.0) * size
    low = np.floor(place).astype(int)
    part = place - low
    power = spectrum[:, low % size] * (1 - part) + spectrum[:, (low + 1) % size] * part
    # neighbouring spectra are averaged a little, as on a scanner
    return np.asarray(cv2.GaussianBlur(power.T.copy(), (0, 0), 0.6), dtype=np.float64)
