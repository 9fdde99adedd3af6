"""What PS3.15 table E.1-1 says of an attribute (Basic Application Level Confidentiality Profile).

The table itself is that of the `dicom-anonymizer` package (BSD-3-Clause),
which takes it from the published standard; nothing else of that package is
used.  Beside it stands what the standard leaves to the application: which
free texts and which private attributes are known to hold no one's name.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import Any

from veinscan.errors import VeinscanError

EDITION = "2026c"
"""Edition of PS3.15 that the table was taken from."""


class Action(StrEnum):
    """What is done with an attribute (PS3.15 table E.1-1a)."""

    REMOVE = "X"
    EMPTY = "Z"
    DUMMY = "D"
    UID = "U"
    KEEP = "K"
    """Not in the table."""


_CATEGORIES = (
    ("U_TAGS", Action.UID),
    ("X_Z_U_STAR_TAGS", Action.UID),
    ("X_TAGS", Action.REMOVE),
    ("X_Z_TAGS", Action.REMOVE),
    ("X_D_TAGS", Action.REMOVE),
    ("X_Z_D_TAGS", Action.REMOVE),
    ("Z_TAGS", Action.EMPTY),
    ("Z_D_TAGS", Action.EMPTY),
    ("D_TAGS", Action.DUMMY),
)
"""Where the table leaves a choice by the type of the attribute, the one that keeps least; what an ultrasound
object then lacks is put back empty (`header`)."""

SHIFTED = frozenset(
    {
        "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate",
        "AcquisitionDateTime", "Date", "DateTime", "ObservationDateTime", "VerificationDateTime",
    }
)  # fmt: skip
"""Dates of the examination: moved, not removed, with the option of modified dates (E.3.6)."""

TIMES = frozenset(
    {"StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime", "Time"}
)
"""Times of day that stay beside a moved date: the shift is of whole days."""

SAFE_TEXTS = frozenset({"Manufacturer", "ManufacturerModelName", "SoftwareVersions"})
"""Texts that describe the machine.  Every other text that the table does not know is removed."""

CODE_WORDS = frozenset(
    {
        "ORIGINAL", "DERIVED", "PRIMARY", "SECONDARY", "OTHER", "MIXED", "NONE", "UNKNOWN", "YES", "NO",
        "VOLUME", "SAMPLED", "DISTORTED", "REGULAR", "IRREGULAR", "US", "IVUS", "SR", "SEG", "L", "R", "B",
        "U", "A", "P", "F", "H", "LA", "RA", "LP", "RP", "AL", "AR", "PL", "PR", "HL", "HR", "FL", "FR",
        "AF", "AH", "PF", "PH", "LEFT", "RIGHT", "BOTH", "UNPAIRED", "BILATERAL", "MONOCHROME1",
        "MONOCHROME2", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT",
        "IDENTITY", "INVERSE", "ISO_10918_1", "ISO_14495_1", "ISO_15444_1", "ISO_15444_2", "ISO_13818_2",
        "ISO_14496_10", "ISO_23008_2", "DV", "DI", "DF", "WSD", "SD", "SI", "DRW", "SYN", "GEOMETRY",
        "FIDUCIAL", "LINEAR", "LINEAR_EXACT", "SIGMOID", "TABLE", "3D", "3D_TEMPORAL", "TILED_FULL",
        "VASCULAR", "ABDOMINAL", "SMALL_PARTS", "ABDOMEN", "ANKLE", "ARM", "CALF", "EXTREMITY", "FOOT",
        "GROIN", "HIP", "KNEE", "LEG", "NECK", "PELVIS", "THIGH", "VEIN", "VEINS",
        "MUSCULOSKELETAL", "CARDIOLOGY", "OBSTETRICAL", "GYNECOLOGY", "EPICARDIAL", "INTRACARDIAC", "BREAST",
        "SECTOR_PHASED", "SECTOR_MECH", "SECTOR_ANNULAR", "VECTOR_PHASED", "CURVED LINEAR",
        "FOR PRESENTATION", "PALETTE COLOR", "SMALL PARTS", "LOWER LIMB", "LOWER LEG", "UPPER LEG",
    }
)  # fmt: skip
"""Words of the standard that a code string (CS) of an ultrasound object may have (PS3.3 C.7, C.8.5; PS3.16
L).  Scanners let people type into some: a word that is none of these may be a name."""

SAFE_PRIVATE: dict[tuple[str, int, int], str] = {
    ("GEIIS PACS", 0x0903, 0x10): "US",
    ("GEIIS PACS", 0x0903, 0x11): "US",
    ("GEIIS PACS", 0x0903, 0x12): "US",
    ("Philips Imaging DD 001", 0x2001, 0x48): "SS",
    ("Philips Imaging DD 001", 0x2001, 0x47): "FL",
    ("Philips Imaging DD 001", 0x2001, 0x55): "UL",
}
"""(creator, group, element within the block) to VR: numbers of PS3.15 table E.3.10-1 that an ultrasound
object may have (flags of an archive; style of burned-in graphics).  No text is on the list."""

FREE_TEXT_VRS = frozenset(
    {"AE", "LO", "LT", "SH", "ST", "UT", "UC", "UR", "PN", "UN", "OB", "OW", "OD", "OF", "OL", "OV"}
)
DATE_VRS = frozenset({"DA", "DT", "TM"})


def is_code_word(text: str) -> bool:
    """Whether a value of a code string is empty, a number of up to four digits, or one of `CODE_WORDS`."""
    return text in CODE_WORDS or (len(text) <= 4 and (not text or (text.isascii() and text.isdigit())))


@cache
def _table() -> tuple[dict[int, Action], tuple[tuple[int, int], ...]]:
    """Tag to action, and (bits, mask) of the repeating groups that are removed (50xx, 60xx)."""
    try:
        from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector as select
    except ImportError as error:
        raise VeinscanError(
            "the table of the confidentiality profile is not installed",
            do='install it: pip install "veinscan[research]"',
        ) from error
    tables: dict[str, Any] = select(f"dicomfields_{EDITION}")
    actions: dict[int, Action] = {}
    repeating = []
    for category, action in _CATEGORIES:
        for entry in tables[category]:
            if len(entry) == 2:
                actions.setdefault((entry[0] << 16) | entry[1], action)
            else:
                group, element, group_mask, element_mask = entry
                repeating.append(((group << 16) | element, (group_mask << 16) | element_mask))
    return actions, tuple(repeating)


def action_for(tag: int) -> Action:
    """What the profile does with a public attribute.

    Raises VeinscanError where the table is not installed.
    """
    actions, repeating = _table()
    found = actions.get(tag)
    if found is not None:
        return found
    if any(tag & mask == bits for bits, mask in repeating):
        return Action.REMOVE
    return Action.KEEP
