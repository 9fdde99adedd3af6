"""Strips with known truth; the generator lies beside and shares no code with what is tested."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@cache
def _made(seed: int, kind: str) -> Any:
    import hard_strips

    return hard_strips.make(seed, kind)


@pytest.fixture
def made() -> Any:
    """Makes a strip by seed and kind, once."""
    return _made
