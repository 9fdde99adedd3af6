"""SequenceOfUltrasoundRegions to `Region` (PS3.3 C.8.5.5, US Region Calibration).

What scanners write departs from the standard in known ways; each departure met
here is named in a warning, and a calibration that cannot be trusted is left
out: no mm is better than a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from veinscan.dicom.guard import Limits, only_veinscan_errors
from veinscan.dicom.model import Box, Region, RegionKind
from veinscan.dicom.values import number, raw_value, text, whole

MAX_DEPTH_MM = 300.0
"""A picture deeper than this is not a leg, nor any duplex examination: its calibration is not believed."""
MIN_DEPTH_MM = 2.0
"""Nor is one less deep than this."""
MAX_VELOCITY_RANGE_CM_S = 4000.0
"""Top to bottom of a strip; blood does not exceed some 8 m/s."""
EDGE_TOLERANCE_PX = 2
"""Writers count the last pixel as rows, columns or one less; more beyond the frame means it was resized."""

RESIZED = "it was resized or cropped after its calibration, which is not used"
"""End of the warning of a region that reaches beyond the frame: its place is not to be relied on either."""

_UNITS = {
    0: "",
    1: "%",
    2: "dB",
    3: "cm",
    4: "s",
    5: "Hz",
    6: "dB/s",
    7: "cm/s",
    8: "cm2",
    9: "cm2/s",
    10: "cm3",
    11: "cm3/s",
    12: "deg",
}
"""PhysicalUnitsX/YDirection, C.8.5.5.1.15."""

_ABSOLUTE_MODELS = (("ge", "voluson"), ("medistim", ""))
"""(maker, model) known to write the reference pixel from the corner of the image."""


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions of a clip, and what was wrong with those left out."""

    regions: tuple[Region, ...] = ()
    warnings: tuple[str, ...] = ()


def read_regions(dataset: Any, rows: int, columns: int, limits: Limits) -> Regions:
    """All usable regions of a header, in the file's order; never raises on a bad one."""
    sequence = raw_value(dataset, "SequenceOfUltrasoundRegions")
    found: list[Region] = []
    notes: list[str] = []
    try:
        items = list(sequence or [])
    except Exception:
        return Regions(warnings=("its list of calibrated regions is damaged",))
    if len(items) > limits.regions:
        notes.append(f"it lists {len(items)} regions: the first {limits.regions} are read")
    maker = (text(dataset, "Manufacturer").lower(), text(dataset, "ManufacturerModelName").lower())
    for count, item in enumerate(items[: limits.regions], start=1):
        try:
            with only_veinscan_errors("damaged"):
                region, note = _region(item, rows, columns, maker)
        except Exception:
            region, note = None, "it is damaged"
        if region is not None:
            found.append(region)
        if note:
            notes.append(f"region {count} is left out: {note}")
    return Regions(tuple(found), tuple(notes))


def _kind(item: Any) -> RegionKind | None:
    """RegionSpatialFormat and RegionDataType (C.8.5.5.1.1, .2) to a kind; None for a dummy."""
    space, data = whole(item, "RegionSpatialFormat") or 0, whole(item, "RegionDataType") or 0
    if data in (0x0D, 0x0E):
        return RegionKind.GREY_BAR if data == 0x0D else RegionKind.COLOR_BAR
    if space == 1:
        return RegionKind.COLOR_FLOW if data == 2 else RegionKind.TISSUE
    if space == 2:
        return RegionKind.M_MODE
    if space == 3:
        if data in (5, 6, 7, 8):
            return RegionKind.WAVEFORM
        return RegionKind.SPECTRAL_CW if data == 4 else RegionKind.SPECTRAL_PW
    if space == 4:
        return RegionKind.WAVEFORM
    if space == 5:
        return RegionKind.GRAPHICS
    return None


def _region(item: Any, rows: int, columns: int, maker: tuple[str, str]) -> tuple[Region | None, str]:
    kind = _kind(item)
    if kind is None:
        # Spatial format 0 marks a whole-screen dummy: nothing is calibrated by it, and nothing is lost.
        return None, ""
    corners = [whole(item, f"RegionLocation{k}") for k in ("MinY0", "MinX0", "MaxY1", "MaxX1")]
    if any(corner is None for corner in corners):
        return None, "it has no place on the screen"
    top, left, bottom, right = (int(corner or 0) for corner in corners)
    if bottom < top or right < left:
        return None, f"its corners are exchanged (rows {top} to {bottom}, columns {left} to {right})"
    box: Box = (max(0, top), max(0, left), min(rows, bottom + 1), min(columns, right + 1))
    if box[2] <= box[0] or box[3] <= box[1]:
        return None, f"it lies outside the picture (rows {top} to {bottom}, columns {left} to {right})"
    notes: list[str] = []
    stale = bottom >= rows + EDGE_TOLERANCE_PX or right >= columns + EDGE_TOLERANCE_PX
    if stale:
        notes.append(
            f"the region reaches to row {bottom} and column {right} of a picture of {rows} x {columns}: "
            f"{RESIZED}"
        )
    units, deltas = _scale(item, notes)
    if stale:
        deltas = (None, None)
    reference = _reference(item, (top, left, bottom, right), maker, notes)
    value = (
        _in_unit(number(item, "ReferencePixelPhysicalValueY"), whole(item, "PhysicalUnitsYDirection")),
        _in_unit(number(item, "ReferencePixelPhysicalValueX"), whole(item, "PhysicalUnitsXDirection")),
    )
    return _finished(item, kind, box, units, deltas, None if stale else reference, value, notes), ""


def _in_unit(value: float | None, unit: int | None) -> float:
    """cm to mm; other units as they are; 0 where there is no value."""
    return (value or 0.0) * (10.0 if unit == 3 else 1.0)


def _scale(item: Any, notes: list[str]) -> tuple[tuple[str, str], tuple[float | None, float | None]]:
    """Units and signed deltas along rows and columns, centimetres turned into mm."""
    units: list[str] = []
    deltas: list[float | None] = []
    for axis in ("Y", "X"):
        code = whole(item, f"PhysicalUnits{axis}Direction")
        unit = _UNITS.get(code or 0, "")
        delta = number(item, f"PhysicalDelta{axis}")
        if unit and not delta:
            seen = "missing" if delta is None else "0"
            notes.append(f"its pixel size along {axis} is {seen}: not calibrated in that direction")
            delta = None
        units.append("mm" if unit == "cm" else unit)
        deltas.append(_in_unit(delta, code) if delta and unit else None)
    return (units[0], units[1]), (deltas[0], deltas[1])


def _reference(
    item: Any, corners: tuple[int, int, int, int], maker: tuple[str, str], notes: list[str]
) -> tuple[float, float] | None:
    """Whole-frame (row, col) of the reference pixel.

    ReferencePixelX0, Y0 count from the region's corner (C.8.5.5.1.16) and may
    lie outside it.  Some scanners write them from the image's corner: known
    makers, and any pixel that would lie beyond the region's far edge but
    within it when taken from the image's corner.
    """
    y, x = whole(item, "ReferencePixelY0"), whole(item, "ReferencePixelX0")
    if y is None or x is None:
        return None
    top, left, bottom, right = corners
    if not all(abs(v) < 1_000_000 for v in (y, x)):
        notes.append("its reference pixel is far outside the picture: not used")
        return None
    inside = top <= y <= bottom and left <= x <= right
    beyond = top + y > bottom or left + x > right
    known = any(maker[0].startswith(m) and model in maker[1] for m, model in _ABSOLUTE_MODELS)
    if (top or left) and inside and (beyond or known):
        notes.append("its reference pixel counts from the corner of the image, against C.8.5.5.1.16; read so")
        return float(y), float(x)
    return float(top + y), float(left + x)


def _finished(
    item: Any,
    kind: RegionKind,
    box: Box,
    units: tuple[str, str],
    deltas: tuple[float | None, float | None],
    reference: tuple[float, float] | None,
    value: tuple[float, float],
    notes: list[str],
) -> Region:
    flags = whole(item, "RegionFlags") or 0
    spacing = skin = time_step = velocity = frequency = baseline = None
    upwards = None
    picture = kind in (RegionKind.TISSUE, RegionKind.COLOR_FLOW)
    if picture:
        spacing, deltas = _picture_spacing(box, units, deltas, notes)
        skin = _skin_row(box, deltas[0], reference, value[0])
    strip = kind in (RegionKind.SPECTRAL_PW, RegionKind.SPECTRAL_CW, RegionKind.M_MODE, RegionKind.WAVEFORM)
    if strip:
        time_step = abs(deltas[1]) if deltas[1] is not None and units[1] == "s" else None
        if time_step is not None and time_step > 1.0:
            notes.append(f"a column of {time_step:g} s is implausible: its time scale is not used")
            time_step, deltas = None, (deltas[0], None)
        if time_step is None and not any("X" in note or "time scale" in note for note in notes):
            notes.append("its columns are not in seconds: no times are measured on it")
    if kind in (RegionKind.SPECTRAL_PW, RegionKind.SPECTRAL_CW):
        velocity, frequency, deltas = _strip_scale(box, units, deltas, flags, notes)
        if deltas[0] is not None:
            # PhysicalDeltaY is the change a pixel downwards (C.8.5.5.1.17): negative where up is positive
            upwards = deltas[0] < 0
            if reference is not None:
                baseline = reference[0] - value[0] / deltas[0]
            else:
                notes.append("it has no reference pixel: the row of velocity zero is not known")
    gate = (number(item, "DopplerSampleVolumeYPosition"), number(item, "DopplerSampleVolumeXPosition"))
    return Region(
        kind=kind,
        box=box,
        spacing_mm=spacing,
        skin_row=skin,
        time_step_s=time_step,
        velocity_step_cm_s=velocity,
        frequency_step_hz=frequency,
        baseline_row=baseline,
        up_is_positive=upwards,
        flags=flags,
        transducer_frequency_khz=number(item, "TransducerFrequency"),
        pulse_repetition_frequency_hz=number(item, "PulseRepetitionFrequency"),
        doppler_correction_angle_deg=number(item, "DopplerCorrectionAngle"),
        steering_angle_deg=number(item, "SteeringAngle"),
        sample_volume=None if gate[0] is None or gate[1] is None else (gate[0], gate[1]),
        units=units,
        deltas=deltas,
        reference=reference,
        reference_value=value,
        warnings=tuple(notes),
    )


def _picture_spacing(
    box: Box, units: tuple[str, str], deltas: tuple[float | None, float | None], notes: list[str]
) -> tuple[tuple[float, float] | None, tuple[float | None, float | None]]:
    """Spacing of a two-dimensional picture, or None with the reason in `notes`."""
    if units != ("mm", "mm"):
        if not notes:
            notes.append("the picture is not calibrated in cm: nothing is measured in mm")
        return None, (None, None)
    down, across = deltas
    if down is None or across is None:
        return None, (None, None)
    row_mm, col_mm = abs(down), abs(across)
    for name, extent in (("deep", row_mm * (box[2] - box[0])), ("wide", col_mm * (box[3] - box[1]))):
        limit = MAX_DEPTH_MM if name == "deep" else 2 * MAX_DEPTH_MM
        if not MIN_DEPTH_MM <= extent <= limit:
            notes.append(
                f"the picture would be {extent:.3g} mm {name}: implausible, so its calibration is not used;"
                " calibrate by a known distance"
            )
            return None, (None, None)
    return (row_mm, col_mm), deltas


def _skin_row(
    box: Box, down: float | None, reference: tuple[float, float] | None, value: float
) -> float | None:
    """The row of the probe's face, where the reference pixel can be it (C.8.5.5.1.16).

    It must have depth 0, lie in the upper half of the box and about the middle
    of its columns.  Curved probes put the reference at their centre of
    curvature, some scanners another depth or simply the corner: then the skin
    is not known from it.
    """
    if reference is None or down is None or down < 0 or value != 0:
        return None
    row, col = reference
    across = (col - box[1]) / (box[3] - box[1])
    deepest = (box[0] + box[2]) / 2
    return row if box[0] - EDGE_TOLERANCE_PX <= row <= deepest and 0.25 <= across <= 0.75 else None


def _strip_scale(
    box: Box, units: tuple[str, str], deltas: tuple[float | None, float | None], flags: int, notes: list[str]
) -> tuple[float | None, float | None, tuple[float | None, float | None]]:
    """(cm/s a row, Hz a row, deltas) of a spectrum."""
    down = deltas[0]
    if down is None or units[0] not in ("cm/s", "Hz"):
        if down is not None:
            notes.append(
                f"its rows are in {units[0] or 'no unit'}, neither cm/s nor Hz: no velocities are measured"
            )
        return None, None, (None, deltas[1])
    says_frequency = bool(flags & 4)
    if says_frequency != (units[0] == "Hz"):
        said = "frequency" if says_frequency else "velocity"
        notes.append(f"its flags say {said} and its units {units[0]}: the units are believed (C.8.5.5.1.3)")
    if units[0] == "Hz":
        return None, abs(down), deltas
    extent = abs(down) * (box[2] - box[0])
    if extent > MAX_VELOCITY_RANGE_CM_S:
        notes.append(
            f"the strip would span {extent:.4g} cm/s: implausible, so its velocity scale is not used"
        )
        return None, None, (None, deltas[1])
    return abs(down), None, deltas


def picture_region(regions: tuple[Region, ...]) -> Region | None:
    """The picture that candidates are searched in: calibrated first, then the largest, then the leftmost."""
    pictures = [region for region in regions if region.is_picture]
    if not pictures:
        return None

    def key(region: Region) -> tuple[bool, int, int]:
        rows, cols = region.shape
        return region.spacing_mm is not None, rows * cols, -region.box[1]

    return max(pictures, key=key)


def region_at(regions: tuple[Region, ...], row: float, col: float) -> Region | None:
    """The region that a point `(row, col)` belongs to.

    Where several overlap the one of high priority wins (RegionFlags bit 0,
    C.8.5.5.1.3), then the smaller, which lies within the larger.
    """
    here = [region for region in regions if region.contains(row, col)]
    return min(here, key=lambda r: (not r.high_priority, r.shape[0] * r.shape[1]), default=None)


def side_by_side(regions: tuple[Region, ...]) -> bool:
    """Whether two pictures of like size stand beside or above each other without overlap."""
    pictures = [region for region in regions if region.is_picture]
    for i, one in enumerate(pictures):
        for other in pictures[i + 1 :]:
            a, b = one.box, other.box
            apart = a[3] <= b[1] or b[3] <= a[1] or a[2] <= b[0] or b[2] <= a[0]
            sizes = sorted((one.shape[0] * one.shape[1], other.shape[0] * other.shape[1]))
            if apart and sizes[0] >= 0.5 * sizes[1]:
                return True
    return False
