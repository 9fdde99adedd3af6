"""The table for the procedure room, a row for each target in the order of injection.

What a person fills in on the day ('given', 'artery checked') is left blank,
whatever the record says.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence

from reportlab.platypus import LongTable
from reportlab.platypus.flowables import Flowable

from veinscan.report.pdf.style import EVERY, GREY, HEAD, LINE, padding
from veinscan.report.sheet import Row
from veinscan.report.text import Typesetter

_COLUMNS = (
    ("", 7), ("Side, vein", 32), ("Distance to landmark", 22), ("Diameter\nmm", 16), ("Depth\nmm", 16),
    ("Modality", 23), ("Product", 21), ("Conc.", 12), ("Volume", 13), ("Given", 15), ("Artery\nchecked", 15),
)  # fmt: skip
"""Title and width, mm of 192."""
_NOTE_LENGTH = 90
"""A longer note stands in full on the target's page."""


def target_table(
    typesetter: Typesetter, rows: Sequence[Row], width: float, *, dense: bool = False
) -> Flowable:
    """The table; over several pages its titles are repeated.

    `dense` leaves out where a number comes from, and sets what is left on one line
    where it fits: many targets then take one page.
    """
    if not rows:
        return typesetter.text("There are no targets in this record.", 10)
    header = [typesetter.text(title, 7, bold=True) for title, _ in _COLUMNS]
    scale = width / sum(share for _, share in _COLUMNS)
    table = LongTable(
        [header, *(_cells(typesetter, row, dense) for row in rows)],
        colWidths=[share * scale for _, share in _COLUMNS],
        repeatRows=1,
        hAlign="LEFT",
    )
    blank = len(_COLUMNS) - 2
    table.setStyle(
        [
            ("GRID", *EVERY, 0.5, LINE),
            ("BOX", (blank, 0), (-1, -1), 1.0, GREY),
            ("BACKGROUND", (0, 0), (-1, 0), HEAD),
            ("VALIGN", *EVERY, "MIDDLE"),
            *padding(0.9, 0.25 if dense else 0.7),
        ]
    )
    return table


def short_note(row: Row) -> str:
    """The note as far as it fits into a cell."""
    words = " ".join(row.notes.split())
    if len(words) <= _NOTE_LENGTH:
        return words
    return f"{words[: _NOTE_LENGTH - 30].rstrip()} … (in full on its page)"


def _cells(typesetter: Typesetter, row: Row, dense: bool) -> list[Flowable | list[Flowable] | str]:
    text = typesetter.cell
    who: list[Flowable] = [text(f"{row.side} {row.vein}", 7.5 if dense else 8.5, bold=True)]
    if row.status:
        who.append(text(row.status, 6.5, bold=True))
    if note := short_note(row):
        who.append(text(note, 5.5 if dense else 6.5, colour=GREY))
    given: list[Flowable] = [text(row.modality, 7 if dense else 8)]
    if row.more:
        given.append(text(row.more, 5.5 if dense else 6.5, colour=GREY))
    return [
        text(str(row.number), 9 if dense else 11, bold=True, align=1),
        who,
        text(row.place, 7 if dense else 8) if row.place else text("not said", 6.5, colour=GREY),
        _number(typesetter, row.diameter, row.diameter_how, dense),
        _number(typesetter, row.depth, row.depth_how, dense),
        given,
        text(row.product, 5.5 if dense else 7.5),
        text(row.concentration, 7.5 if dense else 8.5),
        text(row.volume, 7.5 if dense else 8.5),
        "",
        "",
    ]


def _number(typesetter: Typesetter, value: str, how: str, dense: bool) -> Flowable | list[Flowable]:
    if not value:
        return typesetter.text("not measured", 5 if dense else 6.5, colour=GREY)
    number = typesetter.text(value, 8.5 if dense else 9.5)
    if not how or dense:
        return number
    return [number, typesetter.text(how, 6, colour=GREY)]
