"""Text that prints as it is, or says that it cannot.

The plan is set in Bitstream Vera, which comes with reportlab, so that a page
looks the same on every machine.  A character that Vera lacks is taken from a
font of the system; one that no font has is printed as its code, `[U+4E2D]`,
never as an empty box.
"""

# reportlab has no types
# mypy: allow-untyped-calls
from __future__ import annotations

import functools
import os
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

REGULAR = "veinscan-regular"
BOLD = "veinscan-bold"

_FALLBACK_FILES = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "FreeSans.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "segoeui.ttf",
    "DroidSansFallbackFull.ttf",
    "DroidSansFallback.ttf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "simsun.ttc",
    "msgothic.ttc",
    "malgun.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
)
"""Fonts with TrueType outlines and wide coverage (reportlab cannot embed others), in order of preference."""

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Characters without a shape: nothing is lost when they are left out."""


class Typesetter:
    """Turns text into reportlab's paragraph markup, and remembers what could not be printed as it is."""

    def __init__(self) -> None:
        _register()
        self.by_code: set[str] = set()
        """Characters that had to be printed as their code."""
        self.right_to_left = False
        """Whether Hebrew, Arabic or the like was met: reportlab sets letters in reading order, unjoined."""

    def markup(self, text: str, *, bold: bool = False) -> str:
        """`text` with XML escaped, line breaks kept, and fonts chosen character by character."""
        base = BOLD if bold else REGULAR
        runs: list[tuple[str, str]] = []
        for char in unicodedata.normalize("NFC", text.replace("\r\n", "\n")):
            font, shown = self._place(char, base)
            if runs and runs[-1][0] == font:
                runs[-1] = (font, runs[-1][1] + shown)
            else:
                runs.append((font, shown))
        parts = []
        for font, run in runs:
            safe = escape(run).replace("\n", "<br/>")
            parts.append(safe if font == REGULAR else f'<font name="{font}">{safe}</font>')
        return "".join(parts)

    def notes(self) -> list[str]:
        """What a reader of the page must know about its characters; empty in the usual case."""
        said = []
        if self.by_code:
            said.append("A character that no installed font can print is shown by its code, as [U+4E2D].")
        if self.right_to_left:
            said.append("Right-to-left text is printed with unjoined letters, its first letter leftmost.")
        return said

    def _place(self, char: str, base: str) -> tuple[str, str]:
        if char in ("\n", " "):
            return base, char
        if char == "\t":
            return base, "    "
        if char in _INVISIBLE:
            return base, ""
        category = unicodedata.category(char)
        if category not in ("Cc", "Cf", "Cs", "Co", "Cn"):
            if unicodedata.bidirectional(char) in ("R", "AL"):
                self.right_to_left = True
            if _has(base, char):
                return base, char
            for name in _fallbacks():
                if _has(name, char):
                    return name, char
        self.by_code.add(char)
        return base, f"[U+{ord(char):04X}]"


@functools.cache
def _register() -> None:
    folder = Path(reportlab.__file__).parent / "fonts"
    pdfmetrics.registerFont(TTFont(REGULAR, str(folder / "Vera.ttf")))
    pdfmetrics.registerFont(TTFont(BOLD, str(folder / "VeraBd.ttf")))
    for family in (REGULAR, BOLD):
        pdfmetrics.registerFontFamily(family, normal=family, bold=BOLD, italic=family, boldItalic=BOLD)


def _has(font: str, char: str) -> bool:
    return ord(char) in pdfmetrics.getFont(font).face.charToGlyph


def _fallbacks() -> Iterator[str]:
    """Names of registered system fonts, each loaded only when those before it did not have the character."""
    for index, path in enumerate(_system_fonts()):
        if name := _load(index, path):
            yield name


@functools.cache
def _load(index: int, path: Path) -> str | None:
    name = f"veinscan-system-{index}"
    try:
        pdfmetrics.registerFont(TTFont(name, str(path)))
    except (TTFError, OSError, ValueError, KeyError, IndexError, AssertionError):
        return None  # damaged, or outlines that cannot be embedded: the next one may do
    pdfmetrics.registerFontFamily(name, normal=name, bold=name, italic=name, boldItalic=name)
    return name


@functools.cache
def _system_fonts() -> tuple[Path, ...]:
    wanted = {name: rank for rank, name in enumerate(_FALLBACK_FILES)}
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
