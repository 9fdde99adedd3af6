"""What a reader does with a strip: calibrate it, confirm the polarity, move the marks, see the curves.

One function for each, without a window:

* `calibrate_strip`: two clicks on the burned-in axes give the axes;
* `strip_of` (in `reflux`): the strip of a clip, by the file's axes or those;
* `measure_reflux` (in `reflux`): the longest attempt, all of them in `attempts`;
* `confirm_polarity`: which way is antegrade, said by a reader;
* `move_marks`: onset and end where a reader puts them, the measured ones kept beside;
* `curves`: what to draw over the picture: envelope, mean, times, columns and rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from veinscan.doppler.axes import StripAxes, axes_from_clicks
from veinscan.doppler.envelope import Array, Traces, trace
from veinscan.doppler.model import RefluxMeasurement
from veinscan.doppler.reflux import measure_reflux, spectral_regions
from veinscan.doppler.strip import Strip
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom import Clip
    from veinscan.dicom.model import Box


@dataclass(frozen=True, slots=True, kw_only=True)
class StripCurves:
    """Curves of a strip, a value for each of its columns, oldest first; velocities in `unit`."""

    unit: str
    """'cm/s' or 'Hz'."""
    times_s: Array = field(repr=False)
    """(n,) seconds from the oldest column shown."""
    columns: npt.NDArray[np.int64] = field(repr=False)
    """(n,) whole-frame column of each; a sweeping strip jumps back once."""
    velocities: Array = field(repr=False)
    """(rows,) velocity of each row of the box, top first; towards the probe is positive."""
    towards: Array = field(repr=False)
    """(n,) upper envelope (95th percentile); NaN where nothing flows towards the probe."""
    away: Array = field(repr=False)
    """(n,) lower envelope, never positive; NaN where nothing flows away from it."""
    mean: Array = field(repr=False)
    """(n,) mean velocity of both directions together; NaN where no blood is seen."""
    towards_rows: Array = field(repr=False)
    """(n,) whole-frame row of each value of `towards`; may lie outside the box where flow aliases."""
    away_rows: Array = field(repr=False)
    mean_rows: Array = field(repr=False)
    towards_maximum: Array = field(repr=False)
    """(n,) outer edge of what is displayed towards the probe, to compare with a scanner's printed
    maximum; wider than `towards`, and not what the peak of a reflux measurement is taken from."""
    away_maximum: Array = field(repr=False)
    """(n,) the same away from the probe, never positive."""
    aliased: npt.NDArray[np.bool_] = field(repr=False)
    """(n,) columns whose spectrum goes over the edge; velocities there are carried beyond it."""
    traces: Traces = field(repr=False)
    """What `measure_reflux` and `draw_strip` take, so that nothing is worked out twice."""


def calibrate_strip(
    clip: Clip,
    box: Box,
    first: tuple[float, float],
    first_value: tuple[float, float],
    second: tuple[float, float],
    second_value: tuple[float, float],
    *,
    unit: str = "cm/s",
) -> StripAxes:
    """Axes of a strip of a clip from two clicks.

    As `axes_from_clicks`; what the header says of the region under the box
    beside its scales (how it moves, angle, frequency) is taken over.

    Raises
    ------
    CalibrationError
        The clicks make no axis.
    InvalidInputError
        The unit is not known.
    """
    under = max(spectral_regions(clip), key=lambda region: overlap(region.box, box), default=None)
    if under is not None and overlap(under.box, box) == 0:
        under = None
    return axes_from_clicks(
        box,
        first,
        first_value,
        second,
        second_value,
        unit=unit,
        scroll="" if under is None else under.scroll,
        angle_deg=None if under is None else under.doppler_correction_angle_deg,
        transducer_frequency_khz=None if under is None else under.transducer_frequency_khz,
    )


def curves(strip: Strip, traces: Traces | None = None) -> StripCurves:
    """What to draw over the picture of a strip, in whole-frame pixels."""
    found = trace(strip) if traces is None else traces
    away = -found.away.envelope
    return StripCurves(
        unit=strip.axes.unit,
        times_s=strip.times_s,
        columns=strip.columns,
        velocities=strip.values,
        towards=found.towards.envelope,
        away=away,
        mean=found.mean,
        towards_rows=_rows(strip.axes, found.towards.envelope),
        away_rows=_rows(strip.axes, away),
        mean_rows=_rows(strip.axes, found.mean),
        towards_maximum=found.towards.maximum,
        away_maximum=-found.away.maximum,
        aliased=found.aliased,
        traces=found,
    )


def confirm_polarity(
    strip: Strip, measurement: RefluxMeasurement, antegrade: str, *, traces: Traces | None = None
) -> RefluxMeasurement:
    """The strip measured with the polarity that a reader confirms or turns round.

    Marks that a reader moved stay on the attempts that are still there when
    the polarity is the one they were measured with; after the other polarity
    all are measured anew.

    Parameters
    ----------
    antegrade : {'up', 'down'}
        Which way on the screen is antegrade.

    Raises
    ------
    InvalidInputError
        Another word.
    """
    new = measure_reflux(
        strip,
        antegrade=antegrade,
        manoeuvre=measurement.manoeuvre,
        threshold_profile=measurement.threshold_profile,
        traces=traces,
    )
    if measurement.antegrade != antegrade:
        return new
    moved = {one.attempt: one for one in (*measurement.attempts, measurement) if one.is_corrected}
    return _with_attempts(new, tuple(_as_moved(one, moved.get(one.attempt)) for one in new.attempts))


def move_marks(
    strip: Strip,
    measurement: RefluxMeasurement,
    reader: str,
    *,
    onset_s: float | None = None,
    end_s: float | None = None,
) -> RefluxMeasurement:
    """A measurement with onset, end or both where a reader put them; what was measured stays beside them.

    Parameters
    ----------
    measurement : RefluxMeasurement
        One attempt, or what `measure_reflux` returned; the attempt of the
        same number among its `attempts` is moved with it.
    reader : str
        Who moved them.
    onset_s, end_s : float, optional
        Seconds from the oldest column shown (`Strip.seconds_at` gives them
        for a column of the picture); None leaves a mark where it is.

    Raises
    ------
    InvalidInputError
        A mark lies off the strip, the end before the onset, no reader, or an
        attempt without marks is given only one.
    """
    newest = float(strip.times_s[-1]) if strip.times_s.size else 0.0
    half = 0.5 * strip.axes.time_step_s
    for name, value in (("onset", onset_s), ("end", end_s)):
        if value is not None and not -half <= value <= newest + half:
            raise InvalidInputError(
                f"the {name} would be at {value:.3f} s of a strip from 0 to {newest:.3f} s",
                where="reflux",
                do="put it on the strip",
            )
    new = measurement.corrected(
        reader,
        onset_s=None if onset_s is None else min(max(float(onset_s), 0.0), newest),
        end_s=None if end_s is None else min(max(float(end_s), 0.0), newest),
    )
    if not measurement.attempts:
        return new
    own = replace(new, attempts=())
    attempts = tuple(own if one.attempt == new.attempt else one for one in measurement.attempts)
    return replace(new, attempts=attempts)


def _with_attempts(longest: RefluxMeasurement, attempts: tuple[RefluxMeasurement, ...]) -> RefluxMeasurement:
    own = next((one for one in attempts if one.attempt == longest.attempt), longest)
    return replace(own, attempts=attempts)


def _as_moved(new: RefluxMeasurement, moved: RefluxMeasurement | None) -> RefluxMeasurement:
    if moved is None:
        return new
    return replace(
        new,
        corrected_onset_s=moved.corrected_onset_s,
        corrected_end_s=moved.corrected_end_s,
        corrected_by=moved.corrected_by,
    )


def overlap(one: Box, other: Box) -> int:
    """Pixels that two boxes share."""
    rows = min(one[2], other[2]) - max(one[0], other[0])
    cols = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, rows) * max(0, cols)


def _rows(axes: StripAxes, values: Array) -> Array:
    """Whole-frame rows of velocities; NaN stays NaN."""
    up = values if axes.up_is_positive else -values
    return np.asarray(axes.baseline_row - up / axes.value_step, dtype=np.float64)
