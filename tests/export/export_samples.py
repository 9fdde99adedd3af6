"""What the tests of exports share."""

from __future__ import annotations

from dataclasses import dataclass

from planted import Planted

from veinscan.deidentify import ProjectKey
from veinscan.export import Item

KEY = ProjectKey(b"e" * 32)


@dataclass
class Sources:
    """Studies to export."""

    planted: list[Planted]
    items: list[Item]
