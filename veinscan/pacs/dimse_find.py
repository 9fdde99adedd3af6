"""C-FIND: what an archive holds, at the levels of studies, series and objects (PS3.4 C.4.1, C.6.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

import pydicom
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import sop_class
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.dsutils import decode, encode

from veinscan.dicom.guard import only_veinscan_errors
from veinscan.dicom.header import quiet
from veinscan.dicom.values import text, uid
from veinscan.errors import PacsError
from veinscan.pacs.dimse_association import Line
from veinscan.pacs.dimse_peer import Asked
from veinscan.pacs.dimse_words import failed, query_status
from veinscan.pacs.model import InstanceRow, StudyQuery, StudyRow, StudyRows
from veinscan.pacs.rows import answers, day_range, in_order, instance_row, latest_first, study_row

FIND = sop_class.StudyRootQueryRetrieveInformationModelFind  # type: ignore[attr-defined]
PLAIN_SYNTAXES = (ExplicitVRLittleEndian, ImplicitVRLittleEndian)
ASK_FIND = Asked(FIND, PLAIN_SYNTAXES)
MAX_OBJECTS = 200_000
"""Objects of one study, as of one folder."""
MAX_SERIES = 10_000
_PENDING = (0xFF00, 0xFF01)
_STUDY_KEYS = (
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ModalitiesInStudy",
    "StudyDescription",
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
)


def find_studies(line: Line, query: StudyQuery) -> StudyRows:
    """Studies of an archive, latest first; C-FIND has no pages, so a limit ends the answer (C-CANCEL)."""
    asked = {
        "StudyInstanceUID": query.study_instance_uid,
        "StudyDate": day_range(query),
        "AccessionNumber": query.accession,
        "PatientName": query.patient_name,
        "PatientID": query.patient_id,
        "ModalitiesInStudy": query.modality,
    }
    # said even where the query is plain: archives answer in the character set that they are asked in,
    # and names that do not fit into another one come back maimed
    asked["SpecificCharacterSet"] = "ISO_IR 192"
    rows: dict[str, StudyRow] = {}
    for dataset in find(line, "STUDY", dict.fromkeys(_STUDY_KEYS, "") | asked, limit=_looked_at(query)):
        if dataset is None:
            return StudyRows(latest_first(rows.values()), complete=False)
        row = study_row(dataset)
        if row is None or not answers(row, query):
            continue
        if row.study_instance_uid not in rows and len(rows) >= query.limit:
            return StudyRows(latest_first(rows.values()), complete=False)
        rows[row.study_instance_uid] = row
    return StudyRows(latest_first(rows.values()), complete=True)


def find_instances(
    line: Line, study_uid: str, *, series_uid: str = "", sop_uid: str = "", modality: str = ""
) -> tuple[InstanceRow, ...]:
    """Objects of one study: its series first, then those of each (PS3.4 C.4.1.3.1, hierarchical search)."""
    within = {"StudyInstanceUID": study_uid}
    keys = dict.fromkeys(("Modality", "SeriesNumber"), "")
    series = [
        one
        for one in find(
            line, "SERIES", keys | within | {"SeriesInstanceUID": series_uid}, limit=MAX_SERIES, whole=True
        )
        if _is_of(one, "StudyInstanceUID", study_uid) and _is_of(one, "SeriesInstanceUID", series_uid)
    ]
    rows: list[InstanceRow] = []
    for one in series:
        with quiet():
            number, kind = uid(one, "SeriesInstanceUID"), text(one, "Modality").upper()
        if not number or (modality and kind and kind != modality.upper()):
            continue
        objects = dict.fromkeys(("SOPClassUID", "InstanceNumber", "NumberOfFrames"), "")
        asked = objects | within | {"SeriesInstanceUID": number, "SOPInstanceUID": sop_uid}
        for found in find(line, "IMAGE", asked, limit=MAX_OBJECTS - len(rows), whole=True):
            row = instance_row(found, study_uid, one)
            if (
                row is not None
                and row.series_instance_uid == number
                and sop_uid in ("", row.sop_instance_uid)
            ):
                rows.append(row)
    return in_order(rows)


def find(
    line: Line, level: str, keys: Mapping[str, str], *, limit: int, whole: bool = False
) -> Iterator[Any]:
    """Answers to one C-FIND, one by one; after `limit` of them None, or PacsError where `whole`.

    A caller that stops asking cancels the request.
    """
    context = line.context(FIND)
    if context is None:
        raise PacsError(
            "the archive offers no query (C-FIND)",
            where=line.watch.peer.where,
            do="ask its administrator to allow it for our AE title",
            step="find",
        )
    request = C_FIND()
    request.MessageID = line.number()
    request.AffectedSOPClassUID = FIND
    request.Priority = 0
    syntax = context.transfer_syntax[0]
    request.Identifier = BytesIO(encoded({"QueryRetrieveLevel": level} | dict(keys), syntax))
    line.send(request, context.context_id)
    over = False
    try:
        count = 0
        while True:
            answer: Any = line.next().primitive
            if not isinstance(answer, C_FIND) or answer.MessageIDBeingRespondedTo != request.MessageID:
                raise line.unexpected()
            status = line.status(answer)
            if status not in _PENDING:
                over = True
                if status != 0x0000:
                    raise failed(
                        "the query",
                        query_status(status),
                        status,
                        where=line.watch.peer.where,
                        step="find",
                    )
                return
            count += 1
            if count > limit:
                if whole:
                    raise PacsError(
                        f"the archive lists more than {limit} for one study",
                        where=line.watch.peer.where,
                        step="find",
                    )
                yield None
                return
            yield decoded(answer.Identifier, syntax, line)
    except PacsError:
        over = True  # an archive that does not answer, or not with sense, is not asked again
        raise
    finally:
        if not over:
            line.cancel(context.context_id, request.MessageID, C_FIND)


def encoded(keys: Mapping[str, str], syntax: Any) -> bytes:
    """An identifier; text in UTF-8 (PS3.3 C.12.1.1.2)."""
    dataset = pydicom.Dataset()
    with quiet(), only_veinscan_errors("the query cannot be written", error=PacsError):
        for keyword, value in keys.items():
            setattr(dataset, keyword, value)
        data = encode(dataset, syntax.is_implicit_VR, syntax.is_little_endian)
    if data is None:
        raise PacsError("the query cannot be written", step="find")
    return bytes(data)


def decoded(identifier: Any, syntax: Any, line: Line) -> Any:
    """The data set of an answer."""
    if identifier is None or getattr(identifier, "sink", None) is None:
        return pydicom.Dataset()
    with (
        quiet(),
        only_veinscan_errors(
            "the archive's answer cannot be read", where=line.watch.peer.where, error=PacsError
        ),
    ):
        return decode(BytesIO(identifier.sink.getvalue()), syntax.is_implicit_VR, syntax.is_little_endian)


def _is_of(dataset: Any, keyword: str, asked: str) -> bool:
    with quiet():
        return not asked or uid(dataset, keyword) in ("", asked)


def _looked_at(query: StudyQuery) -> int:
    """Answers to look at: an archive that does not match every key sends more than fit the query."""
    return max(query.limit, 0) * 20 + 1000
