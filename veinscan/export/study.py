"""A study made ready to leave: readings without persons; of every clip what is kept and what is marked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from veinscan.deidentify.identity import Identity, Pixels, known_words, patient_pseudonym, short_names
from veinscan.deidentify.key import ProjectKey
from veinscan.deidentify.pixels import Keep, keep_of, whole_of
from veinscan.deidentify.record import deidentify_record
from veinscan.deidentify.writing_search import writing_in
from veinscan.dicom.model import Box, ClipKind
from veinscan.errors import VeinscanError
from veinscan.export.marks import labelled_frames, marks_of
from veinscan.export.model import ExportOptions, Mark, Split
from veinscan.export.names import clip_name, name_of, study_mark
from veinscan.export.people import patient_for
from veinscan.plan.model import Record
from veinscan.plan.vocabulary import RecordState, Searched
from veinscan.record.opening import with_calibrations
from veinscan.record.readings import SavedReading, saved_readings

if TYPE_CHECKING:
    from veinscan.candidates.model import Candidate, ClipCandidates
    from veinscan.dicom import Clip, Study


@dataclass(frozen=True, slots=True)
class ReadingCase:
    """One reading of a study, de-identified."""

    record: Record
    original: SavedReading
    reader: str
    """Pseudonym of who saved it last; several are joined with '+'."""


@dataclass(frozen=True)
class ClipCase:
    """One clip of a study."""

    clip: Clip
    name: str
    sop_instance_uid: str
    """Pseudonym."""
    keep: Keep
    writing: tuple[Box, ...]
    """What looks like text inside what is kept."""
    marks: tuple[Mark, ...]
    frames: tuple[int, ...]
    """Frames that are labelled: those with marks, or those of an empty clip."""
    negative: bool
    """A reader searched it completely and found nothing."""
    searched: str
    found: ClipCandidates | None = None
    problems: tuple[str, ...] = ()
    key: ProjectKey = field(default=ProjectKey(b"\0" * 32), repr=False)

    @property
    def has_pixels(self) -> bool:
        """Whether any of its screen is exported."""
        return bool(self.keep.boxes)

    @cached_property
    def pixels_mark(self) -> str:
        """Tells other pixels from these; '' where they cannot be decoded."""
        digest = hashlib.sha256()
        try:
            for index in range(self.clip.n_frames):
                digest.update(np.ascontiguousarray(self.clip.frame(index)).tobytes())
        except VeinscanError:
            return ""
        return self.key.name("pixels", digest.hexdigest(), 32)


@dataclass(frozen=True, slots=True)
class StudyCase:
    """A study on its way out."""

    study: Study
    name: str
    identity: Identity
    study_instance_uid: str
    """Pseudonym."""
    split: Split
    readings: tuple[ReadingCase, ...]
    chosen: ReadingCase | None
    """The reading that masks are made of; None where nothing was saved."""
    clips: tuple[ClipCase, ...]
    problems: tuple[str, ...] = ()


def pseudonym_of(study: Study, key: ProjectKey) -> str:
    """The pseudonym of a study's patient."""
    from veinscan.dicom.facts import patient_of

    return patient_pseudonym(key, *patient_of(study.header()), study.study_instance_uid)


def identity_of(study: Study, key: ProjectKey, options: ExportOptions) -> Identity:
    """What stands for the patient of a study."""
    headers = [clip.header() for clip in study.clips]
    mark = study_mark(name_of(key, "", study.study_instance_uid))
    patient = patient_for(pseudonym_of(study, key), mark, options.people)
    known, short = known_words(headers), short_names(headers)
    return Identity(key, patient, key.days(patient), options.deidentify, known, short)


def study_case(
    study: Study,
    key: ProjectKey,
    options: ExportOptions,
    *,
    split: Split = Split.TRAIN,
    review: dict[str, Any] | None = None,
) -> StudyCase:
    """Everything of a study that an export needs.

    `review` is what a person said about clips by their pseudonym (`export.review`).

    Raises
    ------
    RecordError
        A record cannot be read: never exported as if there were none.
    """
    identity = identity_of(study, key, options)
    originals = saved_readings(study)
    readings = tuple(
        ReadingCase(
            deidentify_record(one.record, identity),
            one,
            "+".join(identity.reader(name) for name in one.readers),
        )
        for one in originals
        if one.record.status.state is not RecordState.WITHDRAWN
    )
    chosen = chosen_reading(readings, options.reading)
    problems: tuple[VeinscanError, ...] = ()
    if chosen is not None:
        kept = chosen.original.record
        study, problems = with_calibrations(study, kept.calibrations, kept.colour_scales)
    name = name_of(key, identity.patient, study.study_instance_uid)
    clips = tuple(
        _clip_case(clip, clip_name(name, number), identity, chosen, options, review or {})
        for number, clip in enumerate(study.clips, start=1)
    )
    return StudyCase(
        study=study,
        name=name,
        identity=identity,
        study_instance_uid=identity.uid(study.study_instance_uid),
        split=split,
        readings=readings,
        chosen=chosen,
        clips=clips,
        problems=("a calibration of the record does not fit its clip",) if problems else (),
    )


def chosen_reading(readings: Iterable[ReadingCase], wanted: str) -> ReadingCase | None:
    """The reading that masks are made of; of several of a kind the one that was saved last."""
    order = ("adjudication", "research", "plan") if wanted == "best" else (wanted,)
    for purpose in order:
        of_kind = [one for one in readings if one.record.reading.purpose == purpose]
        if of_kind:
            return max(of_kind, key=_saved)
    return None


def _saved(reading: ReadingCase) -> tuple[float, str]:
    moment = reading.original.saved_at
    return (0.0 if moment is None else moment.timestamp()), reading.record.reading.id


def _clip_case(
    clip: Clip,
    name: str,
    identity: Identity,
    chosen: ReadingCase | None,
    options: ExportOptions,
    review: dict[str, Any],
) -> ClipCase:
    uid = identity.uid(clip.sop_instance_uid)
    problems: list[str] = []
    found = None
    is_searched = options.search is not None and clip.kind is not ClipKind.PAGE
    try:
        keep = keep_of(clip) if options.deidentify.pixels is Pixels.CLEANED else whole_of(clip)
        said = review.get(uid)
        if said is not None:
            keep = replace(keep, boxes=said.keep or keep.boxes, black=said.black)
            keep = replace(keep, source="person") if said.keep else keep
        writing = writing_in(clip, keep)
    except VeinscanError:
        keep, writing, is_searched = Keep((), doubts=("its pixels cannot be read",)), (), False
    if is_searched:  # also where no pixels leave: candidates are numbers
        found, problem = _searched(clip, options)
        problems += [problem] if problem else []
    candidates: tuple[Candidate, ...] = () if found is None else found.candidates
    record = None if chosen is None else chosen.record
    marks = () if record is None and not candidates else marks_of(record, uid, clip, candidates, identity)
    searched = "unknown"
    if record is not None:
        searched = next((s.searched.value for s in record.searches if s.sop_instance_uid == uid), "unknown")
    positive = any(mark.category.value in ("target", "candidate_accepted") for mark in marks)
    placed = record is not None and any(target.sop_instance_uid == uid for target in record.targets)
    negative = searched == Searched.COMPLETE.value and not positive and not placed
    frames = labelled_frames(marks)
    if negative:
        spread = np.linspace(0, clip.n_frames - 1, min(options.negative_frames, clip.n_frames))
        frames = tuple(sorted({*frames, *(round(i) for i in spread.tolist())}))
    return ClipCase(
        clip,
        name,
        uid,
        keep,
        writing,
        marks,
        frames,
        negative,
        searched,
        found,
        tuple(problems),
        identity.key,
    )


def _searched(clip: Clip, options: ExportOptions) -> tuple[ClipCandidates | None, str]:
    from veinscan.candidates import find_in_clip

    try:
        return find_in_clip(clip, options.search), ""
    except VeinscanError:
        return None, "candidates could not be searched in it"
