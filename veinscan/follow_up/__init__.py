"""After the procedure: an earlier study beside a follow-up, target by target.

It finds, computes and suggests; a person sets every outcome.  The names below
are loaded when first used.

>>> baseline = open_with_record(find_earlier(follow_up.study).studies[0].path)  # doctest: +SKIP
>>> for row in compare_studies(baseline, follow_up).targets:                     # doctest: +SKIP
...     print(row.label, row.outcome, row.diameter.words())
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veinscan.dicom.patients import Match as Match
    from veinscan.dicom.patients import PatientMatch as PatientMatch
    from veinscan.dicom.patients import match_patients as match_patients
    from veinscan.dicom.patients import match_studies as match_studies
    from veinscan.follow_up.clips import ClipMatch as ClipMatch
    from veinscan.follow_up.clips import clips_for as clips_for
    from veinscan.follow_up.compare import compare_records as compare_records
    from veinscan.follow_up.compare import compare_studies as compare_studies
    from veinscan.follow_up.earlier import EarlierStudies as EarlierStudies
    from veinscan.follow_up.earlier import EarlierStudy as EarlierStudy
    from veinscan.follow_up.earlier import find_earlier as find_earlier
    from veinscan.follow_up.likeness import Choice as Choice
    from veinscan.follow_up.likeness import Reason as Reason
    from veinscan.follow_up.likeness import choices_for as choices_for
    from veinscan.follow_up.marking import begin_visit as begin_visit
    from veinscan.follow_up.marking import current_visit as current_visit
    from veinscan.follow_up.marking import mark_candidate as mark_candidate
    from veinscan.follow_up.marking import mark_not_seen as mark_not_seen
    from veinscan.follow_up.marking import mark_point as mark_point
    from veinscan.follow_up.marking import remove_outcome as remove_outcome
    from veinscan.follow_up.marking import set_outcome as set_outcome
    from veinscan.follow_up.marking import update_visit as update_visit
    from veinscan.follow_up.model import Comparison as Comparison
    from veinscan.follow_up.model import Recanalised as Recanalised
    from veinscan.follow_up.model import TargetComparison as TargetComparison
    from veinscan.follow_up.pairs import Pair as Pair
    from veinscan.follow_up.series import Series as Series
    from veinscan.follow_up.series import SeriesEntry as SeriesEntry
    from veinscan.follow_up.series import TargetLine as TargetLine
    from veinscan.follow_up.series import series_of as series_of
    from veinscan.follow_up.states import TargetState as TargetState
    from veinscan.follow_up.windows import Window as Window
    from veinscan.follow_up.windows import Windows as Windows
    from veinscan.follow_up.windows import due_windows as due_windows
    from veinscan.follow_up.windows import windows_at as windows_at

_WHERE = {
    "ClipMatch": "clips",
    "clips_for": "clips",
    "Comparison": "model",
    "Recanalised": "model",
    "TargetComparison": "model",
    "compare_records": "compare",
    "compare_studies": "compare",
    "EarlierStudies": "earlier",
    "EarlierStudy": "earlier",
    "find_earlier": "earlier",
    "Choice": "likeness",
    "Reason": "likeness",
    "choices_for": "likeness",
    "begin_visit": "marking",
    "current_visit": "marking",
    "mark_candidate": "marking",
    "mark_not_seen": "marking",
    "mark_point": "marking",
    "remove_outcome": "marking",
    "set_outcome": "marking",
    "update_visit": "marking",
    "Pair": "pairs",
    "Match": "veinscan.dicom.patients",
    "PatientMatch": "veinscan.dicom.patients",
    "match_patients": "veinscan.dicom.patients",
    "match_studies": "veinscan.dicom.patients",
    "Series": "series",
    "SeriesEntry": "series",
    "TargetLine": "series",
    "series_of": "series",
    "TargetState": "states",
    "Window": "windows",
    "Windows": "windows",
    "due_windows": "windows",
    "windows_at": "windows",
}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        where = _WHERE[name]
        value = getattr(import_module(where if "." in where else f"veinscan.follow_up.{where}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
