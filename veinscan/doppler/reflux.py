"""Reflux from the spectrum: attempts, onset, end, duration and peak, by fixed definitions.

Antegrade spike, then release.  Onset is the last zero crossing of the mean
velocity into retrograde before the retrograde peak.  The end is the last time
within the continuous run (pauses under 100 ms are joined) that the mean
retrograde velocity exceeds 1.0 cm/s, or the newest edge of the strip.  The
peak is the 95th percentile of the velocities at the moment of greatest mean
retrograde velocity.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from veinscan.doppler.attempts import measure_traces
from veinscan.doppler.axes import StripAxes, axes_from_region
from veinscan.doppler.envelope import Traces, trace
from veinscan.doppler.model import RefluxMeasurement
from veinscan.doppler.strip import Strip, read_strip
from veinscan.errors import CalibrationError, InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.dicom.model import Region

DEFAULT_PROFILE = "svs_avf_avls_2022"
MANOEUVRES = ("augmentation", "valsalva")


def spectral_regions(clip: Clip) -> tuple[Region, ...]:
    """The PW and CW strips of a clip, in the file's order."""
    return tuple(region for region in clip.regions if region.is_spectrum)


def strip_of(
    clip: Clip,
    *,
    region: Region | None = None,
    frame_index: int | None = None,
    axes: StripAxes | None = None,
    wrap_column: int | None = None,
) -> Strip:
    """The strip of a clip.

    Parameters
    ----------
    clip : Clip
    region : Region, optional
        One of `spectral_regions(clip)`; the first by default.
    frame_index : int, optional
        From 0; by default the last frame, which holds the newest columns.
    axes : StripAxes, optional
        Axes from two clicks, instead of the region's.
    wrap_column : int, optional
        Where a sweeping strip is written, as a person saw it.

    Raises
    ------
    CalibrationError
        The clip has no calibrated strip and no axes are given.
    """
    if axes is None:
        found = spectral_regions(clip)
        chosen = region if region is not None else (found[0] if found else None)
        if chosen is None:
            raise CalibrationError(
                "the clip has no spectral region",
                where=clip.file,
                do="calibrate the strip with two clicks on its axes",
            )
        axes = axes_from_region(chosen, where=clip.file)
    index = clip.n_frames - 1 if frame_index is None else frame_index
    return read_strip(clip.frame(index), axes, wrap_column=wrap_column)


def measure_reflux(
    clip_or_strip: Clip | Strip,
    *,
    region: Region | None = None,
    frame_index: int | None = None,
    axes: StripAxes | None = None,
    antegrade: str | None = None,
    manoeuvre: str = "augmentation",
    threshold_profile: str = DEFAULT_PROFILE,
    wrap_column: int | None = None,
    traces: Traces | None = None,
) -> RefluxMeasurement:
    """Measure reflux on a spectral strip; the longest of its attempts, with all of them in `attempts`.

    Parameters
    ----------
    clip_or_strip : Clip or Strip
        A clip with a calibrated spectral region, or a strip already read.
    region, frame_index, axes, wrap_column
        As in `strip_of`; only with a clip.
    antegrade : {'up', 'down'}, optional
        Which way on the screen is antegrade, as a reader confirmed it.  By
        default the way of the augmentation spike, and unconfirmed.
    manoeuvre : {'augmentation', 'valsalva'}
        Set by the reader.  In a Valsalva no spike is expected and `antegrade` must be given.
    threshold_profile : str
        Kept with the measurement (see `veinscan.plan.thresholds`).
    traces : Traces, optional
        Of the strip, where they were worked out already.

    Raises
    ------
    CalibrationError
        Without a calibrated strip: no number without calibration.
    InvalidInputError
        An option has a value that is not known.
    """
    if antegrade not in (None, "up", "down"):
        raise InvalidInputError(
            f"antegrade '{antegrade}' is not known", where="reflux", do="use 'up' or 'down'"
        )
    if manoeuvre not in MANOEUVRES:
        raise InvalidInputError(
            f"manoeuvre '{manoeuvre}' is not known", where="reflux", do="use 'augmentation' or 'valsalva'"
        )
    strip = (
        clip_or_strip
        if isinstance(clip_or_strip, Strip)
        else strip_of(
            clip_or_strip, region=region, frame_index=frame_index, axes=axes, wrap_column=wrap_column
        )
    )
    found = measure_traces(
        strip,
        trace(strip) if traces is None else traces,
        antegrade=antegrade,
        manoeuvre=manoeuvre,
        threshold_profile=threshold_profile,
    )
    longest = max(found, key=lambda m: (m.adequate, m.reflux_s if m.reflux_s is not None else -1.0))
    return replace(longest, attempts=tuple(found))
