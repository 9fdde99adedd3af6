"""What can be entered of a follow-up and of a target's outcome, and the values that are understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.plan import vocabulary as v
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.values import LIMITS, enum_value, number
from veinscan.plan.vocabulary import Checked, Outcome, ValueSource

OUTCOME_FIELDS = (
    "outcome", "diameter_mm", "diameter_source", "depth_mm", "depth_source", "posture", "landmark",
    "landmark_cm", "compressible", "compartment", "treated_length_cm", "occluded_length_cm", "reflux",
    "flow", "recurrence", "notes",
)  # fmt: skip
"""What `set_outcome` accepts; coded values and numbers may be text."""
VISIT_FIELDS = (
    "on", "session_ids", "duplex_done", "posture", "deep_veins", "deep_veins_action", "deep_vein_findings",
    "junction_class", "junction_action", "junction_stump_mm", "complications", "evacuation",
    "appearance_percent", "rater", "before_photo", "photos", "satisfaction", "compression_worn_days",
    "values", "next_step", "next_step_text", "notes",
)  # fmt: skip
"""What `update_visit` accepts; coded values, numbers and days may be text."""

_CODED: Mapping[str, type[Any]] = {
    "outcome": Outcome, "diameter_source": ValueSource, "depth_source": ValueSource, "posture": v.Posture,
    "landmark": v.Landmark, "compressible": v.Compressible, "compartment": v.Compartment,
    "recurrence": Checked, "duplex_done": Checked, "deep_veins": v.DeepVeins,
    "junction_class": v.JunctionClass, "rater": v.Rater, "before_photo": Checked, "next_step": v.NextStep,
}  # fmt: skip


def check_names(values: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    """InvalidInputError for a field of `what` that is not among those that can be set."""
    for name in sorted(set(values) - set(known)):
        of_model = {field.name for kind in (FollowUp, TargetOutcome) for field in fields(kind)}
        why = "cannot be set here" if name in of_model else f"is not a field of {what}"
        raise InvalidInputError(f"{name!r} {why}", do=f"set one of: {', '.join(known)}")


def parsed(name: str, value: Any) -> Any:
    """The value of a field, of text where it is coded, a number or a day.  Raises InvalidInputError."""
    if name in _CODED:
        if value in (None, "") and name.endswith("_source"):
            return None
        return enum_value(_CODED[name], value, name)
    if name in LIMITS:
        return number(name, value)
    if name == "on" and isinstance(value, str):
        try:
            return date.fromisoformat(value.strip()) if value.strip() else None
        except ValueError:
            raise InvalidInputError(f"on is {value!r}", do="pass a day as YYYY-MM-DD") from None
    return value
