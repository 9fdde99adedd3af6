"""Columns of the tables, worked out from the model: name, type, unit and meaning of every one.

A field of the model becomes a column of its name (a point two, a box four),
and the meaning is the sentence that stands below the field in the source.
Nothing is listed twice, so the data dictionary cannot fall behind.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, cast

from veinscan.export.dictionary import MEANINGS

Kind = typing.Literal["text", "number", "integer", "boolean", "json"]

UNITS = {
    "_cm_s": "cm/s", "_j_cm2": "J/cm2", "_mm": "mm", "_cm": "cm", "_nm": "nm", "_ml": "mL", "_percent": "%",
    "_ms": "ms", "_min": "min", "_deg": "deg", "_days": "d", "_s": "s", "_hz": "Hz", "_khz": "kHz",
}  # fmt: skip
"""By the end of a name; the longest that fits."""

_SUFFIXES = {
    "point": ("_row", "_col"),
    "box": ("_row0", "_col0", "_row1", "_col1"),
    "spacing": ("_row", "_col"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    values: tuple[str, ...] = ()
    """Words that it may hold, where they are listed."""


def unit_of(name: str) -> str:
    """The unit that the end of a name says; '' for none."""
    ends = [end for end in UNITS if name.endswith(end)]
    return UNITS[max(ends, key=len)] if ends else ""


@cache
def _meanings(kind: Hashable) -> dict[str, str]:
    """Field of a class to the sentences that stand below it in the source, on one line."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cast(type[Any], kind))))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    found: dict[str, str] = {}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        told = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        text = str(after.value.value) if told else ""  # type: ignore[union-attr]
        found[node.target.id] = " ".join(text.split())
    return found


@dataclass(frozen=True, slots=True)
class Source:
    """A field of the model as columns, and how its value fills them."""

    columns: tuple[Column, ...]
    fill: Callable[[Any], tuple[Any, ...]]


def columns_of(kind: type[Any], *, prefix: str = "", without: Iterable[str] = ()) -> tuple[Source, ...]:
    """Columns of a class of the model; fields in `without`, and lists of members, are left out."""
    skipped = frozenset(without)
    hints = typing.get_type_hints(kind)
    told = _meanings(cast(Hashable, kind))
    found: list[Source] = []
    for field in fields(kind):
        if field.name in skipped:
            continue
        meaning = told.get(field.name) or MEANINGS.get(field.name, "")
        found += _of_field(field.name, prefix, hints[field.name], meaning)
    return tuple(found)


def _of_field(name: str, prefix: str, hint: Any, meaning: str) -> list[Source]:
    shown, kind = prefix + name, _bare(hint)
    get = _getter(name)
    if is_dataclass(kind) and isinstance(kind, type):
        inner = columns_of(kind, prefix=f"{shown}_")
        return [Source(one.columns, _through(get, one.fill)) for one in inner]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        if is_dataclass(args[0]):
            return []  # members have rows of their own
        listed = Column(shown, "json", meaning, unit_of(name))
        return [Source((listed,), lambda o: (_plain(get(o)),))]
    if origin is tuple:
        ends = _SUFFIXES["box"] if len(args) == 4 else _SUFFIXES["point"]
        what = "integer" if args[0] is int else "number"
        columns = tuple(Column(shown + end, what, meaning, unit_of(name)) for end in ends)  # type: ignore[arg-type]
        blank = (None,) * len(ends)
        return [Source(columns, lambda o: blank if get(o) is None else tuple(get(o)))]
    values = tuple(member.value for member in kind) if _is(kind, StrEnum) else ()
    column = Column(shown, _kind(kind), meaning, unit_of(name), values)
    return [Source((column,), lambda o: (_plain(get(o)),))]


def _getter(name: str) -> Callable[[Any], Any]:
    return lambda value: None if value is None else getattr(value, name)


def _through(
    get: Callable[[Any], Any], fill: Callable[[Any], tuple[Any, ...]]
) -> Callable[[Any], tuple[Any, ...]]:
    return lambda value: fill(get(value))


def _bare(hint: Any) -> Any:
    """A type without its None."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        kinds = [part for part in typing.get_args(hint) if part is not types.NoneType]
        return kinds[0] if len(kinds) == 1 else str
    return hint


def _is(kind: Any, of: type[Any]) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)


def _kind(kind: Any) -> Kind:
    if kind is bool:
        return "boolean"
    if kind is int:
        return "integer"
    if kind is float:
        return "number"
    if _is(kind, (str, date, datetime)) or typing.get_origin(kind) is typing.Literal:  # type: ignore[arg-type]
        return "text"
    return "json"


def _plain(value: Any) -> Any:
    from veinscan.plan.as_json import plain

    found = plain(value)
    return found or None if isinstance(found, (str, list)) else found
