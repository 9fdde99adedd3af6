"""Agreement between the readings of a study: what both found, how near, how alike, and of one mind or not.

Two structures are the same where they lie on the same frame of a clip and
their centres are no farther apart than the larger radius, or where both are
verdicts on the same candidate; each is matched once, nearest first.  One that
was followed over frames counts once, with the mean of its frames.  Dice is
2 |A and B| / (|A| + |B|) of the masks; kappa is Cohen's (Educ Psychol Meas
1960), of the verdicts on candidates that both readers judged.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from veinscan.export.columns import Column
from veinscan.export.marks import marks_of
from veinscan.export.model import Category, Mark
from veinscan.record.segmentation import mask_of

if TYPE_CHECKING:
    from veinscan.export.study import ClipCase, ReadingCase, StudyCase

COLUMNS = (
    Column("patient", "text", "Pseudonym of the patient."),
    Column("study", "text", "Name of the study."),
    Column("reading_a", "text", "Pseudonym of the first reading."),
    Column("reader_a", "text", "Pseudonym of its reader."),
    Column("candidates_shown_a", "boolean", "Whether that reader saw candidates."),
    Column("reading_b", "text", "Pseudonym of the second reading."),
    Column("reader_b", "text", "Pseudonym of its reader."),
    Column("candidates_shown_b", "boolean", "Whether that reader saw candidates."),
    Column("found_a", "integer", "Veins that the first reader outlined."),
    Column("found_b", "integer", "Veins that the second reader outlined."),
    Column("found_both", "integer", "Veins that both outlined."),
    Column("centre_distance_mm", "number", "Mean distance of the centres of those, where calibrated.", "mm"),
    Column("centre_distance_px", "number", "The same in pixels."),
    Column("dice", "number", "Mean Dice of the masks of those."),
    Column("judged_both", "integer", "Candidates that both judged."),
    Column("kappa", "number", "Cohen's kappa of vein or rejected on those; empty where it is not defined."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Two outlines of one structure."""

    a: Mark
    b: Mark
    distance_px: float
    distance_mm: float | None
    dice: float


def agreement_rows(case: StudyCase) -> list[list[Any]]:
    """One row for every two readings of a study; cells as `COLUMNS`."""
    return [_row(case, a, b) for a, b in itertools.combinations(case.readings, 2)]


def _row(case: StudyCase, a: ReadingCase, b: ReadingCase) -> list[Any]:
    pairs: list[list[Pair]] = []
    found = [0, 0, 0]
    for clip in case.clips:
        first, second = _veins(a, clip, case), _veins(b, clip, case)
        here = matched(first, second, clip.clip.rows, clip.clip.columns, clip.clip.spacing_mm)
        found[0] += _structures(first)
        found[1] += _structures(second)
        found[2] += min(_structures([pair.a for pair in here]), _structures([pair.b for pair in here]))
        pairs += by_structure(here)
    verdicts = _verdicts(a, b)
    return [
        case.identity.patient,
        case.name,
        a.record.reading.id,
        a.reader or None,
        a.record.reading.candidates_shown,
        b.record.reading.id,
        b.reader or None,
        b.record.reading.candidates_shown,
        found[0],
        found[1],
        found[2],
        _mean_of_means([[p.distance_mm for p in one if p.distance_mm is not None] for one in pairs]),
        _mean_of_means([[pair.distance_px for pair in one] for one in pairs]),
        _mean_of_means([[pair.dice for pair in one] for one in pairs]),
        len(verdicts),
        kappa(verdicts),
    ]


def _veins(reading: ReadingCase, clip: ClipCase, case: StudyCase) -> list[Mark]:
    marks = marks_of(reading.record, clip.sop_instance_uid, clip.clip, (), case.identity)
    return [mark for mark in marks if mark.category in (Category.TARGET, Category.VEIN)]


def _structures(marks: Iterable[Mark]) -> int:
    """How many structures outlines are of: one that was followed has an outline on every frame."""
    return len({mark.track for mark in marks})


def by_structure(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Pairs of one clip, together where they are of one structure of the first reader."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.a.track, []).append(pair)
    return list(found.values())


def matched(
    a: Sequence[Mark], b: Sequence[Mark], rows: int, columns: int, spacing_mm: tuple[float, float] | None
) -> list[Pair]:
    """Pairs of outlines of one structure, on a picture of (rows, columns); each is in one pair at most."""
    offers = []
    for i, one in enumerate(a):
        for j, other in enumerate(b):
            if one.frame_index != other.frame_index:
                continue
            centre, far = _centre(one), _centre(other)
            distance = math.dist(centre, far)
            if distance <= max(_radius(one), _radius(other)) or one.track == other.track:
                offers.append((distance, i, j))
    pairs, used_a, used_b = [], set(), set()
    for distance, i, j in sorted(offers):
        if i in used_a or j in used_b:
            continue
        used_a.add(i)
        used_b.add(j)
        one, other = a[i], b[j]
        (row_a, col_a), (row_b, col_b) = _centre(one), _centre(other)
        mm = None
        if spacing_mm is not None:
            mm = math.hypot((row_a - row_b) * spacing_mm[0], (col_a - col_b) * spacing_mm[1])
        first = mask_of(one.outline, rows, columns)
        second = mask_of(other.outline, rows, columns)
        total = int(first.sum()) + int(second.sum())
        dice = 2.0 * int((first & second).sum()) / total if total else 0.0
        pairs.append(Pair(one, other, distance, mm, dice))
    return pairs


def _centre(mark: Mark) -> tuple[float, float]:
    """Middle of the outline's bounding box."""
    points = np.asarray(mark.outline)
    row, col = (points.min(axis=0) + points.max(axis=0)) / 2
    return float(row), float(col)


def _radius(mark: Mark) -> float:
    points = np.asarray(mark.outline)
    return float((points.max(axis=0) - points.min(axis=0)).max()) / 2


def _verdicts(a: ReadingCase, b: ReadingCase) -> list[tuple[str, str]]:
    """(verdict of a, verdict of b) on the candidates that both judged."""
    judged = [
        {
            (review.sop_instance_uid, review.candidate_id): review.decision.value
            for review in reading.record.reviews
            if review.decision.value != "unreviewed"
        }
        for reading in (a, b)
    ]
    return [(judged[0][key], judged[1][key]) for key in sorted(judged[0].keys() & judged[1].keys())]


def kappa(verdicts: Iterable[tuple[str, str]]) -> float | None:
    """Cohen's kappa; None without verdicts, and where both only ever said the same one thing (0/0)."""
    pairs = list(verdicts)
    if not pairs:
        return None
    total = len(pairs)
    observed = sum(a == b for a, b in pairs) / total
    words = {word for pair in pairs for word in pair}
    expected = sum(
        (sum(a == word for a, _ in pairs) / total) * (sum(b == word for _, b in pairs) / total)
        for word in words
    )
    return None if expected >= 1 else round((observed - expected) / (1 - expected), 4)


def _mean_of_means(groups: Iterable[Sequence[float]]) -> float | None:
    """Every structure counts once, on however many frames it was outlined."""
    means = [sum(values) / len(values) for values in groups if values]
    return round(sum(means) / len(means), 4) if means else None
