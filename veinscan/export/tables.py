"""The four tables: clips, candidates, targets, measurements; one row each, with what it belongs to.

Every table begins with the same columns (`HEAD`), which are its keys: a row
is of a patient, a study, a clip and a reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from veinscan.export.columns import Column, Source, columns_of, unit_of
from veinscan.plan.context import ClipContext
from veinscan.plan.flow import FlowValue, RefluxValue
from veinscan.plan.model import CandidateReview, InjectionTarget, Measurement

if TYPE_CHECKING:
    from veinscan.candidates.model import Candidate
    from veinscan.export.study import ClipCase, ReadingCase, StudyCase

HEAD = (
    Column("patient", "text", "Pseudonym of the patient: the same in every export of the project."),
    Column("study", "text", "Name of the study: patient and examination."),
    Column("study_instance_uid", "text", "Pseudonym of the Study Instance UID."),
    Column("split", "text", "What the patient's studies are used for.",
           values=("train", "validation", "test")),
    Column("clip", "text", "Name of the clip: the study and its number in the order of acquisition; empty on "
                           "a row that is of no clip."),
    Column("sop_instance_uid", "text", "Pseudonym of the clip's SOP Instance UID."),
)  # fmt: skip
READING = (
    Column(
        "reading_id", "text", "Pseudonym of the reading that the row is from; empty for the program's own."
    ),
    Column("purpose", "text", "What the reading was made for.", values=("plan", "research", "adjudication")),
    Column("reader", "text", "Pseudonym of who saved the reading last."),
    Column("candidates_shown", "boolean", "Whether the reader saw the program's candidates."),
    Column("state", "text", "State of the reading: saved, final, amended, opened again."),
)

CLIP = (
    Column("kind", "text", "What the clip shows.",
           values=("bmode", "colour", "power", "spectral", "duplex", "m_mode", "page", "other")),
    Column("frames", "integer", "Frames."),
    Column("rows", "integer", "Rows of a frame."),
    Column("columns", "integer", "Columns of a frame."),
    Column("frame_rate_hz", "number", "Mean frame rate; empty for a still and where it is not told.",
           "Hz"),
    Column("spacing_mm_row", "number", "Height of a pixel of the picture; empty where not calibrated.", "mm"),
    Column("spacing_mm_col", "number", "Width of a pixel of the picture.", "mm"),
    Column("calibrated_by", "text", "Who the pixel size is from.", values=("file", "manual")),
    Column("lossy", "boolean", "Whether its pixels were compressed with loss before."),
    Column("searched", "text", "How far a reader went through the clip.",
           values=("complete", "partly", "unreadable", "unknown")),
    Column("negative", "boolean", "Searched completely by the chosen reading, and nothing found."),
    Column("marks", "integer", "Outlines on its frames in the chosen reading."),
    Column("pixels", "text", "Where the kept part of the screen is known from; 'none': no pixels leave; "
                             "'whole': nothing was cleaned.",
           values=("header", "pixels", "person", "none", "whole")),
    Column("writing_boxes", "integer", "Places inside the kept part that look like text or calipers."),
    Column("doubts", "text", "What could not be judged."),
)  # fmt: skip

SEARCHED = (
    Column("by", "text", "'reader': a verdict of the reading; 'program': found, judged by nobody.",
           values=("reader", "program")),
    Column("rank", "integer", "Rank by the search; 1 is first."),
    Column("frames_seen", "integer", "Frames of the clip on which the search found it."),
    Column("persistence", "number", "Share of the clip's frames on which it was seen, 0 to 1."),
    Column("length_mm", "number", "Visible course along its middle, lengthwise.", "mm"),
    Column("compartment", "text", "Where it lies relative to the two fasciae, by the program.",
           values=("epifascial", "saphenous", "subfascial", "unknown")),
    Column("compressibility", "number", "Share of the diameter that pressure takes away, 0 to 1."),
    Column("flow_fraction", "number", "Share of the lumen with colour, 0 to 1."),
)  # fmt: skip

MEASURED = (
    Column("measurement_id", "text", "Pseudonym of the measurement's id."),
    Column("source", "text", "Where it is from.",
           values=("caliper", "reflux", "flow", "reflux by the program")),
    Column("quantity", "text", "What was measured."),
    Column("value", "number", "The number, in `unit`."),
    Column("unit", "text", "UCUM unit.", values=("mm", "s", "cm/s", "deg")),
    Column("target_id", "text", "Pseudonym of the target it belongs to; empty for none."),
    Column("frame_index", "integer", "Frame, from 0."),
    Column("attempt", "integer", "Attempt on the strip, from 1."),
    Column("adequate", "text", "Whether the attempt can be judged; 'no': nothing is said about reflux.",
           values=("yes", "no", "unknown")),
    Column("is_lower_bound", "boolean", "The strip ended before the flow did."),
    Column("manoeuvre", "text", "How flow was provoked."),
    Column("posture", "text", "Of the patient."),
    Column("polarity_confirmed", "boolean", "A person confirmed which way is antegrade."),
    Column("threshold_profile", "text", "Profile of the table of thresholds that it was looked at with."),
    Column("set_by", "text", "Pseudonym of the person; empty for the program."),
)  # fmt: skip

_OF_CLIP = ("sop_instance_uid",)


@cache
def _targets() -> tuple[Source, ...]:
    return columns_of(InjectionTarget, without=(*_OF_CLIP, "candidate_settings"))


@cache
def _reviews() -> tuple[Source, ...]:
    return columns_of(CandidateReview, without=_OF_CLIP)


@cache
def _contexts() -> tuple[Source, ...]:
    return columns_of(ClipContext, without=(*_OF_CLIP, "set_by", "set_at"))


def table_columns() -> dict[str, tuple[Column, ...]]:
    """Table to its columns, in order."""
    return {
        "clips": (*HEAD, *CLIP, *_flat(_contexts())),
        "candidates": (*HEAD, *READING, *SEARCHED, *_flat(_reviews())),
        "targets": (*HEAD, *READING, *_flat(_targets())),
        "measurements": (*HEAD, *READING, *MEASURED),
    }


def _flat(sources: tuple[Source, ...]) -> tuple[Column, ...]:
    return tuple(column for source in sources for column in source.columns)


def _filled(sources: tuple[Source, ...], value: Any) -> tuple[Any, ...]:
    return tuple(cell for source in sources for cell in source.fill(value))


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
                *_filled(_targets(), target),
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
            *_filled(_contexts(), by_clip.get(one.sop_instance_uid)),
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
                *_filled(_reviews(), review),
            )
    for (uid, label), candidate in found.items():
        if (uid, label) not in judged:
            yield (
                *head_of(case, clips[uid]),
                *of_reading(None),
                "program",
                *_searched(candidate),
                *_filled(_reviews(), _as_review(candidate, label, uid)),
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
