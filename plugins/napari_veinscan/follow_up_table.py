"""Targets of the baseline beside the follow-up: a line each, new findings below."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_veinscan.follow_up_state import Line
from napari_veinscan.follow_up_words import change_words, outcome_words, place_words, reason_words
from napari_veinscan.palette import STYLES, Look, mm
from napari_veinscan.row_table import RowTable
from veinscan.follow_up.compare import TargetComparison

COLUMNS = ("", "Place", "Ø mm", "Change", "Outcome")
PLACE = 1
NOT_COMPARABLE = "✕"
"""Both diameters are there, and may not be subtracted; the tooltip says why."""


class FollowUpTable(RowTable[str]):
    """`chosen(target_id)` is told when a person goes to a line."""

    def __init__(self, chosen: Callable[[str], None]) -> None:
        super().__init__("Targets at the follow-up", COLUMNS, (PLACE,), chosen)

    def show_lines(self, lines: Sequence[Line], chosen: str) -> None:
        """Fill the rows and select the chosen one."""
        self.show_texts([(line.target_id, *_texts(line)) for line in lines], chosen)


def _texts(line: Line) -> tuple[Sequence[str], Sequence[str]]:
    name, row = f"{STYLES[Look.TARGET].sign} {line.name}", line.row
    if row is not None:
        texts = (name, place_words(row.baseline), *_row_texts(row))
        reason = reason_words(row.pairs)
        return texts, [reason or text for text in texts]
    finding = line.finding
    place = "" if finding is None else place_words(finding)
    now = None if finding is None else finding.diameter_mm
    texts = (name, place, f"– → {mm(now)}", "–", "new")
    return texts, texts


def _row_texts(row: TargetComparison) -> tuple[str, str, str]:
    before = row.baseline.diameter_mm
    after = row.follow_up.diameter_mm if row.follow_up is not None else None
    change = change_words(row.diameter).split(" ")[0]
    missing = NOT_COMPARABLE if None not in (before, after) else "–"
    return f"{mm(before)} → {mm(after)}", change or missing, outcome_words(row.outcome)
