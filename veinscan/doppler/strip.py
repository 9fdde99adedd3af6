"""A spectral strip taken off the screen: in the order of time, with what was drawn over it left out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.doppler.axes import StripAxes
from veinscan.doppler.burned_in import Mask, coloured_graphics, lines, text
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom.model import Box

EMPTY_LEVEL = 0.045
"""Display level (0..1) below which a pixel shows nothing."""
MIN_GAP_COLUMNS = 3
"""Fewer empty columns are not taken for the gap of a sweeping strip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The spectrum of one strip, oldest column first.

    `level[r, k]` is the display level 0..1 at whole-frame row `box[0] + r` and
    column `columns[k]`, `k * time_step_s` seconds after the oldest column.
    """

    axes: StripAxes
    level: npt.NDArray[np.float32] = field(repr=False)
    """(rows, n) 0..1."""
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
        """Seconds of a whole-frame column from the oldest shown; for one that is not shown, of the nearest."""
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
    return _in_order(axes, level, valid, wrap_column)


def _inside(box: Box, shape: tuple[int, ...]) -> Box:
    row0, col0, row1, col1 = max(0, box[0]), max(0, box[1]), min(shape[0], box[2]), min(shape[1], box[3])
    if row1 - row0 < 16 or col1 - col0 < 16:
        raise InvalidInputError(
            f"the strip {box} has fewer than 16 rows or columns in a picture of {shape[0]} x {shape[1]}",
            where="strip",
            do="draw it again",
        )
    return row0, col0, row1, col1


def _in_order(axes: StripAxes, level: npt.NDArray[np.float32], valid: Mask, wrap: int | None) -> Strip:
    """Find empty columns, put the rest in the order of time."""
    rows, cols = level.shape
    notes: list[str] = []
    baseline = axes.baseline_row - axes.box[0]
    shown = np.where(valid, level, 0)
    empty = (shown > EMPTY_LEVEL).sum(axis=0) <= max(1, rows // 100)
    ground = _ground(shown, valid, baseline)
    noisy = _noise_shown(shown, empty, baseline)
    if noisy:
        # JPEG smears the noise into a gap, which is then not empty but much less than the noise elsewhere;
        # blotchy noise has thin places too, so that only a strip said to sweep is given the benefit of doubt
        share = 0.45 if axes.scroll.startswith("sweeping") else 0.15
        empty |= ground < share * float(np.median(ground[~empty]))
    elif axes.scroll.startswith("sweeping"):
        # JPEG leaves a few pixels in a narrow gap
        strength = shown.sum(axis=0)
        usual = np.median(np.stack([np.roll(strength, k) for k in range(-16, 17, 4)]), axis=0)
        empty |= strength < 0.15 * usual
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
        first, last = _cut_ends(shown, empty, axes.time_step_s)
    gap = _gap(shown, empty, noisy, (first, last), axes.scroll)
    if wrap is not None:
        at = min(max(wrap - axes.box[1], 0), cols)
        gap = next((run for run in _runs(empty) if run[0] - 1 <= at <= run[1] + 1), (at, at))
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


def _runs(flags: Mask) -> list[tuple[int, int]]:
    """Half-open runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _gap(
    shown: npt.NDArray[np.float32], empty: Mask, noisy: bool, span: tuple[int, int], scroll: str
) -> tuple[int, int] | None:
    """Half-open columns of the gap of a sweeping strip, or None.

    With a visible noise floor any run of empty columns inside is the gap.
    Without one, a quiet vein is empty too: the gap is then a run beside which
    the spectrum is cut off within a column on at least one side.
    """
    cols = shown.shape[1]
    inner = [r for r in _runs(empty) if r[0] > span[0] and r[1] < span[1] and r[1] - r[0] >= MIN_GAP_COLUMNS]
    inner = [r for r in inner if r[1] - r[0] <= max(40, cols // 6)]
    if not inner or scroll == "scrolling":
        return None
    if noisy:
        return max(inner, key=lambda r: r[1] - r[0])
    strength = shown.sum(axis=0)
    usual = float(np.median(strength[~empty])) if (~empty).any() else 0.0
    if scroll.startswith("sweeping"):
        usual *= 0.25  # there is a gap somewhere, if only beside quiet flow
    cuts = [
        (r, _cut(strength[max(0, r[0] - 8) : r[0]][::-1], usual), _cut(strength[r[1] : r[1] + 8], usual))
        for r in inner
    ]
    if scroll.startswith("sweeping"):
        run, left, right = max(cuts, key=lambda item: max(item[1], item[2]))
        return run if max(left, right) > 0.75 else None
    run, left, right = max(cuts, key=lambda item: min(item[1], item[2]))
    return run if min(left, right) > 0.85 else None


def _cut_ends(shown: npt.NDArray[np.float32], empty: Mask, step_s: float) -> tuple[int, int]:
    """Half-open columns that are filled, where the spectrum is cut off at the edge of empty columns.

    Only where a column is shorter than the transform's window: then flow
    itself cannot stop within one.
    """
    cols = empty.size
    filled = np.flatnonzero(~empty)
    first, last = int(filled[0]), int(filled[-1]) + 1
    strength = shown.sum(axis=0)
    usual = float(np.median(strength[~empty]))
    fine = step_s < 0.015
    left = fine and first >= MIN_GAP_COLUMNS and _cut(strength[first : first + 8], usual) > 0.85
    right = (
        fine
        and cols - last >= MIN_GAP_COLUMNS
        and _cut(strength[max(0, last - 8) : last][::-1], usual) > 0.85
    )
    return (first if left else 0), (last if right else cols)


def _cut(beside: npt.NDArray[np.float32], usual: float) -> float:
    """How sharply a spectrum stops at a gap: its first columns beside the gap against the next few."""
    if beside.size < 6:
        return 0.0
    body = float(np.median(beside[2:]))
    return float(beside[:2].max() / body) if body > 0.3 * usual > 0 else 0.0
