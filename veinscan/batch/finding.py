"""Studies found in folders: which there are, by a look at few of their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from veinscan.deidentify.identity import patient_pseudonym
from veinscan.deidentify.key import ProjectKey
from veinscan.dicom.facts import patient_of
from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.header import Header, quiet, read_header
from veinscan.dicom.patients import patient_in
from veinscan.dicom.sources import SingleFileSource
from veinscan.dicom.study import RECORD_FOLDER, open_study
from veinscan.dicom.values import uid
from veinscan.errors import AmbiguousStudyError, InvalidInputError, VeinscanError
from veinscan.export.model import Item
from veinscan.export.names import name_of
from veinscan.export.run import item_of

MOST_PEEKS = 8
"""Files of a folder that are looked at for one that tells its study."""


@dataclass(slots=True)
class Found:
    """Studies under some folders."""

    items: list[Item] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of what looked like a study and is none."""


def find_studies(places: Iterable[Path], key: ProjectKey) -> Found:
    """Every study under some folders; zips and single files count as one each.

    A folder is one study as long as all files below it are of one; only the
    first and last file of a folder are looked at, so that 10,000 studies are
    found in minutes.
    """
    found = Found()
    seen: set[tuple[str, str]] = set()
    for place in places:
        if not place.exists():
            raise InvalidInputError("there is no such file or folder", where=str(place), do="check the path")
        for path in _units(place):
            for item in _items(path, key, found):
                if (item.study_uid, item.patient) not in seen:
                    seen.add((item.study_uid, item.patient))
                    found.items.append(item)
                else:
                    found.failed.append((item.path, "a second copy of a study that is already in the list"))
    return found


def _units(place: Path) -> Iterator[Path]:
    """Folders and zips that hold one study each, as far as a look at few files tells."""
    if not place.is_dir():
        yield place
        return
    folders, files = _listed(place)
    zips = [path for path in files if path.suffix.lower() == ".zip"]
    others = len(files) > len(zips)
    if not folders and not zips:
        if others:
            yield place
        return
    studies = {_study_in(folder) for folder in folders}
    own = _study_in(place) if others else ""
    if not zips and len((studies | {own}) - {""}) <= 1 and (own or studies - {""}):
        yield place
        return
    yield from zips
    if own:
        yield place  # files of its own beside other studies: opening it tells which
    else:
        for folder in folders:
            yield from _units(folder)


def _listed(place: Path) -> tuple[list[Path], list[Path]]:
    folders, files = [], []
    with os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda one: one.name):
            if entry.name.startswith(".") or entry.is_symlink() or entry.name == RECORD_FOLDER:
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif entry.is_file():
                files.append(Path(entry.path))
    return folders, files


def _study_in(folder: Path) -> str:
    """The UID of the one study below a folder; '' for none, '*' for several."""
    folders, files = _listed(folder)
    found = {_study_in(one) for one in folders}
    for few in (files[:MOST_PEEKS], files[: -MOST_PEEKS - 1 : -1]):
        header = next((header for header in map(_peek, few) if header is not None), None)
        if header is not None:
            found.add(uid(header.dataset, "StudyInstanceUID"))
    found.discard("")
    return "" if not found else found.pop() if len(found) == 1 else "*"


def _peek(path: Path) -> Header | None:
    """The header of a file that is of a study; None for another."""
    try:
        for entry in SingleFileSource(path, DEFAULT_LIMITS).entries():
            with entry.at_hand(), quiet():
                header = read_header(entry, DEFAULT_LIMITS)
                if uid(header.dataset, "StudyInstanceUID") and header.pixels is not None:
                    return header
    except (VeinscanError, OSError):
        return None
    return None


def _items(path: Path, key: ProjectKey, found: Found) -> Iterator[Item]:
    try:
        quick = _quick_item(path, key)
        if quick is not None:
            yield quick
            return
        yield item_of(open_study(path), key)
    except AmbiguousStudyError as error:
        for study_uid in error.study_uids:
            try:
                yield item_of(open_study(path, study_uid=study_uid), key)
            except VeinscanError as inner:
                found.failed.append((str(path), inner.what))
    except VeinscanError as error:
        found.failed.append((str(path), error.what))


def _quick_item(path: Path, key: ProjectKey) -> Item | None:
    """The study of a folder by one of its files, where all that are looked at agree."""
    if not path.is_dir():
        return None
    study = _study_in(path)
    if study in ("", "*"):
        return None
    place: Path | None = path
    while place is not None:
        folders, files = _listed(place)
        header = next((header for header in map(_peek, files[:MOST_PEEKS]) if header is not None), None)
        if header is not None:
            with quiet():
                patient = patient_pseudonym(key, *patient_of(header.dataset), study)
                person = patient_in(header.dataset)
            return Item(str(path.absolute()), study, patient, name_of(key, patient, study), person)
        place = next((folder for folder in folders if _study_in(folder)), None)
    return None
