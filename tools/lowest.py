"""Print pip constraints that pin every direct dependency to its lower bound.

python tools/lowest.py pyproject.toml > lowest.txt
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def lowest(pyproject: Path) -> list[str]:
    """`name==bound` for each requirement `name>=bound` of the library and its extras."""
    project = tomllib.loads(pyproject.read_text())["project"]
    extras = project["optional-dependencies"]
    requirements = [*project["dependencies"]]
    for extra in ("gui", "research", "pacs", "test"):
        requirements += extras[extra]
    pins = []
    for requirement in requirements:
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+)(,(!=|<)[\w.]+)*(; .+)?", requirement)
        if match is None:
            sys.exit(f"{pyproject}: {requirement!r} has no plain lower bound; write it as name>=version")
        pins.append(f"{match[1]}=={match[2]}")
    return list(dict.fromkeys(pins))


if __name__ == "__main__":
    print("\n".join(lowest(Path(sys.argv[1]))))
