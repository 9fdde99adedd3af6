"""What stands on every page beside the text: page numbers, who it is about, and whether it is a draft."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

from veinscan.report.fonts import BOLD, REGULAR

DRAFT = "DRAFT, not saved"
"""Across a page of a record that was never saved."""

_MARGIN = 10 * mm


class PageCanvas(Canvas):
    """A canvas that knows 'page 2 of 5' by keeping its pages back until all are drawn."""

    def __init__(self, *args: Any, footer: str, identity: Paragraph, scope: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: list[dict[str, Any]] = []
        self._footer = footer
        self._identity = identity
        self._scope = scope
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
        self.setFillColor(HexColor("#555555"))
        self.setFont(REGULAR, 6.5)
        self.drawString(_MARGIN, _MARGIN - 2 * mm, self._footer)
        self.setFont(REGULAR, 7.5)
        self.drawRightString(width - _MARGIN, _MARGIN - 2 * mm, f"page {number} of {self.pages}")
        # Pages come apart: each says whose plan it is.
        room = width - 2 * _MARGIN
        _, height = self._identity.wrap(room * 0.6, 20 * mm)
        self._identity.drawOn(self, _MARGIN, _MARGIN + 4.6 * mm - height)
        if number > 1:
            self.setFont(REGULAR, 6.5)
            self.setFillColor(HexColor("#555555"))
            self.drawRightString(width - _MARGIN, _MARGIN + 2.2 * mm, self._scope)


def page_marks(canvas: Canvas, size: tuple[float, float], *, draft: bool) -> None:
    """Drawn under the text of each page."""
    if not draft:
        return
    canvas.saveState()
    canvas.translate(size[0] / 2, size[1] / 2)
    canvas.rotate(52)
    canvas.setFont(BOLD, 64)
    canvas.setFillColor(HexColor("#e9e0d8"))
    canvas.drawCentredString(0, -20, DRAFT)
    canvas.restoreState()
