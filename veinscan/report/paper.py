"""What every part of a printed page shares: margins, colours, paragraphs, the stated purpose."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph

from veinscan.report.fonts import BOLD, REGULAR

SCOPE = "For documentation and research, not for diagnosis or treatment decisions."
"""Stated purpose, on every page that leaves veinscan."""

MARGIN = 10 * mm
INK, GREY, LINE, HEAD, ALERT = (HexColor(c) for c in ("#111111", "#555555", "#999999", "#e8eef2", "#9a3b00"))


def paragraph(
    markup: str, size: float = 8, *, colour: Any = INK, bold: bool = False, align: int = 0
) -> Paragraph:
    """A paragraph of reportlab's markup (`Typesetter.markup` makes it of text)."""
    style = ParagraphStyle(
        "veinscan",
        fontName=BOLD if bold else REGULAR,
        fontSize=size,
        leading=size * 1.25,
        textColor=colour,
        alignment=align,
        splitLongWords=1,
    )
    return Paragraph(markup, style)


def padding(across: float, along: float) -> Sequence[tuple[Any, ...]]:
    """Commands of a table: room round the content of each cell, mm."""
    every = ((0, 0), (-1, -1))
    return [
        ("LEFTPADDING", *every, across * mm),
        ("RIGHTPADDING", *every, across * mm),
        ("TOPPADDING", *every, along * mm),
        ("BOTTOMPADDING", *every, along * mm),
    ]
