"""Candidates: vessel-like structures of a clip, measured in mm, tracked over its frames and ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veinscan.candidates.model import (
    SENSITIVITIES,
    Candidate,
    ClipCandidates,
    Compression,
    Course,
    FinderSettings,
    LumenMeasure,
    Outline,
    Pulse,
)

if TYPE_CHECKING:
    from veinscan.candidates.clip import find_in_clip
    from veinscan.candidates.finder import find_candidates
    from veinscan.candidates.measure import measure_at
    from veinscan.candidates.order import FeederPlace, feeder_order
    from veinscan.candidates.words import EvidenceLine, evidence_lines

__all__ = [
    "SENSITIVITIES",
    "Candidate",
    "ClipCandidates",
    "Compression",
    "Course",
    "EvidenceLine",
    "FeederPlace",
    "FinderSettings",
    "LumenMeasure",
    "Outline",
    "Pulse",
    "evidence_lines",
    "feeder_order",
    "find_candidates",
    "find_in_clip",
    "measure_at",
]

_HOMES = {
    "EvidenceLine": "words",
    "FeederPlace": "order",
    "evidence_lines": "words",
    "feeder_order": "order",
    "find_candidates": "finder",
    "find_in_clip": "clip",
    "measure_at": "measure",
}


def __getattr__(name: str) -> object:
    """Import OpenCV only when a search is wanted: the plan reads this package's model too."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
