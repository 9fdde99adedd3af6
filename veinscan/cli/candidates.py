"""Candidates as `find` prints them: one JSON object each, and lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veinscan.cli.output import rounded, table

if TYPE_CHECKING:
    from veinscan.candidates import Candidate, ClipCandidates, Course

HEADERS = (
    "#",
    "look",
    "diameter mm",
    "depth mm",
    "length mm",
    "compartment",
    "closes",
    "flow",
    "score",
    "frame",
    "row,col",
    "on frames",
)
"""Columns of the text; `look` is the place in the order for the feeder question."""

_MOST_WORDS = 4
"""Parts of a score that JSON gives in words."""


def found_json(found: ClipCandidates) -> dict[str, Any]:
    """What `find --json` says of a searched clip: settings, what was not tested, candidates."""
    from veinscan.candidates import feeder_order

    spacing = found.spacing_mm or (1.0, 1.0)
    places = {one.candidate.id: one for one in feeder_order(found.candidates, spacing)}
    return {
        "settings": {
            "diameters_mm": list(found.settings.diameters_mm),
            "min_depth_mm": found.settings.min_depth_mm,
            "max_depth_mm": found.settings.max_depth_mm,
            "min_score": found.settings.min_score,
            "max_candidates": found.settings.max_candidates,
            "method": found.settings.method,
        },
        "not_validated": list(found.not_validated),
        "candidates": [
            {
                **candidate_json(one),
                "order": places[one.id].place,
                "order_reasons": list(places[one.id].reasons),
            }
            for one in found.candidates
        ],
    }


def candidate_json(candidate: Candidate) -> dict[str, Any]:
    """`candidates[]` of the contract; millimetres to a thousandth, pixels to a hundredth."""
    from veinscan.candidates import evidence_lines

    row, col = candidate.centre(candidate.best_frame)
    pressed, flow, pulse = candidate.compression, candidate.flow, candidate.pulse
    return {
        "id": candidate.id,
        "rank": candidate.rank,
        "frame_indices": list(candidate.frame_indices),
        "best_frame": candidate.best_frame,
        "persistence": rounded(candidate.persistence, 4),
        "centre": [rounded(row, 2), rounded(col, 2)],
        "diameter_mm": rounded(candidate.diameter_mm, 3),
        "major_mm": rounded(candidate.major_mm, 3),
        "depth_mm": rounded(candidate.depth_mm, 3),
        "length_mm": rounded(candidate.length_mm, 3),
        "course": None if candidate.course is None else _course_json(candidate.course),
        "compartment": candidate.compartment,
        "compartment_reason": candidate.compartment_reason,
        "compressibility": rounded(candidate.compressibility, 3),
        "compression": None
        if pressed is None
        else {
            "resting_mm": rounded(pressed.resting_mm, 3),
            "pressed_mm": rounded(pressed.pressed_mm, 3),
            "tissue_shortening": rounded(pressed.shortening, 3),
            "frame_indices": list(pressed.frame_indices),
            "diameters_mm": [rounded(width, 3) for width in pressed.diameters_mm],
        },
        "flow_fraction": rounded(candidate.flow_fraction, 3),
        "flow": None
        if flow is None
        else {
            "mean_velocity_cm_s": rounded(flow.mean_velocity_cm_s, 2),
            "pulsatility": rounded(flow.pulsatility, 3),
            "reversal_fraction": rounded(flow.reversal_fraction, 3),
            "aliased_fraction": rounded(flow.aliased_fraction, 3),
            "beats_per_minute": None if pulse is None else rounded(pulse.per_minute, 1),
        },
        "flow_note": candidate.flow_note,
        "score": rounded(candidate.score, 4),
        "evidence": {name: rounded(value, 4) for name, value in candidate.evidence.items()},
        "evidence_words": [line.words for line in evidence_lines(candidate, most=_MOST_WORDS)],
        "warnings": list(candidate.warnings),
        "not_validated": list(candidate.not_validated),
    }


def _course_json(course: Course) -> dict[str, Any]:
    return {
        "view": course.view,
        "frame_indices": list(course.frame_indices),
        "points": [[rounded(row, 2), rounded(col, 2)] for row, col in course.points.tolist()],
        "diameters_mm": [rounded(width, 3) for width in course.diameters_mm.tolist()],
        "length_mm": rounded(course.length_mm, 3),
        "tortuosity": rounded(course.tortuosity, 4),
    }


def candidate_lines(candidates: list[dict[str, Any]]) -> list[str]:
    """A table of the candidates of one clip, then their warnings, by the dictionaries of `found_json`."""
    from veinscan.candidates.validated import WORDS

    rows = [
        (
            c["rank"],
            c["order"],
            _mm(c["diameter_mm"]),
            _mm(c["depth_mm"]),
            _mm(c["length_mm"]),
            None if c["compartment"] == "unknown" else c["compartment"],
            _share(c["compressibility"]),
            _share(c["flow_fraction"]),
            f"{c['score']:.2f}",
            c["best_frame"],
            f"{c['centre'][0]:.0f},{c['centre'][1]:.0f}",
            len(c["frame_indices"]),
        )
        for c in candidates
    ]
    lines = table(HEADERS, rows, right=[k for k in range(len(HEADERS)) if HEADERS[k] != "compartment"])
    found = lines.split("\n")
    for c in candidates:
        found += [f"#{c['rank']}: {words}" for words in c["warnings"]]
        if c["not_validated"]:
            found.append(f"#{c['rank']}: score {WORDS}: {'; '.join(c['not_validated'])}")
    return found


def _mm(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.0%}"
