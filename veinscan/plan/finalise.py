"""A version becomes final, is opened for an amendment, or is withdrawn: a named person's act each time.

Nothing is overwritten: each is saved as a further version of the record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from veinscan.errors import InvalidInputError, RecordError
from veinscan.plan.checks import check_record, data_errors, open_warnings
from veinscan.plan.model import Reader, Record, RecordStatus
from veinscan.plan.normal import now
from veinscan.plan.signing import check_editable
from veinscan.plan.treatment import TreatmentSession
from veinscan.plan.vocabulary import RecordState


class NotFinalError(RecordError):
    """The record cannot be finalised yet; `reasons` holds every one, a sentence each."""

    def __init__(self, what: str, *, where: str = "", do: str = "", reasons: tuple[str, ...] = ()) -> None:
        super().__init__(what, where=where, do=do)
        self.reasons = reasons


def finalise(
    record: Record,
    reader: Reader,
    study: Any = None,
    *,
    today: date | None = None,
    other_sessions: Sequence[TreatmentSession] = (),
) -> Record:
    """The record as final (COMPLETE, VERIFIED by `reader` when it is saved).

    Raises NotFinalError while there are data errors, warnings that nobody has
    acknowledged, or conflicts; InvalidInputError for a reader without a name.
    """
    check_editable(record)
    _named(reader)
    results = check_record(record, study, today=today, other_sessions=other_sessions)
    errors, warnings = data_errors(results), open_warnings(results)
    reasons = (
        *(f"{one.rule}: {one.sentence}" for one in (*errors, *warnings)),
        *(f"conflict: {text}" for text in record.conflicts),
    )
    if reasons:
        raise NotFinalError(
            f"the record cannot be finalised: {len(errors)} data errors, {len(warnings)} warnings "
            f"without acknowledgement, {len(record.conflicts)} conflicts; the first is {reasons[0]}",
            do="correct the data, acknowledge the warnings, settle the conflicts",
            reasons=reasons,
        )
    amended = record.status.state is RecordState.AMENDING
    status = RecordStatus(
        state=RecordState.AMENDED if amended else RecordState.FINAL,
        set_by=reader.name,
        set_at=now(),
        reason=record.status.reason if amended else "",
    )
    return replace(record, status=status)


def amend(record: Record, reader: Reader, reason: str) -> Record:
    """A final or withdrawn record opened for changes, with the reason; it is final again after `finalise`.

    Raises RecordError for a record that is neither, InvalidInputError without a reason.
    """
    if record.status.state not in (RecordState.FINAL, RecordState.AMENDED, RecordState.WITHDRAWN):
        raise RecordError("the record is not final: it can be changed as it is", do="edit and save it")
    return _with(record, RecordState.AMENDING, reader, reason)


def withdraw(record: Record, reader: Reader, reason: str) -> Record:
    """The record as withdrawn (wrong patient, wrong side ...); its content stays readable.

    Raises RecordError for one that is withdrawn already, InvalidInputError without a reason.
    """
    if record.status.state is RecordState.WITHDRAWN:
        raise RecordError("the record is withdrawn already", do="amend it to bring it back")
    return _with(record, RecordState.WITHDRAWN, reader, reason)


def _with(record: Record, state: RecordState, reader: Reader, reason: str) -> Record:
    if record.read_only:
        raise RecordError(f"the record cannot be changed: {record.read_only}", do="update veinscan")
    _named(reader)
    if not reason.strip():
        raise InvalidInputError("the reason is missing", do="say why in a few words")
    return replace(
        record, status=RecordStatus(state=state, set_by=reader.name, set_at=now(), reason=reason.strip())
    )


def _named(reader: Reader) -> None:
    if not reader.name.strip():
        raise InvalidInputError("the reader has no name", do="set it in the settings or with --reader")
