"""Spectral strips with known truth, harder than a drawn curve and made without any code under test.

A gate over a round lumen receives groups of red cells at random radii; each
group sends a phasor whose strength is a random process of the way it went
(transit-time broadening).  Wall clutter, receiver noise, unequal channels
(mirror image), a causal wall filter, a windowed Fourier transform, log
compression with a finite dynamic range, a grey map, baseline shift, grid,
labels, cursor marks, a sweeping or part-filled strip and JPEG are laid on top.

The measuring code gets the picture, the axes and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import scipy.ndimage
import scipy.signal

Array = npt.NDArray[np.float64]

KINDS = ("reflux", "competent", "no_spike", "off_edge", "attempts", "closure", "slow_end", "interrupted")


@dataclass
class Flow:
    """Mean velocity over the lumen (cm/s, antegrade positive) as a sum of pieces."""

    pieces: list[Any] = field(default_factory=list)

    def __call__(self, t: Array) -> Array:
        return np.sum([piece(t) for piece in self.pieces], axis=0)


def rest(rng: np.random.Generator, level: float, quiet: list[tuple[float, float]]) -> Any:
    """Phasic resting flow that stops in the intervals of `quiet`."""
    period, phase, depth = rng.uniform(2.5, 5), rng.uniform(0, 6.3), rng.uniform(0.2, 0.8)

    def flow(t: Array) -> Array:
        value = level * (1 + depth * np.sin(2 * np.pi * t / period + phase))
        for start, stop in quiet:
            gate = 1 - np.clip((t - start) / 0.1, 0, 1) * np.clip((stop + 0.5 - t) / 0.5, 0, 1)
            value = value * gate
        return value

    return flow


def spike(rng: np.random.Generator, start: float, length: float, height: float) -> Any:
    rise, fall, droop = rng.uniform(0.04, 0.16), rng.uniform(0.05, 0.2), rng.uniform(0.0, 0.6)

    def flow(t: Array) -> Array:
        up = np.clip((t - start) / rise, 0, 1)
        down = np.clip((start + length - t) / fall, 0, 1)
        body = 1 - droop * np.clip((t - start) / length, 0, 1)
        return height * np.sin(up * np.pi / 2) * down * body

    return flow


def back(rng: np.random.Generator, start: float, length: float, height: float, close: float) -> Any:
    """Retrograde flow that begins at `start` and is shut within `close` seconds before start + length."""
    rise = min(rng.uniform(0.03, 0.15), length * 0.45)
    shape = rng.integers(3)
    stop = start + length

    def flow(t: Array) -> Array:
        up = np.sin(np.clip((t - start) / rise, 0, 1) * np.pi / 2)
        u = np.clip((t - start) / length, 0, 1)
        body = (1 - 0.5 * u, np.exp(-1.0 * u), 1 - 0.35 * np.cos(u * 6.3))[shape]
        return -height * up * body * np.clip((stop - t) / close, 0, 1) / max(1e-9, 1.0)

    return flow


@dataclass
class Look:
    """Machine settings drawn at random."""

    rows: int
    columns: int
    length_s: float
    up_cm_s: float
    down_cm_s: float
    mhz: float
    angle: float
    wall_cm_s: float
    noise_db: float
    mirror_db: float
    range_db: float
    gain_db: float
    window_s: float
    transit_mm: float
    profile: float
    antegrade_up: bool
    jpeg: int
    gamma: float
    tint: tuple[float, float, float]
    grid: bool
    labels: bool
    peak_mark: bool
    sweep_column: int | None
    filled_from: int
    line: bool
    average: int
    clutter: float


@dataclass
class Made:
    """A frame (rows, cols, 3), the strip's box and axes, the truth and the look."""

    frame: npt.NDArray[np.uint8]
    box: tuple[int, int, int, int]
    time_step_s: float
    step_cm_s: float
    baseline_row: float
    truth: dict[str, Any]
    look: Look
    flow: Any


def look_of(rng: np.random.Generator, kind: str, greatest: float) -> Look:
    span = greatest * rng.uniform(1.25, 2.2)
    share = rng.uniform(0.42, 0.62)
    antegrade_up = bool(rng.random() < 0.5)
    columns = int(rng.integers(380, 820))
    sweep = None
    filled = 0
    draw = rng.random()
    if draw < 0.25:
        sweep = int(rng.integers(40, columns - 40))
    elif draw < 0.35 and kind in ("no_spike",):
        filled = int(columns * rng.uniform(0.1, 0.3))
    return Look(
        rows=int(rng.integers(120, 260)),
        columns=columns,
        length_s=float(rng.uniform(3.5, 8.0)),
        up_cm_s=2 * span * share,
        down_cm_s=2 * span * (1 - share),
        mhz=float(rng.uniform(3.5, 8.0)),
        angle=float(rng.choice([0, 30, 45, 60])),
        wall_cm_s=float(rng.uniform(0.4, 1.8)),
        noise_db=float(rng.uniform(-42, -24)),
        mirror_db=float(rng.uniform(-35, -16)),
        range_db=float(rng.uniform(30, 60)),
        gain_db=float(rng.uniform(-5, 6)),
        window_s=float(rng.uniform(0.014, 0.036)),
        transit_mm=float(rng.uniform(0.5, 1.5)),
        profile=float(rng.choice([2.0, 2.5, 4.0, 6.0])),
        antegrade_up=antegrade_up,
        jpeg=int(rng.integers(60, 101)),
        gamma=float(rng.uniform(0.8, 1.3)),
        tint=((1, 1, 1), (1, 0.82, 0.55), (0.7, 0.85, 1), (1, 0.62, 0.3))[int(rng.integers(4))],
        grid=bool(rng.random() < 0.3),
        labels=bool(rng.random() < 0.4),
        peak_mark=bool(rng.random() < 0.25),
        sweep_column=sweep,
        filled_from=filled,
        line=bool(rng.random() < 0.85),
        average=int(rng.integers(1, 3)),
        clutter=float(rng.uniform(0.5, 4.0)),
    )


def signal_of(
    flow: Any, look: Look, rng: np.random.Generator
) -> tuple[npt.NDArray[np.complex128], float, float]:
    hz = 2 * look.mhz * 1e6 * np.cos(np.radians(look.angle)) / 154_000.0
    rate = (look.up_cm_s + look.down_cm_s) * hz
    spare = 0.12
    t = np.arange(-spare, look.length_s + spare, 1 / rate)
    mean = flow(np.clip(t, 0, look.length_s))
    way = np.cumsum(mean) / rate * 10
    gone = np.cumsum(np.abs(mean)) / rate * 10
    groups = 110
    n = look.profile
    multiple = (n + 2) / n * (1 - ((np.arange(groups) + rng.random(groups)) / groups) ** (n / 2))
    # single precision is exact to a hundredth of a turn here, and takes a third of the time
    real, imaginary = np.zeros(t.size, np.float32), np.zeros(t.size, np.float32)
    sign = 1.0 if look.antegrade_up else -1.0
    for k in multiple:
        path = (k * gone + 0.6 * (t + spare)) / look.transit_mm * 4
        knots = int(path[-1]) + 10
        soft = scipy.ndimage.gaussian_filter1d(
            rng.standard_normal((2, knots)).astype(np.float32), 3.0, axis=1
        )
        at = path.astype(np.int32)
        part = (path - at).astype(np.float32)
        one, other = (row[at] + part * np.diff(row)[at] for row in soft)
        turns = sign * k * hz / 10 * way
        angle = (2 * np.pi * (turns - np.floor(turns))).astype(np.float32)
        cos, sin = np.cos(angle), np.sin(angle)
        real += one * cos - other * sin
        imaginary += one * sin + other * cos
    total = (real + 1j * imaginary).astype(complex)
    total /= np.sqrt(np.mean(np.abs(total) ** 2))
    total = total + 10 ** (look.mirror_db / 20) * np.conj(total) * np.exp(1j * rng.uniform(0, 6))
    wall = scipy.ndimage.gaussian_filter1d(rng.standard_normal((2, t.size)), rate / 40, axis=1)
    total = total + look.clutter * (wall[0] + 1j * wall[1]) / wall.std()
    window = look.window_s * rate
    noise = (rng.standard_normal(t.size) + 1j * rng.standard_normal(t.size)) / np.sqrt(2)
    total = total + noise * 10 ** (look.noise_db / 20) * np.sqrt(window / 6)
    cut = max(look.wall_cm_s * hz, rate / 300)
    sos = scipy.signal.butter(2, cut / (rate / 2), "highpass", output="sos")
    return scipy.signal.sosfilt(sos, total), rate, hz


def picture_of(flow: Any, look: Look, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """(rows, columns) display level 0..1, oldest column first."""
    raw, rate, hz = signal_of(flow, look, rng)
    window = max(12, int(look.window_s * rate))
    taper = np.blackman(window) if rng.random() < 0.5 else np.hanning(window)
    step = look.length_s / look.columns
    first = np.round((0.12 + np.arange(look.columns) * step) * rate - window / 2).astype(int)
    size = max(256, 1 << int(np.ceil(np.log2(window * 2))))
    power = np.zeros((look.columns, size))
    for k in range(look.average):
        shift = int((k - (look.average - 1) / 2) * window / 3)
        pieces = raw[np.clip(first[:, None] + shift + np.arange(window), 0, raw.size - 1)] * taper
        power += np.abs(np.fft.fft(pieces, size, axis=1)) ** 2
    velocity = look.up_cm_s - np.arange(look.rows) * (look.up_cm_s + look.down_cm_s) / look.rows
    place = np.mod(velocity * hz / rate, 1) * size
    low = np.floor(place).astype(int)
    part = place - low
    shown = power[:, low % size] * (1 - part) + power[:, (low + 1) % size] * part
    level = 10 * np.log10(shown.T / np.percentile(shown, 99) + 1e-15)
    return np.clip((level + look.range_db + look.gain_db) / look.range_db - 0.1, 0, 1) ** look.gamma


def draw(
    levels: Array, look: Look, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], tuple[int, int, int, int], int]:
    """The screen with everything drawn on it, its box, and how many of the oldest columns are hidden."""
    top, left = 60 + int(rng.integers(9)), 40 + int(rng.integers(9))
    frame = np.zeros((look.rows + 130, look.columns + 120, 3), np.float64)
    image = levels.copy()
    hidden = look.filled_from
    if look.sweep_column is not None:
        image = np.roll(image, look.sweep_column, axis=1)
        hidden = 4 + int(rng.integers(8))
        image[:, look.sweep_column : look.sweep_column + hidden] = 0
    image[:, : look.filled_from] = 0
    tint = np.array(look.tint)
    colour = 250 * image[:, :, None] ** (2 - tint)
    box = (top, left, top + look.rows, left + look.columns)
    area = frame[box[0] : box[2], box[1] : box[3]]
    area[:] = colour
    zero = look.up_cm_s / (look.up_cm_s + look.down_cm_s) * look.rows
    step = (look.up_cm_s + look.down_cm_s) / look.rows
    label = 10 * max(1, round(32 * step / 10))
    if look.line:
        area[round(zero), look.filled_from :] = (190, 190, 190) if rng.random() < 0.6 else (60, 200, 60)
    if look.grid:
        for value in np.arange(-20 * label, 20 * label + 1, label):
            row = round(zero - value / step)
            if 0 <= row < look.rows and value:
                area[row, ::4] = 110
        for col in range(0, look.columns, max(40, int(look.columns / look.length_s))):
            area[::3, col] = np.maximum(area[::3, col], 90)
    canvas = np.ascontiguousarray(np.clip(frame, 0, 255).astype(np.uint8))
    if look.labels:
        for value in np.arange(-20 * label, 20 * label + 1, label):
            row = round(zero - value / step)
            if 6 <= row < look.rows - 4 and value:
                cv2.putText(
                    canvas, str(int(value)), (box[3] - 30, box[0] + row + 4), 0, 0.36, (170, 170, 170), 1, 16
                )
    for value in np.arange(-20 * label, 20 * label + 1, label):
        row = round(zero - value / step)
        if 0 <= row < look.rows:
            cv2.line(canvas, (box[3] + 2, box[0] + row), (box[3] + 6, box[0] + row), (200, 200, 200), 1)
            cv2.putText(
                canvas, str(int(value)), (box[3] + 9, box[0] + row + 4), 0, 0.36, (200, 200, 200), 1, 16
            )
    if look.peak_mark:
        col = box[1] + int(rng.integers(20, look.columns - 20))
        cv2.drawMarker(canvas, (col, box[0] + int(rng.integers(8, look.rows - 8))), (255, 255, 0), 0, 9, 1)
    if look.jpeg < 100:
        ok, data = cv2.imencode(".jpg", canvas[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, look.jpeg])
        assert ok
        canvas = np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1])
    return canvas, box, hidden


def truth_of(
    flow: Any, shown: tuple[float, float], window: tuple[float, float], profile: float, adequate: bool
) -> dict[str, Any]:
    """By the definitions, from the curve: what one attempt within `window` shows of it."""
    t = np.arange(max(window[0], shown[0]), min(window[1], shown[1]), 0.0005)
    mean = flow(t)
    share = (profile + 2) / profile * (1 - 0.05 ** (profile / 2))
    nothing: dict[str, Any] = {
        "adequate": adequate,
        "reflux_s": 0.0 if adequate else None,
        "onset_s": None,
        "end_s": None,
        "is_lower_bound": False,
        "peak_reflux_cm_s": None,
        "interrupted": False,
        "antegrade_peak_cm_s": float(mean.max() * share) if adequate else None,
    }
    if not adequate or mean.min() > -1.0:
        return nothing
    over = mean < -1.0
    where = np.flatnonzero(over)
    breaks = np.flatnonzero(np.diff(t[where]) > 0.1)
    lasts = where[np.r_[breaks, where.size - 1]]
    firsts = where[np.r_[0, breaks + 1]]
    run = int(np.argmax(lasts - firsts))
    last = lasts[run]
    zero = np.flatnonzero(mean[: firsts[run]] >= -1e-9)
    onset = float(t[zero[-1]] if zero.size else t[0])
    low = firsts[run] + int(np.argmin(mean[firsts[run] : last + 1]))
    bound = bool(over[-1] and t[-1] > shown[1] - 0.002)
    return nothing | {
        "reflux_s": (float(t[-1]) if bound else float(t[last])) - onset,
        "onset_s": onset - shown[0],
        "end_s": float(t[last]) - shown[0],
        "is_lower_bound": bound,
        "peak_reflux_cm_s": float(-mean[low] * share),
        "interrupted": bool(breaks.size),
    }


def make(seed: int, kind: str = "reflux") -> Made:
    """One strip; the truth's `attempts` are in the order of time."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    flow = Flow()
    height = float(rng.uniform(14, 60))
    reflux = float(height * rng.uniform(0.25, 0.9))
    level = float(rng.uniform(0, 5) if kind != "no_spike" else rng.uniform(0, 12))
    look = look_of(rng, kind, 1.5 * max(height if kind != "no_spike" else level * 1.6, 8.0))
    close = float(rng.uniform(0.01, 0.06))
    starts: list[float] = []
    quiet: list[tuple[float, float]] = []
    count = 2 if kind == "attempts" else 1
    part = look.length_s / count
    for k in range(count):
        if kind == "no_spike":
            break
        start = k * part + rng.uniform(0.35, 0.8)
        length = float(rng.uniform(0.3, 0.7))
        flow.pieces.append(spike(rng, start, length, height))
        onset = start + length + float(rng.choice([0.0, rng.uniform(0.0, 0.2)]))
        room = (k + 1) * part - onset
        duration = float(rng.uniform(0.3, max(0.35, room - 0.75)))
        if kind == "closure":
            duration = float(rng.uniform(0.1, 0.3))
        if kind == "off_edge":
            duration = room + 2.0
        if kind == "slow_end":
            close = duration * 0.6
        if kind == "interrupted":
            first = duration * 0.5
            flow.pieces.append(back(rng, onset, first, reflux, close))
            flow.pieces.append(
                back(rng, onset + first + 0.16, max(0.15, duration * 0.3), reflux * 0.6, close)
            )
        elif kind != "competent":
            flow.pieces.append(back(rng, onset, duration, reflux * (1 if k == 0 else 0.8), close))
        else:
            duration = 0.3
        quiet.append((start, onset + duration + float(rng.uniform(0.3, 0.8))))
        starts.append(start)
    flow.pieces.insert(0, rest(rng, level, quiet))
    levels = picture_of(flow, look, rng)
    frame, box, gap = draw(levels, look, rng)
    step = look.length_s / look.columns
    shown = (gap * step, look.length_s)
    edges = [*starts, look.length_s]
    attempts = [
        truth_of(
            flow,
            shown,
            (edges[k] if k else 0.0, edges[k + 1] - (0.02 if k + 1 < len(starts) else 0)),
            look.profile,
            True,
        )
        for k in range(len(starts))
    ] or [truth_of(flow, shown, shown, look.profile, False)]
    truth = max(attempts, key=lambda a: a["reflux_s"] or 0.0) | {"attempts": attempts}
    zero = look.up_cm_s / (look.up_cm_s + look.down_cm_s) * look.rows
    return Made(
        frame, box, step, (look.up_cm_s + look.down_cm_s) / look.rows, box[0] + zero, truth, look, flow
    )


def region_of(made: Made, **changes: Any) -> Any:
    """The calibrated region that a scanner's header would give for the strip."""
    from veinscan.dicom.model import Region, RegionKind

    values: dict[str, Any] = {
        "kind": RegionKind.SPECTRAL_PW,
        "box": made.box,
        "time_step_s": made.time_step_s,
        "velocity_step_cm_s": made.step_cm_s,
        "baseline_row": made.baseline_row,
        "up_is_positive": True,
        "units": ("cm/s", "s"),
        "deltas": (-made.step_cm_s, made.time_step_s),
        "reference": (made.baseline_row, float(made.box[1])),
        "flags": 16 if made.look.sweep_column is not None else 0,
    }
    return Region(**(values | changes))
