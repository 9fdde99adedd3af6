"""A comparison as plain objects for `--json`: numbers in the units of their names, points as [row, col]."""

from __future__ import annotations

from typing import Any

from veinscan.follow_up.model import Comparison, TargetComparison
from veinscan.follow_up.pairs import Pair
from veinscan.follow_up.states import TargetState
from veinscan.follow_up.windows import Window
from veinscan.plan.as_json import StudyLike, plain, target_json
from veinscan.plan.model import Record

_VISIT = (
    "id", "on", "session_ids", "duplex_done", "posture", "baseline_study_uid", "deep_veins",
    "deep_veins_action", "deep_vein_findings", "junction_class", "junction_action", "junction_stump_mm",
    "complications", "evacuation", "appearance_percent", "rater", "before_photo", "satisfaction",
    "compression_worn_days", "values", "next_step", "next_step_text", "notes", "set_by", "set_at",
)  # fmt: skip


def comparison_json(
    comparison: Comparison, baseline: tuple[StudyLike, Record], follow_up: tuple[StudyLike, Record]
) -> dict[str, Any]:
    """What `veinscan compare --json` prints; each side a study and its record."""
    windows = comparison.windows
    return {
        "baseline": _side(comparison.baseline_study_uid, comparison.baseline_on, baseline[1]),
        "follow_up": _side(comparison.follow_up_study_uid, comparison.follow_up_on, follow_up[1]),
        "patient": None
        if comparison.patient is None
        else {"match": comparison.patient.verdict.value, "reason": comparison.patient.reason},
        "days_between": comparison.days_between,
        "treated_on": plain(comparison.treated_on),
        "days_since_treatment": comparison.days_since_treatment,
        "windows": None
        if windows is None
        else {
            "clinic": [_window(one) for one in windows.clinic],
            "uip": [_window(one) for one in windows.uip],
        },
        "thresholds_version": comparison.thresholds_version,
        "targets": [_row(row, baseline[0], follow_up[0]) for row in comparison.targets],
        "new_findings": [target_json(one, follow_up[0]) for one in comparison.new_findings],
        "deep_veins": comparison.deep_veins,
        "rvcss": {pair.quantity.removeprefix("rvcss_"): _pair(pair) for pair in comparison.rvcss},
        "visit": None
        if comparison.visit is None
        else {name: plain(getattr(comparison.visit, name)) for name in _VISIT},
        "warnings": list(comparison.warnings),
    }


def _side(uid: str, on: Any, record: Record) -> dict[str, Any]:
    return {
        "study_instance_uid": uid,
        "on": plain(on),
        "version": record.version,
        "heads": list(record.heads),
        "state": record.status.state.value,
        "conflicts": list(record.conflicts),
    }


def _window(one: Window) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": one.label,
        "opens": plain(one.opens),
        "closes": plain(one.closes),
        "source": one.source,
        "mark": one.mark,
    }


def _row(row: TargetComparison, baseline: StudyLike, follow_up: StudyLike) -> dict[str, Any]:
    suggestion = row.maybe_recanalised
    return {
        "id": row.target_id,
        "order": row.order,
        "side": row.baseline.side.value,
        "vein": row.baseline.vein,
        "outcome": _pair(row.outcome_pair),
        **{pair.quantity: _pair(pair) for pair in row.pairs},
        "baseline": _state(row.baseline, baseline),
        "follow_up": None if row.follow_up is None else _state(row.follow_up, follow_up),
        "maybe_recanalised": None
        if suggestion is None
        else {"closed_on": plain(suggestion.closed_on), "open_on": plain(suggestion.open_on)},
        "conflicts": list(row.conflicts),
    }


def _pair(pair: Pair) -> dict[str, Any]:
    found: dict[str, Any] = {"baseline": pair.baseline, "follow_up": pair.follow_up}
    if pair.unit:
        found |= {"difference": pair.difference, "percent": pair.percent}
    if pair.quantity == "reflux_s":
        found |= {
            "baseline_is_lower_bound": pair.baseline_is_lower_bound,
            "follow_up_is_lower_bound": pair.follow_up_is_lower_bound,
        }
    if pair.quantity != "outcome":
        found |= {"changed": pair.changed, "reason": pair.reason}
    return found


def _state(state: TargetState, study: StudyLike) -> dict[str, Any]:
    file = None
    if state.has_place:
        try:
            file = str(study.clip(state.sop_instance_uid).file)
        except ValueError:  # InvalidInputError: the clip is not in the study any more
            file = None
    return {
        "kind": state.kind,
        "on": plain(state.on),
        "file": file,
        "sop_instance_uid": state.sop_instance_uid or None,
        "frame_index": state.frame_index if state.has_place else None,
        "point": list(state.point) if state.has_place else None,
        "posture": state.posture.value,
        "landmark": state.landmark.value,
        "landmark_cm": state.landmark_cm,
        "compartment": state.compartment.value,
        "diameter_source": plain(state.diameter_source),
        "depth_source": plain(state.depth_source),
        "treated_length_cm": state.treated_length_cm,
        "occluded_length_cm": state.occluded_length_cm,
        "set_by": state.set_by,
        "notes": state.notes,
    }
