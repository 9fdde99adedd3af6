"""In which attributes two data sets differ, and which differences an archive may make.

What is left alone, and why:

* file meta (group 2), group lengths, trailing padding: of the file, not the object (PS3.10 7.1, PS3.5 7.2);
* Specific Character Set: texts are compared as they read;
* an attribute that is empty on one side and missing on the other;
* `ADDED`: where an archive says where the object lies, or that it was changed (PS3.3 C.12.1, C.12.1.1.9);
* private attributes that were added: an archive's own bookkeeping (PS3.5 7.8);
* `COERCED`: identification of the patient, the visit and the request, which an archive may put right from the
  hospital's own lists when it takes an object ('coercion of data elements', PS3.4 B.2.3, PS3.18 10.5.3).
  These are told.  That the patient is the same is found out before anything is sent
  (`veinscan.pacs.queue_guard`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag

ADDED = frozenset(
    {
        "RetrieveAETitle",
        "RetrieveURL",
        "RetrieveURI",
        "RetrieveLocationUID",
        "InstanceAvailability",
        "OriginalAttributesSequence",
        "StorageMediaFileSetUID",
        "StorageMediaFileSetID",
        "NumberOfStudyRelatedInstances",
        "NumberOfStudyRelatedSeries",
        "NumberOfSeriesRelatedInstances",
    }
)
COERCED = frozenset(
    {
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "TypeOfPatientID",
        "PatientBirthDate",
        "PatientBirthTime",
        "PatientSex",
        "OtherPatientIDs",
        "OtherPatientIDsSequence",
        "OtherPatientNames",
        "PatientAge",
        "PatientComments",
        "EthnicGroup",
        "AccessionNumber",
        "IssuerOfAccessionNumberSequence",
        "StudyID",
        "StudyDescription",
        "StudyDate",
        "StudyTime",
        "ReferringPhysicianName",
        "InstitutionName",
        "AdmissionID",
        "ReferencedStudySequence",
        "ReferencedRequestSequence",
        "RequestAttributesSequence",
        "ProcedureCodeSequence",
    }
)
_IGNORED = frozenset({"SpecificCharacterSet", "DataSetTrailingPadding"})
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Differences:
    """Names of attributes, never values."""

    harmful: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    """Changed by the archive as it may; only those that a person should know of."""

    def __add__(self, other: Differences) -> Differences:
        return Differences(self.harmful + other.harmful, self.harmless + other.harmless)


def differences(
    sent: Any, back: Any, *, without: Collection[str] = (), only: Collection[str] | None = None
) -> Differences:
    """Of two data sets; `without` and `only` are keywords at the top."""
    skipped = {tag_for_keyword(keyword) for keyword in without}
    wanted = None if only is None else {tag_for_keyword(keyword) for keyword in only}
    harmful: list[str] = []
    harmless: list[str] = []
    for tag in sorted({*sent.keys(), *back.keys()}):
        if int(tag) in skipped or (wanted is not None and int(tag) not in wanted):
            continue
        if _left_alone(tag, in_sent=tag in sent) or _same_element(sent, back, tag, 0):
            continue
        name = _name(sent, back, tag)
        (harmless if name in COERCED else harmful).append(name)
    return Differences(tuple(harmful), tuple(harmless))


def _left_alone(tag: BaseTag, *, in_sent: bool) -> bool:
    tag = Tag(tag)
    if tag.group == 2 or tag.element == 0 or (tag.is_private and not in_sent):
        return True
    return int(tag) in _TAGS_LEFT_ALONE


_TAGS_LEFT_ALONE = frozenset(tag_for_keyword(keyword) for keyword in ADDED | _IGNORED)


def _name(sent: Any, back: Any, tag: BaseTag) -> str:
    element = sent[tag] if tag in sent else back[tag]
    return str(element.keyword or f"({element.tag.group:04X},{element.tag.element:04X})")


def _same_element(sent: Any, back: Any, tag: BaseTag, depth: int) -> bool:
    a: Any = sent[tag].value if tag in sent else None
    b: Any = back[tag].value if tag in back else None
    if _empty(a) or _empty(b):
        return _empty(a) and _empty(b)
    vr = sent[tag].VR
    if "SQ" in (vr, back[tag].VR):
        if vr != back[tag].VR or len(a) != len(b) or depth > _DEEPEST:
            return False
        return all(_same_items(one, other, depth + 1) for one, other in zip(a, b, strict=True))
    return bool(_plain(a) == _plain(b))


def _same_items(sent: Any, back: Any, depth: int) -> bool:
    return all(
        _left_alone(tag, in_sent=tag in sent) or _same_element(sent, back, tag, depth)
        for tag in {*sent.keys(), *back.keys()}
    )


def _empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0) or str(value).strip(" \0") == ""


def _plain(value: Any) -> Any:
    """Without what padding and spelling add: '1.50' is the number 1.5, 'A ' the text 'A'."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).rstrip(b"\0")
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        return value.strip(" \0")
    if hasattr(value, "__iter__") and not hasattr(value, "original_string"):
        return tuple(_plain(one) for one in value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value).strip(" \0")
