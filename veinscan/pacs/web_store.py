"""STOW-RS: files to the archive, byte for byte, and what it says of each (PS3.18 10.5).

Small files go several in a request, large ones alone, and several requests at
once.  Where an answer leaves open what became of an object, that one is sent
again by itself: storing the same bytes twice is storing them once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from veinscan.dicom.guard import MIB
from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.answers import concerns_archive, unusable, web_page
from veinscan.pacs.archive import Stop
from veinscan.pacs.model import StoreOutcome
from veinscan.pacs.part10 import is_part10, looks_like_web_page, read_head, sop_instance_uid
from veinscan.pacs.parts import FilesBody
from veinscan.pacs.transport import GuardedSession
from veinscan.pacs.web_stow_answer import StowAnswer, read_answer
from veinscan.settings_pacs import PacsConfig

MAX_ANSWER_BYTES = 4 * MIB
_MOST_TOGETHER = 16
_SMALL_BYTES = MIB
"""Files up to this size go together; what breaks off is then little."""


class Storer:
    """Sends objects to one archive."""

    def __init__(self, session: GuardedSession, config: PacsConfig, connections: int) -> None:
        self._session = session
        self._config = config
        self._connections = connections
        root = f"{config.url}/{config.stow_prefix}" if config.stow_prefix else config.url
        self._url = f"{root}/studies"

    def store(self, files: Sequence[Path], *, stop: Stop | None) -> tuple[StoreOutcome, ...]:
        """See `Archive.store`."""
        broken: list[PacsError] = []

        def work(files: Sequence[Path]) -> list[StoreOutcome]:
            if stop is not None and stop():
                raise CancelledError("stopped", where=self._config.where)
            outcomes: list[StoreOutcome] = []
            try:
                for outcome in self._together(files, stop) if not broken else ():
                    outcomes.append(outcome)  # noqa: PERF402 - those before an error count
            except PacsError as error:
                broken.append(error)
            return outcomes + [_not_sent(path, broken[0]) for path in files[len(outcomes) :]]

        groups = _groups(files, self._connections)
        with ThreadPoolExecutor(max(1, min(self._connections, len(groups))), "stow") as pool:
            waiting = [pool.submit(work, group) for group in groups]
            try:
                outcomes = tuple(outcome for future in waiting for outcome in future.result())
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise
        if broken and not any(outcome.accepted or outcome.code is not None for outcome in outcomes):
            raise broken[0]
        return outcomes

    def _together(self, files: Sequence[Path], stop: Stop | None) -> Iterator[StoreOutcome]:
        """Outcomes of files in their order; raises where the archive, the line or the login is at fault."""
        answer: StowAnswer | None = None
        if len(files) > 1:
            try:
                answer = self._sent(files, stop)
            except OSError:
                answer = None
            except PacsError as error:
                # refused as a whole: whose fault it is shows when they are sent one by one
                if concerns_archive(error):
                    raise
        for path in files:
            outcome = None if answer is None else answer.outcome(_uid_of(path), alone=False)
            yield self._alone(path, stop) if outcome is None else outcome

    def _alone(self, path: Path, stop: Stop | None) -> StoreOutcome:
        uid = _uid_of(path)
        reason, temporary = "", False
        try:
            if not is_part10(read_head(path)) or not uid:
                reason = "this is not a DICOM file"
            elif (outcome := self._sent([path], stop).outcome(uid, alone=True)) is not None:
                return outcome
        except OSError as error:
            reason = f"the file cannot be read ({error.strerror or error})"
        except PacsError as error:
            if concerns_archive(error):
                raise
            reason, temporary = error.what, error.temporary
        return StoreOutcome(sop_instance_uid=uid, accepted=False, reason=reason, temporary=temporary)

    def _sent(self, files: Sequence[Path], stop: Stop | None) -> StowAnswer:
        where = self._config.where
        body = FilesBody(files)
        ask = self._session.ask("stow", max_bytes=MAX_ANSWER_BYTES, stop=stop)
        headers = {"Accept": "application/dicom+json", "Content-Type": body.content_type}
        with self._session.opened("POST", self._url, ask, headers=headers, data=body) as answer:
            said = b"".join(answer.chunks())
        if looks_like_web_page(said):
            raise web_page(where)
        try:
            return read_answer(said, answer.status)
        except ValueError as error:
            raise unusable(f"it is {error}", step="stow", where=where) from None


def _groups(files: Sequence[Path], connections: int) -> list[list[Path]]:
    """Files that go together, all in their order; what is no DICOM file, or large, goes alone."""
    most = max(1, min(_MOST_TOGETHER, -(-len(files) // connections)))
    groups: list[list[Path]] = []
    open_group = False
    for path in files:
        small = _is_small(path)
        if small and open_group and len(groups[-1]) < most:
            groups[-1].append(path)
        else:
            groups.append([path])
        open_group = small
    return groups


def _is_small(path: Path) -> bool:
    try:
        return path.stat().st_size <= _SMALL_BYTES and bool(_uid_of(path))
    except OSError:
        return False


def _uid_of(path: Path) -> str:
    try:
        head = read_head(path)
    except OSError:
        return ""
    return sop_instance_uid(head) if is_part10(head) else ""


def _not_sent(path: Path, error: PacsError) -> StoreOutcome:
    return StoreOutcome(
        sop_instance_uid=_uid_of(path), accepted=False, reason=error.what, temporary=error.temporary
    )
