"""In which order objects go, and which go together: one archive and one study at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import groupby

from veinscan.pacs.queue_entry import Sending

BATCH_OBJECTS = 16
"""So many objects of a study are sent, asked for and read back together."""
BATCH_BYTES = 64 * 2**20
"""Fewer where they are larger; an object that is larger alone goes alone."""


def batches(sendings: Iterable[Sending]) -> Iterator[tuple[Sending, ...]]:
    """What is sent together: of one archive and study, what is replaced before what replaces it."""
    order = list(sendings)
    first: dict[tuple[str, str, str], int] = {}
    for number, one in enumerate(order):
        first.setdefault(_group(one), number)
    order.sort(key=lambda one: first[_group(one)])
    for _, group in groupby(order, _group):
        yield from _portions(in_order(list(group)))


def in_order(sendings: Sequence[Sending]) -> list[Sending]:
    """Each behind those that it names in `after`; else as they were put in."""
    by_uid = {one.sop_instance_uid: one for one in sendings}
    graph = {uid: [before for before in one.after if before in by_uid] for uid, one in by_uid.items()}
    try:
        return [by_uid[uid] for uid in TopologicalSorter(graph).static_order()]
    except CycleError:
        # documents that name each other in a circle: no order is right
        return list(sendings)


def _group(one: Sending) -> tuple[str, str, str]:
    return (one.archive, one.dimse, one.study_instance_uid)


def _portions(sendings: Sequence[Sending]) -> Iterator[tuple[Sending, ...]]:
    portion: list[Sending] = []
    size = 0
    for one in sendings:
        if portion and (len(portion) >= BATCH_OBJECTS or size + one.size > BATCH_BYTES):
            yield tuple(portion)
            portion, size = [], 0
        portion.append(one)
        size += one.size
    if portion:
        yield tuple(portion)
