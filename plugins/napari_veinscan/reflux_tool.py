"""The reflux tool: the strip on show, what was measured on it and what the reader made of that.

Knows neither Qt nor napari's layers.  Measuring is `veinscan.doppler`'s; what is kept of it
goes through `veinscan.plan.flow_edits` and `veinscan.plan.strips`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from psygnal import Signal

from napari_veinscan.session import Session
from veinscan.dicom import Clip
from veinscan.dicom.model import Box
from veinscan.doppler import (
    RefluxMeasurement,
    Strip,
    StripCurves,
    axes_from_region,
    confirm_polarity,
    curves,
    measure_reflux,
    move_marks,
    spectral_regions,
    strip_of,
)
from veinscan.errors import CalibrationError, InvalidInputError, VeinscanError
from veinscan.plan.clips import context_of
from veinscan.plan.context import StripCalibration
from veinscan.plan.flow import RefluxValue
from veinscan.plan.flow_edits import put_reflux, reflux_value
from veinscan.plan.model import Point
from veinscan.plan.strips import axes_of, set_strip_calibration, strip_calibrations_of
from veinscan.plan.thresholds import classify

_Key = tuple[str, int, tuple[StripCalibration, ...]]
"""Clip, strip of it, and the calibrations of its strips."""


@dataclass(frozen=True, slots=True)
class ReadStrip:
    """A strip with its curves and its measurement, the reader's marks in it."""

    strip: Strip
    curves: StripCurves
    measurement: RefluxMeasurement


class RefluxTool:
    """The strips of the clip on show, one of them chosen, one attempt of it chosen."""

    changed = Signal()
    """Strip, measurement, attempt or reason why there is none."""

    def __init__(self, session: Session, profile: str) -> None:
        self._session = session
        self.profile = profile
        self.is_on = False
        """Whether the tool is in sight; a hidden one measures nothing."""
        self.index = 0
        """Which strip of the clip, from 0."""
        self.attempt = 1
        self.problem: VeinscanError | None = None
        """Why there is no measurement."""
        self._read: dict[_Key, ReadStrip] = {}
        session.clip_changed.connect(self._clip_changed)
        session.record_changed.connect(self._record_changed)
        session.study_changed.connect(self._forget)

    # -- what is there ----------------------------------------------------------------

    @property
    def now(self) -> ReadStrip | None:
        """The chosen strip, where it could be read."""
        clip = self._session.clip
        return None if clip is None else self._read.get(self._key(clip))

    @property
    def chosen(self) -> RefluxMeasurement | None:
        """The chosen attempt."""
        found = self.now
        if found is None:
            return None
        attempts = found.measurement.attempts or (found.measurement,)
        return next((one for one in attempts if one.attempt == self.attempt), attempts[0])

    @property
    def attempts(self) -> tuple[RefluxMeasurement, ...]:
        """All attempts on the strip."""
        return () if self.now is None else self.now.measurement.attempts

    def boxes(self, clip: Clip) -> list[Box]:
        """Where the strips of a clip lie."""
        return [region.box for region in spectral_regions(clip)] or [
            one.box for one in self._calibrations(clip)
        ]

    @property
    def marks_s(self) -> tuple[float | None, float | None]:
        """Onset and end as they are to be shown, seconds."""
        one = self.chosen
        if one is None:
            return None, None
        onset = one.onset_s if one.corrected_onset_s is None else one.corrected_onset_s
        end = one.end_s if one.corrected_end_s is None else one.corrected_end_s
        return onset, end

    def words(self) -> str:
        """The chosen attempt in a few lines, the class by the profile derived as it is shown."""
        one, found = self.chosen, self.now
        if one is None or found is None:
            return "" if self.problem is None else str(self.problem)
        lines = []
        if not one.adequate and not one.is_corrected:
            lines.append("Inadequate: no augmentation spike. Nothing is said about reflux.")
        elif one.duration_s is None:
            lines.append("No duration.")
        else:
            bound = "≥ " if one.duration_is_lower_bound else ""
            lines.append(f"Reflux {bound}{one.duration_s:.2f} s")
        if one.is_corrected:
            measured = "nothing" if one.reflux_s is None else f"{one.reflux_s:.2f} s"
            lines.append(f"marks moved by {one.corrected_by}; measured: {measured}")
        for title, value in (
            ("peak", one.peak_reflux_cm_s),
            ("mean", one.mean_reflux_cm_s),
            ("antegrade peak", one.antegrade_peak_cm_s),
        ):
            if value is not None:
                lines.append(f"{title} {value:.1f} cm/s")
        if one.interrupted:
            lines.append("interrupted: the longest run is measured")
        if one.angle_deg is not None:
            lines.append(f"angle {one.angle_deg:g}° as recorded, not applied again")
        target = self._session.target
        verdict = classify(
            one.duration_s,
            self.profile,
            "unknown" if target is None else target.vein,
            is_lower_bound=one.duration_is_lower_bound,
            time_step_s=one.time_step_s,
        )
        lines.append(verdict.sentence)
        return "\n".join((*lines, *one.warnings))

    # -- what a person does -------------------------------------------------------------

    def show(self, is_on: bool) -> None:
        """The tool came into sight or went out of it."""
        self.is_on = is_on
        self._look()

    def choose(self, index: int | None = None, attempt: int | None = None) -> None:
        """Choose a strip of the clip (from 0) or an attempt (from 1)."""
        if index is not None and index != self.index:
            self.index, self.attempt = index, 1
        if attempt is not None:
            self.attempt = attempt
        self._look()

    def set_profile(self, profile: str) -> None:
        """Class by another profile; the measurement stays."""
        self.profile = profile
        for key, found in self._read.items():
            attempts = tuple(replace(a, threshold_profile=profile) for a in found.measurement.attempts)
            new = replace(found.measurement, threshold_profile=profile, attempts=attempts)
            self._read[key] = replace(found, measurement=new)
        self.changed.emit()

    def set_manoeuvre(self, manoeuvre: str) -> None:
        """Measure again as 'augmentation' or 'valsalva'; a Valsalva needs a polarity first."""
        found = self._need()
        if manoeuvre == found.measurement.manoeuvre:
            return
        antegrade = found.measurement.antegrade if found.measurement.polarity_confirmed else None
        if manoeuvre == "valsalva" and antegrade is None:
            raise InvalidInputError(
                "a Valsalva has no spike that shows which way is antegrade",
                do="say first whether antegrade is up or down",
            )
        self._keep(
            measure_reflux(
                found.strip,
                antegrade=antegrade,
                manoeuvre=manoeuvre,
                threshold_profile=self.profile,
                traces=found.curves.traces,
            )
        )

    def confirm(self, antegrade: str) -> None:
        """The reader says which way ('up', 'down') is antegrade."""
        found = self._need()
        self._keep(confirm_polarity(found.strip, found.measurement, antegrade, traces=found.curves.traces))

    def move(self, *, onset_s: float | None = None, end_s: float | None = None) -> None:
        """Put onset or end of the chosen attempt elsewhere; what was measured stays beside it."""
        found, one = self._need(), self.chosen
        if one is None:
            return
        onset, end = self.marks_s
        if onset is None and end_s is not None and onset_s is None:
            onset_s = max(0.0, end_s - 0.5)  # both marks are needed: the other one waits to be moved
        if end is None and onset_s is not None and end_s is None:
            end_s = min(float(found.strip.times_s[-1]), onset_s + 0.5)
        self._keep_attempt(
            move_marks(
                found.strip,
                replace(one, attempts=()),
                self._session.reader.name,
                onset_s=onset_s,
                end_s=end_s,
            )
        )

    def reset_marks(self) -> None:
        """Put the marks of the chosen attempt back to where they were measured."""
        self._need()
        one = self.chosen
        if one is not None:
            self._keep_attempt(
                replace(one, corrected_onset_s=None, corrected_end_s=None, corrected_by="", attempts=())
            )

    def value(self) -> RefluxValue:
        """The chosen attempt as the record keeps it.  Raises in a sentence where there is none."""
        self._need()
        one, clip = self.chosen, self._session.clip
        if one is None or clip is None:
            raise InvalidInputError("there is no measurement", do="go to a spectrum and press X")
        posture = context_of(self._session.editable_record(), clip).posture
        return reflux_value(
            replace(one, threshold_profile=self.profile), clip, self._session.reader, posture=posture
        )

    def put(self) -> None:
        """Keep the chosen attempt on the chosen target."""
        self._need()
        target = self._session.target
        if target is None:
            raise InvalidInputError("no target is chosen", do="choose one in the list of targets")
        value = self.value()
        same = (value.sop_instance_uid, value.attempt)
        earlier = next((r for r in target.reflux if (r.sop_instance_uid, r.attempt) == same), None)
        if earlier is not None:
            value = replace(value, id=earlier.id)  # the same attempt again replaces itself
        self._session.edit(
            f"target {target.order}: reflux",
            lambda record: put_reflux(record, target.id, value, self._session.reader),
        )

    def calibrate(
        self, box: Box, first: Point, first_value: tuple[float, float], second: Point,
        second_value: tuple[float, float], *, unit: str = "cm/s",
    ) -> None:  # fmt: skip
        """Axes of a strip from two clicks `(row, col)` with `(velocity, seconds)`, kept in the record."""
        clip, reader = self._session.clip, self._session.reader
        if clip is None:
            raise InvalidInputError("no clip is open", do="choose one in the list of clips")
        self._session.edit(
            "strip calibrated by two clicks",
            lambda record: set_strip_calibration(
                record, clip, reader, box=box, point_a=first, value_a=first_value[0], time_a_s=first_value[1],
                point_b=second, value_b=second_value[0], time_b_s=second_value[1], unit=unit,
            ),
        )  # fmt: skip

    # -- reading ----------------------------------------------------------------------

    def _forget(self) -> None:
        self._read.clear()

    def _clip_changed(self) -> None:
        self.index, self.attempt, self.problem = 0, 1, None
        self._look()

    def _look(self) -> None:
        """Read and measure the chosen strip, once."""
        clip = self._session.clip
        self.problem = None
        if self.is_on and clip is not None and self.now is None:
            try:
                strip = self._strip(clip)
                drawn = curves(strip)
                found = measure_reflux(strip, threshold_profile=self.profile, traces=drawn.traces)
                self._read[self._key(clip)] = ReadStrip(strip, drawn, found)
                self.attempt = found.attempt
            except VeinscanError as error:
                self.problem = error
        self.changed.emit()

    def _strip(self, clip: Clip) -> Strip:
        kept = self._calibrations(clip)
        boxes = self.boxes(clip)
        if not boxes:
            raise CalibrationError(
                "no spectral strip is known in this clip", do="calibrate one with two clicks on its axes"
            )
        box = boxes[min(self.index, len(boxes) - 1)]
        by_hand = next((one for one in kept if one.box == box), None)
        if by_hand is not None:
            return strip_of(clip, axes=axes_of(clip, by_hand), wrap_column=by_hand.wrap_column)
        region = next(region for region in spectral_regions(clip) if region.box == box)
        return strip_of(clip, axes=axes_from_region(region, where=clip.file))

    def _calibrations(self, clip: Clip) -> tuple[StripCalibration, ...]:
        record = self._session.record
        return () if record is None else strip_calibrations_of(record, clip)

    def _key(self, clip: Clip) -> _Key:
        # a calibration that is made or undone makes another strip of it
        return clip.sop_instance_uid, self.index, self._calibrations(clip)

    def _record_changed(self) -> None:
        clip = self._session.clip
        if self.is_on and clip is not None and self.now is None:
            self._look()

    def _need(self) -> ReadStrip:
        found = self.now
        if found is None:
            raise self.problem or InvalidInputError(
                "there is no measured strip", do="choose a clip with a spectrum"
            )
        return found

    def _keep_attempt(self, own: RefluxMeasurement) -> None:
        whole = self._need().measurement
        attempts = tuple(own if one.attempt == own.attempt else one for one in whole.attempts)
        longest = own if whole.attempt == own.attempt else whole
        self._keep(replace(longest, attempts=attempts), attempt=own.attempt)

    def _keep(self, measurement: RefluxMeasurement, *, attempt: int | None = None) -> None:
        clip, found = self._session.clip, self._need()
        if clip is not None:
            self._read[self._key(clip)] = replace(found, measurement=measurement)
        self.attempt = attempt if attempt is not None else measurement.attempt
        self.changed.emit()
