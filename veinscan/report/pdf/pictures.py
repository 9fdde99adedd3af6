"""Pictures on a page: in a grid with their numbers, or side by side."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import io
from collections.abc import Sequence

from reportlab.lib.units import mm
from reportlab.platypus import Table as PdfTable
from reportlab.platypus.flowables import Flowable, Image

from veinscan.report.pdf.style import EVERY, GREY, padding
from veinscan.report.sheet import Row, Shot
from veinscan.report.text import Typesetter

GAP = 1.5 * mm


def picture_grid(
    typesetter: Typesetter, rows: Sequence[Row], shots: Sequence[Shot], width: float, columns: int
) -> Flowable:
    """The close-ups of the targets, each with its number, diameter and depth below."""
    room = width / columns - 2 * GAP
    cells = []
    for row, shot in zip(rows, shots, strict=True):
        said = [row.side, row.vein]
        said.append(f"Ø {row.diameter} mm" if row.diameter else "")
        said.append(f"{row.depth} mm deep" if row.depth else "")
        words = ", ".join(part for part in said if part)
        cells.append([_picture(typesetter, shot, room, room), typesetter.cell(f"{row.number}: {words}", 6.5)])
    cells += [[]] * (-len(cells) % columns)
    lines = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    grid = PdfTable(lines, colWidths=[width / columns] * columns, hAlign="LEFT")
    grid.setStyle([("VALIGN", *EVERY, "TOP"), *padding(GAP / mm, 0.6)])
    return grid


def side_by_side(typesetter: Typesetter, shots: Sequence[Shot], width: float, height: float) -> Flowable:
    """Pictures of one target beside each other, each with its caption, none higher than `height`."""
    room = width / max(len(shots), 1) - 2 * GAP
    cells = [
        [_picture(typesetter, shot, room, height), typesetter.cell(shot.caption, 6.5, colour=GREY)]
        for shot in shots
    ]
    grid = PdfTable([cells], colWidths=[width / max(len(shots), 1)] * len(shots), hAlign="LEFT")
    grid.setStyle([("VALIGN", *EVERY, "TOP"), *padding(GAP / mm, 0.6)])
    return grid


def _picture(typesetter: Typesetter, shot: Shot, width: float, height: float) -> Flowable:
    if not shot.jpeg:
        return typesetter.cell(shot.problem, 7, colour=GREY)
    columns, rows = shot.size
    scale = min(width / columns, height / rows)
    picture = Image(io.BytesIO(shot.jpeg), width=columns * scale, height=rows * scale)
    picture.hAlign = "LEFT"
    return picture
