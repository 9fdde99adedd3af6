"""What every part of a printed page shares: margins, colours, small tables."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.platypus import LongTable
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.flowables import Flowable, Spacer

from veinscan.report.sheet import Table
from veinscan.report.text import REGULAR, Typesetter

MARGIN = 10 * mm
INK, GREY, LINE, HEAD, ALERT = (HexColor(c) for c in ("#111111", "#555555", "#999999", "#e8eef2", "#9a3b00"))

EVERY = ((0, 0), (-1, -1))
"""All cells of a table."""


def padding(across: float, along: float) -> Sequence[tuple[Any, ...]]:
    """Commands of a table: room round the content of each cell, mm."""
    return [
        # reportlab names a font for cells without text too, and this one is embedded
        ("FONTNAME", *EVERY, REGULAR),
        ("LEFTPADDING", *EVERY, across * mm),
        ("RIGHTPADDING", *EVERY, across * mm),
        ("TOPPADDING", *EVERY, along * mm),
        ("BOTTOMPADDING", *EVERY, along * mm),
    ]


def height_of(flowables: Sequence[Flowable], width: float) -> float:
    """What flowables take one below the other, points."""
    return float(sum(flowable.wrap(width, 10_000)[1] for flowable in flowables))


def small_table(typesetter: Typesetter, table: Table, width: float) -> list[Flowable]:
    """A titled table; it goes on over pages with its headers."""
    header = [typesetter.text(text, 6.5, colour=GREY) for text in table.headers]
    rows = [header, *([typesetter.cell(cell, 7) for cell in row] for row in table.rows)]
    total = sum(table.widths)
    drawn = LongTable(
        rows, colWidths=[width * share / total for share in table.widths], repeatRows=1, hAlign="LEFT"
    )
    drawn.setStyle(
        [
            ("LINEBELOW", (0, 0), (-1, -1), 0.3, LINE),
            ("BACKGROUND", (0, 0), (-1, 0), HEAD),
            ("VALIGN", *EVERY, "TOP"),
            *padding(0.8, 0.6),
        ]
    )
    return [typesetter.text(table.title, 9, bold=True), Spacer(1, 0.8 * mm), drawn, Spacer(1, 2 * mm)]


def facts_grid(
    typesetter: Typesetter, facts: Sequence[tuple[str, str]], width: float, *, columns: int = 2
) -> Flowable:
    """Names and values, `columns` pairs beside each other, read down."""
    label = 24 * mm
    value = width / columns - label
    count = -(-len(facts) // columns)
    rows: list[list[Any]] = []
    for i in range(count):
        row: list[Any] = []
        for name, text in facts[i::count]:
            row += [typesetter.text(name, 6.5, colour=GREY), typesetter.cell(text, 7.5)]
        rows.append([*row, *([""] * (2 * columns - len(row)))])
    grid = PdfTable(rows or [[""] * 2 * columns], colWidths=[label, value] * columns, hAlign="LEFT")
    grid.setStyle([("VALIGN", *EVERY, "TOP"), *padding(0.4, 0.4)])
    return grid
