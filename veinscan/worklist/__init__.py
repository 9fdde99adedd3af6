"""Several readers: who reads what, how far each is, and the readings that come of it."""

from __future__ import annotations

from veinscan.worklist.listing import Assignment as Assignment
from veinscan.worklist.listing import Worklist as Worklist
from veinscan.worklist.listing import create_worklist as create_worklist
from veinscan.worklist.listing import open_worklist as open_worklist
from veinscan.worklist.readings import start_adjudication as start_adjudication
from veinscan.worklist.readings import start_reading as start_reading

__all__ = [
    "Assignment",
    "Worklist",
    "create_worklist",
    "open_worklist",
    "start_adjudication",
    "start_reading",
]
