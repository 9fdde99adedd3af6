"""The DICOM document around a record: a Comprehensive SR made with highdicom.

highdicom makes the header (patient, study, series, evidence, observer,
predecessors); the content items come from `codec`.  A newer schema's items
and everything else that this program does not write never pass through here:
such a record is read-only.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    ComprehensiveSR,
    ContainerContentItem,
    ContentSequence,
    LanguageOfContentItemAndDescendants,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    RelationshipTypeValues,
)
from pydicom.charset import convert_encodings
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import ComprehensiveSRStorage
from pydicom.valuerep import validate_value

from veinscan.plan.ids import derived_uid
from veinscan.plan.model import Reader, Record
from veinscan.plan.vocabulary import RecordState
from veinscan.record import concepts as c
from veinscan.record.codec import encode, sealed
from veinscan.record.text import stored_datetime, stored_name
from veinscan.record.tree import Concept, from_dataset, to_dataset
from veinscan.record.versions import WITHDRAWN_WORDS

MANUFACTURER = "veinscan"
SERIES_NUMBER = 9100
"""High, so that the record's series sorts behind the scanner's own."""

_HEADER = {
    "PatientID": "LO",
    "PatientName": "PN",
    "PatientBirthDate": "DA",
    "PatientSex": "CS",
    "AccessionNumber": "SH",
    "StudyID": "SH",
    "StudyDate": "DA",
    "StudyTime": "TM",
    "ReferringPhysicianName": "PN",
    "IssuerOfPatientID": "LO",
    "OtherPatientNames": "PN",
    "EthnicGroup": "SH",
    "PatientComments": "LT",
    "StudyDescription": "LO",
    "PatientAge": "AS",
    "PatientSize": "DS",
    "PatientWeight": "DS",
    "PatientIdentityRemoved": "CS",
    "DeidentificationMethod": "LO",
    "TimezoneOffsetFromUTC": "SH",
}
"""Attributes of the patient and the study that the record repeats, as far as they are valid."""
_ALWAYS = tuple(_HEADER)[:9]
FINAL_STATES = (RecordState.FINAL, RecordState.AMENDED)
_STATES = {
    RecordState.FINAL: "final",
    RecordState.AMENDED: "amended and final again",
    RecordState.AMENDING: "opened again for an amendment",
    RecordState.WITHDRAWN: WITHDRAWN_WORDS,
}
"""Completion Flag Description (LO); the reason, which a person wrote, is in the content only."""


@dataclass(frozen=True, slots=True)
class Instance:
    """What a reference to a DICOM object needs."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    study_instance_uid: str


class References:
    """Every object the record may point at: the study's clips, and those that earlier versions pointed at."""

    def __init__(self, instances: Iterable[Instance]) -> None:
        self._by_uid = {instance.sop_instance_uid: instance for instance in instances}

    def sop_class(self, sop_instance_uid: str) -> str:
        """The SOP class of an object; US Multi-frame for one that is nowhere to be found."""
        return self[sop_instance_uid].sop_class_uid

    def __getitem__(self, sop_instance_uid: str) -> Instance:
        found = self._by_uid.get(sop_instance_uid)
        if found is None:
            # A clip that was removed since, in a chain that was cut: the mark is kept all the same.
            found = Instance(
                "1.2.840.10008.5.1.4.1.1.3.1", sop_instance_uid, derived_uid(sop_instance_uid), ""
            )
        return found


def marked_clips(record: Record) -> Iterator[str]:
    """SOP Instance UIDs of the clips that something in a record points at, a clip for each mark."""
    yield from (target.sop_instance_uid for target in record.targets if target.has_place)
    yield from (review.sop_instance_uid for review in record.reviews)
    yield from (measurement.sop_instance_uid for measurement in record.measurements)
    for visit in record.follow_ups:
        for outcome in visit.outcomes:
            yield from (one.sop_instance_uid for one in (outcome.place, outcome.baseline) if one is not None)


def baseline_instances(record: Record) -> Iterator[Instance]:
    """The objects of earlier studies that the follow-ups of a record point at."""
    for visit in record.follow_ups:
        for outcome in visit.outcomes:
            if (one := outcome.baseline) is not None:
                yield Instance(
                    one.sop_class_uid, one.sop_instance_uid, one.series_instance_uid, one.study_instance_uid
                )


def build(
    record: Record,
    *,
    header: Dataset,
    references: References,
    sop_instance_uid: str,
    reader: Reader,
    saved_at: datetime,
    replaces: Iterable[str] | None = None,
) -> bytes:
    """The bytes of a DICOM file that holds a record (Explicit VR Little Endian, UTF-8).

    Parameters
    ----------
    record : Record
        In normal form; its `version` is the one that is written, its `heads`
        are the versions that this one replaces.
    header : Dataset
        Of one object of the study, for patient and study.
    references : References
        For every clip that a target, a verdict or a measurement is on.
    sop_instance_uid : str
        Of the new document.
    reader : Reader
        Who saves; the observer of the report (TID 1002).
    saved_at : datetime
        With zone.
    replaces : iterable of str, optional
        SOP Instance UIDs of every version that this one stands for; by default `record.heads`.
    """
    study_uid = str(header.StudyInstanceUID)
    instances = [references[uid] for uid in dict.fromkeys(marked_clips(record))]
    # highdicom takes patient and study from the first: one of the study itself, which is never left out
    own = [one for one in instances if one.study_instance_uid in ("", study_uid)] or [
        Instance(
            str(header.SOPClassUID), str(header.SOPInstanceUID), str(header.SeriesInstanceUID), study_uid
        )
    ]
    instances = [*own, *(one for one in instances if one not in own)]
    patient = patient_of(header)
    # highdicom warns, with the name in the warning, of names without '^': it never sees one
    unnamed = patient | {"PatientName": "^", "ReferringPhysicianName": "^", "OtherPatientNames": ""}
    evidence = [_evidence(instance, study_uid, unnamed) for instance in instances]
    series_uid = derived_uid("series", study_uid, record.reading.id)
    before_it = record.heads if replaces is None else replaces
    predecessors = [Instance(ComprehensiveSRStorage, uid, series_uid, study_uid) for uid in before_it]
    local = saved_at.astimezone(_zone(patient) or saved_at.tzinfo)
    root = _root(reader)
    final = record.status.state in FINAL_STATES
    content = encode(record, study_instance_uid=study_uid, saved_at=saved_at, context=references)
    before = tuple(from_dataset(child) for child in root.ContentSequence)
    items = sealed((*before, *content))[len(before) :]
    document = ComprehensiveSR(
        evidence=evidence,
        content=root,
        series_instance_uid=series_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=sop_instance_uid,
        instance_number=max(record.version, 1),
        manufacturer=MANUFACTURER,
        manufacturer_model_name="veinscan",
        software_versions=software_version(),
        device_serial_number="none",
        series_description="veinscan plan",
        is_complete=final,
        is_verified=final,
        is_final=final,
        verifying_observer_name="^" if final else None,
        verifying_organization="not stated" if final else None,
        previous_versions=[_evidence(instance, study_uid, {}) for instance in predecessors] or None,
        content_date=local.date(),
        content_time=local.time().replace(microsecond=0, tzinfo=None),
        specific_character_set="ISO_IR 192",
        coding_schemes=[
            CodingSchemeIdentificationItem(
                c.PRIVATE_SCHEME,
                name="veinscan private codes",
                version="1",
                responsible_organization="the veinscan developers",
            )
        ],
    )
    # The content goes in after highdicom's checks: they copy the tree several times over.
    document.ContentSequence = Sequence([*document.ContentSequence, *(to_dataset(item) for item in items)])
    if final:
        # highdicom warns, with the name in the warning, of names without '^': the name goes in here
        (verified,) = document.VerifyingObserverSequence
        verified.VerifyingObserverName = stored_name(record.status.set_by)
        verified.VerificationDateTime = stored_datetime(record.status.set_at or saved_at)
    if record.status.state is not RecordState.SAVED:
        document.CompletionFlagDescription = _STATES[record.status.state]
    document.InstanceCreationDate, document.InstanceCreationTime = document.ContentDate, document.ContentTime
    for keyword, value in patient.items():
        setattr(document, keyword, value)
    # Every value is in its final form: the writer need not look for ambiguous ones through the whole tree.
    document.set_original_encoding(False, True, convert_encodings("ISO_IR 192"))
    buffer = io.BytesIO()
    document.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _root(reader: Reader) -> ContainerContentItem:
    root = ContainerContentItem(_concept(c.REPORT_TITLE), template_id="1500")
    root.ContentSequence = ContentSequence()
    root.ContentSequence.extend(LanguageOfContentItemAndDescendants(CodedConcept("en", "RFC5646", "English")))
    root.ContentSequence.extend(
        ObservationContext(
            observer_person_context=ObserverContext(
                observer_type=codes.DCM.Person,
                observer_identifying_attributes=PersonObserverIdentifyingAttributes(name="^"),
            )
        )
    )
    root.ContentSequence[-1].PersonName = stored_name(reader.name)
    root.ContentSequence.append(
        CodeContentItem(
            codes.DCM.ProcedureReported, _concept(c.PROCEDURE), RelationshipTypeValues.HAS_CONCEPT_MOD
        )
    )
    return root


def _concept(concept: Concept) -> CodedConcept:
    return CodedConcept(concept.value, concept.scheme, concept.meaning)


def patient_of(header: Dataset) -> dict[str, str]:
    """Patient and study of a header in UTF-8, without what DICOM does not allow there."""
    values = dict.fromkeys(_ALWAYS, "")
    for keyword, vr in _HEADER.items():
        value = header.get(keyword)
        text = "" if value is None else str(value).strip()
        if not text or "\\" in text:
            continue
        try:
            # 2: raise; a header of a scanner may hold anything
            validate_value(vr, text, 2)
        except ValueError:
            continue
        if keyword == "PatientSex" and text not in ("M", "F", "O"):
            continue
        values[keyword] = text
    if values.get("PatientIdentityRemoved") == "YES":
        # required then (PS3.3 C.7.1.1); some files do not say it, or say it in a sequence
        values.setdefault("DeidentificationMethod", "not stated in the study")
    return values


def _evidence(instance: Instance, study_uid: str, patient: Mapping[str, str]) -> Dataset:
    dataset = Dataset()
    for keyword, value in patient.items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = instance.sop_class_uid
    dataset.SOPInstanceUID = instance.sop_instance_uid
    dataset.SeriesInstanceUID = instance.series_instance_uid
    dataset.StudyInstanceUID = instance.study_instance_uid or study_uid
    return dataset


def _zone(patient: Mapping[str, str]) -> timezone | None:
    text = patient.get("TimezoneOffsetFromUTC", "")
    if len(text) != 5 or text[0] not in "+-" or not text[1:].isdigit():
        return None
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    if offset > timedelta(hours=14):
        return None
    return timezone(-offset if text[0] == "-" else offset)


def software_version() -> str:
    """Of this program, as headers hold it."""
    try:
        return version("veinscan")
    except PackageNotFoundError:
        return "0"
