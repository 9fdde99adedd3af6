"""Both calendars from dates alone."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veinscan.follow_up import due_windows, windows_at
from veinscan.plan import thresholds

DAY = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("visit", "clinic", "uip"),
    [
        (DAY, ["day0"], []),
        (DAY + timedelta(days=1), ["early"], []),
        (DAY + timedelta(days=6), ["early"], []),
        (DAY + timedelta(days=7), ["early"], ["immediate"]),
        (DAY + timedelta(days=14), ["early"], ["immediate"]),
        (DAY + timedelta(days=15), [], ["immediate"]),
        (DAY + timedelta(days=28), [], ["immediate"]),
        (DAY + timedelta(days=29), [], []),
        (date(2026, 4, 15), [], []),
        (date(2026, 4, 16), ["m3"], []),  # 30 April, the month's last day, less 14 days
        (date(2026, 5, 14), ["m3"], []),
        (date(2026, 5, 15), [], []),
        (date(2026, 7, 31), ["m6"], []),
        (date(2027, 1, 31), [], ["short_term"]),
        (date(2028, 1, 30), [], []),
        (date(2028, 1, 31), [], ["mid_term"]),
        (date(2029, 1, 31), [], ["mid_term"]),
        (date(2029, 2, 1), [], []),
        (date(2031, 1, 31), [], ["long_term"]),
        (date(2060, 1, 1), [], ["long_term"]),
    ],
)
def test_where_a_visit_lies(visit: date, clinic: list[str], uip: list[str]) -> None:
    found = windows_at(DAY, visit)
    assert found is not None
    assert ([one.key for one in found.clinic], [one.key for one in found.uip]) == (clinic, uip)
    assert found.days == (visit - DAY).days
    assert found.version == thresholds.version()
    assert found.clinic_words == (found.clinic[0].label if clinic else "between windows")


def test_without_two_days_there_is_no_window() -> None:
    assert windows_at(None, DAY) is windows_at(DAY, None) is windows_at(DAY, DAY - timedelta(days=1)) is None


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(["clinic", "uip"]))
def test_windows_are_in_order_and_each_names_its_source(day: date, which: str) -> None:
    windows = due_windows(day, which)
    assert [one.opens for one in windows] == sorted(one.opens for one in windows)
    for one, following in pairwise(windows):
        assert one.closes is not None
        assert one.closes < following.opens
    for one in windows:
        assert one.opens >= day
        assert one.holds(one.opens)
        assert not one.holds(one.opens - timedelta(days=1))
        assert one.source
        assert one.mark in "SAKD"
