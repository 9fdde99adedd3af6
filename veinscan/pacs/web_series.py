"""WADO-RS of a whole series in one answer (PS3.18 10.4.1.1): for many small objects one request, not many.

What comes is looked at as if it had come alone: an object that was not asked
for is thrown away, and one that did not come, or not as it should, is left to
be asked for by itself.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from veinscan.dicom.guard import clean_uid
from veinscan.pacs.model import Fetched, InstanceRow
from veinscan.pacs.part10 import is_part10, read_head, sop_instance_uid

FEWEST = 6
"""Objects of a series from which on a request for all of it is worth more than several at once."""
MOST_FRAMES = 1000
"""Together; large clips come one by one: what breaks off is then little, and each has its own time."""
_STRANGERS = 4
"""So many objects that nobody asked for may come before and beside those that were asked for."""

Parts = Iterable[tuple[Mapping[str, str], Iterator[bytes]]]


def by_series(
    instances: Sequence[InstanceRow],
) -> tuple[list[list[InstanceRow]], list[InstanceRow]]:
    """Those that are worth a request for their whole series, and the others, in their order."""
    series: dict[tuple[str, str], list[InstanceRow]] = {}
    for instance in instances:
        series.setdefault((instance.study_instance_uid, instance.series_instance_uid), []).append(instance)
    groups = [group for group in series.values() if _is_worth_it(group)]
    grouped = {id(instance) for group in groups for instance in group}
    return groups, [instance for instance in instances if id(instance) not in grouped]


def _is_worth_it(group: Sequence[InstanceRow]) -> bool:
    uids = (group[0].study_instance_uid, group[0].series_instance_uid)
    return (
        len({instance.sop_instance_uid for instance in group}) == len(group) >= FEWEST
        and all(uid and clean_uid(uid) == uid for uid in uids)
        and sum(max(instance.frames or 1, 1) for instance in group) <= MOST_FRAMES
    )


def objects_of(parts: Parts, wanted: Sequence[InstanceRow], folder: Path) -> Iterator[Fetched]:
    """The wanted objects that are among the parts, each once, as `<SOP Instance UID>.dcm` in `folder`.

    Ends when all are there, and where others come and come.  Raises OSError where a file cannot be
    written, and what `parts` raises; nothing half written is left.
    """
    missing = {instance.sop_instance_uid: instance for instance in wanted}
    half = folder / f"{wanted[0].series_instance_uid}.series.part"
    strangers = 0
    try:
        for _, pieces in parts:
            size = 0
            with half.open("wb") as out:
                for piece in pieces:
                    size += out.write(piece)
            instance = missing.pop(_uid_of(half), None)
            if instance is None:
                strangers += 1
                if strangers > _STRANGERS + len(wanted) - len(missing):
                    return
                continue
            path = folder / f"{instance.sop_instance_uid}.dcm"
            half.replace(path)
            yield Fetched(instance, path, size)
            if not missing:
                return
    finally:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)


def _uid_of(path: Path) -> str:
    head = read_head(path)
    return sop_instance_uid(head) if is_part10(head) else ""
