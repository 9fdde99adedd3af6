"""What stands on every page beside its content: whose it is, which version, page numbers, 'draft' across."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus.flowables import Flowable

from veinscan.report.pdf.style import GREY, MARGIN
from veinscan.report.text import BOLD, REGULAR

_ACROSS = HexColor("#e9ddd3")
_PAGE_ROOM = 60
"""Points at the right of the foot's first line, for 'page 2 of 5'."""


class PageCanvas(Canvas):
    """A canvas that knows 'page 2 of 5' by keeping its pages back until all are drawn."""

    def __init__(self, *args: Any, foot: Sequence[Flowable], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: list[dict[str, Any]] = []
        self._foot_lines = foot
        self.pages = 0

    def showPage(self) -> None:  # noqa: N802  (a method of reportlab)
        """Keep the page back."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Draw the foot of every page, then write all."""
        self.pages = len(self._kept)
        for number, state in enumerate(self._kept, start=1):
            kept, pages = self._kept, self.pages
            self.__dict__.update(state)
            self._kept, self.pages = kept, pages
            self._foot(number)
            super().showPage()
        super().save()

    def _foot(self, number: int) -> None:
        width = self._pagesize[0]
        y = MARGIN + foot_height(self._foot_lines, width)
        self.setStrokeColor(GREY)
        self.setLineWidth(0.4)
        self.line(MARGIN, y + 1, width - MARGIN, y + 1)
        self.setFillColor(GREY)
        self.setFont(REGULAR, 7.5)
        self.drawRightString(width - MARGIN, y - 8.5, f"page {number} of {self.pages}")
        for line, height in _heights(self._foot_lines, width):
            y -= height
            line.drawOn(self, MARGIN, y)


def foot_height(lines: Sequence[Flowable], page_width: float) -> float:
    """What the foot of a page takes above the margin, points."""
    return sum(height for _, height in _heights(lines, page_width))


def _heights(lines: Sequence[Flowable], page_width: float) -> list[tuple[Flowable, float]]:
    room = page_width - 2 * MARGIN
    return [
        (line, float(line.wrap(room - (_PAGE_ROOM if n == 0 else 0), 1000)[1]))
        for n, line in enumerate(lines)
    ]


def mark_page(canvas: Canvas, size: tuple[float, float], words: str) -> None:
    """Words across a page, drawn under its content; nothing where there are none."""
    if not words:
        return
    canvas.saveState()
    canvas.translate(size[0] / 2, size[1] / 2)
    canvas.rotate(52)
    canvas.setFont(BOLD, 64)
    canvas.setFillColor(_ACROSS)
    canvas.drawCentredString(0, -20, words)
    canvas.restoreState()
