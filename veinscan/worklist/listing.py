"""A work list for several readers: studies x readers, blinded, resumable, with the time each took.

A work list is a folder.  `worklist.json` says what is to be read and never
changes; `progress/` holds one file a reader, to which lines are only ever
added, so that readers on a share never write into each other's.  What is
read lies where every record lies: beside the study, as a reading of its own.

A reading is blinded by what it is: versions merge within a reading only, and
`start_reading` opens no other.  Where the protocol asks for it each reader
goes through a study twice: first without candidates, then with them,
beginning from what he or she found alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from veinscan.dicom import Study
from veinscan.errors import InvalidInputError, VeinscanError
from veinscan.plan.ids import derived_uid, new_uid
from veinscan.plan.normal import now
from veinscan.record.readings import saved_readings

FILE = "worklist.json"
PROGRESS = "progress"
MAX_BYTES = 64 * 2**20
_EVENTS = ("begin", "pause", "done")


class _Study(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    path: str
    """Where it lay when the list was made."""
    study_uid: str = Field(max_length=64)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    format: str
    version: int = Field(alias="schema")
    id: str = Field(max_length=64)
    without_candidates_first: bool
    seed: int
    readers: tuple[str, ...] = Field(min_length=1)
    studies: tuple[_Study, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Assignment:
    """One reader's pass over one study."""

    reader: str
    path: Path
    study_uid: str
    reading_id: str
    """UID of the reading that it is saved as."""
    candidates_shown: bool
    first_reading_id: str = ""
    """The same reader's pass without candidates, which this one goes on from; empty where there is none."""
    state: str = "open"
    """'open', 'begun' or 'done'."""
    seconds: float = 0.0
    """Time that the reader spent on it so far, pauses left out."""


class Worklist:
    """A work list in its folder; see `create_worklist` and `open_worklist`."""

    def __init__(self, folder: Path, content: _File) -> None:
        self.folder = folder
        self._content = content

    @property
    def readers(self) -> tuple[str, ...]:
        """Who reads."""
        return self._content.readers

    def assignments(self, reader: str) -> tuple[Assignment, ...]:
        """Everything a reader has to do, in his or her own order, with how far it is.

        Raises InvalidInputError for a reader who is not on the list.
        """
        self._check(reader)
        events = self._events(reader)
        return tuple(
            replace(one, **_progress(events.get(one.reading_id, ()))) for one in self._planned(reader)
        )

    def next(self, reader: str) -> Assignment | None:
        """What a reader does next: what was begun, else the first that is open; None when all is done."""
        todo = [one for one in self.assignments(reader) if one.state != "done"]
        return next((one for one in todo if one.state == "begun"), todo[0] if todo else None)

    def begin(self, assignment: Assignment) -> None:
        """The reader sits down to it: its time runs until `pause` or `done`."""
        self._note(assignment, "begin")

    def pause(self, assignment: Assignment) -> None:
        """The reader stops for now."""
        self._note(assignment, "pause")

    def done(self, assignment: Assignment, study: Study) -> None:
        """The reader is through with it.

        Raises InvalidInputError where the reading was not saved: nothing is done that is not there.
        """
        if not any(one.reading.id == assignment.reading_id for one in saved_readings(study)):
            raise InvalidInputError(
                "the reading was not saved",
                where=assignment.reading_id,
                do="save it (an empty one too, with how far each clip was searched), then say it is done",
            )
        self._note(assignment, "done")

    def _planned(self, reader: str) -> Iterator[Assignment]:
        content = self._content
        order = list(content.studies)
        # each reader in an order of his or her own: what comes last is read tired, and not by all
        random.Random(f"{content.seed}|{content.id}|{reader}").shuffle(order)  # noqa: S311 - no secret
        first = {one.study_uid: self._reading_id(one.study_uid, reader, 1) for one in order}
        if content.without_candidates_first:
            for one in order:
                yield Assignment(reader, self._path(one), one.study_uid, first[one.study_uid], False)
        for one in order:
            before = first[one.study_uid] if content.without_candidates_first else ""
            second = self._reading_id(one.study_uid, reader, 2)
            yield Assignment(reader, self._path(one), one.study_uid, second, True, before)

    def _path(self, study: _Study) -> Path:
        """Where the study is: as it was given, else from the folder of the list."""
        path = Path(study.path)
        return path if path.is_absolute() else self.folder / path

    def _reading_id(self, study_uid: str, reader: str, number: int) -> str:
        return derived_uid("worklist", self._content.id, study_uid, reader, str(number))

    def _check(self, reader: str) -> None:
        if reader not in self._content.readers:
            raise InvalidInputError(
                "this reader is not on the work list",
                do=f"the readers are {', '.join(self._content.readers)}",
            )

    def _log(self, reader: str) -> Path:
        mark = hashlib.sha256(reader.encode("utf-8")).hexdigest()[:16]
        return self.folder / PROGRESS / f"{mark}.jsonl"

    def _note(self, assignment: Assignment, event: str) -> None:
        """Add a line and see it on the disk before anything is said."""
        self._check(assignment.reader)
        line = json.dumps({"reading": assignment.reading_id, "event": event, "at": now().isoformat()})
        path = self._log(assignment.reader)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            before = path.read_bytes() if path.exists() else b""
            start = b"\n" if before and not before.endswith(b"\n") else b""  # after a line that was cut off
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                os.write(handle, start + line.encode("ascii") + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise VeinscanError(
                f"progress cannot be kept: {(error.strerror or str(error)).lower()}",
                where=str(path.parent),
                do="ask for the right to write there",
            ) from error

    def _events(self, reader: str) -> dict[str, list[tuple[str, datetime]]]:
        """What happened, by reading; a line that was cut off by a crash is passed over."""
        found: dict[str, list[tuple[str, datetime]]] = {}
        try:
            lines = self._log(reader).read_text("ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return found
        for line in lines:
            try:
                entry = json.loads(line)
                event, at = str(entry["event"]), datetime.fromisoformat(entry["at"])
                if event in _EVENTS:
                    found.setdefault(str(entry["reading"]), []).append((event, at))
            except (ValueError, KeyError, TypeError):
                continue
        return found


def _progress(events: Sequence[tuple[str, datetime]]) -> dict[str, Any]:
    """State and seconds of an assignment, by what happened to it."""
    seconds, since, state = 0.0, None, "open"
    for event, at in events:
        if event == "begin":
            # begun twice without a pause: the program was killed in between, and that time is not known
            since, state = at, "begun"
        else:
            if since is not None:
                seconds += max(0.0, (at - since).total_seconds())
            since, state = None, "done" if event == "done" else "begun"
    return {"state": state, "seconds": seconds}


def create_worklist(
    folder: Path,
    studies: Iterable[Study],
    readers: Iterable[str],
    *,
    without_candidates_first: bool = False,
    seed: int = 0,
) -> Worklist:
    """Make a work list in a new or empty folder.

    Parameters
    ----------
    folder : Path
    studies
        Opened; where they lie and their UIDs are kept.
    readers
        Names, each once.
    without_candidates_first : bool
        Whether each reader goes through all studies without candidates first.
    seed : int
        Of the order in which each reader meets the studies.

    Raises
    ------
    InvalidInputError
        The folder is not empty; no study or no reader, or one of them twice.
    """
    names = [" ".join(name.split()) for name in readers]
    listed = list(studies)
    if not listed or not all(names) or not names:
        raise InvalidInputError("a work list needs studies and readers", do="give at least one of each")
    if len(set(names)) != len(names) or len({one.study_instance_uid for one in listed}) != len(listed):
        raise InvalidInputError("a reader or a study is given twice", do="give each once")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInputError("the folder is not empty", where=str(folder), do="give a new or empty folder")
    content = {
        "format": "veinscan-worklist",
        "schema": 1,
        "id": new_uid(),
        "without_candidates_first": without_candidates_first,
        "seed": seed,
        "readers": names,
        "studies": [
            {"path": str(study.path.absolute()), "study_uid": study.study_instance_uid} for study in listed
        ],
    }
    from veinscan.record.files import replace_file

    folder.mkdir(parents=True, exist_ok=True)
    replace_file(folder / FILE, (json.dumps(content, indent=1) + "\n").encode("ascii"))
    return open_worklist(folder)


def open_worklist(folder: Path) -> Worklist:
    """A work list from its folder.  Raises InvalidInputError where there is none."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            return Worklist(folder, _File.model_validate_json(file.read(MAX_BYTES)))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(
            f"there is no work list: {reason}", where=str(path), do="make one with 'veinscan worklist create'"
        ) from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise InvalidInputError(f"it is not a work list: {place}: {first['msg']}", where=str(path)) from None
