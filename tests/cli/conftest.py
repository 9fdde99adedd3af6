"""A way to call the command line as a user does, and a study to call it on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cli_studies import ultrasound, write

from veinscan import log
from veinscan.cli import main


@dataclass
class Called:
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout as strict JSON: exactly one object, all numbers finite."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        value = json.loads(self.out, parse_constant=refuse)
        assert isinstance(value, dict)
        return value


@pytest.fixture
def cli(capfdbinary: pytest.CaptureFixture[bytes]) -> Iterator[Callable[..., Called]]:
    """`cli("inspect", path)`: exit code, stdout and stderr, as the whole process would give them."""

    def call(*args: object) -> Called:
        capfdbinary.readouterr()
        code = main([str(a) for a in args])
        out, err = capfdbinary.readouterr()
        assert "Traceback" not in err.decode()
        return Called(code, out.decode(), err.decode())

    yield call
    log.shutdown()


@pytest.fixture(scope="session")
def tiny_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips: one calibrated with a lumen of 3 mm, one without calibration, and a text file."""
    folder = tmp_path_factory.mktemp("tiny") / "study"
    write(folder / "clips" / "IM_0001", ultrasound())
    write(folder / "clips" / "IM_0002", ultrasound(SequenceOfUltrasoundRegions=None, InstanceNumber=2))
    (folder / "notes.txt").write_text("nothing here\n" * 30)
    return folder


@pytest.fixture
def tiny(tiny_source: Path, tmp_path: Path) -> Path:
    """A copy of the small study, free to be written into."""
    return Path(shutil.copytree(tiny_source, tmp_path / "tiny"))
