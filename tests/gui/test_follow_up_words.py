"""What the follow-up says and paints, without a window."""

from __future__ import annotations

from datetime import date

import pytest

pytest.importorskip("qtpy")
pytest.importorskip("PySide6.QtCore")

from napari_veinscan.follow_up_plot import PlotPoint, joined
from napari_veinscan.follow_up_words import (
    OUTCOMES,
    SIGNS,
    change_words,
    outcome_words,
    reason_words,
    value_words,
    window_words,
)
from veinscan.follow_up.compare import compare_records
from veinscan.follow_up.pairs import Pair
from veinscan.plan.editing import new_record
from veinscan.plan.vocabulary import Outcome


def test_not_seen_comes_first_and_every_outcome_has_words_and_a_sign() -> None:
    assert OUTCOMES[0] == ("not seen", Outcome.NOT_VISIBLE)
    assert {outcome for _, outcome in OUTCOMES} == set(Outcome)
    assert len({words for words, _ in OUTCOMES}) == len(OUTCOMES)
    assert set(SIGNS) == {None, *Outcome}
    assert outcome_words(Outcome.NOT_ASSESSED) == outcome_words(None) == "–"


def test_a_difference_is_only_said_where_the_pair_has_one() -> None:
    pair = Pair("diameter_mm", "mm", 2.4, 1.1)
    assert (value_words(pair, after=False), value_words(pair, after=True)) == ("2.4 mm", "1.1 mm")
    assert change_words(pair) == "−1.3 (−54 %)"
    assert change_words(Pair("diameter_mm", "mm", 7.74, 7.76)) == "+0.1 (+1 %)", "of the values shown"
    assert change_words(Pair("diameter_mm", "mm", 0.04, 2.0)) == "+2.0"
    other = Pair("diameter_mm", "mm", 2.4, 1.1, "other posture: standing, then supine")
    assert change_words(other) == ""
    assert value_words(other, after=True) == "1.1 mm"
    assert reason_words([pair, other]) == ("No difference of diameter: other posture: standing, then supine.")
    half = Pair("depth_mm", "mm", 2.4, None, "not recorded at the follow-up")
    assert reason_words([half]) == "", "one value alone says so itself"
    same = Pair("compressible", "", "full", "full")
    assert change_words(same) == "the same"
    assert change_words(Pair("compressible", "", "full", "none")) == "changed"
    assert value_words(Pair("reflux_s", "s", 0.84, 3.8, "", False, True), after=True) == "> 3.80 s"


def test_windows_are_said_in_both_calendars_or_why_not() -> None:
    empty = new_record("1.2.3")
    nothing = compare_records(empty, new_record("1.2.4"))
    assert "no day of treatment is recorded" in window_words(nothing)
    assert window_words(None) == ""


def test_diameters_in_different_postures_are_no_line() -> None:
    days = [date(2025, 1, day) for day in (1, 2, 3, 4)]
    points = [
        PlotPoint(days[0], 3.0, None, "standing"),
        PlotPoint(days[1], 2.0, None, "supine"),
        PlotPoint(days[2], None, Outcome.NOT_VISIBLE, "supine"),
        PlotPoint(days[3], 1.0, Outcome.PATENT_REFLUX, "supine"),
    ]
    assert joined(points) == [(points[1], points[3])]
