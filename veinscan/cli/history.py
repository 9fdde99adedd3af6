"""`veinscan history`: who changed what in the plan of a study, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from veinscan.cli.common import JsonOption, StudyArgument, StudyUidOption, open_study, start
from veinscan.cli.output import Result, count

if TYPE_CHECKING:
    from veinscan.record import HistoryEntry


def history(study: StudyArgument, study_uid: StudyUidOption = None, as_json: JsonOption = False) -> Result:
    """List every saved version of the record, oldest first, with what was changed."""
    start()
    opened = open_study(study, study_uid)
    from veinscan.record import history as versions_of

    entries = versions_of(opened)
    data = {
        "study_instance_uid": opened.study_instance_uid,
        "versions": [entry.as_json() for entry in entries],
    }
    return Result(data, "" if as_json else _text(opened.study_instance_uid, entries))


def _text(study_instance_uid: str, entries: tuple[HistoryEntry, ...]) -> str:
    lines = [f"Study {study_instance_uid}", f"{count(len(entries), 'saved version')}"]
    for entry in entries:
        lines.append("")
        if entry.problem:
            lines.append(f"cannot be read: {entry.problem}")
            continue
        when = "" if entry.saved_at is None else f"{entry.saved_at:%Y-%m-%d %H:%M:%S %z}"
        latest = " (latest)" if entry.is_head else ""
        lines.append(f"version {entry.version}, {when}, {entry.reader}{latest}")
        lines += [f"  {change}" for change in entry.changes or ("nothing changed",)]
    return "\n".join(lines)
