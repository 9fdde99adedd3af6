"""The colour bar: where it is, what its colours mean, and where that is known from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from veinscan.doppler.axes import SOUND_CM_S
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.dicom.model import Box, Region

Rgb = npt.NDArray[np.uint8]

MIN_CHROMA = 34
"""Largest less smallest channel from which a pixel of a bar is a colour."""
DARK = 46
"""Brightest channel below which a row of the bar is its dark middle."""
UPPER_IS_TOWARDS = "frequencies do not say which way is which: the upper end is taken as towards the probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourBar:
    """A vertical colour bar and its scale."""

    box: Box
    """Half-open, whole-frame pixels."""
    colours: npt.NDArray[np.float32] = field(repr=False)
    """(n, 3) RGB of each of its rows, top first."""
    kind: str
    """'velocity' (two directions) or 'power' (no direction)."""
    zero: float
    """Place of zero on the bar in rows from its top."""
    top: float | None = None
    """Value at its upper end, in `unit`; towards the probe is positive.  None until known."""
    bottom: float | None = None
    unit: str = "cm/s"
    """'cm/s' or 'kHz'."""
    source: str = ""
    """Where the scale is from: 'region', 'nyquist' (PRF and frequency of the header), 'labels' or 'given'."""
    note: str = ""
    """What to know about the scale, one sentence; else empty."""
    from_khz: bool = False
    """The scale was worked out from kHz, along the beam."""
    angle_corrected: bool = False
    """Only where the header says that the scanner did it; otherwise velocities are along the beam."""

    @property
    def calibrated(self) -> bool:
        """Whether it tells velocities in cm/s."""
        return (
            self.kind == "velocity"
            and self.top is not None
            and self.bottom is not None
            and self.unit == "cm/s"
        )

    @property
    def step(self) -> float | None:
        """Difference of value between two rows of the bar."""
        return (
            None
            if self.top is None or self.bottom is None
            else abs(self.top - self.bottom) / len(self.colours)
        )

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """(n,) value of each row; NaN in the dark middle, where the scanner shows no flow.

        Raises
        ------
        InvalidInputError
            The scale is not known.
        """
        if self.top is None or self.bottom is None:
            raise InvalidInputError(
                "the scale of the colour bar is not known", where="colour bar", do="give its two ends"
            )
        rows = np.arange(len(self.colours)) + 0.5
        values = self.top + (self.bottom - self.top) * rows / len(self.colours)
        dark = (self.colours.max(axis=1) < DARK) & (np.abs(rows - self.zero) < 0.25 * len(self.colours))
        return np.where(dark, np.nan, values)

    def with_scale(
        self, top: float, bottom: float, *, unit: str = "cm/s", source: str = "given"
    ) -> ColourBar:
        """The bar with the values at its ends, as a person read them.

        Raises
        ------
        InvalidInputError
            The ends are equal, or the bar shows power.
        """
        if self.kind == "power":
            raise InvalidInputError("a power Doppler bar has no velocities", where="colour bar")
        if unit not in ("cm/s", "kHz") or not np.isfinite([top, bottom]).all() or top == bottom:
            raise InvalidInputError(
                f"ends {top:g} and {bottom:g} {unit} make no scale",
                where="colour bar",
                do="give two numbers in cm/s or kHz",
            )
        return replace(self, top=float(top), bottom=float(bottom), unit=unit, source=source)

    def in_cm_s(self, frequency_khz: float | None) -> ColourBar:
        """A bar in kHz in cm/s along the beam, v = c f / (2 f0); as it is where f0 is not known."""
        if self.unit != "kHz" or self.top is None or self.bottom is None or not frequency_khz:
            return self
        factor = SOUND_CM_S / (2 * frequency_khz)
        note = f"worked out from kHz with the header's {frequency_khz / 1000:g} MHz, along the beam"
        return replace(
            self,
            top=self.top * factor,
            bottom=self.bottom * factor,
            unit="cm/s",
            note=note,
            from_khz=True,
        )


def find_colour_bar(frame: Rgb, box: Box | None = None) -> ColourBar | None:
    """The colour bar of a frame, without its scale; None where there is none.

    Parameters
    ----------
    frame : (rows, cols, 3) uint8
    box : (row0, col0, row1, col1), optional
        Where a region of the file says that it is.  Otherwise it is looked
        for: an upright stripe, even across, of colours that change along it.
    """
    if frame.ndim != 3:
        return None
    if box is not None:
        return _read(frame, box)
    chroma = frame.max(axis=2).astype(np.int16) - frame.min(axis=2)
    coloured = (chroma > MIN_CHROMA).astype(np.uint8)
    stripe = cv2.morphologyEx(coloured, cv2.MORPH_OPEN, np.ones((3, 4), np.uint8))
    best: tuple[float, ColourBar] | None = None
    for share in (36, 24, 16):  # the dark middle of a bar is bridged, the space to the next bar is not
        closed = cv2.morphologyEx(
            stripe, cv2.MORPH_CLOSE, np.ones((max(9, frame.shape[0] // share), 1), np.uint8)
        )
        closed = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((30, 3), np.uint8))
        total, _, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
        for left, top, width, height, area in stats[1:total]:
            if not 6 <= width <= 60 or height < 36 or height < 1.8 * width or area < 0.75 * width * height:
                continue
            bar = _read(frame, (int(top), int(left), int(top + height), int(left + width)))
            if bar is not None and _stands_alone(coloured, bar.box):
                score = _variety(bar.colours) * np.sqrt(height) * (2 if bar.kind == "velocity" else 1)
                if best is None or score > best[0]:
                    best = (score, bar)
    return None if best is None else best[1]


def _stands_alone(coloured: npt.NDArray[np.uint8], box: Box) -> bool:
    """Whether there is no colour beside a stripe: inside a picture there is."""
    row0, col0, row1, col1 = box
    left = coloured[row0:row1, max(0, col0 - 6) : max(0, col0 - 3)]
    right = coloured[row0:row1, col1 + 3 : col1 + 6]
    return all(part.size == 0 or float(part.mean()) < 0.15 for part in (left, right))


def _variety(colours: npt.NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(cv2.blur(colours, (1, 5)), axis=0)).sum())


def _read(frame: Rgb, box: Box) -> ColourBar | None:
    """Colours and kind of a bar in a box; None where the stripe is no bar."""
    row0, col0, row1, col1 = (
        max(0, box[0]),
        max(0, box[1]),
        min(frame.shape[0], box[2]),
        min(frame.shape[1], box[3]),
    )
    if row1 - row0 < 8 or col1 - col0 < 3:
        return None
    margin = (col1 - col0) // 5
    inner = frame[row0:row1, col0 + margin : col1 - margin].astype(np.float32)
    # some bars are shaded across, as if round: their full colours are where they are brightest
    across = inner.max(axis=2).mean(axis=0)
    full = inner[:, across >= 0.9 * across.max()]
    colours = np.median(full, axis=1)
    light = np.maximum(inner.max(axis=2, keepdims=True), 24)
    tint = colours / np.maximum(colours.max(axis=1, keepdims=True), 24)
    uneven = np.median(np.abs(inner / light - tint[:, None]).max(axis=2), axis=1)
    if np.mean((uneven < 0.22) | (colours.max(axis=1) < DARK)) < 0.8:
        return None
    chroma = colours.max(axis=1) - colours.min(axis=1)
    # rows of a box beyond the bar itself are black or grey
    lively = np.flatnonzero(chroma > MIN_CHROMA)
    if lively.size < 0.5 * len(colours):
        return None
    first, last = int(lively[0]), int(lively[-1]) + 1
    colours, chroma = colours[first:last], chroma[first:last]
    if _variety(colours) < 160 or float(np.abs(np.diff(colours, axis=0)).max(axis=1).mean()) > 30:
        return None
    zero, kind = _middle(colours)
    return ColourBar(
        box=(row0 + first, col0, row0 + last, col1), colours=colours.astype(np.float32), kind=kind, zero=zero
    )


def _middle(colours: npt.NDArray[np.float32]) -> tuple[float, str]:
    """Rows from the top to zero, and whether both sides have one tint (power) or two (velocity)."""
    count = len(colours)
    light = colours.max(axis=1)
    warm = colours[:, 0] - colours[:, 2]
    usable = np.abs(warm) > 20
    signs = np.sign(warm) * usable
    tinted = signs[signs != 0]
    some = max(3, count // 10)
    two = tinted.size > 6 and float(np.median(tinted[:some])) * float(np.median(tinted[-some:])) < 0
    inside = slice(max(1, count // 12), count - max(1, count // 12))
    if two:
        positive = signs > 0
        # zero is where the tint turns: the split that fits best
        score = [
            abs(
                float(positive[:k].sum() + (signs[k:] < 0).sum())
                - float((signs[:k] < 0).sum() + positive[k:].sum())
            )
            for k in range(count + 1)
        ]
        best = np.flatnonzero(np.asarray(score) == max(score))
        return float(best.mean()), "velocity"
    dark = np.flatnonzero(light[inside] < DARK)
    zero = float(inside.start + dark.mean() + 0.5) if dark.size else float(count)
    return zero, "power"


def bar_of(
    clip: Clip, frame_index: int = 0, *, scale: tuple[float, float] | None = None, box: Box | None = None
) -> ColourBar | None:
    """The colour bar of a clip with the best scale there is, or None without a bar.

    It is called angle-corrected where the colour region has a Doppler correction
    angle (0018,6034) and the scale is what the scanner shows, not worked out from frequencies.

    The scale is taken from `scale` (values at top and bottom in cm/s, read by
    a person), else from what a reader's record holds for the clip
    (`Clip.colour_scale`), else from a colour bar region of the header, else from the
    labels at the bar's ends where they are read without doubt, else as the
    Nyquist velocity c PRF / (4 f0) from the colour region's frequencies, else
    it stays unknown and is to be asked for.  The Nyquist velocity comes last
    because a header may hold the frequency of the picture instead of that of
    the colour: one real file is off by 43 %.
    """
    bar = _bar_of(clip, frame_index, scale=scale, box=box)
    flow = _colour_region(clip)
    if bar is None or bar.unit != "cm/s" or bar.source not in ("region", "labels", "given") or bar.from_khz:
        return bar
    return replace(bar, angle_corrected=bool(flow is not None and flow.doppler_correction_angle_deg))


def _colour_region(clip: Clip) -> Region | None:
    from veinscan.dicom.model import RegionKind

    return next((r for r in clip.regions if r.kind is RegionKind.COLOR_FLOW), None)


def _bar_of(
    clip: Clip, frame_index: int, *, scale: tuple[float, float] | None, box: Box | None
) -> ColourBar | None:
    from veinscan.dicom.model import RegionKind

    frame = clip.frame(frame_index)
    given = getattr(clip, "colour_scale", None)
    if box is None and scale is None and given is not None:
        box = given.box
    region = next((r for r in clip.regions if r.kind is RegionKind.COLOR_BAR), None)
    bar = find_colour_bar(frame, box if box is not None else (region.box if region is not None else None))
    if bar is None and box is None:
        bar = find_colour_bar(frame)
    if bar is None or bar.kind == "power":
        return bar
    if scale is not None:
        return bar.with_scale(*scale)
    flow = _colour_region(clip)
    frequency_khz = None if flow is None else flow.transducer_frequency_khz
    if given is not None:
        return bar.with_scale(given.top, given.bottom, unit=given.unit).in_cm_s(frequency_khz)
    if region is not None and region.units[0] in ("cm/s", "Hz"):
        ends = (region.physical(bar.box[0] - 0.5, 0)[0], region.physical(bar.box[2] - 0.5, 0)[0])
        if ends[0] is not None and ends[1] is not None and ends[0] != ends[1]:
            hertz = region.units[0] == "Hz"
            part = 1e-3 if hertz else 1.0
            return bar.with_scale(
                ends[0] * part, ends[1] * part, unit="kHz" if hertz else "cm/s", source="region"
            ).in_cm_s(frequency_khz)
    from veinscan.doppler.labels import read_scale

    labelled = read_scale(frame, bar)
    if flow is None or not flow.pulse_repetition_frequency_hz or not flow.transducer_frequency_khz:
        return labelled
    nyquist = SOUND_CM_S * flow.pulse_repetition_frequency_hz / (4e3 * flow.transducer_frequency_khz)
    if not 0.5 <= nyquist <= 400:
        return labelled
    if labelled.top is None or labelled.bottom is None:
        share = bar.zero / len(bar.colours)
        known = bar.with_scale(2 * nyquist * share, -2 * nyquist * (1 - share), source="nyquist")
        return replace(known, note=UPPER_IS_TOWARDS)
    shown = (labelled.top - labelled.bottom) / 2
    if abs(nyquist / shown - 1) > 0.05:
        note = (
            f"the bar's labels say +-{shown:.3g} cm/s, the header's frequencies would give +-{nyquist:.3g}:"
            " the labels are used"
        )
        return replace(labelled, note=note)
    return labelled
