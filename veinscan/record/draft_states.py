"""States of a record in the tables of a draft.

A mark is stored once under the hash of its content.  The first state names
all its marks; each later one says what is different from the state before
it, so that an edit costs what it changed, however long the record is.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import replace
from typing import Any

from veinscan.plan.model import InjectionTarget, Record, RecordStatus
from veinscan.plan.normal import differ_in_order_only, in_normal_form, now
from veinscan.record.fields import Table
from veinscan.record.table import PARTS, READING, REVIEW, STATUS, TARGET
from veinscan.record.tree import Item, from_plain, to_plain

TABLES = """
CREATE TABLE about (schema INTEGER NOT NULL, study TEXT NOT NULL);
CREATE TABLE mark (hash TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE state (
    number INTEGER PRIMARY KEY, label TEXT NOT NULL, made_at TEXT NOT NULL, content TEXT NOT NULL
);
CREATE TABLE place (number INTEGER NOT NULL);
"""
_LISTS: dict[str, Table] = {
    "targets": TARGET,
    "reviews": REVIEW,
    **{part.attribute: part.table for part in PARTS},
}


class _AnyClass:
    """A draft needs no SOP classes: the clips are there when it is saved."""

    def sop_class(self, sop_instance_uid: str) -> str:
        return ""


class StateWriter:
    """Writes states, and knows which marks the file holds already.

    What a transaction wrote counts only after `committed`; `forget` what it
    wrote where it failed, and `forget_all` when the file is another.
    """

    def __init__(self) -> None:
        self._names: dict[int, tuple[Any, str]] = {}
        """Name of a mark by its place in memory; the mark is held so that the place stays its own."""
        self._new: dict[int, tuple[Any, str]] = {}
        self._ready: dict[int, tuple[Any, str, str]] = {}
        self._targets: dict[str, tuple[InjectionTarget, str]] = {}
        """By id, the last target that is on the disk: one that only moved has the same name."""

    def prepare(self, record: Record) -> None:
        """Work out ahead what the first state takes to write: the first edit need not wait for it."""
        for attribute, table in _LISTS.items():
            for mark in getattr(record, attribute):
                self._ready[id(mark)] = (mark, *_stored(table, mark))

    def write(
        self, connection: sqlite3.Connection, number: int, label: str, record: Record, before: Record | None
    ) -> None:
        """One state; `before` is the state of the number before, None for the first."""
        content: dict[str, Any] = {
            "reading": self._name(connection, READING, record.reading),
            "status": self._name(connection, STATUS, record.status),
            "version": record.version,
            "heads": list(record.heads),
            "conflicts": list(record.conflicts),
            "read_only": record.read_only,
        }
        for attribute, table in _LISTS.items():
            marks = getattr(record, attribute)
            if before is None:
                content[attribute] = [self._name(connection, table, mark) for mark in marks]
            elif marks is not getattr(before, attribute):
                content[attribute] = _change(
                    [self._name(connection, table, mark) for mark in getattr(before, attribute)],
                    [self._name(connection, table, mark) for mark in marks],
                )
        connection.execute(
            "INSERT INTO state VALUES (?, ?, ?, ?)", (number, label, now().isoformat(), json.dumps(content))
        )

    def committed(self) -> None:
        """What was written is on the disk."""
        for mark, name in self._new.values():
            self.known(mark, name)
        self._new.clear()
        self._ready.clear()

    def forget(self) -> None:
        """What was written since the last `committed` is not on the disk."""
        self._new.clear()

    def forget_all(self) -> None:
        """Nothing is on the disk: the file is gone."""
        self._names.clear()
        self._targets.clear()
        self._new.clear()

    def known(self, mark: Any, name: str) -> None:
        """The file holds a mark under a name."""
        self._names[id(mark)] = mark, name
        if isinstance(mark, InjectionTarget):
            self._targets[mark.id] = mark, name

    def _name(self, connection: sqlite3.Connection, table: Table, mark: Any) -> str:
        known = self._names.get(id(mark)) or self._new.get(id(mark))
        if known is None and isinstance(mark, InjectionTarget):
            known = self._targets.get(mark.id)
            if known is not None and not differ_in_order_only(mark, known[0]):
                known = None
        if known is not None:
            return known[1]
        ready = self._ready.get(id(mark))
        name, content = _stored(table, mark) if ready is None else ready[1:]
        connection.execute("INSERT OR IGNORE INTO mark VALUES (?, ?)", (name, content))
        self._new[id(mark)] = mark, name
        return name


def _stored(table: Table, mark: Any) -> tuple[str, str]:
    """Name and content of a mark."""
    # the place in the order is the place in the list: moving one target changes no other's content
    bare = replace(mark, order=0) if isinstance(mark, InjectionTarget) else mark
    content = json.dumps([to_plain(item) for item in table.write(bare, _AnyClass())])
    return hashlib.sha256(content.encode("ascii")).hexdigest(), content


def _change(before: list[str], after: list[str]) -> dict[str, Any]:
    """What lies between the common beginning and the common end of two lists, for `_changed`."""
    shorter = min(len(before), len(after))
    start = next((place for place in range(shorter) if before[place] != after[place]), shorter)
    end = next(
        (place for place in range(shorter - start) if before[-1 - place] != after[-1 - place]),
        shorter - start,
    )
    return {"at": start, "drop": len(before) - end - start, "put": after[start : len(after) - end]}


def _changed(before: list[str], change: Any) -> list[str]:
    """The list that `_change` was given as `after`; a whole list stands for itself."""
    if isinstance(change, list):
        return change
    start, drop = change["at"], change["drop"]
    if not 0 <= start <= start + drop <= len(before):
        raise ValueError("a step does not fit the one before it")
    return [*before[:start], *change["put"], *before[start + drop :]]


def read_states(connection: sqlite3.Connection, writer: StateWriter) -> tuple[list[Record], list[str], int]:
    """Every state with its label, and the number of the one that was shown; `writer` learns the marks.

    Raises ValueError, KeyError, IndexError or TypeError where the file is not what was written.
    """
    marks = dict(connection.execute("SELECT hash, content FROM mark"))
    made: dict[tuple[str, int, int], Any] = {}

    def mark(table: Table, name: str, order: int = 0) -> Any:
        key = name, id(table), order
        if key not in made:
            content = marks[name]
            if hashlib.sha256(content.encode("ascii")).hexdigest() != name:
                raise ValueError("a mark is not what was written")
            items = tuple(from_plain(plain) for plain in json.loads(content))
            one = table.read(Item("CONTAINER", "", None, "", items))
            made[key] = replace(one, order=order) if order else one
            writer.known(made[key], name)
        return made[key]

    states: list[Record] = []
    labels: list[str] = []
    names: dict[str, list[str]] = {attribute: [] for attribute in _LISTS}
    parts: dict[str, Any] = dict.fromkeys(_LISTS, ())
    for expected, (number, label, text) in enumerate(
        connection.execute("SELECT number, label, content FROM state ORDER BY number")
    ):
        if number != expected:
            raise ValueError("a step is missing")
        content = json.loads(text)
        for attribute, table in _LISTS.items():
            if attribute not in content:
                continue
            names[attribute] = _changed(names[attribute], content[attribute])
            parts[attribute] = tuple(
                mark(table, name, place if table is TARGET else 0)
                for place, name in enumerate(names[attribute], start=1)
            )
        state = Record(
            reading=mark(READING, content["reading"]),
            status=mark(STATUS, content["status"]) if "status" in content else RecordStatus(),
            version=content["version"],
            heads=tuple(content["heads"]),
            conflicts=tuple(content["conflicts"]),
            read_only=content["read_only"],
            **parts,
        )
        states.append(in_normal_form(state))
        labels.append(label)
    (place,) = connection.execute("SELECT number FROM place").fetchone()
    if not 0 <= place < len(states):
        raise ValueError("the place is not among the steps")
    return states, labels, place
