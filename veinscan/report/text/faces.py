"""Fonts: those that come with veinscan's packages, then those of the system.

The plan is set in FiraGO (Latin, Greek, Cyrillic, Arabic, Hebrew, Thai,
Devanagari, Georgian), which the package `pymupdf-fonts` brings; Chinese,
Japanese and Korean are taken from Noto Sans CJK of `noto-cjk-sans-otc`.  Both
are under the SIL Open Font License, which allows embedding.  So a page looks
the same on every machine, with or without fonts of its own.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import functools
import hashlib
import io
import os
import struct
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymupdf_fonts
import uharfbuzz
from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont as FontFile
from fontTools.ttLib import TTLibError, newTable
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

REGULAR = "veinscan-regular"
BOLD = "veinscan-bold"

_PACKAGED = ("notos", "symbol2", "math")
"""Further fonts of pymupdf-fonts, by its names, for signs that FiraGO has not."""

_SYSTEM_FILES = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "FreeSans.ttf",
    "Arial Unicode.ttf", "arial.ttf", "segoeui.ttf", "NotoSansCJK-Regular.ttc", "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf", "wqy-microhei.ttc", "wqy-zenhei.ttc", "msyh.ttc", "simsun.ttc",
    "msgothic.ttc", "malgun.ttf", "NotoSansArmenian-Regular.ttf", "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf", "NotoSansEthiopic-Regular.ttf", "NotoSansKhmer-Regular.ttf",
)  # fmt: skip
"""Names of wide fonts on the usual systems, in order of preference."""

_DAMAGED = (
    TTFError, TTLibError, OSError, ValueError, KeyError, IndexError, AssertionError, AttributeError,
    struct.error,
)  # fmt: skip
"""What a font that is broken, or that reportlab cannot embed, raises."""

_CURVE_ERROR = 1.0
"""Largest distance of a converted outline from the drawn one, in units of the font (1000 to the em)."""


class EmbeddedFont(TTFont):
    """A font whose glyphs can be set one by one, and are text to whoever copies from the page.

    reportlab knows glyphs by characters.  A joined form has none of its own: it
    gets one of the private use area, and the ToUnicode map (PDF 32000-1, 9.10.3)
    says what it stands for.
    """

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(name, io.BytesIO(data), shapable=True)
        # reportlab takes fonts of one face name for the same font: other letters of it are another
        self.face.name = self.face.name + b"-" + name.encode("ascii")
        harfbuzz: Any = uharfbuzz
        self.shaper = harfbuzz.Font(harfbuzz.Face(data))
        self._private: dict[tuple[int, str], int] = {}
        self._says: dict[int, str] = {}

    def code_of(self, glyph: int, says: str) -> int:
        """The character that stands for a glyph in reportlab; `says` is the text it shows."""
        if len(says) == 1 and self.face.charToGlyph.get(ord(says)) == glyph:
            return ord(says)
        known = self._private.get((glyph, says))
        if known is None:
            known = 0xE000 + len(self._private)
            if known > 0xF8FF:  # more joined forms than a book holds: told by the first text of the glyph
                return next(code for (one, _), code in self._private.items() if one == glyph)
            self._private[glyph, says] = known
            self._says[known] = says
            self.face.charToGlyph[known] = glyph
            # reportlab counts a thousand to the em, whatever the font does
            self.face.charWidths[known] = self.shaper.get_glyph_h_advance(glyph) * 1000 / self.face.unitsPerEm
        return known

    def addObjects(self, doc: Any) -> None:  # noqa: N802  (a method of reportlab)
        """Write the font into the document, with what each glyph says."""
        subsets = [list(one) for one in self.state[doc].subsets]
        names = [self.getSubsetInternalName(n, doc)[1:] for n in range(len(subsets))]
        super().addObjects(doc)
        fonts = doc.idToObject["BasicFonts"].dict
        for name, codes in zip(names, subsets, strict=True):
            stream = doc.idToObject[fonts[name].ToUnicode.name]
            stream.content = self._to_unicode(codes)

    def _to_unicode(self, codes: list[int]) -> str:
        lines = [
            f"<{n:02X}> <{self._says.get(code, chr(code)).encode('utf-16-be').hex().upper()}>"
            for n, code in enumerate(codes)
            if code
        ]
        blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
        return "\n".join(
            [
                "/CIDInit /ProcSet findresource begin",
                "12 dict begin",
                "begincmap",
                "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
                "/CMapName /Adobe-Identity-UCS def",
                "/CMapType 2 def",
                "1 begincodespacerange\n<00> <FF>\nendcodespacerange",
                *(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks),
                "endcmap",
                "CMapName currentdict /CMap defineresource pop",
                "end\nend",
            ]
        )


@functools.cache
def base_fonts() -> tuple[EmbeddedFont, EmbeddedFont]:
    """The regular and the bold font, registered with reportlab."""
    fonts = []
    for name, packaged in ((REGULAR, "figo"), (BOLD, "figbo")):
        fonts.append(EmbeddedFont(name, pymupdf_fonts.myfont(packaged)))
        pdfmetrics.registerFont(fonts[-1])
    for family in (REGULAR, BOLD):
        pdfmetrics.registerFontFamily(family, normal=family, bold=BOLD, italic=family, boldItalic=BOLD)
    return fonts[0], fonts[1]


def covers(font: EmbeddedFont, char: str) -> bool:
    """Whether a font has a glyph of its own for a character."""
    return ord(char) in font.face.charToGlyph


def further_fonts(wanted: Iterable[str]) -> list[EmbeddedFont]:
    """Fonts for characters that the base fonts have not, as few as there must be."""
    left = {ord(char) for char in wanted}
    fonts = []
    for source in _sources(left):
        if not left:
            break
        here = left & source.characters()
        if here and (font := _made(source, frozenset(here))) is not None:
            fonts.append(font)
            left -= here
    return fonts


def cut_fonts(wanted: Iterable[str]) -> list[bytes]:
    """TrueType files with these characters, from the packages alone, as few as there must be."""
    left = {ord(char) for char in wanted}
    files = []
    for source in (_Source("figo"), *(_Source(name) for name in _PACKAGED), *_cjk(left)):
        if here := left & source.characters():
            files.append(_cut(source, here))
            left -= here
    return files


@dataclass(frozen=True)
class _Source:
    """A font that characters may be taken from."""

    name: str
    """In `pymupdf_fonts`, or the path of a file."""
    number: int = 0
    """In a collection."""

    @contextmanager
    def open(self) -> Iterator[FontFile]:
        """The font, its tables read when asked for."""
        place = Path(self.name)
        with (
            place.open("rb") if place.is_absolute() else io.BytesIO(pymupdf_fonts.myfont(self.name)) as stream
        ):
            yield FontFile(stream, fontNumber=self.number, lazy=True)

    def characters(self) -> frozenset[int]:
        """Code points that it has; none where the file is damaged."""
        return _characters(self)


@functools.cache
def _characters(source: _Source) -> frozenset[int]:
    try:
        with source.open() as font:
            return frozenset(font.getBestCmap() or ())
    except _DAMAGED:
        return frozenset()


def _sources(wanted: Iterable[int]) -> Iterator[_Source]:
    yield from (_Source(name) for name in _PACKAGED)
    yield from _cjk(set(wanted))
    # a collection of the system is asked for its first font: all of them have the same characters
    yield from (_Source(str(path)) for path in _system_files())


def _cjk(wanted: set[int]) -> Iterator[_Source]:
    """Noto Sans CJK with the shapes of the language that the other characters tell: JP, KR, else SC."""
    try:
        import noto_cjk_sans_otc
    except ImportError:  # packed by others without it: fonts of the system, else codes
        return
    kana = any(0x3040 <= code <= 0x30FF for code in wanted)
    hangul = any(0xAC00 <= code <= 0xD7AF or 0x1100 <= code <= 0x11FF for code in wanted)
    yield _Source(str(noto_cjk_sans_otc.FONT_PATH), 0 if kana else 1 if hangul else 2)


@functools.lru_cache(maxsize=64)
def _made(source: _Source, characters: frozenset[int]) -> EmbeddedFont | None:
    """A registered font with these characters of a source; None where it cannot be embedded."""
    key = hashlib.sha256(repr((source, sorted(characters))).encode()).hexdigest()[:12]
    try:
        font = EmbeddedFont(f"veinscan-{key}", _cut(source, characters))
    except _DAMAGED:
        return None  # damaged, or not to be embedded: the next one may do
    pdfmetrics.registerFont(font)
    return font


def _cut(source: _Source, characters: Iterable[int]) -> bytes:
    """The part of a font that these characters need, with TrueType outlines (reportlab embeds no others)."""
    options = subset.Options(
        hinting=False, notdef_outline=True, drop_tables=["DSIG", "FFTM", "VORG", "vmtx", "vhea"]
    )
    options.layout_features = ["*"]
    with source.open() as font:
        font.recalcTimestamp = False  # the same page has the same bytes
        # these tables are small: HarfBuzz's packer is not needed, and old pairs of releases disagree about it
        font.cfg["fontTools.ttLib.tables.otBase:USE_HARFBUZZ_REPACKER"] = False
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=[*characters, 0x20])
        cutter.subset(font)
        if "glyf" not in font:
            _to_quadratic(font)
        stream = io.BytesIO()
        font.save(stream)
        return stream.getvalue()


def _to_quadratic(font: FontFile) -> None:
    """Cubic outlines (CFF) as TrueType's quadratic ones, near enough to print the same."""
    glyphs = font.getGlyphSet()
    order = font.getGlyphOrder()
    drawn = {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, max_err=_CURVE_ERROR, reverse_direction=True))
        drawn[name] = pen.glyph()
    font["loca"] = newTable("loca")
    table: Any = newTable("glyf")
    font["glyf"] = table
    table.glyphOrder, table.glyphs = order, drawn
    maxp = font["maxp"]
    maxp.tableVersion = 0x00010000
    for field in (
        "maxZones", "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs",
        "maxStackElements", "maxSizeOfInstructions", "maxComponentElements",
    ):  # fmt: skip
        setattr(maxp, field, 1 if field == "maxZones" else 0)
    post: Any = font["post"]
    post.formatType = 3.0
    for tag in ("CFF ", "CFF2"):
        if tag in font:
            del font[tag]
    font.sfntVersion = "\x00\x01\x00\x00"


@functools.cache
def _system_files() -> tuple[Path, ...]:
    wanted = {name: rank for rank, name in enumerate(_SYSTEM_FILES)}
    found: dict[int, Path] = {}
    for folder in _font_folders():
        for root, _, names in os.walk(folder):
            for name in names:
                if name in wanted:
                    found.setdefault(wanted[name], Path(root) / name)
    return tuple(found[rank] for rank in sorted(found))


def _font_folders() -> list[Path]:
    home = Path.home() if os.environ.get("HOME") or sys.platform == "win32" else Path("/nonexistent")
    if sys.platform == "win32":
        return [Path(os.environ.get("WINDIR", "C:\\Windows")) / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    shared = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    return [*shared, home / ".local/share/fonts", home / ".fonts"]
