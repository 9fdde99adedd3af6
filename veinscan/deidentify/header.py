"""A header without the person: the basic profile of PS3.15 Annex E, and more where it leaves gaps.

The profile names some 650 attributes.  What it does not name is not therefore
harmless: free texts, names, dates and bytes outside it are removed as well
unless they are known to describe the machine; coded items stay only with a
code that the standard's dictionaries hold.  At the end every value that is
left is compared with the words that named the person in the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from veinscan.deidentify.identity import MAX_DEPTH, Dates, Identity
from veinscan.deidentify.table import (
    DATE_VRS,
    FREE_TEXT_VRS,
    SAFE_PRIVATE,
    SAFE_TEXTS,
    SHIFTED,
    TIMES,
    Action,
    action_for,
    is_code_word,
)
from veinscan.dicom.header import quiet

_TIME = re.compile(r"\d{2,6}(\.\d{1,6})?|")
_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:(\d{0,6}(?:(?<=\d{6})\.\d{1,6})?)(?=$|[ +\-\0]))?")
"""Of a date or a time of PS3.5 6.2 what is kept: nothing that is longer than one, which may be a number."""
_NOT_KEPT = (0x0002, 0x0072, 0x7FE0, 0xFFFA, 0xFFFC)
"""Groups: file meta, hanging protocols, pixels, signatures, padding; overlays and curves go too."""
_TYPE_2 = (
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "PatientSex",
    "StudyID", "SeriesNumber", "InstanceNumber", "Laterality", "Manufacturer", "PatientOrientation",
)  # fmt: skip
"""Attributes of an image object that must be there, if empty (PS3.3 C.7.1 to C.7.6.1)."""

PROFILE_CODES = {
    "basic": ("113100", "Basic Application Confidentiality Profile"),
    "pixels": ("113101", "Clean Pixel Data Option"),
    "structured": ("113104", "Clean Structured Content Option"),
    "descriptors": ("113105", "Clean Descriptors Option"),
    "modified": ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "private": ("113111", "Retain Safe Private Option"),
}
"""CID 7050, De-identification Method."""


def clean_header(original: Dataset, identity: Identity) -> Dataset:
    """A new header that holds nothing which names the person.

    Parameters
    ----------
    original : Dataset
        A header as it was read, private parts included; pixels are left out.
    identity : Identity
        What stands for the patient.

    Returns
    -------
    Dataset
        With the patient's pseudonym and the attributes that say how it was
        de-identified (PS3.3 C.12.1, C.7.1.1), and without pixel data.
    """
    with quiet():
        out = _cleaned(original, identity, 0)
    for keyword in _TYPE_2:
        if keyword not in out and (keyword != "Laterality" or "ImageLaterality" not in out):
            setattr(out, keyword, None if keyword in ("SeriesNumber", "InstanceNumber") else "")
    out.PatientName = out.PatientID = identity.patient
    out.SpecificCharacterSet = "ISO_IR 192"
    mark_deidentified(out, identity)
    return out


def mark_deidentified(
    dataset: Dataset, identity: Identity, *, pixels_cleaned: bool = False, confirmed: bool = False
) -> None:
    """Say in a header how it was de-identified.

    `PatientIdentityRemoved` and `BurnedInAnnotation` speak of the pixels too
    (C.12.1, C.7.6.1): they say so only once a person has looked (`confirmed`).
    """
    used = ["basic", "descriptors", "structured"]
    used += ["pixels"] if pixels_cleaned else []
    used += ["modified"] if identity.options.dates is Dates.MODIFIED else []
    items = []
    for name in used:
        code = Dataset()
        code.CodeValue, code.CodeMeaning = PROFILE_CODES[name]
        code.CodingSchemeDesignator = "DCM"
        items.append(code)
    dataset.DeidentificationMethodCodeSequence = Sequence(items)
    dataset.DeidentificationMethod = "veinscan: PS3.15 E basic profile; keyed pseudonyms"
    dataset.PatientIdentityRemoved = "YES" if confirmed else "NO"
    dataset.LongitudinalTemporalInformationModified = identity.options.dates.value.upper()


def _cleaned(original: Dataset, identity: Identity, depth: int) -> Dataset:
    out = Dataset()
    for tag in sorted(original.keys()):
        if tag.group in _NOT_KEPT or (tag.group & 0xFF00) in (0x5000, 0x6000) or tag.is_private:
            continue
        try:
            element = original[tag]
            value = _value(element, identity, depth)
        except Exception:  # noqa: S112 - pydicom raises nearly anything on a damaged value: it is left out
            continue
        if value is not None:
            out.add_new(tag, element.VR, value)
    if depth == 0:
        _keep_safe_private(original, out)
    return out


def _value(element: Any, identity: Identity, depth: int) -> Any:
    """What stands for the value of a public element; None to leave it out."""
    tag, vr, keyword = element.tag, element.VR, element.keyword
    action = action_for(int(tag))
    if vr in DATE_VRS:
        return _date_value(element, identity)
    if keyword in ("ContentSequence", "PatientName", "PatientID"):
        return None  # a report's content is written anew from the record; the pseudonym is set by the caller
    if action is Action.REMOVE or (action is Action.DUMMY and vr != "UI"):
        return None
    if vr == "SQ":
        return _items(element, identity, depth)
    if action is Action.EMPTY:
        return ""
    if vr == "UI":
        return _uids(element.value, identity)
    if vr in FREE_TEXT_VRS and keyword not in SAFE_TEXTS:
        return None
    if vr == "CS" and not all(is_code_word(text) for text in _texts(element.value)):
        kept = [text if is_code_word(text) else "OTHER" for text in _texts(element.value)]
        return kept if keyword == "ImageType" else None
    if any(identity.names(text) for text in _texts(element.value)):
        return None
    return element.value


def _date_value(element: Any, identity: Identity) -> str | None:
    if identity.options.dates is Dates.REMOVED:
        return "" if element.keyword in _TYPE_2 else None
    if element.keyword in TIMES:
        text = str(element.value or "")
        return text if _TIME.fullmatch(text) else ""
    if element.keyword not in SHIFTED:
        return "" if element.keyword in _TYPE_2 else None
    return shifted(str(element.value or ""), identity.days)


def shifted(text: str, days: int) -> str | None:
    """A DA or DT value moved back by whole days, without the zone of a DT; None if it is no date."""
    if not text:
        return ""
    match = _DATE.match(text)
    if match is None:
        return None
    try:
        day = date(int(match[1]), int(match[2]), int(match[3])) - timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{day:%Y%m%d}{match[4] or ''}"


def _uids(value: Any, identity: Identity) -> Any:
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        return [identity.uid(str(member)) for member in value]
    return identity.uid(str(value)) if value else ""


def _items(element: Any, identity: Identity, depth: int) -> Sequence | None:
    """Items of a sequence, cleaned; a coded item only with a code that the standard knows."""
    if depth >= MAX_DEPTH:
        return None
    kept = []
    for item in element.value:
        if "CodeValue" in item or "LongCodeValue" in item or "URNCodeValue" in item:
            code = _known_code(item)
            if code is not None:
                kept.append(code)
            continue
        cleaned = _cleaned(item, identity, depth + 1)
        if len(cleaned):
            kept.append(cleaned)
    return Sequence(kept) if kept else None


def _known_code(item: Dataset) -> Dataset | None:
    """The code with the meaning that the dictionary gives it; None for one nobody knows."""
    scheme, value = str(item.get("CodingSchemeDesignator") or ""), str(item.get("CodeValue") or "")
    meaning = _dictionary(scheme).get(value)
    if meaning is None:
        return None
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


@cache
def _dictionary(scheme: str) -> dict[str, str]:
    """Code value to meaning, of a scheme in the standard's context groups (PS3.16); empty for another."""
    from pydicom.sr.codedict import codes

    if scheme not in codes.schemes():
        return {}
    return {code.value: code.meaning for code in getattr(codes, scheme).concepts.values()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        for member in value:
            yield str(member)
    elif value is not None:
        yield str(value)


def _keep_safe_private(original: Dataset, out: Dataset) -> None:
    """Private numbers of the documented list, each with its creator."""
    for tag in sorted(original.keys()):
        if not tag.is_private or tag.element < 0x1000:
            continue
        creator = _creator(original, tag)
        vr = SAFE_PRIVATE.get((creator, tag.group, tag.element & 0xFF))
        if vr is None:
            continue
        try:
            element = original[tag]
            if vr == element.VR and isinstance(element.value, (int, float)):  # one number, never a text
                block = out.private_block(tag.group, creator, create=True)
                block.add_new(tag.element & 0xFF, vr, element.value)
        except Exception:  # noqa: S112 - a private value that cannot be read is left out
            continue


def _creator(dataset: Dataset, tag: BaseTag) -> str:
    try:
        return str(dataset[tag.group, tag.element >> 8].value).strip()
    except Exception:
        return ""


__all__ = ["PROFILE_CODES", "clean_header", "mark_deidentified", "shifted"]
