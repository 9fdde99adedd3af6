"""Compressibility: how far a lumen closes while the tissue above it is pressed together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from veinscan.candidates.model import Compression

Array = npt.NDArray[np.float64]

PRESSED = 0.05
"""Shortening of the tissue from which the clip shows a compression."""

RESTING = 0.02
"""Shortening up to which a frame counts as not pressed."""

NEAR_PEAK = 0.75
"""Frames with at least this part of the greatest shortening are those of full pressure."""

REFERENCE_FRAMES = 8
"""Resting frames nearest to the manoeuvre whose median diameter is compared with."""

LEAST_RESTING = 3
"""Fewer resting frames with the lumen give no reference, and no answer."""

STEADILY = 0.7
"""A lumen that was seen on this share of those frames, and on none at full pressure, is taken as closed."""

MARGIN = 2
"""Frames before and after the manoeuvre that are kept with it."""


def pressed_frames(shorter: Array) -> tuple[int, int] | None:
    """First and last frame of the strongest compression of a clip, or None where none is seen.

    `shorter` (frames,) as of `pressure.shortening`.
    """
    known = np.where(np.isfinite(shorter), shorter, 0.0)
    if known.size < 5 or known.max() < PRESSED:
        return None
    peak = int(known.argmax())
    if (known >= NEAR_PEAK * known[peak]).sum() < 2:
        return None
    first = last = peak
    while first > 0 and known[first - 1] > RESTING:
        first -= 1
    while last + 1 < known.size and known[last + 1] > RESTING:
        last += 1
    return first, last


def compression_of(diameters_mm: Mapping[int, float], shorter: Array) -> Compression | None:
    """What a compression did to a lumen; None where the clip shows none, or the lumen was not there before.

    `diameters_mm` by frame on which the lumen was seen, `shorter` (frames,) as of `pressure.shortening`.
    """
    pressed = pressed_frames(shorter)
    if pressed is None:
        return None
    first, last = pressed
    known = np.where(np.isfinite(shorter), shorter, 0.0)
    resting = [frame for frame in range(known.size) if (frame < first or frame > last)]
    resting.sort(key=lambda frame: (min(abs(frame - first), abs(frame - last)), frame))
    resting = resting[:REFERENCE_FRAMES]
    there = [diameters_mm[frame] for frame in resting if frame in diameters_mm]
    if len(there) < LEAST_RESTING:
        return None
    reference = float(np.median(there))
    full = [
        frame for frame in range(first, last + 1) if known[frame] >= NEAR_PEAK * known[first : last + 1].max()
    ]
    at_full = [diameters_mm[frame] for frame in full if frame in diameters_mm]
    if at_full and len(at_full) >= 0.3 * len(full):
        least = float(np.median(at_full)) if len(at_full) > 2 else min(at_full)
    elif len(there) >= STEADILY * len(resting):
        least = 0.0
    else:
        return None
    frames = tuple(range(max(0, first - MARGIN), min(known.size, last + 1 + MARGIN)))
    return Compression(
        compressibility=round(float(np.clip(1.0 - least / reference, 0.0, 1.0)), 3),
        resting_mm=round(reference, 3),
        pressed_mm=round(least, 3),
        shortening=round(float(known[first : last + 1].max()), 3),
        frame_indices=frames,
        diameters_mm=tuple(
            None if frame not in diameters_mm else round(diameters_mm[frame], 3) for frame in frames
        ),
    )
