"""The candidates of a clip with what a person made of them.  Pure: neither Qt nor napari."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from veinscan.candidates import ClipCandidates
from veinscan.candidates.model import Candidate
from veinscan.candidates.shapes import measure_polygons
from veinscan.plan.model import CandidateReview, Decision, InjectionTarget, Point, Record


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate with what a person made of it."""

    candidate: Candidate
    review: CandidateReview | None
    targets: tuple[InjectionTarget, ...]

    @property
    def is_rejected(self) -> bool:
        """Whether a person said that it is not a vein."""
        return self.review is not None and self.review.decision is Decision.REJECTED


def rows_of(
    record: Record,
    sop_instance_uid: str,
    found: ClipCandidates | None,
    courses: Mapping[str, Candidate] = MappingProxyType({}),
) -> list[Row]:
    """The candidates of a clip, best first, with their verdicts.

    Candidates with a verdict are there from the record, searched again or not.
    Where a reader drew the outline or had it followed, it is the reader's that is shown.
    `courses` are candidates by id as they were followed before anybody said what they are.
    """
    reviews = {r.candidate_id: r for r in record.reviews if r.sop_instance_uid == sop_instance_uid}
    candidates = list(found.candidates) if found else []
    known = {candidate.id for candidate in candidates}
    told = sorted((r for r in reviews.values() if r.candidate_id not in known), key=lambda r: -r.score)
    candidates += [candidate_of(r, len(candidates) + n) for n, r in enumerate(told, start=1)]
    candidates = [replace(courses.get(c.id, c), rank=c.rank) for c in candidates]
    candidates = [_as_outlined(c, reviews.get(c.id)) for c in candidates]
    targets = [t for t in record.targets if t.candidate_id is not None]
    return [
        Row(c, reviews.get(c.id), tuple(t for t in targets if t.candidate_id == c.id)) for c in candidates
    ]


def _as_outlined(candidate: Candidate, review: CandidateReview | None) -> Candidate:
    """The candidate with the outlines that a reader gave it, if one did."""
    if review is None or not (review.outlined_by or review.course):
        return candidate
    of_record = candidate_of(review, candidate.rank)
    followed = bool(review.course)  # then the program's own way through the clip is replaced
    outlines = of_record.outlines if followed else {**candidate.outlines, **of_record.outlines}
    centres = of_record.centres if followed else {**candidate.centres, **of_record.centres}
    return replace(
        candidate,
        frame_indices=tuple(sorted(outlines)),
        best_frame=review.frame_index,
        outlines=outlines,
        centres=centres,
        diameter_mm=of_record.diameter_mm,
        depth_mm=of_record.depth_mm,
    )


_KNOWN: dict[tuple[int, int], tuple[CandidateReview, Candidate]] = {}
"""By the verdict's identity and its rank: to hash a long course takes as long as to read it."""


def candidate_of(review: CandidateReview, rank: int) -> Candidate:
    """The candidate that a stored verdict speaks of, on the frames that the record keeps.

    The same object for the same verdict: who draws it sees that nothing changed.
    """
    known = _KNOWN.get((id(review), rank))
    if known is not None and known[0] is review:
        return known[1]
    made = _candidate_of(review, rank)
    if len(_KNOWN) >= 2000:
        _KNOWN.clear()
    _KNOWN[id(review), rank] = review, made
    return made


def _candidate_of(review: CandidateReview, rank: int) -> Candidate:
    kept = {one.frame_index: one.outline for one in review.course} | {review.frame_index: review.outline}
    outlines = {frame: np.array(kept[frame], dtype=np.float32).reshape(-1, 2) for frame in sorted(kept)}
    return Candidate(
        id=review.candidate_id,
        frame_indices=tuple(outlines),
        best_frame=review.frame_index,
        outlines=outlines,
        centres={frame: _middle(line) for frame, line in outlines.items()}
        | {review.frame_index: review.centre},
        diameter_mm=float("nan") if review.diameter_mm is None else review.diameter_mm,
        depth_mm=float("nan") if review.depth_mm is None else review.depth_mm,
        score=review.score,
        rank=rank,
    )


def _middle(outline: npt.NDArray[np.float32]) -> Point:
    """The centre of area of an outline, (k, 2) `(row, col)`."""
    row, col = measure_polygons(outline[None].astype(np.float64)).centre[0]
    return float(row), float(col)


def inside(point: Point, outline: Sequence[Sequence[float]] | np.ndarray[Any, Any]) -> bool:
    """Whether `(row, col)` lies inside a closed polygon of `(row, col)` vertices (even-odd rule)."""
    corners = np.asarray(outline, dtype=float)
    if len(corners) < 3:
        return False
    row, col = point
    r0, c0 = corners[:, 0], corners[:, 1]
    r1, c1 = np.roll(r0, -1), np.roll(c0, -1)
    crosses = (r0 > row) != (r1 > row)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = c0 + (row - r0) * (c1 - c0) / (r1 - r0)
    return bool(np.count_nonzero(crosses & (col < at)) % 2)
