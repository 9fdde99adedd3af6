"""The pages after the first: each target with its pictures and everything that is known of it."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from reportlab.lib.units import mm
from reportlab.platypus.flowables import Flowable, HRFlowable, KeepTogether, Spacer

from veinscan.report.pdf.first_page import warning_lines
from veinscan.report.pdf.pictures import side_by_side
from veinscan.report.pdf.style import GREY, LINE, facts_grid, small_table
from veinscan.report.sheet import Sheet, TargetSheet, Visit
from veinscan.report.text import Typesetter

_PICTURE_MM = 42.0
"""Largest height of a picture."""
_SHORT_NOTE = 400
"""Characters of a note that are kept together with its target; a longer one may go on over pages."""


def target_block(typesetter: Typesetter, target: TargetSheet, width: float) -> list[Flowable]:
    """One target; its parts stay on one page."""
    together: list[Flowable] = [
        HRFlowable(width="100%", color=LINE, thickness=0.6, spaceBefore=1, spaceAfter=3),
        typesetter.text(target.title, 12, bold=True),
        Spacer(1, 1 * mm),
        side_by_side(typesetter, target.shots, width, _PICTURE_MM * mm),
        facts_grid(typesetter, target.facts, width),
    ]
    for table in target.tables:
        together += small_table(typesetter, table, width)
    notes: list[Flowable] = []
    if target.notes:
        notes = [typesetter.text("Notes", 6.5, colour=GREY)]
        notes += [
            typesetter.text(part, 8) if part.strip() else Spacer(1, 8) for part in target.notes.split("\n")
        ]
    if len(target.notes) <= _SHORT_NOTE and target.notes.count("\n") < 5:
        return [KeepTogether([*together, *notes]), Spacer(1, 3 * mm)]
    return [KeepTogether(together), *notes, Spacer(1, 3 * mm)]


def visit_block(typesetter: Typesetter, visit: Visit, width: float) -> list[Flowable]:
    """One follow-up visit."""
    block: list[Flowable] = [
        HRFlowable(width="100%", color=LINE, thickness=0.6, spaceBefore=1, spaceAfter=3),
        typesetter.text(visit.title, 12, bold=True),
        facts_grid(typesetter, visit.facts, width),
        Spacer(1, 1 * mm),
    ]
    for table in visit.tables:
        block += small_table(typesetter, table, width)
    return block


def last_part(typesetter: Typesetter, sheet: Sheet, width: float, *, with_warnings: bool) -> list[Flowable]:
    """Measurements, warnings where the first page had no room for them, and what it was computed with."""
    story: list[Flowable] = []
    for table in sheet.measurements:
        story += small_table(typesetter, table, width)
    if with_warnings and sheet.warnings:
        story += [typesetter.text("Warnings", 9, bold=True), *warning_lines(typesetter, sheet.warnings)]
        story.append(Spacer(1, 2 * mm))
    if typesetter.long_texts:
        story.append(typesetter.text("Long texts in full", 9, bold=True))
    for number, text in enumerate(typesetter.long_texts, start=1):
        parts = text.split("\n")
        story.append(typesetter.text(f"{number}: {parts[0]}", 8))
        story += [typesetter.text(part, 8) if part.strip() else Spacer(1, 8) for part in parts[1:]]
        story.append(Spacer(1, 2 * mm))
    said = " ".join([*sheet.computed_with, *typesetter.notes()])
    story.append(KeepTogether([typesetter.text("Computed with", 9, bold=True), typesetter.text(said, 7)]))
    return story
