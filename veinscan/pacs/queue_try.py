"""One try of some objects of one study: ask, send what is missing, ask again, read back, compare."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Protocol, Self

from veinscan.errors import CancelledError, InvalidInputError, NotSavedError, PacsError, VeinscanError
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.model import InstanceRow, StoreOutcome, StudyRow
from veinscan.pacs.queue_entry import LONGEST_WAIT_S, Chance, Clock, Sending, State
from veinscan.pacs.queue_facts import facts_of
from veinscan.pacs.queue_folder import QueueFolder
from veinscan.pacs.queue_guard import judge, study_in
from veinscan.pacs.verify import Compared, compare_files, read_back

UNSEEN = 3
"""So often a query may not find what the archive said it took, before it is sent again."""
_LONG_LIST = 400
"""Of a study that lists more objects than this, each is asked for by itself."""
_NO_CONNECTION = {"settings", "name", "tcp", "tls", "login", "association", "echo"}
"""Steps of a PacsError that concern every object of an archive."""

Tell = Callable[[Sending], None]
Held = Mapping[str, InstanceRow]
"""Rows of an archive by SOP Instance UID."""


class _Connect(Protocol):
    def __call__(self, name: str | None, *, dimse: str | None = None) -> Archive: ...


@dataclass
class Tools:
    """What every try needs."""

    folder: QueueFolder
    connect: _Connect
    clock: Clock
    chance: Chance
    stop: Stop


class Attempt:
    """The tries of one pass: archives stay open, and one that cannot be reached is not asked again."""

    def __init__(self, tools: Tools) -> None:
        self.stopped = False
        self._tools = tools
        self._open: dict[tuple[str, str], Archive] = {}
        self._down: dict[tuple[str, str], VeinscanError] = {}
        self._studies: dict[tuple[str, str, str], StudyRow | None] = {}
        self._listed: dict[tuple[str, str, str], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for archive in self._open.values():
            with contextlib.suppress(VeinscanError):
                archive.close()

    def send(self, batch: Sequence[Sending], tell: Tell) -> None:
        """Try objects of one archive and one study, whose locks the caller holds.

        `tell` is called with each as it is afterwards; what a person stopped stays as it was.
        """
        place = (batch[0].archive, batch[0].dimse)
        entries = {one.key: replace(one, tries=one.tries + 1) for one in batch}
        where = (*place, batch[0].study_instance_uid)
        round_ = _Round(self._tools, tell, entries, self._listed.get(where, 0))
        try:
            if self._tools.stop():
                raise CancelledError("stopped")
            if (known := self._down.get(place)) is not None:
                raise known
            archive = self._archive(place)
            round_.run(archive, self._study(archive, where))
            self._listed[where] = round_.listed
        except CancelledError:
            self.stopped = True
        except NotSavedError:
            raise  # the disk does not take what is known of the objects: no affair of the archive
        except VeinscanError as error:
            if not isinstance(error, PacsError) or error.step in _NO_CONNECTION:
                self._down[place] = error
            round_.postpone(error)

    def _archive(self, place: tuple[str, str]) -> Archive:
        if place not in self._open:
            try:
                self._open[place] = self._tools.connect(place[0] or None, dimse=place[1] or None)
            except VeinscanError as error:
                self._down[place] = error
                raise
        return self._open[place]

    def _study(self, archive: Archive, where: tuple[str, str, str]) -> StudyRow | None:
        # one that is not there yet is asked for again: it may have come with the last objects
        if self._studies.get(where) is None:
            self._studies[where] = study_in(archive, where[2], stop=self._tools.stop)
        return self._studies[where]


@dataclass
class _Round:
    """The objects of one try that are not settled yet."""

    tools: Tools
    tell: Tell
    open: dict[str, Sending]
    listed: int = 0
    """How many objects of the study the archive listed last."""
    said: dict[str, StoreOutcome] = field(default_factory=dict)
    """What the archive said of what was sent just now, by SOP Instance UID."""

    def run(self, archive: Archive, study: StudyRow | None) -> None:
        self.guard(study)
        self.check(archive, self.held(archive))
        self.store(archive)
        if self.open:
            self.check(archive, self.held(archive))
        for one in tuple(self.open.values()):
            self.not_found(one)

    def guard(self, study: StudyRow | None) -> None:
        """Refuse what would go to another patient."""
        images = any(one.kind == "image" for one in self.open.values())
        for one in tuple(self.open.values()):
            try:
                facts = facts_of(self.tools.folder.object_of(one))
            except InvalidInputError as error:
                self.end(one, State.REFUSED, str(error))
                continue
            kind = "image" if images else one.kind  # what comes with its images does not lie there alone
            found = judge(
                facts.patient,
                kind,
                study,
                deidentified=facts.deidentified,
                deidentified_study=one.deidentified_study,
            )
            if found.refusal:
                self.end(one, State.REFUSED, found.refusal)
            elif found.note != one.note and not one.note:
                self.open[one.key] = replace(one, note=found.note)

    def held(self, archive: Archive) -> Held:
        """What of the open objects a query finds."""
        if not self.open:
            return {}
        wanted = {one.sop_instance_uid for one in self.open.values()}
        study = next(iter(self.open.values())).study_instance_uid
        stop = self.tools.stop
        if len(wanted) == 1 or self.listed > _LONG_LIST:
            each = (archive.find_instances(study, sop_instance_uid=uid, stop=stop) for uid in wanted)
            rows = [row for found in each for row in found]
        else:
            series = {one.series_instance_uid for one in self.open.values()}
            only = series.pop() if len(series) == 1 else ""
            rows = list(archive.find_instances(study, series_instance_uid=only, stop=stop))
            self.listed = len(rows)
        return {row.sop_instance_uid: row for row in rows if row.sop_instance_uid in wanted}

    def check(self, archive: Archive, held: Held) -> None:
        """Read back what was found, and settle it."""
        by_uid = {one.sop_instance_uid: one for one in self.open.values() if one.sop_instance_uid in held}
        if not by_uid:
            return
        with self.tools.folder.reading_back() as folder:
            rows = [held[uid] for uid in by_uid]
            differ: list[tuple[Sending, InstanceRow]] = []
            for fetched in archive.fetch(rows, folder, stop=self.tools.stop):
                one = by_uid.pop(fetched.instance.sop_instance_uid, None)
                if one is None:
                    continue
                if fetched.error is not None or fetched.path is None:
                    self.later(one, str(fetched.error or "the archive does not give it back"), fetched.error)
                    continue
                sent = self.tools.folder.object_of(one)
                found = compare_files(sent, fetched.path)
                fetched.path.unlink(missing_ok=True)
                if found.same:
                    self.compared(one, found)
                else:
                    differ.append((one, fetched.instance))
            for one, row in differ:
                # bytes may be damaged on their way back: looked at once more before it is said
                sent = self.tools.folder.object_of(one)
                self.compared(one, read_back(archive, row, sent, folder, stop=self.tools.stop))
        for one in by_uid.values():
            self.later(one, "the archive lists it and does not give it back")

    def compared(self, one: Sending, found: Compared) -> None:
        """Stored where what came back says the same, refused where it does not."""
        if found.same:
            self.end(one, State.STORED, found.reason)
        elif one.state is State.SENT:
            self.end(one, State.REFUSED, f"the archive took it and keeps something else: {found.reason}")
        else:
            self.end(
                one,
                State.REFUSED,
                f"the archive holds another object with its UID ({found.reason}); nothing was overwritten",
            )

    def store(self, archive: Archive) -> None:
        """Send what is not there, and keep what the archive says of each.

        Nothing of this is on the disk before the object is settled: whoever goes on after a kill asks first.
        """
        for one in tuple(self.open.values()):
            if one.state is State.SENT and one.unseen + 1 < UNSEEN:
                self.unseen(one)
        if not self.open:
            return
        sent = [replace(one, state=State.WAITING, unseen=0) for one in self.open.values()]
        self.open = {one.key: one for one in sent}
        outcomes = archive.store([self.tools.folder.object_of(one) for one in sent], stop=self.tools.stop)
        self.said = {outcome.sop_instance_uid: outcome for outcome in outcomes}
        for one in sent:
            outcome = self.said.get(one.sop_instance_uid)
            if outcome is not None and outcome.accepted:
                self.open[one.key] = replace(one, state=State.SENT)

    def not_found(self, one: Sending) -> None:
        """What the archive said of it decides, where no query finds it."""
        outcome = self.said.get(one.sop_instance_uid)
        if outcome is None:
            self.later(one, "the archive said nothing about it and does not have it")
        elif outcome.accepted:
            self.later(one, "the archive said that it took it, and a query does not find it")
        elif outcome.temporary:
            self.later(one, _refusal(outcome))
        else:
            self.end(one, State.REFUSED, _refusal(outcome))

    def unseen(self, one: Sending) -> None:
        self.later(
            replace(one, unseen=one.unseen + 1),
            "the archive said that it took it, and a query does not find it",
        )

    def postpone(self, error: VeinscanError) -> None:
        """Everything that is not settled waits."""
        for one in tuple(self.open.values()):
            self.later(one, str(error), error)

    def later(self, one: Sending, reason: str, error: VeinscanError | None = None) -> None:
        self.settle(self.postponed(one, reason, error))

    def postponed(self, one: Sending, reason: str, error: VeinscanError | None = None) -> Sending:
        asked = error.retry_after_s if isinstance(error, PacsError) else None
        if asked is None and isinstance(error, PacsError) and error.step == "login":
            asked = LONGEST_WAIT_S  # many servers lock an account after a few wrong logins
        return one.later(reason, self.tools.clock(), chance=self.tools.chance(), asked_s=asked)

    def end(self, one: Sending, state: State, reason: str) -> None:
        self.settle(one.at_end(state, reason, self.tools.clock()))

    def settle(self, one: Sending) -> None:
        self.tools.folder.write(one)
        if one.state is State.STORED:
            self.tools.folder.remove_object(one)
        self.open.pop(one.key, None)
        self.tell(one)


def _refusal(outcome: StoreOutcome) -> str:
    if outcome.temporary and outcome.code is None:
        return outcome.reason or "it did not reach the archive"
    code = "" if outcome.code is None else f" (code {outcome.code:04X}H)"
    return f"the archive refused it{code}: {outcome.reason or 'without a reason'}"
