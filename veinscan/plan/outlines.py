"""Outlines that a reader drew or changed: the reader's word on where a lumen's wall is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from veinscan.candidates.model import Candidate, LumenMeasure
from veinscan.errors import InvalidInputError
from veinscan.plan.editing import outline_on, review, review_of
from veinscan.plan.geometry import ClipLike, calibration_at, checked_frame, checked_point
from veinscan.plan.model import Decision, OutlineOnFrame, Point, Reader, Record
from veinscan.plan.signing import check_editable

LEAST_CORNERS = 3


def measured_outline(clip: ClipLike, outline: Iterable[Iterable[float]]) -> LumenMeasure:
    """The measures of a drawn outline, (k, 2) `(row, col)` in whole-frame pixels.

    Raises InvalidInputError for fewer than 3 corners, an outline without area,
    one whose middle lies outside the picture, and where there is no calibration.
    """
    from veinscan.candidates.by_hand import measure_outline

    corners = [(float(row), float(col)) for row, col in outline]
    if len(corners) < LEAST_CORNERS:
        raise InvalidInputError(
            f"an outline of {len(corners)} corners encloses nothing", do="draw it round the lumen"
        )
    middle = sum(row for row, _ in corners) / len(corners), sum(col for _, col in corners) / len(corners)
    calibration = calibration_at(clip, checked_point(clip, middle))
    if calibration is None:
        raise InvalidInputError(
            "the picture is not calibrated: an outline has no diameter in mm",
            where=clip.file,
            do="calibrate the clip first",
        )
    return measure_outline(corners, calibration.spacing_mm, calibration.skin_row)


def set_outline(
    record: Record,
    clip: ClipLike,
    candidate: Candidate,
    frame_index: int,
    outline: Iterable[Iterable[float]],
    reader: Reader,
) -> Record:
    """The record with a reader's outline of a candidate on one frame, and the measures that follow from it.

    A verdict that was given stays; without one it becomes 'a vein', as nobody
    draws the wall of what is none.  Raises as `measured_outline`.
    """
    frame = checked_frame(clip, frame_index)
    found = measured_outline(clip, outline)
    before = review_of(record, str(clip.sop_instance_uid), candidate.id)
    decision = Decision.VEIN if before is None else before.decision
    changed = with_outline(candidate, frame, found)
    record = review(record, clip, changed, decision, reader, reason=None if before is None else before.reason)
    key = (str(clip.sop_instance_uid), candidate.id)
    return replace(
        record,
        reviews=tuple(
            replace(one, outlined_by=reader.name) if (one.sop_instance_uid, one.candidate_id) == key else one
            for one in record.reviews
        ),
    )


def set_course(
    record: Record,
    clip: ClipLike,
    candidate_id: str,
    outlines: Mapping[int, Iterable[Iterable[float]]],
) -> Record:
    """The record with the way of a candidate through its clip, frame index to outline (k, 2) in pixels.

    The verdict's own frame is left out: its outline stays what it is.  An
    earlier course is replaced.  Raises InvalidInputError without a verdict
    on the candidate, and for a frame that the clip has not.
    """
    check_editable(record)
    key = str(clip.sop_instance_uid), candidate_id
    verdict = review_of(record, *key)
    if verdict is None:
        raise InvalidInputError(
            f"nobody has said what candidate {candidate_id} is", do="give a verdict first: it is kept with it"
        )
    course = tuple(
        OutlineOnFrame(frame_index=checked_frame(clip, frame), outline=outline_on(clip, outline))
        for frame, outline in sorted(outlines.items())
        if frame != verdict.frame_index
    )
    followed = replace(verdict, course=course)
    return replace(
        record,
        reviews=tuple(
            followed if (one.sop_instance_uid, one.candidate_id) == key else one for one in record.reviews
        ),
    )


def with_outline(candidate: Candidate, frame_index: int, found: LumenMeasure) -> Candidate:
    """The candidate with another outline on one frame, which becomes its best frame, and its measures."""
    centre: Point = found.centre
    return replace(
        candidate,
        frame_indices=tuple(sorted({*candidate.frame_indices, frame_index})),
        best_frame=frame_index,
        outlines={**candidate.outlines, frame_index: found.outline},
        centres={**candidate.centres, frame_index: centre},
        diameter_mm=found.diameter_mm,
        depth_mm=found.depth_mm,
    )
