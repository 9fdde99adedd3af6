"""Outlines of a clip in one form, whoever made them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from veinscan.export.model import Category, Mark
from veinscan.plan.model import CandidateReview, Decision, InjectionTarget, Point, Record

if TYPE_CHECKING:
    from veinscan.candidates.model import Candidate
    from veinscan.deidentify.identity import Identity
    from veinscan.dicom import Clip

CIRCLE_POINTS = 32
LABELLED = (Category.TARGET, Category.VEIN, Category.REJECTED)
"""Categories that a person's word stands behind."""


def marks_of(
    record: Record | None,
    sop_instance_uid: str,
    clip: Clip,
    candidates: Iterable[Candidate],
    identity: Identity,
) -> tuple[Mark, ...]:
    """Every outline on one clip, by frame and track.

    Parameters
    ----------
    record : Record or None
        De-identified; the reading that masks are made of.
    sop_instance_uid : str
        Pseudonym of the clip.
    candidates
        Of a search; with their own ids.

    A target that came from a candidate takes the place of the verdict on it.
    """
    found: list[Mark] = []
    taken: set[str] = set()
    categories: dict[str, Category] = {}
    targets = () if record is None else record.targets
    for target in targets:
        if target.sop_instance_uid != sop_instance_uid:
            continue
        if target.candidate_id:
            taken.add(target.candidate_id)
            categories[target.candidate_id] = Category.TARGET
        mark = _of_target(target)
        if mark is not None:
            found.append(mark)
    for review in () if record is None else record.reviews:
        if review.sop_instance_uid != sop_instance_uid or review.decision is Decision.UNREVIEWED:
            continue
        categories.setdefault(review.candidate_id, _category(review))
        if review.candidate_id not in taken and len(review.outline) >= 3:
            found += _of_review(review)
    frames = {(mark.track, mark.frame_index) for mark in found}
    for candidate in candidates:
        label = identity.label(candidate.id)
        category = categories.get(label, Category.UNKNOWN)
        found += [
            _of_candidate(candidate, label, index, category)
            for index in candidate.frame_indices
            if (label, index) not in frames
        ]
    return tuple(sorted(found, key=lambda mark: (mark.frame_index, mark.category, mark.track)))


def labelled_frames(marks: Iterable[Mark]) -> tuple[int, ...]:
    """Frames that hold the word of a person (a candidate that is only followed there counts with its own)."""
    return tuple(sorted({mark.frame_index for mark in marks if mark.category in LABELLED}))


def _category(review: CandidateReview) -> Category:
    return Category.VEIN if review.decision is Decision.VEIN else Category.REJECTED


def _of_target(target: InjectionTarget) -> Mark | None:
    outline, source = target.outline, "fitted"
    if len(outline) < 3:
        outline, source = circle(target), "circle of the measured diameter"
    if len(outline) < 3:
        return None
    return Mark(
        category=Category.TARGET,
        frame_index=target.frame_index,
        outline=outline,
        track=target.candidate_id or target.id,
        source=source,
        attributes={
            "target_id": target.id,
            "order": target.order,
            "point": list(target.point),
            "side": target.side.value,
            "vein": target.vein,
            "vessel_type": target.vessel_type.value,
            "diameter_mm": target.diameter_mm,
            "depth_mm": target.depth_mm,
            "reader": target.marked_by,
        },
    )


def circle(target: InjectionTarget) -> tuple[Point, ...]:
    """A circle of the measured diameter about a target without an outline; () where it was not measured."""
    if target.diameter_mm is None or target.calibration is None:
        return ()
    row_mm, col_mm = target.calibration.spacing_mm
    radius = target.diameter_mm / 2
    angles = (2 * math.pi * k / CIRCLE_POINTS for k in range(CIRCLE_POINTS))
    row, col = target.point
    return tuple((row + radius / row_mm * math.sin(a), col + radius / col_mm * math.cos(a)) for a in angles)


def _of_review(review: CandidateReview) -> list[Mark]:
    """The verdict's own outline, and those where a reader had it followed through the clip."""
    mark = Mark(
        category=_category(review),
        frame_index=review.frame_index,
        outline=review.outline,
        track=review.candidate_id,
        source="drawn" if review.outlined_by else "fitted",
        attributes={
            "decision": review.decision.value,
            "reason": None if review.reason is None else review.reason.value,
            "score": review.score,
            "diameter_mm": review.diameter_mm,
            "depth_mm": review.depth_mm,
            "reader": review.reviewed_by,
        },
    )
    followed = [
        replace(mark, frame_index=one.frame_index, outline=one.outline, source="followed")
        for one in review.course
        if len(one.outline) >= 3 and one.frame_index != review.frame_index
    ]
    return [mark, *followed]


def _of_candidate(candidate: Candidate, label: str, index: int, category: Category) -> Mark:
    outline = tuple((float(row), float(col)) for row, col in candidate.outline(index))
    attributes: dict[str, Any] = {
        "score": round(candidate.score, 4),
        "rank": candidate.rank,
        "best_frame": candidate.best_frame,
    }
    return Mark(
        category=category,
        frame_index=index,
        outline=outline,
        track=label,
        source="searched" if category is Category.UNKNOWN else "followed",
        attributes=attributes,
    )
