"""Where the picture begins under the probe, found in the pixels for want of a reference pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from veinscan.dicom.model import Box, Region
from veinscan.errors import UnreadableError

if TYPE_CHECKING:
    from veinscan.dicom.colour import Frame

_CENTRAL = 0.2
"""Share of the columns looked at: a curved probe touches the skin lowest in the middle."""
_ABOVE_BACKGROUND = 14
"""Grey levels by which echoes of the probe's face and skin exceed the empty screen."""
_RUN = 4
"""Rows that must be bright in a row: thicker than a mark or a line of text."""
_DEEPEST = 0.4
"""Share of the box above which the skin must lie to be believed."""


class Pictures(Protocol):
    """What is used of a clip here."""

    @property
    def n_frames(self) -> int: ...  # noqa: D102
    def bmode(self, index: int, /) -> Frame: ...  # noqa: D102


def skin_row_in(clip: Pictures, region: Region) -> float | None:
    """Whole-frame row of the skin in a picture region; None where neither header nor pixels tell.

    The reference pixel where it is the probe's face (C.8.5.5.1.16), else found
    in up to three frames.
    """
    if region.skin_row is not None:
        return float(region.skin_row)
    try:
        frames = [clip.bmode(i) for i in sorted({0, clip.n_frames // 2, clip.n_frames - 1})]
    except UnreadableError:
        return None
    return find_skin_row(frames, region.box)


def depth_origin(clip: Pictures, region: Region) -> tuple[float, bool]:
    """(whole-frame row that depth is counted from, whether it is the skin).

    The one rule for every depth in mm: the skin's row, else the top of the box.
    """
    found = skin_row_in(clip, region)
    return (float(region.box[0]), False) if found is None else (found, True)


def find_skin_row(frames: Sequence[Frame], box: Box) -> float | None:
    """Whole-frame row at which the picture begins below the probe, or None where that is not clear.

    Parameters
    ----------
    frames : sequence of (rows, cols) uint8
        Grey frames of one clip; a few suffice.
    box : Box
        The picture's region.

    Notes
    -----
    In the central columns the first row is taken from which the picture stays
    brighter than the empty screen, and of those the median.
    """
    row0, col0, row1, col1 = box
    half = max(4, round((col1 - col0) * _CENTRAL / 2))
    middle = (col0 + col1) // 2
    patch = np.mean(
        [f[row0:row1, max(col0, middle - half) : min(col1, middle + half)] for f in frames], axis=0
    )
    if patch.shape[0] < 4 * _RUN or patch.shape[1] < 4:
        return None
    whole = np.concatenate([f[row0:row1, col0:col1].ravel()[::7] for f in frames])
    background = float(np.percentile(whole, 5))
    bright = patch > background + _ABOVE_BACKGROUND
    windows = np.lib.stride_tricks.sliding_window_view(bright, _RUN, axis=0)
    run = windows[..., 0] & (windows.sum(axis=2) >= _RUN - 1)
    has = run.any(axis=0)
    if has.mean() < 0.6:
        return None
    first = run.argmax(axis=0)[has]
    row = float(np.median(first))
    spread = float(np.percentile(first, 75) - np.percentile(first, 25))
    if row > _DEEPEST * (row1 - row0) or spread > 0.05 * (row1 - row0):
        return None
    return row0 + row
