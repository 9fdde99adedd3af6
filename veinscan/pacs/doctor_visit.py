"""Steps of a visit to an archive: each right, wrong or not tried; the first that is wrong ends it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from veinscan.errors import VeinscanError
from veinscan.pacs.archive import Archive
from veinscan.pacs.model import InstanceRow, StudyQuery, StudyRow
from veinscan.pacs.words import size_words

WEB_STEPS = ("settings", "name", "tcp", "tls", "login", "qido", "wado", "stow")
DIMSE_STEPS = ("settings", "name", "tcp", "association", "echo", "find", "get", "store")
"""'get' is 'move' where objects come by C-MOVE."""
NOT_TRIED = "not tried"
_SMALL = ("SR", "KO", "PR", "DOC", "SEG")
"""Modalities whose objects are small beside images."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step and how it went."""

    name: str
    """One of `WEB_STEPS` or `DIMSE_STEPS`."""
    ok: bool | None
    """None: not tried, or nothing can be told."""
    what: str
    """What was seen, without patient data."""
    do: str = ""
    """What helps, where it failed."""
    seconds: float = 0.0


Told = Callable[[Step], None]
"""Called with each step as it is done."""


class NotTried(Exception):  # noqa: N818  (carries why a step has no answer; not a fault)
    """Ends a step that is neither right nor wrong."""


class Visit:
    """The steps of one visit, in order."""

    def __init__(self, names: tuple[str, ...], where: str = "", told: Told | None = None) -> None:
        self._names = names
        self._where = where
        self._told = told
        self._done: list[Step] = []
        self._failed = False

    def step(self, name: str, act: Callable[[], str]) -> None:
        """Do a step, unless one before it failed; `act` says what was seen."""
        if self._failed:
            return
        began = time.monotonic()
        ok: bool | None = True
        do = ""
        try:
            what = act()
        except NotTried as reason:
            ok, what = None, str(reason)
        except VeinscanError as error:
            at = "" if error.where in ("", self._where) else f"{error.where}: "
            ok, what, do = False, f"{at}{error.what}", error.do
            self._failed = True
        self._add(Step(name, ok, what, do, time.monotonic() - began))

    def all(self) -> tuple[Step, ...]:
        """Every step; those that were not come to are 'not tried'."""
        done = {step.name for step in self._done}
        for name in self._names:
            if name not in done:
                self._add(Step(name, None, NOT_TRIED))
        return tuple(self._done)

    def _add(self, step: Step) -> None:
        self._done.append(step)
        if self._told is not None:
            self._told(step)


def some_study(archive: Archive) -> StudyRow | None:
    """Any study, one with ultrasound where there is one; None where the archive shows none."""
    for modality in ("US", ""):
        if rows := archive.find_studies(StudyQuery(modality=modality, limit=1)).rows:
            return rows[0]
    return None


def some_object(archive: Archive, study: StudyRow) -> InstanceRow | None:
    """An object of a study that is likely to be small; None where the archive lists none."""
    rows = archive.find_instances(study.study_instance_uid)
    return min(rows, key=lambda row: (row.modality not in _SMALL, row.frames or 1), default=None)


def read_one(archive: Archive, one: InstanceRow | None) -> str:
    """Fetch an object into a folder that is gone afterwards; what was seen."""
    if one is None:
        raise NotTried("the study that was found has no object to read")
    with tempfile.TemporaryDirectory(prefix="veinscan-") as folder:
        for fetched in archive.fetch([one], Path(folder)):
            if fetched.error is not None:
                raise fetched.error
            return f"an object of {size_words(fetched.size)} came whole"
    raise NotTried("the archive sent nothing")
