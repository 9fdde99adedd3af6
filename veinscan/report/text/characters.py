"""Which characters have a shape, which are left out, and which are shown by their code."""

from __future__ import annotations

import unicodedata

INVISIBLE = "\u00ad\u200b\u2060\ufeff"
"""Characters without a shape: nothing is lost when they are left out."""
JOINERS = "\u200c\u200d\u200e\u200f"
"""Without a shape too, but they say how their neighbours are joined, or which way these read."""
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Categories that are shown by their code: control characters, and those that change the order of others."""


OPEN, CLOSE = "\ufdd0", "\ufdd1"
"""Round a part of a line that keeps to its own direction.  They are no characters (Unicode 23.7): the
isolates of Unicode would do the same, but are shown by their code where a person's text holds them."""
_RIGHT_TO_LEFT = ("R", "AL", "AN")


def isolated(text: str) -> str:
    """A person's text to be put into a line of the program's words, so that neither turns the other round.

    A date beside an Arabic name would otherwise be read backwards.
    """
    text = without_marks(text)
    if any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in text):
        return f"{OPEN}{text}{CLOSE}"
    return text


def without_marks(text: str) -> str:
    """The text without the marks of `isolated`."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def is_shown(char: str) -> bool:
    """Whether a character may stand on a page as itself."""
    return unicodedata.category(char) not in _HIDDEN


def code_of(char: str) -> str:
    """`[U+202E]`."""
    return f"[U+{ord(char):04X}]"


def readable(text: str) -> str:
    """Text for a place that has every font: what could steer or hide is shown by its code."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(_readable(char) for char in text)


def _readable(char: str) -> str:
    if char in "\n\t" or char in JOINERS or char in (OPEN, CLOSE) or is_shown(char):
        return char
    return "" if char in INVISIBLE else code_of(char)
