"""The sizes that scores and measures were tested on; outside them they are shown as 'not validated here'."""

from __future__ import annotations

from dataclasses import dataclass

WORDS = "not validated here"
"""How it is shown beside a score."""


@dataclass(frozen=True, slots=True)
class Tested:
    """A quantity and the range in which candidates were compared with known truth."""

    name: str
    unit: str
    low: float
    high: float
    source: str
    """Where the comparison is told."""

    def excess(self, value: float) -> str | None:
        """What lies outside, as words, or None inside."""
        if self.low <= value <= self.high:
            return None
        return f"{self.name} {value:.3g} {self.unit}, tested from {self.low:g} to {self.high:g} {self.unit}"


SPACING = Tested("pixel spacing", "mm", 0.04, 0.12, "phantoms in docs/finding-veins.md")
DIAMETER = Tested("inner diameter", "mm", 1.0, 6.0, "phantoms in docs/finding-veins.md")
DEPTH = Tested("depth", "mm", 1.0, 28.0, "phantoms in docs/finding-veins.md")
"""The ranges, once."""


def outside_tested(
    diameter_mm: float | None, depth_mm: float | None, spacing_mm: tuple[float, float]
) -> tuple[str, ...]:
    """Why a score is not validated here, one phrase a quantity; empty inside all tested ranges.

    None for a quantity that is not asked; `spacing_mm` `(row, col)`.
    """
    coarse = max(spacing_mm, key=lambda side: abs(side - (SPACING.low + SPACING.high) / 2))
    found = [SPACING.excess(coarse)]
    if diameter_mm is not None:
        found.append(DIAMETER.excess(diameter_mm))
    if depth_mm is not None:
        found.append(DEPTH.excess(depth_mm))
    return tuple(words for words in found if words is not None)
