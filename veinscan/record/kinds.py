"""More kinds of fields: lists, sets of codes, calendar days, and values that may be absent.

What equals the default of its field is not written and read back as the
default, so that a record grows with what a person said, not with the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from veinscan.errors import RecordError
from veinscan.record.fields import (
    CONTAINS,
    Context,
    Items,
    Table,
    coded,
    columns_rows,
    decoded,
    points_of,
    source_of,
)
from veinscan.record.text import original_text, stored_text
from veinscan.record.tree import Concept, Graphic, Item, Measured


@dataclass(frozen=True, slots=True)
class Code:
    """One of a fixed set of values; the default is not written."""

    attribute: str
    concept: Concept
    values: Mapping[Any, Concept]
    default: Any = None

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value != self.default:
            yield coded(self.concept, self.values[value], CONTAINS)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "CODE")
        return {self.attribute: self.default if item is None else decoded(self.values, item)}


@dataclass(frozen=True, slots=True)
class Codes:
    """A tuple of codes, one item for each, in order."""

    attribute: str
    concept: Concept
    values: Mapping[Any, Concept]

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        for value in getattr(owner, self.attribute):
            yield coded(self.concept, self.values[value], CONTAINS)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        return {self.attribute: tuple(decoded(self.values, item) for item in items.all(self.concept, "CODE"))}


@dataclass(frozen=True, slots=True)
class Texts:
    """A tuple of texts, one item for each, in order."""

    attribute: str
    concept: Concept

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        for text in getattr(owner, self.attribute):
            yield Item("TEXT", CONTAINS, self.concept, stored_text(text))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        return {self.attribute: tuple(original_text(item.value) for item in items.all(self.concept, "TEXT"))}


@dataclass(frozen=True, slots=True)
class Uids:
    """A UID that may be absent ('' then), or with `many` a tuple of them."""

    attribute: str
    concept: Concept
    many: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        for uid in value if self.many else [value] if value else []:
            yield Item("UIDREF", CONTAINS, self.concept, uid)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        if self.many:
            return {self.attribute: tuple(item.value for item in items.all(self.concept, "UIDREF"))}
        item = items.one(self.concept, "UIDREF")
        return {self.attribute: "" if item is None else item.value}


@dataclass(frozen=True, slots=True)
class Day:
    """A calendar day; None is not written."""

    attribute: str
    concept: Concept

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value: date | None = getattr(owner, self.attribute)
        if value is not None:
            yield Item("DATE", CONTAINS, self.concept, f"{value.year:04d}{value:%m%d}")

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "DATE")
        if item is None:
            return {self.attribute: None}
        try:
            return {self.attribute: datetime.strptime(item.value.strip(), "%Y%m%d").date()}
        except ValueError:
            raise RecordError(f"'{self.concept.meaning}' is no day of the form YYYYMMDD") from None


@dataclass(frozen=True, slots=True)
class Many:
    """A tuple of values of a class with a table of its own, a container for each, in order."""

    attribute: str
    concept: Concept
    table: Table

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        for value in getattr(owner, self.attribute):
            yield Item("CONTAINER", CONTAINS, self.concept, "", self.table.write(value, context))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        return {self.attribute: tuple(self.table.read(item) for item in items.all(self.concept, "CONTAINER"))}


@dataclass(frozen=True, slots=True)
class Spot:
    """A point on the frame of the mark's place; None is not written."""

    attribute: str
    concept: Concept
    clip: str = "sop_instance_uid"
    frame: str = "frame_index"

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        point = getattr(owner, self.attribute)
        if point is not None:
            source = source_of(getattr(owner, self.clip), getattr(owner, self.frame), context)
            yield Item("SCOORD", CONTAINS, self.concept, Graphic("POINT", columns_rows([point])), (source,))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "SCOORD")
        if item is None:
            return {self.attribute: None}
        points = points_of(item.value)
        if len(points) != 1:
            raise RecordError(f"'{self.concept.meaning}' is not one point")
        return {self.attribute: points[0]}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two numbers that are there together or not at all."""

    attribute: str
    names: tuple[Concept, Concept]
    unit: Concept

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value is not None:
            for name, number in zip(self.names, value, strict=True):
                yield Item("NUM", CONTAINS, name, Measured(float(number), self.unit))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        found = [items.one(name, "NUM") for name in self.names]
        if all(item is None for item in found):
            return {self.attribute: None}
        numbers = []
        for name, item in zip(self.names, found, strict=True):
            if item is None or item.value is None or item.value.unit.key != self.unit.key:
                raise RecordError(f"'{name.meaning}' is missing or not in {self.unit.value!r}")
            numbers.append(float(item.value.number))
        return {self.attribute: tuple(numbers)}
