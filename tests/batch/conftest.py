from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "deidentify"))  # studies with a person everywhere

from planted import add_record, plant


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of five studies; not to be written into."""
    folder = tmp_path_factory.mktemp("archive")
    for seed in range(5):
        add_record(plant(folder / f"disk{seed % 2}", seed))
    return folder
