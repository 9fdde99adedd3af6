"""DICOM JSON from an archive (PS3.18 Annex F) as data sets; nothing in it is taken on trust.

Archives write numbers as texts and texts as numbers, one value without its
list, and whatever they please into fields that nobody asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pydicom
from pydicom.config import IGNORE
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from veinscan.dicom.header import cleaned, quiet

STUDY_FIELDS = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "StudyDescription",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "StudyInstanceUID",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)
"""What is asked of a study and read of its row."""
INSTANCE_FIELDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "InstanceNumber",
    "NumberOfFrames",
)
"""The same of an object."""
_MOST_VALUES = 1000
_LONGEST_TEXT = 1000
_DEEPEST = 16
_PUBLIC_TAG = re.compile(r"[0-9A-F]{3}[02468ACE][0-9A-F]{4}")
_NUMBERS: dict[Any, type[int] | type[float]] = dict.fromkeys(("SS", "US", "SL", "UL", "SV", "UV", "IS"), int)
_NUMBERS |= dict.fromkeys(("FL", "FD", "DS"), float)


def tag_text(keyword: str) -> str:
    """A keyword's tag as DICOM JSON writes it."""
    return f"{tag_for_keyword(keyword):08X}"


def row_dataset(item: object, keywords: Iterable[str]) -> pydicom.Dataset:
    """The named attributes of one row of an answer, all as text; what makes no sense is left out."""
    dataset = pydicom.Dataset()
    if not isinstance(item, Mapping):
        return dataset
    for keyword in keywords:
        texts = [text for value in values_of(item, tag_text(keyword)) if (text := _text(value))]
        if texts:
            tag = Tag(tag_for_keyword(keyword) or 0)
            # as text, whatever it should be: `veinscan.dicom.values` reads numbers out of texts
            dataset[tag] = DataElement(
                tag, "LO", texts if len(texts) > 1 else texts[0], validation_mode=IGNORE
            )
    return dataset


def values_of(item: Mapping[str, Any], tag: str) -> list[Any]:
    """The values of an attribute, also where one stands without its list."""
    element = item.get(tag) or item.get(tag.lower())
    values = element.get("Value") if isinstance(element, Mapping) else None
    if values is None:
        return []
    return values[:_MOST_VALUES] if isinstance(values, list) else [values]


def whole_dataset(item: object) -> pydicom.Dataset:
    """A whole data set, as the metadata of an object; what cannot be read, and bulk data, stay out."""
    with quiet():
        return _dataset(item, 0)


def _dataset(item: object, depth: int) -> pydicom.Dataset:
    dataset = pydicom.Dataset()
    if not isinstance(item, Mapping) or depth > _DEEPEST:
        return dataset
    for tag, element in item.items():
        if not isinstance(element, Mapping) or not _PUBLIC_TAG.fullmatch(tag) or tag.startswith("7FE0"):
            continue
        vr, values = element.get("vr"), element.get("Value")
        try:
            if vr == "SQ":
                items = [_dataset(one, depth + 1) for one in values] if isinstance(values, list) else []
                dataset[tag] = DataElement(Tag(f"0x{tag}"), "SQ", items)
            elif "BulkDataURI" not in element:
                # one by one: pydicom takes a data set with one wrong value not at all
                dataset.update(pydicom.Dataset.from_json({tag: _right_kind(element)}))
        except Exception:  # noqa: S112 - a value that cannot be read is left out, that is the point
            continue
    return cleaned(dataset) if depth == 0 else dataset


def _right_kind(element: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that came as texts, and texts that came as numbers, put right (PS3.18 table F.2.3-1)."""
    kept = {"vr": element.get("vr")}
    for key in ("Value", "InlineBinary"):
        if key in element:
            kept[key] = element[key]
    values, vr = kept.get("Value"), kept["vr"]
    if values is not None and not isinstance(values, list):
        kept["Value"] = values = [values]
    if values is not None and vr in _NUMBERS:
        kept["Value"] = [_NUMBERS[vr](v) if isinstance(v, (str, int, float)) else v for v in values]
    elif values is not None and vr not in ("PN", "AT"):
        kept["Value"] = [str(v) if isinstance(v, (int, float)) else v for v in values]
    return kept


def _text(value: object) -> str:
    if isinstance(value, Mapping):  # a name (PS3.18 F.2.2)
        groups = (value.get(group) for group in ("Alphabetic", "Ideographic", "Phonetic"))
        return next((text for group in groups if (text := _text(group))), "")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    if isinstance(value, int) and abs(value) >= 10**15:
        return ""
    # JSON can write a lone surrogate, which nothing can print
    return str(value)[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8").strip()
