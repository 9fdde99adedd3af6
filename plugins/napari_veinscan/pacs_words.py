"""Studies, sizes and periods of an archive in words for the screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from napari_veinscan.clip_words import counted
from veinscan.pacs.model import StudyQuery, StudyRow, StudyRows
from veinscan.pacs.words import name_words, size_words

COLUMNS = ("Date", "Time", "Name", "Patient ID", "Born", "Description", "Modalities", "Objects")
"""Of the list of studies."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days that are searched."""

    words: str
    days: int | None
    """How many, today included; None for any day."""

    @property
    def first_day(self) -> date | None:
        """From this day on."""
        return None if self.days is None else date.today() - timedelta(days=self.days - 1)


ANY_DAY = Period("any day", None)
BETWEEN = Period("from … to …", None)
PERIODS = (
    Period("today", 1),
    Period("the last 3 days", 3),
    Period("the last 7 days", 7),
    Period("the last 30 days", 30),
    ANY_DAY,
    BETWEEN,
)
USUAL = PERIODS[2]
"""Long enough for a study of last week's clinic, short enough to be a list."""


@dataclass(frozen=True, slots=True)
class Order:
    """A way to sort the list."""

    words: str
    column: int
    key: Callable[[StudyRow], Any]
    reverse: bool = False


def _when(row: StudyRow) -> tuple[date, str]:
    return row.on or date.min, row.time


ORDERS = (
    Order("date, latest first", 0, _when, reverse=True),
    Order("date, earliest first", 0, _when),
    Order("name", 2, lambda row: row.patient_name.casefold()),
    Order("patient ID", 3, lambda row: row.patient_id),
    Order("date of birth", 4, lambda row: row.birth_date or date.min),
    Order("description", 5, lambda row: row.description.casefold()),
    Order("modalities", 6, lambda row: row.modalities),
    Order("number of objects", 7, lambda row: row.instances or 0, reverse=True),
)


def in_order(rows: tuple[StudyRow, ...], order: Order) -> tuple[StudyRow, ...]:
    """Sorted; what is alike stays latest first."""
    latest = sorted(rows, key=_when, reverse=True)
    return tuple(sorted(latest, key=order.key, reverse=order.reverse))


def row_texts(row: StudyRow) -> tuple[str, ...]:
    """What the list says of a study, in the order of `COLUMNS`."""
    return (
        row.on.isoformat() if row.on is not None else "–",
        row.time,
        name_words(row.patient_name),
        row.patient_id,
        row.birth_date.isoformat() if row.birth_date is not None else "–",
        row.description,
        ", ".join(row.modalities),
        str(row.instances) if row.instances is not None else "–",
    )


def found_words(found: StudyRows, query: StudyQuery) -> str:
    """'12 studies', or why there is none."""
    count = len(found.rows)
    if not count:
        limits = []
        if query.first_day is not None or query.last_day is not None:
            limits.append("of these days")
        if query.modality:
            limits.append(f"with {query.modality}")
        return " ".join(["The archive has no study", *limits, "that matches."])
    words = "1 study" if count == 1 else f"{count} studies"
    if found.complete:
        return f"{words}."
    return f"{words} are shown; the archive has more. Narrow the search to see the rest."


def progress_words(done: int, total: int, size: int) -> str:
    """'3 of 12 objects, 45.1 MB'."""
    return f"{done} of {counted(total, 'object')}, {size_words(size)}"
