"""One object on its way into an archive: what is known of it, and how that is kept in a small file."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from veinscan.errors import RecordError
from veinscan.plan.normal import is_uid

SCHEMA = 1
FIRST_WAIT_S = 10.0
"""Until the second try."""
LONGEST_WAIT_S = 30 * 60.0
LONGEST_ASKED_WAIT_S = 3600.0
"""No archive's Retry-After is taken for longer than this."""


class State(StrEnum):
    """How far an object is."""

    WAITING = "waiting"
    """To be sent, or sent again."""
    SENT = "sent"
    """The archive said yes; that it holds the object is not shown yet."""
    STORED = "stored"
    """A query found it and its bytes, read back, say the same."""
    REFUSED = "refused"
    """For good, with the reason; nothing more happens until a person asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """An object in the queue, or the receipt of one that is stored.  Holds no patient data."""

    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str = ""
    sop_class_uid: str = ""
    archive: str
    """Name in the settings; empty for one that is given by `dimse` alone."""
    dimse: str = ""
    kind: str = "object"
    """'record', 'segmentation', 'report', 'image' or 'object'."""
    state: State = State.WAITING
    tries: int = 0
    """How often it was tried since it was put in, or put in again."""
    next_try: datetime | None = None
    """Not before; None: at once, or never again."""
    reason: str = ""
    """Why it is not stored yet, or was refused; for a stored one what the archive changed without harm."""
    note: str = ""
    """What a person should know besides, as 'the archive does not know the study'."""
    size: int = 0
    """Bytes."""
    sha256: str = ""
    after: tuple[str, ...] = ()
    """SOP Instance UIDs that it replaces or refers to: sent before it where they are in the queue as well."""
    unseen: int = 0
    """How often a query did not find it after the archive had said yes."""
    deidentified_study: bool = False
    """A person said that an object without the patient's identity may make a study of its own there."""
    added_at: datetime
    changed_at: datetime

    @property
    def pending(self) -> bool:
        """Whether it is still to be sent or to be shown to be there."""
        return self.state in (State.WAITING, State.SENT)

    @property
    def key(self) -> str:
        """Name of its files: the UID and what tells archives apart."""
        return key_of(self.archive, self.dimse, self.sop_instance_uid)

    def due(self, at: datetime) -> bool:
        """Whether its next try may come at a moment.  A clock that was set back does not make it wait."""
        if not self.pending or self.next_try is None:
            return self.pending
        return self.next_try <= at or (self.next_try - at).total_seconds() > LONGEST_ASKED_WAIT_S

    def later(self, reason: str, at: datetime, *, chance: float, asked_s: float | None = None) -> Sending:
        """To be tried again: after a wait that doubles with each try, or as long as the archive asked for.

        `chance` in 0..1 spreads the waits, so that many programs do not come back at one moment.
        """
        wait = min(FIRST_WAIT_S * 2.0 ** min(max(self.tries - 1, 0), 20), LONGEST_WAIT_S)
        wait = max(FIRST_WAIT_S, wait * (0.75 + 0.25 * chance))
        if asked_s is not None:
            wait = min(max(wait, asked_s), LONGEST_ASKED_WAIT_S)
        following = datetime.fromtimestamp(at.timestamp() + wait, UTC)
        return replace(self, reason=reason, next_try=following, changed_at=at)

    def at_end(self, state: State, reason: str, at: datetime) -> Sending:
        """Stored, or refused for good."""
        return replace(self, state=state, reason=reason, next_try=None, changed_at=at)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        plain = asdict(self)
        for name, value in plain.items():
            if isinstance(value, datetime):
                plain[name] = value.isoformat()
        return plain | {"state": str(self.state), "after": list(self.after)}


Clock = Callable[[], datetime]
Chance = Callable[[], float]
"""A number in 0..1."""


def clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


chance: Chance = random.random


def key_of(archive: str, dimse: str, sop_instance_uid: str) -> str:
    """Name of the files of an object: nothing of a setting's spelling gets into a file name."""
    return f"{sop_instance_uid}.{hashlib.sha256(f'{archive}|{dimse}'.encode()).hexdigest()[:8]}"


def to_bytes(sending: Sending) -> bytes:
    """The small file of an entry; it tells itself whether it is whole."""
    plain = sending.as_json()
    return json.dumps({"schema": SCHEMA, "entry": plain, "sha256": _digest(plain)}, indent=1).encode("ascii")


def from_bytes(data: bytes) -> Sending:
    """What `to_bytes` wrote; RecordError for anything else."""
    try:
        whole = json.loads(data)
        plain = whole["entry"]
        if whole["schema"] != SCHEMA:
            raise RecordError("it was written by another version of veinscan")
        if whole["sha256"] != _digest(plain):
            raise RecordError("its checksum does not agree")
        known = {field.name for field in fields(Sending)}
        values = {name: value for name, value in plain.items() if name in known}
        for name in ("next_try", "added_at", "changed_at"):
            values[name] = None if values[name] is None else datetime.fromisoformat(values[name])
        values["state"] = State(values["state"])
        values["after"] = tuple(values["after"])
        found = Sending(**values)
        if not is_uid(found.sop_instance_uid):
            raise RecordError("it holds no UID")
    except (ValueError, TypeError, KeyError) as error:
        raise RecordError(f"it cannot be read ({type(error).__name__})") from None
    return found


def _digest(plain: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode("ascii")).hexdigest()
