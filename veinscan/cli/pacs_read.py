"""`veinscan pacs query` and `pull`: what an archive holds, and a study from it."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.output import Result, WrongCallError, count, table
from veinscan.cli.pacs_options import DimseOption, PacsOption, day_of, word_of
from veinscan.pacs.words import name_words, size_words

if TYPE_CHECKING:
    from veinscan.pacs.model import StudyRow, StudyRows
    from veinscan.pacs.pull import PulledStudy

WORDS = "; * and ? stand for any text; '-' asks for it"


def query(
    patient: Annotated[
        str | None, typer.Option(metavar="ID", help=f"Patient ID{WORDS}.", show_default=False)
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=f"How the patient's name begins{WORDS}.", show_default=False),
    ] = None,
    accession: Annotated[
        str | None, typer.Option(metavar="NUMBER", help=f"Accession number{WORDS}.", show_default=False)
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="As in 2026-01-31.", show_default=False)
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="The last day, included.", show_default=False)
    ] = None,
    modality: Annotated[str, typer.Option(metavar="M", help="Such as US; 'any' for all.")] = "US",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=10_000, help="Studies at most.")] = 50,
    pacs: PacsOption = None,
    dimse: DimseOption = None,
    as_json: JsonOption = False,
) -> Result:
    """List studies of an archive, latest first.

    What stands in a call can be read by other users of the machine: '-' as ID, NAME or NUMBER asks for it,
    or reads it from standard input, one line each in the order ID, NAME, NUMBER.
    """
    first_day, last_day = day_of(first, "--from"), day_of(last, "--to")
    if first_day and last_day and first_day > last_day:
        raise WrongCallError("the first day is after the last", where="--from", do="exchange the two")
    start()
    from veinscan.pacs.connect import connect
    from veinscan.pacs.model import StudyQuery
    from veinscan.pacs.search import search

    patient_id, typed = word_of(patient, "Patient ID"), word_of(name, "Patient's name")
    wanted = StudyQuery(
        patient_id=patient_id,
        accession=word_of(accession, "Accession number"),
        first_day=first_day,
        last_day=last_day,
        modality="" if modality.lower() in ("any", "all", "*") else modality.upper(),
        limit=limit,
    )
    from veinscan.cli.interrupt import Interrupt

    with Interrupt("") as stop, connect(pacs, dimse=dimse) as archive:
        found = search(archive, wanted, name=typed, stop=stop)
        data = {"archive": archive.name, "complete": found.complete, "studies": [_row(r) for r in found.rows]}
    return Result(data, "" if as_json else _query_text(found, archive.name, wanted.modality))


def pull(
    study_uid: Annotated[
        str, typer.Argument(metavar="STUDY_UID", help="As 'query' lists it.", show_default=False)
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="The study's folder.", show_default=False),
    ],
    pacs: PacsOption = None,
    dimse: DimseOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Bring a study with its plans from an archive into a folder; called again it goes on.

    Exit code 1 when an object of the study did not arrive.
    """
    start()
    from veinscan.cli.interrupt import Interrupt
    from veinscan.cli.progress import Bar
    from veinscan.errors import CancelledError
    from veinscan.pacs.connect import connect
    from veinscan.pacs.pull import pull as pull_study

    with Interrupt() as stop, connect(pacs, dimse=dimse) as archive, Bar("Pulling", total=1) as bar:

        def progress(done: int, total: int, size: int) -> None:
            bar.label(f"{done} of {count(total, 'object')}, {size_words(size)}")
            bar.update(done, total)

        try:
            pulled = pull_study(
                archive, study_uid.strip(), output, dimse=dimse or "", progress=progress, stop=stop
            )
        except CancelledError as stopped:
            stopped.do = "the same command goes on where it stopped"
            raise
    return Result(_pulled_json(pulled), "" if as_json else _pulled_text(pulled), 1 if pulled.failed else 0)


def _row(row: StudyRow) -> dict[str, Any]:
    return {
        "study_instance_uid": row.study_instance_uid,
        "date": row.on,
        "time": row.time or None,
        "patient_name": row.patient_name,
        "patient_id": row.patient_id,
        "issuer_of_patient_id": row.issuer_of_patient_id,
        "birth_date": row.birth_date,
        "accession": row.accession,
        "description": row.description,
        "modalities": row.modalities,
        "series": row.series,
        "instances": row.instances,
    }


def _query_text(found: StudyRows, archive: str, modality: str) -> str:
    if not found.rows:
        of = f" of modality {modality} (--modality any takes all)" if modality else ""
        return f"{archive}: no study{of} matches."
    rows = [
        (
            row.on,
            row.time,
            name_words(row.patient_name),
            row.birth_date,
            row.patient_id,
            row.accession or None,
            "/".join(row.modalities) or None,
            row.instances,
            row.description,
            row.study_instance_uid,
        )
        for row in found.rows
    ]
    headers = ("day", "time", "patient", "born", "ID", "accession", "modality", "objects", "study", "UID")
    shown = [i for i in range(len(headers)) if any(row[i] not in (None, "") for row in rows)]
    text = table(
        [headers[i] for i in shown],
        [[row[i] for i in shown] for row in rows],
        right=[n for n, i in enumerate(shown) if headers[i] == "objects"],
    )
    if found.complete:
        return f"{text}\n{count(len(rows), 'study', 'studies')}."
    return f"{text}\nThe latest {len(rows)}; there are more: ask more narrowly, or with a larger --limit."


def _pulled_json(pulled: PulledStudy) -> dict[str, Any]:
    return {
        "study_instance_uid": pulled.study_instance_uid,
        "folder": os.path.abspath(pulled.folder),  # noqa: PTH100  (links stay as given)
        "objects": len(pulled.files),
        "fetched": pulled.fetched,
        "bytes": pulled.bytes,
        "failed": pulled.failed,
        "notes": pulled.notes,
    }


def _pulled_text(pulled: PulledStudy) -> str:
    lines = [f"{pulled.folder}: {pulled.sentence}", *(f"  note: {note}" for note in pulled.notes)]
    lines += [f"  not here: {one.sop_instance_uid}: {one.reason}" for one in pulled.failed]
    if pulled.failed:
        lines.append("The same command tries again what is missing.")
    else:
        lines.append(f"Now: veinscan open {shlex.quote(str(pulled.folder))}")
    return "\n".join(lines)
