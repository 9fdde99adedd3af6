"""What of a study goes into an archive, and what does not, each with the reason.

* Of the record: the final versions that no other final one replaces, and withdrawals of them
  (`select_records`); work in progress only with `drafts`.
* Segmentations and printed plans that were made of a version which is sent (`select_derived`).
* Pictures and other software's objects of a folder only with `images`: the archive has them from the scanner.
  A file that is named goes.
* Candidates that nobody reviewed never go, in no form: not in a record, not as a segmentation.

Whether an object belongs to the patient that the archive holds, and whether one whose patient's identity was
removed may go there, is asked when it is sent (`queue_guard`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import is_zipfile

from pydicom.uid import SegmentationStorage

from veinscan.dicom.guard import DEFAULT_LIMITS
from veinscan.dicom.sources import FolderSource
from veinscan.dicom.study import RECORD_FOLDER
from veinscan.errors import InvalidInputError, RecordError
from veinscan.pacs.queue_facts import Facts, facts_of
from veinscan.pacs.select_derived import why_not_report, why_not_segmentation
from veinscan.pacs.select_records import VersionChoice, choose, why_not, withdrawn_since
from veinscan.record.store import user_folder
from veinscan.record.versions import Version, needed, read_versions


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One object to be sent."""

    path: Path
    facts: Facts
    version: Version | None = field(default=None, repr=False)
    """Of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something that is not sent."""

    path: Path
    """The file; the folder where it stands for several."""
    reason: str
    """With what to do."""
    sop_instance_uid: str = ""
    kind: str = "object"
    count: int = 1
    """Objects."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is sent and what is not."""

    objects: tuple[Chosen, ...] = ()
    """What is replaced before what replaces it, records before what was made of them."""
    left_out: tuple[LeftOut, ...] = ()


@dataclass
class _Found:
    """Objects of one study under one folder, or beside named files."""

    study: str
    files: list[tuple[Path, Facts]] = field(default_factory=list)

    @property
    def records(self) -> list[Path]:
        return [path for path, facts in self.files if facts.kind == "record"]


def objects_to_push(
    paths: Iterable[str | Path],
    *,
    drafts: bool = False,
    images: bool = False,
    uids: Collection[str] | None = None,
    held: Collection[str] = (),
) -> Selection:
    """What to send of study folders and files.

    Parameters
    ----------
    paths : iterable of path
        Study folders (everything under them is looked at) and DICOM files.
    drafts : bool
        Work in progress goes too.
    images : bool
        Of a folder also its pictures and other software's objects.
    uids : collection of str, optional
        Keep to these SOP Instance UIDs.
    held : collection of str
        SOP Instance UIDs that the archive is known to hold: with `drafts`, versions that link them to the
        latest go too.

    Raises
    ------
    InvalidInputError
        There is no such file or folder, or it cannot be looked at.
    """
    objects: dict[str, Chosen] = {}
    left_out: list[LeftOut] = []
    for given in paths:
        path = Path(given)
        if path.is_dir():
            found = _of_folder(path, drafts=drafts, images=images, held=held)
        elif path.exists():
            found = _of_file(path, drafts=drafts)
        else:
            raise InvalidInputError("there is no such file or folder", where=str(path), do="check the path")
        for one in found.objects:
            objects.setdefault(one.facts.sop_instance_uid, one)
        left_out += found.left_out
    wanted = objects.values() if uids is None else [one for uid, one in objects.items() if uid in set(uids)]
    if uids is not None:
        left_out = [one for one in left_out if one.sop_instance_uid in set(uids)]
    return Selection(tuple(wanted), tuple(left_out))


def _of_folder(folder: Path, *, drafts: bool, images: bool, held: Collection[str]) -> Selection:
    studies, left_out = _look_through(folder)
    objects: list[Chosen] = []
    with_pictures = {
        study for study, found in studies.items() if any(facts.kind == "image" for _, facts in found.files)
    }
    for study, found in studies.items():
        if with_pictures and study not in with_pictures:
            left_out += [
                _left(path, facts, "it belongs to another study than the pictures of the folder")
                for path, facts in found.files
            ]
            continue
        one = _of_study(found, folder, drafts=drafts, images=images, held=held)
        objects += one.objects
        left_out += one.left_out
    return Selection(tuple(objects), tuple(left_out))


def _of_study(found: _Found, folder: Path, *, drafts: bool, images: bool, held: Collection[str]) -> Selection:
    versions, left_out = _versions(found)
    choice = choose(versions, drafts=drafts, held=held)
    facts = dict(found.files)
    objects = [
        Chosen(path=one.path, facts=facts.get(one.path) or facts_of(one.path), version=one)
        for one in choice.chosen
    ]
    left_out += [
        LeftOut(path=one.path, reason=reason, sop_instance_uid=one.sop_instance_uid, kind="record")
        for one, reason in choice.left_out
    ]
    rest: list[tuple[Path, Facts]] = []
    outlines: set[tuple[str, ...]] = set()
    for path, one in sorted(found.files, key=lambda entry: entry[0].name):
        if one.kind == "record":
            continue
        if one.kind in ("segmentation", "report"):
            reason = _why_not_derived(path, one, choice)
            if not reason and one.kind == "segmentation" and not _new(path, outlines):
                reason = "another one that says the same is sent"
            if reason:
                left_out.append(_left(path, one, reason))
            else:
                objects.append(Chosen(path=path, facts=one))
        else:
            rest.append((path, one))
    if images:
        for path, one in rest:
            if reason := _why_not_derived(path, one, choice):
                left_out.append(_left(path, one, reason))
            else:
                objects.append(Chosen(path=path, facts=one))
    elif rest:
        kinds = Counter("image" if one.kind == "image" else "object" for _, one in rest)
        shown = " and ".join(f"{count} {kind}{'s' * (count != 1)}" for kind, count in sorted(kinds.items()))
        left_out.append(
            LeftOut(
                path=folder,
                reason=f"{shown} of the study: the archive has them from the scanner; "
                "ask for images (--images) to send them",
                kind="image",
                count=len(rest),
            )
        )
    return Selection(tuple(objects), tuple(left_out))


def _of_file(path: Path, *, drafts: bool) -> Selection:
    """A file that a person named: it need not be the latest, everything else holds."""
    try:
        facts = facts_of(path)
    except InvalidInputError as error:
        reason = "a zip cannot be sent: unpack it and name the folder" if is_zipfile(path) else error.what
        return Selection(left_out=(LeftOut(path=path, reason=reason),))
    beside = _beside(path, facts.study_instance_uid)
    versions, _ = _versions(beside)
    if facts.kind == "record":
        return _of_record(path, facts, versions, drafts=drafts)
    choice = choose(versions, drafts=drafts)
    if reason := _why_not_derived(path, facts, choice):
        return Selection(left_out=(_left(path, facts, reason),))
    return Selection((Chosen(path=path, facts=facts),))


def _of_record(path: Path, facts: Facts, versions: dict[str, Version], *, drafts: bool) -> Selection:
    named, damaged = read_versions([path], facts.study_instance_uid)
    if not named:
        reason = next(iter(damaged.values())).what if damaged else "it is no record of veinscan"
        return Selection(left_out=(_left(path, facts, reason),))
    (version,) = named.values()
    reason = why_not(version, versions, drafts=drafts)
    if not reason and withdrawn_since(version, versions):
        reason = "a later version withdrew it; send that one"
    if reason:
        return Selection(left_out=(_left(path, facts, reason),))
    return Selection((Chosen(path=path, facts=facts, version=version),))


def _why_not_derived(path: Path, facts: Facts, choice: VersionChoice) -> str:
    if facts.sop_class_uid == SegmentationStorage:
        return why_not_segmentation(path, choice.records)
    if facts.kind == "report":
        return why_not_report(facts.after, {one.sop_instance_uid for one in choice.chosen})
    return ""


def _new(path: Path, outlines: set[tuple[str, ...]]) -> bool:
    """Whether a segmentation is the first of its clip's: made twice of one version, both say the same."""
    import pydicom

    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    key = tuple(str(one.TrackingUID) for one in dataset.SegmentSequence)
    if key in outlines:
        return False
    outlines.add(key)
    return True


def _versions(found: _Found) -> tuple[dict[str, Version], list[LeftOut]]:
    """Of the files found and of the user's own folder of the study."""
    files = [*found.records, *_own_folder(found.study)]
    versions, damaged = read_versions(dict.fromkeys(files), found.study)
    left_out = [LeftOut(path=path, reason=str(error.what), kind="record") for path, error in damaged.items()]
    if (error := needed(damaged, versions)) is not None:
        left_out.append(
            LeftOut(
                path=Path(error.where),
                reason="it may be the latest version of the plan and cannot be read: what is sent may be an "
                "earlier one",
                kind="record",
            )
        )
    return versions, left_out


def _own_folder(study: str) -> list[Path]:
    folder = user_folder(study)
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".dcm")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RecordError(
            f"the folder of records cannot be read ({(error.strerror or 'unknown').lower()})",
            where=str(folder),
        ) from error


def _look_through(folder: Path) -> tuple[dict[str, _Found], list[LeftOut]]:
    studies: dict[str, _Found] = {}
    left_out: list[LeftOut] = []
    for entry in FolderSource(folder, DEFAULT_LIMITS).entries():
        try:
            facts = facts_of(entry.path)
        except InvalidInputError as error:
            if entry.path.suffix.lower() == ".dcm":
                left_out.append(LeftOut(path=entry.path, reason=error.what))
            continue
        studies.setdefault(facts.study_instance_uid, _Found(facts.study_instance_uid)).files.append(
            (entry.path, facts)
        )
    return studies, left_out


def _beside(path: Path, study: str) -> _Found:
    """The versions of the record that lie where those of a study with such a file would lie."""
    found = _Found(study)
    folder = path.absolute().parent
    for place in (folder, folder / RECORD_FOLDER, folder.parent / RECORD_FOLDER):
        try:
            files: Sequence[Path] = sorted(one for one in place.iterdir() if one.suffix == ".dcm")
        except OSError:
            continue
        for one in files:
            try:
                facts = facts_of(one)
            except InvalidInputError:
                continue
            if facts.kind == "record" and facts.study_instance_uid == study:
                found.files.append((one, facts))
    return found


def _left(path: Path, facts: Facts, reason: str) -> LeftOut:
    return LeftOut(path=path, reason=reason, sop_instance_uid=facts.sop_instance_uid, kind=facts.kind)
