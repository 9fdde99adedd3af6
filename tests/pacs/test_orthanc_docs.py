"""docs/pacs.md, walked as it is written against a real Orthanc."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from orthanc_rig import unshare_command, why_not

WALK = Path(__file__).with_name("docs_walk.py")
FINAL = "2.25.142413283496309796760940591646056503928"


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_five_minutes_are_as_written(tmp_path: Path) -> None:
    done = subprocess.run(
        [*unshare_command(), sys.executable, str(WALK), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr[-3000:]}"
    said = re.split(r"^\$ ", done.stdout, flags=re.MULTILINE)[1:]
    assert len(said) > 10
    assert [one for one in said if not one.rstrip().endswith("[0]")] == []
    by_command = {one.split("\n", 1)[0]: one for one in said}
    assert not any("FAILS" in one for one in said)
    assert FINAL in next(one for line, one in by_command.items() if line.startswith("veinscan pacs query"))
    pushed = next(one for line, one in by_command.items() if "--seg --pdf" in line)
    assert "3 stored" in pushed
    assert "tributary" in by_command["veinscan targets list colleague"]
    assert len(list((tmp_path / "by-dimse").rglob("*.dcm"))) == 7
    assert list((tmp_path / "by-dimse" / "veinscan").glob("*.dcm"))
