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
    warnings: tuple[str, ...] = ()
    """Why a quantity is missing or was repaired, one sentence each."""

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
