"""What a reflux measurement says, in plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from veinscan.errors import InvalidInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class RefluxMeasurement:
    """Reflux after one augmentation (or during one Valsalva) on one strip.

    Seconds count from the oldest column shown.  Velocities are read off the
    strip's own axis and never corrected for the angle a second time.
    """

    attempt: int
    """From 1, in the order of time."""
    n_attempts: int
    """How many were found on the strip."""
    adequate: bool
    """False without an antegrade spike: then nothing is said about reflux."""
    reflux_s: float | None
    """End less onset; 0 with an adequate spike and no retrograde flow; None when inadequate."""
    is_lower_bound: bool = False
    """Retrograde flow runs off the newest edge of the strip: it lasted at least this long."""
    onset_s: float | None = None
    end_s: float | None = None
    peak_reflux_cm_s: float | None = None
    """95th percentile of the velocities in the lumen when the mean retrograde velocity is greatest."""
    mean_reflux_cm_s: float | None = None
    """Mean over onset to end of the mean retrograde velocity."""
    antegrade_peak_cm_s: float | None = None
    """The same percentile at the top of the spike."""
    spike_s: float | None = None
    """When the spike is at its top."""
    release_s: float | None = None
    """When the spike has fallen to half."""
    interrupted: bool = False
    """Retrograde flow stopped for more than 100 ms and came back; the longest run is measured."""
    manoeuvre: str = "augmentation"
    """'augmentation' or 'valsalva' (set by the reader)."""
    antegrade: str | None = None
    """'up' or 'down' on the screen: the way of the spike, or as a reader set it; None when not known."""
    polarity_confirmed: bool = False
    """A reader set or confirmed `antegrade`."""
    end_rule: str = "1.0 cm/s"
    """Below what the flow has ended: '1.0 cm/s', or '2 % of the scale' on a strip in Hz without angle."""
    time_step_s: float = 0.0
    """Seconds per column: nothing is known finer than this."""
    angle_deg: float | None = None
    """Doppler angle as recorded; not applied."""
    calibration: str = "region"
    """'region' (the file's) or 'clicks' (a person's)."""
    threshold_profile: str = "svs_avf_avls_2022"
    """The profile the reader works by; whether this is reflux by it is derived, not stored."""
    corrected_onset_s: float | None = None
    """The onset as a reader moved it; the measured one stays."""
    corrected_end_s: float | None = None
    corrected_by: str = ""
    newest_s: float | None = None
    """The newest column shown: a mark there cuts a measurement off."""
    warnings: tuple[str, ...] = ()
    attempts: tuple[RefluxMeasurement, ...] = field(default=(), repr=False)
    """All attempts on the strip, on the one that `measure_reflux` returns; empty on each of them."""

    @property
    def is_corrected(self) -> bool:
        """Whether a reader moved a mark."""
        return self.corrected_onset_s is not None or self.corrected_end_s is not None

    @property
    def duration_is_lower_bound(self) -> bool:
        """Whether `duration_s` is a lower bound: an end that a reader put before the newest edge is none."""
        if self.corrected_end_s is None or self.newest_s is None:
            return self.is_lower_bound
        return self.corrected_end_s >= self.newest_s - self.time_step_s

    @property
    def duration_s(self) -> float | None:
        """Duration to report: from the corrected marks where a reader moved them, else as measured."""
        if not self.is_corrected:
            return self.reflux_s
        onset = self.onset_s if self.corrected_onset_s is None else self.corrected_onset_s
        end = self.end_s if self.corrected_end_s is None else self.corrected_end_s
        return None if onset is None or end is None else end - onset

    def corrected(
        self, reader: str, *, onset_s: float | None = None, end_s: float | None = None
    ) -> RefluxMeasurement:
        """The measurement with onset or end moved by a reader; what was measured is kept beside it.

        Raises
        ------
        InvalidInputError
            Without a reader's name, or when the end would lie before the onset.
        """
        if not reader.strip():
            raise InvalidInputError(
                "a correction needs the name of its reader", where="reflux", do="give the reader"
            )
        onset = onset_s if onset_s is not None else self.corrected_onset_s
        end = end_s if end_s is not None else self.corrected_end_s
        new = replace(self, corrected_onset_s=onset, corrected_end_s=end, corrected_by=reader)
        duration = new.duration_s
        if (onset is not None or end is not None) and (duration is None or duration < 0):
            raise InvalidInputError(
                f"the marks would be onset {onset} and end {end}",
                where="reflux",
                do="set both, the end after the onset",
            )
        return new
