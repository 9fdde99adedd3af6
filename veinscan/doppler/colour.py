"""Velocity from colour: each coloured pixel back to the place on the bar it came from.

Velocities are along the ultrasound beam; towards the probe is positive.  They
are angle-corrected only where the header says that the scanner did it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt  # type: ignore[attr-defined]
from scipy.spatial import KDTree
from skimage.restoration import unwrap_phase

from veinscan.doppler.colour_bar import MIN_CHROMA, ColourBar, bar_of
from veinscan.doppler.pixel_component import component_table
from veinscan.errors import CalibrationError

if TYPE_CHECKING:
    from veinscan.dicom import Clip

Rgb = npt.NDArray[np.uint8]
FlowMap = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[np.float64]

UNKNOWN_SCALE = "the scale of the colour bar is not known"
"""How the message begins that asks a person for it."""
LIGHT_WEIGHT = 1.0
CHROMA_WEIGHT = 0.55
"""Chroma is stored for blocks of pixels (JPEG 4:2:0), light for each: light says more about the place."""
FAR_FROM_BAR = 46.0
"""Weighted distance from every colour of the bar at which a pixel is none of its colours."""
SMALLEST_PATCH = 12
"""Pixels; smaller patches of colour are not unwrapped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourFlow:
    """Velocities of one frame."""

    flow_cm_s: FlowMap = field(repr=False)
    """(rows, cols) as the bar says, NaN outside colour."""
    aliased: Mask = field(repr=False)
    """(rows, cols) True where the velocity is beyond the scale and shown wrapped round."""
    unwrapped_cm_s: FlowMap | None = field(default=None, repr=False)
    """An estimate with aliased velocities carried beyond the scale; None unless asked for."""
    note: str = ""
    """What to know about the scale; else empty."""
    source: str = ""
    """Where the scale is from: 'pixel component', 'region', 'nyquist', 'labels' or 'given'."""
    step_cm_s: float | None = None
    """Difference of velocity between neighbouring colours of the bar."""
    angle_corrected: bool = False


def _weighted(rgb: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(n, 3) RGB to light and two chroma differences, weighted for distances."""
    light = rgb @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    blue, red = 0.564 * (rgb[:, 2] - light), 0.713 * (rgb[:, 0] - light)
    return np.stack([LIGHT_WEIGHT * light, CHROMA_WEIGHT * 2 * blue, CHROMA_WEIGHT * 2 * red], axis=1).astype(
        np.float32
    )


def velocities(frame: Rgb, bar: ColourBar, inside: Mask | None = None) -> FlowMap:
    """Velocity of every coloured pixel.

    Parameters
    ----------
    frame : (rows, cols, 3) uint8
    bar : ColourBar
        Calibrated in cm/s.
    inside : (rows, cols) bool, optional
        Where flow may be (the picture region); everywhere but the bar by default.

    Returns
    -------
    (rows, cols) float32
        cm/s, NaN outside colour.

    Raises
    ------
    CalibrationError
        The bar has no scale in cm/s, or shows power, which has no direction.
    """
    if bar.kind == "power":
        raise CalibrationError("power Doppler shows no velocity and no direction", where="colour bar")
    if not bar.calibrated:
        raise CalibrationError(
            UNKNOWN_SCALE if bar.top is None else f"{UNKNOWN_SCALE} in cm/s, only in kHz",
            where="colour bar",
            do="give the velocities at its two ends",
        )
    out = np.full(frame.shape[:2], np.nan, dtype=np.float32)
    coloured = _coloured(frame)
    row0, col0, row1, col1 = bar.box
    coloured[max(0, row0 - 2) : row1 + 2, max(0, col0 - 2) : col1 + 2] = False
    if inside is not None:
        coloured &= inside
    if not coloured.any():
        return out
    values = bar.values
    usable = np.isfinite(values) & (bar.colours.max(axis=1) - bar.colours.min(axis=1) > MIN_CHROMA // 2)
    tree = KDTree(_weighted(bar.colours[usable]))  # type: ignore[no-untyped-call]
    pixels = frame[coloured]
    packed = (pixels[:, 0].astype(np.uint32) << 16) | (pixels[:, 1].astype(np.uint32) << 8) | pixels[:, 2]
    unique, where = np.unique(packed, return_inverse=True)
    colours = np.stack([unique >> 16, (unique >> 8) & 255, unique & 255], axis=1).astype(np.float32)
    distance, nearest = tree.query(  # type: ignore[no-untyped-call]
        _weighted(colours), k=min(3, int(usable.sum())), distance_upper_bound=FAR_FROM_BAR
    )
    found = np.isfinite(distance[:, 0])
    flat = values[usable]
    chosen = np.where(found, _among(flat, distance, nearest), np.nan)
    # a colour no further from grey than from the bar is tissue under a tint
    grey = (colours.max(axis=1) - colours.min(axis=1)) * CHROMA_WEIGHT
    chosen[distance[:, 0] > np.maximum(grey, 12)] = np.nan
    out[coloured] = chosen[where]
    return _without_specks(out)


def _among(values: Values, distance: Values, nearest: npt.NDArray[np.int64]) -> Values:
    """The nearest row of the bar, or the mean of rows as near and next to it (bars repeat colours)."""
    safe = np.minimum(nearest, values.size - 1)
    found = values[safe]
    step = float(np.median(np.abs(np.diff(values)))) if values.size > 1 else 0.0
    near = (
        np.isfinite(distance)
        & (distance <= distance[:, :1] + 1.0)
        & (np.abs(found - found[:, :1]) <= 3.5 * step)
    )
    return np.asarray((found * near).sum(axis=1) / np.maximum(near.sum(axis=1), 1), dtype=np.float64)


def _coloured(frame: Rgb) -> Mask:
    return np.asarray(frame.max(axis=2).astype(np.int16) - frame.min(axis=2) > MIN_CHROMA)


def _without_specks(flow: FlowMap) -> FlowMap:
    """Drop thin lines and text: colour Doppler comes in patches of at least two by two pixels."""
    shown = np.isfinite(flow).astype(np.uint8)
    kept = cv2.morphologyEx(shown, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    kept = cv2.dilate(kept, np.ones((3, 3), np.uint8))
    return np.where(kept > 0, flow, np.float32(np.nan)).astype(np.float32)


def unwrap(flow_cm_s: FlowMap, span_cm_s: float) -> tuple[Mask, FlowMap]:
    """Which pixels are aliased, and an estimate of what they would be on a longer scale.

    Velocity changes little from pixel to pixel, so a jump of more than half
    the scale is a wrap round its ends, while a true reversal passes through
    slow flow.  Phase unwrapping (Herraez et al. 2002) finds the jumps; blood
    is slow beside the wall, so the rim of each patch is taken as not aliased.

    Parameters
    ----------
    flow_cm_s : (rows, cols) float32, NaN outside colour
    span_cm_s : float
        Top less bottom of the scale: twice the Nyquist velocity.

    Returns
    -------
    aliased : (rows, cols) bool
    unwrapped : (rows, cols) float32
    """
    shown = np.isfinite(flow_cm_s)
    aliased = np.zeros(flow_cm_s.shape, dtype=bool)
    unwrapped = flow_cm_s.copy()
    if not shown.any() or not np.isfinite(span_cm_s) or span_cm_s <= 0:
        return aliased, unwrapped
    # mixed colours at a wrap are no colour of the bar: bridge the thin seams they leave
    bridged = cv2.morphologyEx(shown.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    total, labels, stats, _ = cv2.connectedComponentsWithStats(bridged, connectivity=8)
    nearest = distance_transform_edt(~shown, return_distances=False, return_indices=True)
    filled = flow_cm_s[nearest[0], nearest[1]]
    for k in range(1, total):
        left, top, width, height, area = (int(v) for v in stats[k])
        if area < SMALLEST_PATCH or min(width, height) < 2:
            continue
        window = (slice(max(0, top - 1), top + height + 1), slice(max(0, left - 1), left + width + 1))
        own = labels[window] == k
        values = np.where(own, filled[window], 0)
        if np.ptp(values[own]) <= 0.5 * span_cm_s:
            continue
        # isolated wrong pixels of a coded picture would tear the surface: a small median first
        calm = np.where(own, cv2.medianBlur(values.astype(np.float32), 3), 0)
        phase = np.ma.masked_array(calm * (2 * np.pi / span_cm_s), mask=~own)
        smooth = np.asarray(unwrap_phase(phase, rng=0).filled(0))  # type: ignore[no-untyped-call]
        turns = np.rint((smooth - phase.filled(0)) / (2 * np.pi))
        inner = cv2.erode(
            own.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        rim = own & (inner == 0)
        whole, count = np.unique(turns[rim], return_counts=True)
        turns = turns - whole[np.argmax(count)]
        # a pixel that the median changed follows its neighbourhood
        turns = np.rint((calm + turns * span_cm_s - values) / span_cm_s)
        over = own & (turns != 0) & shown[window]
        aliased[window] |= over
        unwrapped[window] = np.where(over, flow_cm_s[window] + turns * span_cm_s, unwrapped[window])
    return aliased, unwrapped.astype(np.float32)


def flow_of(
    clip: Clip, frame_index: int = 0, *, bar: ColourBar | None = None, unwrapped: bool = False
) -> ColourFlow:
    """Velocities of one frame of a clip, by the best calibration there is.

    A pixel component calibration in the file (PS3.3 C.8.5.5.1.22 and
    following) comes first, then the colour bar (`bar_of`, or `bar`).

    Raises
    ------
    CalibrationError
        No colour bar, a bar whose scale is not known, or power Doppler.
    """
    frame = clip.frame(frame_index)
    if frame.ndim != 3:
        raise CalibrationError("the clip has no colour", where=clip.file)
    inside = _inside(clip, frame.shape[:2])
    if bar is None:
        table = component_table(clip)
        if table is not None:
            flow = table.velocities(frame, inside)
            aliased, estimate = unwrap(flow, table.span_cm_s)
            return ColourFlow(
                flow_cm_s=flow,
                aliased=aliased,
                unwrapped_cm_s=estimate if unwrapped else None,
                source="pixel component",
                step_cm_s=table.step_cm_s,
            )
        bar = bar_of(clip, frame_index)
    if bar is None:
        raise CalibrationError(
            "no colour bar was found", where=clip.file, do="mark the bar and give the velocities at its ends"
        )
    flow = velocities(frame, bar, inside)
    span = abs((bar.top or 0.0) - (bar.bottom or 0.0))
    aliased, estimate = unwrap(flow, span)
    return ColourFlow(
        flow_cm_s=flow,
        aliased=aliased,
        unwrapped_cm_s=estimate if unwrapped else None,
        source=bar.source,
        note=bar.note,
        step_cm_s=bar.step,
        angle_corrected=bar.angle_corrected,
    )


def flow_stack(clip: Clip, *, bar: ColourBar | None = None) -> FlowMap:
    """(frames, rows, cols) float32 cm/s of all frames, NaN outside colour, for `find_candidates`.

    Raises as `flow_of`.
    """
    if bar is None and component_table(clip) is None:
        bar = bar_of(clip)
    return np.stack([flow_of(clip, k, bar=bar).flow_cm_s for k in range(clip.n_frames)])


def _inside(clip: Clip, shape: tuple[int, int]) -> Mask | None:
    region = clip.picture_region
    if region is None:
        return None
    inside = np.zeros(shape, dtype=bool)
    row0, col0, row1, col1 = region.box
    inside[row0:row1, col0:col1] = True
    return inside
