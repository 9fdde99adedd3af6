"""Flow and reflux as kept in a plan: the numbers, how they came about, and who corrected them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from veinscan.plan.vocabulary import Checked, FlowDirection, FlowSource, Manoeuvre, Polarity, Posture


@dataclass(frozen=True, slots=True, kw_only=True)
class RefluxValue:
    """One attempt on one strip, or a duration that a person typed.

    Whether it is reflux by a profile is worked out when it is shown
    (`plan.thresholds.classify`), never kept.
    """

    id: str
    """UID."""
    sop_instance_uid: str = ""
    """Clip of the strip; empty where it was typed without one."""
    attempt: int | None = None
    adequate: Checked = Checked.UNKNOWN
    """'no': no spike, so that nothing is said about reflux."""
    reflux_s: float | None = None
    """The duration to report: the corrected one where a person moved the marks."""
    measured_reflux_s: float | None = None
    """As the program measured it, kept when it is corrected."""
    is_lower_bound: bool = False
    onset_s: float | None = None
    end_s: float | None = None
    interrupted: bool = False
    peak_reflux_cm_s: float | None = None
    mean_reflux_cm_s: float | None = None
    antegrade_peak_cm_s: float | None = None
    angle_deg: float | None = None
    time_step_s: float | None = None
    manoeuvre: Manoeuvre = Manoeuvre.UNKNOWN
    posture: Posture = Posture.UNKNOWN
    antegrade: Polarity = Polarity.UNKNOWN
    polarity_confirmed: bool = False
    end_rule: str = ""
    calibrated_by: str = ""
    """'region' (the file's) or 'clicks' (a person's)."""
    threshold_profile: str = ""
    source: FlowSource = FlowSource.MEASURED
    corrected_by: str = ""
    set_by: str = ""
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowValue:
    """A velocity at a target, from colour or a strip, or typed."""

    id: str
    """UID."""
    sop_instance_uid: str = ""
    frame_index: int | None = None
    peak_cm_s: float | None = None
    mean_cm_s: float | None = None
    angle_deg: float | None = None
    direction: FlowDirection = FlowDirection.UNKNOWN
    source: FlowSource = FlowSource.ENTERED
    corrected_by: str = ""
    set_by: str = ""
    set_at: datetime | None = None
