from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from planted import NAMES, Planted, add_record, plant


@pytest.fixture(scope="session", params=range(len(NAMES)))
def each_planted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """A study with a person everywhere in it, once in every character set; not to be written into."""
    study = plant(tmp_path_factory.mktemp("each") / "in", request.param)
    add_record(study)
    return study


@pytest.fixture(scope="session")
def one_planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    study = plant(tmp_path_factory.mktemp("one") / "in", 1)
    add_record(study)
    return study


@pytest.fixture
def planted(one_planted: Planted, tmp_path: Path) -> Planted:
    """A copy of one of them, free to be written into."""
    folder = Path(shutil.copytree(one_planted.folder, tmp_path / "in" / one_planted.folder.name))
    return Planted(folder, one_planted.needles, one_planted.uids)
