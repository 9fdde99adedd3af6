"""What the burned-in depth scale says a pixel measures: a proposal, for a person to accept or refuse.

Ticks give a distance in pixels with little doubt, but rarely in millimetres.
That comes from the numbers beside them where these can be read and agree with
each other, else from the way scanners draw scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from veinscan.dicom.colour import Frame
from veinscan.dicom.digits import read_number
from veinscan.dicom.model import Box, SpacingMm
from veinscan.dicom.ticks import TickLine, find_tick_lines, hierarchy, still_parts

LEAST_COVER = 0.45
"""Share of the picture's height that a scale must span."""
MIN_SCALE_MM = 12.0
MAX_SCALE_MM = 300.0
"""Length of a depth scale that can be believed; as `regions.MAX_DEPTH_MM`."""

_LABEL_STEPS_CM = (0.1, 0.2, 0.25, 0.5, 1.0, 2.0)
"""What a place can be worth where labels are in cm."""
_LABEL_STEPS_MM = (1.0, 2.0, 2.5, 5.0, 10.0)
_BY_HIERARCHY: dict[int, tuple[float, tuple[float, ...]]] = {
    1: (10.0, (5.0,)),
    2: (5.0, (10.0, 2.5)),
    5: (10.0, (2.0, 1.0)),
    10: (1.0, (10.0,)),
}
"""Millimetres of a place by how many places apart the larger ticks are, and what else it may be.

Every fourth larger is left out: 2.5 mm and 10 mm, or 5 mm and 20 mm, are both in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedCalibration:
    """What burned-in ticks suggest.  Never used by itself: a person compares and takes it."""

    spacing_mm: SpacingMm
    """`(row, col)`; pixels are taken for square."""
    tick_mm: float
    """What two neighbouring ticks are taken to be apart."""
    tick_px: float
    points: tuple[tuple[float, float], ...]
    """`(row, col)` of the ticks, for drawing beside the proposal."""
    basis: str
    """'labels' (numbers beside the ticks were read) or 'ticks' (their pattern alone)."""
    alternatives_mm: tuple[float, ...] = ()
    """Other distances of two ticks that scanners use with such a pattern; empty where labels were read."""

    @property
    def sentence(self) -> str:
        """One sentence that says what was seen and what is proposed."""
        why = "as the numbers beside them say" if self.basis == "labels" else "as scanners usually draw them"
        return (
            f"ticks every {self.tick_px:.1f} pixels, taken as {self.tick_mm:g} mm {why}, would make a pixel"
            f" {self.spacing_mm[0]:.4g} mm; compare with the screen before taking it"
        )


def propose_calibration(frames: Sequence[Frame], box: Box) -> ProposedCalibration | None:
    """What the depth scale beside a picture suggests, or None where there is none or it is not clear.

    Parameters
    ----------
    frames : sequence of (rows, cols) or (rows, cols, 3) uint8
        A few frames of one clip.
    box : Box
        The picture.
    """
    if not frames:
        return None
    for some in (frames, frames[:1]) if len(frames) > 1 else (frames,):
        grey = still_parts(some)
        unclear: list[float] = []
        for line in find_tick_lines(some):
            column = line.points[0][1]
            # of one scale the best line decides: a lesser one may be every second tick of it
            if not _beside(line, box) or any(abs(column - other) < 15 for other in unclear):
                continue
            proposal = _reading(line, grey)
            if proposal is not None:
                return proposal
            unclear.append(column)
    return None


def _beside(line: TickLine, box: Box) -> bool:
    """Whether a line can be the depth scale of a picture: within its rows, near it, and long enough."""
    row0, col0, row1, col1 = box
    height, width = row1 - row0, col1 - col0
    top, bottom = line.points[0], line.points[-1]
    # a sector begins in a point that may be too dark to be found as picture
    slack = (0.35 if line.leans else 0.08) * height + line.pitch_px
    if top[0] < row0 - slack or bottom[0] > row1 + slack:
        return False
    cols = (min(top[1], bottom[1]), max(top[1], bottom[1]))
    if cols[1] < col0 - 0.75 * width or cols[0] > col1 + 0.75 * width:
        return False
    # an upright scale stands at the side, not across the picture
    if not line.leans and col0 + 0.12 * width < cols[0] < col1 - 0.12 * width:
        return False
    seen = sum(line.present)
    length = (len(line.points) - 1) * line.pitch_px
    return length >= LEAST_COVER * height and (seen >= 5 or length >= 0.7 * height)


def _reading(line: TickLine, grey: Frame) -> ProposedCalibration | None:
    places = len(line.points) - 1
    every = hierarchy(line) or 0
    known = _BY_HIERARCHY.get(every)
    usual = (known[0], *known[1]) if known else (2.5, 5.0) if every == 4 else (10.0,)
    step_mm = _by_labels(_labels(line, grey), places, usual)
    if step_mm is not None:
        return _made(line, step_mm, "labels", ())
    if known is None:
        return None
    choices = [mm for mm in (known[0], *known[1]) if MIN_SCALE_MM <= mm * places <= MAX_SCALE_MM]
    if not choices:
        return None
    return _made(line, choices[0], "ticks", tuple(choices[1:]))


def _made(line: TickLine, step_mm: float, basis: str, others: tuple[float, ...]) -> ProposedCalibration:
    spacing = step_mm / line.pitch_px
    return ProposedCalibration(
        spacing_mm=(spacing, spacing),
        tick_mm=step_mm,
        tick_px=line.pitch_px,
        points=line.points,
        basis=basis,
        alternatives_mm=others,
    )


def _labels(line: TickLine, grey: Frame) -> list[tuple[int, int]]:
    """(place, number) of every number that can be read beside a tick."""
    rows, columns = grey.shape
    tall, wide = max(12, rows // 48), max(36, rows // 17)
    found: list[tuple[int, int]] = []
    for place, (row, _) in enumerate(line.points):
        top = max(0, round(row) - tall)
        first, last = (round(side) for side in line.sides[place])
        for skip in (1, 5, 10):  # a mark may have grown together with its label or be longer than it looks
            for cols in ((first - wide, first - skip), (last + 1 + skip, last + wide)):
                patch = grey[top : round(row) + tall, max(0, cols[0]) : max(0, min(columns, cols[1]))]
                if patch.size:
                    number = read_number(patch, row - top)
                    if number is not None and (place, number) not in found:
                        found.append((place, number))
    return found


def _by_labels(labels: list[tuple[int, int]], places: int, usual_mm: tuple[float, ...]) -> float | None:
    """Millimetres of a place on which the labels agree, or None.

    A label says `number = step * (place - zero)`.  Two different numbers must
    agree, or one above 1 with a zero at the first tick and a `usual_mm` step.
    """
    best: tuple[int, float, float] | None = None
    rival = 0
    for factor, steps in ((10.0, _LABEL_STEPS_CM), (1.0, _LABEL_STEPS_MM)):
        for step in steps:
            for zero in (0, -1, 1, -2, 2):
                agree = {n for place, n in labels if n > 0 and abs(step * (place - zero) - n) < 1e-6}
                alone = zero == 0 and max(agree, default=0) > 1 and step * factor in usual_mm
                count = len(agree) + alone
                length = step * factor * (places - zero)
                if count < 2 or not MIN_SCALE_MM <= length <= MAX_SCALE_MM:
                    continue
                if best is None or count > best[0]:
                    best, rival = (count, step * factor, length), 0
                elif count == best[0] and not np.isclose(step * factor, best[1]):
                    rival = count
    return None if best is None or rival == best[0] else best[1]
