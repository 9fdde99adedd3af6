"""`open_study`: a folder, a file or a zip to a `Study`."""

from __future__ import annotations

import operator
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.uid import UID

from veinscan.dicom.cache import FrameCache
from veinscan.dicom.calibration import ManualCalibration, ManualColourScale
from veinscan.dicom.clip import Clip
from veinscan.dicom.facts import SECONDARY, ULTRASOUND, ClipFacts, clip_facts, several_patients
from veinscan.dicom.frame_reader import FrameReader
from veinscan.dicom.guard import DEFAULT_LIMITS, Limits, only_veinscan_errors, plain
from veinscan.dicom.header import Header, quiet, read_header
from veinscan.dicom.model import Skipped
from veinscan.dicom.sources import Bytes, FolderSource, SingleFileSource, Source, ZipMember, ZipSource
from veinscan.dicom.timing import in_acquisition_order
from veinscan.dicom.values import text, uid
from veinscan.errors import AmbiguousStudyError, InvalidInputError, NoStudyError, UnreadableError

RECORD_FOLDER = "veinscan"
"""Folder for records, in the study's root."""

Progress = Callable[[int, int], None]
"""Called with (done, total); may raise CancelledError."""

_DICOMDIR = "1.2.840.10008.1.3.10"
_ENHANCED_VOLUME = "1.2.840.10008.5.1.4.1.1.6.2"
_STRUCTURED_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_ENCAPSULATED_PDF = "1.2.840.10008.5.1.4.1.1.104.1"


@dataclass(frozen=True, slots=True)
class Document:
    """A structured report or similar object found with the study, left alone."""

    path: str
    """Relative to the study, with `/`."""
    sop_class: str
    """Plain name of its class."""


class Study:
    """One examination: its clips in acquisition order, and what else lay there.  Made by `open_study`."""

    def __init__(
        self,
        path: Path,
        root: Path,
        study_instance_uid: str,
        clips: Sequence[Clip],
        skipped: Sequence[Skipped],
        record_paths: Sequence[Path],
        other_documents: Sequence[Document],
        packed_records: Sequence[Bytes] = (),
    ) -> None:
        self.path = path
        self.root = root
        self.study_instance_uid = study_instance_uid
        self.clips = tuple(clips)
        self.skipped = tuple(skipped)
        self.record_paths = tuple(record_paths)
        self.other_documents = tuple(other_documents)
        self.packed_records = tuple(packed_records)
        """veinscan's own records inside a zip, to be read from there."""

    def __repr__(self) -> str:
        return f"<Study of {len(self.clips)} clips, {len(self.skipped)} files skipped>"

    def clip(self, file_or_sop_uid: str) -> Clip:
        """The clip of a file (relative, with `/`) or a SOP Instance UID.

        Raises InvalidInputError where there is none.
        """
        for clip in self.clips:
            if file_or_sop_uid in (clip.file, clip.sop_instance_uid):
                return clip
        known = ", ".join(clip.file for clip in self.clips[:5])
        raise InvalidInputError(
            f"there is no clip '{plain(file_or_sop_uid)}' in the study", do=f"the clips are {known}"
        )

    def with_calibrations(self, calibrations: Iterable[ManualCalibration]) -> Study:
        """The same study with calibrations set by hand put on their clips, as a record keeps them.

        One for a clip that is not in the study is left out.  Raises as `Clip.with_calibration`.
        """
        by_clip: dict[str, list[ManualCalibration]] = {}
        for calibration in calibrations:
            by_clip.setdefault(calibration.sop_instance_uid, []).append(calibration)
        clips = [
            clip.with_calibration(*by_clip[clip.sop_instance_uid])
            if clip.sop_instance_uid in by_clip
            else clip
            for clip in self.clips
        ]
        return self._with_clips(clips)

    def with_colour_scales(self, scales: Iterable[ManualColourScale]) -> Study:
        """The same study with scales of colour bars that readers gave put on their clips.

        One for a clip that is not in the study is left out.  Raises as `Clip.with_colour_scale`.
        """
        by_clip = {scale.sop_instance_uid: scale for scale in scales}
        return self._with_clips(
            [
                clip.with_colour_scale(by_clip[clip.sop_instance_uid])
                if clip.sop_instance_uid in by_clip
                else clip
                for clip in self.clips
            ]
        )

    def _with_clips(self, clips: list[Clip]) -> Study:
        return Study(
            self.path,
            self.root,
            self.study_instance_uid,
            clips,
            self.skipped,
            self.record_paths,
            self.other_documents,
            self.packed_records,
        )

    def header(self) -> pydicom.Dataset:
        """The header of the first clip, for patient and study.  It holds patient data."""
        return self.clips[0].header()


@dataclass(slots=True)
class _Found:
    """What a path holds, before one study is chosen."""

    clips: list[tuple[ClipFacts, Bytes]] = field(default_factory=list)
    records: list[tuple[str, Path]] = field(default_factory=list)
    """(study UID, path) of veinscan's own."""
    packed: list[tuple[str, Bytes]] = field(default_factory=list)
    """(study UID, member) of veinscan's own inside a zip."""
    documents: list[tuple[str, Document]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def open_study(
    path: str | Path,
    *,
    study_uid: str | None = None,
    progress: Progress | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Study:
    """Open an examination.  Only headers are read, and nothing is written.

    Parameters
    ----------
    path : str or Path
        A folder, a DICOM file, a zip, or a DICOMDIR (its folder is opened).
    study_uid : str, optional
        StudyInstanceUID to take where there are several.
    progress : callable, optional
        Called with (files done, files in all); may raise CancelledError.
    limits : Limits
        What untrusted input may cost.

    Raises
    ------
    NoStudyError
        Where nothing there is an ultrasound object that can be read.
    AmbiguousStudyError
        Where several studies, or several patients in one, are there and `study_uid` does not decide.
    """
    place = Path(path).absolute()
    source = _source(place, limits)
    found = _look_through(source, limits, progress)
    return _chosen(found, source, study_uid, limits)


def _source(path: Path, limits: Limits) -> Source:
    where = path.name
    with only_veinscan_errors("it cannot be looked at", where=where, error=NoStudyError):
        if path.is_dir():
            return FolderSource(path, limits)
        if not path.exists():
            raise NoStudyError("there is no such file or folder", where=str(path), do="check the path")
        if path.is_file() and path.name.upper() == "DICOMDIR":
            return FolderSource(path.absolute().parent, limits)
        if path.is_file() and zipfile.is_zipfile(path) and not _has_dicom_mark(path):
            return ZipSource(path.absolute(), limits)
        if path.is_file() and _starts_as_zip(path):
            raise NoStudyError(
                "the zip is incomplete or damaged: its list of contents cannot be read",
                where=where,
                do="fetch or pack it again",
            )
        return SingleFileSource(path.absolute(), limits)


def _starts_as_zip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04" and not _has_dicom_mark(path)


def _has_dicom_mark(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _look_through(source: Source, limits: Limits, progress: Progress | None) -> _Found:
    found = _Found()
    where, done = source.path.name, 0
    with only_veinscan_errors("it cannot be looked through", where=where, error=NoStudyError):
        # a folder is listed first: then there is a total to tell
        entries = iter(list(source.entries()) if isinstance(source, FolderSource) else source.entries())
        total = operator.length_hint(entries)
    while True:
        with only_veinscan_errors("it cannot be looked through", where=where, error=NoStudyError):
            entry = next(entries, None)
        if entry is None:
            break
        _look_at(entry, found, limits)
        done += 1
        if progress is not None:
            progress(done, max(total, source.expected, done))
    found.skipped.extend(source.skipped)
    if not isinstance(source, FolderSource):
        _records_beside(source.root, found, limits)
    return found


def _look_at(entry: Bytes, found: _Found, limits: Limits) -> None:
    try:
        with only_veinscan_errors("it cannot be read", where=entry.name), entry.at_hand():
            header = read_header(entry, limits)
            _sort_in(header, entry, found, limits)
    except UnreadableError as problem:
        found.skipped.append(Skipped(entry.name, problem.what))
        if _in_record_folder(entry.name) and entry.name.lower().endswith(".dcm"):
            # A record that cannot be read must not pass for 'no record': loading records will say so.
            _add_record(found, "", entry)


def _add_record(found: _Found, study: str, entry: Bytes) -> None:
    if isinstance(entry, ZipMember):
        found.packed.append((study, entry))
    else:
        found.records.append((study, entry.path))


def _shown(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _in_record_folder(name: str) -> bool:
    return name.startswith(f"{RECORD_FOLDER}/")


def _sort_in(header: Header, entry: Bytes, found: _Found, limits: Limits) -> None:
    dataset = header.dataset
    with quiet():
        sop_class = uid(dataset, "SOPClassUID") or uid(dataset.file_meta, "MediaStorageSOPClassUID")
        study = uid(dataset, "StudyInstanceUID")
        modality = text(dataset, "Modality").upper()
        own = _is_own_record(dataset)
    if sop_class in ULTRASOUND or (sop_class in SECONDARY and modality == "US"):
        found.clips.append((clip_facts(header, limits), entry))
    elif sop_class.startswith(_STRUCTURED_REPORTS):
        if own:
            _add_record(found, study, entry)
        else:
            found.documents.append((study, Document(entry.name, _class_name(sop_class))))
    elif sop_class == _ENCAPSULATED_PDF:
        found.documents.append((study, Document(entry.name, _class_name(sop_class))))
    else:
        found.skipped.append(Skipped(entry.name, _not_ultrasound(sop_class, header)))


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


def _records_beside(root: Path, found: _Found, limits: Limits) -> None:
    """Own records in the `veinscan` folder beside a single file or a zip."""
    folder = root / RECORD_FOLDER
    if not folder.is_dir():
        return
    beside = _Found()
    source = FolderSource(folder, limits)
    for entry in source.entries():
        try:
            with only_veinscan_errors("it cannot be read", where=entry.name), entry.at_hand():
                _sort_in(read_header(entry, limits), entry, beside, limits)
        except UnreadableError:
            if entry.name.lower().endswith(".dcm"):
                beside.records.append(("", entry.path))
    studies = {facts.study_instance_uid for facts, _ in found.clips}
    known = {path for _, path in found.records}
    found.records.extend(r for r in beside.records if r[0] in studies | {""} and r[1] not in known)


def _chosen(found: _Found, source: Source, study_uid: str | None, limits: Limits) -> Study:
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


def _listed(studies: Sequence[str], found: _Found, most: int = 10) -> str:
    """Study UIDs, each with its first file: a UID alone tells a person nothing."""
    first: dict[str, str] = {}
    for facts, entry in found.clips:
        first.setdefault(facts.study_instance_uid, entry.name)
    listed = ", ".join(f"{study} ({plain(first[study], 40)})" for study in studies[:most])
    return listed if len(studies) <= most else f"{listed} and {len(studies) - most} more"


def _in_words(study: str, found: _Found) -> str:
    """A study in a list to choose from: '2025-05-09  4 clips  IM0001'."""
    clips = [(facts.order.acquired_at, entry.name) for facts, entry in found.clips
             if facts.study_instance_uid == study]  # fmt: skip
    day = min((at[:8] for at, _ in clips if at and not at.startswith("0000")), default="")
    words = f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else "day unknown"
    return f"{words}  {len(clips)} {'clip' if len(clips) == 1 else 'clips'}  {plain(clips[0][1], 60)}"


def _clips(found: _Found, chosen: str, limits: Limits) -> tuple[list[Clip], list[Skipped]]:
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


def _why_nothing(found: _Found) -> str:
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


__all__ = ["open_study", "Study", "Document", "Progress", "RECORD_FOLDER"]
