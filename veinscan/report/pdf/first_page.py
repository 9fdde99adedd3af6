"""The page for the procedure room: map, table, sums, pictures and warnings, on one page where they fit."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.lib.units import mm
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.flowables import Flowable, Spacer

from veinscan.report.leg_map.pdf import LegMapFlowable
from veinscan.report.pdf.pictures import picture_grid
from veinscan.report.pdf.style import ALERT, EVERY, GREY, facts_grid, height_of, padding, small_table
from veinscan.report.pdf.target_table import target_table
from veinscan.report.sheet import SCOPE, Sheet, WarningLine
from veinscan.report.text import Typesetter

_MAP_MM = (34.0, 70.0)
"""Height of the leg map, least and most."""
_WIDE_ENOUGH = (3, 4, 5, 6)
"""Pictures in a row that are good to look at; more than these only to keep everything on one page."""
_SMALLEST = 8


@dataclass(frozen=True, slots=True)
class FirstPage:
    """What stands on it, and whether the warnings still have to be told in full."""

    story: list[Flowable]
    warnings_told: bool


def first_page(typesetter: Typesetter, sheet: Sheet, width: float, height: float) -> FirstPage:
    """The page, `height` points high; where the table is longer it goes on over further ones."""
    head = _head(typesetter, sheet, width)
    sums = _sums(typesetter, sheet)
    compared = _compared(typesetter, sheet, width)
    notes = _map_notes(typesetter, sheet)
    full = warning_lines(typesetter, sheet.warnings)
    short = _short_warnings(typesetter, sheet)
    sides = sheet.sides
    least = _MAP_MM[0] * mm if sides else 0.0
    fixed = height_of([*head, *compared, *sums, *notes], width) + least + 3 * mm
    chosen = _fitting(typesetter, sheet, width, height - fixed, full, short)
    if chosen is None:  # more than a page whatever is left out: then there is room for the map
        chosen = _table(typesetter, sheet, width, dense=True), [], full, height
    table, pictures, warnings, rest = chosen
    drawn: list[Flowable] = []
    if sides:
        legs = LegMapFlowable(sheet.legs, width, min(least + rest, _MAP_MM[1] * mm), sides)
        legs.hAlign = "CENTER"
        drawn = [legs]
    story = [*head, *drawn, *notes, *compared, *table, *sums, *pictures, *warnings]
    return FirstPage(story, warnings_told=warnings is full)


def _fitting(
    typesetter: Typesetter,
    sheet: Sheet,
    width: float,
    room: float,
    full: list[Flowable],
    short: list[Flowable],
) -> tuple[list[Flowable], list[Flowable], list[Flowable], float] | None:
    """Table, pictures and warnings that fit into `room`, and what they leave of it; None where none do."""
    for dense in (False, True):
        table = _table(typesetter, sheet, width, dense=dense)
        left = room - height_of(table, width)
        if left < 0:
            continue
        for warnings, columns in _ways(full, short, len(sheet.rows)):
            pictures = _pictures(typesetter, sheet, width, columns)
            rest = left - height_of(pictures, width) - height_of(warnings, width)
            if rest >= 0 and (columns or dense or not sheet.rows):
                return table, pictures, warnings, rest
    return None


def _table(typesetter: Typesetter, sheet: Sheet, width: float, *, dense: bool) -> list[Flowable]:
    if not sheet.rows and sheet.comparison is not None:
        return []
    return [target_table(typesetter, sheet.rows, width, dense=dense)]


def warning_lines(typesetter: Typesetter, warnings: Sequence[WarningLine]) -> list[Flowable]:
    """Every warning on its line; who acknowledged it stands beside."""
    return [typesetter.text(one.words(), 7, colour=GREY if one.acknowledged else ALERT) for one in warnings]


def _ways(full: list[Flowable], short: list[Flowable], targets: int) -> list[tuple[list[Flowable], int]]:
    """Warnings and pictures in a row, the best first; 0: no pictures."""
    if not targets:
        return [(full, 0), (short, 0)]
    # four stand in one row, not three and one
    wide = [n for n in _WIDE_ENOUGH if (n, targets) != (3, 4)]
    small = range(_WIDE_ENOUGH[-1] + 1, _SMALLEST + 1)
    return [
        *((full, n) for n in wide),
        *((short, n) for n in wide),
        *((full, n) for n in small),
        *((short, n) for n in small),
        (full, 0),
        (short, 0),
    ]


def _head(typesetter: Typesetter, sheet: Sheet, width: float) -> list[Flowable]:
    text = typesetter.text
    cell = typesetter.cell
    person = [cell(sheet.person.name, 12, bold=True), cell(sheet.person.particulars(), 9)]
    top = PdfTable(
        [[text(sheet.title, 16, bold=True), person]], colWidths=[50 * mm, width - 50 * mm], hAlign="LEFT"
    )
    top.setStyle([("VALIGN", *EVERY, "TOP"), *padding(0, 0.4)])
    head: list[Flowable] = [top, facts_grid(typesetter, sheet.head_facts, width), text(SCOPE, 8, bold=True)]
    head += [
        text(f"Conflict to be settled: {conflict}", 8, colour=ALERT, bold=True)
        for conflict in sheet.conflicts
    ]
    return [*head, Spacer(1, 2 * mm)]


def _compared(typesetter: Typesetter, sheet: Sheet, width: float) -> list[Flowable]:
    if sheet.comparison is None:
        return []
    facts = facts_grid(typesetter, sheet.comparison_facts, width, columns=1)
    return [facts, *small_table(typesetter, sheet.comparison, width)]


def _map_notes(typesetter: Typesetter, sheet: Sheet) -> list[Flowable]:
    return [typesetter.text(sheet.map_note, 6.5, colour=GREY)] if sheet.map_note else []


def _sums(typesetter: Typesetter, sheet: Sheet) -> list[Flowable]:
    """What is planned in all beside the label's numbers."""
    if not sheet.sums:
        return []
    lines: list[Flowable] = [Spacer(1, 1.5 * mm), typesetter.text(sheet.sums, 8.5, bold=True)]
    if sheet.limits:
        lines.append(typesetter.text(f"Limits of the labels: {'; '.join(sheet.limits)}.", 7))
    return lines


def _pictures(typesetter: Typesetter, sheet: Sheet, width: float, columns: int) -> list[Flowable]:
    if not columns:
        if not sheet.rows:
            return []
        return [typesetter.text("Pictures of the targets: on the following pages.", 7, colour=GREY)]
    return [
        Spacer(1, 1 * mm),
        picture_grid(typesetter, sheet.rows, sheet.close_ups, width, columns),
    ]


def _short_warnings(typesetter: Typesetter, sheet: Sheet) -> list[Flowable]:
    """How many there are; in full they stand on the last page."""
    count, opened = len(sheet.warnings), len(sheet.open_warnings)
    if not count:
        return []
    said = f"{count} warning{'s' * (count != 1)}, {opened} not acknowledged: in full on the last page."
    return [typesetter.text(said, 8, colour=ALERT if opened else GREY, bold=bool(opened))]
