"""Earlier studies of the same patient that hold a veinscan record, found by their headers alone.

veinscan's own records are looked for first (`veinscan/*.dcm` beside a study,
inside a zip, in the user's own folder): each names its patient and its study,
so that pictures are read only to find where that study lies.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from veinscan.dicom.guard import DEFAULT_LIMITS, Limits, only_veinscan_errors
from veinscan.dicom.patients import Match, PatientMatch, match_patients
from veinscan.dicom.sources import Bytes, FileBytes, FolderSource
from veinscan.dicom.study import RECORD_FOLDER
from veinscan.errors import UnreadableError
from veinscan.follow_up.headers import (
    Facts,
    HeaderReader,
    all_withdrawn,
    days_between,
    facts_of,
    is_before,
    zip_members,
)
from veinscan.follow_up.where import in_record_folder, is_zip, one_of_each_folder, own_records, to_open

_NEAR = {"folder_depth": 6, "files": 50_000}
"""Bounds on a search in the parent folder, which nobody chose: it may be anything."""


@dataclass(frozen=True, slots=True)
class EarlierStudy:
    """A study that may be a baseline."""

    path: Path
    """What `open_study` takes, together with `study_instance_uid`: a folder, a zip or a file."""
    study_instance_uid: str
    on: date | None
    """Study Date; None where the header has none."""
    days_before: int | None
    """Before the study that is open."""
    match: Match
    """`CERTAIN` or `ASK`: studies of others are not listed."""
    reason: str
    """Why it is certain, or what there is to ask; without patient data."""
    has_record: bool
    """Whether a veinscan record was found for it."""
    archive: str = ""
    """The archive that holds it; it is pulled to `path` before it can be opened.  Empty: it lies there."""


@dataclass(frozen=True, slots=True)
class EarlierStudies:
    """What a search found."""

    studies: tuple[EarlierStudy, ...]
    """Those with a record first, of them the certain ones, of them the latest."""
    notes: tuple[str, ...]
    """What could not be looked at, or was left out, one sentence each."""


def earlier_studies(studies: Iterable[EarlierStudy], told: Mapping[str, int]) -> EarlierStudies:
    """What was found, in the order to offer it; `told`: each note with how often it was met."""
    ordered = sorted(
        studies,
        key=lambda one: (
            not one.has_record,
            one.match is not Match.CERTAIN,
            one.on is None,
            -(one.on or date.min).toordinal(),
            one.study_instance_uid,
        ),
    )
    return EarlierStudies(
        tuple(ordered), tuple(f"{text} ({count})" if count > 1 else text for text, count in told.items())
    )


def find_earlier(
    study: Any,
    folders: Iterable[str | Path] | None = None,
    *,
    without_record: bool = False,
    progress: Callable[[int], None] | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> EarlierStudies:
    """Studies of the same patient before an opened one.

    Parameters
    ----------
    study : Study
        The follow-up.
    folders : iterable of path, optional
        Where to look, files and zips allowed; default: the folder that the
        study's own folder or file lies in.
    without_record : bool
        Also list studies that hold no veinscan record yet (they can be marked
        afterwards); every header is read for it.
    progress : callable, optional
        Called with the number of headers read; may raise CancelledError.
    limits : Limits
        What untrusted folders may cost.

    Nothing is written and no picture is decoded.  A folder that cannot be
    looked at is told in `notes`; damaged and foreign files are passed over.
    """
    if folders is None:
        own = Path(study.root)
        places = [own.parent if Path(study.path).is_dir() else own]
        limits = replace(limits, **{name: min(value, getattr(limits, name)) for name, value in _NEAR.items()})
    else:
        places = [Path(folder).absolute() for folder in folders]
    search = _Search(facts_of(study), HeaderReader(limits, progress), limits)
    for place in dict.fromkeys(places):
        search.look_in(place, without_record=without_record)
    return search.result()


@dataclass(slots=True)
class _Search:
    mine: Facts
    reader: HeaderReader
    limits: Limits
    found: dict[str, EarlierStudy] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    """Studies of which only a copy was found whose record was withdrawn."""
    told: Counter[str] = field(default_factory=Counter)

    def look_in(self, place: Path, *, without_record: bool) -> None:
        """Records first, then where their studies lie."""
        entries = self._entries(place)
        files = [entry for entry in entries if not is_zip(entry)]
        records = [entry for entry in files if in_record_folder(entry)]
        pictures = [entry for entry in files if not in_record_folder(entry)]
        zips = [entry.path for entry in entries if is_zip(entry)]
        wanted = self._wanted(records)
        for uid, copies in wanted.items():
            self._locate(uid, copies, place, pictures, zips)
        for path in zips:
            self._in_zip(path, set(wanted), without_record=without_record)
        if without_record:
            for uid, (folder_of, facts) in self._all_studies(pictures).items():
                self._add(uid, place if place.is_file() else folder_of, facts, has_record=False)

    def result(self) -> EarlierStudies:
        """In the order to offer them."""
        return earlier_studies(self.found.values(), self.told)

    def _entries(self, place: Path) -> list[Bytes]:
        try:
            with only_veinscan_errors("it cannot be looked at", where=place.name):
                if place.is_file():
                    beside = place.parent / RECORD_FOLDER
                    records = FolderSource(beside, self.limits).entries() if beside.is_dir() else ()
                    return [FileBytes(place, place.name, place.stat()), *records]
                if not place.is_dir():
                    self.told["there is no such folder"] += 1
                    return []
                source = FolderSource(place, self.limits)
                entries: list[Bytes] = list(source.entries())
        except UnreadableError:
            self.told["a folder cannot be read"] += 1
            return []
        for skipped in source.skipped:
            if "not looked" in skipped.reason or "cannot be read" in skipped.reason:
                self.told[skipped.reason] += 1
        return entries

    def _wanted(self, records: Iterable[Bytes]) -> dict[str, dict[Path | None, list[Facts]]]:
        """Studies of this patient that have a record: the folders it lies beside, with its versions."""
        wanted: dict[str, dict[Path | None, list[Facts]]] = {}
        for entry in records:
            facts = self.reader.facts(entry)
            if facts is None:
                self.told["a record cannot be read: it may be of this patient"] += 1
            elif facts.is_record and self._may_be(facts):
                copies = wanted.setdefault(facts.study_instance_uid, {})
                copies.setdefault(entry.path.parent.parent, []).append(facts)
        own: dict[str, dict[Path | None, list[Facts]]] = {}
        for entry in own_records(self.limits):
            facts = self.reader.facts(entry)
            if facts is not None and facts.is_record and self._may_be(facts):
                own.setdefault(facts.study_instance_uid, {}).setdefault(None, []).append(facts)
        return own | wanted

    def _locate(
        self,
        uid: str,
        copies: Mapping[Path | None, Sequence[Facts]],
        place: Path,
        pictures: Sequence[Bytes],
        zips: Sequence[Path],
    ) -> None:
        """Add a study from the copies of it, until one is of this patient and its record not withdrawn."""
        is_there = False
        for folder, versions in copies.items():
            found = self._place_of(uid, folder, place, pictures, zips)
            if found is None:
                continue
            is_there = True
            self._add(uid, *found, has_record=True, withdrawn=all_withdrawn(versions))
            if uid in self.found and self.found[uid].has_record and uid not in self.withdrawn:
                return
        if not is_there and None not in copies:
            self.told["a record of this patient lies there without its study"] += 1

    def _place_of(
        self, uid: str, folder: Path | None, place: Path, pictures: Iterable[Bytes], zips: Iterable[Path]
    ) -> tuple[Path, Facts] | None:
        """Find a picture of a study: beside its record, one of each folder, in zips beside it, anywhere."""
        near = [one for one in pictures if folder is None or one.path.is_relative_to(folder)]
        first, rest = one_of_each_folder(near, folder)
        beside = [path for path in zips if folder is None or path.parent == folder]
        for entry in first:
            if (facts := self._picture_of(entry, uid)) is not None:
                return to_open(place, folder, entry.path), facts
        for path in beside:
            for member in zip_members(path, self.limits):
                if (facts := self._picture_of(member, uid)) is not None:
                    return path, facts
        if folder is None:
            # a record in the user's own folder says nothing of where its study is: it may be nowhere near
            return None
        for entry in rest:
            if (facts := self._picture_of(entry, uid)) is not None:
                return to_open(place, folder, entry.path), facts
        return None

    def _picture_of(self, entry: Bytes, uid: str) -> Facts | None:
        facts = self.reader.facts(entry)
        return facts if facts is not None and facts.is_picture and facts.study_instance_uid == uid else None

    def _in_zip(self, path: Path, wanted: set[str], *, without_record: bool) -> None:
        """Studies inside a zip whose record lies in it too; any study with `without_record`."""
        members = list(zip_members(path, self.limits))
        recorded: dict[str, list[Facts]] = {}
        for member in members:
            if member.name.startswith(f"{RECORD_FOLDER}/"):
                facts = self.reader.facts(member)
                if facts is not None and facts.is_record:
                    recorded.setdefault(facts.study_instance_uid, []).append(facts)
        if not recorded and not without_record:
            return
        for member in members:
            facts = self.reader.facts(member)
            if facts is None or not facts.is_picture:
                continue
            uid = facts.study_instance_uid
            if uid in recorded or (without_record and uid not in wanted):
                versions = recorded.get(uid, ())
                gone = bool(versions) and all_withdrawn(versions)
                self._add(uid, path, facts, has_record=bool(versions), withdrawn=gone)

    def _all_studies(self, pictures: Iterable[Bytes]) -> dict[str, tuple[Path, Facts]]:
        found: dict[str, tuple[Path, Facts]] = {}
        for entry in pictures:
            facts = self.reader.facts(entry)
            if facts is None or not facts.is_picture or not facts.study_instance_uid:
                continue
            uid, folder = facts.study_instance_uid, entry.path.parent
            if uid in found:
                folder = Path(os.path.commonpath([found[uid][0], folder]))
                facts = found[uid][1]
            found[uid] = (folder, facts)
        return found

    def _may_be(self, facts: Facts) -> bool:
        return self._match(facts).verdict is not Match.OTHER and is_before(facts, self.mine)

    def _match(self, facts: Facts) -> PatientMatch:
        return match_patients(facts.patient, self.mine.patient)

    def _add(self, uid: str, path: Path, facts: Facts, *, has_record: bool, withdrawn: bool = False) -> None:
        # the picture's own header decides, whatever a record beside it says
        match = self._match(facts)
        if match.verdict is Match.OTHER or not is_before(facts, self.mine):
            return
        known = self.found.get(uid)
        is_better = has_record and uid in self.withdrawn and not withdrawn
        if known is not None and not is_better and (known.has_record or not has_record):
            return
        self.withdrawn.discard(uid)
        if withdrawn:
            self.withdrawn.add(uid)
        days = days_between(facts, self.mine)
        self.found[uid] = EarlierStudy(path, uid, facts.on, days, match.verdict, match.reason, has_record)
