"""The named parts of a score in words for a clinician: one table for command line, window and report."""

from __future__ import annotations

from dataclasses import dataclass

from veinscan.candidates.model import Candidate

EVIDENCE_WORDS: dict[str, tuple[str, str]] = {
    "walls": ("clear wall all round", "wall missing or faint"),
    "symmetry": ("walls face each other", "wall on one side only"),
    "dark_lumen": ("dark inside, as blood is", "not dark enough for blood"),
    "even_lumen": ("evenly dark inside", "echoes inside"),
    "surroundings": ("brighter tissue all round", "dark surroundings, or cut by the picture's edge"),
    "shape": ("round or oval, smooth", "ragged or odd shape"),
    "size": ("of a usual size", "of an unusual size"),
    "depth": ("at a usual depth", "at an unusual depth"),
    "network": ("the trained network sees a vessel", "the trained network sees no vessel"),
    "not_nerve": ("unlike a nerve", "like a nerve"),
    "no_shadow": ("tissue shows below it", "dark below, like a shadow of bone or gas"),
    "persistence": ("there on many frames", "there on few frames"),
    "prior": ("as any dark place", "most dark places are no vessel"),
}
"""Part of the evidence to (what it means when it speaks for a vessel, what when it speaks against)."""

SILENT = 0.05
"""A part that adds or takes less than this much of the logit is not worth words."""


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """One part of a score, to be shown."""

    name: str
    """Key of `Candidate.evidence`."""
    words: str
    added: float
    """To the logit: positive speaks for a vessel, negative against."""


def evidence_lines(candidate: Candidate, *, most: int | None = None) -> list[EvidenceLine]:
    """What made the score, weightiest first; parts that add next to nothing and the prior are left out.

    `most` keeps so many at most.  A part without an entry in the table is shown by its name.
    """
    lines = []
    for name, added in candidate.evidence.items():
        if name == "prior" or abs(added) < SILENT:
            continue
        plain = name.replace("_", " ")
        speaks, against = EVIDENCE_WORDS.get(name, (plain, f"not {plain}"))
        lines.append(EvidenceLine(name, speaks if added > 0 else against, float(added)))
    lines.sort(key=lambda line: (-abs(line.added), line.name))
    return lines if most is None else lines[:most]


COMPARTMENT_WORDS = {
    "epifascial": "above the saphenous fascia (epifascial)",
    "saphenous": "in the saphenous compartment",
    "subfascial": "below the muscular fascia (deep)",
    "unknown": "not known",
}
"""`Candidate.compartment` to what is shown."""
