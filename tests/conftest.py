"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from orthanc_rig import archive_settings, make_orthanc, orthanc

__all__ = ["archive_settings", "make_orthanc", "orthanc"]

# In CI the same examples every time: a change is judged by what it changed, and not by the day's luck.
# On a developer's machine every run looks at new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

# Two workers share two cores: threads inside a test would only fight each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real files of public projects, kept beside the checkout and never inside it."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real files in ../shared/data are not on this machine")
    return folder


@pytest.fixture(autouse=True)
def own_user_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the settings, logs or drafts of the person who runs it."""
    home = tmp_path_factory.mktemp("home")
    for name, folder in (
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_DATA_HOME", "data"),
        ("XDG_STATE_HOME", "state"),
        ("XDG_CACHE_HOME", "cache"),
    ):
        monkeypatch.setenv(name, str(home / folder))
    for name in [key for key in os.environ if key.startswith("VEINSCAN_")]:
        monkeypatch.delenv(name)
    return home


@pytest.fixture
def sample_study_dir(tmp_path: Path) -> Path:
    """A fresh copy of the baseline sample study, free to be written into."""
    return Path(shutil.copytree(ROOT / "sample_data" / "baseline", tmp_path / "baseline"))


@pytest.fixture
def sample_follow_up_dir(tmp_path: Path) -> Path:
    """A fresh copy of the follow-up sample study."""
    return Path(shutil.copytree(ROOT / "sample_data" / "follow_up", tmp_path / "follow_up"))


@pytest.fixture(scope="session")
def phantom_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One phantom study of seed 7 with its truth.json; copy it before writing into it."""
    from veinscan.phantom import make_study

    folder = tmp_path_factory.mktemp("phantom") / "study"
    make_study(folder, seed=7)
    return folder
