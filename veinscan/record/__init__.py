"""The record: a plan as DICOM structured reports beside the study.

>>> record = load_record(study)                        # doctest: +SKIP
>>> saved = save_record(study, record, Reader(name="Doe^Jane"))  # doctest: +SKIP

Every save is a new Comprehensive SR (PS3.3 A.35.3, TID 1500); nothing is ever
overwritten.  The names below are loaded when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veinscan.record.changes import HistoryEntry as HistoryEntry
    from veinscan.record.changes import history as history
    from veinscan.record.course import Course as Course
    from veinscan.record.course import open_course as open_course
    from veinscan.record.draft import Draft as Draft
    from veinscan.record.draft import PendingDraft as PendingDraft
    from veinscan.record.draft import pending_drafts as pending_drafts
    from veinscan.record.opening import Opened as Opened
    from veinscan.record.opening import open_with_record as open_with_record
    from veinscan.record.opening import with_record as with_record
    from veinscan.record.segmentation import save_segmentations as save_segmentations
    from veinscan.record.store import SavedRecord as SavedRecord
    from veinscan.record.store import load_record as load_record
    from veinscan.record.store import save_record as save_record

__all__ = [
    "load_record",
    "open_with_record",
    "with_record",
    "Opened",
    "save_record",
    "SavedRecord",
    "history",
    "HistoryEntry",
    "Draft",
    "PendingDraft",
    "pending_drafts",
    "Course",
    "open_course",
    "save_segmentations",
]

_WHERE = {
    "Course": "course",
    "Draft": "draft",
    "Opened": "opening",
    "PendingDraft": "draft",
    "open_course": "course",
    "open_with_record": "opening",
    "pending_drafts": "draft",
    "save_segmentations": "segmentation",
    "HistoryEntry": "changes",
    "SavedRecord": "store",
    "history": "changes",
    "load_record": "store",
    "save_record": "store",
    "with_record": "opening",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        value = getattr(import_module(f"veinscan.record.{_WHERE[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
