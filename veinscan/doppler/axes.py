"""Axes of a spectral strip: from the file's region, or from two clicks of a person."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veinscan.errors import CalibrationError, InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom.model import Box, Region

SOUND_CM_S = 154_000.0
"""Speed of sound in soft tissue that scanners assume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripAxes:
    """Where a strip lies on the screen and what its rows and columns stand for."""

    box: Box
    """Half-open `(row0, col0, row1, col1)`, whole-frame pixels."""
    time_step_s: float
    """Seconds per column, positive."""
    value_step: float
    """cm/s or Hz per row, positive."""
    unit: str
    """'cm/s' or 'Hz'."""
    baseline_row: float
    """Whole-frame row of zero; may lie outside the box."""
    up_is_positive: bool = True
    """Whether values grow upwards."""
    source: str = "region"
    """'region' (from the header) or 'clicks' (from a person)."""
    scroll: str = ""
    """'scrolling', 'sweeping', 'sweeping then scrolling' or '' (RegionFlags bits 3 and 4)."""
    angle_deg: float | None = None
    """Doppler angle as recorded (0018,6034); a strip in cm/s is never corrected with it again."""
    transducer_frequency_khz: float | None = None

    def value(self, row: float) -> float:
        """Velocity (or frequency) at a whole-frame row, in `unit`; towards the probe is positive."""
        up = (self.baseline_row - row) * self.value_step
        return up if self.up_is_positive else -up

    def row(self, value: float) -> float:
        """Whole-frame row of a velocity (or frequency); the inverse of `value`."""
        up = value if self.up_is_positive else -value
        return self.baseline_row - up / self.value_step

    @property
    def cm_s_per_unit(self) -> float | None:
        """cm/s that one unit of the strip stands for: 1 on a strip in cm/s.

        On a strip in Hz v = c f / (2 f0 cos angle), None unless the
        transmitted frequency and the angle are recorded.
        """
        if self.unit == "cm/s":
            return 1.0
        if (
            self.transducer_frequency_khz is None
            or self.angle_deg is None
            or self.transducer_frequency_khz <= 0
        ):
            return None
        cosine = math.cos(math.radians(self.angle_deg))
        return SOUND_CM_S / (2000.0 * self.transducer_frequency_khz * cosine) if cosine > 0.05 else None


def axes_from_region(region: Region, *, where: str = "") -> StripAxes:
    """Axes of a spectral region (PS3.3 C.8.5.5).

    Raises
    ------
    CalibrationError
        The region is no spectrum, or a scale or its baseline is missing.
    """
    do = "calibrate it with two clicks on its axes"
    if not region.is_spectrum:
        raise CalibrationError(
            f"a region of kind '{region.kind}' is no spectrum", where=where, do="choose a spectral strip"
        )
    step = region.velocity_step_cm_s if region.velocity_step_cm_s is not None else region.frequency_step_hz
    missing = [
        name
        for name, value in (
            ("time scale", region.time_step_s),
            ("velocity scale", step),
            ("baseline", region.baseline_row),
        )
        if value is None
    ]
    if missing or region.time_step_s is None or step is None or region.baseline_row is None:
        raise CalibrationError(f"the strip has no usable {' and no '.join(missing)}", where=where, do=do)
    return StripAxes(
        box=region.box,
        time_step_s=region.time_step_s,
        value_step=step,
        unit="cm/s" if region.velocity_step_cm_s is not None else "Hz",
        baseline_row=region.baseline_row,
        up_is_positive=region.up_is_positive is not False,
        scroll=region.scroll,
        angle_deg=region.doppler_correction_angle_deg,
        transducer_frequency_khz=region.transducer_frequency_khz,
    )


def axes_from_clicks(
    box: Box,
    first: tuple[float, float],
    first_value: tuple[float, float],
    second: tuple[float, float],
    second_value: tuple[float, float],
    *,
    unit: str = "cm/s",
    scroll: str = "",
    angle_deg: float | None = None,
    transducer_frequency_khz: float | None = None,
) -> StripAxes:
    """Axes from two points whose velocity and time a person read off the screen.

    Parameters
    ----------
    box : (row0, col0, row1, col1)
        The strip, without its labels.
    first, second : (row, col)
        Two points in whole-frame pixels that differ in row and in column.
    first_value, second_value : (velocity, seconds)
        What the burned-in axes say there; seconds may count from anywhere.

    Raises
    ------
    CalibrationError
        The points share a row or a column or a value, or time runs to the left.
    """
    if unit not in ("cm/s", "Hz"):
        raise InvalidInputError(
            f"unit '{unit}' is not known", where="two-click calibration", do="use 'cm/s' or 'Hz'"
        )
    numbers = (*first, *second, *first_value, *second_value)
    if not all(math.isfinite(v) for v in numbers):
        raise CalibrationError(
            "a click or value is not a finite number", where="two-click calibration", do="click again"
        )
    if box[2] <= box[0] or box[3] <= box[1]:
        raise CalibrationError(
            f"the box {box} is empty",
            where="two-click calibration",
            do="draw it from top left to bottom right",
        )
    rows, cols = second[0] - first[0], second[1] - first[1]
    values, seconds = second_value[0] - first_value[0], second_value[1] - first_value[1]
    if abs(rows) < 2 or abs(cols) < 2 or values == 0 or seconds == 0:
        raise CalibrationError(
            "the two clicks do not differ in velocity and in time",
            where="two-click calibration",
            do="click two points far apart, on different ticks of both axes",
        )
    if seconds / cols <= 0:
        raise CalibrationError(
            "time would run to the left", where="two-click calibration", do="check the two times"
        )
    step = values / rows
    return StripAxes(
        box=box,
        time_step_s=seconds / cols,
        value_step=abs(step),
        unit=unit,
        baseline_row=first[0] - first_value[0] / step,
        up_is_positive=step < 0,
        source="clicks",
        scroll=scroll,
        angle_deg=angle_deg,
        transducer_frequency_khz=transducer_frequency_khz,
    )
