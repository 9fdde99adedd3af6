"""`veinscan worklist create / status / next / pause / done / adjudicate`: several readers, many studies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import JsonOption, StudyUidOption, open_study, start
from veinscan.cli.output import Result, count, table
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.worklist import Assignment, Worklist

ListArgument = Annotated[Path, typer.Argument(metavar="LIST", help="Its folder.", show_default=False)]
WhoOption = Annotated[str, typer.Option("--reader", metavar="NAME", help="Who reads.", show_default=False)]

worklist = typer.Typer(help="Work lists for several readers.", rich_markup_mode=None)


@worklist.command("create")
def create(
    folder: Annotated[
        Path, typer.Argument(metavar="LIST", help="A new or empty folder.", show_default=False)
    ],
    studies: Annotated[
        list[Path], typer.Argument(metavar="STUDY...", help="Folders, files or zips.", show_default=False)
    ],
    readers: Annotated[
        list[str], typer.Option("--reader", metavar="NAME", help="Repeat for each.", show_default=False)
    ],
    without_candidates_first: Annotated[
        bool, typer.Option("--without-candidates-first", help="A first pass that shows no candidates.")
    ] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the order of each reader.")] = 0,
    as_json: JsonOption = False,
) -> Result:
    """Make a work list: every reader reads every study, in an order of his or her own."""
    start()
    from veinscan.worklist import create_worklist

    opened = [open_study(path, None) for path in studies]
    made = create_worklist(
        folder, opened, readers, without_candidates_first=without_candidates_first, seed=seed
    )
    text = f"{folder}: {count(len(opened), 'study', 'studies')} for {count(len(made.readers), 'reader')}"
    return Result(_status(made), text)


@worklist.command("status")
def status(folder: ListArgument, as_json: JsonOption = False) -> Result:
    """Say how far each reader is, and how long it took."""
    start()
    from veinscan.worklist import open_worklist

    data = _status(open_worklist(folder))
    rows = [
        (one["reader"], one["done"], one["left"], f"{one['seconds'] / 60:.1f}") for one in data["readers"]
    ]
    return Result(data, table(("reader", "done", "left", "minutes"), rows, right=(1, 2, 3)))


@worklist.command("next")
def next_one(folder: ListArgument, reader: WhoOption, as_json: JsonOption = False) -> Result:
    """Say what a reader reads next, make its reading ready, and start the clock."""
    start()
    from veinscan.worklist import open_worklist, start_reading

    made = open_worklist(folder)
    assignment = made.next(reader)
    if assignment is None:
        return Result({"assignment": None}, "Everything is done.")
    study = open_study(assignment.path, assignment.study_uid)
    record = start_reading(study, assignment)
    if record.version == 0:
        from veinscan.plan.model import Reader
        from veinscan.record import save_record

        save_record(study, record, Reader(name=reader))  # from now on the reading is there to be opened
    made.begin(assignment)
    shown = "with candidates" if assignment.candidates_shown else "without candidates"
    text = (
        f"{assignment.path}: {shown}\nNow: veinscan open {assignment.path} --reading {assignment.reading_id}"
    )
    return Result({"assignment": _plain(assignment)}, text)


@worklist.command("pause")
def pause(folder: ListArgument, reader: WhoOption, as_json: JsonOption = False) -> Result:
    """Stop the clock of what a reader has begun."""
    start()
    from veinscan.worklist import open_worklist

    made = open_worklist(folder)
    assignment = _begun(made, reader)
    made.pause(assignment)
    return Result({"assignment": _plain(assignment)}, "Paused.")


@worklist.command("done")
def done(folder: ListArgument, reader: WhoOption, as_json: JsonOption = False) -> Result:
    """Say that what a reader has begun is finished; it must have been saved."""
    start()
    from veinscan.worklist import open_worklist

    made = open_worklist(folder)
    assignment = _begun(made, reader)
    made.done(assignment, open_study(assignment.path, assignment.study_uid))
    left = sum(one.state != "done" for one in made.assignments(reader))
    return Result({"assignment": _plain(assignment), "left": left}, f"Done; {left} left.")


@worklist.command("adjudicate")
def adjudicate(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="Folder, file or zip.", show_default=False)],
    reader: WhoOption,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Begin a reading that decides between the readers of a study; it names them as its sources."""
    start()
    from veinscan.plan.model import Reader
    from veinscan.record import save_record
    from veinscan.worklist import start_adjudication

    opened = open_study(study, study_uid)
    record, sources = start_adjudication(opened)
    saved = save_record(opened, record, Reader(name=reader))
    data = {
        "reading_id": saved.record.reading.id,
        "sources": [{"reading_id": one.reading.id, "readers": list(one.readers)} for one in sources],
        "agreed": len(record.reviews),
        "file": str(saved.path),
    }
    agreed = count(len(record.reviews), "verdict")
    text = (
        f"{count(len(sources), 'reading')} to decide between; {agreed} agreed.\n"
        f"Now: veinscan open {study} --reading {saved.record.reading.id}"
    )
    return Result(data, text)


def _begun(made: Worklist, reader: str) -> Assignment:
    found = made.next(reader)
    if found is None or found.state != "begun":
        raise InvalidInputError("nothing is begun", do="begin with 'veinscan worklist next'")
    return found


def _plain(assignment: Assignment) -> dict[str, Any]:
    return {
        "path": str(assignment.path),
        "study_instance_uid": assignment.study_uid,
        "reading_id": assignment.reading_id,
        "candidates_shown": assignment.candidates_shown,
        "state": assignment.state,
        "seconds": assignment.seconds,
    }


def _status(made: Worklist) -> dict[str, Any]:
    readers = []
    for reader in made.readers:
        mine = made.assignments(reader)
        finished = [one for one in mine if one.state == "done"]
        readers.append(
            {
                "reader": reader,
                "done": len(finished),
                "left": len(mine) - len(finished),
                "seconds": sum(one.seconds for one in mine),
                "assignments": [_plain(one) for one in mine],
            }
        )
    return {"readers": readers}
