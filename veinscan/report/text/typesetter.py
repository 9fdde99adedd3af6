"""Text that prints as it is, or says that it cannot."""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph
from reportlab.platypus.flowables import Flowable

from veinscan.report.text.characters import (
    CLOSE,
    INVISIBLE,
    JOINERS,
    OPEN,
    code_of,
    is_shown,
    without_marks,
)
from veinscan.report.text.faces import BOLD, REGULAR, EmbeddedFont, base_fonts, covers, further_fonts
from veinscan.report.text.shaping import ShapedText

INK = HexColor("#111111")

CELL_LENGTH = 240
"""Characters that any cell has room for."""
_CELL_LINES = 8
_PLAIN = ("LATIN", "GREEK", "CYRILLIC")


class Typesetter:
    """Makes flowables of text, and remembers what could not be printed as it is.

    `texts` is everything that will be set: the fonts for characters that the base
    fonts have not are chosen, and cut to these characters, once.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._regular, self._bold = base_fonts()
        seen = {char for text in texts for char in unicodedata.normalize("NFC", text)}
        self._further = further_fonts(
            char for char in seen if not covers(self._regular, char) and is_shown(char)
        )
        self.by_code: set[str] = set()
        """Characters that had to be printed as their code."""
        self.long_texts: list[str] = []
        """What was too long for its cell, to be printed in full elsewhere; the first is number 1."""

    def text(
        self, text: str, size: float = 8, *, colour: Any = INK, bold: bool = False, align: int = 0
    ) -> Flowable:
        """A flowable of plain text with its line breaks; `align` as reportlab's (0 left, 1 middle, 2 right).

        Text that reads from the right stands at the right where `align` is 0.
        """
        shown = self.printable(text)
        if all(_is_plain(char) for char in without_marks(shown)):
            return paragraph(
                escape(without_marks(shown)).replace("\n", "<br/>"),
                size,
                colour=colour,
                bold=bold,
                align=align,
            )

        def font_of(char: str) -> EmbeddedFont:
            return self._font_of(char, bold=bold)

        return ShapedText(shown, font_of, size, colour=colour, align=align)

    def cell(
        self,
        text: str,
        size: float = 8,
        *,
        colour: Any = INK,
        bold: bool = False,
        align: int = 0,
        limit: int = CELL_LENGTH,
    ) -> Flowable:
        """As `text`, for a place that stays on its page: a longer text is cut, and kept in `long_texts`."""
        shown = self.printable(text)
        if len(shown) > limit or shown.count("\n") > _CELL_LINES:
            if text not in self.long_texts:
                self.long_texts.append(text)
            start = "\n".join(shown.split("\n")[:_CELL_LINES])[: limit // 2].rstrip()
            text = f"{start} …\n(in full on the last page: {self.long_texts.index(text) + 1})"
        return self.text(text, size, colour=colour, bold=bold, align=align)

    def printable(self, text: str) -> str:
        """The text with what no font can print as its code, `[U+4E2D]`, never as an empty box."""
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        return "".join(self._shown(char) for char in text)

    def notes(self) -> list[str]:
        """What a reader of the page must know about its characters; empty in the usual case."""
        if self.by_code:
            return ["A character that no installed font can print is shown by its code, as [U+4E2D]."]
        return []

    def _shown(self, char: str) -> str:
        if char in ("\n", " ", OPEN, CLOSE) or char in JOINERS:
            return char
        if char == "\t":
            return "    "
        if char == "\u00a0":
            return " "
        if char in INVISIBLE:
            return ""
        if is_shown(char) and any(covers(font, char) for font in (self._regular, *self._further)):
            return char
        self.by_code.add(char)
        return code_of(char)

    def _font_of(self, char: str, *, bold: bool) -> EmbeddedFont:
        base = self._bold if bold else self._regular
        for font in (base, *self._further, self._regular):
            if covers(font, char):
                return font
        return base


def paragraph(
    markup: str, size: float = 8, *, colour: Any = INK, bold: bool = False, align: int = 0
) -> Paragraph:
    """A paragraph of reportlab's markup, for the program's own words; a person's go through `Typesetter`."""
    base_fonts()
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


def _is_plain(char: str) -> bool:
    """Whether reportlab sets a character as it should be: left to right, nothing joined, nothing stacked."""
    if ord(char) < 0x250:
        return True
    if unicodedata.category(char)[0] not in "LM":
        return covers(base_fonts()[0], char) and unicodedata.bidirectional(char) not in ("R", "AL", "AN")
    return unicodedata.name(char, "").startswith(_PLAIN) and covers(base_fonts()[0], char)
