"""What a path or an archive holds, sorted by what it is, and the one study that is taken from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.uid import UID

from veinscan.dicom.cache import FrameCache
from veinscan.dicom.clip import Clip
from veinscan.dicom.examination import Document, Study
from veinscan.dicom.facts import SECONDARY, ULTRASOUND, ClipFacts, clip_facts, several_patients
from veinscan.dicom.frame_reader import FrameReader
from veinscan.dicom.frame_supply import FileSupply, FrameSupply
from veinscan.dicom.guard import Limits, only_veinscan_errors, plain
from veinscan.dicom.header import Header, quiet, read_header
from veinscan.dicom.model import Skipped
from veinscan.dicom.sources import Bytes, Source, ZipMember
from veinscan.dicom.timing import in_acquisition_order
from veinscan.dicom.values import text, uid
from veinscan.errors import AmbiguousStudyError, NoStudyError, UnreadableError

RECORD_FOLDER = "veinscan"
"""Folder for records, in the study's root."""

_DICOMDIR = "1.2.840.10008.1.3.10"
_ENHANCED_VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
_STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


ClipOf = Callable[[Header], tuple[ClipFacts, FrameSupply]]


@dataclass(slots=True)
class Found:
    """What a path holds, before one study is chosen."""

    clips: list[tuple[ClipFacts, FrameSupply]] = field(default_factory=list)
    records: list[tuple[str, Path]] = field(default_factory=list)
    """(study UID, path) of veinscan's own."""
    packed: list[tuple[str, Bytes]] = field(default_factory=list)
    """(study UID, member) of veinscan's own inside a zip."""
    documents: list[tuple[str, Document]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def look_at(entry: Bytes, found: Found, limits: Limits) -> None:
    """Read the header of a file and sort it in; one that cannot be read is noted as skipped."""
    try:
        with only_veinscan_errors("it cannot be read", where=entry.name), entry.at_hand():
            header = read_header(entry, limits)
            sort_in(header, entry, found, limits)
    except UnreadableError as problem:
        found.skipped.append(Skipped(entry.name, problem.what))
        if _in_record_folder(entry.name) and entry.name.lower().endswith(".dcm"):
            # A record that cannot be read must not pass for 'no record': loading records will say so.
            _add_record(found, "", entry)


def _add_record(found: Found, study: str, entry: Bytes) -> None:
    if isinstance(entry, ZipMember):
        found.packed.append((study, entry))
    else:
        found.records.append((study, entry.path))


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _in_record_folder(name: str) -> bool:
    return name.startswith(f"{RECORD_FOLDER}/")


def sort_in(
    header: Header, entry: Bytes, found: Found, limits: Limits, *, clip_of: ClipOf | None = None
) -> None:
    """Put an object where it belongs by what its header says.

    `clip_of` makes facts and frames of an ultrasound object; default: from its file.  Raises
    UnreadableError where that cannot be shown.
    """
    dataset = header.dataset
    with quiet():
        sop_class = uid(dataset, "SOPClassUID") or uid(dataset.file_meta, "MediaStorageSOPClassUID")
        study = uid(dataset, "StudyInstanceUID")
        modality = text(dataset, "Modality").upper()
        own = _is_own_record(dataset)
    if sop_class in ULTRASOUND or (sop_class in SECONDARY and modality == "US"):
        found.clips.append(_in_file(header, entry, limits) if clip_of is None else clip_of(header))
    elif sop_class.startswith(_STRUCTURED_REPORTS):
        if own:
            _add_record(found, study, entry)
        else:
            found.documents.append((study, Document(entry.name, _class_name(sop_class))))
    elif sop_class == _ENCAPSULATED_PDF:
        found.documents.append((study, Document(entry.name, _class_name(sop_class))))
    else:
        found.skipped.append(Skipped(entry.name, _not_ultrasound(sop_class, header)))


def _in_file(header: Header, entry: Bytes, limits: Limits) -> tuple[ClipFacts, FrameSupply]:
    facts = clip_facts(header, limits)
    return facts, FileSupply(facts, entry, limits)


def _is_own_record(dataset: Any) -> bool:
    """Whether a structured report is one of veinscan's: its maker, or its private coding scheme."""
    if text(dataset, "Manufacturer").lower() == "veinscan":
        return True
    try:
        schemes = list(dataset.get("CodingSchemeIdentificationSequence") or ())
    except Exception:
        return False
    return any(text(item, "CodingSchemeDesignator") == "99VEINSCAN" for item in schemes)


def _class_name(sop_class: str) -> str:
    with quiet():  # a UID that breaks the rules is quoted by pydicom
        known = UID(sop_class).name if sop_class else ""
    return plain(known.removesuffix(" Storage")) if known != sop_class else f"class {sop_class}"


def _not_ultrasound(sop_class: str, header: Header) -> str:
    if sop_class == _DICOMDIR:
        return "a DICOMDIR index, not a picture; the files beside it are read directly"
    if sop_class == _ENHANCED_VOLUME:
        return "an Enhanced US Volume: three-dimensional volumes are not read"
    if not sop_class:
        if header.end >= header.source.size:
            return f"the file is incomplete: it ends at byte {header.source.size}, within its header"
        return "its SOP Class UID is missing: what it is cannot be told"
    return f"not an ultrasound object ({_class_name(sop_class)})"


def chosen_study(found: Found, source: Source, study_uid: str | None, limits: Limits) -> Study:
    """The study of what was found: the only one, or the one that is named.

    Raises NoStudyError and AmbiguousStudyError as `open_study`.
    """
    where = source.path.name
    if not found.clips:
        raise NoStudyError(
            _why_nothing(found), where=where, do="open the folder, file or zip of an ultrasound study"
        )
    wanted = study_uid.strip() if study_uid is not None else None
    studies = sorted({facts.study_instance_uid for facts, _ in found.clips})
    if wanted is None and len(studies) > 1:
        raise AmbiguousStudyError(
            f"{len(studies)} studies lie here",
            where=where,
            do=f"choose one of them: {_listed(studies, found)}",
            study_uids=tuple(studies),
            shown=tuple(_in_words(study, found) for study in studies),
        )
    if wanted is not None and wanted not in studies:
        raise NoStudyError(
            f"there is no study {plain(wanted)} here",
            where=where,
            do=f"the studies are {_listed(studies, found)}",
        )
    chosen = wanted or studies[0]
    if several_patients(facts.patient for facts, _ in found.clips if facts.study_instance_uid == chosen):
        raise AmbiguousStudyError(
            f"the files of study {chosen} name different patients",
            where=where,
            do="separate the patients' files first: they are never mixed",
            study_uids=(chosen,),
        )
    clips, skipped = _clips(found, chosen, limits)
    strangers = [
        Skipped(_shown(path, source.root), f"a veinscan record of another study ({plain(study)})")
        for study, path in found.records
        if study not in (chosen, "")
    ]
    skipped = sorted([*found.skipped, *skipped, *strangers], key=lambda s: s.path)
    return Study(
        source.path,
        source.root,
        chosen,
        in_acquisition_order(clips),
        skipped,
        [path for study, path in found.records if study in (chosen, "")],
        [document for study, document in found.documents if study == chosen],
        [member for study, member in found.packed if study in (chosen, "")],
    )


def _listed(studies: Sequence[str], found: Found, most: int = 10) -> str:
    """Study UIDs, each with its first file: a UID alone tells a person nothing."""
    first: dict[str, str] = {}
    for facts, entry in found.clips:
        first.setdefault(facts.study_instance_uid, entry.name)
    listed = ", ".join(f"{study} ({plain(first[study], 40)})" for study in studies[:most])
    return listed if len(studies) <= most else f"{listed} and {len(studies) - most} more"


def _in_words(study: str, found: Found) -> str:
    """A study in a list to choose from: '2025-05-09  4 clips  IM0001'."""
    clips = [(facts.order.acquired_at, entry.name) for facts, entry in found.clips
             if facts.study_instance_uid == study]  # fmt: skip
    day = min((at[:8] for at, _ in clips if at and not at.startswith("0000")), default="")
    words = f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else "day unknown"
    return f"{words}  {len(clips)} {'clip' if len(clips) == 1 else 'clips'}  {plain(clips[0][1], 60)}"


def _clips(found: Found, chosen: str, limits: Limits) -> tuple[list[Clip], list[Skipped]]:
    cache = FrameCache(limits.cache_bytes)
    clips: dict[str, Clip] = {}
    skipped: list[Skipped] = []
    for facts, entry in found.clips:
        if facts.study_instance_uid != chosen:
            skipped.append(Skipped(entry.name, f"belongs to another study ({facts.study_instance_uid})"))
        elif facts.sop_instance_uid in clips:
            first = clips[facts.sop_instance_uid].file
            skipped.append(Skipped(entry.name, f"a copy of {first} (the same SOP Instance UID)"))
        else:
            clips[facts.sop_instance_uid] = Clip(facts, FrameReader(facts, entry, limits, cache))
            if facts.frames.incomplete:
                skipped.append(Skipped(entry.name, f"{facts.frames.incomplete}; those are shown"))
    return list(clips.values()), skipped


def _why_nothing(found: Found) -> str:
    if not found.skipped:
        return (
            "there is no ultrasound image in it"
            if found.records or found.documents
            else "there is no file in it"
        )
    first = found.skipped[0]
    if len(found.skipped) == 1:
        return f"there is no ultrasound image to open: {first.path}: {first.reason}"
    return f"there is no ultrasound image among {len(found.skipped)} files; {first.path}: {first.reason}"
