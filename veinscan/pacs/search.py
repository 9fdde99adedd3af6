"""Studies by what a person typed: the beginning of a name, in capitals or not."""

from __future__ import annotations

import re
from dataclasses import replace

from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.model import StudyQuery, StudyRow, StudyRows
from veinscan.pacs.rows import fits, latest_first
from veinscan.pacs.words import name_pattern

_UNSAFE = re.compile(r"[^A-Za-z0-9*?.'-]+")
"""Not every archive reads these in a query: Orthanc's DICOMweb plugin 1.7 takes an escape as it stands."""


def search(archive: Archive, query: StudyQuery, *, name: str = "", stop: Stop | None = None) -> StudyRows:
    """Studies that match, latest first.

    Whether capitals count in a name is for the archive to say (PS3.4 C.2.2.2.1), and most keep names in
    capitals: the name is asked for as it was typed, in capitals, and with a capital at each beginning.

    Parameters
    ----------
    archive : Archive
    query : StudyQuery
    name : str
        As typed: 'berg anna', or with wildcards; goes before `query.patient_name`.
    stop : callable, optional
        See `Archive`.
    """
    typed = name_pattern(name)
    if not typed:
        return archive.find_studies(query, stop=stop)
    answers = [
        archive.find_studies(replace(query, patient_name=pattern), stop=stop)
        for pattern in dict.fromkeys((typed, typed.upper(), typed.title()))
    ]
    plain = _UNSAFE.sub("*", typed)
    if plain != typed and not any(one.rows for one in answers):
        loose = archive.find_studies(replace(query, patient_name=plain), stop=stop)
        answers.append(StudyRows(tuple(row for row in loose.rows if _named(row, typed)), loose.complete))
    rows = latest_first({row.study_instance_uid: row for one in answers for row in one.rows}.values())
    complete = all(one.complete for one in answers) and len(rows) <= query.limit
    return StudyRows(rows[: query.limit], complete=complete)


def _named(row: StudyRow, pattern: str) -> bool:
    """Whether one of the writings of a name (PS3.5 6.2.1.2) is as asked for."""
    return any(fits(writing, pattern) for writing in row.patient_name.split("="))
