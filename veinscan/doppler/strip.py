"""A spectral strip taken off the screen: in the order of time, with what was drawn over it left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.doppler.axes import StripAxes
from veinscan.doppler.burned_in import Mask, coloured_graphics, lines, text
from veinscan.doppler.gap import MIN_GAP_COLUMNS, Array, cut, find_gap, runs_of, strength_of, thin
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom.model import Box

EMPTY_LEVEL = 0.045
"""Display level (0..1) below which a pixel shows nothing."""
MOSTLY = 0.85
"""Share of columns that must be empty where nothing was written yet."""
SHARP_END = 0.75
"""Share of the spectrum that is there in the first column written; a squeeze takes longer to rise."""
EMPTY_SHARE = 0.3
"""A column that shows less than this share of the usual may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The spectrum of one strip, oldest column first.

    `level[r, k]` is the display level 0..1 at whole-frame row `box[0] + r` and
    column `columns[k]`, `k * time_step_s` seconds after the oldest column.
    """

    axes: StripAxes
    level: npt.NDArray[np.float32] = field(repr=False)
    """(rows, n) 0..1."""
    brightness: npt.NDArray[np.float32] = field(repr=False)
    """(rows, n) 0..1, mean of the three channels: how bright a tinted map is to the eye."""
    valid: Mask = field(repr=False)
    """(rows, n) False where graphics are drawn."""
    columns: npt.NDArray[np.int64] = field(repr=False)
    """(n,) whole-frame column of each."""
    wrap_column: int | None = None
    """First whole-frame column of the gap of a sweeping strip; the newest column lies left of it."""
    noise_shown: bool = False
    """Whether the noise floor is visible, so that an empty column means 'no data'."""
    warnings: tuple[str, ...] = ()

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """(n,) seconds from the oldest column shown."""
        return np.arange(self.columns.size, dtype=np.float64) * self.axes.time_step_s

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """(rows,) velocity or frequency of each row; towards the probe is positive."""
        rows = self.axes.box[0] + np.arange(self.level.shape[0], dtype=np.float64)
        up = (self.axes.baseline_row - rows) * self.axes.value_step
        return np.asarray(up if self.axes.up_is_positive else -up, dtype=np.float64)

    def column_at(self, seconds: float) -> int:
        """Whole-frame column shown at a time (the nearest on the strip)."""
        k = round(seconds / self.axes.time_step_s)
        return int(self.columns[min(max(k, 0), self.columns.size - 1)])

    def seconds_at(self, column: float) -> float:
        """Seconds of a whole-frame column from the oldest shown; of the nearest for one that is hidden."""
        k = int(np.argmin(np.abs(self.columns - column)))
        inside = min(max(float(column) - float(self.columns[k]), -0.5), 0.5)
        return (k + inside) * self.axes.time_step_s


def read_strip(frame: npt.NDArray[np.uint8], axes: StripAxes, *, wrap_column: int | None = None) -> Strip:
    """Take the strip off a frame.

    Parameters
    ----------
    frame : (rows, cols) or (rows, cols, 3) uint8
        Whole frame.
    axes : StripAxes
    wrap_column : int, optional
        Whole-frame column at which a sweeping strip is written, set by a
        person; otherwise the gap is looked for.

    Raises
    ------
    InvalidInputError
        The box lies outside the frame, or is too small to hold a spectrum.
    """
    box = _inside(axes.box, frame.shape)
    axes = replace(axes, box=box)
    rgb = frame[box[0] : box[2], box[1] : box[3]]
    if rgb.ndim == 2:
        rgb = np.repeat(rgb[:, :, None], 3, axis=2)
    rgb = np.ascontiguousarray(rgb)
    # the brightest channel follows the display level on grey, brown and blue maps alike
    level = np.asarray(rgb.max(axis=2), dtype=np.float32) / 255.0
    baseline = axes.baseline_row - box[0]
    valid = ~coloured_graphics(rgb)
    line_rows, line_columns = lines(np.where(valid, level, np.float32(0)))
    valid &= ~line_rows[:, None] & ~line_columns[None, :]
    valid &= ~text(level, baseline)
    peak = float(np.quantile(level[valid], 0.999)) if valid.any() else 1.0
    level = np.clip(level / max(peak, 0.25), 0, 1)
    brightness = np.asarray(rgb.mean(axis=2, dtype=np.float32), dtype=np.float32) / np.float32(255)
    return _in_order(axes, level, brightness, valid, wrap_column)


def _inside(box: Box, shape: tuple[int, ...]) -> Box:
    row0, col0, row1, col1 = max(0, box[0]), max(0, box[1]), min(shape[0], box[2]), min(shape[1], box[3])
    if row1 - row0 < 16 or col1 - col0 < 16:
        raise InvalidInputError(
            f"the strip {box} has fewer than 16 rows or columns in a picture of {shape[0]} x {shape[1]}",
            where="strip",
            do="draw it again",
        )
    return row0, col0, row1, col1


def _in_order(
    axes: StripAxes,
    level: npt.NDArray[np.float32],
    brightness: npt.NDArray[np.float32],
    valid: Mask,
    wrap: int | None,
) -> Strip:
    """Find empty columns, put the rest in the order of time."""
    rows, cols = level.shape
    notes: list[str] = []
    baseline = axes.baseline_row - axes.box[0]
    shown = np.where(valid, level, 0)
    empty = (shown > EMPTY_LEVEL).sum(axis=0) <= max(1, rows // 100)
    strength = strength_of(shown, valid)
    ground = _ground(shown, valid, baseline)
    noisy = _noise_shown(shown, empty, baseline)
    if noisy:
        # JPEG smears the noise into a gap, which is then not empty but much less than the noise elsewhere;
        # blotchy noise has thin places too, so that only a strip said to sweep is given the benefit of doubt
        share = 0.45 if axes.scroll.startswith("sweeping") else 0.15
        low = ground < share * float(np.median(ground[~empty]))
        # where flow fills the strip to its edges in most columns, the others are no gap
        empty |= low & (strength < EMPTY_SHARE * float(np.median(strength[~empty])))
    elif axes.scroll.startswith("sweeping"):
        empty |= thin(strength)
    first, last = 0, cols
    if empty.all():
        pass
    elif noisy:
        filled = np.flatnonzero(~empty)
        if filled[0] >= MIN_GAP_COLUMNS:
            first = int(filled[0])
        if cols - 1 - filled[-1] >= MIN_GAP_COLUMNS:
            last = int(filled[-1]) + 1
    else:
        first, last = _cut_ends(strength, empty, axes.time_step_s)
    gap = find_gap(strength, empty, (first, last), axes.scroll, noisy)
    if wrap is not None:
        at = min(max(wrap - axes.box[1], 0), cols)
        gap = next((run for run in runs_of(empty) if run[0] - 1 <= at <= run[1] + 1), (at, at))
    if gap is not None:
        order = np.r_[np.arange(gap[1], last), np.arange(first, gap[0])]
    else:
        order = np.arange(first, last)
        if axes.scroll == "sweeping" and not (first or last < cols):
            notes.append(
                "the strip is sweeping and its write position was not found: seconds count from its left edge"
            )
    return Strip(
        axes=axes,
        level=np.ascontiguousarray(level[:, order]),
        brightness=np.ascontiguousarray(brightness[:, order]),
        valid=np.ascontiguousarray(valid[:, order] & ~(noisy & empty[order])[None, :]),
        columns=order + axes.box[1],
        wrap_column=None if gap is None else gap[0] + axes.box[1],
        noise_shown=noisy,
        warnings=tuple(notes),
    )


def _ground(shown: npt.NDArray[np.float32], valid: Mask, baseline: float) -> npt.NDArray[np.float64]:
    """(cols,) mean level of each column far from the baseline, on the side with less in it."""
    away = np.arange(shown.shape[0]) - baseline
    means = []
    for side in (away > 0.5 * max(away.max(), 1), away < 0.5 * min(away.min(), -1)):
        if side.sum() >= 6:
            part = shown[side].sum(axis=0) / np.maximum(valid[side].sum(axis=0), 1)
            means.append(np.asarray(part, dtype=np.float64))
    if not means:
        return np.asarray(shown.mean(axis=0), dtype=np.float64)
    return np.asarray(np.min(means, axis=0), dtype=np.float64)


def _noise_shown(shown: npt.NDArray[np.float32], empty: Mask, baseline: float) -> bool:
    """Whether columns that hold anything hold something far from the baseline too."""
    rows = shown.shape[0]
    filled = ~empty
    if filled.mean() < 0.02:
        return False
    away = np.abs(np.arange(rows) - baseline)
    far = away >= np.quantile(away, 0.7)
    some = (shown[far] > EMPTY_LEVEL).sum(axis=0)
    return bool(np.mean(some[filled] >= 1) > 0.97 and np.median(some[filled]) >= 3)


def _cut_ends(strength: Array, empty: Mask, step_s: float) -> tuple[int, int]:
    """Half-open columns that are filled, where the spectrum is cut off at the edge of empty columns.

    Only where a column is shorter than the transform's window: then flow
    itself cannot stop within one.
    """
    cols = empty.size
    least = 0.3 * float(np.median(strength[~empty]))
    filled = np.flatnonzero(strength > least)
    first, last = int(filled[0]), int(filled[-1]) + 1
    # JPEG rings for a block into the empty columns, and a mark may stand in them
    if first > 10 and empty[: first - 10].mean() < MOSTLY:
        first = 0
    if cols - last > 10 and empty[last + 10 :].mean() < MOSTLY:
        last = cols
    fine = step_s < 0.015
    left = fine and first >= MIN_GAP_COLUMNS and cut(strength[first : first + 8], least) > SHARP_END
    right = (
        fine
        and cols - last >= MIN_GAP_COLUMNS
        and cut(strength[max(0, last - 8) : last][::-1], least) > SHARP_END
    )
    return (first if left else 0), (last if right else cols)
