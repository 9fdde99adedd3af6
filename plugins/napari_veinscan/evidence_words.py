"""What made a candidate's score, and what else is known of it, in words.  Pure."""

from __future__ import annotations

from veinscan.candidates.by_hand import is_drawn
from veinscan.candidates.model import Candidate

WORDS: dict[str, tuple[str, str]] = {
    "walls": ("bright walls around it", "weak or missing walls"),
    "symmetry": ("walls alike on both sides", "walls unlike on both sides"),
    "dark_lumen": ("dark inside", "not dark inside"),
    "even_lumen": ("even inside", "uneven inside"),
    "surroundings": ("surroundings as round a vein", "surroundings unlike those of a vein"),
    "shape": ("round, or a tube", "ragged or flat"),
    "size": ("of a usual size", "of an unusual size"),
    "depth": ("at a usual depth", "at an unusual depth"),
    "network": ("the trained network sees a vessel", "the trained network sees no vessel"),
    "not_nerve": ("unlike a nerve", "like a nerve"),
    "no_shadow": ("no shadow below it", "a shadow below it"),
    "persistence": ("seen on many frames", "seen on few frames"),
}
"""For and against, by name of the part of the score."""

LEAST = 0.1
"""Parts that move the score's logit by less are left out: they say nothing."""


def evidence_words(candidate: Candidate, most: int = 8) -> list[tuple[str, float]]:
    """The parts of the score in words, strongest first: `(words, what it adds to the logit)`."""
    parts = [(name, value) for name, value in candidate.evidence.items() if name != "prior"]
    parts = sorted((part for part in parts if abs(part[1]) >= LEAST), key=lambda part: -abs(part[1]))
    return [(_words(name, value), value) for name, value in parts[:most]]


def short_evidence(candidate: Candidate) -> str:
    """The strongest reasons for and against in one line."""
    if is_drawn(candidate.id):
        return "Drawn by a person; the program did not propose it."
    parts = evidence_words(candidate, most=5)
    if not parts:
        return ""
    gains = [words for words, value in parts if value > 0]
    losses = [words for words, value in parts if value < 0]
    text = "For it: " + ", ".join(gains) if gains else ""
    if losses:
        text += ("; against: " if text else "Against it: ") + ", ".join(losses)
    return f"{text}."


def full_evidence(candidate: Candidate) -> str:
    """All parts with their weight, a line each."""
    parts = evidence_words(candidate, most=len(candidate.evidence))
    if not parts:
        return short_evidence(candidate)
    lines = [f"{value:+.1f}  {words}" for words, value in parts]
    return "\n".join(["What made the score (each adds to its logit):", *lines])


def _words(name: str, value: float) -> str:
    if name in WORDS:
        return WORDS[name][0 if value > 0 else 1]
    return name.replace("_", " ")
