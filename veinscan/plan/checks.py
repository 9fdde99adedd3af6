"""The checks R01 to R33 over a record, and the acknowledgement of warnings.

No check changes or proposes anything.  A warning is acknowledged by a person,
with name, time and reason; the acknowledgement holds while the warning says
the same, and is asked for again when the values behind it change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.plan.check_follow_ups import follow_up_checks
from veinscan.plan.check_model import CheckContext, CheckLevel, CheckResult
from veinscan.plan.check_sessions import session_checks
from veinscan.plan.check_targets import target_checks
from veinscan.plan.follow_up import FollowUp
from veinscan.plan.model import Acknowledgement, Reader, Record
from veinscan.plan.normal import now
from veinscan.plan.signing import check_editable
from veinscan.plan.treatment import TreatmentSession

__all__ = ["CheckLevel", "CheckResult", "acknowledge", "check_record", "data_errors", "open_warnings"]

_ORDER = (CheckLevel.ERROR, CheckLevel.WARNING, CheckLevel.INFORMATION)


def check_record(
    record: Record,
    study: Any = None,
    *,
    today: date | None = None,
    other_sessions: Sequence[TreatmentSession] = (),
    other_follow_ups: Sequence[FollowUp] = (),
) -> tuple[CheckResult, ...]:
    """Everything the checks find: data errors first, then warnings, then informations.

    Parameters
    ----------
    record : Record
    study : Study, optional
        With it the places of targets are looked up (R01, R02).
    today : date, optional
        For days in the future (R21) and the reminder of a follow-up (R27); this day by default.
    other_sessions : sequence of TreatmentSession
        Of the same patient in other studies: sums over a day and intervals include them.
    other_follow_ups : sequence of FollowUp
        Of the same patient in other studies: they answer the reminder of a follow-up (R27).
    """
    context = CheckContext(
        record, study, today or now().date(), tuple(other_sessions), tuple(other_follow_ups)
    )
    known = {(a.rule, a.subject, a.sentence): a.acknowledged_by for a in record.acknowledgements}
    found: dict[tuple[str, str, str], CheckResult] = {}
    for check in (target_checks, session_checks, follow_up_checks):
        for result in check(context):
            key = (result.rule, result.subject, result.sentence)
            by = known.get(key, "") if result.level is CheckLevel.WARNING else ""
            found.setdefault(key, replace(result, acknowledged_by=by))
    return tuple(sorted(found.values(), key=lambda one: (_ORDER.index(one.level), one.rule)))


def data_errors(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Those that stop finalising."""
    return tuple(one for one in results if one.level is CheckLevel.ERROR)


def open_warnings(results: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """Warnings that nobody has acknowledged."""
    return tuple(one for one in results if one.level is CheckLevel.WARNING and not one.acknowledged_by)


def acknowledge(record: Record, result: CheckResult, reader: Reader, reason: str = "") -> Record:
    """The record with a warning acknowledged.

    Raises InvalidInputError for what is no warning, and for a reader without a name.
    """
    check_editable(record)
    if result.level is not CheckLevel.WARNING:
        raise InvalidInputError(
            f"{result.rule} is {'a data error' if result.level is CheckLevel.ERROR else 'an information'}",
            do="correct the data" if result.level is CheckLevel.ERROR else "nothing needs to be done",
        )
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
    entry = Acknowledgement(
        rule=result.rule,
        subject=result.subject,
        sentence=result.sentence,
        reason=reason,
        acknowledged_by=reader.name,
        acknowledged_at=now(),
    )
    others = [
        one
        for one in record.acknowledgements
        if (one.rule, one.subject, one.sentence) != (entry.rule, entry.subject, entry.sentence)
    ]
    return replace(record, acknowledgements=(*others, entry))
