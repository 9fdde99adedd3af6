"""Outer edge of a displayed spectrum: what a scanner follows for its maximum velocity.

A scanner's printed peak systolic, end diastolic and time-averaged maximum
velocities come from the edge of the spectrum that it shows, with all that
widens a spectrum left in: the window of the transform and the transit of the
cells through the gate.  That is another quantity than the 95th percentile of
the velocities, and not to be compared with it.

The edge of a column is where two levels, bright inside and dark outside, fit
its brightness best (least squares; for two levels the same as Otsu 1979).  So
it lies about half way between what is inside and what is outside, whatever
gain and grey map are, and nothing in it is set by hand.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from veinscan.doppler.burned_in import Mask, drawn_curve
from veinscan.doppler.strip import Strip

Array = npt.NDArray[np.float64]

INNER_SHARE = 0.5
"""Slower than this share of the envelope nothing is looked at: wall filter and clutter lie there."""
LEAST_SEEN = 0.3
"""Columns of which less is seen lie under a cursor and take what lies to both sides."""


def shown_brightness(strip: Strip) -> npt.NDArray[np.float32]:
    """(rows, n) brightness of the spectrum, what graphics hide bridged along each column.

    A trace that the scanner drew lies on the edge: it hides it, and is neither
    spectrum nor darkness.  Between what is seen above and beneath, the line is straight.
    """
    seen = strip.valid & ~drawn_curve(np.where(strip.valid, strip.brightness, np.float32(0)))
    across = seen.mean(axis=0) >= LEAST_SEEN
    out = _bridged(strip.brightness, seen & across[None, :])
    return _bridged(out.T, np.repeat(across[:, None], out.shape[0], axis=1)).T


def _bridged(image: npt.NDArray[np.float32], seen: Mask) -> npt.NDArray[np.float32]:
    """Hidden pixels of each column by straight lines; a column that is all hidden stays as it is."""
    rows = np.arange(image.shape[0])[:, None]
    last = image.shape[0] - 1
    above = np.maximum.accumulate(np.where(seen, rows, -1), axis=0)
    below = np.minimum.accumulate(np.where(seen, rows, last + 1)[::-1], axis=0)[::-1]
    none = ~seen.any(axis=0)
    above, below = np.where(above < 0, below, above), np.where(below > last, above, below)
    above, below = np.where(none, rows, above), np.where(none, rows, below)
    high = np.take_along_axis(image, above, axis=0)
    low = np.take_along_axis(image, below, axis=0)
    part = (rows - above) / np.maximum(below - above, 1)
    return np.asarray(high + (low - high) * part, dtype=np.float32)


def outer_edge(shown: Array, speed: Array, envelope: Array, blood: Mask, noisy: bool) -> Array:
    """(n,) speed at the edge of the displayed spectrum, column by column.

    Parameters
    ----------
    shown : (k, n)
        Brightness of one side, slow rows first.
    speed : (k,)
        Of each row, evenly spaced.
    envelope : (n,)
        95th percentile of the velocities, which says where the flow is.
    blood : (k, n) bool
        Where blood was told from noise.  Where it is seen up to the last row there is nothing dark
        outside, and the edge is the strip's.
    noisy : bool
        The noise floor is visible: then nothing beyond the last blood is looked at, as noise may be as bright
        as what is left of a flow that fades.  Without noise what is bright is spectrum, whatever
        graphics keep it from being told as blood.
    """
    count = speed.size
    step = float(np.abs(np.diff(speed)).mean())
    first = np.clip((INNER_SHARE * envelope / step).astype(int), 0, max(0, count - 4))
    use = np.arange(count)[:, None] >= first[None, :]
    gathered = np.cumsum(np.where(use, shown, 0.0), axis=0)
    number = np.cumsum(use, axis=0)
    inside, outside = number[:-1], number[-1] - number[:-1]
    drop = gathered[:-1] / np.maximum(inside, 1) - (gathered[-1] - gathered[:-1]) / np.maximum(outside, 1)
    last = count - 1 - np.argmax(blood[::-1], axis=0)
    reached = (np.arange(count - 1)[:, None] <= last[None, :]) | (not noisy)
    best = np.argmax(reached * inside * outside * np.clip(drop, 0, None) ** 2, axis=0)
    best = np.where(last >= count - 2, count - 1, best)
    return np.asarray(speed[best] + 0.5 * step, dtype=np.float64)
