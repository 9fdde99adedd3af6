"""Which region points lie in, and the scale of a strip: what a caliper needs to know of the screen.

Points of two regions are never measured across: each has its own scale
(PS3.3 C.8.5.5).  A strip's scale is the file's, or that of a person's two
clicks on its axes, which counts first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from veinscan.dicom.model import Region, RegionKind
from veinscan.dicom.regions import region_at as any_region_at
from veinscan.errors import CalibrationError
from veinscan.plan.context import StripCalibration
from veinscan.plan.geometry import PICTURES, ClipLike, region_at
from veinscan.plan.model import Point, StripScale
from veinscan.plan.normal import stored_point
from veinscan.plan.strips import axes_of

if TYPE_CHECKING:
    from veinscan.dicom import Clip

STRIPS = (RegionKind.SPECTRAL_PW, RegionKind.SPECTRAL_CW, RegionKind.M_MODE)
"""Regions that a time is measured on."""
_WORDS = {
    RegionKind.TISSUE: "the picture",
    RegionKind.COLOR_FLOW: "the colour picture",
    RegionKind.SPECTRAL_PW: "a spectral strip",
    RegionKind.SPECTRAL_CW: "a spectral strip",
    RegionKind.M_MODE: "an M-mode strip",
    RegionKind.WAVEFORM: "a waveform",
    RegionKind.GRAPHICS: "graphics",
}


def time_s(
    clip: ClipLike,
    a: Iterable[float],
    b: Iterable[float],
    calibrations: Iterable[StripCalibration] = (),
) -> float:
    """Seconds between the columns of two points `(row, col)` of one strip, never negative.

    `calibrations` are the record's of the clip's strips, which count before the file's.
    Raises CalibrationError across regions, off the strips, without a time
    scale, and across the column being written of a sweeping strip.
    """
    return strip_at(clip, (stored_point(a), stored_point(b)), calibrations).seconds(
        stored_point(a), stored_point(b)
    )


def velocity_cm_s(
    clip: ClipLike, point: Iterable[float], calibrations: Iterable[StripCalibration] = ()
) -> float:
    """Velocity (cm/s) at a point `(row, col)` of a spectral strip; towards the probe is positive.

    As recorded: a strip in cm/s is not corrected for the angle again.
    Raises CalibrationError off the spectra, without a scale or a baseline,
    and on a strip in Hz.
    """
    place = stored_point(point)
    return strip_at(clip, (place,), calibrations).velocity(place)


@dataclass(frozen=True, slots=True)
class MeasuredStrip:
    """A strip to measure on: its region's scale, or a person's."""

    scale: StripScale
    where: str
    is_spectrum: bool
    in_hz: bool
    between: Callable[[float, float], float | None]
    """Seconds from one column to another; None where columns are not in one order."""

    def seconds(self, a: Point, b: Point) -> float:
        """Seconds between the columns of two points; CalibrationError where the strip tells none."""
        if self.scale.time_step_s is None:
            raise CalibrationError(
                "the strip has no usable time scale",
                where=self.where,
                do="calibrate it with two clicks on its axes",
            )
        found = self.between(a[1], b[1])
        if found is None:
            raise CalibrationError(
                "time jumps between the two points: the strip is written over from the left",
                where=self.where,
                do="measure on one side of the column being written",
            )
        return abs(found)

    def depth_step(self) -> float:
        """mm a row; CalibrationError where the M-mode's scale does not tell it."""
        if self.scale.depth_step_mm is None:
            raise CalibrationError(
                "the M-mode strip has no usable depth scale", where=self.where, do="measure on the picture"
            )
        return self.scale.depth_step_mm

    def velocity(self, point: Point) -> float:
        """cm/s at a point, towards the probe positive; CalibrationError where the strip tells none."""
        if not self.is_spectrum:
            raise CalibrationError(
                "an M-mode strip shows no velocities", where=self.where, do="measure a time on it"
            )
        if self.in_hz:
            raise CalibrationError(
                "the strip is in Hz, not in cm/s",
                where=self.where,
                do="have the velocity shown at the scanner, or calibrate the strip in cm/s by two clicks",
            )
        step, baseline = self.scale.velocity_step_cm_s, self.scale.baseline_row
        if step is None or baseline is None:
            missing = "velocity scale" if step is None else "baseline"
            raise CalibrationError(
                f"the strip has no usable {missing}",
                where=self.where,
                do="calibrate it with two clicks on its axes",
            )
        return (point[0] - baseline) * step + 0.0


def in_one_region(clip: ClipLike, places: tuple[Point, ...], kinds: tuple[RegionKind, ...], do: str) -> None:
    """Refuse points of different regions, and of a region of another kind; clips without regions pass."""
    found = [_region_of(clip, place, kinds) for place in places]
    first, last = found[0], found[-1]
    if first is not last and first is not None and last is not None:
        here, there = _words(first), _words(last)
        how = f"one on {here}, the other on {there}" if here != there else "each has its own scale"
        raise CalibrationError(
            f"the two points lie in different regions of the screen: {how}",
            where=clip.file,
            do="measure inside one",
        )
    wrong = next((region for region in found if region is not None and region.kind not in kinds), None)
    if wrong is not None:
        raise CalibrationError(f"the point lies on {_words(wrong)}", where=clip.file, do=do)


def _region_of(clip: ClipLike, place: Point, kinds: tuple[RegionKind, ...]) -> Region | None:
    if kinds == PICTURES:
        picture = region_at(clip, place)
        if picture is not None:
            return picture
    return any_region_at(clip.regions, *place)


def _words(region: Region) -> str:
    return _WORDS.get(region.kind, "another region")


def strip_at(
    clip: Any, places: tuple[Point, ...], calibrations: Iterable[StripCalibration] = ()
) -> MeasuredStrip:
    """The strip that holds all places; CalibrationError across regions and where there is none."""
    for by_hand in calibrations:
        held = [_holds(by_hand.box, place) for place in places]
        if all(held):
            return _by_hand(clip, by_hand)
        if any(held):
            raise CalibrationError(
                "one of the two points lies outside the strip", where=clip.file, do="measure inside it"
            )
    in_one_region(clip, places, STRIPS, "measure times and velocities on a strip")
    region = any_region_at(clip.regions, *places[0])
    if region is None or any(not region.contains(*place) for place in places):
        raise CalibrationError(
            "the point lies on no strip that the file describes",
            where=clip.file,
            do="calibrate the strip with two clicks on its axes",
        )
    step = region.velocity_step_cm_s
    has_depth = region.kind is RegionKind.M_MODE and region.units[0] == "mm"
    down = region.deltas[0] if has_depth else None
    scale = StripScale(
        box=region.box,
        time_step_s=region.time_step_s,
        velocity_step_cm_s=None if step is None else step if region.up_is_positive is False else -step,
        baseline_row=region.baseline_row,
        depth_step_mm=None if down is None else abs(down),
    )
    return MeasuredStrip(
        scale=scale,
        where=clip.file,
        is_spectrum=region.is_spectrum,
        in_hz=region.frequency_step_hz is not None,
        between=region.seconds_between,
    )


def _by_hand(clip: Clip, calibration: StripCalibration) -> MeasuredStrip:
    axes = axes_of(clip, calibration)
    wrap = calibration.wrap_column

    def between(col: float, other: float) -> float | None:
        jumps = wrap is not None and (col >= wrap) != (other >= wrap)
        return None if jumps else (other - col) * axes.time_step_s

    in_hz = axes.unit != "cm/s"
    scale = StripScale(
        box=axes.box,
        time_step_s=axes.time_step_s,
        velocity_step_cm_s=None if in_hz else -axes.value_step if axes.up_is_positive else axes.value_step,
        baseline_row=axes.baseline_row,
        calibrated_by="clicks",
    )
    return MeasuredStrip(scale=scale, where=clip.file, is_spectrum=True, in_hz=in_hz, between=between)


def m_mode_at(clip: Any, places: tuple[Point, ...]) -> MeasuredStrip | None:
    """The M-mode strip that holds all places; None where they lie elsewhere."""
    regions = {id(one): one for place in places if (one := any_region_at(clip.regions, *place)) is not None}
    if len(regions) != 1 or next(iter(regions.values())).kind is not RegionKind.M_MODE:
        return None
    return strip_at(clip, places)


def _holds(box: tuple[int, int, int, int], place: Point) -> bool:
    return box[0] - 0.5 <= place[0] < box[2] - 0.5 and box[1] - 0.5 <= place[1] < box[3] - 0.5
