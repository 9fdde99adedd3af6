"""What a study is made of: `Study`, `Clip` and `Region`.

Geometry follows three rules everywhere.  A point is `(row, col)` with the
centre of the top left pixel at (0, 0).  A box is half-open
`(row0, col0, row1, col1)`.  Sizes of pixels are `(row, col)` in mm: DICOM's
centimetres are converted once, on reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Box = tuple[int, int, int, int]
"""Half-open `(row0, col0, row1, col1)` in whole-frame pixels."""

SpacingMm = tuple[float, float]
"""Size of a pixel `(row, col)` in mm, both positive."""


class RegionKind(StrEnum):
    """What a calibrated rectangle of the screen shows (PS3.3 C.8.5.5.1.1 and C.8.5.5.1.2)."""

    TISSUE = "tissue"
    """A two-dimensional B-mode picture."""
    COLOR_FLOW = "color_flow"
    """A two-dimensional picture with colour or power Doppler laid over it."""
    SPECTRAL_PW = "spectral_pw"
    """A pulsed-wave spectrum: time to the right, velocity or frequency up."""
    SPECTRAL_CW = "spectral_cw"
    """A continuous-wave spectrum."""
    M_MODE = "m_mode"
    WAVEFORM = "waveform"
    COLOR_BAR = "color_bar"
    GREY_BAR = "grey_bar"
    GRAPHICS = "graphics"


class ClipKind(StrEnum):
    """What a clip shows as a whole."""

    BMODE = "bmode"
    COLOUR = "colour"
    POWER = "power"
    SPECTRAL = "spectral"
    DUPLEX = "duplex"
    """A picture and a spectrum on one screen."""
    M_MODE = "m_mode"
    PAGE = "page"
    """A report or a page of text."""
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A calibrated rectangle of the screen (PS3.3 C.8.5.5, US Region Calibration).

    Every physical quantity is None where the file does not give a usable one:
    a guess is never shown as a fact.
    """

    kind: RegionKind
    box: Box
    """Clipped to the frame."""
    spacing_mm: SpacingMm | None = None
    """Size of a pixel, for two-dimensional pictures with usable deltas in cm."""
    proposed_spacing_mm: SpacingMm | None = None
    """A guess from burned-in ticks, for a person to accept; never used by itself."""
    skin_row: float | None = None
    """Whole-frame row of the probe's face, where the reference pixel gives it (C.8.5.5.1.16)."""
    time_step_s: float | None = None
    """Seconds per column, for strips; positive."""
    velocity_step_cm_s: float | None = None
    """cm/s per row, for strips in velocity; positive.  None on a strip in Hz."""
    frequency_step_hz: float | None = None
    """Hz per row, for strips in frequency; positive."""
    baseline_row: float | None = None
    """Whole-frame row of velocity (or frequency) zero, for strips."""
    up_is_positive: bool | None = None
    """Whether values grow upwards (the usual: towards the probe is up); None off strips."""
    flags: int = 0
    """RegionFlags (C.8.5.5.1.3): bit 0 low priority, bit 2 frequency scale, bits 3-4 scrolling."""
    transducer_frequency_khz: float | None = None
    pulse_repetition_frequency_hz: float | None = None
    doppler_correction_angle_deg: float | None = None
    steering_angle_deg: float | None = None
    sample_volume: tuple[float, float] | None = None
    """`(row, col)` of the Doppler gate where the file gives it (DopplerSampleVolumeX/YPosition)."""
    units: tuple[str, str] = ("", "")
    """Units of `physical` along rows and columns: mm, s, cm/s, Hz, ...; '' for none."""
    deltas: tuple[float | None, float | None] = (None, None)
    """Signed change of the value a pixel downwards and to the right, in `units`; None where not usable."""
    reference: tuple[float, float] | None = None
    """Whole-frame `(row, col)` of the reference pixel (C.8.5.5.1.16), where the file gives a usable one."""
    reference_value: tuple[float, float] = (0.0, 0.0)
    """Values at the reference pixel along rows and columns, in `units`."""
    source: str = "file"
    """Where it is from: 'file', 'pixels' (a place without any scale) or 'manual' (a reader's scale)."""
    wrap_col: int | None = None
    """On a sweeping strip (RegionFlags bits 3-4) the column being written: from it on all is older."""
    warnings: tuple[str, ...] = ()
    """Why a quantity is missing or was repaired, one sentence each."""

    def physical(self, row: float, col: float) -> tuple[float | None, float | None]:
        """Values at a point `(row, col)`, along rows and along columns, in `units`.

        value = reference value + (pixel - reference pixel) * delta (C.8.5.5.1.17
        to .21).  Without a reference pixel, lengths and times count from the
        box's corner, and velocities and frequencies are None.

        On a sweeping strip a time is None on the far side of the column being
        written: the reference pixel's time (C.8.5.5.1.16) does not reach there.
        """
        along = self._value(1, col)
        if self.wrap_col is not None and self.units[1] == "s":
            origin = self._origin(1)
            if origin is not None and (col >= self.wrap_col) != (origin[0] >= self.wrap_col):
                along = None
        return self._value(0, row), along

    def seconds_between(self, col: float, other: float) -> float | None:
        """Seconds from column `col` to column `other`; None where columns are not times in one order.

        A sweeping strip (RegionFlags bits 3-4, C.8.5.5.1.3) is overwritten
        from the left: across the column being written time jumps, and where
        that column is not known no difference is told.
        """
        if self.time_step_s is None:
            return None
        known = self.wrap_col is not None and (col >= self.wrap_col) == (other >= self.wrap_col)
        if self.scroll.startswith("sweeping") and not known:
            return None
        return (other - col) * self.time_step_s

    def pixel(self, row_value: float | None, col_value: float | None) -> tuple[float | None, float | None]:
        """The point `(row, col)` at which values stand; the inverse of `physical`."""
        return self._place(0, row_value), self._place(1, col_value)

    def _origin(self, axis: int) -> tuple[float, float] | None:
        if self.reference is not None:
            return self.reference[axis], self.reference_value[axis]
        return (float(self.box[axis]), 0.0) if self.units[axis] in ("mm", "s") else None

    def _value(self, axis: int, place: float) -> float | None:
        delta, origin = self.deltas[axis], self._origin(axis)
        return None if delta is None or origin is None else origin[1] + (place - origin[0]) * delta

    def _place(self, axis: int, value: float | None) -> float | None:
        delta, origin = self.deltas[axis], self._origin(axis)
        return (
            None
            if value is None or delta is None or origin is None
            else origin[0] + (value - origin[1]) / delta
        )

    @property
    def is_picture(self) -> bool:
        """Whether it is a two-dimensional picture of tissue, with colour or without."""
        return self.kind in (RegionKind.TISSUE, RegionKind.COLOR_FLOW)

    @property
    def is_spectrum(self) -> bool:
        """Whether it is a Doppler spectrum."""
        return self.kind in (RegionKind.SPECTRAL_PW, RegionKind.SPECTRAL_CW)

    @property
    def high_priority(self) -> bool:
        """Whether it lies on top where regions overlap (RegionFlags bit 0 is clear, C.8.5.5.1.3)."""
        return not self.flags & 1

    @property
    def scroll(self) -> str:
        """'scrolling', 'sweeping', 'sweeping then scrolling' or '' (RegionFlags bits 3 and 4)."""
        return ("", "scrolling", "sweeping", "sweeping then scrolling")[(self.flags >> 3) & 3]

    @property
    def shape(self) -> tuple[int, int]:
        """`(rows, cols)` of the box."""
        row0, col0, row1, col1 = self.box
        return row1 - row0, col1 - col0

    def contains(self, row: float, col: float) -> bool:
        """Whether a point `(row, col)` lies on a pixel of the region."""
        row0, col0, row1, col1 = self.box
        return row0 - 0.5 <= row < row1 - 0.5 and col0 - 0.5 <= col < col1 - 0.5


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was found and is not part of the study, with the reason in one sentence."""

    path: str
    """Relative to the study, with `/`."""
    reason: str
