"""The columns of the four tables: clips, candidates, targets, measurements.

Every table begins with the same columns (`HEAD`), which are its keys: a row
is of a patient, a study, a clip and a reading.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from veinscan.export.columns import Column, Source, columns_of
from veinscan.plan.context import ClipContext
from veinscan.plan.model import CandidateReview, InjectionTarget

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
def of_target() -> tuple[Source, ...]:
    """Columns of a target, from the model."""
    return columns_of(InjectionTarget, without=(*_OF_CLIP, "candidate_settings"))


@cache
def of_review() -> tuple[Source, ...]:
    """Columns of a verdict on a candidate, from the model."""
    return columns_of(CandidateReview, without=_OF_CLIP)


@cache
def of_context() -> tuple[Source, ...]:
    """Columns of what a reader said of a clip, from the model."""
    return columns_of(ClipContext, without=(*_OF_CLIP, "set_by", "set_at"))


def table_columns() -> dict[str, tuple[Column, ...]]:
    """Table to its columns, in order."""
    return {
        "clips": (*HEAD, *CLIP, *_flat(of_context())),
        "candidates": (*HEAD, *READING, *SEARCHED, *_flat(of_review())),
        "targets": (*HEAD, *READING, *_flat(of_target())),
        "measurements": (*HEAD, *READING, *MEASURED),
    }


def _flat(sources: tuple[Source, ...]) -> tuple[Column, ...]:
    return tuple(column for source in sources for column in source.columns)


def filled(sources: tuple[Source, ...], value: Any) -> tuple[Any, ...]:
    """Cells of the columns of some sources for a value; empty for None."""
    return tuple(cell for source in sources for cell in source.fill(value))
