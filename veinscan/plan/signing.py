"""Whether a record may be edited, and the acts by which a version becomes final, is amended or withdrawn."""

from __future__ import annotations

from veinscan.errors import RecordError
from veinscan.plan.model import Record
from veinscan.plan.vocabulary import RecordState


def check_editable(record: Record) -> None:
    """Raise RecordError where the record must not be changed: read-only, final or withdrawn."""
    if record.read_only:
        raise RecordError(f"the record cannot be changed: {record.read_only}", do="update veinscan")
    state = record.status.state
    if state in (RecordState.FINAL, RecordState.AMENDED):
        raise RecordError(
            f"the record is final ({record.status.set_by})", do="amend it with a reason before you change it"
        )
    if state is RecordState.WITHDRAWN:
        raise RecordError(
            f"the record was withdrawn ({record.status.set_by}: {record.status.reason})",
            do="amend it with a reason before you change it",
        )
