"""The readings of a study: who went through it, for what, and with or without candidates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from veinscan.plan.model import Reading, Record
from veinscan.record.store import StudyLike, load_record, record_paths
from veinscan.record.versions import heads, needed, read_versions


@dataclass(frozen=True, slots=True)
class SavedReading:
    """One reading as it was last saved."""

    reading: Reading
    record: Record
    readers: tuple[str, ...]
    """Who saved its latest version(s)."""
    saved_at: datetime | None
    """The latest of them."""


def saved_readings(study: StudyLike) -> tuple[SavedReading, ...]:
    """Every reading of a study that was saved, the plan first, then by purpose and id.

    Raises
    ------
    RecordError
        A version that may be the latest cannot be read.
    """
    versions, damaged = read_versions(record_paths(study), study.study_instance_uid)
    error = needed(damaged, versions)
    if error is not None:
        raise error
    by_reading: dict[str, list[tuple[str, datetime | None]]] = {}
    for version in heads(versions):
        entry = (version.observer, version.content.saved_at)
        by_reading.setdefault(version.content.record.reading.id, []).append(entry)
    found = []
    for reading_id, saves in by_reading.items():
        record = load_record(study, reading_id=reading_id)
        times = [moment for _, moment in saves if moment is not None]
        readers = tuple(sorted({name for name, _ in saves if name}))
        found.append(SavedReading(record.reading, record, readers, max(times, default=None)))
    return tuple(
        sorted(found, key=lambda one: (one.reading.purpose != "plan", one.reading.purpose, one.reading.id))
    )
