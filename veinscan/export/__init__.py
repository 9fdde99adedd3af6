"""Research data sets: COCO, nnU-Net, NIfTI, DICOM, CSV, Parquet, JSON; nobody in them.

    options = ExportOptions(formats=(Format.COCO, Format.CSV))
    items = [item_of(study, key) for study in studies]
    export_studies(items, "DIR", options, key)

Names load when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from veinscan.export.look import Look, looks_at
    from veinscan.export.model import ExportOptions, Format, Item, Split
    from veinscan.export.people import read_people
    from veinscan.export.review import read_review
    from veinscan.export.run import Exported, export_studies, item_of
    from veinscan.export.splits import split_patients
    from veinscan.export.work import Done, Job

__all__ = [
    "Done",
    "ExportOptions",
    "Exported",
    "Format",
    "Item",
    "Job",
    "Look",
    "Split",
    "export_studies",
    "item_of",
    "looks_at",
    "read_people",
    "read_review",
    "split_patients",
]

_HOMES = {
    "Done": "work",
    "ExportOptions": "model",
    "Exported": "run",
    "Format": "model",
    "Item": "model",
    "Job": "work",
    "Look": "look",
    "Split": "model",
    "export_studies": "run",
    "item_of": "run",
    "looks_at": "look",
    "read_people": "people",
    "read_review": "review",
    "split_patients": "splits",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
