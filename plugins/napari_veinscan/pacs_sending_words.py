"""What became of the objects on their way into an archive, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from napari_veinscan.clip_words import counted
from veinscan.pacs.queue_entry import Sending, State

KINDS = {
    "record": "plan",
    "segmentation": "segmentation",
    "report": "page (PDF)",
    "image": "picture",
    "object": "object",
}
"""What the queue calls an object, as a person does."""


@dataclass(frozen=True, slots=True)
class Said:
    """A line on what became of it, and how it looks: 'problem', 'dirty', 'signed' or as any text."""

    words: str
    look: str = ""


def archive_of(sending: Sending) -> str:
    """Which archive it goes to."""
    return sending.archive or sending.dimse


def study_words(entries: Iterable[Sending], study_uid: str, now: datetime | None = None) -> Said:
    """What became of the plan of a study that was sent last; nothing where none was."""
    now = now or datetime.now(UTC)
    mine = [one for one in entries if one.study_instance_uid == study_uid]
    waiting = [one for one in mine if one.pending]
    refused = [one for one in mine if one.state is State.REFUSED]
    if refused:
        first = refused[-1]
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        what = KINDS.get(first.kind, first.kind)
        return Said(f"✕ {what} refused by {archive_of(first)}: {_bare(first)}{more}", "problem")
    if waiting:
        plans = sum(one.kind == "record" for one in waiting)
        count = counted(plans, "version") if plans == len(waiting) else counted(len(waiting), "object")
        where = archive_of(waiting[0])
        return Said(f"● {count} not sent to {where} yet{why_not_yet(waiting[0], now)}", "dirty")
    stored = [one for one in mine if one.state is State.STORED]
    if stored:
        last = max(stored, key=lambda one: one.changed_at)
        note = f"; {last.note or last.reason}" if last.note or last.reason else ""
        at = clock_words(last.changed_at, now)
        return Said(f"✓ sent and read back in {archive_of(last)} at {at}{note}", "signed")
    return Said("")


def others_words(entries: Iterable[Sending], study_uid: str) -> Said:
    """What is not sent of other studies; nothing where all is."""
    others = [one for one in entries if one.study_instance_uid != study_uid and one.state is not State.STORED]
    if not others:
        return Said("")
    refused = sum(one.state is State.REFUSED for one in others)
    bad = f", {refused} of them refused" if refused else ""
    return Said(
        f"{counted(len(others), 'object')} of other studies not sent{bad}", "problem" if refused else "dirty"
    )


def why_not_yet(sending: Sending, now: datetime) -> str:
    """', next try in 2 min: no connection'; the time first, since the reason may be long."""
    why = _bare(sending) or (
        "the archive took it and was not asked yet" if sending.state is State.SENT else ""
    )
    reason = f": {why}" if why else ""
    if sending.next_try is None or sending.next_try <= now:
        return reason
    return f", next try {wait_words((sending.next_try - now).total_seconds())}{reason}"


def state_words(sending: Sending, now: datetime | None = None) -> str:
    """The state of one object, for the list."""
    now = now or datetime.now(UTC)
    if sending.state is State.STORED:
        return f"sent and read back at {clock_words(sending.changed_at, now)}"
    if sending.state is State.REFUSED:
        return f"refused: {_bare(sending)}"
    return f"not sent yet{why_not_yet(sending, now)}"


def _bare(sending: Sending) -> str:
    """The reason without the name of the archive, which stands beside it."""
    return sending.reason.removeprefix(f"archive '{archive_of(sending)}': ")


def wait_words(seconds: float) -> str:
    """'in 20 s', 'in 2 min', 'in 1 h'."""
    if seconds < 10:
        return f"in {max(1, round(seconds))} s"
    if seconds < 90:
        return f"in {round(seconds / 10) * 10} s"
    if seconds < 5400:
        return f"in {round(seconds / 60)} min"
    return f"in {round(seconds / 3600)} h"


def clock_words(at: datetime, now: datetime) -> str:
    """'14:03' today, '2026-11-20 14:03' else, in the time of this computer."""
    here, today = at.astimezone(), now.astimezone().date()
    return f"{here:%H:%M}" if here.date() == today else f"{here:%Y-%m-%d %H:%M}"


NEEDS_LOGIN = ("no password is known", "no token is known", "keyring", "the login was refused")


def needs_login(entries: Iterable[Sending]) -> str:
    """The archive that waits for a password, by name; empty where none does."""
    waiting = (one for one in entries if one.pending and any(words in one.reason for words in NEEDS_LOGIN))
    return next((one.archive for one in waiting if one.archive), "")


def unsent(entries: Iterable[Sending]) -> tuple[Sending, ...]:
    """What is not in its archive: waiting, not read back, or refused."""
    return tuple(one for one in entries if one.state is not State.STORED)
