"""The order in which letters stand on a line: the bidirectional algorithm for one paragraph.

Unicode Standard Annex #9, without explicit embeddings, overrides and isolates
(such characters are printed by their code, since they can hide the order of a
name).  What HarfBuzz needs is runs of one level; the libraries of the package
index hand back reordered text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from veinscan.report.text.characters import CLOSE, OPEN

_STRONG = ("L", "R", "AL")
_OBJECT = "\ufffc"
"""Stands for a part that is looked at for itself (OBJECT REPLACEMENT CHARACTER, a neutral)."""
_DIRECTED = ("L", "R", "EN", "AN")
_NEUTRAL = ("B", "S", "WS", "ON")


def base_level(text: str) -> int:
    """0 for a paragraph that reads from the left, 1 from the right: by its first letter (P2, P3)."""
    for char in text:
        kind = unicodedata.bidirectional(char)
        if kind in _STRONG:
            return 0 if kind == "L" else 1
    return 0


def resolved(text: str) -> tuple[str, list[int], int]:
    """A paragraph without the marks of `characters.isolated`, the level of each character, and its own level.

    What stands between two marks is one neutral thing to what stands outside, and
    has the direction of its own first letter inside (UAX 9, 3.3.2, X5c and X6a).
    """
    outer, parts = _parts(text)
    base = base_level(outer)
    outside = levels(outer, base)
    clean, found = "", []
    for char, level in zip(outer, outside, strict=True):
        if char != _OBJECT or not parts:
            clean += char
            found.append(level)
            continue
        inner = parts.pop(0)
        own = base_level(inner)
        lift = (1 if (base + 1) % 2 == own else 2) + base - own
        clean += inner
        found += [one + lift for one in levels(inner, own)]
    return clean, found, base


def _parts(text: str) -> tuple[str, list[str]]:
    """The text with one sign in place of each isolated part, and the parts."""
    outer, parts, depth = "", [], 0
    text = text.replace(_OBJECT, "")
    for char in text:
        if char == OPEN:
            depth += 1
            if depth == 1:
                outer += _OBJECT
                parts.append("")
        elif char == CLOSE:
            depth = max(depth - 1, 0)
        elif depth:
            parts[-1] += char
        else:
            outer += char
    return outer, parts


def levels(text: str, base: int | None = None) -> list[int]:
    """The level of each character: even reads from the left, odd from the right."""
    base = base_level(text) if base is None else base
    embedding = "R" if base else "L"
    kinds = [unicodedata.bidirectional(char) or "L" for char in text]
    kinds = ["BN" if kind in ("LRE", "RLE", "LRO", "RLO", "PDF") else kind for kind in kinds]
    shown = [i for i, kind in enumerate(kinds) if kind != "BN"]  # X9
    resolved = _weak([kinds[i] for i in shown], embedding)
    resolved = _neutrals(_brackets([text[i] for i in shown], resolved, embedding), embedding)
    found = [base] * len(text)
    for i, kind in zip(shown, resolved, strict=True):
        if base:
            found[i] = 1 if kind == "R" else 2
        else:
            found[i] = {"L": 0, "R": 1}.get(kind, 2)
    for i, kind in enumerate(kinds):
        if kind == "BN" and i:
            found[i] = found[i - 1]
    end = len(text)
    while end and kinds[end - 1] in ("WS", "S", "B", "BN"):  # L1
        end -= 1
    return found[:end] + [base] * (len(text) - end)


def visual_order(found: Sequence[int]) -> list[int]:
    """Indices of a line's members from left to right (L2)."""
    order = list(range(len(found)))
    odd = [level for level in found if level % 2]
    for level in range(max(found, default=0), min(odd, default=1) - 1, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and found[order[end]] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = end + 1
    return order


def _weak(kinds: list[str], embedding: str) -> list[str]:
    """W1 to W7."""
    kinds = list(kinds)
    for i, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[i] = kinds[i - 1] if i else embedding
    strong = embedding
    for i, kind in enumerate(kinds):
        if kind in _STRONG:
            strong = kind
        elif kind == "EN" and strong == "AL":
            kinds[i] = "AN"
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    for i in range(1, len(kinds) - 1):
        around = (kinds[i - 1], kinds[i + 1])
        if kinds[i] in ("ES", "CS") and around == ("EN", "EN"):
            kinds[i] = "EN"
        elif kinds[i] == "CS" and around == ("AN", "AN"):
            kinds[i] = "AN"
    _join_terminators(kinds)
    kinds = ["ON" if kind in ("ES", "ET", "CS") else kind for kind in kinds]
    strong = embedding
    for i, kind in enumerate(kinds):
        if kind in ("L", "R"):
            strong = kind
        elif kind == "EN" and strong == "L":
            kinds[i] = "L"
    return kinds


def _join_terminators(kinds: list[str]) -> None:
    """W5: signs such as % beside a European number belong to it."""
    i = 0
    while i < len(kinds):
        end = i
        while end < len(kinds) and kinds[end] == "ET":
            end += 1
        if end > i and ((i and kinds[i - 1] == "EN") or (end < len(kinds) and kinds[end] == "EN")):
            kinds[i:end] = ["EN"] * (end - i)
        i = max(end, i + 1)


def _brackets(chars: Sequence[str], kinds: list[str], embedding: str) -> list[str]:
    """N0: both brackets of a pair take the direction of what they hold."""
    kinds = list(kinds)
    for start, end in sorted(_pairs(chars, kinds)):
        inside = {_direction(kind) for kind in kinds[start + 1 : end] if kind in _DIRECTED}
        if not inside:
            continue
        direction = embedding
        if embedding not in inside:
            before = next((kind for kind in reversed(kinds[:start]) if kind in _DIRECTED), embedding)
            direction = _direction(before)
        kinds[start] = kinds[end] = direction
    return kinds


def _pairs(chars: Sequence[str], kinds: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of brackets (BD16), by index."""
    found: list[tuple[int, int]] = []
    opened: list[tuple[str, int]] = []
    for i, char in enumerate(chars):
        if kinds[i] != "ON" or not unicodedata.mirrored(char):
            continue
        if unicodedata.category(char) == "Ps":
            opened.append((char, i))
        elif unicodedata.category(char) == "Pe":
            for n in range(len(opened) - 1, -1, -1):
                if _closes(opened[n][0], char):
                    found.append((opened[n][1], i))
                    del opened[n:]
                    break
    return found


def _closes(opening: str, closing: str) -> bool:
    """Brackets are named in pairs: LEFT PARENTHESIS, RIGHT PARENTHESIS."""
    return unicodedata.name(opening, "").replace("LEFT", "RIGHT") == unicodedata.name(closing, "-")


def _neutrals(kinds: list[str], embedding: str) -> list[str]:
    """N1 and N2: blanks and signs take the direction of what stands on both sides, else the paragraph's."""
    kinds = list(kinds)
    i = 0
    while i < len(kinds):
        end = i
        while end < len(kinds) and kinds[end] in _NEUTRAL:
            end += 1
        if end > i:
            before = _direction(kinds[i - 1]) if i else embedding
            after = _direction(kinds[end]) if end < len(kinds) else embedding
            kinds[i:end] = [before if before == after else embedding] * (end - i)
        i = max(end, i + 1)
    return kinds


def _direction(kind: str) -> str:
    return "R" if kind in ("R", "AN", "EN") else "L"
