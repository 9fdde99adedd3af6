"""A record without persons: every field of the model by its kind, and what is of no known kind left empty.

Nothing of this looks at values to guess what they are: a field's name says
whether it is a UID, a person, a free text or a word of the program's own.
A field that is added to the model and not named here loses its text, which
a test tells whoever added it.
"""

from __future__ import annotations

import json
import re
import typing
from dataclasses import asdict, fields, is_dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from veinscan.deidentify.identity import REMOVED, Identity
from veinscan.plan.model import Record

UIDS = frozenset(["id", "feeds", "subject", "sources", "heads"])
"""Fields that hold a UID, or several; so do all whose name ends as one of `UID_ENDS`."""
UID_ENDS = ("_uid", "_uids", "_id", "_ids")

LABELS = frozenset({"candidate_id"})
"""Ids that are no UIDs."""

PERSONS = frozenset(
    [
        "marked_by",
        "reviewed_by",
        "set_by",
        "outlined_by",
        "acknowledged_by",
        "corrected_by",
        "operator",
        "name",
    ]
)

TEXTS = frozenset(
    [
        "notes",
        "feeds_text",
        "sentence",
        "reason",
        "lot",
        "cooling",
        "details",
        "text",
        "deep_veins_action",
        "junction_action",
        "site",
        "action",
        "sites",
        "photos",
        "next_step_text",
        "extent",
    ]
)
"""Free texts of a person (a photograph's name, a lot and a site may be anything)."""

WORDS = frozenset(
    [
        "vein",
        "product",
        "calibrated_by",
        "unit",
        "threshold_profile",
        "end_rule",
        "rule",
        "own",
        "purpose",
        "anatomy",
        "candidate_settings",
    ]
)
"""Texts from a vocabulary of the program; each is checked against it where one is written down."""

_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ ./%-]{0,63}|")

LEFT_OUT = frozenset({"conflicts", "read_only"})
"""Sentences about values, for the people at the study."""


def deidentify_record(record: Record, identity: Identity) -> Record:
    """The same record with pseudonyms for UIDs and persons, moved dates and no free text.

    The order of its members follows the new UIDs where the model orders them by UID.
    """
    from veinscan.plan.normal import normalised

    kept = replace(record, conflicts=(), read_only="")
    return normalised(_mapped(kept, "", identity))


def _mapped(value: Any, name: str, identity: Identity) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for field in fields(value):
            old = getattr(value, field.name)
            new = _mapped(old, field.name, identity)
            if new is not old:
                changes[field.name] = new
        return replace(value, **changes) if changes else value
    if isinstance(value, tuple):
        return tuple(_mapped(member, name, identity) for member in value)
    if isinstance(value, datetime):
        return identity.moment(value)
    if isinstance(value, date):
        return identity.day(value)
    if isinstance(value, StrEnum) or not isinstance(value, str):
        return value
    return _text(value, name, identity)


def _text(value: str, name: str, identity: Identity) -> str:
    if name in LABELS:
        return identity.label(value)
    if name in UIDS or name.endswith(UID_ENDS):
        return identity.uid(value)
    if name in PERSONS:
        return identity.reader(value)
    if name in WORDS:
        word = _word(value, name)
        return "" if identity.names(word) else word
    if name == "sentence" and value:
        return (
            identity.text(value) or REMOVED
        )  # an acknowledgement is of something, if nobody is told of what
    return identity.text(value)


def _word(value: str, name: str) -> str:
    """A word of the program, or nothing where it is none."""
    if name == "vein":
        from veinscan.plan.veins import NAMES

        return value if value in NAMES else "unknown"
    if name == "product":
        from veinscan.plan.products import product_names

        return value if value in product_names() else ""
    if name == "candidate_settings":
        return _settings(value)
    return value if _WORD.fullmatch(value) else ""


def _settings(value: str) -> str:
    """Settings of a search: an object of numbers and short words, as the program writes it."""
    try:
        found = json.loads(value) if value else {}
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    from veinscan.candidates.model import FinderSettings

    known = asdict(FinderSettings())
    kept = {key: entry for key, entry in found.items() if key in known and _plain(entry)}
    return json.dumps(kept) if kept else ""


def _plain(entry: Any) -> bool:
    if isinstance(entry, list):
        return all(isinstance(part, (int, float)) for part in entry)
    return isinstance(entry, (int, float)) or entry in ("joint", "classical")


def unclassified(kind: type[Any]) -> set[str]:
    """Names of fields with text, in a model class and all below it, that no list above names."""
    named = UIDS | LABELS | PERSONS | TEXTS | WORDS | LEFT_OUT
    found: set[str] = set()
    seen: set[type[Any]] = set()

    def walk(one: type[Any]) -> None:
        if one in seen or not is_dataclass(one):
            return
        seen.add(one)
        for name, hint in typing.get_type_hints(one).items():
            for part in _parts(hint):
                if part is str and name not in named and not name.endswith(UID_ENDS):
                    found.add(f"{one.__name__}.{name}")
                elif isinstance(part, type):
                    walk(part)

    walk(kind)
    return found


def _parts(hint: Any) -> list[Any]:
    inner = typing.get_args(hint)
    return [part for one in inner for part in _parts(one)] if inner else [hint]
