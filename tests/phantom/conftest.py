from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from phantom_sample import SAMPLE_SEED


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample study and its follow-up, made again, in another process."""
    root = tmp_path_factory.mktemp("fresh")
    places = {"baseline": root / "baseline", "follow_up": root / "follow_up"}
    code = (
        "from veinscan.phantom import make_study\n"
        f"made = make_study({str(places['baseline'])!r}, seed={SAMPLE_SEED}, "
        f"follow_up={str(places['follow_up'])!r})\n"
        "assert made[-1].name == 'truth.json' and made[-1].parent.name == 'baseline'\n"
        "assert len(made) == 10 and all(p.is_file() for p in made)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "77"})
    return places
