"""Edits of the follow-up visit, for the forms that show it: one edit each, in the draft, undone as any other.

The visit is made by the first thing a person enters, in the same edit.
Nothing here sets an outcome: what is written is what a form was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_veinscan.follow_up_state import Compared
from veinscan.errors import InvalidInputError
from veinscan.follow_up import marking
from veinscan.plan.follow_up import FollowUp, TargetOutcome
from veinscan.plan.ids import new_uid
from veinscan.plan.model import Record
from veinscan.plan.visits import put_follow_up

if TYPE_CHECKING:
    from napari_veinscan.workbench import Workbench

VisitChange = Callable[[FollowUp], FollowUp]


class VisitEdits:
    """Edits of the visit of the comparison, and of what it says of one target."""

    def __init__(self, bench: Workbench, compared: Compared) -> None:
        self._bench = bench
        self._session = bench.session
        self._compared = compared

    def attempt(self, what: str, change: VisitChange) -> bool:
        """Change the visit as one edit; whether it was taken."""
        return self._bench.attempt(lambda: self._edit_visit(what, change))

    def _edit_visit(self, what: str, change: VisitChange) -> None:
        def put(record: Record, visit: FollowUp) -> Record:
            new = change(visit)
            return record if new == visit else put_follow_up(record, new, self._session.reader)

        self._edit(what, put)

    def _edit(self, what: str, change: Callable[[Record, FollowUp], Record]) -> None:
        """Change the record, with the visit in it; a change of nothing makes no visit."""

        def put(record: Record) -> Record:
            with_visit, visit = self._visit_of(record)
            changed = change(with_visit, visit)
            return record if changed == with_visit else changed

        self._session.edit(f"follow-up: {what.replace('_', ' ')}", put)

    def _visit_of(self, record: Record) -> tuple[Record, FollowUp]:
        visit, compared = self._compared.visit_in(record), self._compared
        if visit is not None:
            return record, visit
        if compared.is_on:
            return marking.begin_visit(
                record,
                compared.opened,
                self._session.reader,
                study=self._session.study,
                on=compared.follow_up_on,
                confirmed=compared.match is not None,  # asked when the baseline was chosen
            )
        visit = FollowUp(id=new_uid(), on=compared.follow_up_on)
        return put_follow_up(record, visit, self._session.reader), visit

    # -- one target -------------------------------------------------------------------

    def attempt_target(self, target_id: str, what: str, **values: Any) -> bool:
        """Set fields of what is said of one target; whether it was taken."""
        return self._bench.attempt(lambda: self.set_target(target_id, what, **values))

    def set_target(self, target_id: str, what: str, **values: Any) -> None:
        """Set fields of what is said of one target as one edit.  Raises where it is refused."""
        baseline, reader = self._compared.opened, self._session.reader

        def put(record: Record, visit: FollowUp) -> Record:
            changed = marking.set_outcome(record, visit.id, target_id, baseline, reader, **values)
            was_there = marking.outcome_of(visit, target_id) is not None
            new = marking.outcome_of(marking.find_visit(changed, visit.id), target_id)
            return changed if was_there or _says(new) else record

        self._edit(f"{self._known(target_id)}, {what}", put)

    def not_seen(self, target_id: str) -> None:
        """Say that a person looked for a target and did not see it."""
        baseline, reader = self._compared.opened, self._session.reader
        self._edit(
            f"{self._known(target_id)}, not seen",
            lambda record, visit: marking.mark_not_seen(record, visit.id, target_id, baseline, reader),
        )

    def mark(self, target_id: str) -> None:
        """Put a target where the chosen candidate is, else where the picture was clicked last."""
        session, baseline = self._session, self._compared.opened
        study, clip, row, spot, frame = (
            session.study,
            session.clip,
            session.selected,
            session.spot,
            session.frame_index,
        )
        name = self._known(target_id)
        if study is None or clip is None or (row is None and spot is None):
            raise InvalidInputError(
                f"nothing is chosen for {name}",
                do="click in the lumen of the follow-up, or choose a candidate of it",
            )
        if row is not None and row.is_rejected:
            raise InvalidInputError(
                f"candidate {row.candidate.rank} is rejected", do="press A first if it is a vein after all"
            )

        def put(record: Record, visit: FollowUp) -> Record:
            given = (record, visit.id, target_id, baseline, session.reader)
            if row is not None:
                seen = row.candidate.outlines
                at = frame if frame in seen else row.candidate.best_frame
                return marking.mark_candidate(
                    *given, study=study, clip=clip, candidate=row.candidate, frame_index=at
                )
            if spot is None:
                return record
            return marking.mark_point(*given, study=study, clip=clip, frame_index=frame, point=spot)

        self._edit(f"{name} marked", put)

    def clear(self, target_id: str) -> None:
        """Take back all that this visit says of a target."""
        name = self._known(target_id)
        if self._compared.outcome_of(target_id) is None:
            raise InvalidInputError(f"nothing is said of {name} yet")
        reader = self._session.reader
        self._edit(
            f"{name} cleared",
            lambda record, visit: marking.remove_outcome(record, visit.id, target_id, reader),
        )

    def _known(self, target_id: str) -> str:
        if self._compared.state_of(target_id) is None:
            raise InvalidInputError(
                "no target of the baseline is chosen", do="choose one in the list of the follow-up"
            )
        return self._compared.name_of(target_id)


def _says(outcome: TargetOutcome | None) -> bool:
    """Whether an entry holds more than what it is about."""
    if outcome is None:
        return False
    return replace(outcome, set_by="", baseline=None) != TargetOutcome(target_id=outcome.target_id)


def with_value(value: Any, name: str, new: Any) -> Any:
    """A frozen value with one field changed."""
    return replace(value, **{name: new})
