"""Fonts that a page for a browser brings along."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from veinscan.report.text.characters import is_shown
from veinscan.report.text.faces import cut_fonts

_EVERYWHERE = 0x17F
"""Up to here (Latin with its accents) every browser has letters."""
_COMMON = "–—…·•‘’“”°²³µ≥≤→−"


def web_fonts(texts: Iterable[str]) -> list[tuple[str, bytes]]:
    """(family, TrueType file) for the letters of `texts` that a device may have no font for."""
    seen = {char for text in texts for char in unicodedata.normalize("NFC", text)}
    rare = {char for char in seen if ord(char) > _EVERYWHERE and char not in _COMMON and is_shown(char)}
    return [(f"veinscan {n}", data) for n, data in enumerate(cut_fonts(rare), start=1)] if rare else []
