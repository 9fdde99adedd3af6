"""The rows of the four tables: clips, candidates, targets, measurements; one row each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from veinscan.export.columns import unit_of
from veinscan.export.table_columns import READING, SEARCHED, filled, of_context, of_review, of_target
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.model import CandidateReview, Measurement

if TYPE_CHECKING:
    from veinscan.candidates.model import Candidate
    from veinscan.export.study import ClipCase, ReadingCase, StudyCase


def rows_of(case: StudyCase) -> dict[str, list[list[Any]]]:
    """Rows of every table for a study; cells are None, texts, numbers, booleans or lists."""
    clips = {clip.sop_instance_uid: clip for clip in case.clips}
    return {
        "clips": [list(row) for row in _clip_rows(case)],
        "candidates": [list(row) for row in _candidate_rows(case, clips)],
        "targets": [
            [
                *head_of(case, clips.get(target.sop_instance_uid)),
                *of_reading(reading),
                *filled(of_target(), target),
            ]
            for reading in case.readings
            for target in reading.record.targets
        ],
        "measurements": [list(row) for row in _measurement_rows(case, clips)],
    }


def head_of(case: StudyCase, clip: ClipCase | None) -> tuple[Any, ...]:
    """Cells of `HEAD`."""
    return (
        case.identity.patient,
        case.name,
        case.study_instance_uid,
        case.split.value,
        None if clip is None else clip.name,
        None if clip is None else clip.sop_instance_uid,
    )


def of_reading(reading: ReadingCase | None) -> tuple[Any, ...]:
    """Cells of `READING`; empty for what is of none."""
    if reading is None:
        return (None,) * len(READING)
    of = reading.record.reading
    return of.id, of.purpose, reading.reader or None, of.candidates_shown, reading.record.status.state.value


def _clip_rows(case: StudyCase) -> Iterator[tuple[Any, ...]]:
    from veinscan.deidentify.image import LOSSY

    contexts = () if case.chosen is None else case.chosen.record.contexts
    by_clip = {context.sop_instance_uid: context for context in contexts}
    for one in case.clips:
        clip, spacing = one.clip, one.clip.spacing_mm or (None, None)
        region = clip.picture_region
        yield (
            *head_of(case, one),
            clip.kind.value,
            clip.n_frames,
            clip.rows,
            clip.columns,
            None if clip.frame_rate_hz is None else round(clip.frame_rate_hz, 4),
            *spacing,
            None if region is None or region.spacing_mm is None else region.source,
            clip.transfer_syntax in LOSSY or str(clip.header().get("LossyImageCompression") or "") == "01",
            one.searched,
            one.negative,
            len(one.marks),
            one.keep.source if one.has_pixels else "none",
            len(one.writing),
            "; ".join(one.keep.doubts) or None,
            *filled(of_context(), by_clip.get(one.sop_instance_uid)),
        )


def _candidate_rows(case: StudyCase, clips: dict[str, ClipCase]) -> Iterator[tuple[Any, ...]]:
    found = {
        (uid, case.identity.label(candidate.id)): candidate
        for uid, clip in clips.items()
        if clip.found is not None
        for candidate in clip.found.candidates
    }
    judged = set()
    for reading in case.readings:
        for review in reading.record.reviews:
            key = review.sop_instance_uid, review.candidate_id
            judged.add(key)
            yield (
                *head_of(case, clips.get(review.sop_instance_uid)),
                *of_reading(reading),
                "reader",
                *_searched(found.get(key)),
                *filled(of_review(), review),
            )
    for (uid, label), candidate in found.items():
        if (uid, label) not in judged:
            yield (
                *head_of(case, clips[uid]),
                *of_reading(None),
                "program",
                *_searched(candidate),
                *filled(of_review(), _as_review(candidate, label, uid)),
            )


def _searched(candidate: Candidate | None) -> tuple[Any, ...]:
    if candidate is None:
        return (None,) * (len(SEARCHED) - 1)
    return (
        candidate.rank,
        len(candidate.frame_indices),
        _round(candidate.persistence),
        _round(candidate.length_mm),
        candidate.compartment,
        _round(candidate.compressibility),
        _round(candidate.flow_fraction),
    )


def _as_review(candidate: Candidate, label: str, uid: str) -> CandidateReview:
    """A candidate that nobody judged, in the columns of those that were."""
    from veinscan.plan.model import Decision
    from veinscan.plan.normal import stored_outline, stored_point

    return CandidateReview(
        candidate_id=label,
        sop_instance_uid=uid,
        frame_index=candidate.best_frame,
        centre=stored_point(candidate.centre(candidate.best_frame)),
        outline=stored_outline(candidate.outline(candidate.best_frame).tolist()),
        diameter_mm=_round(candidate.diameter_mm),
        depth_mm=_round(candidate.depth_mm),
        score=round(candidate.score, 4),
        decision=Decision.UNREVIEWED,
    )


def _measurement_rows(case: StudyCase, clips: dict[str, ClipCase]) -> Iterator[tuple[Any, ...]]:
    for reading in case.readings:
        for one in reading.record.measurements:
            head = (*head_of(case, clips.get(one.sop_instance_uid)), *of_reading(reading))
            yield (*head, *_caliper(one))
        for target in reading.record.targets:
            values: tuple[RefluxValue | FlowValue, ...] = (*target.reflux, *target.flow)
            for value in values:
                uid = value.sop_instance_uid or target.sop_instance_uid
                head = (*head_of(case, clips.get(uid)), *of_reading(reading))
                for row in quantity_rows(value, target.id):
                    yield (*head, *row)


def _caliper(one: Measurement) -> tuple[Any, ...]:
    blank = (None,) * 7
    return (
        one.id,
        "caliper",
        one.kind.value,
        one.value,
        one.unit,
        None,
        one.frame_index,
        *blank,
        one.set_by or None,
    )


_REFLUX = ("reflux_s", "peak_reflux_cm_s", "mean_reflux_cm_s", "antegrade_peak_cm_s", "angle_deg")
_FLOW = ("peak_cm_s", "mean_cm_s", "angle_deg")


def quantity_rows(
    value: RefluxValue | FlowValue, target_id: str | None, source: str = ""
) -> Iterator[tuple[Any, ...]]:
    """Rows of `MEASURED` for the quantities of a reflux or flow; those that are not known are left out."""
    reflux = isinstance(value, RefluxValue)
    for name in _REFLUX if reflux else _FLOW:
        number = getattr(value, name)
        if number is None and not (reflux and name == "reflux_s"):
            continue
        yield (
            value.id,
            source or ("reflux" if reflux else "flow"),
            name,
            number,
            unit_of(name),
            target_id,
            getattr(value, "frame_index", None),
            getattr(value, "attempt", None),
            value.adequate.value if isinstance(value, RefluxValue) else None,
            value.is_lower_bound if isinstance(value, RefluxValue) and name == "reflux_s" else None,
            value.manoeuvre.value if isinstance(value, RefluxValue) else None,
            value.posture.value if isinstance(value, RefluxValue) else None,
            value.polarity_confirmed if isinstance(value, RefluxValue) else None,
            (value.threshold_profile or None) if isinstance(value, RefluxValue) else None,
            value.set_by or None,
        )


def _round(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)
