"""Names of what an export holds: pseudonyms and numbers, never a word of the study's own."""

from __future__ import annotations

from veinscan.deidentify.key import ProjectKey


def name_of(key: ProjectKey, patient: str, study_instance_uid: str) -> str:
    """'P-..._S-...': patient (a pseudonym) and study (its own UID)."""
    return f"{patient}_S-{key.name('study', study_instance_uid, 8)}"


def clip_name(study: str, number: int) -> str:
    """A clip of a study, counted from 1 in the order of acquisition."""
    return f"{study}_c{number:02d}"


def frame_name(clip: str, frame_index: int) -> str:
    """A frame of a clip; frames count from 0."""
    return f"{clip}_f{frame_index:04d}"
