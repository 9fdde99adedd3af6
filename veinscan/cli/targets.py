"""`veinscan targets list / add / import / export`: the plan of a study."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import (
    JsonOption,
    StudyArgument,
    StudyUidOption,
    choose_clips,
    open_with_record,
    start,
)
from veinscan.cli.output import Result, WrongCallError, count, table
from veinscan.cli.saving import ReaderOption, reader_of, save, saved_json

if TYPE_CHECKING:
    from veinscan.dicom import Study
    from veinscan.plan.model import Record

_HEADERS = (
    "#", "side", "vein", "diameter mm", "depth mm", "status", "clip", "frame", "row,col", "marked by", "notes"
)  # fmt: skip

_SET_HELP = (
    "Such as side=left; repeat for more.  Fields: side, vein, diameter_mm, depth_mm, length_mm, "
    "diameter_source, depth_source, artery_checked, status, notes, order, segment, level, aspect, landmark, "
    "landmark_cm, map_view, map_point, vein_class, compartment, vessel_type, artery_distance_mm, skin_entry, "
    "plane, posture, compressible, feeds_text, feeds, is_feeder, modality, ultrasound_guided, product, "
    "concentration_percent, planned_volume_ml, needle_gauge, laser."
)

targets = typer.Typer(help="The injection targets of a study.", rich_markup_mode=None)


@targets.command("list")
def list_targets(
    study: StudyArgument, study_uid: StudyUidOption = None, as_json: JsonOption = False
) -> Result:
    """List the targets of the record, in order of injection."""
    start()
    opened, record = open_with_record(study, study_uid)
    return Result(_json(record, opened), "" if as_json else _text(record, opened))


@targets.command("add")
def add(
    study: StudyArgument,
    file: Annotated[
        str, typer.Option("--file", metavar="F", help="The clip, as 'inspect' names it.", show_default=False)
    ],
    frame: Annotated[int, typer.Option(metavar="N", help="The frame, counted from 0.", show_default=False)],
    point: Annotated[
        str, typer.Option(metavar="ROW,COL", help="The place, in whole-frame pixels.", show_default=False)
    ],
    reader: ReaderOption = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help=_SET_HELP, show_default=False),
    ] = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Mark a place as a target, measure the lumen there, and save a new version of the record."""
    who = reader_of(reader)
    place = parse_point(point)
    fields = parse_fields(values or [])
    opened, record = open_with_record(study, study_uid)
    (clip,) = choose_clips(opened, file)
    from veinscan.plan.editing import add_target, target_at_point

    target = target_at_point(clip, frame, place, who, **fields)
    saved = save(opened, add_target(record, target), who)
    data = saved_json(opened, saved) | {"added": target.id}
    order = next((t.order for t in saved.record.targets if t.id == target.id), None)
    text = f"Target {order} saved as version {saved.record.version} by {who.name}: {saved.path}"
    return Result(data, text if as_json else f"{text}\n\n{_text(saved.record, opened)}")


@targets.command("export")
def export(
    study: StudyArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The JSON file.", show_default=False)
    ],
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Write the whole plan of the record as a JSON file (plan.schema.json says what it holds)."""
    start()
    opened, record = open_with_record(study, study_uid)
    from veinscan.plan.exchange import plan_text
    from veinscan.record.files import replace_file

    replace_file(output, plan_text(record, opened.study_instance_uid).encode("ascii"))
    data = _json(record, opened) | {"file": str(output)}
    return Result(data, f"{count(len(record.targets), 'target')} written to {output}")


@targets.command("import")
def import_(
    study: StudyArgument,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A JSON file that 'export' wrote.", show_default=False)
    ],
    reader: ReaderOption = None,
    study_uid: StudyUidOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Take over a plan from a JSON file: known ids are replaced, new ones added, nothing is removed."""
    who = reader_of(reader)
    from veinscan.plan.exchange import import_plan, read_plan

    plan = read_plan(file)
    opened, record = open_with_record(study, study_uid)
    saved = save(opened, import_plan(record, plan, opened), who)
    data = saved_json(opened, saved) | {"imported": len(plan.targets)}
    text = f"{count(len(plan.targets), 'target')} imported as version {saved.record.version}: {saved.path}"
    return Result(data, text if as_json else f"{text}\n\n{_text(saved.record, opened)}")


def parse_point(text: str) -> tuple[float, float]:
    """'ROW,COL' as two numbers.

    Raises
    ------
    WrongCallError
        It is something else.
    """
    parts = text.replace(";", ",").split(",")
    try:
        row, col = (float(part) for part in parts)
        if math.isfinite(row) and math.isfinite(col):
            return row, col
    except ValueError:
        pass
    raise WrongCallError(
        f"'{text}' is not a point", where="--point", do="give row and column, as in --point 212,340.5"
    )


def parse_fields(pairs: list[str]) -> dict[str, str]:
    """'field=value' pairs as a mapping; the values stay text, which the plan's own rules read.

    Raises
    ------
    WrongCallError
        A pair has no '=', a field is unknown or given twice.
    """
    from veinscan.plan.editing import EDITABLE_FIELDS

    return parse_pairs(pairs, EDITABLE_FIELDS)


def parse_pairs(pairs: list[str], names: Iterable[str]) -> dict[str, str]:
    """'field=value' pairs of fields that have one of `names`; raises WrongCallError as `parse_fields`."""
    allowed = tuple(names)
    known = ", ".join(allowed) + ", as in --set side=left"
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            raise WrongCallError(f"'{pair}' is not FIELD=VALUE", where="--set", do=f"give one of {known}")
        if name not in allowed:
            raise WrongCallError(
                f"there is no field '{name}' to set", where="--set", do=f"give one of {known}"
            )
        if name in fields:
            raise WrongCallError(f"'{name}' is given twice", where="--set", do="give it once")
        fields[name] = value
    return fields


def _json(record: Record, study: Study) -> dict[str, Any]:
    from veinscan.plan.as_json import record_json

    return record_json(record, study)


def _text(record: Record, study: Study) -> str:
    lines = [f"Study {study.study_instance_uid}"]
    if record.version == 0:
        lines.append("No record has been saved yet.")
    else:
        lines.append(f"{count(len(record.targets), 'target')}, version {record.version}")
    if record.targets:
        by_uid = {clip.sop_instance_uid: clip.file for clip in study.clips}
        rows = [
            (
                t.order,
                t.side.value,
                t.vein,
                _mm(t.diameter_mm),
                _mm(t.depth_mm),
                t.status.value,
                by_uid.get(t.sop_instance_uid, "(clip not found)") if t.has_place else "(leg map)",
                t.frame_index if t.has_place else None,
                f"{t.point[0]:.0f},{t.point[1]:.0f}" if t.has_place else None,
                t.marked_by,
                " ".join(t.notes.split())[:60],
            )
            for t in sorted(record.targets, key=lambda t: t.order)
        ]
        lines += ["", table(_HEADERS, rows, right=(0, 3, 4, 7, 8))]
    if record.reviews:
        lines += ["", f"{count(len(record.reviews), 'candidate')} reviewed"]
    if record.conflicts:
        lines += ["", "Conflicts between two saved versions:", *(f"  {text}" for text in record.conflicts)]
    if record.read_only:
        lines += ["", f"Read only: {record.read_only}"]
    return "\n".join(lines)


def _mm(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f}"
