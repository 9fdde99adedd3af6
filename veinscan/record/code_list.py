"""The published list of private codes, as docs/private-codes.md holds it.

`python -m veinscan.record.code_list` prints it.
"""

from __future__ import annotations

import sys
from typing import Any

from veinscan.record import concepts as c
from veinscan.record.auto import published_codes
from veinscan.record.table import PARTS, TABLES
from veinscan.record.tree import Concept

_HEAD = """# Private codes

Coding scheme designator `99VEINSCAN`.  Used in the structured reports that veinscan writes, where PS3.16
and the coding schemes that DICOM may use have no code, or none that was verified.  A code keeps its
meaning for ever.

| code | meaning |
| --- | --- |
"""


def published_text() -> str:
    """The list as Markdown, in order of the codes."""
    found = published_codes(TABLES)

    def add(value: Any) -> None:
        if isinstance(value, Concept) and value.scheme == c.PRIVATE_SCHEME:
            if found.setdefault(value.value, value.meaning) != value.meaning:
                raise ValueError(f"{value.value} has two meanings")
        elif isinstance(value, dict):
            for entry in value.values():
                add(entry)
        elif isinstance(value, tuple):
            for entry in value:
                add(entry)

    for value in vars(c).values():
        add(value)
    for part in PARTS:
        add(part.concept)
    return _HEAD + "".join(f"| `{code}` | {meaning} |\n" for code, meaning in sorted(found.items()))


if __name__ == "__main__":
    sys.stdout.write(published_text())
