from __future__ import annotations

from pathlib import Path

import pytest
from record_studies import FakeStudy, make_study


@pytest.fixture
def study(tmp_path: Path) -> FakeStudy:
    """A study of a multi-frame and a single-frame clip in a folder of its own."""
    return make_study(tmp_path / "study")
