"""STOW-RS: files to the archive, byte for byte, and what it says of each (PS3.18 10.5).

One object a request, several requests at once: an answer then says of one
object whether it failed, also where an archive refuses a request as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from veinscan.dicom.guard import MIB, clean_uid
from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.answers import concerns_archive, unusable, web_page
from veinscan.pacs.archive import Stop
from veinscan.pacs.dimse_words import store_status, store_warning
from veinscan.pacs.guarded import Ask
from veinscan.pacs.model import StoreOutcome
from veinscan.pacs.part10 import is_part10, looks_like_web_page, read_head, sop_instance_uid
from veinscan.pacs.parts import FilesBody
from veinscan.pacs.transport import GuardedSession
from veinscan.pacs.web_json import tag_text, values_of
from veinscan.settings_pacs import PacsConfig

MAX_ANSWER_BYTES = 4 * MIB
_TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122
_Failed = dict[str, int | None]


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
        if not files:
            return ()
        with ThreadPoolExecutor(min(self._connections, len(files)), thread_name_prefix="stow") as pool:
            broken: list[PacsError] = []

            def stopped() -> bool:
                return stop is not None and stop()

            def work(path: Path) -> StoreOutcome:
                if broken:
                    return _not_sent(path, broken[0])
                if stopped():
                    raise CancelledError("stopped", where=self._config.where)
                try:
                    return self._one(path, stopped)
                except PacsError as error:
                    broken.append(error)
                    return _not_sent(path, error)

            waiting: list[Future[StoreOutcome]] = [pool.submit(work, path) for path in files]
            try:
                outcomes = tuple(future.result() for future in waiting)
            except BaseException:
                for future in waiting:
                    future.cancel()
                raise
        if broken and not any(outcome.accepted or outcome.code is not None for outcome in outcomes):
            raise broken[0]
        return outcomes

    def _one(self, path: Path, stop: Stop) -> StoreOutcome:
        """One object; raises where the archive, the line or the login is at fault."""
        uid = ""
        try:
            head = read_head(path)
            uid = sop_instance_uid(head)
            if not is_part10(head) or not uid:
                return StoreOutcome(sop_instance_uid=uid, accepted=False, reason="this is not a DICOM file")
            status, failed, warned, named = self._sent(path, stop)
        except OSError as error:
            reason = f"the file cannot be read ({error.strerror or error})"
            return StoreOutcome(sop_instance_uid=uid, accepted=False, reason=reason)
        except PacsError as error:
            if concerns_archive(error):
                raise
            return StoreOutcome(
                sop_instance_uid=uid, accepted=False, reason=error.what, temporary=error.temporary
            )
        if uid in failed or (failed and not named):
            return _refused(uid, failed.get(uid, next(iter(failed.values()))))
        if uid in warned:
            code = warned[uid]
            reason = store_warning(code) if code is not None else ""
            return StoreOutcome(sop_instance_uid=uid, accepted=True, code=code, reason=reason)
        if status == 409:
            return _refused(uid, None)
        if named and uid not in named:
            return StoreOutcome(
                sop_instance_uid=uid,
                accepted=False,
                reason="the archive's answer is about other objects",
                temporary=True,
            )
        said = "" if named else "the archive's answer does not name it"
        if status == 202:
            said = said or "taken, and not stored yet"
        return StoreOutcome(sop_instance_uid=uid, accepted=True, reason=said)

    def _sent(self, path: Path, stop: Stop) -> tuple[int, _Failed, _Failed, set[str]]:
        """Status, then failed, warned and all named objects of the answer."""
        config = self._config
        body = FilesBody([path])
        ask = Ask(
            step="stow",
            max_bytes=MAX_ANSWER_BYTES,
            seconds=config.transfer_timeout_s,
            pause_s=config.timeout_s,
            stop=stop,
            where=config.where,
        )
        headers = {"Accept": "application/dicom+json", "Content-Type": body.content_type}
        with self._session.opened("POST", self._url, ask, headers=headers, data=body) as answer:
            said = b"".join(answer.chunks())
            status = answer.status
        if looks_like_web_page(said):
            raise web_page(config.where)
        try:
            item = _answer(said)
        except (ValueError, RecursionError, ElementTree.ParseError):
            if status == 409:
                return status, {}, {}, set()
            raise self._unusable() from None
        failed = {
            uid: reason
            for keyword in ("FailedSOPSequence", "OtherFailuresSequence")
            for uid, reason in _objects(item, keyword, "FailureReason")
        }
        stored = dict(_objects(item, "ReferencedSOPSequence", "WarningReason"))
        warned: _Failed = {uid: code for uid, code in stored.items() if code is not None}
        return status, failed, warned, {uid for uid in (*failed, *stored) if uid}

    def _unusable(self) -> PacsError:
        return unusable("it is neither DICOM JSON nor DICOM XML", step="stow", where=self._config.where)


def _not_sent(path: Path, error: PacsError) -> StoreOutcome:
    try:
        uid = sop_instance_uid(read_head(path))
    except OSError:
        uid = ""
    return StoreOutcome(sop_instance_uid=uid, accepted=False, reason=error.what, temporary=error.temporary)


def _refused(uid: str, code: int | None) -> StoreOutcome:
    if code is None:
        reason = "the archive refused it and gave no reason"
        return StoreOutcome(sop_instance_uid=uid, accepted=False, reason=reason)
    if code == _TRANSFER_SYNTAX_NOT_SUPPORTED:  # PS3.18 table 10.5.3-2, not in PS3.4
        reason = "the archive does not take this way of compressing pixels"
        return StoreOutcome(sop_instance_uid=uid, accepted=False, code=code, reason=reason)
    said = store_status(code)
    return StoreOutcome(
        sop_instance_uid=uid, accepted=False, code=code, reason=said.reason, temporary=said.temporary
    )


def _answer(said: bytes) -> Mapping[str, Any]:
    """The data set of an answer; empty where it says nothing."""
    text = said.strip(b"\xef\xbb\xbf \t\r\n")
    if not text:
        return {}
    if text.startswith(b"<"):
        return _from_xml(text)
    item = json.loads(text.decode("utf-8"))
    if isinstance(item, list):
        item = item[0] if item else {}
    if not isinstance(item, dict):
        raise ValueError
    return item


def _from_xml(text: bytes) -> Mapping[str, Any]:
    """Native DICOM Model (PS3.19 A.1) as DICOM JSON, as far as a STOW answer goes; no entities."""
    if b"<!" in text:
        raise ValueError
    return _xml_item(ElementTree.fromstring(text), 0)  # noqa: S314 - without a document type there are no entities


def _xml_item(parent: ElementTree.Element, depth: int) -> dict[str, Any]:
    if depth > 8:
        raise RecursionError
    item: dict[str, Any] = {}
    for element in parent:
        items = [_xml_item(child, depth + 1) for child in element if child.tag.endswith("Item")]
        values = [(child.text or "").strip() for child in element if child.tag.endswith("Value")]
        item[element.get("tag", "")] = {"vr": element.get("vr", ""), "Value": items or values}
    return item


def _objects(item: Mapping[str, Any], keyword: str, code: str) -> Iterator[tuple[str, int | None]]:
    """UID and code of each item of a sequence."""
    for one in values_of(item, tag_text(keyword)):
        if isinstance(one, Mapping):
            uids = values_of(one, tag_text("ReferencedSOPInstanceUID"))
            codes = values_of(one, tag_text(code))
            yield clean_uid(uids[0] if uids else ""), _code(codes[0] if codes else None)


def _code(value: object) -> int | None:
    try:
        number = int(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number <= 0xFFFF else None
