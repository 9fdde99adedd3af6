"""Lines of shaped text: joined letters, placed marks, and the order in which a line reads.

Used for text that needs it (Arabic, Hebrew, Indic scripts, Chinese and the
like); plain Latin, Greek and Cyrillic is left to reportlab's paragraphs.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import uharfbuzz
from reportlab.pdfbase.ttfonts import ShapeData, ShapedStr
from reportlab.platypus.flowables import Flowable

from veinscan.report.text.bidi import resolved, visual_order
from veinscan.report.text.faces import EmbeddedFont

FontOf = Callable[[str], EmbeddedFont]
"""The font that a character is set in."""

_BREAK_BETWEEN = ("W", "F")
"""Widths (Unicode Standard Annex #11) of characters that a line may be broken between."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of one font and one direction, with its glyphs."""

    text: str
    level: int
    font: EmbeddedFont
    shaped: Any
    """reportlab's string of glyphs, from left to right."""
    width: float
    """In thousandths of the size."""
    replaced: bool
    """Whether its glyphs do not say its text one by one.  Never so from right to left: readers turn
    such a run round themselves, and would turn the replacement too."""


def shape(text: str, level: int, font: EmbeddedFont) -> Piece:
    """The glyphs of a run."""
    harfbuzz: Any = uharfbuzz
    buffer = harfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if level % 2 else "ltr"
    harfbuzz.shape(font.shaper, buffer)
    scale = 1000 / font.face.unitsPerEm
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    starts = [*sorted({info.cluster for info in infos}), len(text)]
    said = {start: text[start:end] for start, end in pairwise(starts)}
    codes, data, width = "", [], 0.0
    replaced = level % 2 == 0 and (len(said) < len(text) or len(infos) > len(said))
    for info, position in zip(infos, positions, strict=True):
        # the first glyph of a cluster says its text, the others nothing that can be copied
        code = font.code_of(info.codepoint, _one(said.pop(info.cluster, "\u200b")))
        codes += chr(code)
        data.append(
            ShapeData(
                info.cluster,
                position.x_advance * scale,
                position.y_advance * scale,
                position.x_offset * scale,
                position.y_offset * scale,
                font.face.getCharWidth(code),
            )
        )
        width += position.x_advance * scale
    return Piece(text, level, font, ShapedStr(codes, shapeData=data), width, replaced)


def _one(said: str) -> str:
    """The letters of an Arabic ligature as the one character that is the same (NFKC), where there is one.

    A reader that turns a run round would turn the letters of a ligature too.
    """
    return _ligatures().get(said, said) if len(said) > 1 else said


@cache
def _ligatures() -> dict[str, str]:
    """Text to the isolated form that is compatible with it, of Arabic Presentation Forms A and B."""
    forms = (chr(code) for code in (*range(0xFEF5, 0xFEFD), *range(0xFDF0, 0xFDFD)))
    found: dict[str, str] = {}
    for form in forms:
        found.setdefault(unicodedata.normalize("NFKC", form), form)
    return found


def words(text: str) -> Iterator[tuple[int, int]]:
    """Where a line may be broken: (start, end) of the parts, a blank with the word before it."""
    start = 0
    for i in range(1, len(text)):
        here, before = text[i], text[i - 1]
        if here == " ":
            continue
        wide = _is_wide(here) or _is_wide(before)
        if before == " " or (wide and not unicodedata.category(here).startswith(("M", "Pe", "Po"))):
            yield start, i
            start = i
    if text:
        yield start, len(text)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in _BREAK_BETWEEN


def _pieces(text: str, found: Sequence[int], font_of: FontOf) -> list[Piece]:
    """Runs of one level and one font."""
    pieces, start = [], 0
    fonts = [font_of(char) for char in text]
    for i in range(1, len(text) + 1):
        if i == len(text) or found[i] != found[start] or fonts[i] is not fonts[start]:
            pieces.append(shape(text[start:i], found[start], fonts[start]))
            start = i
    return pieces


class ShapedText(Flowable):
    """Text of any script as a flowable; it breaks into lines and over pages."""

    def __init__(
        self, text: str, font_of: FontOf, size: float, *, colour: Any, align: int = 0, leading: float = 1.25
    ) -> None:
        super().__init__()
        self._text = text
        self._font_of = font_of
        self._size = size
        self._colour = colour
        self._align = align
        self._leading = leading * size
        self._lines: list[tuple[int, list[Piece]]] = []
        self._room = 0.0

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        """Break into lines of `room` points; its size."""
        if room != self._room:
            self._room = room
            self._lines = [line for part in self._text.split("\n") for line in self._broken(part)]
        return room, len(self._lines) * self._leading

    def minWidth(self) -> float:  # noqa: N802  (a method of reportlab)
        """The least width that it can be set in, points."""
        return self._size

    def split(self, room: float, height: float) -> list[Flowable]:
        """Two parts, of which the first fits into `height`; nothing where not even a line does."""
        self.wrap(room, height)
        count = int(height // self._leading)
        if count < 1 or count >= len(self._lines):
            return [] if count < 1 else [self]
        parts: list[Flowable] = []
        for lines in (self._lines[:count], self._lines[count:]):
            part = ShapedText(
                "", self._font_of, self._size, colour=self._colour, align=self._align,
                leading=self._leading / self._size,
            )  # fmt: skip
            part._lines, part._room = lines, room
            parts.append(part)
        return parts

    def draw(self) -> None:
        """Paint it; called by reportlab."""
        y = len(self._lines) * self._leading - 0.96 * self._size
        for base, pieces in self._lines:
            width = sum(piece.width for piece in pieces) * self._size / 1000
            space = {0: (self._room - width) if base else 0.0, 1: (self._room - width) / 2}
            self._line(pieces, space.get(self._align, self._room - width), y)
            y -= self._leading

    def _line(self, pieces: Sequence[Piece], x: float, y: float) -> None:
        canvas = self.canv
        for i in visual_order([piece.level for piece in pieces]):
            piece = pieces[i]
            text = canvas.beginText(x, y)
            text.setFont(piece.font.fontName, self._size)
            text.setFillColor(self._colour)
            text.textOut(piece.shaped)
            if piece.replaced:
                # what is copied is the text as it was typed, whatever its glyphs are (PDF 32000-1, 14.9.4)
                said = "feff" + piece.text.encode("utf-16-be").hex()
                canvas.addLiteral(f"/Span <</ActualText <{said}>>> BDC")
            canvas.drawText(text)
            if piece.replaced:
                canvas.addLiteral("EMC")
            x += piece.width * self._size / 1000

    def _broken(self, text: str) -> list[tuple[int, list[Piece]]]:
        if not text.strip():
            return [(0, [])]
        text, found, base = resolved(text)
        room = self._room * 1000 / self._size
        lines: list[tuple[int, int]] = []
        start = end = 0
        for first, last in self._fitting(text, found, room):
            if start < end and self._width(text, found, start, last) > room:
                lines.append((start, end))
                start = first
            end = last
        lines.append((start, end))
        made = []
        for first, last in lines:
            part = text[first:last].rstrip(" ")
            made.append((base, _pieces(part, found[first : first + len(part)], self._font_of)))
        return made

    def _width(self, text: str, found: Sequence[int], start: int, end: int) -> float:
        part = text[start:end].rstrip(" ")
        return sum(piece.width for piece in _pieces(part, found[start : start + len(part)], self._font_of))

    def _fitting(self, text: str, found: Sequence[int], room: float) -> Iterator[tuple[int, int]]:
        """The words, those that are wider than a line cut between letters."""
        for start, end in words(text):
            while self._width(text, found, start, end) > room and end - start > 1:
                count = 1
                while start + count < end and self._width(text, found, start, start + count + 1) <= room:
                    count += 1
                while start + count < end and unicodedata.combining(text[start + count]):
                    count += 1
                yield start, start + count
                start += count
            if start < end:
                yield start, end
