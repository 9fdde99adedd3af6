"""What an archive says of the objects that were sent to it with STOW-RS (PS3.18 10.5.3), in JSON or XML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from veinscan.dicom.guard import clean_uid
from veinscan.pacs.dimse_words import store_status, store_warning
from veinscan.pacs.model import StoreOutcome
from veinscan.pacs.web_json import tag_text, values_of

_TRANSFER_SYNTAX_NOT_SUPPORTED = 0xC122


@dataclass(frozen=True, slots=True)
class StowAnswer:
    """An answer; objects by SOP Instance UID, '' for one that is not named."""

    status: int
    failed: Mapping[str, int | None]
    """To the failure reason (0008,1197)."""
    stored: Mapping[str, int | None]
    """To the warning reason (0008,1196)."""

    def outcome(self, uid: str, *, alone: bool) -> StoreOutcome | None:
        """What it says of one object; None where that cannot be told from what it says of others.

        `alone`: whether nothing else was sent with it.
        """
        if uid in self.failed:
            return _refused(uid, self.failed[uid])
        if uid in self.stored:
            code = self.stored[uid]
            reason = store_warning(code) if code is not None else ""
            if not reason and self.status == 202:
                reason = "taken, and not stored yet"
            return StoreOutcome(sop_instance_uid=uid, accepted=True, code=code, reason=reason)
        named = any(self.failed) or any(self.stored)
        if not alone and (named or self.failed or self.status == 409):
            return None
        if self.failed and not named:
            return _refused(uid, next(iter(self.failed.values())))
        if self.status == 409:
            return _refused(uid, None)
        if named:
            reason = "the archive's answer is about other objects"
            return StoreOutcome(sop_instance_uid=uid, accepted=False, reason=reason, temporary=True)
        return StoreOutcome(
            sop_instance_uid=uid, accepted=True, reason="the archive's answer does not name it"
        )


def read_answer(said: bytes, status: int) -> StowAnswer:
    """An answer's body.

    Raises
    ------
    ValueError
        It is neither DICOM JSON nor DICOM XML.
    """
    try:
        item = _answer(said)
    except (ValueError, RecursionError, ElementTree.ParseError):
        if status != 409:
            raise ValueError("neither DICOM JSON nor DICOM XML") from None
        item = {}
    failed = {
        uid: reason
        for keyword in ("FailedSOPSequence", "OtherFailuresSequence")
        for uid, reason in _objects(item, keyword, "FailureReason")
    }
    return StowAnswer(status, failed, dict(_objects(item, "ReferencedSOPSequence", "WarningReason")))


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
    if b"<!" in text or b"\0" in text:  # UTF-16, which would hide the one from the other
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
