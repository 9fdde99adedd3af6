"""How a field of the model and a content item belong together: one small class for each kind of field.

`table` lists, for each class of the model, its fields as instances of these;
that list is the only place a new field needs.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Protocol

from veinscan.errors import RecordError
from veinscan.record import concepts as c
from veinscan.record.text import original_datetime, original_text, original_zone, stored_datetime, stored_text
from veinscan.record.tree import Concept, Graphic, ImageReference, Item, Measured

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
class Text:
    """A text.  `empty` is the value for which nothing is written."""

    attribute: str
    concept: Concept
    empty: str | None = ""
    relationship: str = CONTAINS

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value != self.empty:
            yield Item("TEXT", self.relationship, self.concept, stored_text(value))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "TEXT")
        return {self.attribute: self.empty if item is None else original_text(item.value)}


@dataclass(frozen=True, slots=True)
class Uid:
    """A UID that is always there."""

    attribute: str
    concept: Concept
    relationship: str = CONTAINS

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        yield Item("UIDREF", self.relationship, self.concept, getattr(owner, self.attribute))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "UIDREF")
        return {} if item is None else {self.attribute: item.value}


@dataclass(frozen=True, slots=True)
class Number:
    """A number with its unit; None is not written.

    Where `source` names an attribute, it is the Measurement Method of the
    number (TID 300) and lives and goes with it.
    """

    attribute: str
    concept: Concept
    unit: Concept
    source: str | None = None
    whole: bool = False
    required: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,) if self.source is None else (self.attribute, self.source)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value is None:
            return
        number = int(value) if self.whole else float(value)
        method = None if self.source is None else getattr(owner, self.source)
        children = () if method is None else (coded(c.MEASUREMENT_METHOD, c.SOURCES[method], HAS_MODIFIER),)
        yield Item("NUM", CONTAINS, self.concept, Measured(number, self.unit), children)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "NUM")
        if item is None or item.value is None:
            if self.required:
                raise RecordError(f"'{self.concept.meaning}' is missing")
            return dict.fromkeys(self.attributes)
        if item.value.unit.key != self.unit.key:
            raise RecordError(
                f"'{self.concept.meaning}' is in {item.value.unit.value!r}, not in {self.unit.value!r}"
            )
        number = item.value.number
        found: dict[str, Any] = {self.attribute: int(number) if self.whole else float(number)}
        if self.source is not None:
            method = Items(item.children).one(c.MEASUREMENT_METHOD, "CODE")
            found[self.source] = None if method is None else decoded(c.SOURCES, method)
        return found


@dataclass(frozen=True, slots=True)
class Coded:
    """One of a fixed set of values, each with its code; None is not written."""

    attribute: str
    concept: Concept
    values: Mapping[Any, Concept]

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value is not None:
            yield coded(self.concept, self.values[value], CONTAINS)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "CODE")
        return {} if item is None else {self.attribute: decoded(self.values, item)}


@dataclass(frozen=True, slots=True)
class When:
    """A moment; None is not written."""

    attribute: str
    concept: Concept

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value: datetime | None = getattr(owner, self.attribute)
        if value is not None:
            yield moment_item(self.concept, value)

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "DATETIME")
        return {self.attribute: None if item is None else item_moment(item)}


@dataclass(frozen=True, slots=True)
class Place:
    """Clip, frame and point: the Image Region of TID 1410, a POINT selected from one frame."""

    clip: str = "sop_instance_uid"
    frame: str = "frame_index"
    point: str = "point"
    optional: bool = False
    """Whether a mark may have no place in an image: its clip is then empty."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.clip, self.frame, self.point)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        if self.optional and not getattr(owner, self.clip):
            return
        yield Item(
            "SCOORD",
            CONTAINS,
            c.IMAGE_REGION,
            Graphic("POINT", columns_rows([getattr(owner, self.point)])),
            (source_of(getattr(owner, self.clip), getattr(owner, self.frame), context),),
        )

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(c.IMAGE_REGION, "SCOORD")
        if item is None and self.optional:
            return {}
        if item is None:
            raise RecordError("a mark has no place in an image")
        images = [child for child in item.children if child.kind == "IMAGE"]
        points = points_of(item.value)
        if len(images) != 1 or len(points) != 1 or item.value.kind != "POINT":
            raise RecordError("a mark's place is not one point of one image")
        reference: ImageReference = images[0].value
        return {
            self.clip: reference.sop_instance_uid,
            self.frame: 0 if reference.frame_number is None else reference.frame_number - 1,
            self.point: points[0],
        }


@dataclass(frozen=True, slots=True)
class Outline:
    """A closed polygon on the frame of the mark's place; no vertices are not written."""

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
        points = getattr(owner, self.attribute)
        if points:
            # a POLYLINE is closed by its first point again (C.18.6.1.2)
            data = columns_rows([*points, points[0]])
            source = source_of(getattr(owner, self.clip), getattr(owner, self.frame), context)
            yield Item("SCOORD", CONTAINS, self.concept, Graphic("POLYLINE", data), (source,))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "SCOORD")
        return {self.attribute: () if item is None else points_of(item.value)[:-1]}


@dataclass(frozen=True, slots=True)
class Site:
    """Vein and side: the Finding Site with its Laterality.  Unknown is not written."""

    vein: str = "vein"
    side: str = "side"
    unknown_vein: str = "unknown"
    unknown_side: Any = None

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.vein, self.side)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        vein, side = getattr(owner, self.vein), getattr(owner, self.side)
        laterality = c.SIDES.get(side)
        if vein == self.unknown_vein and laterality is None:
            return
        site = c.LOWER_LIMB if vein == self.unknown_vein else c.VEIN_SITES.get(vein, c.OTHER_VEIN)
        children = () if laterality is None else (coded(c.LATERALITY, laterality, HAS_MODIFIER),)
        yield coded(c.FINDING_SITE, site, HAS_MODIFIER, children)
        if site is c.OTHER_VEIN:
            yield Item("TEXT", CONTAINS, c.VEIN_NAME, stored_text(vein))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(c.FINDING_SITE, "CODE")
        if item is None:
            return {}
        found: dict[str, Any] = {}
        laterality = Items(item.children).one(c.LATERALITY, "CODE")
        if laterality is not None:
            found[self.side] = decoded(c.SIDES, laterality)
        if item.value.key == c.OTHER_VEIN.key:
            name = items.one(c.VEIN_NAME, "TEXT")
            if name is None:
                raise RecordError("a vein is named in a text that is not there")
            found[self.vein] = original_text(name.value)
        elif item.value.key != c.LOWER_LIMB.key:
            found[self.vein] = decoded(c.VEIN_SITES, item)
        return found


@dataclass(frozen=True, slots=True)
class Nested:
    """A value of a class of the model with a table of its own, in a container; None is not written."""

    attribute: str
    concept: Concept
    table: Table

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        value = getattr(owner, self.attribute)
        if value is not None:
            yield Item("CONTAINER", CONTAINS, self.concept, "", self.table.write(value, context))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(self.concept, "CONTAINER")
        return {self.attribute: None if item is None else self.table.read(item)}


@dataclass(frozen=True, slots=True)
class Tuple:
    """Numbers that are kept as a tuple, one item for each."""

    attribute: str
    names: tuple[Concept, ...]
    unit: Concept
    whole: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        kind = int if self.whole else float
        for name, value in zip(self.names, getattr(owner, self.attribute), strict=True):
            yield Item("NUM", CONTAINS, name, Measured(kind(value), self.unit))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        kind = int if self.whole else float
        return {self.attribute: tuple(kind(_number(items, name, self.unit)) for name in self.names)}


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


def moment_item(name: Concept, moment: datetime) -> Item:
    """A DATETIME item.

    DCMTK 3.6 takes zones of less than an hour from UTC for a damaged value
    and then reads nothing of the document: such a moment is written in the
    zone +0100, with its own zone beside.
    """
    offset = moment.utcoffset()
    if offset is None or abs(offset) >= timedelta(hours=1):
        return Item("DATETIME", CONTAINS, name, stored_datetime(moment))
    zone = Item("TEXT", HAS_MODIFIER, c.ZONE, f"{moment:%z}")
    return Item(
        "DATETIME", CONTAINS, name, stored_datetime(moment.astimezone(timezone(timedelta(hours=1)))), (zone,)
    )


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


def _number(items: Items, name: Concept, unit: Concept) -> float:
    item = items.one(name, "NUM")
    if item is None or item.value is None or item.value.unit.key != unit.key:
        raise RecordError(f"'{name.meaning}' is missing or not in {unit.value!r}")
    return float(item.value.number)


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
