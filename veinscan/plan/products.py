"""Product profiles and general limits, from the one table of thresholds (thresholds.toml).

A profile holds the numbers of a label with source and mark.  A number that
is not there was not read: nothing is checked against it.  No product is ever
a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from veinscan.errors import InvalidInputError
from veinscan.plan import thresholds
from veinscan.plan.vocabulary import Agent

_TOLERANCE = 1e-9
"""Relative; what is exactly at a limit does not exceed it because of a rounding error."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One number of the table."""

    value: float
    unit: str
    source: str
    """Title of the source."""
    mark: str
    """'S', 'A', 'K' or 'D'."""

    def exceeded_by(self, value: float) -> bool:
        """Whether a value is greater; exactly at the limit it is not."""
        return value > self.value + _TOLERANCE * abs(self.value)

    def missed_by(self, value: float) -> bool:
        """Whether a value is smaller; exactly at the limit it is not."""
        return value < self.value - _TOLERANCE * abs(self.value)

    def differs_from(self, value: float) -> bool:
        """Whether a value is another."""
        return self.exceeded_by(value) or self.missed_by(value)

    def __str__(self) -> str:
        unverified = ", unverified" if self.mark == "K" else ""
        return f"{self.value:g} {self.unit} ({self.source}{unverified})".replace(" 1 (", " (")


@dataclass(frozen=True, slots=True)
class Product:
    """A product profile."""

    key: str
    name: str
    agent: Agent
    foam_on_label: bool | None
    """None where the passages read do not say."""
    limits: dict[str, Limit]

    def limit(self, name: str) -> Limit | None:
        """A number of the label, or None where none was read."""
        return self.limits.get(name)


@cache
def product_names() -> tuple[str, ...]:
    """Identifiers of the profiles."""
    return tuple(thresholds.section("products"))


@cache
def product(key: str) -> Product:
    """A profile; InvalidInputError for one that is not in the table."""
    table = thresholds.section("products")
    if key not in table:
        raise InvalidInputError(f"product is {key!r}", do=f"pass one of: {', '.join(table)}")
    entry = table[key]
    return Product(
        key=key,
        name=str(entry["name"]),
        agent=Agent(entry["agent"]),
        foam_on_label=entry.get("foam_on_label"),
        limits={name: _limit(value) for name, value in entry.items() if isinstance(value, dict)},
    )


@cache
def general(name: str) -> Limit:
    """A limit that holds whatever the product."""
    return _limit(thresholds.section("limits")[name])


def _limit(entry: dict[str, Any]) -> Limit:
    return Limit(
        float(entry["value"]), str(entry["unit"]), thresholds.source(str(entry["source"])), str(entry["mark"])
    )
