"""The kinds of fields: which shape a value of the model has in the content tree.

What equals the default of its field is not written and read back as the
default, so that a record grows with what a person said, not with the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from veinscan.errors import RecordError
from veinscan.plan.model import OutlineOnFrame
from veinscan.record import concepts as c
from veinscan.record.fields import (
    CONTAINS,
    HAS_MODIFIER,
    Context,
    Each,
    Field,
    Items,
    One,
    Repeated,
    Shape,
    Table,
    coded,
    columns_rows,
    decoded,
    item_moment,
    points_of,
    source_of,
    stored_moment,
)
from veinscan.record.text import original_text, stored_text
from veinscan.record.tree import Concept, Graphic, ImageReference, Item, Measured

_UNKNOWN_VEIN = "unknown"


def text(attribute: str, concept: Concept, empty: str | None = "") -> Field:
    """A text; `empty` is the value for which nothing is written."""
    return One(attribute, concept, _TEXT, empty)


def texts(attribute: str, concept: Concept) -> Field:
    """A tuple of texts."""
    return Each(attribute, concept, _TEXT)


def uid(attribute: str, concept: Concept, relationship: str = CONTAINS) -> Field:
    """A UID that is always there."""
    return One(attribute, concept, _UID, relationship=relationship, required=True)


def optional_uid(attribute: str, concept: Concept) -> Field:
    """A UID that may be absent: '' then."""
    return One(attribute, concept, _UID, "")


def repeated_uid(attribute: str, concept: Concept) -> Field:
    """The UID of another field once more, under a concept that other software looks for."""
    return Repeated(attribute, concept, _UID, "")


def uids(attribute: str, concept: Concept) -> Field:
    """A tuple of UIDs."""
    return Each(attribute, concept, _UID)


def code(attribute: str, concept: Concept, values: Mapping[Any, Concept], default: Any) -> Field:
    """One of a fixed set of values; the default is not written."""
    return One(attribute, concept, _code(values), default)


def required_code(attribute: str, concept: Concept, values: Mapping[Any, Concept]) -> Field:
    """One of a fixed set of values, always written; None is not."""
    return One(attribute, concept, _code(values), required=True)


def codes(attribute: str, concept: Concept, values: Mapping[Any, Concept]) -> Field:
    """A tuple of values of a fixed set."""
    return Each(attribute, concept, _code(values))


def moment(attribute: str, concept: Concept) -> Field:
    """A moment; None is not written."""
    return One(attribute, concept, _MOMENT)


def day(attribute: str, concept: Concept) -> Field:
    """A calendar day; None is not written."""
    return One(attribute, concept, _DAY)


def nested(attribute: str, concept: Concept, table: Table) -> Field:
    """A value of a class of the model with a table of its own, in a container; None is not written."""
    return One(attribute, concept, _inside(table))


def many(attribute: str, concept: Concept, table: Table) -> Field:
    """A tuple of values of a class with a table of its own, a container for each."""
    return Each(attribute, concept, _inside(table))


def outline(attribute: str, concept: Concept) -> Field:
    """A closed polygon on the frame of the mark's place; no vertices are not written."""
    return One(attribute, concept, _OUTLINE, ())


def course(attribute: str, concept: Concept) -> Field:
    """A tuple of closed polygons, each on a frame of its own of the mark's clip."""
    return Each(attribute, concept, _COURSE)


def spot(attribute: str, concept: Concept) -> Field:
    """A point on the frame of the mark's place; None is not written."""
    return One(attribute, concept, _SPOT)


def _code(values: Mapping[Any, Concept]) -> Shape:
    return Shape("CODE", lambda value, *_: (values[value], ()), lambda item: decoded(values, item), values)


def _inside(table: Table) -> Shape:
    return Shape(
        "CONTAINER", lambda value, _, context: ("", table.write(value, context)), table.read, table=table
    )


def _source(owner: Any, context: Context) -> Item:
    return source_of(owner.sop_instance_uid, owner.frame_index, context)


def _put_outline(points: Any, owner: Any, context: Context) -> tuple[Graphic, tuple[Item, ...]]:
    # a POLYLINE is closed by its first point again (C.18.6.1.2)
    return Graphic("POLYLINE", columns_rows([*points, points[0]])), (_source(owner, context),)


def _put_course(one: OutlineOnFrame, owner: Any, context: Context) -> tuple[Graphic, tuple[Item, ...]]:
    image = source_of(owner.sop_instance_uid, one.frame_index, context)
    return Graphic("POLYLINE", columns_rows([*one.outline, one.outline[0]])), (image,)


def _get_course(item: Item) -> OutlineOnFrame:
    return OutlineOnFrame(frame_index=_image_of(item).frame_index, outline=points_of(item.value)[:-1])


def _image_of(item: Item) -> ImageReference:
    """The one frame that a coordinate is selected from."""
    images = [child for child in item.children if child.kind == "IMAGE"]
    if len(images) != 1:
        raise RecordError(f"{_name(item)} is not on one image")
    reference: ImageReference = images[0].value
    return reference


def _put_spot(point: Any, owner: Any, context: Context) -> tuple[Graphic, tuple[Item, ...]]:
    return Graphic("POINT", columns_rows([point])), (_source(owner, context),)


def _get_spot(item: Item) -> Any:
    points = points_of(item.value)
    if len(points) != 1:
        raise RecordError(f"{_name(item)} is not one point")
    return points[0]


def _stored_day(value: date) -> str:
    return f"{value.year:04d}{value:%m%d}"


def _get_day(item: Item) -> date:
    try:
        return datetime.strptime(item.value.strip(), "%Y%m%d").date()
    except ValueError:
        raise RecordError(f"{_name(item)} is no day of the form YYYYMMDD") from None


def _name(item: Item) -> str:
    return "a value" if item.name is None else f"'{item.name.meaning}'"


_TEXT = Shape("TEXT", lambda value, *_: (stored_text(value), ()), lambda item: original_text(item.value))
_UID = Shape("UIDREF", lambda value, *_: (value, ()), lambda item: item.value)
_MOMENT = Shape("DATETIME", lambda value, *_: stored_moment(value), item_moment)
_DAY = Shape("DATE", lambda value, *_: (_stored_day(value), ()), _get_day)
_OUTLINE = Shape("SCOORD", _put_outline, lambda item: points_of(item.value)[:-1])
_COURSE = Shape("SCOORD", _put_course, _get_course)
_SPOT = Shape("SCOORD", _put_spot, _get_spot)


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
        found: dict[str, Any] = {self.attribute: _number(item, self.concept, self.unit, whole=self.whole)}
        if self.source is not None:
            method = Items(item.children).one(c.MEASUREMENT_METHOD, "CODE")
            found[self.source] = None if method is None else decoded(c.SOURCES, method)
        return found


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort and its number: one item, whose concept and unit say the sort."""

    sort: str
    number: str
    concepts: Mapping[Any, tuple[Concept, Concept]]
    """Of each sort its concept and its unit."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.sort, self.number)

    @property
    def names(self) -> tuple[Concept, ...]:
        """Every concept that it may write."""
        return tuple(concept for concept, _ in self.concepts.values())

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        concept, unit = self.concepts[getattr(owner, self.sort)]
        yield Item("NUM", CONTAINS, concept, Measured(float(getattr(owner, self.number)), unit))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        for sort, (concept, unit) in self.concepts.items():
            item = items.one(concept, "NUM")
            if item is not None:
                return {self.sort: sort, self.number: _number(item, concept, unit, whole=False)}
        raise RecordError("a measurement has no value")


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers that are kept as a tuple, one item for each; with `optional` all of them or none."""

    attribute: str
    names: tuple[Concept, ...]
    unit: Concept
    whole: bool = False
    optional: bool = False

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return (self.attribute,)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        values = getattr(owner, self.attribute)
        if values is None and self.optional:
            return
        kind = int if self.whole else float
        for name, value in zip(self.names, values, strict=True):
            yield Item("NUM", CONTAINS, name, Measured(kind(value), self.unit))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        found = [(items.one(name, "NUM"), name) for name in self.names]
        if self.optional and all(item is None for item, _ in found):
            return {self.attribute: None}
        return {
            self.attribute: tuple(_number(item, name, self.unit, whole=self.whole) for item, name in found)
        }


def _number(item: Item | None, name: Concept, unit: Concept, *, whole: bool) -> float:
    if item is None or item.value is None:
        raise RecordError(f"'{name.meaning}' is missing")
    if item.value.unit.key != unit.key:
        raise RecordError(f"'{name.meaning}' is in {item.value.unit.value!r}, not in {unit.value!r}")
    return int(item.value.number) if whole else float(item.value.number)


@dataclass(frozen=True, slots=True)
class Place:
    """Clip, frame and point: the Image Region of TID 1410, a POINT selected from one frame."""

    point: str = "point"
    optional: bool = False
    """Whether a mark may have no place in an image: its clip is then empty."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return ("sop_instance_uid", "frame_index", self.point)

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        if self.optional and not owner.sop_instance_uid:
            return
        graphic = Graphic("POINT", columns_rows([getattr(owner, self.point)]))
        yield Item("SCOORD", CONTAINS, c.IMAGE_REGION, graphic, (_source(owner, context),))

    def read(self, items: Items) -> dict[str, Any]:
        """See `Field`."""
        item = items.one(c.IMAGE_REGION, "SCOORD")
        if item is None and self.optional:
            return {}
        if item is None:
            raise RecordError("a mark has no place in an image")
        points = points_of(item.value)
        if len(points) != 1 or item.value.kind != "POINT":
            raise RecordError("a mark's place is not one point of one image")
        reference = _image_of(item)
        return {
            "sop_instance_uid": reference.sop_instance_uid,
            "frame_index": reference.frame_index,
            self.point: points[0],
        }


@dataclass(frozen=True, slots=True)
class Site:
    """Vein and side: the Finding Site with its Laterality.  Unknown is not written."""

    @property
    def attributes(self) -> tuple[str, ...]:
        """See `Field`."""
        return ("vein", "side")

    def write(self, owner: Any, context: Context) -> Iterator[Item]:
        """See `Field`."""
        vein, laterality = owner.vein, c.SIDES.get(owner.side)
        if vein == _UNKNOWN_VEIN and laterality is None:
            return
        site = c.LOWER_LIMB if vein == _UNKNOWN_VEIN else c.VEIN_SITES.get(vein, c.OTHER_VEIN)
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
            found["side"] = decoded(c.SIDES, laterality)
        if item.value.key == c.OTHER_VEIN.key:
            name = items.one(c.VEIN_NAME, "TEXT")
            if name is None:
                raise RecordError("a vein is named in a text that is not there")
            found["vein"] = original_text(name.value)
        elif item.value.key != c.LOWER_LIMB.key:
            found["vein"] = decoded(c.VEIN_SITES, item)
        return found
