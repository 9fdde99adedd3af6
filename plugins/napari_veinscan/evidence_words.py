"""What the program knows of a candidate, in sentences for the dock; the words are of `candidates.words`."""

from __future__ import annotations

import math

from veinscan.candidates.by_hand import is_drawn
from veinscan.candidates.model import Candidate
from veinscan.candidates.validated import WORDS as NOT_VALIDATED
from veinscan.candidates.words import COMPARTMENT_WORDS, evidence_lines

MOST = 5
"""Reasons that are shown without being asked for."""


def short_evidence(candidate: Candidate) -> str:
    """Warnings first, then where it lies, then the strongest reasons for and against."""
    if is_drawn(candidate.id):
        return "Drawn by a person; the program did not propose it."
    parts = [f"⚠ {_sentence(warning)}" for warning in candidate.warnings]
    if candidate.not_validated:
        parts.append(f"Score {NOT_VALIDATED}: {'; '.join(candidate.not_validated)}.")
    parts += [_sentence(fact) for fact in _facts(candidate)]
    lines = evidence_lines(candidate, most=MOST)
    gains = [line.words for line in lines if line.added > 0]
    losses = [line.words for line in lines if line.added < 0]
    if gains:
        parts.append(f"For it: {', '.join(gains)}.")
    if losses:
        parts.append(f"Against it: {', '.join(losses)}.")
    return " ".join(parts)


def full_evidence(candidate: Candidate) -> str:
    """All of it, a line each, with what each part of the score adds."""
    lines = [f"{line.added:+.1f}  {line.words}" for line in evidence_lines(candidate)]
    if not lines:
        return short_evidence(candidate)
    told = [f"⚠ {warning}" for warning in candidate.warnings]
    if candidate.not_validated:
        told.append(f"Score {NOT_VALIDATED}: {'; '.join(candidate.not_validated)}")
    return "\n".join([*told, *_facts(candidate), "What made the score (each adds to its logit):", *lines])


def _facts(candidate: Candidate) -> list[str]:
    facts = []
    if candidate.compartment != "unknown":
        facts.append(f"lies {COMPARTMENT_WORDS[candidate.compartment]}")
    if candidate.compressibility is not None:
        facts.append(f"pressure takes {candidate.compressibility:.0%} of its diameter")
    if candidate.pulse is not None:
        facts.append(f"a beat in its flow, {candidate.pulse.per_minute:.0f} a minute")
    if candidate.flow_note:
        facts.append(candidate.flow_note)
    if candidate.tortuosity is not None and not math.isnan(candidate.tortuosity):
        facts.append(f"its course is {candidate.tortuosity:.2f} times as long as straight")
    return facts


def _sentence(words: str) -> str:
    words = words.strip()
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith(".") else ".")
