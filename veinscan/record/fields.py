"""How a field of the model and its content items belong together.

Most fields are one value in one item (`One`) or a tuple with an item for each
(`Each`); how a value stands in an item is its `Shape`.  `kinds` holds the
shapes, `table` lists the fields of each class of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from veinscan.errors import RecordError
from veinscan.record import concepts as c
from veinscan.record.text import original_datetime, original_zone, stored_datetime
from veinscan.record.tree import Concept, Graphic, ImageReference, Item

CONTAINS = "CONTAINS"
HAS_CONTEXT = "HAS OBS CONTEXT"
HAS_MODIFIER = "HAS CONCEPT MOD"
SELECTED_FROM = "SELECTED FROM"

MULTI_FRAME_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.3.1": "Ultrasound Multi-frame Image",
    "1.2.840.10008.5.1.4.1.1.3": "Ultrasound Multi-frame Image (retired)",
    "1.2.840.10008.5.1.4.1.1.7.1": "Multi-frame Single Bit Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.2": "Multi-frame Grayscale Byte Secondary Capture",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture",
}
"""Classes whose frames are named by number; a single-frame object is referenced as a whole (C.17.3.3)."""


class Context(Protocol):
    """What a field must know beyond its own value."""

    def sop_class(self, sop_instance_uid: str) -> str:
        """The SOP class of a clip, for references to it."""


class Items:
    """The children of an item, looked up by concept."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._by_name: dict[tuple[str, str], list[Item]] = {}
        for item in items:
            if item.name is not None:
                self._by_name.setdefault(item.name.key, []).append(item)

    def all(self, name: Concept, kind: str) -> list[Item]:
        """Every item of a name and value type."""
        return [item for item in self._by_name.get(name.key, ()) if item.kind == kind]

    def one(self, name: Concept, kind: str) -> Item | None:
        """The item of a name and value type, or None; RecordError where there are several."""
        found = self.all(name, kind)
        if len(found) > 1:
            raise RecordError(f"'{name.meaning}' is there {len(found)} times")
        return found[0] if found else None


class Field(Protocol):
    """A field (or a few that belong together) of a model class."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names in the model."""

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """Content items for the owner's value; none where it has none."""

    def read(self, items: Items) -> dict[str, Any]:
        """Attributes to make the owner with; absent where the record does not have them."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one value stands in one content item."""

    kind: str
    put: Callable[[Any, Any, Context], tuple[Any, tuple[Item, ...]]]
    """Value and children of the item, from the value, its owner and the context."""
    get: Callable[[Item], Any]
    """The value again; RecordError where the item holds something else."""
    values: Mapping[Any, Concept] | None = None
    """Of a code: what each value is written as."""
    table: Table | None = None
    """Of a container: what is in it."""

    def item(self, concept: Concept, value: Any, owner: Any, context: Context, relationship: str) -> Item:
        """The item of a value."""
        stored, children = self.put(value, owner, context)
        return Item(self.kind, relationship, concept, stored, children)


@dataclass(frozen=True, slots=True)
class One:
    """A value in an item; what equals `absent` is not written, and read where there is no item."""

    attribute: str
    concept: Concept
    shape: Shape
    absent: Any = None
    relationship: str = CONTAINS
    required: bool = False
    """Where there is no item, the model's own default counts; without one the part is not whole."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value != self.absent:
            yield self.shape.item(self.concept, value, owner, context, self.relationship)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, self.shape.kind)
        if item is not None:
            return {self.attribute: self.shape.get(item)}
        return {} if self.required else {self.attribute: self.absent}


@dataclass(frozen=True, slots=True)
class Repeated:
    """The value of another field once more, under the concept that other software looks for; never read."""

    attribute: str
    concept: Concept
    shape: Shape
    absent: Any = None
    relationship: str = HAS_CONTEXT

    @property
    def attributes(self) -> tuple[str, ...]:
        """None of its own."""
        return ()

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value != self.absent:
            yield self.shape.item(self.concept, value, owner, context, self.relationship)

    def read(self, items: Items) -> dict[str, Any]:
        """Nothing: the other field is what counts."""
        return {}


@dataclass(frozen=True, slots=True)
class Each:
    """A tuple, an item for each of its values, in order."""

    attribute: str
    concept: Concept
    shape: Shape

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        for value in getattr(owner, self.attribute):
            yield self.shape.item(self.concept, value, owner, context, CONTAINS)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        found = items.all(self.concept, self.shape.kind)
        return {self.attribute: tuple(self.shape.get(item) for item in found)}


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of one class of the model."""

    make: Callable[..., Any]
    fields: tuple[Field, ...]
    constants: tuple[Item, ...] = ()
    """Items that are always there and say nothing that a field does not."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute that is stored."""
        return tuple(name for field in self.fields for name in field.attributes)

    def write(self, owner: Any, context: Context) -> tuple[Item, ...]:
        """The children of the owner's container."""
        return (*self.constants, *(item for field in self.fields for item in field.write(owner, context)))

    def read(self, container: Item) -> Any:
        """The owner, from its container; RecordError where something it needs is missing."""
        items = Items(container.children)
        values: dict[str, Any] = {}
        for field in self.fields:
            values.update(field.read(items))
        try:
            return self.make(**values)
        except TypeError:
            raise RecordError("a part that every mark has is missing") from None


def stored_moment(moment: datetime) -> tuple[str, tuple[Item, ...]]:
    """Value and children of a DATETIME item.

    DCMTK 3.6 takes zones of less than an hour from UTC for a damaged value
    and then reads nothing of the document: such a moment is written in the
    zone +0100, with its own zone beside.
    """
    offset = moment.utcoffset()
    if offset is None or abs(offset) >= timedelta(hours=1):
        return stored_datetime(moment), ()
    zone = Item("TEXT", HAS_MODIFIER, c.ZONE, f"{moment:%z}")
    return stored_datetime(moment.astimezone(timezone(timedelta(hours=1)))), (zone,)


def moment_item(name: Concept, moment: datetime) -> Item:
    """A DATETIME item."""
    value, children = stored_moment(moment)
    return Item("DATETIME", CONTAINS, name, value, children)


def item_moment(item: Item) -> datetime:
    """The moment that `moment_item` was given."""
    moment = original_datetime(item.value)
    zone = Items(item.children).one(c.ZONE, "TEXT")
    return moment if zone is None else moment.astimezone(original_zone(zone.value))


def coded(name: Concept, value: Concept, relationship: str, children: tuple[Item, ...] = ()) -> Item:
    """A CODE item."""
    return Item("CODE", relationship, name, value, children)


def decoded(values: Mapping[Any, Concept], item: Item) -> Hashable:
    """The value whose code an item holds; RecordError for a code that is none of them."""
    for value, concept in values.items():
        if concept.key == item.value.key:
            return value  # type: ignore[no-any-return]
    name = item.name.meaning if item.name is not None else "a code"
    raise RecordError(f"'{name}' has the unknown code {item.value.value!r} ({item.value.scheme})")


def source_of(clip: str, frame_index: int, context: Context) -> Item:
    """The reference to a frame that a coordinate is selected from."""
    sop_class = context.sop_class(clip)
    whole = frame_index == 0 and sop_class not in MULTI_FRAME_CLASSES
    return Item(
        "IMAGE", SELECTED_FROM, c.SOURCE, ImageReference(sop_class, clip, None if whole else frame_index + 1)
    )


def columns_rows(points: Iterable[tuple[float, float]]) -> tuple[float, ...]:
    """Points as SCOORD holds them: column, row, counted from the corner of the first pixel."""
    return tuple([value + 0.5 for row, col in points for value in (col, row)])


def points_of(graphic: Graphic) -> tuple[tuple[float, float], ...]:
    """The points that `columns_rows` was given."""
    values = [value - 0.5 for value in graphic.data]
    if len(values) % 2:
        raise RecordError("a graphic has half a point")
    return tuple(zip(values[1::2], values[0::2], strict=True))
