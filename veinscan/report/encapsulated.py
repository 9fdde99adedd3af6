"""The plan as a DICOM Encapsulated PDF of its study (PS3.3 A.45.1, C.24).

It has the patient and study modules of the study, a series of its own, and
names the saved version(s) of the record that it shows (Source Instance
Sequence, C.24.2).
"""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence
from pydicom.uid import UID, ComprehensiveSRStorage, EncapsulatedPDFStorage, ExplicitVRLittleEndian

from veinscan.errors import NotSavedError
from veinscan.plan.ids import derived_uid, new_uid
from veinscan.plan.model import Record
from veinscan.record.document import MANUFACTURER, SERIES_NUMBER, patient_of, software_version
from veinscan.report.sheet import Sheet

if TYPE_CHECKING:
    from veinscan.dicom import Study

SERIES_DESCRIPTION = "veinscan plan on paper"


def encapsulate(
    pdf: bytes,
    sheet: Sheet,
    study: Study,
    record: Record,
    *,
    made_at: datetime,
    sop_instance_uid: str | None = None,
) -> tuple[bytes, str]:
    """The bytes of the DICOM file, and its SOP Instance UID.

    Parameters
    ----------
    pdf : bytes
    sheet : Sheet
        What the PDF shows.
    study, record
        It belongs to; `record.heads` are the saved versions that it refers to.
    made_at : datetime
        With time zone.
    sop_instance_uid : str, optional
        A new one by default.

    Raises
    ------
    NotSavedError
        What was made does not hold the PDF byte for byte.
    """
    uid = sop_instance_uid or new_uid()
    header = study.header()
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 192"
    for keyword, value in patient_of(header).items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID, dataset.SOPInstanceUID = EncapsulatedPDFStorage, UID(uid)
    dataset.StudyInstanceUID = str(header.StudyInstanceUID)
    # one series for all prints of a reading, apart from the record's own
    dataset.SeriesInstanceUID = derived_uid("report", str(header.StudyInstanceUID), record.reading.id)
    dataset.Modality, dataset.SeriesNumber = "DOC", SERIES_NUMBER + 2
    dataset.SeriesDescription = SERIES_DESCRIPTION
    dataset.InstanceNumber = max(record.version, 1)
    dataset.Manufacturer, dataset.ManufacturerModelName = MANUFACTURER, "veinscan"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "none", software_version()
    dataset.ConversionType = "WSD"
    dataset.ContentDate, dataset.ContentTime = f"{made_at:%Y%m%d}", f"{made_at:%H%M%S}"
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = dataset.ContentDate, dataset.ContentTime
    dataset.AcquisitionDateTime = ""
    # the page names the patient (C.24.2)
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = sheet.title
    dataset.ConceptNameCodeSequence = Sequence([])
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.SourceInstanceSequence = Sequence([_reference(head) for head in record.heads])
    dataset.EncapsulatedDocumentLength = len(pdf)
    dataset.EncapsulatedDocument = pdf if len(pdf) % 2 == 0 else pdf + b"\0"
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    data = buffer.getvalue()
    if document_in(pydicom.dcmread(io.BytesIO(data))) != pdf:
        raise NotSavedError("not written: the document does not hold what was put into it")
    return data, uid


def document_in(dataset: Dataset) -> bytes:
    """The PDF that a dataset holds, without its padding."""
    content = bytes(dataset.EncapsulatedDocument)
    return content[: int(dataset.get("EncapsulatedDocumentLength") or len(content))]


def is_report(path: Path) -> bool:
    """Whether a DICOM file is a report that veinscan wrote."""
    try:
        dataset = pydicom.dcmread(path, specific_tags=["SOPClassUID", "Manufacturer"])
    except (InvalidDicomError, OSError, ValueError, KeyError, EOFError):
        return False
    return (
        dataset.get("SOPClassUID") == EncapsulatedPDFStorage
        and str(dataset.get("Manufacturer") or "") == MANUFACTURER
    )


def _reference(head: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = ComprehensiveSRStorage
    item.ReferencedSOPInstanceUID = head
    return item
