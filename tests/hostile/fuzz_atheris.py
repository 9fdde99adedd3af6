"""Coverage-guided fuzzing of the reader with atheris (not a part of the suite; atheris is not a dependency).

    python -m venv /tmp/fuzz && /tmp/fuzz/bin/pip install atheris .
    /tmp/fuzz/bin/python tests/hostile/fuzz_atheris.py CORPUS -max_total_time=3600 -rss_limit_mb=3000

CORPUS is a folder of small DICOM files; `python tests/hostile/fuzz_atheris.py --seeds CORPUS` writes some,
one for each way to store pixels.  An input that fails is written to the working folder as
`crash-*`, `timeout-*` or `oom-*`; give its name to this program to see it again.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1]), str(HERE.parent / "dicom")]


def main() -> None:
    import atheris

    with atheris.instrument_imports(include=["veinscan.dicom", "pydicom"]):
        from fuzzing import try_everything

    folder = Path(tempfile.mkdtemp())
    path = folder / "a.dcm"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        try_everything(path)
        if len(list(folder.iterdir())) != 1:
            raise RuntimeError("the reader wrote a file")

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--seeds":
        from test_mutations import seeds

        Path(sys.argv[2]).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as scratch:
            for number, content in enumerate(seeds(Path(scratch))):
                if len(content) < 200_000:
                    (Path(sys.argv[2]) / f"seed-{number}.dcm").write_bytes(content)
    else:
        main()
