"""Planned beside given: one row for each thing to give, in the order of injection."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from napari_veinscan.palette import STYLES, Look
from napari_veinscan.row_table import RowTable
from napari_veinscan.session_words import given_words, planned_words
from veinscan.plan.giving import Row
from veinscan.plan.treatment import Injection
from veinscan.plan.vocabulary import Checked

COLUMNS = ("#", "Planned", "Given", "Artery\nchecked", "In the\nvein")
PLANNED, GIVEN = 1, 2
CHECK_SIGNS = {Checked.YES: "✔ yes", Checked.NO: "✕ no", Checked.UNKNOWN: "–"}

RowKey = tuple[str, bool, str]


class SessionTable(RowTable[RowKey]):
    """Rows of a session; `chosen(key)` is told when a person goes to one."""

    def __init__(self, chosen: Callable[[RowKey], None]) -> None:
        super().__init__("Planned and given", COLUMNS, (PLANNED, GIVEN), chosen)

    def show_rows(self, rows: Sequence[Row], chosen: RowKey | None) -> None:
        """Fill the table and select the chosen row."""
        self.show_texts([(row.key, *_texts(row)) for row in rows], chosen)


def _texts(row: Row) -> tuple[Sequence[str], Sequence[str]]:
    entry = row.entry
    checks = ("", "")
    if not row.is_laser:
        checks = (CHECK_SIGNS[Checked.UNKNOWN],) * 2
    if isinstance(entry, Injection):
        checks = CHECK_SIGNS[entry.artery_checked], CHECK_SIGNS[entry.confirmed_intravenous]
    name = f"{STYLES[Look.TARGET].sign} T{row.target.order}" if row.target is not None else "gone"
    planned, given = planned_words(row.target, is_laser=row.is_laser), given_words(row)
    return (name, planned, given, *checks), ("", planned, given, "", "")
