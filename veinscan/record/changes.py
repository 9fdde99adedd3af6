"""Who changed what, when: the saved versions of a study's record as a reader sees them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from veinscan.errors import RecordError
from veinscan.plan.editing import new_record
from veinscan.plan.model import CandidateReview, InjectionTarget, Record
from veinscan.plan.vocabulary import RecordState
from veinscan.record.store import StudyLike, merged, record_paths
from veinscan.record.table import PARTS
from veinscan.record.text import shown_name
from veinscan.record.versions import Version, direct_predecessors, heads, read_versions

_HIDDEN = {
    "id",
    "order",
    "marked_by",
    "marked_at",
    "calibration",
    "candidate_id",
    "candidate_score",
    "outline",
    "own",
    "candidate_settings",
    "set_by",
    "set_at",
}
_NAMES = {"sop_instance_uid": "clip", "frame_index": "frame", "point": "place"}


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One saved version."""

    path: Path
    sop_instance_uid: str
    version: int
    """Number of the save on its chain."""
    saved_at: datetime | None
    reader: str
    reading_id: str
    predecessors: tuple[str, ...]
    is_head: bool
    """Whether no other version replaces it."""
    targets: int
    reviews: int
    changes: tuple[str, ...]
    """Against the version(s) it replaced, one sentence each."""
    problem: str = ""
    """Why the file cannot be read; the rest is then empty."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "file": self.path.name,
            "sop_instance_uid": self.sop_instance_uid,
            "version": self.version,
            "saved_at": None if self.saved_at is None else self.saved_at.isoformat(),
            "reader": self.reader,
            "reading_id": self.reading_id,
            "predecessors": list(self.predecessors),
            "is_head": self.is_head,
            "targets": self.targets,
            "reviews": self.reviews,
            "changes": list(self.changes),
            "problem": self.problem or None,
        }


def history(study: StudyLike) -> tuple[HistoryEntry, ...]:
    """Every saved version of a study, oldest first; last the files that cannot be read, with the reason."""
    versions, damaged = read_versions(record_paths(study), study.study_instance_uid)
    for version in list(versions.values()):
        try:
            _ = version.content
        except RecordError as error:
            damaged[version.path] = error
            del versions[version.sop_instance_uid]
    empty = new_record(study)
    current = {version.sop_instance_uid for version in heads(versions)}
    entries = [
        _entry(version, versions, empty, version.sop_instance_uid in current)
        for version in sorted(versions.values(), key=lambda version: version.when)
    ]
    entries += [
        HistoryEntry(path, path.stem, 0, None, "", "", (), False, 0, 0, (), str(error))
        for path, error in sorted(damaged.items())
    ]
    return tuple(entries)


def changes(before: Record, after: Record) -> list[str]:
    """What a reader did between two versions, in sentences that name targets by their order."""
    return [
        *_status_changes(before, after),
        *_target_changes(before, after),
        *_review_changes(before, after),
        *_part_changes(before, after),
    ]


def _entry(version: Version, versions: Mapping[str, Version], empty: Record, is_head: bool) -> HistoryEntry:
    record = version.content.record
    known = direct_predecessors(version, versions)
    before = merged(known, versions, empty) if known else replace(empty, reading=record.reading)
    return HistoryEntry(
        path=version.path,
        sop_instance_uid=version.sop_instance_uid,
        version=record.version,
        saved_at=version.content.saved_at,
        reader=shown_name(version.observer),
        reading_id=record.reading.id,
        predecessors=version.predecessors,
        is_head=is_head,
        targets=len(record.targets),
        reviews=len(record.reviews),
        changes=tuple(changes(before, record)),
    )


def _target_changes(before: Record, after: Record) -> Iterator[str]:
    old = {target.id: target for target in before.targets}
    new = {target.id: target for target in after.targets}
    for uid, target in new.items():
        if uid not in old:
            yield f"target {target.order} ({target.vein}, {target.side}) added"
        else:
            yield from _field_changes(old[uid], target)
    for uid, target in old.items():
        if uid not in new:
            yield f"target {target.order} ({target.vein}, {target.side}) removed"
    common = [uid for uid in old if uid in new]
    if common != [uid for uid in new if uid in old]:
        yield "order of injection changed"


def _field_changes(old: InjectionTarget, new: InjectionTarget) -> Iterator[str]:
    for field in fields(InjectionTarget):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if field.name not in _HIDDEN and before != after:
            name = _NAMES.get(field.name, field.name)
            yield f"target {new.order}: {name} from {_shown(before)} to {_shown(after)}"


def _review_changes(before: Record, after: Record) -> Iterator[str]:
    old = {(review.sop_instance_uid, review.candidate_id): review for review in before.reviews}
    new = {(review.sop_instance_uid, review.candidate_id): review for review in after.reviews}
    for key, review in new.items():
        before_it = old.get(key)
        if before_it != review:
            yield f"candidate {review.candidate_id}: {_verdict(review)}"
        if review.course and (before_it is None or before_it.course != review.course):
            yield f"candidate {review.candidate_id}: followed on {len(review.course) + 1} frames"
    for key, review in old.items():
        if key not in new:
            yield f"candidate {review.candidate_id}: verdict taken back"


def _status_changes(before: Record, after: Record) -> Iterator[str]:
    status = after.status
    if status != before.status:
        reason = f": {_shown(status.reason)}" if status.reason else ""
        yield f"{_STATES[status.state]}{f' by {status.set_by}' if status.set_by else ''}{reason}"


def _part_changes(before: Record, after: Record) -> Iterator[str]:
    for part in PARTS:
        old = {part.key(one): one for one in getattr(before, part.attribute)}
        new = {part.key(one): one for one in getattr(after, part.attribute)}
        for key, one in new.items():
            if key not in old:
                yield f"{part.label(one)} added"
            elif old[key] != one:
                changed = [f.name for f in fields(one) if getattr(one, f.name) != getattr(old[key], f.name)]
                shown = ", ".join(name for name in changed if name not in _HIDDEN) or "reader"
                yield f"{part.label(one)}: {shown} changed"
        for key, one in old.items():
            if key not in new:
                yield f"{part.label(one)} removed"


_STATES = {
    RecordState.SAVED: "work in progress",
    RecordState.FINAL: "finalised",
    RecordState.AMENDING: "opened for an amendment",
    RecordState.AMENDED: "finalised after an amendment",
    RecordState.WITHDRAWN: "withdrawn",
}


def _verdict(review: CandidateReview) -> str:
    return f"{review.decision}, {review.reason}" if review.reason else str(review.decision)


def _shown(value: Any) -> str:
    if value is None or value in ("", ()):
        return "empty"
    if isinstance(value, tuple) and all(isinstance(number, float) for number in value):
        return "(" + ", ".join(f"{number:.1f}" for number in value) + ")"
    if isinstance(value, tuple):
        return f"{len(value)} value(s)"
    if is_dataclass(value):
        return "set"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
