"""The gap of a sweeping strip: where the newest column is written over the oldest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter  # type: ignore[attr-defined]

from veinscan.doppler.burned_in import Level, Mask

Array = npt.NDArray[np.float64]
Span = tuple[int, int]

MIN_GAP_COLUMNS = 3
"""Fewer empty columns are not taken for a gap."""
BESIDE = 3
"""Columns next to a gap that are held against it: flow itself fades over more."""
DARKER = 0.45
"""A gap shows at most this share of what is right beside it; JPEG smears some of that into it."""
SURE = 3.0
"""Contrast in standard deviations from which a gap is believed on a strip said to sweep."""
SURE_UNTOLD = 8.0
"""The same where the file does not say how the strip moves."""
SHARP = 0.6
"""Share of the spectrum that is there in the column next to a gap, on a strip said to sweep."""
SHARP_UNTOLD = 0.85
"""The same where the file does not say how the strip moves."""
BARE_UNTOLD = 0.5
"""There a gap shows at most this share of what is beside it, nothing taken off for what all columns show."""
LEAST_UNTOLD = 0.02
"""There what is beside a gap shows at least this mean level: a thread along the baseline tells nothing."""


def runs_of(flags: Mask) -> list[Span]:
    """Half-open runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def strength_of(shown: Level, valid: Mask) -> Array:
    """(cols,) mean level of each column; columns under a cursor or grid line take what lies beside them."""
    count = valid.sum(axis=0)
    mean = shown.sum(axis=0, dtype=np.float64) / np.maximum(count, 1)
    good = np.flatnonzero(count > 0.5 * valid.shape[0])
    if not good.size:
        return np.asarray(mean, dtype=np.float64)
    return np.asarray(np.interp(np.arange(mean.size), good, mean[good]), dtype=np.float64)


def find_gap(strength: Array, empty: Mask, span: Span, scroll: str, noise_shown: bool) -> Span | None:
    """Half-open columns of the gap of a sweeping strip, or None.

    A gap is dark from one column to the next, on both sides, while flow that
    pauses fades over several; of such runs the one with the clearest contrast
    is taken.  On a strip that is said to sweep, a run of empty columns that
    cuts off the spectrum on one side will do.

    Parameters
    ----------
    strength : (cols,)
        `strength_of` the strip.
    empty : (cols,) bool
        Columns in which nothing is shown.
    span : (first, stop)
        Columns that are filled at all.
    scroll : str
        `StripAxes.scroll`.
    noise_shown : bool
        The noise floor is visible: then a gap has less than that, and `empty` says where.
    """
    if scroll == "scrolling":
        return None
    sweeping = scroll.startswith("sweeping")
    found = _two_sided(strength, span, sweeping, empty if noise_shown else None)
    if found is not None or not sweeping:
        return found
    return _one_sided(strength, empty, span)


def _two_sided(strength: Array, span: Span, sweeping: bool, empty: Mask | None) -> Span | None:
    first, stop = span
    sure, sharp = (SURE, SHARP) if sweeping else (SURE_UNTOLD, SHARP_UNTOLD)
    widest = max(40, strength.size // 6)
    floor = float(np.quantile(strength[first:stop], 0.02)) if stop > first else 0.0
    level = strength - floor
    # the level just before and just after each column boundary
    sums = np.r_[0.0, np.cumsum(level)]

    def mean(a: int, b: int) -> float:
        return float((sums[b] - sums[a]) / (b - a))

    inner = range(first + 2 * BESIDE, stop - 2 * BESIDE + 1)
    falls = [a for a in inner if mean(a, a + 2) < DARKER * mean(a - BESIDE, a)]
    rises = [b for b in inner if mean(b - 2, b) < DARKER * mean(b, b + BESIDE)]
    best: tuple[float, Span] | None = None
    for a in falls:
        left = mean(a - BESIDE, a)
        for b in rises:
            if not MIN_GAP_COLUMNS <= b - a <= widest:
                continue
            beside = min(left, mean(b, b + BESIDE))
            inside = float(np.quantile(level[a:b], 0.8))
            bare = 1.0 if empty is None else float(empty[a:b].mean())
            if inside > DARKER * beside or (bare < 0.6 and not sweeping):
                continue
            edges = min(cut(level[max(first, a - 8) : a][::-1]), cut(level[b : min(stop, b + 8)]), 1.0)
            if edges < sharp:
                continue
            if not sweeping:
                raw = min(float(strength[a - BESIDE : a].mean()), float(strength[b : b + BESIDE].mean()))
                if raw < LEAST_UNTOLD or float(np.quantile(strength[a:b], 0.8)) > BARE_UNTOLD * raw:
                    continue
            around = np.r_[level[max(first, a - 12) : a], level[b : min(stop, b + 12)]]
            spread = float(around.std()) + 0.04 * beside
            steep = min(_step(level[a - 2 : a], level[a : a + 2]), _step(level[b : b + 2], level[b - 2 : b]))
            contrast = (
                edges**2 * steep**2 * (0.1 + bare) * (beside - inside) * np.sqrt(min(b - a, 12)) / spread
            )
            if contrast > sure and (best is None or contrast > best[0]):
                best = (contrast, (a, b))
    return None if best is None else best[1]


def _step(outside: Array, inside: Array) -> float:
    """How far a level falls from the columns right outside a gap to those right inside, 0..1."""
    least = float(outside.min())
    return max(0.0, 1 - max(float(inside.max()), 0.0) / least) if least > 0 else 0.0


def _one_sided(strength: Array, empty: Mask, span: Span) -> Span | None:
    inner = [
        run
        for run in runs_of(empty)
        if span[0] < run[0] and run[1] < span[1] and run[1] - run[0] >= MIN_GAP_COLUMNS
    ]
    usual = 0.25 * float(np.median(strength[~empty])) if (~empty).any() else 0.0
    best: tuple[float, Span] | None = None
    for run in inner:
        for beside in (strength[max(0, run[0] - 8) : run[0]][::-1], strength[run[1] : run[1] + 8]):
            sharp = cut(beside, 0.3 * usual)
            weight = min(sharp, 1.0) * float(np.median(beside)) if sharp > 0.75 else 0.0
            if weight > 0 and (best is None or weight > best[0]):
                best = (weight, run)
    return None if best is None else best[1]


def cut(beside: Array, least: float = 0.0) -> float:
    """How sharply a spectrum stops: its first columns beside a gap (nearest first) against the next few.

    0 where fewer than six columns are left, or the next few have no more than `least`.
    """
    body = float(np.median(beside[2:])) if beside.size >= 6 else 0.0
    return float(beside[:2].max() / body) if body > least else 0.0


def thin(strength: Array) -> Mask:
    """(cols,) columns with much less than is usual around them: JPEG leaves a few pixels in a narrow gap."""
    usual = median_filter(strength, size=33, mode="wrap")
    return np.asarray(strength < 0.15 * usual)
