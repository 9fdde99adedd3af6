"""A `Record` as the content tree of a TID 1500 Measurement Report, and back.

Targets and reviewed candidates are measurement groups (TID 1410) under
Imaging Measurements, so that any reader of measurement reports finds each
with its tracking UID, place, site and numbers.  What belongs to the record
as a whole is in a container of our own beside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from veinscan.errors import RecordError
from veinscan.plan.ids import derived_uid
from veinscan.plan.model import Reading, Record, RecordStatus
from veinscan.plan.normal import in_normal_form
from veinscan.record import concepts as c
from veinscan.record.auto import concept_of
from veinscan.record.fields import CONTAINS, HAS_CONTEXT, Context, Items, item_moment, moment_item
from veinscan.record.table import PARTS, READING, REVIEW, SCHEMA, STATUS, TARGET
from veinscan.record.text import original_text, stored_text
from veinscan.record.tree import Concept, Item, Measured, digest

TEMPLATE_OF_GROUPS = "1410"
"""Planar ROI Measurements and Qualitative Evaluations: a mark on an image."""
TEMPLATE_WITHOUT_PLACE = "1501"
"""Measurement and Qualitative Evaluation Group: a target on the leg map alone."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a content tree says."""

    record: Record
    schema: int
    study_instance_uid: str
    saved_at: datetime | None


def encode(
    record: Record, *, study_instance_uid: str, saved_at: datetime, context: Context
) -> tuple[Item, ...]:
    """The items under the root of the document that hold a record.

    Stored is everything but where the record was read from (`heads`) and
    whether it may be written (`read_only`).  `record.version` is stored as it is.
    """
    groups = [
        _group(
            f"Injection target {target.order}",
            TARGET.write(target, context),
            TEMPLATE_OF_GROUPS if target.has_place else TEMPLATE_WITHOUT_PLACE,
        )
        for target in record.targets
    ]
    for review in record.reviews:
        uid = derived_uid("review", record.reading.id, review.sop_instance_uid, review.candidate_id)
        tracking = Item("UIDREF", HAS_CONTEXT, c.TRACKING_UID, uid)
        groups.append(_group("Reviewed candidate", (tracking, *REVIEW.write(review, context))))
    own = (
        Item("NUM", CONTAINS, c.SCHEMA, Measured(SCHEMA, c.ONE)),
        Item("NUM", CONTAINS, c.SAVE_VERSION, Measured(record.version, c.ONE)),
        moment_item(c.SAVED_AT, saved_at),
        Item("UIDREF", CONTAINS, c.STUDY, study_instance_uid),
        *READING.write(record.reading, context),
        *_parts(record, context),
        *(Item("TEXT", CONTAINS, c.CONFLICT, stored_text(text)) for text in record.conflicts),
    )
    return (
        Item("CONTAINER", CONTAINS, c.IMAGING_MEASUREMENTS, "", tuple(groups)),
        Item("CONTAINER", CONTAINS, c.RECORD, "", own),
    )


def _parts(record: Record, context: Context) -> Iterator[Item]:
    if record.status != RecordStatus():
        yield Item("CONTAINER", CONTAINS, concept_of("status"), "", STATUS.write(record.status, context))
    for part in PARTS:
        for member in getattr(record, part.attribute):
            yield Item("CONTAINER", CONTAINS, part.concept, "", part.table.write(member, context))


def sealed(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """All items under the root, with the digest of them put into the record's own container."""
    seal = Item("TEXT", CONTAINS, c.DIGEST, digest(items, without=c.DIGEST))
    return tuple(
        replace(item, children=(*item.children, seal)) if _is(item, c.RECORD) else item for item in items
    )


def decode(items: Iterable[Item]) -> Content:
    """What the items under the root of a document say.

    Raises RecordError where the content is not whole (its digest does not
    agree) or cannot be understood.  A record of a newer schema is read as
    far as this program knows it and marked `read_only`.
    """
    everything = tuple(items)
    root = Items(everything)
    own = root.one(c.RECORD, "CONTAINER")
    measurements = root.one(c.IMAGING_MEASUREMENTS, "CONTAINER")
    if own is None or measurements is None:
        raise RecordError("the content of the record is missing")
    fields = Items(own.children)
    seal = fields.one(c.DIGEST, "TEXT")
    if seal is None or seal.value != digest(everything, without=c.DIGEST):
        raise RecordError("the content is not what was saved: its checksum does not agree")
    schema = _whole(fields, c.SCHEMA)
    version = _whole(fields, c.SAVE_VERSION)
    saved = fields.one(c.SAVED_AT, "DATETIME")
    study = fields.one(c.STUDY, "UIDREF")
    if study is None:
        raise RecordError("the study of the record is missing")
    newer = schema > SCHEMA
    targets, reviews = [], []
    for group in measurements.children:
        finding = Items(group.children).one(c.FINDING, "CODE")
        if finding is None:
            continue
        if finding.value.key == c.INJECTION_TARGET.key:
            targets.append(TARGET.read(group))
        elif finding.value.key == c.REVIEWED_CANDIDATE.key:
            reviews.append(REVIEW.read(group))
        elif not newer:
            raise RecordError(f"a group is of the unknown kind {finding.value.value!r}")
    reading: Reading = READING.read(own)
    status = fields.one(concept_of("status"), "CONTAINER")
    parts: dict[str, Any] = {
        part.attribute: tuple(part.table.read(item) for item in fields.all(part.concept, "CONTAINER"))
        for part in PARTS
    }
    record = Record(
        reading=reading,
        targets=tuple(targets),
        reviews=tuple(reviews),
        version=version,
        conflicts=tuple(original_text(item.value) for item in fields.all(c.CONFLICT, "TEXT")),
        **parts,
        status=RecordStatus() if status is None else STATUS.read(status),
        read_only=(
            f"it was saved by a newer veinscan (schema {schema}, this one knows up to {SCHEMA})"
            if newer
            else ""
        ),
    )
    if not newer:
        in_normal_form(record)
    return Content(record, schema, study.value, None if saved is None else item_moment(saved))


def _group(label: str, children: tuple[Item, ...], template: str = TEMPLATE_OF_GROUPS) -> Item:
    identifier = Item("TEXT", HAS_CONTEXT, c.TRACKING_IDENTIFIER, label)
    return Item(
        "CONTAINER",
        CONTAINS,
        c.MEASUREMENT_GROUP,
        template,
        (identifier, *_context_first(children)),
    )


def _context_first(children: tuple[Item, ...]) -> list[Item]:
    """Tracking UID before the rest, as TID 1410 orders them."""
    return sorted(children, key=lambda item: item.relationship != HAS_CONTEXT)


def _is(item: Item, concept: Concept) -> bool:
    return item.name is not None and item.name.key == concept.key


def _whole(items: Items, name: Concept) -> int:
    item = items.one(name, "NUM")
    if item is None or item.value is None:
        raise RecordError(f"'{name.meaning}' is missing")
    return int(item.value.number)
