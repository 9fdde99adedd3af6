"""`veinscan pacs queue`: what is on its way into an archive; and words for it that `push` shares."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.output import Result, WrongCallError, count, table

if TYPE_CHECKING:
    from veinscan.pacs.queue import RunResult, SendQueue
    from veinscan.pacs.queue_entry import Sending
    from veinscan.pacs.queue_folder import Damaged

KINDS = {"record": "plan", "segmentation": "outlines", "report": "page", "image": "image"}
"""Kind of an object in the queue to the word for it."""

STATES = {"waiting": "waiting", "sent": "sent, not found yet", "stored": "stored", "refused": "REFUSED"}

UidsOption = list[str] | None


def queue(
    retry: Annotated[bool, typer.Option("--retry", help="Try now what is waiting.")] = False,
    again: Annotated[
        UidsOption,
        typer.Option(
            "--again", metavar="UID", help="Send a refused object anew; repeat for more.", show_default=False
        ),
    ] = None,
    forget: Annotated[
        UidsOption,
        typer.Option(
            "--forget", metavar="UID", help="Take a refused object out; repeat for more.", show_default=False
        ),
    ] = None,
    stored: Annotated[bool, typer.Option("--stored", help="List what was stored, too.")] = False,
    as_json: JsonOption = False,
) -> Result:
    """List what is not in its archive yet: how often it was tried, when next, and why it is not there.

    Exit code 1 when, after --retry, something is refused or still unsent.
    """
    start()
    if again and forget and set(again) & set(forget):
        raise WrongCallError("an object is to be sent and taken out", where="--forget", do="choose one")
    from veinscan.pacs.queue import SendQueue

    waiting = SendQueue()
    for uid in again or ():
        waiting.again(uid.strip())
    for uid in forget or ():
        waiting.forget(uid.strip())
    tried = run(waiting, now=True) if retry else None
    damaged = waiting.damaged()
    listed = [one for one in waiting.all() if stored or one.state != "stored"]
    if tried is not None and not stored:
        listed += [one for one in tried.tried if one.state == "stored"]
    data = {
        "folder": waiting.folder,
        "objects": [sending_json(one) for one in listed],
        "damaged": [damaged_json(one) for one in damaged],
    }
    left = any(one.state != "stored" for one in listed)
    return Result(data, "" if as_json else _text(listed, damaged), 1 if retry and (left or damaged) else 0)


def run(waiting: SendQueue, *, now: bool, only: Sequence[str] | None = None) -> RunResult:
    """One pass over the queue, with a bar for who watches; Ctrl+C ends it, and nothing is lost.

    Raises CancelledError after a Ctrl+C.
    """
    from veinscan.cli.interrupt import Interrupt
    from veinscan.cli.progress import Bar
    from veinscan.errors import CancelledError

    with Interrupt() as stop, Bar("Sending") as bar:
        result = waiting.run(
            now=now, stop=stop, only=only, progress=lambda done, total, one: bar.update(done, total)
        )
    if result.stopped:
        left = len(waiting.pending())
        raise CancelledError(
            f"stopped; {count(left, 'object')} unsent",
            do="they stay in the queue: 'veinscan pacs queue --retry'",
        )
    return result


def sending_json(one: Sending) -> dict[str, Any]:
    """An object of the queue as `--json` has it."""
    return {
        "sop_instance_uid": one.sop_instance_uid,
        "study_instance_uid": one.study_instance_uid,
        "kind": one.kind,
        "archive": one.archive or one.dimse,
        "state": one.state,
        "tries": one.tries,
        "next_try": one.next_try,
        "reason": one.reason,
        "note": one.note,
        "bytes": one.size,
    }


def damaged_json(one: Damaged) -> dict[str, Any]:
    """What was set aside."""
    return {"file": one.path, "reason": one.reason}


def sending_lines(listed: Sequence[Sending]) -> list[str]:
    """A line for each object, and one for its reason."""
    rows = [
        (
            KINDS.get(one.kind, "object"),
            STATES[one.state],
            one.archive or one.dimse,
            count(one.tries, "try", "tries"),
            _next(one),
            one.sop_instance_uid,
        )
        for one in listed
    ]
    lines = table(("kind", "state", "archive", "tried", "next", "object"), rows).split("\n")
    together = [lines[0]]
    for line, one in zip(lines[1:], listed, strict=True):
        together.append(line)
        together += [f"    {text}" for text in (one.reason, one.note) if text]
    return together


def _next(one: Sending) -> str:
    if not one.pending:
        return ""
    if one.next_try is None or one.next_try <= datetime.now(UTC):
        return "due"
    return f"{one.next_try.astimezone():%H:%M:%S}"


def _text(listed: Sequence[Sending], damaged: Sequence[Damaged]) -> str:
    lines = sending_lines(listed) if listed else ["Nothing is unsent."]
    lines += [f"DAMAGED, set aside: {one.path}: {one.reason}" for one in damaged]
    if any(one.pending for one in listed):
        lines.append("What waits is tried with every push, or now with 'veinscan pacs queue --retry'.")
    if any(one.state == "refused" for one in listed):
        lines.append("What was refused is not tried by itself: --again UID, or --forget UID.")
    return "\n".join(lines)
