"""Who may be one person: studies whose headers leave it open, and what a person said about them.

A pseudonym is made of the Patient ID, else of name and birth date: a study
without an ID, or with one of another clinic, gets a pseudonym of its own even
where it is of somebody who is there already, and two clinics may have given
one ID to two persons.  Nothing is guessed here.  Whoever may be one person is
put into one split, every such question is told in words without patient data,
and a file of pseudonyms answers them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from veinscan.dicom.patients import Match, Patient, match_patients
from veinscan.errors import InvalidInputError
from veinscan.export.model import Item
from veinscan.export.names import study_mark

COLUMNS = ("what", "patient")
MAX_BYTES = 16 * 2**20
_PATIENT = re.compile(r"P-[A-Z2-7]{10}(?:-\d{1,3})?")
"""As `patient_pseudonym` makes them, with a number for one who has none yet: nobody's name fits in."""
_WHAT = re.compile(rf"{_PATIENT.pattern}|(?:{_PATIENT.pattern}_)?S-[A-Z2-7]{{8}}")


@dataclass(frozen=True, slots=True)
class Question:
    """Two patients who may be one, or one who may be two."""

    patients: tuple[str, ...]
    """Pseudonyms: two that may be one person, or one that may stand for two."""
    studies: tuple[str, ...]
    """Names of the studies that it is about."""
    what: str
    """In words, without patient data."""


def questions_of(items: Iterable[Item]) -> list[Question]:
    """What the headers of some studies leave open about who is who, in the order of their names."""
    persons: dict[tuple[str, Patient], list[str]] = {}
    for item in items:
        if item.person is not None:
            persons.setdefault((item.patient, item.person), []).append(item.name)
    found: dict[tuple[str, ...], dict[str, set[str]]] = {}
    for (one, a), (other, b) in _pairs(list(persons)):
        match = match_patients(a, b)
        if one == other and match.verdict is Match.OTHER:
            what = f"may stand for two patients: {match.reason}"
        elif one != other and match.verdict is not Match.OTHER:
            what = f"may be one person: {match.reason}; they are in one split"
        else:
            continue
        names = {*persons[one, a], *persons[other, b]}
        found.setdefault(tuple(sorted({one, other})), {}).setdefault(what, set()).update(names)
    return [
        Question(patients, tuple(sorted(names)), what)
        for patients, by_words in sorted(found.items())
        for what, names in sorted(by_words.items())
    ]


def _pairs(
    persons: Sequence[tuple[str, Patient]],
) -> Iterator[tuple[tuple[str, Patient], tuple[str, Patient]]]:
    """Those that can be one person: of one ID, or born on one day with a part of the name in common."""
    alike: dict[tuple[str, str], list[int]] = {}
    for index, (_, person) in enumerate(persons):
        keys = {("", person.number)} if person.number else set()
        keys |= {(person.born, name) for name in person.names if person.born}
        for key in keys:
            alike.setdefault(key, []).append(index)
    seen = {pair for indices in alike.values() for pair in combinations(indices, 2)}
    for one, other in sorted(seen):
        yield persons[one], persons[other]


def groups_of(patients: Iterable[str], questions: Iterable[Question]) -> dict[str, str]:
    """Of every patient the first of those who may be the same person: whom a split must not part."""
    first = {patient: patient for patient in patients}

    def head(patient: str) -> str:
        while first[patient] != patient:
            patient = first[patient]
        return patient

    for question in questions:
        heads = sorted({head(patient) for patient in question.patients})
        for other in heads[1:]:
            first[other] = heads[0]
    return {patient: head(patient) for patient in first}


def read_people(path: Path) -> tuple[tuple[str, str], ...]:
    """What a person said: a CSV file with the columns `what` and `patient`.

    `what` is the pseudonym of a patient or the name of a study (or its end,
    'S-...'), `patient` the pseudonym of the patient that it is of.

    Raises
    ------
    InvalidInputError
        It cannot be read, is no such file, or says two things of one.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InvalidInputError(
            f"the list of patients cannot be read: {reason}", where=str(path), do="check the path"
        ) from error
    except UnicodeDecodeError:
        raise InvalidInputError(
            "the list of patients is no UTF-8 text", where=str(path), do="save it as CSV in UTF-8"
        ) from None
    rows = list(csv.reader(data.splitlines()))
    if not rows or tuple(cell.strip() for cell in rows[0]) != COLUMNS:
        raise InvalidInputError("its first line is not 'what,patient'", where=str(path), do="write it so")
    found: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        if len(cells) != 2 or not _WHAT.fullmatch(cells[0]) or not _PATIENT.fullmatch(cells[1]):
            raise InvalidInputError(
                f"line {number} is not a pseudonym or study and a pseudonym",
                where=str(path),
                do="take them from not_judged.json, such as P-ABCDE23456,P-FGHIJ23456",
            )
        what = cells[0] if _PATIENT.fullmatch(cells[0]) else study_mark(cells[0])
        if found.setdefault(what, cells[1]) != cells[1]:
            raise InvalidInputError(f"line {number} says another thing of {what}", where=str(path))
    return tuple(sorted(found.items()))


def patient_for(patient: str, study: str, said: Sequence[tuple[str, str]]) -> str:
    """Whom a study is of, by what a person said: of the study itself, else of its patient, else as it was.

    Parameters
    ----------
    patient : str
        Pseudonym by the header.
    study : str
        'S-...'.
    said
        As `read_people` gives it.
    """
    table = dict(said)
    found = table.get(study, patient)
    seen = set()
    while found in table and found not in seen:  # A is B, and B is C
        seen.add(found)
        found = table[found]
    return min(seen) if found in seen else found
