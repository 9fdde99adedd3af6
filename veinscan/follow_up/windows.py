"""Windows of follow-up: by the clinic's calendar and by UIP 2011, both computed from dates.

The two use the same words differently ('short term' is a year in UIP's);
what is kept is the date, and both are shown.  The windows and where they come
from are in the table of thresholds (`[windows]`).
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from veinscan.plan import thresholds


@dataclass(frozen=True, slots=True)
class Window:
    """One window, as days after a day of treatment."""

    key: str
    """Such as 'early' or 'm3'."""
    label: str
    """For a person."""
    opens: date
    closes: date | None
    """Last day of it; None where it stays open."""
    source: str
    mark: str
    """'S', 'A', 'K' or 'D': how well the source is known (see thresholds.toml)."""

    def holds(self, day: date) -> bool:
        """Whether a day lies in it; both ends belong to it."""
        return self.opens <= day and (self.closes is None or day <= self.closes)


@dataclass(frozen=True, slots=True)
class Windows:
    """Where a visit lies in both calendars."""

    days: int
    """Since the treatment."""
    clinic: tuple[Window, ...]
    """Windows that hold the day; empty between two."""
    uip: tuple[Window, ...]
    version: str
    """Of the table of thresholds."""

    @property
    def clinic_words(self) -> str:
        """'early (1 to 14 days)', or that it lies between windows."""
        return _words(self.clinic)

    @property
    def uip_words(self) -> str:
        """As `clinic_words`, by UIP."""
        return _words(self.uip)


def windows_at(treated_on: date | None, visit_on: date | None) -> Windows | None:
    """Where a visit lies after a treatment; None where a day is missing or the visit came before it."""
    if treated_on is None or visit_on is None or visit_on < treated_on:
        return None
    held = {
        calendar_: tuple(one for one in due_windows(treated_on, calendar_) if one.holds(visit_on))
        for calendar_ in ("clinic", "uip")
    }
    return Windows((visit_on - treated_on).days, held["clinic"], held["uip"], thresholds.version())


def due_windows(treated_on: date, which: str = "clinic") -> tuple[Window, ...]:
    """Every window after a treatment, in order: `which` is 'clinic' or 'uip'.

    Raises KeyError for another name.
    """
    found = []
    for key, entry in _entries()[which].items():
        before, after = int(entry.get("tolerance_days", 0)), int(entry.get("tolerance_days", 0))
        opens = _moved(treated_on, entry["from"]) - timedelta(days=before)
        closes = None if "to" not in entry else _moved(treated_on, entry["to"]) + timedelta(days=after)
        found.append(
            Window(
                key,
                str(entry["label"]),
                opens,
                closes,
                thresholds.source(str(entry["source"])),
                str(entry["mark"]),
            )
        )
    return tuple(found)


@cache
def _entries() -> dict[str, Any]:
    return thresholds.section("windows")


def _moved(day: date, by: dict[str, Any]) -> date:
    """A day moved by {value, unit}: 'd', 'wk', 'mo' or 'a' (UCUM); the 31st becomes the month's last."""
    value, unit = int(by["value"]), str(by["unit"])
    if unit in ("d", "wk"):
        return day + timedelta(days=value * (7 if unit == "wk" else 1))
    months = day.month - 1 + value * (12 if unit == "a" else 1)
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _words(held: tuple[Window, ...]) -> str:
    return " and ".join(one.label for one in held) or "between windows"
