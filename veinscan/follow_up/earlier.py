"""Earlier studies of the same patient that hold a veinscan record, found by their headers alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from veinscan.dicom.guard import DEFAULT_LIMITS, Limits
from veinscan.follow_up.patients import Match


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


@dataclass(frozen=True, slots=True)
class EarlierStudies:
    """What a search found."""

    studies: tuple[EarlierStudy, ...]
    """Certain ones first, then with a record, then the latest."""
    notes: tuple[str, ...]
    """What could not be looked at, or was left out, one sentence each."""


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
        Where to look; default: the folder that the study's own folder or file lies in.
    without_record : bool
        Also list studies that hold no veinscan record yet (they can be marked afterwards).
    progress : callable, optional
        Called with the number of files looked at; may raise CancelledError.
    limits : Limits
        What untrusted folders may cost.
    """
    return EarlierStudies((), ("no search was made",))
