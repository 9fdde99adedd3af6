"""The content tree of an SR as plain values, and its way into pydicom datasets and back.

One module knows how a content item is spelt in DICOM (PS3.3 C.17.3); the
rest of the record works on `Item`s.  Building them as plain pydicom datasets
keeps a plan of 200 targets within a second or two, where the template
classes copy the tree many times over.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filereader import read_sequence
from pydicom.filewriter import write_sequence_item
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.valuerep import format_number_as_ds

from veinscan.errors import RecordError

MAX_DEPTH = 40
"""Deeper trees are nobody's report (a hostile file nests thousands)."""


@dataclass(frozen=True, slots=True)
class Concept:
    """A code: value, coding scheme designator, meaning.  The meaning is for people, not for comparing."""

    value: str
    scheme: str
    meaning: str

    @property
    def key(self) -> tuple[str, str]:
        """What makes two codes the same."""
        return self.scheme, self.value


@dataclass(frozen=True, slots=True)
class Measured:
    """The value of a NUM item; a float is kept to the last bit, a whole number as such."""

    number: float | int
    unit: Concept


@dataclass(frozen=True, slots=True)
class Graphic:
    """The value of a SCOORD item: `(column, row, column, row, ...)` counted from the corner, float32."""

    kind: str
    data: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ImageReference:
    """The value of an IMAGE item; `frame_number` counts from 1, None for the whole object."""

    sop_class_uid: str
    sop_instance_uid: str
    frame_number: int | None = None

    @property
    def frame_index(self) -> int:
        """From 0; the whole object is its only frame."""
        return 0 if self.frame_number is None else self.frame_number - 1


@dataclass(frozen=True, slots=True)
class Item:
    """One content item.

    `value` is a str for TEXT, UIDREF, DATETIME, DATE, TIME and PNAME, a
    `Concept` for CODE, `Measured`, `Graphic` or `ImageReference`; for
    CONTAINER it is the template identifier or ''; None where an item of
    other software holds something else.
    """

    kind: str
    relationship: str
    name: Concept | None
    value: Any
    children: tuple[Item, ...] = ()


_RELATIONSHIP, _KIND, _NAME, _CONTINUITY = 0x0040A010, 0x0040A040, 0x0040A043, 0x0040A050
_CODE, _MEASURED, _CHILDREN, _TEMPLATE = 0x0040A168, 0x0040A300, 0x0040A730, 0x0040A504
_UNIT, _FLOAT, _DECIMAL = 0x004008EA, 0x0040A161, 0x0040A30A
_GRAPHIC_DATA, _GRAPHIC_TYPE = 0x00700022, 0x00700023
_ENCODINGS = ["utf8"]
_REPLACEABLE = ("UIDREF", "PNAME", "DATETIME", "DATE", "TIME")
_TEXT_TAGS = {
    "TEXT": (0x0040A160, "UT"),
    "UIDREF": (0x0040A124, "UI"),
    "DATETIME": (0x0040A120, "DT"),
    "DATE": (0x0040A121, "DA"),
    "TIME": (0x0040A122, "TM"),
    "PNAME": (0x0040A123, "PN"),
}


def to_dataset(item: Item) -> Dataset:
    """The item and all below it as a dataset, for an Explicit VR Little Endian file in UTF-8."""
    dataset = _new_dataset()
    if item.relationship:
        _put(dataset, _RELATIONSHIP, "CS", item.relationship)
    _put(dataset, _KIND, "CS", item.kind)
    if item.name is not None:
        _put_code(dataset, _NAME, item.name)
    value = item.value
    if item.kind == "CONTAINER":
        _put(dataset, _CONTINUITY, "CS", "SEPARATE")
        if value:
            template = _new_dataset()
            _put(template, 0x00080105, "CS", "DCMR")
            _put(template, 0x0040DB00, "CS", value)
            _put_items(dataset, _TEMPLATE, [template])
    elif item.kind == "CODE":
        _put_code(dataset, _CODE, value)
    elif item.kind == "NUM":
        number = _new_dataset()
        _put_code(number, _UNIT, value.unit)
        if isinstance(value.number, float):
            _put(number, _FLOAT, "FD", value.number)
            _put(number, _DECIMAL, "DS", format_number_as_ds(value.number))
        else:
            _put(number, _DECIMAL, "DS", str(value.number))
        _put_items(dataset, _MEASURED, [number])
    elif item.kind == "SCOORD":
        _put(dataset, _GRAPHIC_DATA, "FL", list(value.data))
        _put(dataset, _GRAPHIC_TYPE, "CS", value.kind)
    elif item.kind == "IMAGE":
        reference = _new_dataset()
        _put(reference, 0x00081150, "UI", value.sop_class_uid)
        _put(reference, 0x00081155, "UI", value.sop_instance_uid)
        if value.frame_number is not None:
            _put(reference, 0x00081160, "IS", str(value.frame_number))
        _put_items(dataset, 0x00081199, [reference])
    else:
        tag, vr = _TEXT_TAGS[item.kind]
        _put(dataset, tag, vr, value)
    if item.children:
        _put_items(dataset, _CHILDREN, [to_dataset(child) for child in item.children])
    return dataset


def from_dataset(dataset: Dataset, depth: int = 0) -> Item:
    """A content item of any software as an `Item`.

    Raises RecordError for what cannot be a content item; AttributeError,
    IndexError, ValueError and the like for a damaged one (the caller names
    the file).
    """
    if depth > MAX_DEPTH:
        raise RecordError(f"the content is nested more than {MAX_DEPTH} deep")
    kind = str(_get(dataset, _KIND) or "")
    return Item(
        kind=kind,
        relationship=str(_get(dataset, _RELATIONSHIP) or ""),
        name=_code_at(dataset, _NAME),
        value=_value(dataset, kind),
        children=tuple(from_dataset(child, depth + 1) for child in _get(dataset, _CHILDREN) or ()),
    )


def _get(dataset: Dataset, tag: int) -> Any:
    """The value at a tag, None where there is none: by number, which is half the work of a keyword."""
    element = dataset.get(Tag(tag))
    return None if element is None else element.value


def _value(dataset: Dataset, kind: str) -> Any:
    if kind == "CONTAINER":
        templates = _get(dataset, _TEMPLATE)
        return str(templates[0].get("TemplateIdentifier", "")) if templates else ""
    if kind == "CODE":
        return _needed(_code_at(dataset, _CODE))
    if kind == "NUM":
        values = _get(dataset, _MEASURED)
        if not values:
            return None
        unit = _needed(_code_at(values[0], _UNIT))
        exact = _get(values[0], _FLOAT)
        if exact is not None:
            return Measured(float(exact), unit)
        number = float(_needed(_get(values[0], _DECIMAL)))
        return Measured(int(number) if number.is_integer() else number, unit)
    if kind == "SCOORD":
        data = _needed(_get(dataset, _GRAPHIC_DATA))
        return Graphic(str(_get(dataset, _GRAPHIC_TYPE)), tuple(float(value) for value in data))
    if kind == "IMAGE":
        reference = dataset.ReferencedSOPSequence[0]
        frame = reference.get("ReferencedFrameNumber")
        if frame is not None and not isinstance(frame, int | str):
            frame = frame[0] if len(frame) else None
        return ImageReference(
            str(reference.ReferencedSOPClassUID),
            str(reference.ReferencedSOPInstanceUID),
            None if frame is None else int(frame),
        )
    if kind in _TEXT_TAGS:
        value = _get(dataset, _TEXT_TAGS[kind][0])
        return "" if value is None else str(value)
    return None


def _needed(value: Any) -> Any:
    if value is None:
        raise RecordError("a content item has no value")
    return value


def digest(items: Iterable[Item], *, without: Concept) -> str:
    """SHA-256 over what a content tree says, leaving out the item named `without`.

    It is taken over values, not bytes, so that a change of transfer syntax or
    of code meanings on the way through an archive does not touch it; and not
    over UIDs, names and times, which a de-identification replaces consistently.
    """
    hasher = hashlib.sha256()
    for part in _canonical(items, without.key):
        hasher.update(part.encode("utf-8", "surrogatepass"))
    return hasher.hexdigest()


def _canonical(items: Iterable[Item], without: tuple[str, str]) -> Iterator[str]:
    for item in items:
        name = item.name.key if item.name is not None else ("", "")
        if name == without:
            continue
        value = item.value
        if isinstance(value, Concept):
            value = value.key
        elif isinstance(value, Measured):
            value = [repr(value.number), value.unit.key]
        elif isinstance(value, Graphic):
            value = [value.kind, np.asarray(value.data, dtype="<f4").tobytes().hex()]
        elif isinstance(value, ImageReference):
            value = [value.sop_class_uid, value.frame_number]
        elif item.kind in _REPLACEABLE:
            value = None
        yield json.dumps([item.kind, item.relationship, name, value])
        yield "("
        yield from _canonical(item.children, without)
        yield ")"


def _new_dataset() -> Dataset:
    # Saying that it already is in the encoding of the file lets the writer take raw elements as they are.
    dataset = Dataset(parent_encoding=_ENCODINGS)
    dataset.set_original_encoding(False, True, _ENCODINGS)
    return dataset


def to_plain(item: Item) -> list[Any]:
    """The item and all below it as lists, texts and numbers: what JSON holds without loss.

    Coordinates are float32, as GraphicData is.
    """
    value = item.value
    if isinstance(value, Concept):
        value = [value.value, value.scheme]
    elif isinstance(value, Measured):
        value = [value.number, value.unit.value, value.unit.scheme]
    elif isinstance(value, Graphic):
        # float32 by nature; their decimals would cost more than all the rest of a mark
        value = [value.kind, b64encode(np.asarray(value.data, dtype="<f4").tobytes()).decode("ascii")]
    elif isinstance(value, ImageReference):
        value = [value.sop_class_uid, value.sop_instance_uid, value.frame_number]
    name = None if item.name is None else [item.name.value, item.name.scheme]
    return [item.kind, item.relationship, name, value, [to_plain(child) for child in item.children]]


def from_plain(plain: list[Any]) -> Item:
    """The item that `to_plain` was given, without the meanings of its codes."""
    kind, relationship, name, value, children = plain
    if kind == "CODE":
        value = Concept(value[0], value[1], "")
    elif kind == "NUM":
        value = Measured(value[0], Concept(value[1], value[2], ""))
    elif kind == "SCOORD":
        data = np.frombuffer(b64decode(value[1], validate=True), dtype="<f4")
        value = Graphic(value[0], tuple(data.astype(np.float64).tolist()))
    elif kind == "IMAGE":
        value = ImageReference(*value)
    return Item(
        kind,
        relationship,
        None if name is None else Concept(name[0], name[1], ""),
        value,
        tuple(from_plain(child) for child in children),
    )


def _put(dataset: Dataset, tag: int, vr: str, value: Any) -> None:
    # Values are made and checked here: pydicom's own checks cost three times the work.
    dataset.add(DataElement(Tag(tag), vr, value, already_converted=True))


def _put_items(dataset: Dataset, tag: int, items: list[Dataset]) -> None:
    dataset.add(DataElement(Tag(tag), "SQ", Sequence(items)))


def _put_code(dataset: Dataset, tag: int, concept: Concept) -> None:
    data = _encoded_code(concept)
    dataset[tag] = RawDataElement(Tag(tag), "SQ", len(data), data, 0, False, True)


@lru_cache(maxsize=4096)
def _encoded_code(concept: Concept) -> bytes:
    """The one item of a code sequence in Explicit VR Little Endian, as pydicom writes it.

    A report repeats some sixty codes thousands of times; writing each once
    makes a save of 200 targets several times faster.
    """
    dataset = _new_dataset()
    _put(dataset, 0x00080100, "SH", concept.value)
    _put(dataset, 0x00080102, "SH", concept.scheme)
    _put(dataset, 0x00080104, "LO", concept.meaning)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = False, True
    write_sequence_item(buffer, dataset, _ENCODINGS)
    return bytes(buffer.getvalue())


def _code_at(dataset: Dataset, tag: int) -> Concept | None:
    """The code in a sequence, or None where the sequence is not there or empty."""
    element: DataElement | RawDataElement | None = dataset.get_item(tag)
    if element is None:
        return None
    if isinstance(element, RawDataElement) and isinstance(element.value, bytes):
        return _decoded_code(element.value, element.is_implicit_VR, element.is_little_endian)
    items = dataset[tag].value
    return _concept(items[0]) if items else None


@lru_cache(maxsize=4096)
def _decoded_code(data: bytes, is_implicit_vr: bool, is_little_endian: bool) -> Concept | None:
    """A code from the bytes of its sequence; the same few sequences come thousands of times."""
    items = read_sequence(BytesIO(data), is_implicit_vr, is_little_endian, len(data), _ENCODINGS)
    return _concept(items[0]) if items else None


def _concept(dataset: Dataset) -> Concept:
    value = dataset.get("CodeValue") or dataset.get("LongCodeValue") or dataset.get("URNCodeValue") or ""
    return Concept(
        str(value), str(dataset.get("CodingSchemeDesignator", "")), str(dataset.get("CodeMeaning", ""))
    )
