"""`veinscan record ...`: what a record needs until it is final, clips' places on the leg, outlines as SEG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from veinscan.cli.common import (
    JsonOption,
    StudyArgument,
    StudyUidOption,
    choose_clips,
    open_with_record,
    start,
)
from veinscan.cli.output import Result, WrongCallError, count
from veinscan.cli.saving import ReaderOption, ReasonOption, reader_of, save, saved_json
from veinscan.errors import InvalidInputError

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.plan.checks import CheckResult
    from veinscan.plan.model import Reader, Record

record = typer.Typer(
    help="The record of a study: checks, final versions, clips' places on the leg, outlines.",
    rich_markup_mode=None,
)

FileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="F",
        help="The clip, as 'inspect' names it; repeat for more; default: all.",
        show_default=False,
    ),
]


@record.command("check")
def check(study: StudyArgument, study_uid: StudyUidOption = None, as_json: JsonOption = False) -> Result:
    """List what the checks R01 to R33 find: data errors, warnings, informations, open conflicts."""
    start()
    opened, found = open_with_record(study, study_uid)
    from veinscan.plan.checks import check_record, data_errors, open_warnings

    results = check_record(found, opened)
    ready = not (data_errors(results) or open_warnings(results) or found.conflicts)
    data = {
        "study_instance_uid": opened.study_instance_uid,
        "version": found.version,
        "state": found.status.state,
        "ready_to_finalise": ready,
        "checks": list(results),
        "conflicts": list(found.conflicts),
    }
    return Result(data, "" if as_json else _check_text(found, results, ready))


@record.command("acknowledge")
def acknowledge(
    study: StudyArgument,
    rules: Annotated[list[str], typer.Argument(metavar="RULE...", help="Such as R12.", show_default=False)],
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="UID",
            help="Only of this target, session or follow-up; default: of all.",
            show_default=False,
        ),
    ] = None,
    reason: ReasonOption = "",
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Acknowledge warnings by name; each is asked for again when what it says changes."""
    who = reader_of(reader)
    opened, found = open_with_record(study, study_uid)
    from veinscan.plan.checks import acknowledge as acknowledged
    from veinscan.plan.checks import check_record

    wanted = {rule.upper() for rule in rules}
    results = [
        one
        for one in check_record(found, opened)
        if one.rule in wanted and subject in (None, one.subject) and not one.acknowledged_by
    ]
    missing = sorted(wanted - {one.rule for one in results})
    if missing:
        raise InvalidInputError(
            f"nothing of {', '.join(missing)} is open", where=str(study), do="see 'veinscan record check'"
        )
    for one in results:
        found = acknowledged(found, one, who, reason)
    return _saved(opened, found, who, f"{count(len(results), 'warning')} acknowledged", as_json)


@record.command("settle")
def settle(
    study: StudyArgument,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Keep the values shown where two readers changed the same; the conflicts are then closed."""
    who = reader_of(reader)
    opened, found = open_with_record(study, study_uid)
    from veinscan.plan.editing import accept_conflicts

    if not found.conflicts:
        raise InvalidInputError("there is no conflict", where=str(study), do="nothing needs to be done")
    done = f"{count(len(found.conflicts), 'conflict')} settled"
    return _saved(opened, accept_conflicts(found), who, done, as_json)


@record.command("finalise")
def finalise(
    study: StudyArgument,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Make the record final, in a person's name: complete and verified."""
    who = reader_of(reader)
    opened, found = open_with_record(study, study_uid)
    from veinscan.plan.finalise import finalise as final

    return _saved(opened, final(found, who, opened), who, f"Final, by {who.name}", as_json)


@record.command("amend")
def amend(
    study: StudyArgument,
    reason: ReasonOption,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Open a final or withdrawn record for changes, with the reason."""
    who = reader_of(reader)
    opened, found = open_with_record(study, study_uid)
    from veinscan.plan.finalise import amend as amended

    return _saved(opened, amended(found, who, reason), who, "Opened for an amendment", as_json)


@record.command("withdraw")
def withdraw(
    study: StudyArgument,
    reason: ReasonOption,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Withdraw the record (wrong patient, wrong side), with the reason; it stays readable."""
    who = reader_of(reader)
    opened, found = open_with_record(study, study_uid)
    from veinscan.plan.finalise import withdraw as withdrawn

    return _saved(opened, withdrawn(found, who, reason), who, "Withdrawn", as_json)


@record.command("context")
def context(
    study: StudyArgument,
    values: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Such as side=left; repeat for more.  Fields: side, vein, level, aspect, posture, "
            "manoeuvre, plane, landmark, landmark_cm; and searched=complete, partly, unreadable or unknown.",
            show_default=False,
        ),
    ],
    files: FileOption = None,
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Say where clips lie on the leg and how far they were searched; their targets follow."""
    who = reader_of(reader)
    fields = _fields(values)
    opened, found = open_with_record(study, study_uid)
    names: list[str | None] = [*files] if files else [None]
    clips = [clip for name in names for clip in choose_clips(opened, name)]
    from veinscan.plan.clips import set_context, set_search

    searched = fields.pop("searched", None)
    if fields:
        found = set_context(found, clips, who, **fields)
    if searched is not None:
        found = set_search(found, clips, searched, who)
    return _saved(opened, found, who, f"{count(len(clips), 'clip')} labelled", as_json)


@record.command("seg")
def seg(study: StudyArgument, study_uid: StudyUidOption = None, as_json: JsonOption = False) -> Result:
    """Write the outlines of targets and accepted candidates as DICOM Segmentations beside the study."""
    start()
    opened, found = open_with_record(study, study_uid)
    from veinscan.record import save_segmentations

    paths = save_segmentations(opened, found)
    if not paths:
        raise InvalidInputError(
            "no target and no accepted candidate has an outline", where=str(study), do="draw or accept one"
        )
    data = {"study_instance_uid": opened.study_instance_uid, "files": [str(path) for path in paths]}
    return Result(data, "\n".join(str(path) for path in paths))


def _fields(pairs: list[str]) -> dict[str, str]:
    from veinscan.cli.targets import parse_pairs
    from veinscan.plan.clips import CONTEXT_FIELDS

    fields = parse_pairs(pairs, (*CONTEXT_FIELDS, "searched"))
    if not fields:
        raise WrongCallError("nothing is set", where="--set", do="give FIELD=VALUE, as in --set side=left")
    return fields


def _saved(study: Study, found: Record, who: Reader, done: str, as_json: bool) -> Result:
    saved = save(study, found, who)
    text = f"{done}; saved as version {saved.record.version}: {saved.path}"
    return Result(saved_json(study, saved), "" if as_json else text)


def _check_text(found: Record, results: tuple[CheckResult, ...], ready: bool) -> str:
    names = {target.id: f"target {target.order}" for target in found.targets}
    names |= {session.id: f"session of {session.on or 'unknown day'}" for session in found.sessions}
    names |= {visit.id: f"follow-up of {visit.on or 'unknown day'}" for visit in found.follow_ups}
    lines = [f"Version {found.version}, {found.status.state}"]
    for one in results:
        about = names.get(one.subject, "")
        by = f" (acknowledged by {one.acknowledged_by})" if one.acknowledged_by else ""
        lines.append(f"  {one.rule} {one.level}: {f'{about}: ' if about else ''}{one.sentence}{by}")
    lines += [f"  conflict: {text}" for text in found.conflicts]
    lines.append("It can be finalised." if ready else "It cannot be finalised yet.")
    return "\n".join(lines)
