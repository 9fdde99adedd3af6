"""Names of what an export holds: pseudonyms and numbers, never a word of the study's own."""

from __future__ import annotations

from veinscan.deidentify.key import ProjectKey

_STUDY = "_S-"


def name_of(key: ProjectKey, patient: str, study_instance_uid: str) -> str:
    """'P-..._S-...': patient (a pseudonym) and study (its own UID)."""
    return f"{patient}{_STUDY}{key.name('study', study_instance_uid, 8)}"


def study_mark(name: str) -> str:
    """Of the name of a study or clip what is of the study, whoever its patient is: 'S-...'; '' for none."""
    _, _, end = f"_{name}".rpartition(_STUDY)
    return f"S-{end.partition('_')[0]}" if end else ""


def clip_name(study: str, number: int) -> str:
    """A clip of a study, counted from 1 in the order of acquisition."""
    return f"{study}_c{number:02d}"


def frame_name(clip: str, frame_index: int) -> str:
    """A frame of a clip; frames count from 0."""
    return f"{clip}_f{frame_index:04d}"
