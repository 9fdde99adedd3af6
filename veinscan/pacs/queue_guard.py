"""That an object goes to its own patient: asked of the archive before anything is sent.

The Study Instance UID alone says little: a study that was registered under a
wrong patient and put right, or a copy with another patient's header, carries
it as well.  So the archive's patient of that study is compared with the
object's.  No sentence holds a value.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from veinscan.dicom.patients import Patient, patient_in
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.model import StudyQuery, StudyRow

_PULL_AGAIN = "pull the study again from the archive, look at both, and save the plan there"


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether an object may be sent."""

    refusal: str = ""
    """Why not, and what to do; empty where it may."""
    note: str = ""
    """What a person should know."""


def study_in(archive: Archive, study_instance_uid: str, *, stop: Stop | None = None) -> StudyRow | None:
    """The study as the archive lists it, None where it does not; PacsError where it cannot be asked."""
    query = StudyQuery(study_instance_uid=study_instance_uid, modality="", limit=10)
    rows = archive.find_studies(query, stop=stop).rows
    return next((row for row in rows if row.study_instance_uid == study_instance_uid), None)


def judge(
    patient: Patient,
    kind: str,
    row: StudyRow | None,
    *,
    deidentified: bool = False,
    deidentified_study: bool = False,
) -> Judged:
    """Whether an object of a patient may go into a study as an archive lists it.

    Parameters
    ----------
    patient : Patient
        Of the object.
    kind : str
        As in `Sending.kind`.
    row : StudyRow or None
        None: the archive does not know the study.
    deidentified : bool
        As in `Facts`.
    deidentified_study : bool
        A person said that objects without the patient's identity may make a new study there.
    """
    if row is None:
        if (patient.removed or deidentified) and not deidentified_study:
            return Judged(
                "the patient's identity was removed from it and the archive does not know its study: "
                "it would stand there as a patient of its own; send it to a research archive on purpose, "
                "with the wish for a de-identified study"
            )
        if kind != "image":
            return Judged(
                note="the archive does not know the study yet: the object lies there without images"
            )
        return Judged()
    there = _patient(row)
    for what, mine, theirs in (
        ("Patient IDs", patient.number, there.number),
        ("birth dates", patient.born, there.born),
        ("issuers of the Patient IDs", patient.issuer, there.issuer),
    ):
        if mine and theirs and mine != theirs:
            return Judged(
                "not sent: the archive holds this study for another patient "
                f"(the {what} differ); {_PULL_AGAIN}"
            )
    numbered = patient.number and there.number
    if patient.names and there.names and not patient.names & there.names and not numbered:
        return Judged(f"not sent: the archive holds this study under another name; {_PULL_AGAIN}")
    return Judged()


def _patient(row: StudyRow) -> Patient:
    header = Dataset()
    header.PatientID, header.PatientName = row.patient_id, row.patient_name
    header.IssuerOfPatientID = row.issuer_of_patient_id
    header.PatientBirthDate = "" if row.birth_date is None else f"{row.birth_date:%Y%m%d}"
    return patient_in(header)
