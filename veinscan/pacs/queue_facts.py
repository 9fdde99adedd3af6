"""What the queue has to know of a DICOM object, read from its header without its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.uid import EncapsulatedPDFStorage, SegmentationStorage

from veinscan.dicom.header import quiet
from veinscan.dicom.patients import Patient, patient_in
from veinscan.dicom.values import raw_value, text, uid
from veinscan.errors import InvalidInputError
from veinscan.record.versions import is_ours, predecessors_of

_DEFERRED = 64 * 1024
_UNDEFINED = 0xFFFFFFFF
_TAGS = [
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Manufacturer",
    "CodingSchemeIdentificationSequence",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "DeidentificationMethodCodeSequence",
    "PredecessorDocumentsSequence",
    "SourceInstanceSequence",
    "Rows",
]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one object; `patient` shows nothing in its repr."""

    sop_instance_uid: str
    sop_class_uid: str
    study_instance_uid: str
    series_instance_uid: str
    kind: str
    after: tuple[str, ...]
    patient: Patient
    deidentified: bool = False
    """Patient Identity Removed, or how it was done (0012,0063), (0012,0064): an export whose pixels nobody
    has looked at yet says only the latter (PS3.3 C.7.1.1)."""


def facts_of(source: Path | BinaryIO) -> Facts:
    """Of a Part 10 file.

    Raises InvalidInputError for a file that is none, or has not the UIDs that an archive files it under.
    """
    where = source.name if isinstance(source, Path) else ""
    with quiet():
        try:
            dataset = pydicom.dcmread(source, stop_before_pixels=True, specific_tags=_TAGS)
        except OSError as error:
            reason = (error.strerror or "unknown reason").lower()
            raise InvalidInputError(
                f"it cannot be read ({reason})", where=where, do="check the file"
            ) from error
        except Exception as error:  # pydicom raises nearly anything on damaged bytes
            raise InvalidInputError(
                f"it is no DICOM file that can be sent ({type(error).__name__})",
                where=where,
                do="name DICOM files (PS3.10)",
            ) from None
    return facts_in(dataset, where)


def check_whole(source: Path | BinaryIO, size: int) -> None:
    """Raise InvalidInputError for a file of `size` bytes that ends within an element; pixels are not loaded.

    An archive would refuse it, or end the connection over it.
    """
    where = source.name if isinstance(source, Path) else ""
    missing = 0
    with quiet():
        try:
            dataset = pydicom.dcmread(source, defer_size=_DEFERRED)
            # as they lie in the file: nothing is converted
            for element in dataset.values():
                if isinstance(element, RawDataElement) and element.length != _UNDEFINED:
                    missing = max(missing, element.value_tell + element.length - size)
            if dataset.file_meta.TransferSyntaxUID.is_deflated:
                missing = 0  # places count in what it inflates to; what is cut does not inflate
        except Exception as error:  # pydicom raises nearly anything on damaged bytes
            raise InvalidInputError(
                f"it cannot be read to its end ({type(error).__name__})",
                where=where,
                do="send a whole copy of it",
            ) from None
    if missing > 0:
        raise InvalidInputError(
            f"the file is cut off: {missing} bytes are missing", where=where, do="send a whole copy of it"
        )


def facts_in(dataset: Any, where: str) -> Facts:
    """Of a header; raises as `facts_of`."""
    with quiet():
        sop, study = uid(dataset, "SOPInstanceUID"), uid(dataset, "StudyInstanceUID")
        series, sop_class = uid(dataset, "SeriesInstanceUID"), uid(dataset, "SOPClassUID")
        if not (sop and study and series and sop_class):
            raise InvalidInputError(
                "its header lacks the UIDs that an archive files it under",
                where=where,
                do="send the object as its maker wrote it",
            )
        try:
            kind, after = _kind(dataset, sop_class)
        except (AttributeError, TypeError, ValueError, KeyError):
            raise InvalidInputError(
                "its references to other objects are damaged", where=where, do="send a whole copy of it"
            ) from None
        patient = patient_in(dataset)
        methods = ("DeidentificationMethod", "DeidentificationMethodCodeSequence")
        removed = patient.removed or any(raw_value(dataset, keyword) for keyword in methods)
        return Facts(sop, sop_class, study, series, kind, after, patient, removed)


def _kind(dataset: Any, sop_class: str) -> tuple[str, tuple[str, ...]]:
    if is_ours(dataset):
        return "record", predecessors_of(dataset)
    ours = text(dataset, "Manufacturer").lower() == "veinscan"
    if sop_class == EncapsulatedPDFStorage:
        sources = dataset.get("SourceInstanceSequence") or ()
        uids = tuple(uid(item, "ReferencedSOPInstanceUID") for item in sources)
        return ("report" if ours else "object"), tuple(filter(None, uids))
    if sop_class == SegmentationStorage:
        return ("segmentation" if ours else "object"), ()
    return ("image" if "Rows" in dataset else "object"), ()
