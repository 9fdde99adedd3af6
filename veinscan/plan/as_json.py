"""The plan as plain objects for `--json`: numbers in mm, points as [row, col], frames from 0."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from veinscan.errors import VeinscanError
from veinscan.plan.model import CandidateReview, InjectionTarget, Measurement, Record


class StudyLike(Protocol):
    """What is used of a Study here."""

    @property
    def clip(self) -> Callable[[str], Any]: ...  # noqa: D102


def target_json(target: InjectionTarget, study: StudyLike) -> dict[str, Any]:
    """One target.  `file` is null where the clip is not in the study any more."""
    return {
        "id": target.id,
        "order": target.order,
        "file": _file(study, target.sop_instance_uid),
        "sop_instance_uid": target.sop_instance_uid or None,
        "frame_index": target.frame_index if target.has_place else None,
        "point": list(target.point) if target.has_place else None,
        "outline": [list(point) for point in target.outline],
        "side": target.side.value,
        "vein": target.vein,
        "diameter_mm": target.diameter_mm,
        "diameter_source": None if target.diameter_source is None else target.diameter_source.value,
        "depth_mm": target.depth_mm,
        "depth_source": None if target.depth_source is None else target.depth_source.value,
        "length_mm": target.length_mm,
        "artery_checked": target.artery_checked.value,
        "status": target.status.value,
        "notes": target.notes,
        "candidate_id": target.candidate_id,
        "candidate_score": target.candidate_score,
        "marked_by": target.marked_by,
        "marked_at": None if target.marked_at is None else target.marked_at.isoformat(),
        **{name: plain(getattr(target, name)) for name in _MORE},
    }


def review_json(review: CandidateReview, study: StudyLike) -> dict[str, Any]:
    """One verdict on a candidate."""
    return {
        "candidate_id": review.candidate_id,
        "file": _file(study, review.sop_instance_uid),
        "sop_instance_uid": review.sop_instance_uid,
        "frame_index": review.frame_index,
        "centre": list(review.centre),
        "outline": [list(point) for point in review.outline],
        "diameter_mm": review.diameter_mm,
        "depth_mm": review.depth_mm,
        "score": review.score,
        "decision": review.decision.value,
        "reason": None if review.reason is None else review.reason.value,
        "reviewed_by": review.reviewed_by,
        "reviewed_at": None if review.reviewed_at is None else review.reviewed_at.isoformat(),
        "outlined_by": review.outlined_by,
        "course": plain(review.course),
    }


def measurement_json(measurement: Measurement, study: StudyLike) -> dict[str, Any]:
    """One measurement with calipers."""
    return {
        **plain(measurement),
        "unit": measurement.unit,
        "file": _file(study, measurement.sop_instance_uid),
    }


def record_json(record: Record, study: StudyLike) -> dict[str, Any]:
    """The whole record, as `targets list --json` prints it."""
    return {
        "targets": [target_json(target, study) for target in record.targets],
        "reviews": [review_json(review, study) for review in record.reviews],
        "sessions": plain(record.sessions),
        "follow_ups": plain(record.follow_ups),
        "contexts": plain(record.contexts),
        "searches": plain(record.searches),
        "calibrations": plain(record.calibrations),
        "strip_calibrations": plain(record.strip_calibrations),
        "colour_scales": plain(record.colour_scales),
        "measurements": [measurement_json(one, study) for one in record.measurements],
        "acknowledgements": plain(record.acknowledgements),
        "status": plain(record.status),
        "version": record.version,
        "heads": list(record.heads),
        "conflicts": list(record.conflicts),
        "read_only": record.read_only or None,
    }


_MORE = (
    "segment", "level", "aspect", "landmark", "landmark_cm", "map_view", "map_point", "vein_class",
    "compartment", "vessel_type", "artery_distance_mm", "skin_entry", "plane", "posture", "compressible",
    "feeds_text", "feeds", "is_feeder", "reflux", "flow", "modality", "ultrasound_guided", "product",
    "concentration_percent", "planned_volume_ml", "needle_gauge", "laser",
)  # fmt: skip


def plain(value: Any) -> Any:
    """A value of the model as JSON knows it: objects, lists, texts, numbers; times as ISO 8601."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [plain(member) for member in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def _file(study: StudyLike, sop_instance_uid: str) -> str | None:
    if not sop_instance_uid:
        return None
    try:
        return str(study.clip(sop_instance_uid).file)
    except (VeinscanError, KeyError):
        return None
